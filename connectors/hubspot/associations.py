"""Who is associated with whom, read in bulk (contract section 8).

Promise: a record counts as associated with nobody only where HubSpot answered for it; one that an error names is left
out. It writes nothing: that is `associating`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from connectors.hubspot.errors import Trouble, refuse_read
from connectors.hubspot.kinds import Kind, Reference
from connectors.hubspot.paths import Paths
from connectors.hubspot.wire import Paging, after_of, id_of
from syncd.connector import Key, Neutral, Record
from syncd.http import BadAnswer, Http, Trail

READ_BATCH = 1000
ASSOCIATION = ("association",)
"""The meter of association calls: HubSpot counts them apart."""

NOBODY = "NO_ASSOCIATIONS_FOUND"
"""What an error says of a record that is associated with nobody: no error at all."""


class Label(NamedTuple):
    """One type of an association, as it is read and sent."""

    category: str
    id: int


Ties = dict[Key, frozenset[Label]]
"""What one record is associated with, among one object: by key, under which types."""


class _Type(msgspec.Struct, gc=False):
    typeId: int
    category: str = "HUBSPOT_DEFINED"


class _To(msgspec.Struct, gc=False):
    toObjectId: int | str
    """A number in older answers, text in newer ones."""
    associationTypes: list[_Type] = []


class _End(msgspec.Struct, gc=False):
    id: int | str


class _Row(msgspec.Struct, rename={"start": "from"}):
    start: _End
    to: list[_To] = []
    paging: Paging | None = None


class _Read(msgspec.Struct):
    results: list[_Row] = []
    errors: list[Trouble] = []


_READ: msgspec.json.Decoder[_Read] = msgspec.json.Decoder(_Read)


@dataclass(frozen=True, slots=True)
class Associations:
    """The associations of one account."""

    http: Http
    paths: Paths

    def fill(self, kind: Kind, references: Sequence[Reference], records: Sequence[Record]) -> list[Record]:
        """The records with these attributes added, where they live and HubSpot answered. A call for every thousand."""
        living = [record.key for record in records if record.state == "live"]
        values = self.values(kind, references, living)
        return [
            msgspec.structs.replace(record, attributes=record.attributes | values[record.key])
            if record.state == "live" and values.get(record.key)
            else record
            for record in records
        ]

    def values(self, kind: Kind, references: Sequence[Reference], keys: Sequence[Key]) -> dict[Key, dict[str, Neutral]]:
        """These attributes alone, by key. Keys that HubSpot did not answer for are absent."""
        found: dict[Key, dict[str, Neutral]] = {}
        for end in dict.fromkeys(reference.to for reference in references):
            asked = [reference for reference in references if reference.to == end]
            for key, ties in self.read(kind.name, end, keys).items():
                found.setdefault(key, {}).update((one.name, value_of(one, ties)) for one in asked)
        return found

    def read(self, start: str, end: str, keys: Sequence[Key]) -> dict[Key, Ties]:
        """What these records are associated with among the other object. Raises what a read raises."""
        found: dict[Key, Ties] = {}
        asked = list(dict.fromkeys(keys))
        for at in range(0, len(asked), READ_BATCH):
            found |= self._batch(start, end, asked[at : at + READ_BATCH])
        return found

    def _batch(self, start: str, end: str, keys: Sequence[Key]) -> dict[Key, Ties]:
        found: dict[Key, Ties] = {key: {} for key in keys}
        inputs: list[dict[str, str]] = [{"id": key} for key in keys]
        path = self.paths.associations(start, end, "batch", "read")
        trail = Trail(f"the associations of {start} with {end}")
        while inputs:
            answer = self.http.read("POST", path, json={"inputs": inputs}, meters=ASSOCIATION)
            if answer.status >= 300:
                raise refuse_read(answer)
            page: _Read = answer.json(_READ)
            came_from = {one["id"]: one.get("after", "") for one in inputs}
            inputs, tied = [], 0
            for row in page.results:
                key = str(row.start.id)
                if key not in came_from:
                    raise BadAnswer(f"{answer.what}: an answer about a record that was not asked for")
                found.setdefault(key, {}).update(_ties(row.to))
                tied += len(row.to)
                if after := after_of(row.paging):
                    inputs.append({"id": key, "after": trail.on(f"{key} {after}", tied).partition(" ")[2]})
            for key in _unanswered(page, came_from):
                found.pop(key, None)
        return found


def value_of(reference: Reference, ties: Mapping[Key, frozenset[Label]]) -> Neutral:
    """What the attribute says: a key, or a sorted list of keys; None for nobody."""
    if reference.one is None:
        return sorted(ties) or None
    # There is one at most; after a merge, for a moment, perhaps two.
    return min((key for key, types in ties.items() if any(one.id == reference.one for one in types)), default=None)


def _ties(rows: Iterable[_To]) -> Ties:
    return {
        id_of(row.toObjectId): frozenset(Label(one.category, one.typeId) for one in row.associationTypes)
        for row in rows
    }


def _unanswered(page: _Read, asked: Mapping[Key, Any]) -> set[Key]:
    """The asked keys that nothing is known about: errors name them, or name nobody while they are not shown."""
    shown = {str(row.start.id) for row in page.results}
    missing: set[Key] = set()
    for trouble in page.errors:
        named = {key for name in ("fromObjectId", "ids", "id") for key in trouble.values(name) if key in asked}
        if NOBODY not in str(trouble.subCategory or ""):
            missing |= named or asked.keys() - shown
    return missing
