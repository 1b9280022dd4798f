"""The save procedure: one record created or updated, by the API user or a person.

Promise: a record is saved whole or refused with every reason of the first stage that finds one; the order of the
stages is the vendor's (types, fields, references, uniqueness, flows, validation, duplicates, assignment).
Contract sections 6, 12 and 14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.salesforce.sandbox.checks import check_links, check_required, check_unique
from connectors.salesforce.sandbox.consequences import follow
from connectors.salesforce.sandbox.derived import derive
from connectors.salesforce.sandbox.errors import Problem, Refusal, deleted, gone, no_such_column
from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.ids import id15
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.rules import assigned_owner, bent, broken_validations, duplicate, flow_changes
from connectors.salesforce.sandbox.store import Row, fold
from connectors.salesforce.sandbox.switches import Switches
from connectors.salesforce.sandbox.values import Bad, from_json

Read = Callable[[Switches, Field, Any], Any]
_ASSIGNED = ("Lead", "Account")
_SECURITY = "Please check the security settings of this field and verify that it is read/write for your profile or permission set."


@dataclass(frozen=True, slots=True)
class Actor:
    """Who saves, and on which terms. `api`: rights and API-only rules apply. `force`: an administrator's import that
    the org's own rules do not stop."""

    user: str
    api: bool = True
    assign: bool = False
    allow_duplicates: bool = False
    commit_after_s: float = 0.0
    force: bool = False


def create(org: Org, actor: Actor, kind: ObjectType, given: Mapping[str, Any], read: Read = from_json) -> str:
    """Creates a record; its id. Refusal."""
    check_writable(org, actor, kind, "create", kind.createable)
    changes = _changes(org, actor, kind, given, read, creating=True)
    check_required(kind, changes, creating=True)
    key = org.mint.new(kind.prefix)
    blank = {field.name: field.default for field in kind.fields if field.defaulted and field.default is not None}
    now_s = org.now_s()
    old: Row = {"Id": key, **blank, "CreatedDate": now_s, "CreatedById": actor.user}
    if "OwnerId" in kind.by_name:
        old["OwnerId"] = actor.user
    if "RecordTypeId" in kind.by_name and kind.name in org.cast.record_types:
        old["RecordTypeId"] = org.cast.record_types[kind.name]
    _save(org, actor, kind, old, changes, creating=True)
    return key


