"""Field history of Leads, for fields whose tracking is on. Contract section 15 (pseudo-values unverified there)."""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row


def track(org: Org, user: str, object_name: str, old: Row | None, new: Row) -> None:
    """Writes the history rows of a save; an owner change writes two, ids and names."""
    if object_name != "Lead" or not org.switches.tracked_fields:
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


def _owner_name(org: Org, key: str | None) -> str | None:
    row = org.row(key)
    return row.get("Name") if row else None


def _add(org: Org, user: str, lead: Row, field: str, before: Any, after: Any) -> None:
    stamp_s = lead["SystemModstamp"]
    row: Row = {
        "Id": org.mint.new("017"),
        "IsDeleted": False,
        "LeadId": lead["Id"],
        "Field": field,
        "DataType": "EntityId" if field == "Owner" else "DynamicEnum",
        "CreatedDate": stamp_s,
        "CreatedById": user,
        "SystemModstamp": stamp_s,
    }
    for name, value in (("OldValue", before), ("NewValue", after)):
        if value is not None:
            row[name] = str(value)
    org.store.put("LeadHistory", row)
