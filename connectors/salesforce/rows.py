"""Rows of one object as typed data, and records made of them: the hot path of every read.

Promise: a row without its id, its stamp or an attribute that was asked for never becomes a record; the page is refused
(or filled, where the reader has made sure that what is left out is blank).
A decoder is generated per attribute list, so that a page of 2,000 rows is decoded without anything that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from connectors.salesforce.ids import id18
from connectors.salesforce.shapes import Shape, shape_of
from connectors.salesforce.values import Stamps
from syncd.connector import Record
from syncd.http import BadAnswer

DISPENSABLE = ("LastModifiedById", "MasterRecordId")
"""System fields that are done without where an org does not show them: then nothing counts as our own writing, and a
merged record as a deleted one. Whom we never write to (users) is not asked for a writer at all."""

_SYSTEM: tuple[tuple[str, Any, Any], ...] = (
    ("key", str, msgspec.NODEFAULT),
    ("stamp", str, msgspec.NODEFAULT),
    ("writer", str | None, None),
    ("deleted", bool, False),
    ("master", str | None, None),
    ("converted", bool, False),
    ("later", str | None, None),
)
"""What every row type ends with, in this order; an object without the field leaves the default."""


class Page(msgspec.Struct):
    """One page of a query: its rows are of the type that `Rows` made."""

    done: bool
    records: list[Any]
    next: str | None = None


class Rows:
    """How rows of one object are asked for and read, for one list of attributes. Safe in several threads."""

    def __init__(self, object: str, attributes: Sequence[str], unseen: Sequence[str] = ()) -> None:
        """`unseen`: those of `DISPENSABLE` that this org does not show."""
        shape = shape_of(object)
        self.object = object
        self.attributes = tuple(dict.fromkeys(attributes))
        self._becomes = shape.becomes[0] if shape.becomes else ""
        own = _system_fields(shape, unseen)
        extra = [name for name in self.attributes if name not in own]
        self.fields = (*own, *extra)
        """What to select, each once."""
        row = _row_type(own, extra)
        places = {name: len(extra) + place for name, place in own.items()} | {n: at for at, n in enumerate(extra)}
        self._pick = _picker([places[name] for name in self.attributes])
        page = msgspec.defstruct(
            "Page",
            [("done", bool), ("records", list[row]), ("next", str | None, None)],  # type: ignore[valid-type]
            rename={"next": "nextRecordsUrl"},
        )
        self.page: msgspec.json.Decoder[Page] = msgspec.json.Decoder(page)
        """Decodes the answer of a query."""
        self.list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[row | None])  # type: ignore[valid-type]
        """Decodes the answer of a retrieve: a row, or null for each id."""

    def filled(self, body: bytes | msgspec.Raw) -> bytes:
        """The same answer, with null for each attribute that a row leaves out."""
        said = msgspec.json.decode(body)
        for row in said["records"] if isinstance(said, dict) else said:
            if isinstance(row, dict):
                row.update({name: None for name in self.attributes if name not in row})
        return msgspec.json.encode(said)

    def records(self, rows: Iterable[Any], writer: str) -> list[Record]:
        """The records of decoded rows. `writer`: the id of our own user. Raises BadAnswer."""
        try:
            return self._records(rows, writer)
        except ValueError:
            pass  # the message would quote the row
        raise BadAnswer(f"a row of {self.object} has an id or a stamp that is none")

    def _records(self, rows: Iterable[Any], writer: str) -> list[Record]:
        names, pick, tuple_of, stamps = self.attributes, self._pick, msgspec.structs.astuple, Stamps()
        records: list[Record] = []
        for row in rows:
            values = tuple_of(row)
            key, stamp, by, deleted, master, converted, later = values[-7:]
            if len(key) != 18:
                key = id18(key)
            attributes = dict(zip(names, pick(values), strict=True))
            if not deleted and not converted:
                records.append(Record(key, stamps[stamp], attributes, "live", None, by == writer))
                continue
            if not deleted:
                into = (self._becomes, id18(later)) if later else None
                records.append(Record(key, stamps[stamp], attributes, "converted", into, by == writer))
            elif master:
                records.append(
                    Record(key, stamps[stamp], attributes, "merged", (self.object, id18(master)), by == writer)
                )
            else:
                records.append(Record(key, stamps[stamp], attributes, "gone", None, by == writer))
        return records


def _system_fields(shape: Shape, unseen: Sequence[str]) -> dict[str, int]:
    """The system fields to select, with where in a row each stands."""
    names: list[str | None] = ["Id", shape.stamp, "LastModifiedById" if shape.keyed else None]
    names += ["IsDeleted" if shape.deletable else None, "MasterRecordId" if shape.mergeable else None]
    names += ["IsConverted", shape.becomes[1]] if shape.becomes else []
    return {name: place for place, name in enumerate(names) if name and name not in unseen}


def _row_type(own: dict[str, int], extra: Sequence[str]) -> type[msgspec.Struct]:
    """A struct with one field for each attribute, then the system fields; names that cannot clash with anything."""
    wire = {place: name for name, place in own.items()}
    rename = {field: wire.get(place, f"-{field}") for place, (field, _, _) in enumerate(_SYSTEM)}
    rename |= {f"v{place}": name for place, name in enumerate(extra)}
    fields: list[Any] = [
        (field, kind) if default is msgspec.NODEFAULT else (field, kind, default) for field, kind, default in _SYSTEM
    ]
    values: list[Any] = [(f"v{place}", Any) for place in range(len(extra))]
    return msgspec.defstruct("Row", [*values, *fields], rename=rename, gc=False)


def _picker(places: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    if not places:
        return lambda values: ()
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)
