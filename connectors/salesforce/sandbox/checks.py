"""What a save must not break: required fields, lookups that exist, values that must be unique. Contract section 12."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.salesforce.sandbox.derived import statuses_of
from connectors.salesforce.sandbox.errors import Problem, Refusal
from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.ids import id15
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row, fold


def check_required(kind: ObjectType, changes: Mapping[str, Any], creating: bool) -> None:
    """Refused: REQUIRED_FIELD_MISSING with every such field."""
    missing = [
        field.name
        for field in kind.fields
        if field.createable and not field.nillable and _lacks(field, changes, creating)
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal.one("REQUIRED_FIELD_MISSING", message, 400, missing)


def _lacks(field: Field, changes: Mapping[str, Any], creating: bool) -> bool:
    if field.name in changes:
        return changes[field.name] is None
    return creating and not field.defaulted


def check_links(org: Org, kind: ObjectType, old: Row, changes: Mapping[str, Any], own: bool) -> None:
    """Refused: a lookup to nothing, to something of the wrong kind, out of sight, or to an owner who has left."""
    problems = [
        problem
        for name, key in changes.items()
        if key is not None and key != old.get(name)
        for field in (kind.by_name.get(name) or org.whole(kind.name).by_name[name],)
        if field.type == "reference"
        for problem in (_link_problem(org, kind, field, key, own),)
        if problem is not None
    ]
    if problems:
        raise Refusal(problems)


def _link_problem(org: Org, kind: ObjectType, field: Field, key: str, own: bool) -> Problem | None:
    target = org.catalogue.object_of(key)
    if target not in field.refers:
        return Problem("MALFORMED_ID", f"{field.label}: id value of incorrect type: {key}", (field.name,))
    row = org.row(key)
    if row is None or row.get("IsDeleted"):
        return Problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    if key in org.hidden and not own:
        message = f"insufficient access rights on cross-reference id: {id15(key)}"
        return Problem("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, ())
    if field.name == "OwnerId" and target == "User" and not row.get("IsActive"):
        message = f"operation performed with inactive user [{id15(key)}] as owner of {kind.name.lower()}"
        return Problem("INACTIVE_OWNER_OR_USER", message, ())
    if field.name == "OwnerId" and target == "Group" and row.get("Type") != "Queue":
        return Problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
    if target == "RecordType" and row.get("SobjectType") != kind.name:
        message = f"{field.label}: this ID value isn't valid for the user: {id15(key)}"
        return Problem("INVALID_CROSS_REFERENCE_KEY", message, (field.name,))
    if target == "Lead" and row.get("IsConverted"):
        return Problem("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
    return None


def check_unique(org: Org, kind: ObjectType, row: Row, changes: Mapping[str, Any]) -> None:
    """Refused: DUPLICATE_VALUE, naming the 15-character id of the holder (unless it is out of sight)."""
    for field in kind.uniques:
        value = row.get(field.name)
        if field.name in changes and value is not None:
            holder = _holder(org, kind.name, field, value, row["Id"])
            if holder is not None:
                raise Refusal([_duplicate_value(org, field, holder)])
    if kind.name == "CampaignMember":
        _check_member(org, row)


def _duplicate_value(org: Org, field: Field, holder: str) -> Problem:
    name, key = (field.name, id15(holder)) if holder not in org.hidden else ("<unknown>", "<unknown>")
    message = f"duplicate value found: {name} duplicates value on record with id: {key}"
    return Problem("DUPLICATE_VALUE", message, () if holder in org.hidden else (field.name,))


def _holder(org: Org, object_name: str, field: Field, value: Any, own: str) -> str | None:
    table = org.table(object_name)
    for key in table.find(field.name, value):
        if key != own and (org.switches.bin_holds_unique or not table.rows[key].get("IsDeleted")):
            return key
    for key, (name, row) in org.pending.items():
        if name == object_name and key != own and fold(field, row.get(field.name)) == fold(field, value):
            return key
    return None


def _check_member(org: Org, row: Row) -> None:
    """A member is one Lead or one Contact, once in each campaign."""
    person = row.get("ContactId") or row.get("LeadId")
    if person is None:
        raise Refusal.one(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [ContactId, LeadId]", 400, ("LeadId",)
        )
    table = org.table("CampaignMember")
    name = "ContactId" if row.get("ContactId") else "LeadId"
    for key in table.find(name, person):
        other = table.rows[key]
        same = other["CampaignId"] == row["CampaignId"] and not other.get("IsDeleted")
        if key != row["Id"] and same:
            raise Refusal.one("DUPLICATE_VALUE", "Already a campaign member.", 400, ())
    if org.switches.unknown_member_status == "refused" and row.get("Status") not in statuses_of(org, row["CampaignId"]):
        message = f"Status: bad value for restricted picklist field: {row.get('Status')}"
        raise Refusal.one("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, 400, ("Status",))
