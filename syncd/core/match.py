"""Who an unlinked record is on the other side, from the candidates that hold its match value.

Never the first one found: one candidate, or none, or a person decides. Of a record's forms the later one takes
precedence (a Contact over a Lead).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec


class Held(msgspec.Struct, frozen=True, gc=False):
    """A candidate: a live record that holds the match value. `rank`: 0 for the first form, rising for later forms."""

    object: int
    key: str
    rank: int
    link: int | None


class Pick(msgspec.Struct, frozen=True, gc=False):
    """The decision. `one`: link them; `none`: no partner; `several`, `taken`: a person decides; `shadow`: the record
    is an earlier form of somebody who is linked already through the later form, and takes no part."""

    kind: Literal["one", "none", "several", "taken", "shadow"]
    partner: Held | None = None


def pick(own: Sequence[Held], across: Sequence[Held], record: tuple[int, str]) -> Pick:
    """Decides for `record` (object, key).

    `own`: the live records of its own side that hold the same match value, itself included; `across`: the other
    side's.
    """
    mine = next((held for held in own if (held.object, held.key) == record), None)
    rank = mine.rank if mine else 0
    later = [held for held in own if held.rank > rank]
    if later:
        return Pick("shadow")
    twins = [held for held in own if held.rank == rank and (held.object, held.key) != record]
    best = max((held.rank for held in across), default=0)
    favoured = [held for held in across if held.rank == best]
    if not favoured:
        return Pick("several") if any(twin.link is None for twin in twins) else Pick("none")
    if len(favoured) > 1:
        return Pick("several")
    partner = favoured[0]
    if partner.link is not None:
        return Pick("taken", partner)
    if twins:
        return Pick("several", partner)
    return Pick("one", partner)
