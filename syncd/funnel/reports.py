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
funnel      {"period", "by": "source" | "campaign" | "segment" | "owner" | null, "stages": [{"stage", "owner", "means"}],
             "rows": [{"name": text | null, "reached": [figure], "rates": [float | null], "days": [float | null]}],
             "total": one such row}      reached: of the people who came in within the period, how many ever got there;
             rates: of those in the stage before; days: the mean time from this stage to the next
handoffs    {"period", "qualified", "delivered", "waiting", "rejected", "out_of_scope": figure, "blocked": {REASON: figure},
             "marketing": figure, "sales": figure, "gap": figure, "balanced": bool,
             "records": [{"system", "object", "key", "state", "reason", "qualified_at", "delivered_at", "version"}]}
follow_up   {"period", "states": {on_track, due_soon, breached, met, met_late, paused: figure}, "kept": float | null,
             "delays": {"sync_s", "routing_s", "rep_s": float | null}, "by": "owner", "rows": [{"name", "states", "kept",
             "delays"}], "records": [{"system", "object", "key", "state", "started_at", "due_at", "first_touch_at",
             "attempts", "owner", "segment"}]}
revenue     {"period", "model", "models": [name], "won": [money], "deals": figure,
             "rows": [{"source", "campaign", "amount": money, "deals": float | null, "assists": figure}],
             "unattributed": [{"cause", "amount": money, "deals": figure}], "difference": [money],
             "lost": [{"reason", "deals": figure, "amount": money}]}
campaigns   {"period", "model", "rows": [{"campaign", "source", "people", "qualified", "rejected", "touches": figure,
             "calls": figure, "won": [money], "assists": figure}]}
goals       {"period", "currency", "goal": money, "won": money, "expected": money, "forecast": money, "average": money,
             "rate": float | null, "customers_needed", "leads_needed", "customers_missing", "leads_missing": int | null,
             "elapsed": float, "quota": {"owed", "qualified", "by": [{"name", "owed", "qualified"}]}}
weekly      {"week": period, "before": period, "today", "handoffs", "follow_up", "revenue", "goals", "html", "text"}
records_behind  {"link", "title", "count": int | null, "records": [{"system", "object", "key", "why", "at", "amount": money | null}],
             "next": link | null}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.ledger import Ledger

UNKNOWN: dict[str, Any] = {"value": None, "records": None}


def today(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The loop at a glance, for the period of the agreement that `now` is in."""
    raise NotImplementedError


def funnel(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """Cohorts by stage. Filters: since, until (days), by, and any of source, campaign, segment, owner."""
    raise NotImplementedError


def handoffs(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The hand-off ledger of a period. Filters: since, until, source, segment."""
    raise NotImplementedError


def follow_up(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """Sales' side of the agreement. Filters: since, until, owner, segment."""
    raise NotImplementedError


def revenue(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What was won, by who gets credit for it. Filters: since, until, model."""
    raise NotImplementedError


def campaigns(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """What each campaign brought. Filters: since, until, model."""
    raise NotImplementedError


def goals(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """From the revenue goal to the leads it takes. Filter: since (the period that day is in)."""
    raise NotImplementedError


def weekly(ledger: Ledger, files: Files, now: float, **filters: str) -> dict[str, Any]:
    """The digest for the meeting. Filter: since (a day of the week that is meant; left out: the last whole week)."""
    raise NotImplementedError


def records_behind(ledger: Ledger, files: Files, link: str, limit: int = 100) -> dict[str, Any]:
    """The records behind a figure, at most so many; `next` leads on."""
    raise NotImplementedError
