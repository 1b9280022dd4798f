"""Property definitions of every object, as the properties API shows them (contract section 10).

Promise: one table of definitions per object, in wire shape, that the API and a person may change; writability is
`modificationMetadata.readOnlyValue` and nothing else. Keys that begin with `_` are the sandbox's own and never shown.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.catalogue import EVERYWHERE, OPTIONS, TABLES
from connectors.hubspot.sandbox.objects import ObjectType
from connectors.hubspot.sandbox.pipelines import STANDARD
from connectors.hubspot.sandbox.values import iso

Definition = dict[str, Any]

_TRUTHS = (("true", "Yes"), ("false", "No"))
_STAGE_STAMPS = (
    ("hs_v2_date_entered_", "datetime"),
    ("hs_v2_date_exited_", "datetime"),
    ("hs_v2_latest_time_in_", "number"),
    ("hs_v2_cumulative_time_in_", "number"),
)


def definition(name: str, kind: str, field_type: str, *, flags: str = "", **more: Any) -> Definition:
    """A whole definition from its few facts; `more` overrides wire keys."""
    own, read_only = "k" in flags, "r" in flags
    made: Definition = {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": field_type,
        "groupName": "information",
        "description": "",
        "options": [],
        "displayOrder": -1,
        "calculated": "c" in flags,
        "externalOptions": "x" in flags,
        "hasUniqueValue": "u" in flags,
        "hidden": False,
        "hubspotDefined": not own,
        "formField": not read_only,
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "referencedObjectType": "OWNER" if name == "hubspot_owner_id" else None,
        "modificationMetadata": {
            "archivable": own,
            "readOnlyDefinition": not own,
            "readOnlyValue": read_only,
            "readOnlyOptions": not own,
        },
        "createdAt": iso(1_577_836_800_000),
        "updatedAt": iso(1_577_836_800_000),
        "createdUserId": None,
        "updatedUserId": None,
    }
    made.update(more)
    return made


def options(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    """Options from (value, label) pairs."""
    return [
        {"label": label, "value": value, "displayOrder": at, "hidden": False, "description": ""}
        for at, (value, label) in enumerate(pairs)
    ]


def standard(kind: ObjectType) -> dict[str, Definition]:
    """The definitions that a fresh portal has for that object, the project's custom ones included."""
    table: dict[str, Definition] = {}
    for line in (TABLES.get(kind.name, "") + EVERYWHERE).split("\n"):
        if not line:
            continue
        name, value_type, field_type, flags = [*line.split(), ""][:4]
        made = definition(name, value_type, field_type, flags=flags)
        if name in OPTIONS and value_type == "enumeration":
            made["options"] = options(OPTIONS[name])
            made["modificationMetadata"]["readOnlyOptions"] = False
        elif value_type == "bool":
            made["options"] = options(_TRUTHS)
        table[name] = made
    if kind.name == "contacts":
        # Some accounts have it; it is not maintained there, and filtering on it misses changes.
        table["hs_lastmodifieddate"] = definition("hs_lastmodifieddate", "datetime", "date", flags="r")
    for stage in stages(kind, table):
        table.update(stage_stamps(stage))
        if kind.stage == "lifecyclestage":
            name = f"hs_lifecyclestage_{stage}_date"
            table[name] = definition(name, "datetime", "date", flags="r")
    return table


def stage_stamps(stage: str) -> dict[str, Definition]:
    """When a record came to that stage, when it left, and how long it stayed."""
    return {
        prefix + stage: definition(prefix + stage, value_type, "calculation_read_time", flags="rc")
        for prefix, value_type in _STAGE_STAMPS
    }


def stages(kind: ObjectType, table: dict[str, Definition]) -> list[str]:
    """The values of the object's stage property in a fresh portal, in their order."""
    if kind.stage is None:
        return []
    if kind.name in STANDARD:
        return [stage[0] for pipeline in STANDARD[kind.name] for stage in pipeline.stages]
    return [option["value"] for option in table[kind.stage]["options"]]
