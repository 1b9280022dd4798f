"""Owners: the people who can own records (contract section 9).

Promise: archived owners are shown too, as inactive, because records still point at them. There is no feed: every
look reads the whole list, and nothing can be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.hubspot.errors import refuse_read
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST
from connectors.hubspot.shelves import PAGE, SHELF_TRAITS, described, found_on, on_shelf
from connectors.hubspot.wire import OWNERS as ROWS
from connectors.hubspot.wire import OwnerRow, Owners, after_of, decoded, stamp_ms
from syncd.connector import Attribute, Found, Key, ObjectTraits, Page, Record
from syncd.errors import CursorLost
from syncd.http import Http, Trail

OWNERS = "owners"
OWNER_ATTRIBUTES = described(
    Attribute("id", "text", "Owner id"),
    Attribute("email", "text", "E-mail"),
    Attribute("active", "bool", "May be given records"),
    Attribute("firstName", "text", "First name"),
    Attribute("lastName", "text", "Last name"),
    Attribute("type", "text", "Person or queue"),
)


class Place(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where the sweep is: in the archived list or not, and after which owner."""

    archived: bool = False
    after: str = ""


_PLACE = msgspec.json.Decoder(Place)


@dataclass(frozen=True, slots=True)
class OwnerList:
    """The owners of one account."""

    http: Http
    paths: Paths
    traits: ObjectTraits = SHELF_TRAITS

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        return OWNER_ATTRIBUTES

    def changes(self, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]:
        """All owners, whatever the cursor says of what was read before; within a sweep it resumes."""
        try:
            place = Place() if cursor is None else _PLACE.decode(cursor)
        except msgspec.DecodeError:
            raise CursorLost("the cursor is none that this connector made") from None
        done, trail = False, Trail("the list of owners")
        while not done:
            rows, after = self._page(place)
            if after:
                trail.on(f"{place.archived} {after}", len(rows))
                place = Place(place.archived, after)
            else:
                done = place.archived
                place = Place(not place.archived)
            yield Page([_record(row, attributes) for row in rows], msgspec.json.encode(place).decode(), done)

    def fetch(self, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]:
        """The owners with these ids."""
        return on_shelf(self.changes(attributes, None), keys)

    def find(self, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """Owners by one attribute; text is compared with case aside."""
        return found_on(self.changes([*attributes, where], None), attributes, where, values)

    def _page(self, place: Place) -> tuple[list[OwnerRow], str]:
        params: dict[str, Any] = {"limit": PAGE, "archived": "true" if place.archived else "false"}
        if place.after:
            params["after"] = place.after
        answer = self.http.read("GET", self.paths.owners, params=params, meters=BURST)
        if answer.status >= 300:
            raise refuse_read(answer)
        page: Owners = decoded(answer, ROWS)
        return page.results, after_of(page.paging)


def _record(row: OwnerRow, attributes: Sequence[str]) -> Record:
    said: dict[str, Any] = {
        "id": row.id,
        "email": row.email or None,
        "active": not row.archived,
        "firstName": row.firstName or None,
        "lastName": row.lastName or None,
        "type": row.type or None,
    }
    stamp = stamp_ms(row.updatedAt) if row.updatedAt else 0
    return Record(row.id, stamp, {name: said[name] for name in attributes if name in said})
