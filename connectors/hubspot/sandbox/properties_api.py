"""Property definitions over the API: list, one, create, patch, archive, batches, groups, validation rules
(contract section 10).

Promise: an archived definition is unknown to reads and writes of records, its stored values wait for its return.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.schema import Definition, definition
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.chassis import Response

MAX_UNIQUE = 10
_TYPES = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")
_FIELD_TYPES = (
    "booleancheckbox",
    "calculation_equation",
    "checkbox",
    "date",
    "file",
    "html",
    "number",
    "phonenumber",
    "radio",
    "select",
    "text",
    "textarea",
)
_PATCHABLE = (
    "label",
    "groupName",
    "description",
    "options",
    "displayOrder",
    "hidden",
    "formField",
    "type",
    "fieldType",
)


def route(call: Call, rest: list[str]) -> Response:
    """Everything under `/crm/properties/{V}/`."""
    method = call.request.method
    family = "objects" if method == "GET" else "schemas"
    table = call.table(rest[0], "read" if method == "GET" else "write", family)
    match (method, rest[1:]):
        case ("GET", []):
            return _list(call, table)
        case ("POST", []):
            return Response(201, shown(define(call.portal, table, call.body())))
        case ("GET", ["groups"]):
            group = {"name": "information", "label": "Information", "displayOrder": 0, "archived": False}
            return Response(200, {"results": [group]})
        case ("POST", ["batch", action]) if action in ("read", "create", "archive"):
            return _batch(call, table, action)
        case ("GET", [name]):
            return Response(200, shown(find(table, name, call.flag("archived"))))
        case ("PATCH", [name]):
            return Response(200, shown(patch(call.portal, table, find(table, name), call.body())))
        case ("DELETE", [name]):
            archive(call.portal, table, find(table, name))
            return Response(204)
        case (_, [] | [_]):
            raise Rejection(405, errors.error("HTTP 405 Method Not Allowed"))
    raise errors.not_found()


def _list(call: Call, table: Table) -> Response:
    """All definitions of one state, without paging; sensitive ones only when they are asked for."""
    sensitivity = call.request.first("dataSensitivity", "non_sensitive")
    archived, wanted = call.flag("archived"), set(call.names("properties"))
    found = [
        shown(one)
        for one in table.definitions.values()
        if one["archived"] == archived
        and one["dataSensitivity"] == sensitivity
        and (not wanted or one["name"] in wanted)
    ]
    return Response(200, {"results": found})


def _batch(call: Call, table: Table, action: str) -> Response:
    inputs = call.inputs(call.body())
    stamp = iso(call.portal.clock.now_ms())
    results: list[Definition] = []
    for one in inputs:
        if action == "create":
            results.append(shown(define(call.portal, table, one)))
        elif action == "archive":
            archive(call.portal, table, find(table, str(one.get("name"))))
        else:
            results.append(shown(find(table, str(one.get("name")))))
    if action == "archive":
        return Response(204)
    body = {"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp}
    return Response(201 if action == "create" else 200, body)


def validations(call: Call, rest: list[str]) -> Response:
    """GET `/crm/property-validations/{V}/{objectTypeId}[/{name}]`."""
    table = call.table(rest[0])
    if len(rest) == 1:
        ruled = [one for one in table.definitions.values() if one.get("_rules")]
        return Response(
            200, {"results": [{"propertyName": one["name"], "propertyValidationRules": one["_rules"]} for one in ruled]}
        )
    return Response(200, {"results": find(table, rest[1]).get("_rules", [])})


def shown(made: Definition) -> Definition:
    """A definition without the sandbox's own keys."""
    return {name: value for name, value in made.items() if not name.startswith("_")}


def find(table: Table, name: str, archived: bool = False) -> Definition:
    """The definition with that name and state. Rejection 404."""
    made = table.definitions.get(name)
    if made is None or made["archived"] != archived:
        message = f"Property {name} does not exist"
        raise Rejection(404, error(message, "OBJECT_NOT_FOUND", subCategory="Properties.PROPERTY_NOT_FOUND"))
    return made


def define(portal: Portal, table: Table, given: dict[str, Any]) -> Definition:
    """A new custom property; the name of an archived one revives it. Rejection 409 for a name in use."""
    name = str(given.get("name") or "").lower()
    old = table.definitions.get(name)
    if old is not None and not old["archived"]:
        message = f"A property named '{name}' already exists."
        raise Rejection(
            409, error(message, "OBJECT_ALREADY_EXISTS", subCategory="Properties.PROPERTY_WITH_NAME_EXISTS")
        )
    missing = [key for key in ("name", "label", "type", "fieldType", "groupName") if not given.get(key)]
    if missing or given["type"] not in _TYPES or given["fieldType"] not in _FIELD_TYPES:
        raise errors.validation(f"Invalid property definition: {', '.join(missing) or 'type or fieldType'}")
    unique = bool(given.get("hasUniqueValue"))
    if unique and len(table.unique) >= MAX_UNIQUE:
        raise errors.validation(f"At most {MAX_UNIQUE} properties with unique values are allowed")
    stamp = iso(portal.clock.now_ms())
    known = {key: value for key, value in given.items() if key in _PATCHABLE and value is not None}
    made = definition(name, given["type"], given["fieldType"], flags="ku" if unique else "k")
    made.update(known, createdAt=stamp, updatedAt=stamp, createdUserId="77", updatedUserId="77")
    made["options"] = _options(given.get("options") or [])
    table.definitions[name] = made
    if unique:
        table.unique.setdefault(name, {})
        table.index.key_by(name)
    return made


def patch(portal: Portal, table: Table, made: Definition, given: dict[str, Any]) -> Definition:
    """Changes a definition; `options` replaces the whole list. Rejection 400 where it is read-only."""
    rights = made["modificationMetadata"]
    changed = {key: value for key, value in given.items() if key in _PATCHABLE}
    blocked = rights["readOnlyDefinition"] and set(changed) - {"options"}
    if blocked or ("options" in changed and rights["readOnlyOptions"]):
        raise errors.validation(f"Property {made['name']} is read only")
    if "options" in changed:
        changed["options"] = _options(changed["options"])
    made.update(changed, updatedAt=iso(portal.clock.now_ms()), updatedUserId="77")
    return made


def archive(portal: Portal, table: Table, made: Definition) -> None:
    """Archives a custom property. Rejection 400 for HubSpot's own."""
    if not made["modificationMetadata"]["archivable"]:
        raise errors.validation(
            f"Property {made['name']} cannot be deleted",
            subCategory="PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
        )
    made.update(archived=True, updatedAt=iso(portal.clock.now_ms()))


def _options(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "label": str(one.get("label", one.get("value"))),
            "value": str(one["value"]),
            "displayOrder": int(one.get("displayOrder", at)),
            "hidden": bool(one.get("hidden", False)),
            "description": str(one.get("description") or ""),
        }
        for at, one in enumerate(given)
    ]
