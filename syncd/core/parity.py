"""What a difference between two linked records is: the agreement of both sides, judged field by field.

Pure and total. It is told what both systems said a moment ago, what the ledger had kept of them, and the bases; it
decides nothing and writes nothing. `merge` says what *follows* from a difference, this says whether there *should* be
one.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from typing import Any, Literal

import msgspec

from syncd.core.mapping import Mapping
from syncd.core.merge import UNASKED, Pair, merge
from syncd.core.model import SIDES, Bad, Side, Unmapped, Waits
from syncd.core.plan import holds

Standing = Literal["agree", "by_rule", "in_flight", "drift", "unreadable"]
"""agree       both sides say the same
by_rule     they differ, and a rule of the mapping lets them
in_flight   a change is on its way: planned, held, sent, or made since the feeds were read
drift       they differ, and nothing explains it
unreadable  one side was not answered, or its value cannot be read
"""
STANDINGS: tuple[Standing, ...] = ("agree", "by_rule", "in_flight", "drift", "unreadable")


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One end of a link: what its system says now, and what the ledger knew."""

    form: str
    said: Map[str, Any] | None
    """None: not answered, or no longer live."""
    stamp_ms: int
    kept: Map[str, Any]
    kept_ms: int
    base: Map[str, Any]
    silent: Callable[[str], bool] = lambda attribute: False
    """Whether a change of an attribute shows in no feed: it is read again at an interval of its own."""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One field of one link. `why` is told for drift."""

    field: str
    standing: Standing
    why: str = ""


def judge(mapping: Mapping, paired: tuple[Pair, ...], seen: Map[Side, Seen], *, under_way: bool) -> list[Judged]:
    """How each field of a linked pair stands. `under_way`: an effect of this link is planned, held or at a system, or
    the link waits to be decided."""
    in_scope = all(
        seen[side].said is None or holds(mapping, mapping.scope, side, side, seen[side].form, seen[side].said or {})
        for side in SIDES
    )
    return [_judge(mapping, pair, seen, under_way, in_scope) for pair in paired]


def _judge(mapping: Mapping, pair: Pair, seen: Map[Side, Seen], under_way: bool, in_scope: bool) -> Judged:
    field = pair.field
    now: dict[Side, Any] = {}
    for side in SIDES:
        end = seen[side]
        value = UNASKED if end.said is None else end.said.get(pair.attribute(side), UNASKED)
        if value is UNASKED or isinstance(field.canonical(side, value), Bad):
            return Judged(field.name, "unreadable")
        now[side] = value
    marketing, crm = (field.canonical(side, now[side]) for side in SIDES)
    if marketing == crm and not isinstance(marketing, (Unmapped, Waits)):
        return Judged(field.name, "agree")
    if under_way:
        return Judged(field.name, "in_flight")
    for side in SIDES:
        end = seen[side]
        if end.kept.get(pair.attribute(side), UNASKED) != now[side]:
            if end.stamp_ms > end.kept_ms or end.silent(pair.attribute(side)):
                return Judged(field.name, "in_flight")
            return Judged(field.name, "drift", f"{side} changed it, and no feed told")
    if not in_scope:
        return Judged(field.name, "by_rule")
    verdicts = merge((pair,), seen["marketing"].kept, seen["crm"].kept, seen["marketing"].base, seen["crm"].base)
    if not verdicts or verdicts[0].to is None:
        return Judged(field.name, "by_rule")
    to = verdicts[0].to
    source = seen["crm" if to == "marketing" else "marketing"]
    if not holds(mapping, mapping.update, to, "crm" if to == "marketing" else "marketing", source.form, source.kept):
        return Judged(field.name, "by_rule")
    return Judged(field.name, "drift", f"it was to be written on {to}, and nothing is planned")
