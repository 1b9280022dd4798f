"""What the closed loop comes to: pure reading functions over the ledger, for pages and commands.

Promise: a number reads an aggregate, never all records; each one is a *figure* that can be opened to the records behind
it. What cannot be known is None, and shown as unknown. Nothing here writes, and nothing calls a system.

Shapes (JSON). Times are ISO 8601 in UTC, days `2026-11-22`, money whole numbers of the currency's smallest unit:

figure      {"value": int | null, "records": link | null}    `link` goes to `records_behind`
money       {"value": int | null, "currency": "EUR", "records": link | null}
period      {"name": "2026-Q4" | null, "since": day, "until": day (outside)}

today       {"at", "period", "defined": bool, "outcomes": {handoff, nurture, watch, disqualify: figure},
             "stages": [{"stage", "owner", "means", "reached": figure}],
             "quota": {"owed": int | null, "qualified": figure, "expected": int | null},
             "agreement": {STATE: figure, "kept": float | null}, "handoff": as `handoffs` without its records,
             "won": [money], "goal": as `goals` | null}
funnel      {"period", "by": "source" | "campaign" | "segment" | "owner" | null, "cohort": "week" | "month" | "quarter" |
             "year" | null, "stages": [{"stage", "owner", "means"}],
             "rows": [{"cohort": name | null, "name": text | null, "reached": [figure], "rates": [float | null],
             "days": [float | null]}], "total": one such row}
             reached: of the people who came in within the period (or the cohort's), how many ever got there;
             rates: of those in the stage before; days: the mean time from this stage to the next
handoffs    {"period", "qualified", "delivered", "waiting", "rejected", "out_of_scope": figure, "blocked": {REASON: figure},
             "marketing": figure, "sales": figure, "gap": figure, "balanced": bool,
             "records": [{"system", "object", "key", "state", "reason", "qualified_at", "delivered_at", "version"}]}
follow_up   {"period", "states": {on_track, due_soon, breached, met, met_late, paused: figure}, "kept": float | null,
             "delays": {"sync_s", "routing_s", "rep_s": float | null}, "by": "owner", "rows": [{"name", "states", "kept",
             "delays"}], "marketing": [{"period", "owed": int | null, "expected", "qualified": figure, "kept": bool | null,
             "by": [{"by", "name", "owed", "kept", "qualified"}]}], "records": [{"system", "object", "key", "state", "started_at", "due_at", "first_touch_at",
             "attempts", "owner", "segment"}]}
revenue     {"period", "model", "models": [name], "won": [money], "deals": figure,
             "rows": [{"source", "campaign", "currency", "amount": money, "amounts": {MODEL: money}, "touches": figure,
             "assists": figure}], "unattributed": [{"cause", "amount": money, "deals": figure}],
             "sums": [{"model", "won": money, "credited": money, "unattributed": money, "difference": int}],
             "difference": [money], "undated": [figure], "lost": [{"reason", "deals": figure, "amount": money}]}
             amount, touches and difference: of the model that leads; undated: won deals that say no close day
campaigns   {"period", "model", "rows": [{"campaign", "people", "qualified", "rejected", "calls", "wasted_calls",
             "assists": figure, "won": [money]}]}    calls: sales' attempts; wasted: with those whom sales gave back
goals       {"period", "currency", "goal": money, "won": money, "parts": [{"won": money, "rate": float | null, "counts":
             money}], "expected": money, "forecast": money, "average": money, "averaged": figure,
             "rate": float | null, "rated": figure, "customers_needed", "leads_needed", "customers_missing",
             "leads_missing": int | null, "elapsed": float, "leads": figure, "leads_expected": int | null, "quota": {"owed", "qualified", "by": [{"name", "owed", "qualified"}]}}
             parts: what each currency adds; counts null: it has no rate, and is not counted; averaged and rated: the deals
             and the hand-offs that average and rate are made of
weekly      {"week": period, "before": period, "handoffs", "follow_up", "funnel", "revenue", "campaigns", "goals", "html",
             "text", "lines": [[section, what, value]]}
records_behind  {"link", "title", "count": int | null, "records": [{"system", "object", "key", "why", "at", "amount": money | null,
             "part": int}], "next": link | null}    part: what the record adds to the figure; all of them add up to it
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from syncd.core.agreement import Period, period_of
from syncd.core.qualify import OUTCOMES
from syncd.core.standing import CLOCKS, STATES, Standing
from syncd.funnel.cohorts import funnel
from syncd.funnel.earnings import campaigns, revenue, won_in
from syncd.funnel.figures import DIMENSIONS, Figure, Reader, iso_ms, reader_of, shown, total
from syncd.funnel.opened import open_link
from syncd.funnel.target import goals, marketing, quota
from syncd.ledger.loop import START

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger

__all__ = ["campaigns", "follow_up", "funnel", "goals", "handoffs", "records_behind", "revenue", "today", "weekly"]

DAYS = ("since", "until")
PAGE = 500
"""People who are read at once where all are told."""


def today(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The loop at a glance, for the period of the agreement that `now` is in."""
    reader = reader_of(ledger, files, now, filters)
    period = reader.period()
    outcomes = reader.sums("outcome", None)
    passed = funnel(ledger, files, now, **filters)
    speed = _Clocks(reader, period, None).told(reader.dimension()[1] or "")
    hands = balance(ledger, files, now, **filters)
    return {
        "at": iso_ms(reader.now_ms),
        "period": shown(period),
        "defined": reader.known,
        "outcomes": {
            name: reader.figure(
                outcomes.get((name, reader.dimension()[1] or ""), (0, 0))[0], "people", None, outcome=name
            )
            for name in OUTCOMES
        },
        "stages": [
            {**stage, "reached": reached}
            for stage, reached in zip(passed["stages"], passed["total"]["reached"], strict=True)
        ],
        "quota": quota(reader, period),
        "agreement": {**speed["states"], "kept": speed["kept"]},
        "handoff": hands,
        "won": won_in(reader_of(ledger, files, now, {name: filters[name] for name in DAYS if name in filters}), period),
        "goal": goals(ledger, files, now) if reader.funnel is not None and reader.funnel.target else None,
    }


