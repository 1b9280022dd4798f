"""The endpoints of single records: list, get, create, patch, archive, merge, gdpr-delete (contract sections 4, 6).

Promise: a GET by id or unique property reads the store, never the search index (switch `read_lag` says otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.merging import merge
from connectors.hubspot.sandbox.portal import Table
from connectors.hubspot.sandbox.records import Record
from connectors.hubspot.sandbox.render import embedded, names, show
from connectors.hubspot.sandbox.writes import Prepared, close_date, prepare
from syncd.sandbox.chassis import Response

MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50


def list_records(call: Call, table: Table) -> Response:
    """GET: records by ascending id from `after` on; merged-away ids are in neither list."""
    history = call.names("propertiesWithHistory")
    most = MAX_PAGE_WITH_HISTORY if history else MAX_PAGE
    limit = call.limit(call.request.first("limit"), 10, most)
    ends = [call.table(name).kind.name for name in call.names("associations")]
    shown = names(table, call.names("properties"))
    results: list[dict[str, Any]] = []
    paging: dict[str, Any] | None = None
    for record in table.after(call.after(call.request.first("after")), call.flag("archived")):
        if len(results) == limit:
            # The link is in the old style whatever was asked: clients must rebuild it from `after`.
            link = f"https://api.hubapi.com/crm/v3/objects/{table.kind.name}?limit={limit}&after={record.id}"
            paging = {"next": {"after": record.id, "link": link}}
            break
        values = lagging(call, table, record)
        if values is not None:
            results.append(
                with_associations(call, table, record, show(call.portal, table, record, shown, history, values), ends)
            )
    return Response(200, {"results": results, **({"paging": paging} if paging else {})})


def get_record(call: Call, table: Table, key: str) -> Response:
    """GET by id (a merged-away one answers with the survivor) or by a unique property."""
    record = locate(call, table, key, call.request.first("idProperty"), archived=call.flag("archived"))
    values = lagging(call, table, record)
    if values is None:
        raise errors.not_found()
    ends = [call.table(name).kind.name for name in call.names("associations")]
    shown = names(table, call.names("properties"))
    body = show(call.portal, table, record, shown, call.names("propertiesWithHistory"), values)
    return Response(200, with_associations(call, table, record, body, ends))


def create_record(call: Call, table: Table) -> Response:
    """POST -> 201."""
    body = call.body()
    links = links_of(call, table, body)
    prepared = prepare(call.portal, table, None, body.get("properties"), call.caller)
    record = do_create(call, table, prepared, links)
    return Response(201, answered(call, table, record, prepared, full=True))


def patch_record(call: Call, table: Table, key: str) -> Response:
    """PATCH -> 200, with the changed properties only. Works with a merged-away id."""
    body = call.body()
    record = locate(call, table, key, call.request.first("idProperty"))
    prepared = prepare(call.portal, table, record, body.get("properties"), call.caller)
    do_update(call, table, record, prepared)
    return Response(200, answered(call, table, record, prepared))


def archive_record(call: Call, table: Table, key: str) -> Response:
    """DELETE -> 204, also for what is gone already."""
    record = table.find(key)
    if record is None and call.portal.switches.unknown_delete == 404:
        raise errors.not_found()
    if record is not None:
        call.portal.archive(table, record)
    return Response(204)


def merge_records(call: Call, table: Table) -> Response:
    """POST .../merge -> 200 with the survivor."""
    body = call.body()
    if table.kind.merge is None:
        raise errors.validation(f"Objects of type {table.kind.type_id} cannot be merged")
    primary = locate(call, table, str(body.get("primaryObjectId")), None)
    other = locate(call, table, str(body.get("objectIdToMerge")), None)
    if primary is other:
        raise errors.validation("Cannot merge a record with itself")
    survivor = merge(call.portal, table, primary, other, call.caller.source)
    return Response(200, show(call.portal, table, survivor, names(table, None)))


def gdpr_delete(call: Call, table: Table) -> Response:
    """POST .../gdpr-delete -> 204; an unknown address goes on the blocklist."""
    body = call.body()
    key = str(body.get("objectId", ""))
    if body.get("idProperty") == "email":
        holder = table.emails.get(key.lower())
        record = table.find(table.resolve(holder)) if holder else None
        if record is None:
            table.forgotten.add(key.lower())
            return Response(204)
    else:
        record = table.find(table.resolve(key))
        if record is None:
            raise errors.not_found() if key.isdigit() else errors.not_numeric(key)
    call.portal.purge(table, record)
    return Response(204)


# ---------------------------------------------------------------- shared with the batches


def locate(call: Call, table: Table, key: str, id_property: str | None, *, archived: bool = False) -> Record:
    """The record that a key leads to, through merges. Rejection: 404, or 400 for a property that is not unique."""
    if id_property in (None, "", "hs_object_id"):
        if not key.isdigit():
            raise errors.not_numeric(key)
        record = table.find(table.resolve(key))
    else:
        record = by_property(call, table, str(id_property), key)
    if record is not None and record.archived_ms is not None and call.portal.switches.archived_get == 200:
        archived = archived or call.request.method == "GET"
    if record is None or (record.archived_ms is not None) != archived:
        if id_property == table.kind.email and id_property and not call.new and call.portal.switches.email_miss_html:
            raise errors.html_not_found()
        raise errors.not_found()
    return record


def by_property(call: Call, table: Table, id_property: str, key: str, verb: str = "read") -> Record | None:
    """The record that holds a unique value; 400 when the property is not unique."""
    if id_property == table.kind.email:
        holder = table.emails.get(key.strip().lower())
    elif id_property in table.unique:
        holder = table.unique[id_property].get(key.lower())
    else:
        raise errors.validation(f"Unable to perform {verb} by non-unique {table.kind.type_id} property {id_property}")
    return None if holder is None else table.find(table.resolve(holder))


def lagging(call: Call, table: Table, record: Record) -> Mapping[str, str] | None:
    """The values a read shows: the record's own, or with `read_lag` (switch, or fault `stale_read`) what the index
    holds, None when it does not know the record yet."""
    if not call.portal.switches.read_lag and call.request.fault("stale_read") is None:
        return record.values
    doc = table.index.docs.get(record.id)
    return doc.values if doc is not None else None


def with_associations(
    call: Call, table: Table, record: Record, body: dict[str, Any], ends: list[str]
) -> dict[str, Any]:
    """Adds the embedded associations, if any were asked for and exist."""
    if ends and (found := embedded(call.portal, table, record, ends)):
        body["associations"] = found
    return body


Links = list[tuple[str, str, set[int]]]
"""(object, id, type ids) that a create associates its record with."""


def links_of(call: Call, table: Table, body: Mapping[str, Any]) -> Links:
    """The associations of a create, checked. Rejection 400 for an unknown type or record."""
    links: Links = []
    for one in body.get("associations") or []:
        end_id = str((one.get("to") or {}).get("id"))
        type_ids = {int(kind["associationTypeId"]) for kind in one.get("types") or []}
        ends = {
            end
            for start, end, type_id in call.portal.associations.types
            if start == table.kind.name and type_id in type_ids
        }
        target = call.portal.tables[min(ends)].find(end_id) if len(ends) == 1 else None
        if target is None or target.archived_ms is not None:
            raise errors.validation(
                f"No valid association target {end_id}", subCategory="crm.associations.INVALID_IDENTIFIER"
            )
        links.append((ends.pop(), end_id, type_ids))
    if table.kind.needs and not any(end == table.kind.needs for end, _, _ in links):
        raise errors.validation(f"{table.kind.label} must be associated with one of {table.kind.needs}")
    return links


def do_create(call: Call, table: Table, prepared: Prepared, links: Links) -> Record:
    """Carries out a prepared create."""
    close_date(call.portal, table, None, prepared)
    values = {name: value for name, value in prepared.values.items() if value}
    record = call.portal.create(table, values, call.caller.source)
    store = call.portal.associations
    for end, end_id, type_ids in links:
        if call.portal.switches.first_becomes_primary:
            type_ids = store.with_first_primary(table.kind.name, record.id, end, end_id, type_ids)
        store.add(table.kind.name, record.id, end, end_id, type_ids)
        call.portal.associated(table.kind.name, record.id, end, end_id)
    return record


def do_update(call: Call, table: Table, record: Record, prepared: Prepared) -> None:
    """Carries out a prepared update."""
    close_date(call.portal, table, record, prepared)
    call.portal.change(table, record, prepared.values, call.caller.source)


def answered(call: Call, table: Table, record: Record, prepared: Prepared, full: bool = False) -> dict[str, Any]:
    """A write's answer: everything after a create, the written properties after an update."""
    if full or call.portal.switches.patch_answer == "full":
        shown = names(table, list(record.values))
    else:
        shown = names(table, prepared.named)
    body = show(call.portal, table, record, shown)
    if prepared.warnings:
        body["warnings"] = prepared.warnings
    return body
