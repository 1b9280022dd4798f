"""Expressions: Google's CEL behind one file, so that nothing else knows which engine reads them.

Promise: an expression is checked against declared names and types before it is ever used; using it never raises and
always ends; what cannot be known is `Unknown`, never true. It reads no clock, no file, nothing but its context.

The engine bounds the work itself (10,000 iterations, nesting of 32, linear-time regular expressions); texts longer
than `MAX_EXPRESSION_CHARS` are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from cel_expr_python import cel

from syncd.core.toml import did_you_mean

MAX_EXPRESSION_CHARS: Final = 2_000
"""Longest expression that is read."""

Kind = Literal["text", "number", "truth", "moment", "texts", "any"]
"""What an expression can see: a field's type, as CEL knows it. `any`: the type is not known, so it is not checked."""

_GRAMMAR: Final = (
    "as break const continue else false for function if import in let loop namespace null package return true var void"
)
_BUILT_IN: Final = "bool bytes double duration dyn int list map string timestamp type uint all exists exists_one filter has matches size"
RESERVED: Final = frozenset(f"{_GRAMMAR} {_BUILT_IN}".split(" "))
"""Words that CEL keeps for itself: no field may be called so."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not true and not false: a name had no value, or the expression failed on this record. `why` shows no value."""

    why: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong in an expression. Line and column count from 1 inside its text."""

    line: int
    column: int
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression."""

    text: str
    kind: Kind | None
    """What it gives, if that is a kind that we know."""
    names: frozenset[str]
    """The declared names that stand in it."""
    program: Any = field(repr=False)

    def value(self, context: Mapping[str, Any]) -> Any:
        """Its value for a record, or `Unknown`. Never raises for what a record may hold."""
        try:
            result = self.program.eval(data=context)
            kind = result.type()
        except (RuntimeError, ValueError, TypeError) as error:
            return Unknown(_why(str(error)))
        if kind == cel.Type.ERROR or kind == cel.Type.UNKNOWN:
            return Unknown(_why(str(result)))
        return result.plain_value()


