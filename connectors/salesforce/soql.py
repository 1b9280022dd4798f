"""SOQL, built from parts that cannot be anything else: names that are identifiers, values that are quoted.

Promise: no value of a record, and no name from a file, can change what a query asks (hazard X16). It knows a small
part of SOQL: what this connector asks. Source: contract section 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType

from syncd.errors import ConfigError

Condition = NewType("Condition", str)
"""Text after WHERE, made only here."""

MAX_TEXT = 90_000
"""Characters of a query that we build; Salesforce takes 100,000."""
MAX_LITERAL = 4_000
"""Characters of one quoted value; a longer one cannot be asked for, and no field that is searched holds it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}")
_ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}
_SPECIAL = re.compile(r"[\\'\"\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `all_rows`: deleted and merged records too (queryAll)."""

    text: str
    all_rows: bool = False


def identifier(name: str) -> str:
    """The name, if it can be the name of an object or field. Raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:80]!r} cannot be the name of a Salesforce object or field",
            remedy="Use the API name as Setup shows it, such as LastName or Score__c.",
        )
    return name


def quoted(text: str) -> str:
    """The text as a SOQL string literal."""
    return f"'{_SPECIAL.sub(_escape, text)}'"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def moment(stamp_ms: int) -> str:
    """The datetime literal of the second that holds `stamp_ms` (rounded down, never up)."""
    return datetime.fromtimestamp(stamp_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def since(field: str, stamp_ms: int, *, inclusive: bool) -> Condition:
    """From a second on, that second included or not."""
    return Condition(f"{identifier(field)} {'>=' if inclusive else '>'} {moment(stamp_ms)}")


def one_of(field: str, values: Iterable[str]) -> Condition:
    """The field holds one of the texts. Salesforce compares without regard to case."""
    return Condition(f"{identifier(field)} IN ({','.join(map(quoted, values))})")


def holds(field: str, truth: bool) -> Condition:
    """The field, a truth, is so."""
    return Condition(f"{identifier(field)} = {'true' if truth else 'false'}")


def every(*conditions: Condition) -> Condition:
    """All of them hold."""
    return conditions[0] if len(conditions) == 1 else Condition(" AND ".join(f"({each})" for each in conditions))


def path(name: str) -> str:
    """A field, or a field of a parent: identifiers with dots between them. Raises ConfigError."""
    return ".".join(map(identifier, name.split(".")))


def select(
    object: str,
    fields: Sequence[str],
    where: Condition | None = None,
    *,
    order: Sequence[str] = (),
    descending: bool = False,
    limit: int | None = None,
    all_rows: bool = False,
) -> Query:
    """The query. Raises ConfigError where a name is none."""
    text = f"SELECT {','.join(map(path, fields))} FROM {identifier(object)}"
    if where:
        text += f" WHERE {where}"
    if order:
        direction = " DESC" if descending else ""
        text += f" ORDER BY {','.join(identifier(name) + direction for name in order)}"
    if limit is not None:
        text += f" LIMIT {limit:d}"
    return Query(text, all_rows)


def portions(values: Iterable[str], most: int, fixed: int) -> Iterator[list[str]]:
    """Cuts values into lists that fit into one query each: at most `most`, and `fixed` characters beside them."""
    portion: list[str] = []
    size = fixed
    for value in values:
        if len(value) > MAX_LITERAL:
            continue
        length = len(quoted(value)) + 1
        if portion and (len(portion) == most or size + length > MAX_TEXT):
            yield portion
            portion, size = [], fixed
        portion.append(value)
        size += length
    if portion:
        yield portion
