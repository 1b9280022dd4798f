"""Limits on a whole plan: it opens, or it is held with reasons. It reads counters, never the effects themselves.

Pure. A limit is passed where a plan goes beyond `per_cycle` *and* beyond `share` of the mapping's links, or, together
with what was sent in the last 24 hours, beyond `per_day`: a plan cut into many small cycles is caught by the day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """How much of one kind may happen before a person looks at it."""

    per_cycle: int
    per_day: int
    share: float


Limits = Mapping[str, Limit]
"""By kind: creates, updates, clears, deletes, gone (linked records that vanished); field (updates of one field), same_value (records that get one and the same value),
identity (changes of what records are recognised by), edited (effects after an edit of the mapping or the funnel), moved
(records that moved in one cycle)."""


class FieldCount(msgspec.Struct, frozen=True):
    """What a plan would do to one field of one side."""

    side: str
    field: str
    updates: int
    today: int
    """Updates of it in the last 24 hours."""
    same: int
    """The most records that would get one and the same value."""
    same_today: int = 0
    """How many more got that value in the last 24 hours."""


class Counters(msgspec.Struct, frozen=True):
    """What the plan would do and what the last 24 hours did, by kind."""

    planned: Mapping[str, int]
    today: Mapping[str, int]
    links: Callable[[], int]
    """How many links the mapping has. Counting reads them all: asked only where a plan is beyond a `per_cycle`."""
    first: bool
    """No plan of this mapping was ever released."""
    fields: Sequence[FieldCount] = ()
    identity: frozenset[str] = frozenset()
    """The fields that records are recognised by."""
    edited: bool = False
    """The mapping or the funnel was edited since its last plan was opened."""
    moved: int = 0
    """Records whose facts moved in this cycle."""


def reasons(counters: Counters, limits: Limits) -> list[str]:
    """Why the plan is held; empty: it opens. No value of anybody stands in a reason."""
    if not sum(counters.planned.values()):
        return []
    found = []
    if counters.first:
        found.append("first plan of this mapping: a person looks at it once before anything is sent")
    for kind, n in counters.planned.items():
        found += _beyond(f"{n} {kind}", n, counters.today.get(kind, 0), counters, limits.get(kind))
    for one in counters.fields:
        found += _of_field(one, counters, limits)
    effects = sum(counters.planned.get(kind, 0) for kind in ("creates", "updates", "deletes"))
    if counters.edited and not counters.first:
        what = f"{effects} effects after an edit of the mapping or the funnel"
        found += _beyond(what, effects, 0, counters, limits.get("edited"))
    return found + _beyond(f"{counters.moved} records moved", counters.moved, 0, counters, limits.get("moved"))


def _of_field(one: FieldCount, counters: Counters, limits: Limits) -> list[str]:
    what = f"{one.updates} updates of {one.field} on {one.side}"
    found = _beyond(what, one.updates, one.today, counters, limits.get("field"))
    what = f"one and the same {one.field} for {one.same} records on {one.side}"
    found += _beyond(what, one.same, one.same_today, counters, limits.get("same_value"))
    if one.field in counters.identity:
        what = f"{one.updates} changes on {one.side} of {one.field}, by which records are recognised,"
        found += _beyond(what, one.updates, one.today, counters, limits.get("identity"))
    return found


def _beyond(what: str, planned: int, today: int, counters: Counters, limit: Limit | None) -> list[str]:
    if limit is None or not planned:
        return []
    found = []
    if planned > limit.per_cycle and planned > limit.share * (links := counters.links()):
        found.append(f"{what} in one cycle, more than {limit.per_cycle} and than {limit.share:.1%} of {links} links")
    if planned + today > limit.per_day:
        found.append(f"{what} after {today} in the last 24 hours, more than {limit.per_day}")
    return found