class Rules(Protocol):
    """A rule, however it is made up: what a gate may use by name."""

    @property
    def names(self) -> frozenset[str]: ...

    def holds(self, context: Mapping[str, Any]) -> bool | Unknown: ...


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that a record must meet."""

    text: str
    place: str
    """Where it stands: `people.toml:14:12`."""
    names: frozenset[str]
    """The field names it looks at, those of the definitions it uses included."""
    expression: Expression = field(repr=False)
    definitions: Mapping[str, Rules] = field(default_factory=dict, repr=False)
    """Named rules of the funnel that it uses: `qualified`."""

    def holds(self, context: Mapping[str, Any]) -> bool | Unknown:
        """Is the rule met by a record that expressions see so (`Mapping.context`)? Unknown is not true."""
        whys: dict[str, str] = {}
        if self.definitions:
            context = dict(context)
            for name, gate in self.definitions.items():
                met = gate.holds(context)
                if isinstance(met, Unknown):
                    whys[name] = met.why
                    context.pop(name, None)
                else:
                    context[name] = met
        value = self.expression.value(context)
        if isinstance(value, Unknown):
            for name, why in whys.items():
                if value.why.startswith(f"'{name}' "):
                    return Unknown(f"whether it is {name} is not known: {why}")
            return value
        return value is True


class Language:
    """The names that expressions of one file may use, with their kinds."""

    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.names = dict(names)
        variables = {name: _TYPES[kind]() for name, kind in names.items()}
        self._env = cel.NewEnv(config=cel.NewEnvConfigFromYaml(_COMPARISONS), variables=variables)

    def compile(self, text: str, gives: tuple[Kind, ...] | None = ("truth",)) -> tuple[Expression | None, list[Flaw]]:
        """A checked expression, or every flaw found in it. `gives`: the kinds that it may result in; None: any."""
        if not text.strip():
            return None, [Flaw(1, 1, "the expression is empty")]
        if len(text) > MAX_EXPRESSION_CHARS:
            return None, [Flaw(1, 1, f"the expression is longer than {MAX_EXPRESSION_CHARS:,} characters")]
        try:
            program = self._env.compile(text)
        except (RuntimeError, TypeError) as error:
            return None, self._flaws(str(error), text)
        given = program.return_type()
        kind = next((kind for kind, type_ in _TYPES.items() if type_() == given), None)
        kind = "number" if given == cel.Type.INT else kind
        if gives is not None and kind not in gives and kind != "any":
            wanted = " or ".join(_WORDS[one] for one in gives)
            return None, [Flaw(1, 1, f"the expression gives {_word(str(given))}, but {wanted} is needed")]
        if flaws := [*self._patterns(text), *_growing(text)]:
            return None, flaws
        return Expression(text, kind, names_in(text) & self.names.keys(), program), []

    def _patterns(self, text: str) -> list[Flaw]:
        """Patterns of matches() that are no regular expressions: the checker does not look into them."""
        flaws = []
        for token in _TOKEN.finditer(text):
            match = _PATTERN.match(text, token.start()) if token["member"] else None
            if match is None:
                continue
            tried = Expression("", "truth", frozenset(), self._env.compile(f'"".matches({match["pattern"]})')).value({})
            if isinstance(tried, Unknown):
                said, mend = "this pattern is not a regular expression", "write \\\\( for a bracket"
                flaws.append(Flaw(*_place(text, match.start("pattern")), said, mend))
        return flaws

    def _flaws(self, message: str, text: str) -> list[Flaw]:
        found = [
            self._flaw(int(line), int(column), said.strip(), text)
            for line, column, said in re.findall(r"ERROR: <input>:(\d+):(\d+): (.*)", message)
        ]
        # One typing slip makes the parser report several places: the first tells.
        syntax = [flaw for flaw in found if flaw.what.startswith(_NOT_CEL)]
        if "recursion limit" in message:
            return [Flaw(1, 1, "the expression is nested too deeply")]
        return syntax[:1] or found or [Flaw(1, 1, f"{_NOT_CEL}: it cannot be read")]

    def _flaw(self, line: int, column: int, said: str, text: str) -> Flaw:
        if match := re.match(r"undeclared reference to '([^']*)'", said):
            name = match[1]
            if re.search(rf"\b{re.escape(name)}\s*\(", text):
                return Flaw(
                    line, column, f"there is no function '{name}'", "see the list of functions in docs/mapping.md"
                )
            mend = did_you_mean(name, self.names) or f"known here: {', '.join(sorted(self.names))}"
            return Flaw(line, column, f"there is no field '{name}'", mend)
        if match := re.match(r"found no matching overload for '([^']*)' applied to '([^']*)'", said):
            return Flaw(line, column, *_mismatch(match[1], match[2]))
        if said.startswith("Syntax error"):
            what = said.removeprefix("Syntax error: ").partition(" expecting ")[0]
            what = "it ends too early" if "<EOF>" in what and "extraneous" not in what else what
            return Flaw(line, column, f"{_NOT_CEL}: {what}", "text stands in \"quotes\", 'and' is &&, 'or' is ||")
        return Flaw(line, column, said)


# ---------------------------------------------------------------- names


_TOKEN = re.compile(
    r"""//[^\n]*                                       # comment
    |[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3})          # long text
    |[rRbB]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<member>\.\s*[A-Za-z_]\w*)                     # x.size: not a name of ours
    |(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)

_PATTERN = re.compile(r"""\.\s*matches\s*\(\s*(?P<pattern>[rR]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))\s*\)""")


_LOOPS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column of a character, counted from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _growing(text: str) -> list[Flaw]:
    """What joins texts or lists for every entry of a list: the engine counts its steps, and not how long they make a
    value, which may double with each."""
    signs = _TOKEN.sub(lambda token: f".{token['member'][1:]}" if token["member"] else " " * len(token[0]), text)
    inside: list[bool] = []
    for at, sign in enumerate(signs):
        if sign in "([{":
            called = re.search(r"\.\s*(\w+)\s*$", signs[:at]) if sign == "(" else None
            inside.append((called is not None and called[1] in _LOOPS) or (bool(inside) and inside[-1]))
        elif sign in ")]}" and inside:
            inside.pop()
        elif sign == "+" and inside and inside[-1]:
            said = "'+' inside all, exists, map or filter may make a value too long"
            return [Flaw(*_place(text, at), said, "join outside, or compare the parts")]
    return []


def names_in(text: str) -> frozenset[str]:
    """Every word of an expression that may be a name: more than needed at worst (a comprehension's own variable),
    never less."""
    return frozenset(match["name"] for match in _TOKEN.finditer(text) if match["name"])


# ---------------------------------------------------------------- types


