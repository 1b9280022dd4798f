"""The histories that the org keeps by itself: of Leads, for fields whose tracking is on, and of Opportunities.

Promise: rows are only added, stamped with the save that they tell of. Contract section 15 (pseudo-values unverified
there).
"""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row

_OPPORTUNITY_FIELDS = ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory")
"""A change of any of these leaves a row."""


def track_lead(org: Org, user: str, old: Row | None, new: Row) -> None:
    """The history rows of a save of a Lead; an owner change writes two, ids and names."""
    if not org.switches.tracked_fields:
        return
    if old is None:
        _add(org, user, new, "created", None, None)
        return
    for name in org.switches.tracked_fields:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        label = "Owner" if name == "OwnerId" else name
        if name == "OwnerId":
            _add(org, user, new, label, _owner_name(org, before), _owner_name(org, after))
        _add(org, user, new, label, before, after)


def track_conversion(org: Org, user: str, lead: Row) -> None:
    """The row that a conversion leaves."""
    if org.switches.tracked_fields:
        _add(org, user, lead, "leadConverted", None, None)


def track_opportunity(org: Org, user: str, old: Row | None, new: Row) -> None:
    """The row that a save of an Opportunity leaves, if it changed what the forecast is made of."""
    before = old or {}
    if old is not None and all(before.get(name) == new.get(name) for name in _OPPORTUNITY_FIELDS):
        return
    row = {name: new[name] for name in _OPPORTUNITY_FIELDS if name in new}
    if "Amount" in new:
        row["ExpectedRevenue"] = round(new["Amount"] * new.get("Probability", 0.0) / 100, 2)
    row |= {f"Prev{name}": before[name] for name in ("Amount", "CloseDate") if name in before}
    _put(org, "OpportunityHistory", "008", user, new["SystemModstamp"], {"OpportunityId": new["Id"], **row})


def _owner_name(org: Org, key: str | None) -> str | None:
    row = org.row(key)
    return row.get("Name") if row else None


def _add(org: Org, user: str, lead: Row, field: str, before: Any, after: Any) -> None:
    row: Row = {"LeadId": lead["Id"], "Field": field, "DataType": "EntityId" if field == "Owner" else "DynamicEnum"}
    for name, value in (("OldValue", before), ("NewValue", after)):
        if value is not None:
            row[name] = str(value)
    _put(org, "LeadHistory", "017", user, lead["SystemModstamp"], row)


def _put(org: Org, object_name: str, prefix: str, user: str, stamp_s: int, values: Row) -> None:
    stamps = {"CreatedDate": stamp_s, "CreatedById": user, "SystemModstamp": stamp_s}
    org.store.put(object_name, {"Id": org.mint.new(prefix), "IsDeleted": False, **stamps, **values})