def handoffs(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The hand-off ledger of a period. Filters: since, until, and one of source, campaign, segment, owner."""
    records = list(undelivered(ledger, files, now, **filters))
    return {**balance(ledger, files, now, **filters), "records": records}


def balance(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """`handoffs` without its records."""
    reader = reader_of(ledger, files, now, filters)
    period = reader.period()
    qualified = total(reader.sums("qualified", period))
    counts: dict[str, int] = dict.fromkeys(STATES, 0)
    blocked: dict[str, int] = {}
    for (what, _), (n, _) in reader.sums("state", period).items():
        state, _, reason = what.partition(":")
        counts[state] = counts.get(state, 0) + n
        if state == "blocked":
            blocked[reason] = blocked.get(reason, 0) + n

    def figure(value: int, **where: Any) -> Figure:
        return reader.figure(value, "people", period, day="qualified", **where)

    at_sales = counts["delivered"] + counts["rejected"]
    return {
        "period": shown(period),
        "qualified": figure(qualified, qualifies=1),
        **{state: figure(counts[state], state=state) for state in STATES if state != "blocked"},
        "blocked": {reason: figure(n, state="blocked", reason=reason) for reason, n in sorted(blocked.items())},
        "marketing": figure(qualified, qualifies=1),
        "sales": figure(at_sales, handed=1),
        "gap": figure(qualified - at_sales, handed=0, qualifies=1),
        "balanced": qualified == sum(counts.values()),
    }


def undelivered(ledger: Ledger, files: Files, now: float, **filters: str) -> Iterator[dict[str, Any]]:
    """Everybody who is not delivered, with the reason, a page of the ledger at a time. Filters as of `handoffs`."""
    reader = reader_of(ledger, files, now, filters)
    if reader.funnel is None:
        return
    hold = ledger.intents.held(reader.funnel.about.mapping)
    for object_, key, one in _qualified(reader, {"undelivered": 1}):
        system, object_name = ledger.facts.name_of(object_)
        reason = one.reason
        if one.state == "waiting":
            reason = "its plan is held" if hold is not None else "the next cycle"
        yield {
            "system": system, "object": object_name, "key": key, "state": one.state, "reason": reason,
            "qualified_at": iso_ms(one.qualified_ms), "delivered_at": iso_ms(one.delivered_ms),
            "version": one.version,
        }  # fmt: skip


def _qualified(reader: Reader, where: dict[str, Any]) -> Iterator[tuple[int, str, Standing]]:
    """People who qualified within the reader's period, by the filters."""
    if not reader.known:
        return
    period, where = reader.period(), {**where, **reader.chosen}
    loop, place = reader.ledger.loop, START
    while True:
        rows = loop.people(where, period.since.toordinal(), period.until.toordinal(), "qualified", place, PAGE)
        yield from rows
        if len(rows) < PAGE:
            return
        place = loop.place(where, *rows[-1])


def follow_up(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The agreement: sales' clocks, and what marketing owed in each of its periods (that is filtered by days only).
    Filters: since, until, by (left out: what is filtered by, else owner), one of source, campaign, segment, owner."""
    records = list(running(ledger, files, now, **filters))
    owed = marketing(ledger, files, now, **filters)
    return {**clocks(ledger, files, now, **filters), "marketing": owed, "records": records}


def clocks(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """`follow_up` without its records."""
    reader = reader_of(ledger, files, now, filters)
    period = reader.period()
    filtered, chosen = reader.dimension()
    by = filters.get("by") if filters.get("by") in DIMENSIONS else filtered or "owner"
    broken_down = _Clocks(reader, period, by)
    return {
        "period": shown(period),
        **_Clocks(reader, period, None).told(chosen or ""),
        "by": by,
        "rows": [{"name": name or None, **broken_down.told(name)} for name in broken_down.names()],
    }


class _Clocks:
    """The clocks of a period, read once for all names that they are broken down by."""

    def __init__(self, reader: Reader, period: Period, by: str | None) -> None:
        self.reader, self.period, self.by = reader, period, by
        agreement = reader.funnel.agreement if reader.funnel else None
        speeds = (agreement.speed, *agreement.speeds.values()) if agreement else ()
        self.agreed = any(speed.first_touch_s is not None for speed in speeds)
        self.clocks, self.delays, self.depths = (reader.sums(of, period, by) for of in ("clock", "delay", "depth"))

    def names(self) -> list[str]:
        """Whose clocks there are."""
        return sorted({name for _, name in self.clocks})

    def told(self, name: str) -> dict[str, Any]:
        """The clocks of one name."""
        reader, agreed = self.reader, self.agreed
        counts = {state: self.clocks.get((state, name), (0, 0))[0] for state in CLOCKS}
        over = counts["met"] + counts["met_late"] + counts["breached"]
        known = reader.answerable and agreed
        where = {self.by: name} if self.by else {}
        means = {part: self.delays.get((part, name), (0, 0)) for part in ("sync", "routing", "rep")}
        kept, missed = (self.depths.get((what, name), (0, 0))[0] for what in ("kept", "missed"))
        return {
            "states": {
                state: reader.figure(
                    n if agreed else None, "people", self.period, clock=state, day="qualified", **where
                )
                for state, n in counts.items()
            },
            "kept": counts["met"] / over if over and known else None,
            "attempts_kept": kept / (kept + missed) if kept + missed and known else None,
            "delays": {f"{part}_s": seconds / n if n and known else None for part, (n, seconds) in means.items()},
        }


def running(ledger: Ledger, files: Files, now: float, **filters: str) -> Iterator[dict[str, Any]]:
    """Those whose clock still runs or stands: first who is late, then who will be soon, the oldest of each first."""
    reader = reader_of(ledger, files, now, filters)
    for object_, key, one in _qualified(reader, {"running": 1}):
        system, object_name = ledger.facts.name_of(object_)
        yield {
            "system": system, "object": object_name, "key": key, "state": one.clock,
            "started_at": iso_ms(one.started_ms), "due_at": iso_ms(one.due_ms),
            "first_touch_at": iso_ms(one.touched_ms), "attempts": one.attempts, "owner": one.owner or None,
            "segment": one.segment,
        }  # fmt: skip


def weekly(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The digest for the meeting. Filter: since (a day of the week that is meant; left out: the last whole week)."""
    from syncd.funnel.digest import digest

    reader = reader_of(ledger, files, now, {})
    day = date.fromisoformat(filters["since"]) if "since" in filters else reader.today - timedelta(days=7)
    week = period_of(day, "week")
    before = period_of(week.since - timedelta(days=1), "week")
    spans = [{"since": one.since.isoformat(), "until": one.until.isoformat()} for one in (week, before)]
    facts = {
        "week": shown(week),
        "before": shown(before),
        "handoffs": handoffs(ledger, files, now, **spans[0]),
        "handoffs_before": balance(ledger, files, now, **spans[1]),
        "follow_up": follow_up(ledger, files, now, **spans[0]),
        "follow_up_before": clocks(ledger, files, now, **spans[1]),
        "funnel": funnel(ledger, files, now, by="source", **spans[0]),
        "revenue": revenue(ledger, files, now, **spans[0]),
        "campaigns": campaigns(ledger, files, now, **spans[0]),
        "goals": goals(ledger, files, now),
    }
    return {**facts, **digest(facts)}


def records_behind(ledger: Ledger, files: Files, link: str, limit: int = 100) -> dict[str, Any]:
    """The records behind a figure, at most so many; `next` leads on."""
    return open_link(ledger, link, limit)
