"""What the server fills in by itself on every save: names from their parts, states from picklists.

Contract section 15 (derivations partly unverified there). Values only; stamps are set in `saving.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox.instants import day_of
from connectors.salesforce.sandbox.objects import STAGES
from connectors.salesforce.sandbox.store import Row

Derive = Callable[[Row, Mapping[str, Any], int], None]
"""(row being saved, changed values, now in seconds): completes the row."""


def _full_name(row: Row, changes: Mapping[str, Any], now_s: int) -> None:
    row["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)


def _stage(row: Row, changes: Mapping[str, Any], now_s: int) -> None:
    found = next((stage for stage in STAGES if stage[0] == row.get("StageName")), None)
    probability, closed, won, forecast = found[1:] if found else (0, False, False, "Pipeline")
    row.update(IsClosed=closed, IsWon=won, ForecastCategory=forecast)
    if "Probability" not in changes and ("StageName" in changes or "Probability" not in row):
        row["Probability"] = float(probability)


def _member(row: Row, changes: Mapping[str, Any], now_s: int) -> None:
    row["HasResponded"] = row.get("Status") == "Responded"
    if row["HasResponded"] and "FirstRespondedDate" not in row:
        row["FirstRespondedDate"] = day_of(now_s)


def _task(row: Row, changes: Mapping[str, Any], now_s: int) -> None:
    closed = row.get("Status") == "Completed"
    if closed and not row.get("IsClosed"):
        row["CompletedDateTime"] = now_s
    if not closed:
        row.pop("CompletedDateTime", None)
    row["IsClosed"] = closed


_DERIVE: Mapping[str, tuple[Derive, ...]] = {
    "Lead": (_full_name,),
    "Contact": (_full_name,),
    "User": (_full_name,),
    "Opportunity": (_stage,),
    "CampaignMember": (_member,),
    "Task": (_task,),
}


def derive(object_name: str, row: Row, changes: Mapping[str, Any], now_s: int) -> None:
    """Completes a row that is about to be saved, in place: it is nobody's yet."""
    for step in _DERIVE.get(object_name, ()):
        step(row, changes, now_s)
