"""Lists (segments) of records, and who is in them since when (contract section 12).

Promise: a record is in a list once; lists whose members HubSpot works out (DYNAMIC) cannot be written by anybody but
HubSpot itself. What their filters would find is not worked out here: `act list_add` says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.hubspot.sandbox.values import iso

MANUAL, SNAPSHOT, DYNAMIC = "MANUAL", "SNAPSHOT", "DYNAMIC"
WRITABLE = (MANUAL, SNAPSHOT)
FIRST_ID = 17


@dataclass
class RecordList:
    """One list. `members`: record id -> when it was added, in ms."""

    id: str
    name: str
    type_id: str
    processing: str
    created_ms: int
    updated_ms: int
    version: int = 1
    members: dict[str, int] = field(default_factory=dict)
    added_ms: int | None = None
    removed_ms: int | None = None
    deleted_ms: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API shows it; never with its filters, which the sandbox does not have."""
        shown: dict[str, Any] = {
            "listId": self.id,
            "listVersion": self.version,
            "name": self.name,
            "objectTypeId": self.type_id,
            "processingType": self.processing,
            "processingStatus": "COMPLETE",
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
            "createdById": "77",
            "updatedById": "77",
        }
        if self.deleted_ms is not None:
            shown["deletedAt"] = iso(self.deleted_ms)
        return shown

    def more(self, size: int) -> dict[str, str]:
        """What a search shows beside, where it is asked for (`additionalProperties`); all of it texts."""
        told = {"hs_list_size": str(size)}
        if self.added_ms is not None:
            told["hs_last_record_added_at"] = str(self.added_ms)
        if self.removed_ms is not None:
            told["hs_last_record_removed_at"] = str(self.removed_ms)
        return told


class Lists:
    """All lists of the account, by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, RecordList] = {}
        self._next_id = FIRST_ID

    def create(self, name: str, type_id: str, processing: str, now_ms: int) -> RecordList:
        """A new, empty list."""
        made = RecordList(str(self._next_id), name, type_id, processing, now_ms, now_ms)
        self._next_id += 1
        self.by_id[made.id] = made
        return made

    def live(self) -> list[RecordList]:
        """The lists that are not deleted, by ascending id."""
        return [one for one in self.by_id.values() if one.deleted_ms is None]

    def named(self, name: str, type_id: str | None = None) -> RecordList | None:
        """The list of that name (case does not matter), or of that id."""
        return next(
            (
                one
                for one in self.live()
                if name == one.id or (one.name.lower() == name.lower() and type_id in (None, one.type_id))
            ),
            None,
        )

    def add(self, segment: RecordList, record_ids: Iterable[str], now_ms: int) -> list[str]:
        """Adds those that are not in it; returns them."""
        added = [one for one in dict.fromkeys(record_ids) if one not in segment.members]
        segment.members.update(dict.fromkeys(added, now_ms))
        if added:
            segment.added_ms = now_ms
        return added

    def remove(self, segment: RecordList, record_ids: Iterable[str], now_ms: int) -> list[str]:
        """Removes those that are in it; returns them."""
        removed = [one for one in dict.fromkeys(record_ids) if segment.members.pop(one, None) is not None]
        if removed:
            segment.removed_ms = now_ms
        return removed

    def move(self, type_id: str, old_ids: Iterable[str], new_id: str) -> None:
        """A merge's result is in every list in which one of the merged was."""
        old = list(old_ids)
        for segment in self.by_id.values():
            if segment.type_id == type_id:
                since = [at for one in old if (at := segment.members.pop(one, None)) is not None]
                if since:
                    segment.members[new_id] = min(since)

    def drop(self, type_id: str, record_id: str) -> None:
        """Forgets a record that was purged."""
        for segment in self.by_id.values():
            if segment.type_id == type_id:
                segment.members.pop(record_id, None)

    def to_state(self) -> dict[str, Any]:
        """All lists with their members."""
        return {one.id: {**one.to_json(), "members": dict(one.members)} for one in self.by_id.values()}
