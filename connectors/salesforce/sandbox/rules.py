"""The rules an administrator sets: assignment, validation, duplicates, flows.

Promise: they are data in the switches; conditions are SOQL, so a rule may say whatever a query may. Contract sections
3 (headers), 12.1 and 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.salesforce.sandbox.errors import Problem
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.reading import attributes
from connectors.salesforce.sandbox.soql.conditions import compiled
from connectors.salesforce.sandbox.soql.parser import parse_condition
from connectors.salesforce.sandbox.soql.scope import Scope
from connectors.salesforce.sandbox.store import Row
from syncd.sandbox.wire import Refused


def meets(org: Org, kind: ObjectType, condition: str | None) -> Callable[[Row], bool]:
    """A condition of a rule as a test; no condition is always met."""
    if not condition:
        return lambda row: True

    def no_sub_select(_: object) -> set[Any]:
        raise Refused("a rule's condition has no sub-select")

    return compiled(Scope(org, kind, condition), parse_condition(condition), no_sub_select)


def owner_named(org: Org, name: str) -> str:
    """The id of a queue by name, or of a user by e-mail, name, alias or id."""
    if name in org.table("Group").rows or name in org.table("User").rows:
        return name
    for table, fields in (("Group", ("Name", "DeveloperName")), ("User", ("Email", "Name", "Username", "Alias"))):
        for key, row in org.table(table).rows.items():
            if name in (row.get(field) for field in fields):
                return key
    raise Refused(f"nobody is called {name}")


def assigned_owner(org: Org, object_name: str, row: Row) -> str | None:
    """The owner that the assignment rules give to a record; None when none fits."""
    kind = org.whole(object_name)
    for rule in org.switches.assignments:
        if rule.get("object") == object_name and meets(org, kind, rule.get("when"))(row):
            return owner_named(org, str(rule["owner"]))
    return None


def broken_validations(org: Org, object_name: str, row: Row) -> Iterator[Problem]:
    """One problem for each validation rule that the record breaks: they run on every save."""
    kind = org.whole(object_name)
    for rule in org.switches.validation_rules:
        if rule.get("object") == object_name and meets(org, kind, rule.get("error_when"))(row):
            fields = (str(rule["field"]),) if rule.get("field") else ()
            message = str(rule.get("message", "The record breaks a rule of this organization."))
            yield Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, fields)


def flow_changes(org: Org, object_name: str, row: Row, creating: bool) -> dict[str, Any]:
    """What the org's flows set on a record that is being saved."""
    kind = org.whole(object_name)
    changes: dict[str, Any] = {}
    for rule in org.switches.automations:
        on = rule.get("on", "both")
        if rule.get("object") != object_name or on == ("update" if creating else "create"):
            continue
        if meets(org, kind, rule.get("when"))(row):
            changes.update(rule.get("set") or {})
    return changes


def bent(org: Org, object_name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Changed values as the org's own cleaning leaves them."""
    out = dict(changes)
    for rule in org.switches.bends:
        name, how = rule.get("field", ""), rule.get("how", "")
        value = out.get(name)
        if rule.get("object") == object_name and isinstance(value, str):
            out[name] = _clean(value, how) or None
    return out


def _clean(value: str, how: str) -> str:
    if how.startswith("cut:"):
        return value[: int(how.removeprefix("cut:"))]
    if how == "digits":
        return "".join(char for char in value if char.isdigit() or char == "+")
    if how in ("upper", "lower"):
        return value.upper() if how == "upper" else value.lower()
    raise Refused(f"a value is not bent by {how!r}")


_RULED = ("Lead", "Contact")


def duplicate(org: Org, object_name: str, row: Row, allow_save: bool) -> Problem | None:
    """What the duplicate rule says about a record: same e-mail as another Lead or Contact."""
    rule = org.switches.duplicate_rule
    email = row.get("Email")
    if rule == "off" or object_name not in _RULED or not email or (rule == "alert" and allow_save):
        return None
    matches = [
        (name, key)
        for name in _RULED
        for key in org.table(name).find("Email", email)
        if key != row["Id"] and _counts(org.table(name).rows[key])
    ]
    if not matches:
        return None
    text = "Use one of these records?"
    found = [_match_result(org, name, [key for one, key in matches if one == name]) for name in _RULED]
    result = {
        "allowSave": rule == "alert",
        "duplicateRule": f"Standard_{object_name}_Duplicate_Rule",
        "duplicateRuleEntityType": object_name,
        "errorMessage": text,
        "matchResults": [one for one in found if one["size"]],
    }
    return Problem("DUPLICATES_DETECTED", text, (), {"duplicateResut": result})


def _counts(row: Row) -> bool:
    return not row.get("IsDeleted") and not row.get("IsConverted")


def _match_result(org: Org, name: str, keys: list[str]) -> dict[str, Any]:
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": attributes(name, key, "67.0"), "Id": key},
        }
        for key in keys
        if key not in org.hidden
    ]
    return {
        "entityType": name,
        "errors": [],
        "matchEngine": "FuzzyMatchEngine",
        "matchRecords": records,
        "rule": f"Standard_{name}_Match_Rule_v1_0",
        "size": len(records),
        "success": True,
    }
