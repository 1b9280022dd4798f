"""Objects that are only listed: no feed, no search, nothing to write. Owners, lists, forms, campaigns.

Promise: every look reads the whole list, within which it resumes; who is not on it any more is not called gone. What a
shelf holds is looked up by reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from connectors.hubspot.errors import refuse_read
from connectors.hubspot.reads import BURST
from connectors.hubspot.wire import Paging, Word, after_of, stamp_ms
from syncd.connector import Attribute, Found, Key, ObjectTraits, Page, Record
from syncd.errors import CursorLost
from syncd.http import Http, Trail

SHELF_TRAITS = ObjectTraits(feed="sweep", deletions="reconcile", create_batch=1, update_batch=1, archive_batch=1)

PAGE = 100


class Shelf(Protocol):
    """One object that is only listed."""

    @property
    def traits(self) -> ObjectTraits: ...

    @property
    def attributes(self) -> Mapping[str, Attribute]: ...

    def changes(self, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]: ...

    def fetch(self, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]: ...

    def find(self, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]: ...


def described(*attributes: Attribute) -> dict[str, Attribute]:
    """Attributes that nobody writes, by name."""
    return {one.name: replace(one, creatable=False, updatable=False) for one in attributes}


def on_shelf(pages: Iterable[Page], keys: Sequence[Key]) -> Iterator[Record]:
    """The records with these keys."""
    wanted = set(keys)
    for page in pages:
        yield from (record for record in page.records if record.key in wanted)


def found_on(pages: Iterable[Page], attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
    """The records with one of these values, with case aside. `pages` hold the attribute `where` as well."""
    wanted: dict[str, list[str]] = {}
    for value in values:
        if value.strip():
            wanted.setdefault(value.strip().lower(), []).append(value)
    for page in pages:
        for record in page.records:
            held = str(record.attributes.get(where) or "").lower()
            shown = {name: value for name, value in record.attributes.items() if name in attributes}
            for value in wanted.get(held, ()):
                yield Found(value, msgspec.structs.replace(record, attributes=shown))


class Place(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a reading of a listing is."""

    after: str = ""


class Row(msgspec.Struct):
    """One form or campaign."""

    id: Word
    createdAt: str | None = None
    updatedAt: str | None = None
    name: str | None = None
    formType: str | None = None
    properties: dict[str, str | None] = {}


class Rows(msgspec.Struct):
    results: list[Row]
    paging: Paging | None = None


_PLACE = msgspec.json.Decoder(Place)
_ROWS: msgspec.json.Decoder[Rows] = msgspec.json.Decoder(Rows)


@dataclass(frozen=True, slots=True)
class Listing:
    """A marketing object that is paged by id. `properties`: those that have to be asked for by name."""

    http: Http
    path: str
    attributes: Mapping[str, Attribute]
    properties: tuple[str, ...] = ()
    traits: ObjectTraits = SHELF_TRAITS

    def changes(self, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]:
        """All of it, whatever the cursor says of what was read before; within a reading it resumes."""
        try:
            place = Place() if cursor is None else _PLACE.decode(cursor)
        except msgspec.DecodeError:
            raise CursorLost("the cursor is none that this connector made") from None
        done, trail = False, Trail(self.path)
        while not done:
            params: dict[str, Any] = {"limit": PAGE}
            if self.properties:
                params["properties"] = ",".join(self.properties)
            if place.after:
                params["after"] = place.after
            answer = self.http.read("GET", self.path, params=params, meters=BURST)
            if answer.status >= 300:
                raise refuse_read(answer)
            rows: Rows = answer.json(_ROWS)
            after = after_of(rows.paging)
            if after:
                trail.on(after, len(rows.results))
            place, done = Place(after), not after
            yield Page([_record(row, attributes) for row in rows.results], msgspec.json.encode(place).decode(), done)

    def fetch(self, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]:
        """Those with these ids."""
        return on_shelf(self.changes(attributes, None), keys)

    def find(self, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """Those with one of these values of an attribute."""
        return found_on(self.changes([*attributes, where], None), attributes, where, values)


def _record(row: Row, attributes: Sequence[str]) -> Record:
    said: dict[str, Any] = {
        **row.properties,
        "id": row.id,
        "createdAt": row.createdAt,
        "updatedAt": row.updatedAt,
    }
    if row.name is not None:
        said |= {"name": row.name, "formType": row.formType}
    stamp = stamp_ms(row.updatedAt) if row.updatedAt else 0
    # A campaign leaves out the properties that have no value.
    return Record(row.id, stamp, {name: said.get(name) or None for name in attributes})


FORM_ATTRIBUTES = described(
    Attribute("id", "text", "Form id"),
    Attribute("name", "text", "Name"),
    Attribute("formType", "text", "Kind"),
    Attribute("createdAt", "datetime", "Made"),
    Attribute("updatedAt", "datetime", "Changed"),
)

CAMPAIGN_ATTRIBUTES = described(
    Attribute("id", "text", "Campaign id"),
    Attribute("hs_name", "text", "Name"),
    Attribute("hs_start_date", "date", "Begins"),
    Attribute("hs_end_date", "date", "Ends"),
    Attribute("hs_campaign_status", "choice", "Status"),
    Attribute("hs_owner", "text", "Owner id"),
    Attribute("createdAt", "datetime", "Made"),
    Attribute("updatedAt", "datetime", "Changed"),
)
CAMPAIGN_PROPERTIES = tuple(name for name in CAMPAIGN_ATTRIBUTES if name.startswith("hs_"))
"""What campaigns show only when it is asked for."""
