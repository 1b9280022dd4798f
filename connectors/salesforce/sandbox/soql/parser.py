"""Text to tree, by recursive descent. Refuses what it does not know; never guesses."""

from __future__ import annotations

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.instants import read_time
from connectors.salesforce.sandbox.soql.tokens import Token, picture, split
from connectors.salesforce.sandbox.soql.tree import (
    Aggregate,
    AllFields,
    Among,
    Both,
    Column,
    Compare,
    Condition,
    Either,
    Literal,
    Not,
    Order,
    Path,
    Query,
    SemiJoin,
)

_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_CLAUSES = ("WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "UPDATE", "ALL")
_NOT_HERE = ("WITH", "HAVING", "FOR", "USING", "UPDATE", "ALL")
_RELATIVE_N = frozenset(
    f"{when}_{unit}S" for when in ("LAST_N", "NEXT_N") for unit in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
) | {"N_DAYS_AGO", "N_WEEKS_AGO", "N_MONTHS_AGO", "N_YEARS_AGO"}
_RELATIVE = frozenset({"TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"}) | {
    f"{when}_{unit}" for when in ("THIS", "LAST", "NEXT") for unit in ("WEEK", "MONTH", "QUARTER", "YEAR")
}


def parse(text: str) -> Query:
    """A whole SELECT statement. Refused: MALFORMED_QUERY."""
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


def parse_condition(text: str) -> Condition:
    """What may stand after WHERE; for rules of the org. Refused: MALFORMED_QUERY."""
    parser = _Parser(text)
    condition = parser.condition()
    parser.expect_end()
    return condition


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = split(text)
        self.place = 0

    # ------------------------------------------------------------ tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def unexpected(self, token: Token | None = None) -> Refusal:
        token = token or self.next
        name = "<EOF>" if token.kind == "end" else f"'{token.text}'"
        return picture(self.text, token.at, f"unexpected token: {name}")

    def accept(self, *words: str) -> bool:
        if self.next.says(*words):
            self.take()
            return True
        return False

    def expect(self, word: str) -> Token:
        if not self.next.says(word):
            raise self.unexpected()
        return self.take()

    def sign(self, text: str) -> bool:
        if self.next.kind == "sign" and self.next.text == text:
            self.take()
            return True
        return False

    def expect_sign(self, text: str) -> None:
        if not self.sign(text):
            raise self.unexpected()

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise self.unexpected()

    def word(self) -> Token:
        if self.next.kind != "word":
            raise self.unexpected()
        return self.take()

    def path(self) -> Path:
        token = self.word()
        return Path(tuple(token.text.split(".")), token.at)

    def number(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise self.unexpected(token)
        return int(token.text)

    # ------------------------------------------------------------ statement

    def query(self) -> Query:
        self.expect("SELECT")
        columns = [self.column()]
        while self.sign(","):
            columns.append(self.column())
        self.expect("FROM")
        source = self.word()
        alias = None
        if self.next.kind == "word" and not self.next.says(*_CLAUSES):
            alias = self.take().text
        where = self.condition() if self.accept("WHERE") else None
        group = self._paths() if self._two("GROUP", "BY") else ()
        order = self._orders() if self._two("ORDER", "BY") else ()
        limit = self.number() if self.accept("LIMIT") else None
        offset = self.number() if self.accept("OFFSET") else None
        if self.next.says(*_NOT_HERE):
            raise picture(self.text, self.next.at, f"the sandbox does not do {self.next.text.upper()}")
        return Query(self.text, tuple(columns), source.text, source.at, alias, where, group, order, limit, offset)

    def _two(self, first: str, second: str) -> bool:
        if not self.accept(first):
            return False
        self.expect(second)
        return True

    def _paths(self) -> tuple[Path, ...]:
        paths = [self.path()]
        while self.sign(","):
            paths.append(self.path())
        return tuple(paths)

    def _orders(self) -> tuple[Order, ...]:
        orders = [self._order()]
        while self.sign(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        path = self.path()
        descending = self.next.says("DESC")
        self.accept("ASC", "DESC")
        nulls_last = False
        if self.accept("NULLS"):
            nulls_last = self.next.says("LAST")
            if not self.accept("FIRST", "LAST"):
                raise self.unexpected()
        return Order(path, descending, nulls_last)

    def column(self) -> Column:
        if self.next.text == "(":
            raise picture(self.text, self.next.at, "the sandbox does not do child sub-selects")
        if self.next.says("TYPEOF"):
            raise picture(self.text, self.next.at, "the sandbox does not do TYPEOF")
        token = self.word()
        what: Path | Aggregate | AllFields = Path(tuple(token.text.split(".")), token.at)
        if self.sign("("):
            what = self._function(token)
        alias = None
        if self.next.kind == "word" and not self.next.says("FROM"):
            alias = self.take().text
        return Column(what, alias)

    def _function(self, token: Token) -> Aggregate | AllFields:
        name = token.text.upper()
        if name == "FIELDS":
            which = self.word().text.upper()
            if which not in ("ALL", "STANDARD", "CUSTOM"):
                raise self.unexpected()
            self.expect_sign(")")
            return AllFields(which, token.at)
        if name not in _AGGREGATES:
            raise picture(self.text, token.at, f"Invalid function name: {token.text}")
        path = None if self.next.text == ")" else self.path()
        if path is None and name != "COUNT":
            raise self.unexpected()
        self.expect_sign(")")
        return Aggregate(name, path, token.at)

    # ------------------------------------------------------------ conditions

    def condition(self) -> Condition:
        """AND and OR do not mix without brackets, and a bare NOT stands alone: so says the vendor's grammar."""
        bare_not = self.next.says("NOT")
        items = [self._simple()]
        joiner = self.next.text.upper() if self.next.says("AND", "OR") else ""
        if not joiner:
            return items[0]
        if bare_not:
            raise self.unexpected()
        while self.next.says("AND", "OR"):
            if not self.next.says(joiner):
                raise self.unexpected()
            self.take()
            items.append(self._simple())
        return Both(tuple(items)) if joiner == "AND" else Either(tuple(items))

    def _simple(self) -> Condition:
        if self.accept("NOT"):
            return Not(self._simple())
        if self.sign("("):
            inner = self.condition()
            self.expect_sign(")")
            return inner
        return self._test()

    def _test(self) -> Condition:
        path = self.path()
        at = self.next.at
        if self.accept("LIKE"):
            return Compare(path, "LIKE", self.literal(), at)
        if self.next.says("INCLUDES", "EXCLUDES"):
            op = self.take().text.upper()
            return Among(path, op, self._list(), at)
        negated = self.accept("NOT")
        if self.accept("IN"):
            return self._membership(path, negated, at)
        if negated or self.next.kind != "sign" or self.next.text in "(),:":
            raise self.unexpected()
        op = self.take().text
        return Compare(path, "!=" if op == "<>" else op, self.literal(), at)

    def _membership(self, path: Path, negated: bool, at: int) -> Condition:
        if self.tokens[self.place + 1].says("SELECT"):
            self.expect_sign("(")
            inner = self.query()
            self.expect_sign(")")
            return SemiJoin(path, negated, inner, at)
        return Among(path, "NOT IN" if negated else "IN", self._list(), at)

    def _list(self) -> tuple[Literal, ...]:
        self.expect_sign("(")
        values = [self.literal()]
        while self.sign(","):
            values.append(self.literal())
        self.expect_sign(")")
        return tuple(values)

    def literal(self) -> Literal:
        token = self.take()
        if token.kind in ("string", "number", "date"):
            return Literal(token.kind, token.text, token.at)
        if token.kind == "datetime":
            if read_time(token.text) is None:
                raise self.unexpected(token)
            return Literal("datetime", token.text, token.at)
        if token.kind == "word":
            return self._word_literal(token)
        raise self.unexpected(token)

    def _word_literal(self, token: Token) -> Literal:
        name = token.text.upper()
        if name in ("TRUE", "FALSE"):
            return Literal("boolean", name, token.at)
        if name == "NULL":
            return Literal("null", name, token.at)
        if name in _RELATIVE:
            return Literal("relative", name, token.at)
        if name in _RELATIVE_N:
            self.expect_sign(":")
            return Literal("relative", name, token.at, self.number())
        raise self.unexpected(token)
