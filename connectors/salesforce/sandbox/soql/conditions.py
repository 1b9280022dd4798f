"""Conditions compiled to functions of a row.

Promise: the vendor's comparison rules: text without case, two-valued truth (a blank is unlike every value), ids by
their 15 characters. Contract section 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.fields import NUMBERS, Field
from connectors.salesforce.sandbox.soql.literals import Span, meaning, pattern
from connectors.salesforce.sandbox.soql.scope import Resolved, Scope
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import Among, Both, Compare, Condition, Either, Not, SemiJoin
from connectors.salesforce.sandbox.store import Row, fold

Test = Callable[[Row], bool]
Select = Callable[[SemiJoin], set[Any]]
"""Runs the inner statement of a semi-join and returns its values."""


def compiled(scope: Scope, condition: Condition, select: Select) -> Test:
    """A function that says whether a row meets the condition. Refused for what cannot be compared."""
    if isinstance(condition, Both):
        tests = [compiled(scope, item, select) for item in condition.items]
        return lambda row: all(test(row) for test in tests)
    if isinstance(condition, Either):
        tests = [compiled(scope, item, select) for item in condition.items]
        return lambda row: any(test(row) for test in tests)
    if isinstance(condition, Not):
        inner = compiled(scope, condition.item, select)
        return lambda row: not inner(row)
    found = scope.resolve(condition.path)
    _check_filterable(scope, condition, found.field)
    if isinstance(condition, SemiJoin):
        return _semi_join(found, condition, select(condition))
    if isinstance(condition, Among):
        return _among(scope, found, condition)
    return _compare(scope, found, condition)


def _check_filterable(scope: Scope, condition: Compare | Among | SemiJoin, field: Field) -> None:
    if not field.filterable:
        message = f"field '{field.name}' can not be filtered in a query call"
        raise picture(scope.text, condition.path.at, message, "INVALID_FIELD")


def _bad_operator(scope: Scope, at: int, field: Field) -> Refusal:
    return picture(scope.text, at, f"invalid operator on {field.type} field", "INVALID_QUERY_FILTER_OPERATOR")


def _compare(scope: Scope, found: Resolved, condition: Compare) -> Test:
    field, get, op = found.field, found.get, condition.op
    if op == "LIKE":
        return _like(scope, found, condition)
    if field.type in ("boolean", "multipicklist") and op not in ("=", "!="):
        raise _bad_operator(scope, condition.at, field)
    value = meaning(field, condition.value, scope.text, scope.org.now_s())
    if value is None:
        if op not in ("=", "!="):
            raise _bad_operator(scope, condition.at, field)
        return (lambda row: get(row) is None) if op == "=" else (lambda row: get(row) is not None)
    if isinstance(value, Span):
        return _span(get, op, value)
    if field.type == "multipicklist":
        wanted = frozenset(value.casefold().split(";"))
        same = op == "="
        return lambda row: (_choices(get(row)) == wanted) is same
    wanted_key = _key(field, value)
    if op == "=":
        return lambda row: _key(field, get(row)) == wanted_key
    if op == "!=":
        return lambda row: _key(field, get(row)) != wanted_key
    return _ordered(field, get, op, wanted_key)


def _key(field: Field, value: Any) -> Any:
    """The form in which values compare; ids by their 15 characters, numbers as floats."""
    if value is None:
        return None
    if field.type in ("id", "reference"):
        return value[:15]
    if field.type in NUMBERS:
        return float(value)
    return fold(field, value)


def _ordered(field: Field, get: Callable[[Row], Any], op: str, wanted: Any) -> Test:
    def test(row: Row) -> bool:
        value = _key(field, get(row))
        if value is None:
            return False
        if op == "<":
            return bool(value < wanted)
        if op == "<=":
            return bool(value <= wanted)
        return bool(value > wanted) if op == ">" else bool(value >= wanted)

    return test


def _span(get: Callable[[Row], Any], op: str, span: Span) -> Test:
    def test(row: Row) -> bool:
        value = get(row)
        if value is None:
            return op == "!="
        inside = span.start <= value < span.end
        if op in ("=", "!="):
            return inside is (op == "=")
        if op == "<":
            return bool(value < span.start)
        if op == "<=":
            return bool(value < span.end)
        return bool(value >= span.end) if op == ">" else bool(value >= span.start)

    return test


def _like(scope: Scope, found: Resolved, condition: Compare) -> Test:
    field, get = found.field, found.get
    if field.type in NUMBERS or field.type in ("id", "reference", "boolean", "date", "datetime", "multipicklist"):
        raise _bad_operator(scope, condition.at, field)
    meaning(field, condition.value, scope.text, scope.org.now_s())
    if condition.value.kind == "null":
        raise _bad_operator(scope, condition.at, field)
    match = re.compile(pattern(condition.value), re.DOTALL).fullmatch

    def test(row: Row) -> bool:
        value = get(row)
        return value is not None and match(str(value).casefold()) is not None

    return test


def _among(scope: Scope, found: Resolved, condition: Among) -> Test:
    field, get = found.field, found.get
    values = [meaning(field, one, scope.text, scope.org.now_s()) for one in condition.values]
    if condition.op in ("INCLUDES", "EXCLUDES"):
        if field.type != "multipicklist":
            raise _bad_operator(scope, condition.at, field)
        wanted = [_choices(one) for one in values]
        included = condition.op == "INCLUDES"
        return lambda row: any(one <= _choices(get(row)) for one in wanted) is included
    if field.type in ("boolean", "multipicklist"):
        raise _bad_operator(scope, condition.at, field)
    if any(isinstance(one, Span) for one in values):
        tests = [_span(get, "=", one) for one in values if isinstance(one, Span)]
        inside = condition.op == "IN"
        return lambda row: any(test(row) for test in tests) is inside
    keys = {_key(field, one) for one in values}
    if condition.op == "IN":
        return lambda row: _key(field, get(row)) in keys
    return lambda row: _key(field, get(row)) not in keys


def _choices(value: str | None) -> frozenset[str]:
    return frozenset(value.casefold().split(";")) if value else frozenset()


def _semi_join(found: Resolved, condition: SemiJoin, values: set[Any]) -> Test:
    field, get = found.field, found.get
    keys = {_key(field, one) for one in values if one is not None}
    wanted = not condition.negated
    return lambda row: (_key(field, get(row)) in keys) is wanted
