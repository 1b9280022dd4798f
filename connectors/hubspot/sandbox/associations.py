"""Which records are associated, under which labels (contract section 8).

Promise: an association is one fact seen from both ends: each type id has its inverse, and a labelled association
implies the unlabelled one of its pair. Nothing here knows whether a record exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.hubspot.sandbox.objects import ASSOCIATION_TYPES

FIRST_USER_TYPE = 36
PARENT, CHILD = "Parent Company", "Child Company"
"""What the other is: type 14 leads from a child to its parent."""
ONE_PRIMARY = frozenset({("contacts", "companies"), ("deals", "companies"), ("leads", "contacts"), ("leads", "deals")})
"""(object, other): each record of the first has at most one primary among the others; seen from there, many have."""


@dataclass(frozen=True)
class AssociationType:
    """One direction of one kind of association."""

    start: str
    end: str
    id: int
    inverse_id: int
    label: str | None
    category: str = "HUBSPOT_DEFINED"

    def to_json(self) -> dict[str, object]:
        """As label lists and associations show it."""
        return {"category": self.category, "typeId": self.id, "label": self.label}


class Associations:
    """All associations: for each (from object, from id), what it leads to."""

    def __init__(self) -> None:
        self.types: dict[tuple[str, str, int], AssociationType] = {}
        for start, end, there, back, label in ASSOCIATION_TYPES:
            self._define(AssociationType(start, end, there, back, label))
        self._links: dict[tuple[str, str], dict[str, dict[str, set[int]]]] = {}
        self._next_user_type = FIRST_USER_TYPE

    def between(self, start: str, end: str) -> list[AssociationType]:
        """The types from one object to another, the unlabelled default first."""
        found = [one for (a, b, _), one in self.types.items() if (a, b) == (start, end)]
        return sorted(found, key=lambda one: (one.label is not None, one.id))

    def default(self, start: str, end: str) -> int | None:
        """The unlabelled type's id."""
        return next((one.id for one in self.between(start, end) if one.label is None), None)

    def primary(self, start: str, end: str) -> set[int]:
        """The type ids of a primary association, its default included."""
        return {one.id for one in self.between(start, end) if one.label in (None, "Primary")}

    def with_first_primary(self, start: str, start_id: str, end: str, end_id: str, type_ids: set[int]) -> set[int]:
        """The types with the primary added, if one end has one primary and has been associated with nobody so far."""
        holder, other = ((start, start_id), end) if (start, end) in ONE_PRIMARY else ((end, end_id), start)
        alone = (holder[0], other) in ONE_PRIMARY and not self.of(*holder, other)
        return type_ids | self.primary(start, end) if alone else type_ids

    def label(self, start: str, end: str, label: str) -> list[AssociationType]:
        """Defines a customer's own label; both directions."""
        there, back = self._next_user_type, self._next_user_type + 1
        self._next_user_type += 2
        made = AssociationType(start, end, there, back, label, "USER_DEFINED")
        self._define(made)
        return [made, self.types[end, start, back]]

    def add(self, start: str, start_id: str, end: str, end_id: str, type_ids: set[int], replace: bool = False) -> None:
        """Associates two records. A label implies the default; a primary takes the place of the former one.

        KeyError for a type that does not lead from `start` to `end`.
        """
        chosen = {self.types[start, end, type_id] for type_id in type_ids}
        default = self.default(start, end)
        ids = type_ids | ({default} if default is not None else set())
        for one in chosen:
            if one.label == "Primary" and (start, end) in ONE_PRIMARY:
                self._demote(start, start_id, end, one.id)
            elif one.label == "Primary" and (end, start) in ONE_PRIMARY:
                self._demote(end, end_id, start, one.inverse_id)
            elif one.label == PARENT:
                self._demote(start, start_id, end, one.id)
            elif one.label == CHILD:
                self._demote(end, end_id, start, one.inverse_id)
        if replace:
            self.remove(start, start_id, end, end_id)
        for type_id in ids:
            inverse = self.types[start, end, type_id].inverse_id
            self._set(start, start_id, end, end_id).add(type_id)
            self._set(end, end_id, start, start_id).add(inverse)

    def remove(self, start: str, start_id: str, end: str, end_id: str, type_ids: set[int] | None = None) -> None:
        """Removes some types, or all. Removing the default type removes every type."""
        if type_ids is None or self.default(start, end) in type_ids:
            self._links.get((start, start_id), {}).get(end, {}).pop(end_id, None)
            self._links.get((end, end_id), {}).get(start, {}).pop(start_id, None)
            return
        for type_id in type_ids & self._set(start, start_id, end, end_id):
            self._set(start, start_id, end, end_id).discard(type_id)
            self._set(end, end_id, start, start_id).discard(self.types[start, end, type_id].inverse_id)

    def of(self, start: str, start_id: str, end: str) -> list[tuple[str, list[AssociationType]]]:
        """What a record leads to, by ascending id, with the types of each."""
        found = self._links.get((start, start_id), {}).get(end, {})
        return [
            (end_id, [self.types[start, end, type_id] for type_id in sorted(found[end_id])])
            for end_id in sorted(found, key=int)
        ]

    def drop(self, start: str, start_id: str) -> None:
        """Forgets all associations of a record."""
        for end, found in self._links.pop((start, start_id), {}).items():
            for end_id in found:
                self._links.get((end, end_id), {}).get(start, {}).pop(start_id, None)

    def move(self, start: str, old_ids: list[str], new_id: str) -> None:
        """Gives a merge's result the associations of what was merged; the first id's primaries win."""
        for old_id in old_ids:
            for end, found in list(self._links.get((start, old_id), {}).items()):
                has_primary = any(one.label == "Primary" for _, types in self.of(start, new_id, end) for one in types)
                for end_id, type_ids in list(found.items()):
                    kept = {
                        one for one in type_ids if not (has_primary and self.types[start, end, one].label == "Primary")
                    }
                    if end_id != new_id:
                        self.add(start, new_id, end, end_id, kept)
            if old_id != new_id:
                self.drop(start, old_id)

    def to_state(self) -> list[dict[str, object]]:
        """All associations, each from both ends."""
        return [
            {"from": start, "from_id": start_id, "to": end, "to_id": end_id, "types": sorted(types)}
            for (start, start_id), ends in self._links.items()
            for end, found in ends.items()
            for end_id, types in found.items()
        ]

    def _define(self, made: AssociationType) -> None:
        self.types[made.start, made.end, made.id] = made
        label = PARENT if made.label == CHILD else made.label
        back = AssociationType(made.end, made.start, made.inverse_id, made.id, label, made.category)
        self.types.setdefault((back.start, back.end, back.id), back)

    def _set(self, start: str, start_id: str, end: str, end_id: str) -> set[int]:
        ends = self._links.setdefault((start, start_id), {}).setdefault(end, {})
        return ends.setdefault(end_id, set())

    def _demote(self, start: str, start_id: str, end: str, label_id: int) -> None:
        """Takes a label that only one may have from the one that has it; the association stays."""
        for end_id, types in self.of(start, start_id, end):
            if any(one.id == label_id for one in types):
                self.remove(start, start_id, end, end_id, {label_id})
