"""What the server fills in by itself on every save: names from their parts, states from picklists.

Contract section 15 (derivations partly unverified there). Values only; stamps are set in `saving.py`, other records in
`consequences.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox.instants import day_of
from connectors.salesforce.sandbox.objects import FORECASTS, STAGES
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row

Derive = Callable[[Org, Row, Mapping[str, Any]], None]
"""(the org, row being saved, changed values): completes the row."""

EVENT_MINUTES = 60
"""How long an event lasts that nobody gave an end."""


def _full_name(org: Org, row: Row, changes: Mapping[str, Any]) -> None:
    row["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)


def _stage(org: Org, row: Row, changes: Mapping[str, Any]) -> None:
    """A stage brings its probability and forecast, unless the same save says otherwise."""
    found = next((stage for stage in STAGES if stage[0] == row.get("StageName")), None)
    probability, closed, won, forecast = found[1:] if found else (0, False, False, "Pipeline")
    row.update(IsClosed=closed, IsWon=won)
    moved = "StageName" in changes
    if "Probability" not in changes and (moved or "Probability" not in row):
        row["Probability"] = float(probability)
    if "ForecastCategoryName" not in changes and (moved or "ForecastCategoryName" not in row):
        row["ForecastCategoryName"] = forecast
    row["ForecastCategory"] = FORECASTS.get(row.get("ForecastCategoryName", forecast), "Pipeline")
    if moved:
        row["LastStageChangeDate"] = org.now_s()


def _member(org: Org, row: Row, changes: Mapping[str, Any]) -> None:
    """A member's status is one of its campaign's; which of them count as a response, the campaign says, too. What
    becomes of a status that the campaign does not have is unverified: a switch."""
    statuses = statuses_of(org, row.get("CampaignId"))
    status = row.get("Status")
    if status not in statuses and (status is None or org.switches.unknown_member_status == "default"):
        fallback = next((label for label, one in statuses.items() if one.get("IsDefault")), None)
        if fallback is not None:
            row["Status"] = fallback
    row["HasResponded"] = bool(statuses.get(row.get("Status", ""), {}).get("HasResponded"))
    if row["HasResponded"] and "FirstRespondedDate" not in row:
        row["FirstRespondedDate"] = day_of(org.now_s())


def statuses_of(org: Org, campaign: str | None) -> dict[str, Row]:
    """The statuses that a campaign has for its members, by label."""
    table = org.table("CampaignMemberStatus")
    rows = [table.rows[key] for key in table.find("CampaignId", campaign)]
    return {row["Label"]: row for row in rows if not row.get("IsDeleted")}


def _task(org: Org, row: Row, changes: Mapping[str, Any]) -> None:
    closed = row.get("Status") == "Completed"
    if closed and not row.get("IsClosed"):
        row.setdefault("CompletedDateTime", org.now_s())
    if not closed:
        row.pop("CompletedDateTime", None)
    row["IsClosed"] = closed


def _event(org: Org, row: Row, changes: Mapping[str, Any]) -> None:
    """An event has an end or a length; the other follows."""
    start_s = row.get("StartDateTime")
    if start_s is None:
        return
    if "EndDateTime" in changes and row.get("EndDateTime") is not None:
        row["DurationInMinutes"] = max(0, (row["EndDateTime"] - start_s) // 60)
    row["EndDateTime"] = start_s + 60 * row.setdefault("DurationInMinutes", EVENT_MINUTES)
    row["ActivityDate"] = day_of(start_s)


_DERIVE: Mapping[str, tuple[Derive, ...]] = {
    "Lead": (_full_name,),
    "Contact": (_full_name,),
    "User": (_full_name,),
    "Opportunity": (_stage,),
    "CampaignMember": (_member,),
    "Task": (_task,),
    "Event": (_event,),
}


def derive(org: Org, object_name: str, row: Row, changes: Mapping[str, Any]) -> None:
    """Completes a row that is about to be saved, in place: it is nobody's yet."""
    for step in _DERIVE.get(object_name, ()):
        step(org, row, changes)
