"""Where a person stands: judged, handed over, followed up. The state machine of the hand-off, and what counts of it.

Promise: pure; the same facts and the same standing before give the same standing now. Whoever once met the definition
is in exactly one state from then on: delivered, waiting, blocked, rejected or out of scope. It gathers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from syncd.core.agreement import DEFAULT, day_of
from syncd.core.funnel import Funnel
from syncd.core.qualify import Judged, Outcome

STATES = ("delivered", "waiting", "blocked", "rejected", "out_of_scope")
CLOCKS = ("on_track", "due_soon", "breached", "met", "met_late", "paused")
REOPENING = "to be opened again"
"""Why somebody waits who has a record in sales already."""

Cell = tuple[str, int, str, str, str, int, int]
"""figure, day, what, by, name, n, amount"""
Count = tuple[str, int, str, int]
"""figure, day, what, amount: one of a person's, before it is broken down"""


class Said(msgspec.Struct, frozen=True):
    """What both sides say of a person now. Times in UTC epoch milliseconds."""

    context: Mapping[str, Any]
    """Marketing's record, as expressions see it."""
    stamp_ms: int
    live: bool = True
    times: Mapping[str, int] = msgspec.field(default_factory=dict)
    """By stage: when it was entered, where a field tells."""
    came_ms: int | None = None
    since_ms: int | None = None
    signal_ms: int | None = None
    """When they last showed interest, where a field tells."""
    source: str = ""
    campaign: str = ""
    owner: str = ""
    linked_ms: int | None = None
    """Since when there is a partner in the CRM; None: there is none."""
    handed: bool = False
    """The partner was made because they qualified."""
    crm: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Sales' record, as expressions see it."""
    crm_ms: int = 0
    converted: bool = False
    routed: bool = False
    """Sales' record has an owner who is a person."""
    reason: str = ""
    in_scope: bool = True
    creates: bool = True
    """The mapping would create them in the CRM."""
    issue: str = ""
    touches: tuple[int, ...] = ()
    """When sales did something with them, in order."""
    moves: tuple[int, ...] = ()
    """When sales' record was made and moved on, in order, as the CRM itself remembers it; empty: it does not tell."""
    agreed_ms: int | None = None
    """Since when there is a definition that judges: before, marketing's own word counted."""

    @property
    def by_hand_ms(self) -> int | None:
        """When they were handed over by hand, before there was a definition; None: they were not."""
        if self.since_ms is None or self.agreed_ms is None or self.linked_ms is None or self.handed:
            return None
        return next((at for at in self.moves if self.since_ms <= at < self.agreed_ms), None)


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a person stands. Times in UTC epoch milliseconds, days as ordinals in the agreement's zone."""

    outcome: Outcome = "disqualify"
    why: str = ""
    version: int = 0
    """Of the funnel, by which they qualified; else by which they were judged last."""
    fit: int | None = None
    interest: int | None = None
    reached: int = -1
    """The furthest stage, by its place."""
    entered: dict[str, int] = {}
    came: int = 0
    source: str = ""
    campaign: str = ""
    segment: str = DEFAULT
    owner: str = ""
    state: str | None = None
    reason: str = ""
    qualified_ms: int | None = None
    """When they first met the definition."""
    qualified: int | None = None
    """That day."""
    round: int = 0
    """How often they were given back and taken up again."""
    started_ms: int | None = None
    """When the clock of this round began."""
    delivered_ms: int | None = None
    accepted_ms: int | None = None
    rejected_ms: int | None = None
    reopening: bool = False
    """They qualified again, and sales' record is to be opened again."""
    routed_ms: int | None = None
    touched_ms: int | None = None
    attempts: int = 0
    clock: str | None = None
    due_ms: int | None = None
    paused_ms: int | None = None
    """Since when the clock stands still."""
    stood_s: float = 0.0
    """Working time for which it stood still before."""
    depth: str | None = None
    """The attempts: open, kept or missed."""
    sync_s: int | None = None
    routing_s: int | None = None
    rep_s: int | None = None
    next_ms: int | None = None
    """When something about it changes by itself."""
    counts: tuple[Count, ...] = ()
    """What they add to each figure; `cells_of` breaks it down."""


def cells_of(one: Standing) -> Iterator[Cell]:
    """What somebody adds to each figure: in all, and by each one thing that reports break down by."""
    names = (
        ("", ""), ("source", one.source), ("campaign", one.campaign), ("segment", one.segment), ("owner", one.owner)
    )  # fmt: skip
    for figure, day, what, amount in one.counts:
        for by, name in names:
            yield figure, day, what, by, name, 1, amount


