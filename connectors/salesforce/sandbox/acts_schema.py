"""What administrators do to the schema and to the org's rules.

    {"do": "field",         "object", "field", "set": {...}}    any property of a field; a new field is made
    {"do": "drop_field",    "object", "field"}
    {"do": "rename_field",  "object", "field", "to"}            its values go along, no stamp moves
    {"do": "retype_field",  "object", "field", "type", "set": {...}}    values that do not fit are lost
    {"do": "require_field", "object", "field", "required": true}
    {"do": "add_value",     "object", "field", "value"}         one more value of a picklist
    {"do": "retire_value",  "object", "field", "value"}         inactive: rows keep it, new ones are refused it
    {"do": "rename_value",  "object", "field", "value", "to"}   in all rows: a mass touch of SystemModstamp
    {"do": "add_rule",      "object", "error_when": a SOQL condition, "message", "field"}
    {"do": "drop_rule",     "object", "message"}                without a message: all of the object

Promise: the schema changes at once for everybody, as in Setup; no save is made. Contract sections 5.1 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.salesforce.sandbox.fields import NUMBERS, TEXTS, Field
from connectors.salesforce.sandbox.named import Action, object_of
from connectors.salesforce.sandbox.rules import meets
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.store import Row
from syncd.sandbox.wire import Refused

_TEXT_LENGTH = 255


def _field_of(site: Site, action: Action) -> tuple[str, Field]:
    name, field = object_of(site, action), site.org.whole(object_of(site, action)).by_name.get(str(action.get("field")))
    if field is None:
        raise Refused(f"{name} has no field {action.get('field')}")
    return name, field


def _edited(site: Site, name: str, field: str, changes: dict[str, Any]) -> dict[str, Any]:
    edited = site.org.catalogue.edit(name, field, changes, site.org.now_s())
    site.org.table(name).reindex(site.org.whole(name))
    return {"field": edited.describe()}


def _field(site: Site, action: Action) -> dict[str, Any]:
    return _edited(site, object_of(site, action), str(action["field"]), dict(action.get("set") or {}))


def _drop_field(site: Site, action: Action) -> dict[str, Any]:
    org, name, field = site.org, object_of(site, action), str(action["field"])
    org.catalogue.drop(name, field, org.now_s())
    _rewrite(site, name, lambda row: {one: value for one, value in row.items() if one != field})
    return {"field": field}


def _rename_field(site: Site, action: Action) -> dict[str, Any]:
    name, field = _field_of(site, action)
    to = str(action.get("to", ""))
    site.org.catalogue.rename(name, field.name, to, site.org.now_s())
    _rewrite(site, name, lambda row: {to if one == field.name else one: value for one, value in row.items()})
    return {"field": to}


def _retype_field(site: Site, action: Action) -> dict[str, Any]:
    name, field = _field_of(site, action)
    kind = str(action.get("type", ""))
    length = (field.length or _TEXT_LENGTH) if kind in TEXTS else 0
    precision = {"precision": field.precision or 18} if kind in NUMBERS else {}
    changes = {"type": kind, "length": length, **precision, **dict(action.get("set") or {})}
    done = _edited(site, name, field.name, changes)
    _rewrite(site, name, lambda row: _retyped(row, field.name, kind))
    return done


def _retyped(row: Row, name: str, kind: str) -> Row:
    value = row.get(name)
    if value is None:
        return row
    kept: Any = None
    if kind in TEXTS:
        kept = str(value)
    elif kind in NUMBERS and isinstance(value, int | float | str):
        try:
            kept = float(value)
        except ValueError:
            kept = None
    rest = {one: held for one, held in row.items() if one != name}
    return rest if kept is None else {**rest, name: kept}


def _rewrite(site: Site, name: str, change: Callable[[Row], Row]) -> None:
    """Rows as they look under the new schema; no stamp moves."""
    table = site.org.table(name)
    for key, row in list(table.rows.items()):
        table.rows[key] = change(row)
    table.reindex(site.org.whole(name))


def _require_field(site: Site, action: Action) -> dict[str, Any]:
    name, field = _field_of(site, action)
    return _edited(site, name, field.name, {"nillable": not action.get("required", True)})


def _picklist_of(site: Site, action: Action) -> tuple[str, Field, str]:
    name, field = _field_of(site, action)
    if field.type not in ("picklist", "multipicklist"):
        raise Refused(f"{name}.{field.name} is no picklist")
    return name, field, str(action.get("value", ""))


def _add_value(site: Site, action: Action) -> dict[str, Any]:
    name, field, value = _picklist_of(site, action)
    inactive = [one for one in field.inactive if one != value]
    values = field.values if value in field.values else (*field.values, value)
    return _edited(site, name, field.name, {"values": list(values), "inactive": inactive})


def _retire_value(site: Site, action: Action) -> dict[str, Any]:
    name, field, value = _picklist_of(site, action)
    return _edited(site, name, field.name, {"inactive": [*field.inactive, value]})


def _rename_value(site: Site, action: Action) -> dict[str, Any]:
    name, field, value = _picklist_of(site, action)
    to = str(action.get("to", ""))
    done = _edited(site, name, field.name, {"values": [to if one == value else one for one in field.values]})
    now_s, rows = site.org.now_s(), site.org.table(name).rows
    held = [row for row in rows.values() if row.get(field.name) == value]
    site.org.store.put_many(name, [{**row, field.name: to, "SystemModstamp": now_s} for row in held])
    return {**done, "touched": len(held)}


def _add_rule(site: Site, action: Action) -> dict[str, Any]:
    rule = {word: str(action[word]) for word in ("object", "error_when", "message", "field") if word in action}
    meets(site.org, site.org.whole(object_of(site, action)), rule.get("error_when"))  # refuses one that makes no sense
    site.org.switches.validation_rules = [*site.org.switches.validation_rules, rule]
    return {"rules": len(site.org.switches.validation_rules)}


def _drop_rule(site: Site, action: Action) -> dict[str, Any]:
    def doomed(rule: Mapping[str, Any]) -> bool:
        named = "message" not in action or rule.get("message") == action["message"]
        return rule.get("object") == object_of(site, action) and named

    rules = site.org.switches.validation_rules
    site.org.switches.validation_rules = [rule for rule in rules if not doomed(rule)]
    return {"rules": len(site.org.switches.validation_rules)}


ACTS: Mapping[str, Callable[[Site, Action], dict[str, Any]]] = {
    "field": _field,
    "drop_field": _drop_field,
    "rename_field": _rename_field,
    "retype_field": _retype_field,
    "require_field": _require_field,
    "add_value": _add_value,
    "retire_value": _retire_value,
    "rename_value": _rename_value,
    "add_rule": _add_rule,
    "drop_rule": _drop_rule,
}
