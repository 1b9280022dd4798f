"""Single records: create, read, update, delete, by id and by external id. Contract section 6.

Promise: preconditions are looked at before anything is written; they compare whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.salesforce.sandbox import lifecycle
from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Problem, Refusal, gone, no_such_column, not_found
from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.instants import read_http_time
from connectors.salesforce.sandbox.reading import record
from connectors.salesforce.sandbox.saving import create, live_keys, update
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.store import Row
from connectors.salesforce.sandbox.values import Bad, from_json


def post(site: Site, call: Call, name: str) -> Answer:
    """POST sobjects/X"""
    kind = site.kind(name)
    given = call.json_object()
    refuse_id(given)
    strike(call, None)
    key = create(site.org, call.actor, kind, given)
    return Answer(201, {"id": key, "success": True, "errors": []}, _location(call, kind, key))


def get(site: Site, call: Call, name: str, segment: str) -> Answer:
    """GET sobjects/X/{id}?fields="""
    kind = site.kind(name)
    return _read(site, call, kind, _key(kind, segment))


def patch(site: Site, call: Call, name: str, segment: str) -> Answer:
    """PATCH sobjects/X/{id}"""
    kind = site.kind(name)
    key = _key(kind, segment)
    given = call.json_object()
    refuse_id(given)
    _check_unmodified(site, call, kind, key)
    strike(call, key)
    update(site.org, call.actor, kind, key, given)
    return Answer(204)


def delete(site: Site, call: Call, name: str, segment: str) -> Answer:
    """DELETE sobjects/X/{id}"""
    kind = site.kind(name)
    key = _key(kind, segment)
    strike(call, key)
    remove(site, call, kind, key)
    return Answer(204)


def remove(site: Site, call: Call, kind: ObjectType, key: str) -> None:
    """Deletes with its cascade, all or nothing."""
    with site.org.store.transaction() as roll_back:
        try:
            lifecycle.delete(site.org, call.actor, kind, key)
        except Refusal:
            roll_back()
            raise


# ---------------------------------------------------------------- by external id


def get_external(site: Site, call: Call, name: str, field_name: str, value: str) -> Answer:
    """GET sobjects/X/{Field}/{value}"""
    kind = site.kind(name)
    keys = _matches(site, kind, lookup_field(kind, field_name), value)
    if not keys:
        raise not_found()
    return _several(call, kind, keys) if len(keys) > 1 else _read(site, call, kind, keys[0])


def delete_external(site: Site, call: Call, name: str, field_name: str, value: str) -> Answer:
    """DELETE sobjects/X/{Field}/{value}"""
    kind = site.kind(name)
    keys = _matches(site, kind, lookup_field(kind, field_name), value)
    if not keys:
        raise not_found()
    if len(keys) > 1:
        return _several(call, kind, keys)
    strike(call, keys[0])
    remove(site, call, kind, keys[0])
    return Answer(204)


def patch_external(site: Site, call: Call, name: str, field_name: str, value: str) -> Answer:
    """PATCH sobjects/X/{Field}/{value}: upsert."""
    kind = site.kind(name)
    field = lookup_field(kind, field_name)
    given = call.json_object()
    if field.name != "Id":
        refuse_id(given)
    if field.name in given and site.org.switches.external_key_in_body_refused:
        message = f"The {field.name} field should not be specified in the sobject data."
        raise Refusal.one("INVALID_FIELD", message, 400, (field.name,))
    keys = _matches(site, kind, field, value)
    if len(keys) > 1:
        return _several(call, kind, keys)
    if not keys and (call.truth("updateOnly") or field.name == "Id"):
        raise not_found()
    if keys:
        _check_unmodified(site, call, kind, keys[0])
    strike(call, keys[0] if keys else None)
    key, made = upsert(site, call, kind, field, value, given, keys)
    body = {"id": key, "success": True, "errors": [], "created": made}
    return Answer(201, body, _location(call, kind, key)) if made else Answer(200, body)


def post_external(site: Site, call: Call, name: str, field_name: str) -> Answer:
    """POST sobjects/X/Id: a plain create. With another segment it is no resource to post to."""
    if field_name != "Id":
        message = "HTTP Method 'POST' not allowed. Allowed are DELETE,GET,HEAD,PATCH"
        raise Refusal.one("METHOD_NOT_ALLOWED", message, 405)
    return post(site, call, name)


def upsert(
    site: Site, call: Call, kind: ObjectType, field: Field, value: str, given: Mapping[str, Any], keys: list[str]
) -> tuple[str, bool]:
    """Updates the one match or creates: (id, created)."""
    if keys:
        update(site.org, call.actor, kind, keys[0], given)
        return keys[0], False
    if call.strikes.kind("upsert_race"):
        # Somebody else's upsert of the same key, between our look and our insert.
        create(site.org, replace(call.actor, user=site.org.cast.admin), kind, {**given, field.name: value})
    return create(site.org, call.actor, kind, {**given, field.name: value}), True


def lookup_field(kind: ObjectType, name: str) -> Field:
    """A field that records may be addressed by. Refused: 404."""
    field = kind.by_name.get(name)
    if field is None or not (field.external_id or field.id_lookup):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def _matches(site: Site, kind: ObjectType, field: Field, value: str) -> list[str]:
    if field.name == "Id":
        key = normalise(value)
        return live_keys(site.org, kind.name, field, key) if key else []
    return live_keys(site.org, kind.name, field, stored_key(site, field, value))


def stored_key(site: Site, field: Field, value: str) -> str:
    """An external id as it is stored: bent like any value. Refused: blank, or too long."""
    try:
        stored = from_json(site.org.switches, field, value)
    except Bad as bad:
        raise Refusal([bad.problem]) from None
    if stored is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {field.name}")
    return str(stored)


def _several(call: Call, kind: ObjectType, keys: list[str]) -> Answer:
    return Answer(300, [call.resource(f"sobjects/{kind.name}/{key}") for key in keys])


# ---------------------------------------------------------------- shared


def refuse_id(given: Mapping[str, Any]) -> None:
    """The id belongs into the path."""
    if any(name.lower() == "id" for name in given):
        raise Refusal.one("INVALID_FIELD", "The Id field should not be specified in the sobject data.", 400, ("Id",))


def strike(call: Call, key: str | None) -> None:
    """Lets the faults of this request strike its next record."""
    if refusal := call.strikes.record_refusal(key):
        raise refusal


def _location(call: Call, kind: ObjectType, key: str) -> dict[str, str]:
    return {"Location": call.resource(f"sobjects/{kind.name}/{key}")}


def _key(kind: ObjectType, segment: str) -> str:
    key = normalise(segment)
    if key is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {segment}")
    if not key.startswith(kind.prefix):
        raise Refusal.one("MALFORMED_ID", f"{kind.label} ID: id value of incorrect type: {segment}", 400, ("Id",))
    return key


def _read(site: Site, call: Call, kind: ObjectType, key: str) -> Answer:
    row = site.org.seen_row(kind, key)
    if row is None or row.get("IsDeleted"):
        raise not_found()
    since = read_http_time(call.headers.get("if-modified-since", ""))
    if since is not None and _stamp(site, row) <= since:
        return Answer(304)
    _check_unmodified(site, call, kind, key)
    names = [name.strip() for name in call.first("fields").split(",") if name.strip()]
    for name in names:
        if name not in kind.by_name:
            raise no_such_column(name, kind.name)
    fields = [kind.by_name[name] for name in names] if names else list(kind.fields)
    return Answer(200, record(site.org, kind, row, fields, call.version))


def _stamp(site: Site, row: Row) -> int:
    return int(row[site.org.switches.precondition_field])


def _check_unmodified(site: Site, call: Call, kind: ObjectType, key: str) -> None:
    """Refused: 412 when the record changed after If-Unmodified-Since; 400 when that is no date."""
    text = call.headers.get("if-unmodified-since")
    if text is None or (call.composite and not site.org.switches.composite_preconditions):
        return
    since = read_http_time(text)
    if since is None:
        raise Refusal.one("INVALID_INPUT", "Unparseable date in header If-Unmodified-Since", 400)
    row = site.org.seen_row(kind, key)
    if row is None:
        raise gone(key)
    if not row.get("IsDeleted") and _stamp(site, row) > since:
        message = "The record was modified since the given date"
        raise Refusal([Problem("MATCH_PRECONDITION_FAILED", message)] if site.org.switches.body_of_412 else [], 412)