_TYPES: Final[Mapping[Kind, Callable[[], Any]]] = {
    "text": lambda: cel.Type.STRING,
    "number": lambda: cel.Type.DOUBLE,
    "truth": lambda: cel.Type.BOOL,
    "moment": lambda: cel.Type.TIMESTAMP,
    "texts": lambda: cel.Type.List(cel.Type.STRING),
    "any": lambda: cel.Type.DYN,
}
_WORDS: Final[Mapping[str, str]] = {
    "text": "text",
    "number": "a number",
    "truth": "true or false",
    "moment": "a date",
    "texts": "a list of texts",
    "any": "any value",
}


def _comparisons() -> str:
    """CEL's checker refuses `score >= 50` for a score that may have decimals, though its evaluator compares both
    kinds of number exactly. This environment declares the comparisons with the mixed pairs added; nothing is
    implemented here."""

    def overload(name: str, left: str, right: str) -> str:
        return f"  - {{id: {name}, args: [{left}, {right}], return: {{type_name: bool}}}}"

    def of(name: str) -> str:
        return f"{{type_name: {name}}}"

    any_ = "{type_name: A, is_type_param: true}"
    mixed = [(of("double"), of("int")), (of("int"), of("double"))]
    orders = ["int", "double", "string", "bool", "timestamp", "duration"]
    pairs = {sign: [(of(one), of(one)) for one in orders] + mixed for sign in ("_<_", "_<=_", "_>_", "_>=_")}
    pairs |= {sign: [(any_, any_), *mixed] for sign in ("_==_", "_!=_")}
    pairs["@in"] = [
        (any_, f"{{type_name: list, params: [{any_}]}}"),
        (of("double"), f"{{type_name: list, params: [{of('int')}]}}"),
    ]
    lines = ["stdlib:", "  exclude_functions:", *(f'  - name: "{sign}"' for sign in pairs), "functions:"]
    for number, (sign, overloads) in enumerate(pairs.items()):
        lines += [f'- name: "{sign}"', "  overloads:"]
        lines += [overload(f"syncd_{number}_{index}", *pair) for index, pair in enumerate(overloads)]
    return "\n".join(lines)


_COMPARISONS: Final = _comparisons()


# ---------------------------------------------------------------- plain words


_NOT_CEL: Final = "this is not an expression"
_SIGNS: Final = {"_&&_": "&&", "_||_": "||", "!_": "!", "@in": "in", "_?_:_": "? :", "_[_]": "[ ]", "-_": "-"}


def _word(type_: str) -> str:
    lower = type_.strip().lower().replace("<", "(").replace(">", ")")
    words = {
        "string": "text",
        "double": "a number",
        "int": "a number",
        "uint": "a number",
        "bool": "true or false",
        "timestamp": "a date",
        "duration": "a length of time",
        "null_type": "null",
        "null": "null",
        "list(string)": "a list of texts",
        "list(int)": "a list of numbers",
        "list(double)": "a list of numbers",
    }
    return words.get(lower, lower)


def _mismatch(function: str, types: str) -> tuple[str, str]:
    operands = [_word(part) for part in re.findall(r"[^,()\s]+(?:\([^()]*\))?", types.strip()[1:-1])]
    sign = _SIGNS.get(function, function.strip("_"))
    if "null" in operands:
        return f"'{sign}' cannot compare with null", 'write == "" for blank text; a blank number or date is unknown'
    if sign in ("+", "-", "*", "/", "%") and operands == ["a number", "a number"]:
        return f"'{sign}' needs numbers of one kind", "write whole numbers with a decimal: 1.0"
    mend = "numbers stand without quotes, text with" if {"text", "a number"} <= set(operands) else ""
    return f"'{sign}' does not go with {' and '.join(operands) or 'this'}", mend


def _why(message: str) -> str:
    """Why an evaluation failed, without the engine's own text: that may hold a person's value."""
    if match := re.search(r"No value with name \"(\w+)\" found", message):
        return f"'{match[1]}' has no value"
    if match := re.search(r"Unexpected value type for '(\w+)'", message):
        return f"'{match[1]}' has a value of another type"
    for sign, why in _FAILURES.items():
        if sign in message:
            return why
    return "the expression fails on this record"


_FAILURES: Final = {
    "divide by zero": "it divides by zero",
    "modulus by zero": "it divides by zero",
    "Index error": "it asks for an entry that the list does not have",
    "Iteration budget": "it takes too long",
    "regular expression": "its pattern for matches() is not a regular expression",
    "overflow": "a number is too large",
}