def settle(funnel: Funnel, said: Said, before: Standing | None, now_ms: int, version: int) -> Standing:
    """Where somebody stands now, with the cells that they count in."""
    was = before or Standing(came=_day(funnel, said.came_ms if said.came_ms is not None else said.stamp_ms))
    judged = funnel.qualified.judge(said.context) if said.live else Judged("disqualify", "their record is gone")
    segment = next((name for name, gate in funnel.segments if gate.holds(said.context) is True), DEFAULT)
    now = msgspec.structs.replace(
        was,
        came=was.came if said.came_ms is None else _day(funnel, said.came_ms),
        source=said.source or was.source,
        campaign=said.campaign or was.campaign,
        owner=said.owner or was.owner,
        segment=segment if said.live else was.segment,
        fit=judged.fit,
        interest=judged.interest,
        next_ms=None,
        counts=(),
    )
    now = _stages(funnel, said, now)
    now = _handed(funnel, said, was, now, judged, now_ms, version)
    now = _followed(funnel, said, now, now_ms)
    return msgspec.structs.replace(now, counts=tuple(_counts(funnel, now)))


def _day(funnel: Funnel, at_ms: int) -> int:
    return day_of(at_ms, funnel.agreement.zone).toordinal()


def _stages(funnel: Funnel, said: Said, now: Standing) -> Standing:
    at = funnel.stage(said.context.get(funnel.about.stage))
    entered = {**now.entered, **said.times}
    if at is not None:
        entered.setdefault(funnel.stages[at].name, said.stamp_ms)
    furthest = max((place for name in entered if (place := funnel.stage(name)) is not None), default=-1)
    return msgspec.structs.replace(now, entered=entered, reached=max(now.reached, furthest))


# ---------------------------------------------------------------- handed over


def _handed(
    funnel: Funnel, said: Said, was: Standing, now: Standing, judged: Judged, now_ms: int, version: int
) -> Standing:
    meets = judged.outcome == "handoff"
    now = msgspec.structs.replace(now, outcome=judged.outcome, why=judged.why)
    if was.qualified_ms is None:
        now = msgspec.structs.replace(now, version=version)
        if not meets and not said.handed and said.by_hand_ms is None:
            return now
        first_sight = was.version == 0
        since = said.stamp_ms
        if first_sight or said.by_hand_ms is not None:
            entered = said.times.get(str(said.context.get(funnel.about.stage)))
            since = next((at for at in (said.since_ms, entered) if at is not None), since)
        since = min(since, now_ms)
        if said.handed and not meets and said.linked_ms is not None:
            since = said.linked_ms
        now = msgspec.structs.replace(
            now, qualified_ms=since, qualified=_day(funnel, since), started_ms=since
        )  # fmt: skip
    again_ms = _again_ms(funnel, said, was, now_ms)
    state, reason, reopening = _state(funnel, said, was, meets, again_ms is not None)
    changes: dict[str, Any] = {"state": state, "reason": reason, "reopening": reopening}
    if was.reopening and state == "delivered":
        changes["delivered_ms"] = min(now_ms, max(said.crm_ms, now.started_ms or 0))
    elif state in ("delivered", "rejected") and now.delivered_ms is None:
        changes["delivered_ms"] = max(_arrived(said, now_ms), now.qualified_ms or 0)
    if state == "rejected":
        moved = _given_back_ms(said, now.started_ms, changes.get("delivered_ms", now.delivered_ms))
        changes["rejected_ms"] = moved or was.rejected_ms or said.crm_ms or now_ms
        changes |= _given_back(funnel, judged, changes["rejected_ms"], reason, now_ms)
    if was.state == "rejected" and state == "delivered":
        changes |= {**_new_round(now), "started_ms": min(said.stamp_ms, now_ms)}
    elif was.state == "rejected" and reopening:
        changes |= {**_new_round(now), "started_ms": again_ms, "delivered_ms": None}
    accepted = said.converted or (funnel.accepted is not None and funnel.accepted.holds(said.crm) is True)
    if state == "delivered" and accepted and now.accepted_ms is None:
        changes["accepted_ms"] = _moved_on(said, changes.get("delivered_ms", now.delivered_ms)) or said.crm_ms or now_ms
    return msgspec.structs.replace(now, **changes)


def _given_back_ms(said: Said, started_ms: int | None, delivered_ms: int | None) -> int | None:
    """When sales' record moved to where it stands, if its history tells. The move by which sales got it is not that one:
    the history may come later than the record."""
    last = said.moves[-1] if said.moves else 0
    return last if last >= (started_ms or 0) // 1000 * 1000 and last > (delivered_ms or 0) else None


