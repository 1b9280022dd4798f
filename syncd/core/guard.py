"""Limits on a whole plan: it opens, or it is held with reasons. It reads counters, never the effects themselves."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """How much of one kind may happen. None: no limit of that sort."""

    per_cycle: int | None = None
    per_day: int | None = None
    share: float | None = None
    """Of the mapping's links, in one cycle; looked at only above `share_from` effects."""


class Limits(msgspec.Struct, frozen=True):
    creates: Limit = Limit()
    updates: Limit = Limit()
    clears: Limit = Limit()
    deletes: Limit = Limit()
    share_from: int = 50


class Counters(msgspec.Struct, frozen=True):
    """What the plan would do and what the last 24 hours did, by kind (creates, updates, clears, deletes)."""

    planned: Mapping[str, int]
    today: Mapping[str, int]
    links: int
    first: bool
    """No plan of this mapping was ever released."""
    edited: bool = False
    """The mapping's file changed since the last plan."""


def reasons(counters: Counters, limits: Limits) -> list[str]:
    """Why the plan is held; empty: it opens."""
    total = sum(counters.planned.values())
    if not total:
        return []
    found = []
    if counters.first:
        found.append("first plan of this mapping: a person looks at it once before anything is sent")
    for kind in ("creates", "updates", "clears", "deletes"):
        limit: Limit = getattr(limits, kind)
        planned, today = counters.planned.get(kind, 0), counters.today.get(kind, 0)
        if limit.per_cycle is not None and planned > limit.per_cycle:
            found.append(f"{planned} {kind} in one cycle, more than the {limit.per_cycle} allowed")
        if limit.per_day is not None and planned + today > limit.per_day:
            found.append(f"{planned} {kind} after {today} in the last day, more than the {limit.per_day} allowed")
        share = planned / max(counters.links, 1)
        if limit.share is not None and planned > limits.share_from and share > limit.share and kind != "creates":
            found.append(f"{planned} {kind} are {share:.0%} of {counters.links} links, more than {limit.share:.0%}")
    if counters.edited and total > limits.share_from and not counters.first:
        found.append(f"the mapping file was edited and {total} effects follow from it")
    return found
