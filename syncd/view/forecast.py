"""The day's forecast of one system's calls: at this pace, how many by midnight, and what runs out, when.

Promise: plain arithmetic on what the ledger holds; nothing is asked of anybody. What other programs on the account use
is what the vendor says was used, less what is ours: about right where the vendor's day is not ours.
"""

from __future__ import annotations

from typing import Any

from syncd.account import Budget
from syncd.budget import DAY_S
from syncd.ledger.books import Quota
from syncd.view.moment import iso

LEAST_S = 3600.0
"""A pace is told from no less: a first reading of some minutes is not how the day goes on."""


def forecast(calls: int, quota: Quota | None, budget: Budget, now: float) -> dict[str, Any]:
    """What `status --json` prints under `forecast`. `calls`: ours of this day (UTC). Times are epoch seconds."""
    midnight = now - now % DAY_S + DAY_S
    today = quota if quota is not None and quota.since >= midnight - DAY_S else None
    ours_s = _pace(calls, today.since if today else midnight - DAY_S, now)
    used = _used(quota, now)
    others = None if used is None else max(0, used - calls)
    others_s = _pace(others or 0, midnight - DAY_S, now)
    left: dict[str, tuple[float, float]] = {}
    if budget.per_day is not None:
        left["budget"] = (budget.per_day - calls, ours_s)
    if used is not None and quota is not None and quota.vendor_limit is not None:
        reserve = quota.vendor_limit * budget.reserve
        left["vendor"] = (quota.vendor_limit - used - reserve, ours_s + others_s)
    ends = sorted((now + max(0.0, room) / pace, what) for what, (room, pace) in left.items() if pace > 0 or room <= 0)
    first = next(((at, what) for at, what in ends if at < midnight), None)
    return {
        "by_midnight": calls + round(ours_s * (midnight - now)),
        "per_hour": round(ours_s * 3600),
        "others_today": others,
        "vendor_limit": quota.vendor_limit if quota else None,
        "vendor_remaining": quota.vendor_remaining if quota else None,
        "vendor_at": iso(quota.vendor_at) if quota and quota.vendor_at is not None else None,
        "only_urgent": budget.per_day is not None and calls >= budget.per_day * (1 - budget.urgent),
        "runs_out_at": iso(first[0]) if first else None,
        "runs_out_of": first[1] if first else None,
    }


def _used(quota: Quota | None, now: float) -> int | None:
    """Calls of everybody in the vendor's day, if it said so within a day."""
    if quota is None or quota.vendor_limit is None or quota.vendor_remaining is None or quota.vendor_at is None:
        return None
    return max(0, quota.vendor_limit - quota.vendor_remaining) if now - quota.vendor_at < DAY_S else None


def _pace(calls: int, since: float, now: float) -> float:
    """Calls a second."""
    return calls / max(LEAST_S, now - since)