def update(
    org: Org, actor: Actor, kind: ObjectType, key: str, given: Mapping[str, Any], read: Read = from_json
) -> None:
    """Changes a record. Refusal."""
    old = writable_row(org, actor, kind, key)
    check_writable(org, actor, kind, "update", kind.updateable)
    if old.get("IsConverted") and not actor.force:
        raise Refusal.one("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, ())
    changes = _changes(org, actor, kind, given, read, creating=False)
    check_required(kind, changes, creating=False)
    _save(org, actor, kind, old, changes, creating=False)


def writable_row(org: Org, actor: Actor, kind: ObjectType, key: str) -> Row:
    """The row of a record that is to be changed. Refused: missing, deleted, locked."""
    row = org.seen_row(kind, key) if actor.api else org.table(kind.name).rows.get(key)
    if key in org.pending:
        message = f"unable to obtain exclusive access to this record or 1 records: {id15(key)}"
        raise Refusal.one("UNABLE_TO_LOCK_ROW", message, 400, ())
    if row is None:
        raise gone(key)
    if row.get("IsDeleted"):
        raise deleted()
    return row


def check_writable(org: Org, actor: Actor, kind: ObjectType, verb: str, possible: bool) -> None:
    """Refused: maintenance lets nobody write over the API, and some objects never are written."""
    if actor.api and org.switches.read_only:
        message = "The organization is in read-only mode during maintenance"
        raise Refusal.one("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", message, 503, ())
    if actor.api and not possible:
        raise Refusal.one("INVALID_TYPE_FOR_OPERATION", f"entity type {kind.name} does not support {verb}")


# ---------------------------------------------------------------- what is asked


def _changes(
    org: Org, actor: Actor, kind: ObjectType, given: Mapping[str, Any], read: Read, creating: bool
) -> dict[str, Any]:
    """The asked changes in stored form. WrongType before anything else, then rights, then every bad value at once."""
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    barred: list[str] = []
    for name, value in given.items():
        if name == "attributes":
            continue
        field = kind.by_name.get(name)
        if field is None:
            parent = _parent_field(kind, name, value)
            if parent is None:
                raise no_such_column(name, kind.name)
            field, value = parent, _by_external_id(org, kind, parent, value)
        if actor.api and not (field.createable if creating else field.updateable):
            barred.append(name)
            continue
        try:
            changes[field.name] = read(org.switches, field, value)
        except Bad as bad:
            problems.append(bad.problem)
    if barred:
        message = f"Unable to create/update fields: {', '.join(barred)}. {_SECURITY}"
        raise Refusal.one("INVALID_FIELD_FOR_INSERT_UPDATE", message, 400, barred)
    if problems:
        named = org.switches.errors_list_fields
        raise Refusal(problems if named else [replace(one, fields=()) for one in problems])
    if actor.api and org.switches.ignored_fields:
        ignored = {one.partition(".")[2] for one in org.switches.ignored_fields if one.startswith(f"{kind.name}.")}
        changes = {name: value for name, value in changes.items() if name not in ignored}
    return bent(org, kind.name, changes)


def _parent_field(kind: ObjectType, name: str, value: Any) -> Field | None:
    """The lookup field that a nested object names by its relationship."""
    field = kind.relationships.get(name.lower())
    exact = field is not None and field.relationship == name
    return field if exact and isinstance(value, dict | None) else None


def _by_external_id(org: Org, kind: ObjectType, field: Field, value: Mapping[str, Any] | None) -> str | None:
    named = {name: one for name, one in (value or {}).items() if name != "attributes"}
    if value is None:
        return None
    if len(named) != 1:
        raise Refusal.one("INVALID_FIELD", f"{field.relationship}: exactly one external id field is expected", 400, ())
    (name, wanted), target = next(iter(named.items())), field.refers[0]
    parent = org.catalogue.seen(target)
    outer = parent.by_name.get(name) if parent else None
    if outer is None or not (outer.external_id or outer.id_lookup):
        raise Refusal.one("INVALID_FIELD", f"{name} is not an external ID field of {target}", 400, ())
    keys = live_keys(org, target, outer, wanted)
    if not keys:
        message = f"Foreign key external ID: {wanted} not found for field {name} in entity {target}"
        raise Refusal.one("INVALID_FIELD", message, 400, ())
    if len(keys) > 1:
        message = f"{field.label}: more than one record found for external id field: [{', '.join(keys)}]"
        raise Refusal.one("DUPLICATE_EXTERNAL_ID", message, 400, (field.name,))
    return keys[0]


def live_keys(org: Org, object_name: str, field: Field, value: Any) -> list[str]:
    """Ids of the records that hold a value in a lookup field, as the API user sees them."""
    table = org.table(object_name)
    if field.name == "Id":
        keys = [value] if value in table.rows else []
    elif table.indexes(field.name):
        keys = table.find(field.name, value)
    else:
        keys = [key for key, row in table.rows.items() if fold(field, row.get(field.name)) == fold(field, value)]
    return [key for key in keys if not table.rows[key].get("IsDeleted") and key not in org.hidden]


# ---------------------------------------------------------------- the stages


def _save(org: Org, actor: Actor, kind: ObjectType, old: Row, changes: dict[str, Any], creating: bool) -> None:
    check_links(org, kind, old, changes, own=not actor.api)
    row = _merged(old, changes)
    derive(org, kind.name, row, changes)
    flows = flow_changes(org, kind.name, row, creating)
    if flows:
        whole = org.whole(kind.name)
        set_by_flows = {name: from_json(org.switches, whole.by_name[name], value) for name, value in flows.items()}
        changes = {**changes, **set_by_flows}
        row = _merged(old, changes)
        derive(org, kind.name, row, changes)
    check_unique(org, org.whole(kind.name), row, changes)
    if not actor.force:
        _check_rules(org, actor, kind.name, row)
    if actor.assign and kind.name in _ASSIGNED and org.switches.assignment_rules:
        row["OwnerId"] = assigned_owner(org, kind.name, row) or row["OwnerId"]
    stamp(org, row, actor.user)
    commit(org, actor, kind.name, row, lambda: follow(org, actor.user, kind.name, None if creating else old, row))
    if actor.api and org.switches.touch_after_s:
        _touch_later(org, kind.name, row["Id"])


def _merged(old: Row, changes: Mapping[str, Any]) -> Row:
    row = {**old, **changes}
    return {name: value for name, value in row.items() if value is not None}


def _check_rules(org: Org, actor: Actor, object_name: str, row: Row) -> None:
    broken = list(broken_validations(org, object_name, row))
    if broken:
        raise Refusal(broken)
    if actor.api and (problem := duplicate(org, object_name, row, actor.allow_duplicates)):
        raise Refusal([problem])


def stamp(org: Org, row: Row, user: str) -> None:
    """Sets the stamps of a user's save: whole seconds, all three alike."""
    row["LastModifiedDate"] = row["SystemModstamp"] = org.now_s()
    row["LastModifiedById"] = user


def _touch_later(org: Org, object_name: str, key: str) -> None:
    """A back-end job moves SystemModstamp some time after our write, and nothing else."""

    def touch(at_ms: int) -> None:
        row = org.table(object_name).rows.get(key)
        if row is not None and not row.get("IsDeleted"):
            org.store.put(object_name, {**row, "SystemModstamp": max(at_ms // 1000, row["SystemModstamp"])})

    org.agenda.at(org.clock.now_ms() + round(org.switches.touch_after_s * 1000), touch)


def commit(org: Org, actor: Actor, object_name: str, row: Row, then: Callable[[], None] = lambda: None) -> None:
    """Writes the row, and does what belongs to it: now or, in a long transaction, later than its stamp says."""
    if actor.commit_after_s <= 0:
        org.store.put(object_name, row)
        then()
        return
    key = row["Id"]
    org.pending[key] = (object_name, row)

    def land(at_ms: int) -> None:
        del org.pending[key]
        org.store.put(object_name, row)
        then()

    org.agenda.at(org.clock.now_ms() + round(actor.commit_after_s * 1000), land)
