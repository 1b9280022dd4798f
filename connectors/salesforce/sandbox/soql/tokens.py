"""Splits a statement into words, literals and signs, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.salesforce.sandbox.errors import Refusal

MAX_STATEMENT_CHARS = 100_000
MAX_STRING_CHARS = 4_000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPES |= {"N": "\n", "R": "\r", "T": "\t", "B": "\b", "F": "\f", "_": "\\_", "%": "\\%"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: string, datetime, date, number, word, sign, end. `text` of a string is its decoded content, in which an
    escaped wildcard keeps its backslash."""

    kind: str
    text: str
    at: int

    def says(self, *words: str) -> bool:
        """Whether this is one of the words, whatever its case."""
        return self.kind == "word" and self.text.upper() in words


def picture(text: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> Refusal:
    """The refusal of a statement: a caret under the place, row and column, then the message."""
    before = text[:at]
    row = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    line = text.split("\n")[row - 1] if text else ""
    start = max(0, column - 1 - 40)
    shown = line[start : column - 1 + 40]
    return Refusal.one(code, f"\n{shown}\n{' ' * (column - 1 - start)}^\nERROR at Row:{row}:Column:{column}\n{message}")


def split(text: str) -> list[Token]:
    """All tokens, an `end` last. Refused: MALFORMED_QUERY."""
    if len(text) > MAX_STATEMENT_CHARS:
        raise Refusal.one("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    tokens: list[Token] = []
    at = 0
    stripped = len(text.rstrip())
    while at < stripped:
        match = _TOKEN.match(text, at)
        if match is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise picture(text, place, _complaint(text[place]))
        kind = match.lastgroup or ""
        raw, place = match.group(kind), match.start(kind)
        tokens.append(Token(kind, _decode(text, raw, place) if kind == "string" else raw, place))
        at = match.end()
    tokens.append(Token("end", "<EOF>", len(text)))
    return tokens


def _complaint(char: str) -> str:
    if char == "'":
        return "unexpected token: <EOF> (the string has no closing quote)"
    return f"line 1:0 no viable alternative at character '{char}'"


def _decode(text: str, raw: str, at: int) -> str:
    body = raw[1:-1]
    if "\\" not in body:
        out = body
    else:
        parts: list[str] = []
        place = 0
        while place < len(body):
            char = body[place]
            if char != "\\":
                parts.append(char)
                place += 1
                continue
            piece, used = _escape(text, body, place, at)
            parts.append(piece)
            place += used
        out = "".join(parts)
    if len(out) > MAX_STRING_CHARS:
        raise picture(text, at, "string literal is longer than 4000 characters")
    return out


def _escape(text: str, body: str, place: int, at: int) -> tuple[str, int]:
    letter = body[place + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], 2
    digits = body[place + 2 : place + 6]
    if letter in "uU" and re.fullmatch(r"[0-9A-Fa-f]{4}", digits):
        return chr(int(digits, 16)), 6
    raise picture(text, at + 1 + place, f"Illegal string escape: \\{letter}")
