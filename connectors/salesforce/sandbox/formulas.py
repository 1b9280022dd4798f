"""Calculated fields: computed when read, so that they change while no stamp moves. Contract section 5.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox.store import Row
from connectors.salesforce.sandbox.switches import Switches

Formula = Callable[[Row, int, Switches], Any]
"""(row, now in seconds, the org's switches) -> value."""


def _age_days(row: Row, now_s: int, switches: Switches) -> float:
    return float(max(0, now_s - row["CreatedDate"]) // 86400)


def _score_band(row: Row, now_s: int, switches: Switches) -> str | None:
    score = row.get("Marketing_Score__c")
    if score is None:
        return None
    return "high" if score >= switches.score_band_from else "low"


def _expected_revenue(row: Row, now_s: int, switches: Switches) -> float | None:
    amount = row.get("Amount")
    return None if amount is None else round(amount * row.get("Probability", 0.0) / 100, 2)


FORMULAS: Mapping[str, Formula] = {
    "age_days": _age_days,
    "score_band": _score_band,
    "expected_revenue": _expected_revenue,
}