def _given_back(funnel: Funnel, judged: Judged, rejected_ms: int, reason: str, now_ms: int) -> dict[str, Any]:
    """What becomes of somebody whom sales gave back: nurtured, with the reason, until they may be handed over again."""
    due = funnel.recycling.due_ms(rejected_ms, reason or None)
    found: dict[str, Any] = {"next_ms": due if due is not None and due > now_ms else None}
    if judged.outcome != "disqualify":
        found |= {"outcome": "nurture", "why": f"sales gave them back{f': {reason}' if reason else ''}"}
    return found


def _again_ms(funnel: Funnel, said: Said, was: Standing, now_ms: int) -> int | None:
    """Since when somebody whom sales gave back may be handed over again; None: not yet, or they were not given back."""
    if was.state != "rejected" or was.rejected_ms is None or _untold(funnel, said, was.rejected_ms):
        return None
    rule = funnel.recycling
    rejected_ms = _moved_since(said, was.rejected_ms) or was.rejected_ms
    due = rule.due_ms(rejected_ms, said.reason or None)
    if due is None or (funnel.recycle_when is not None and funnel.recycle_when.holds(said.context) is not True):
        return None
    signal = said.signal_ms if said.signal_ms is not None and said.signal_ms > rejected_ms else None
    waited = due if due <= now_ms else None
    if funnel.about.signal is None:
        # What moved since then may be what they qualify by.
        return None if waited is None else max(waited, min(said.stamp_ms, now_ms))
    if rule.either:
        return min((at for at in (waited, signal) if at is not None), default=None)
    return None if waited is None or signal is None else max(waited, signal)


def _untold(funnel: Funnel, said: Said, rejected_ms: int) -> bool:
    """Given back before there was a definition, and marketing still says what it said before: nobody told it yet, so its
    word is no sign that they qualified again."""
    entered = said.times.get(str(said.context.get(funnel.about.stage)))
    before = said.agreed_ms is not None and rejected_ms < said.agreed_ms
    return before and entered is not None and entered < rejected_ms


def _new_round(now: Standing) -> dict[str, Any]:
    """Everything of the round before is over."""
    over = dict.fromkeys(("rejected_ms", "accepted_ms", "routed_ms", "touched_ms", "paused_ms", "depth"))
    return {**over, "round": now.round + 1, "stood_s": 0.0}


def _arrived(said: Said, now_ms: int) -> int:
    """When sales had them: with a record that was there before the link, since it was made or opened again."""
    if said.by_hand_ms is not None:
        # A conversion may hide when the lead was made; nobody is called before they are there.
        called = (at for at in said.touches if at >= (said.since_ms or 0))
        return min(said.by_hand_ms, next(called, said.by_hand_ms))
    return said.linked_ms or now_ms


def _moved_on(said: Said, delivered_ms: int | None) -> int | None:
    """The first move of sales' record after they had it."""
    return next((at for at in said.moves if delivered_ms is not None and at > delivered_ms), None)


def _state(funnel: Funnel, said: Said, was: Standing, meets: bool, again: bool) -> tuple[str, str, bool]:
    """The one state of somebody who met the definition once, the reason, and whether sales' record is to be opened
    again. `again`: they may be handed over again after they were given back."""
    if not said.live:
        return "out_of_scope", "gone", False
    if said.linked_ms is not None:
        if not _rejected(funnel, said):
            return "delivered", "", False
        # Closed before they qualified for the first time: nobody gave them back.
        never = was.qualified_ms is None and was.version > 0 and not said.handed and said.by_hand_ms is None
        if meets and (again or never or (was.reopening and not _closed_anew(funnel, said, was))):
            return "waiting", REOPENING, True
        return "rejected", said.reason, False
    if not said.in_scope:
        return "out_of_scope", "scope", False
    if not meets:
        return "out_of_scope", "no longer qualified", False
    if said.issue:
        return "blocked", said.issue, False
    return ("waiting", "", False) if said.creates else ("blocked", "create rule", False)


def _closed_anew(funnel: Funnel, said: Said, was: Standing) -> bool:
    """Whether sales gave somebody back whose record was to be opened again: it was, and closed once more before anybody
    looked; or it stands closed, by now for a reason for which nobody is handed over again."""
    for_ever = was.round > 0 and funnel.recycling.due_ms(0, said.reason or None) is None
    return for_ever or _moved_since(said, was.started_ms) is not None


def _moved_since(said: Said, since_ms: int | None) -> int | None:
    """When sales' record moved last to where it stands now, if that was later."""
    return max((at for at in said.moves if (since_ms or 0) < at <= said.crm_ms), default=None)


