"""One record and its history.

Promise: a record's stored values are non-empty text by property name; every change is kept as a version with its
source, newest last, up to the account's number of versions for each property. First values cost no version of their
own, so that a hundred thousand records stay small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.hubspot.sandbox.objects import ObjectType
from connectors.hubspot.sandbox.values import iso


class Source(NamedTuple):
    """Who wrote: as history entries show it (contract section 3)."""

    type: str
    id: str
    label: str
    user_id: int | None = None


class Version(NamedTuple):
    """One value that a property had. Empty text: it was cleared."""

    value: str
    at_ms: int
    source: Source

    def to_json(self) -> dict[str, Any]:
        """As `propertiesWithHistory` lists it."""
        entry: dict[str, Any] = {
            "value": self.value,
            "timestamp": iso(self.at_ms),
            "sourceType": self.source.type,
            "sourceId": self.source.id,
        }
        if self.source.label:
            entry["sourceLabel"] = self.source.label
        if self.source.user_id is not None:
            entry["updatedByUserId"] = self.source.user_id
        return entry


@dataclass(slots=True)
class Record:
    """A live or archived record. `first` and `origin` stand for the versions that the record was created with."""

    id: str
    kind: ObjectType
    created_ms: int
    modified_ms: int
    values: dict[str, str]
    first: dict[str, str]
    origin: Source
    changes: dict[str, list[Version]] = field(default_factory=dict)
    archived_ms: int | None = None
    hidden: bool = False
    merged: list[str] = field(default_factory=list)
    """Ids that were merged into this one, oldest first."""

    def remember(self, name: str, value: str, at_ms: int, source: Source, keep: int) -> None:
        """Adds a version; drops the oldest beyond `keep`."""
        versions = self.changes.setdefault(name, [])
        versions.append(Version(value, at_ms, source))
        excess = len(versions) + (name in self.first) - keep
        if excess > 0 and self.first.pop(name, None) is not None:
            excess -= 1
        if excess > 0:
            del versions[:excess]

    def versions(self, name: str) -> list[Version]:
        """The property's history, newest first."""
        versions = self.changes.get(name, [])[::-1]
        if name in self.first:
            versions.append(Version(self.first[name], self.created_ms, self.origin))
        return versions

    def version_count(self) -> int:
        """How many versions the record holds over all properties."""
        return len(self.first) + sum(len(versions) for versions in self.changes.values())

    def emails(self) -> list[str]:
        """Primary and additional addresses."""
        if self.kind.email is None:
            return []
        more = self.values.get("hs_additional_emails", "")
        return [email for email in (self.values.get(self.kind.email, ""), *more.split(";")) if email]

    def to_state(self) -> dict[str, Any]:
        """As `GET /_control/state` shows it."""
        return {
            "id": self.id,
            "values": dict(self.values),
            "created_ms": self.created_ms,
            "modified_ms": self.modified_ms,
            "archived": self.archived_ms is not None,
            "archived_ms": self.archived_ms,
            "hidden": self.hidden,
            "merged": list(self.merged),
            "versions": self.version_count(),
        }
