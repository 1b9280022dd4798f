"""Limits on a whole plan: it opens, or it is held with reasons. It reads counters, never the effects themselves."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """How much of one kind may happen: beyond `per_cycle` *and* `share` of the links in one cycle, or beyond
    `per_day` in 24 hours, a plan is held."""

    per_cycle: int
    per_day: int
    share: float


Limits = Mapping[str, Limit]
"""By kind: creates, updates, clears, deletes."""


class Counters(msgspec.Struct, frozen=True):
    """What the plan would do and what the last 24 hours did, by kind."""

    planned: Mapping[str, int]
    today: Mapping[str, int]
    links: int
    """Only asked for where something planned is beyond its `per_cycle`."""
    first: bool
    """No plan of this mapping was ever released."""


def reasons(counters: Counters, limits: Limits) -> list[str]:
    """Why the plan is held; empty: it opens."""
    if not sum(counters.planned.values()):
        return []
    found = []
    if counters.first:
        found.append("first plan of this mapping: a person looks at it once before anything is sent")
    for kind, limit in limits.items():
        planned, today = counters.planned.get(kind, 0), counters.today.get(kind, 0)
        if planned > max(limit.per_cycle, limit.share * counters.links):
            found.append(
                f"{planned} {kind} in one cycle, more than {limit.per_cycle} and than"
                f" {limit.share:.1%} of {counters.links} links"
            )
        if planned and planned + today > limit.per_day:
            found.append(f"{planned} {kind} after {today} in the last 24 hours, more than {limit.per_day}")
    return found