def _rejected(funnel: Funnel, said: Said) -> bool:
    if said.converted:
        return False
    if funnel.rejected is not None:
        return funnel.rejected.holds(said.crm) is True
    at = funnel.stage(said.crm.get(funnel.about.stage))
    return at is not None and funnel.stages[at].owner == "marketing"


# ---------------------------------------------------------------- followed up


def _followed(funnel: Funnel, said: Said, now: Standing, now_ms: int) -> Standing:
    """The clock of this round: what is due, what was met, and where the time went."""
    agreed = funnel.agreement
    speed, hours = agreed.speed_of(now.segment), agreed.hours
    if now.started_ms is None or now.state in (None, "out_of_scope"):
        return msgspec.structs.replace(now, clock=None, due_ms=None, depth=None)
    start = now.started_ms
    done = [at for at in said.touches if start <= at <= now_ms]
    answered = min((at for at in (now.accepted_ms, now.rejected_ms) if at is not None), default=None)
    touched = min([*done[:1], *([answered] if answered is not None else [])], default=None)
    paused_ms, stood_s = now.paused_ms, now.stood_s
    pausing = touched is None and funnel.paused is not None and funnel.paused.holds(said.crm) is True
    if pausing and paused_ms is None:
        paused_ms = now_ms
    if not pausing and paused_ms is not None:
        stood_s, paused_ms = stood_s + hours.worked_s(paused_ms, now_ms), None
    routed = now.routed_ms
    if routed is None and said.routed and now.delivered_ms is not None:
        # By hand a lead was given to somebody; when its owner changed before syncd looked is not known.
        by_hand = now.round == 0 and said.by_hand_ms is not None
        routed = now.delivered_ms if by_hand else max(now.delivered_ms, min(said.crm_ms or now_ms, now_ms))
    clock, due, turns = None, None, []
    if speed.first_touch_s is not None:
        due = hours.due_ms(start, speed.first_touch_s + stood_s)
        soon = hours.due_ms(start, speed.first_touch_s * agreed.warn + stood_s)
        if touched is not None:
            clock = "met" if due is None or touched <= due else "met_late"
        elif pausing:
            clock = "paused"
        else:
            late, near = due is not None and now_ms > due, soon is not None and now_ms >= soon
            clock = "breached" if late else "due_soon" if near else "on_track"
            turns = [soon, None if due is None else due + 1]
    depth = None
    if speed.attempts is not None and speed.within_s is not None:
        end = start + round(speed.within_s * 1000)
        enough = len([at for at in done if at <= end]) >= speed.attempts or (answered is not None and answered <= end)
        depth = "kept" if enough else "missed" if now_ms > end else "open"
        turns.append(end + 1 if depth == "open" else None)
    ahead = [at for at in (*turns, now.next_ms) if at is not None and at > now_ms]
    return msgspec.structs.replace(
        now,
        clock=clock,
        due_ms=None if pausing else due,
        depth=depth,
        paused_ms=paused_ms,
        stood_s=stood_s,
        routed_ms=routed,
        touched_ms=touched,
        attempts=len(done),
        sync_s=None if now.delivered_ms is None else round(hours.worked_s(start, now.delivered_ms)),
        routing_s=None if routed is None else round(hours.worked_s(max(start, now.delivered_ms or start), routed)),
        rep_s=None if routed is None or touched is None else round(hours.worked_s(max(start, routed), touched)),
        next_ms=min(ahead, default=None),
    )


# ---------------------------------------------------------------- counted


def _counts(funnel: Funnel, now: Standing) -> Iterator[Count]:
    """What this person adds to each figure."""
    yield "outcome", 0, now.outcome, 0
    for stage in funnel.stages[: now.reached + 1]:
        yield "reached", now.came, stage.name, 0
    steps = [(stage.name, now.entered[stage.name]) for stage in funnel.stages if stage.name in now.entered]
    for (name, since), (_, until) in pairwise(steps):
        if until >= since:
            yield "stay", now.came, name, (until - since) // 1000
    if now.qualified is None or now.state is None:
        return
    yield "qualified", now.qualified, "", 0
    yield "state", now.qualified, f"{now.state}:{now.reason}" if now.state == "blocked" else now.state, 0
    if now.state == "rejected":
        yield "rejected", now.qualified, now.reason, 0
    if now.clock is not None:
        yield "clock", now.qualified, now.clock, 0
    if now.depth is not None:
        yield "depth", now.qualified, now.depth, 0
    for name, took_s in (("sync", now.sync_s), ("routing", now.routing_s), ("rep", now.rep_s)):
        if took_s is not None:
            yield "delay", now.qualified, name, took_s
    if now.attempts:
        yield "calls", now.qualified, "rejected" if now.state == "rejected" else "", now.attempts
