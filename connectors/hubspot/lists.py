"""Lists of contacts and who is in them (contract section 12): two objects that can be read.

Promise: a membership's key is `LIST:CONTACT`. It is called gone only where its list was read to the end without it, or
is deleted. When HubSpot tells how many members a list has, and when one came or went last, a list that stood still is
not read again: then a look at all memberships is one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.hubspot.errors import refuse_read
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST
from connectors.hubspot.shelves import PAGE, SHELF_TRAITS, described, found_on, on_shelf
from connectors.hubspot.wire import Id, Paging, after_of, stamp_ms
from syncd.connector import Attribute, Found, Key, ObjectTraits, Page, Record
from syncd.errors import CursorLost
from syncd.http import BadAnswer, Http, Trail

LISTS = "lists"
MEMBERSHIPS = "list_memberships"
MEMBERS = 250
"""Members on one page."""

OF_CONTACTS = "0-1"
_SIZE, _ADDED, _REMOVED = "hs_list_size", "hs_last_record_added_at", "hs_last_record_removed_at"

LIST_ATTRIBUTES = described(
    Attribute("id", "text", "List id"),
    Attribute("name", "text", "Name"),
    Attribute("objectTypeId", "text", "Object type: 0-1 contacts, 0-2 companies, 0-3 deals"),
    Attribute("processingType", "choice", "Who fills it", options=("MANUAL", "SNAPSHOT", "DYNAMIC")),
    Attribute("size", "number", "Members"),
    Attribute("createdAt", "datetime", "Made"),
    Attribute("updatedAt", "datetime", "Changed"),
)

MEMBERSHIP_ATTRIBUTES = described(
    Attribute("list", "reference", "List", refers=(LISTS,)),
    Attribute("list_name", "text", "Name of the list"),
    Attribute("contact", "reference", "Contact", refers=("contacts",)),
    Attribute("added_at", "datetime", "In it since"),
)

MEMBERSHIP_TRAITS = replace(SHELF_TRAITS, deletions="tombstone", read_batch=10_000)
"""Many at once: a list is read from its beginning, whoever is looked for in it."""


class ListRow(msgspec.Struct):
    """One list as a search shows it."""

    listId: Id
    name: str = ""
    objectTypeId: str = ""
    processingType: str = ""
    listVersion: int = 0
    createdAt: str | None = None
    updatedAt: str | None = None
    additionalProperties: dict[str, str | None] = {}

    @property
    def mark(self) -> str:
        """Differs whenever a member came or went; "" where HubSpot does not tell."""
        told = self.additionalProperties
        size, moves = told.get(_SIZE), (told.get(_ADDED), told.get(_REMOVED))
        if not size or (size != "0" and not any(moves)):
            return ""
        return f"{self.listVersion}/{size}/{moves[0] or ''}/{moves[1] or ''}"


class _Search(msgspec.Struct):
    lists: list[ListRow] = []
    hasMore: bool = False
    offset: int = 0


class MemberRow(msgspec.Struct, gc=False):
    recordId: Id
    membershipTimestamp: str


class Members(msgspec.Struct):
    results: list[MemberRow] = []
    paging: Paging | None = None


class Place(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a reading of memberships is."""

    marks: dict[str, str] = {}
    """By list, the mark under which it was read whole."""
    at: str = ""
    """In the middle of this list,"""
    after: str = ""
    mark: str = ""


_PLACE = msgspec.json.Decoder(Place)
_SEARCH: msgspec.json.Decoder[_Search] = msgspec.json.Decoder(_Search)
_MEMBERS: msgspec.json.Decoder[Members] = msgspec.json.Decoder(Members)


