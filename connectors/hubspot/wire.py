"""HubSpot's JSON: the shapes that are read, and values to and from its text form (contract sections 3 to 5).

Promise: decoding costs little, and a value that HubSpot would take for something else (a leading `;` appends) never
leaves. It knows nothing of calls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec

from syncd.connector import Entry, Neutral, Record
from syncd.http import Answer, BadAnswer

T = TypeVar("T")

Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,20}\Z")]
"""A record's id, as HubSpot makes them. Anything else is no id, but something that wants to be another address."""
Word = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_:.-]{1,100}\Z")]
"""The id of what is no record: a number or a UUID."""

MAX_STAMP_MS = 253_402_300_799_999
"""The last moment of the year 9999."""

MERGED_IDS = "hs_merged_object_ids"
OTHER_EMAILS = "hs_additional_emails"


class Next(msgspec.Struct, gc=False):
    after: str


class Paging(msgspec.Struct, gc=False):
    next: Next | None = None


class Row(msgspec.Struct, gc=False):
    """One record as list, search and batch/read show it."""

    id: Id
    properties: dict[str, str | None]
    updatedAt: str = ""
    archivedAt: str | None = None


class Version(msgspec.Struct, gc=False):
    """One line of a property's history."""

    timestamp: str
    value: str | None = None
    sourceType: str | None = None
    sourceId: str | None = None


class LongRow(Row):
    """A row read with its history."""

    propertiesWithHistory: dict[str, list[Version]] = {}


class Rows(msgspec.Struct):
    results: list[Row]
    paging: Paging | None = None
    total: int = 0
    """Of a search: the rows of this page and of all that follow it."""

    @property
    def more(self) -> bool:
        """A search has further rows; either sign of it is believed."""
        return self.total > len(self.results) or after_of(self.paging) != ""


class LongRows(msgspec.Struct):
    results: list[LongRow]


class OwnerRow(msgspec.Struct, gc=False):
    """One owner; `userId` is null for people who left."""

    id: Id
    email: str | None = None
    type: str | None = None
    firstName: str | None = None
    lastName: str | None = None
    updatedAt: str = ""
    archived: bool = False


class Owners(msgspec.Struct):
    results: list[OwnerRow]
    paging: Paging | None = None


ROW: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)
ROWS = msgspec.json.Decoder(Rows)
LONG_ROWS = msgspec.json.Decoder(LongRows)
OWNERS = msgspec.json.Decoder(Owners)


def decoded(answer: Answer, decoder: msgspec.json.Decoder[T]) -> T:
    """An answer's rows. Texts are what HubSpot promises; numbers and truths in their place are taken for their text.
    Raises BadAnswer."""
    try:
        rows: T = answer.json(decoder)
    except BadAnswer as bad:
        try:
            rows = msgspec.convert(_as_text(answer.json()), decoder.type)
        except (msgspec.ValidationError, ValueError, RecursionError):
            raise bad from None
    return rows


_TEXTS = frozenset({"id", "after", "value", "sourceId", "timestamp"})
"""Names of what is text wherever it stands in an answer with rows."""


def _as_text(said: Any) -> Any:
    """The same answer, with text in the places where text should be. Raises ValueError."""
    if isinstance(said, list):
        return [_as_text(each) for each in said]
    if not isinstance(said, dict):
        return said
    made: dict[str, Any] = {}
    for name, value in said.items():
        if name == "properties" and isinstance(value, dict):
            made[name] = {key: _text(one) for key, one in value.items()}
        else:
            made[name] = _text(value) if name in _TEXTS else _as_text(value)
    return made


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, dict | list) else to_wire(value)


def after_of(paging: Paging | None) -> str:
    """Where the next page starts; "" when there is none."""
    return paging.next.after if paging is not None and paging.next is not None else ""


def stamp_ms(text: str) -> int:
    """ISO 8601 (the fraction is missing when it is zero) or epoch ms as text -> epoch ms. Raises BadAnswer."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        at_ms = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else -1
    else:
        at_ms = -1 if moment.tzinfo is None else round(moment.timestamp() * 1000)
    if 0 <= at_ms <= MAX_STAMP_MS:
        return at_ms
    raise BadAnswer("an answer holds a time that is none")


def id_of(said: int | str) -> str:
    """An id that is a number in older answers and text in newer ones. Raises BadAnswer for what is none."""
    text = str(said) if isinstance(said, str) or 0 <= said < 10**20 else ""
    if 0 < len(text) <= 20 and text.isascii() and text.isdigit():
        return text
    raise BadAnswer("an answer holds an id that is none")


def records(rows: Sequence[Row], attributes: Sequence[str], modified: str) -> list[Record]:
    """Live records, in the rows' order. An asked property that HubSpot does not know is absent; "" reads as None."""
    made = []
    for row in rows:
        properties = row.properties
        made.append(
            Record(
                row.id,
                stamp_ms(properties.get(modified) or row.updatedAt),
                {name: properties[name] or None for name in attributes if name in properties},
            )
        )
    return made


def history(row: LongRow, attributes: Sequence[str], app_id: str) -> dict[str, list[Entry]]:
    """Each asked attribute's writers, newest first. Where our own app id is not known, any integration counts as
    ours: HubSpot shows no more."""
    lines: dict[str, list[Entry]] = {}
    for name in attributes:
        if name in row.propertiesWithHistory:
            entries = [
                Entry(
                    version.value or None,
                    stamp_ms(version.timestamp),
                    version.sourceType == "INTEGRATION" and (not app_id or version.sourceId == app_id),
                )
                for version in row.propertiesWithHistory[name]
            ]
            entries.sort(key=lambda entry: -entry.at_ms)
            lines[name] = entries
    return lines


def merged_into(row: Row) -> list[str]:
    """The ids that the row's record has swallowed."""
    text = row.properties.get(MERGED_IDS)
    return [old for old in text.split(";") if old.isascii() and old.isdigit() and old != row.id] if text else []


def to_wire(value: Neutral) -> str:
    """A value as HubSpot stores it. Raises ValueError for a number that is none."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                raise ValueError("not a number")
            return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
        case str():
            return value
        case _:  # a leading ";" would append to what is there
            return ";".join(choice for choice in value if choice)


def properties_of(values: Mapping[str, Neutral], choices: frozenset[str]) -> dict[str, str]:
    """What a write sends. `choices`: the attributes of several choices, where a leading `;` appends."""
    sent: dict[str, str] = {}
    for name, value in values.items():
        text = to_wire(value)
        sent[name] = text.lstrip(";") if name in choices else text
    return sent


def shown(row_properties: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The written attributes as an answer shows them."""
    return {name: row_properties[name] or None for name in names if name in row_properties}
