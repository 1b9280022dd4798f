"""What the closed loop of the demo comes to, over all time: the figures that `demo --once --json` prints.

Promise: they are the reports' own (`syncd.funnel.reports`), without their links. It counts nothing itself.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from syncd.core.credit import MODELS
from syncd.files import Files
from syncd.funnel import reports
from syncd.ledger import Ledger

EVER = "1970-01-01"


def totals(ledger: Ledger, files: Files, now: float | None = None) -> dict[str, Any]:
    """Hand-off balance, funnel counts, clocks, campaigns, and revenue by source and campaign under each model. Amounts are
    whole numbers of the currency's smallest unit; a cell's name is `source / campaign`."""
    at = time.time() if now is None else now
    span = {"since": EVER, "until": _after(datetime.fromtimestamp(at, UTC).date()).isoformat()}
    passed = reports.funnel(ledger, files, at, by="campaign", **span)
    clocks = reports.follow_up(ledger, files, at, **span)
    return {
        "handoff": _handoff(reports.handoffs(ledger, files, at, **span)),
        "funnel": {
            name: dict(zip((one["stage"] for one in passed["stages"]), _values(row["reached"]), strict=True))
            for name, row in [("", passed["total"]), *((row["name"] or "none", row) for row in passed["rows"])]
        },
        "clocks": {state: figure["value"] for state, figure in clocks["states"].items()},
        "campaigns": {
            row["campaign"] or "none": {
                name: row[name]["value"] for name in ("people", "qualified", "rejected", "calls", "wasted_calls")
            }
            for row in reports.campaigns(ledger, files, at, **span)["rows"]
        },
        "revenue": {model: _revenue(reports.revenue(ledger, files, at, model=model, **span)) for model in MODELS},
    }


def _after(day: date) -> date:
    """Deals may be closed by a day that is still to come."""
    return day + timedelta(days=3660)


def _values(figures: list[dict[str, Any]]) -> list[int | None]:
    return [figure["value"] for figure in figures]


def _handoff(facts: dict[str, Any]) -> dict[str, Any]:
    states = ("qualified", "delivered", "waiting", "rejected", "out_of_scope")
    blocked = {reason: figure["value"] for reason, figure in facts["blocked"].items()}
    return {**{name: facts[name]["value"] for name in states}, "blocked": blocked}


def _revenue(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "won": {one["currency"]: one["value"] for one in facts["won"]},
        "credit": {
            f"{row['source'] or 'none'} / {row['campaign'] or 'none'} / {row['amount']['currency']}": row["amount"][
                "value"
            ]
            for row in facts["rows"]
        },
        "unattributed": {
            f"{row['cause']} / {row['amount']['currency']}": row["amount"]["value"] for row in facts["unattributed"]
        },
        "lost": {row["reason"] or "none": row["deals"]["value"] for row in facts["lost"]},
    }