@dataclass(frozen=True, slots=True)
class RecordLists:
    """The lists of one account."""

    http: Http
    paths: Paths
    traits: ObjectTraits = SHELF_TRAITS

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        return LIST_ATTRIBUTES

    def changes(self, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]:
        """All lists: there are few, and the look is one page."""
        yield Page([_of_list(row, attributes) for row in self.all()], "{}", True)

    def fetch(self, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]:
        """The lists with these ids."""
        return on_shelf(self.changes(attributes, None), keys)

    def find(self, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """The lists with one of these values of an attribute."""
        return found_on(self.changes([*attributes, where], None), attributes, where, values)

    def all(self) -> list[ListRow]:
        """Every list, by ascending id. A call for a hundred of them."""
        found: dict[str, ListRow] = {}
        offset, trail = 0, Trail("the search for lists")
        while True:
            asked = {"offset": offset, "count": PAGE, "additionalProperties": [_SIZE, _ADDED, _REMOVED]}
            answer = self.http.read("POST", self.paths.lists("search"), json=asked, meters=BURST)
            if answer.status >= 300:
                raise refuse_read(answer)
            page: _Search = answer.json(_SEARCH)
            found.update((row.listId, row) for row in page.lists)
            if not page.hasMore:
                return sorted(found.values(), key=lambda row: (len(row.listId), row.listId))
            if page.offset <= offset:
                raise BadAnswer(f"{answer.what}: the search does not move on")
            trail.on(str(page.offset), len(page.lists))
            offset = page.offset


@dataclass(frozen=True, slots=True)
class Memberships:
    """Who is in which list of contacts. `only`: names or ids of the lists to read; empty: all."""

    http: Http
    paths: Paths
    lists: RecordLists
    only: frozenset[str] = frozenset()
    traits: ObjectTraits = MEMBERSHIP_TRAITS

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        return MEMBERSHIP_ATTRIBUTES

    def changes(self, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]:
        """The members of every list that moved since the cursor's reading, or that does not tell whether it did."""
        try:
            place = Place() if cursor is None else _PLACE.decode(cursor)
        except msgspec.DecodeError:
            raise CursorLost("the cursor is none that this connector made") from None
        rows = self._wanted()
        marks = {row.listId: place.marks[row.listId] for row in rows if row.listId in place.marks}
        order = [row.listId for row in rows]
        begun = order.index(place.at) if place.at in order else 0
        for row in rows[begun:]:
            resumed = row.listId == place.at
            mark = place.mark if resumed else row.mark
            if not resumed and mark and marks.get(row.listId) == mark:
                continue
            for members, after in self._pages(row.listId, place.after if resumed else ""):
                if not after:
                    marks[row.listId] = mark
                records = [_of_member(row, member, attributes) for member in members]
                at = Place(dict(marks), row.listId, after, mark) if after else Place(dict(marks), _next(order, row))
                yield Page(records, msgspec.json.encode(at).decode(), False)
        yield Page([], msgspec.json.encode(Place(marks)).decode(), True)

    def fetch(self, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]:
        """These memberships, read from their lists; gone where the whole list does not show them."""
        by_list: dict[str, set[str]] = {}
        for key in keys:
            list_id, colon, contact = key.partition(":")
            if colon and list_id.isdigit() and contact.isdigit():
                by_list.setdefault(list_id, set()).add(contact)
        known = {row.listId: row for row in self.lists.all()} if by_list else {}
        for list_id, contacts in by_list.items():
            row = known.get(list_id)
            for members, _ in self._pages(list_id, "") if row is not None else ():
                for member in members:
                    if row is not None and member.recordId in contacts:
                        contacts.discard(member.recordId)
                        yield _of_member(row, member, attributes)
            yield from (Record(f"{list_id}:{contact}", 0, {}, "gone") for contact in sorted(contacts))

    def find(self, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """The memberships with one of these values of an attribute."""
        return found_on(self.changes([*attributes, where], None), attributes, where, values)

    def _wanted(self) -> list[ListRow]:
        return [
            row
            for row in self.lists.all()
            if row.objectTypeId == OF_CONTACTS and (not self.only or row.listId in self.only or row.name in self.only)
        ]

    def _pages(self, list_id: str, after: str) -> Iterator[tuple[list[MemberRow], str]]:
        """The members page by page, each with where to go on; a list that was deleted meanwhile has none."""
        trail = Trail("the members of a list")
        while True:
            params: dict[str, Any] = {"limit": MEMBERS} | ({"after": after} if after else {})
            answer = self.http.read("GET", self.paths.lists(list_id, "memberships"), params=params, meters=BURST)
            if answer.status == 404:
                yield [], ""
                return
            if answer.status >= 300:
                raise refuse_read(answer)
            page: Members = answer.json(_MEMBERS)
            following = after_of(page.paging)
            if following:
                trail.on(following, len(page.results))
            yield page.results, following
            if not following:
                return
            after = following


def _next(order: Sequence[str], row: ListRow) -> str:
    at = order.index(row.listId) + 1
    return order[at] if at < len(order) else ""


def _of_list(row: ListRow, attributes: Sequence[str]) -> Record:
    size = row.additionalProperties.get(_SIZE)
    said: dict[str, Any] = {
        "id": row.listId,
        "name": row.name or None,
        "objectTypeId": row.objectTypeId or None,
        "processingType": row.processingType or None,
        "createdAt": row.createdAt,
        "updatedAt": row.updatedAt,
        **({"size": size} if size is not None else {}),
    }
    stamp = stamp_ms(row.updatedAt) if row.updatedAt else 0
    return Record(row.listId, stamp, {name: said[name] for name in attributes if name in said})


def _of_member(row: ListRow, member: MemberRow, attributes: Sequence[str]) -> Record:
    said: dict[str, Any] = {
        "list": row.listId,
        "list_name": row.name or None,
        "contact": member.recordId,
        "added_at": member.membershipTimestamp,
    }
    key = f"{row.listId}:{member.recordId}"
    stamp = stamp_ms(member.membershipTimestamp)
    return Record(key, stamp, {name: said[name] for name in attributes if name in said})
