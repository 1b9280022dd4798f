"""The account's users as record owners (contract section 9).

Promise: read-only over the API; a person may add and deactivate them. An owner's id is not its user id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.company import LEFT_REP, LEFT_REP_NAME, REP_NAMES, REPS


@dataclass
class Owner:
    """One owner. Deactivated: archived, and `userId` is null from then on."""

    id: str
    email: str
    first: str
    last: str
    user_id: int
    created_ms: int
    updated_ms: int
    archived: bool = False
    kind: str = "PERSON"

    def to_json(self) -> dict[str, Any]:
        """As the API lists it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "email": self.email,
            "type": self.kind,
            "firstName": self.first,
            "lastName": self.last,
            "userId": None if self.archived else self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
            "archived": self.archived,
        }
        if not self.archived:
            shown["teams"] = [{"id": "5", "name": "Sales", "primary": True}]
        return shown


_IDS = ("41", "42", "43", "45", "46", "47")
_LEFT_ID = "44"
_SEED_MS = 1_704_067_200_000


class Owners:
    """Owners by id, in the order of their ids."""

    def __init__(self) -> None:
        seed = [*zip(_IDS, REPS, REP_NAMES, strict=True), (_LEFT_ID, LEFT_REP, LEFT_REP_NAME)]
        self.by_id = {
            owner_id: Owner(owner_id, email, *name, 8960 + int(owner_id), _SEED_MS, _SEED_MS, owner_id == _LEFT_ID)
            for owner_id, email, name in seed
        }

    def active(self, owner_id: str) -> bool:
        """Whether records may be given to that owner."""
        owner = self.by_id.get(owner_id)
        return owner is not None and not owner.archived

    def listed(self, archived: bool, email: str | None) -> list[Owner]:
        """Owners of one state, by ascending id; `email` is an exact filter."""
        found = [one for one in self.by_id.values() if one.archived == archived]
        if email is not None:
            found = [one for one in found if one.email == email.lower()]
        return sorted(found, key=lambda one: int(one.id))

    def add(self, email: str, first: str, last: str, now_ms: int) -> Owner:
        """A new active owner."""
        number = max(int(owner_id) for owner_id in self.by_id) + 1
        owner = Owner(str(number), email.lower(), first, last, 8960 + number, now_ms, now_ms)
        self.by_id[owner.id] = owner
        return owner
