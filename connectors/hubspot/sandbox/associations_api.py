"""Association endpoints of v4 and the dated versions (contract section 8).

Promise: every object pair that has a default type works; there is no knowledge of particular objects here. Type ids
are checked for their direction.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.associations import AssociationType
from connectors.hubspot.sandbox.batch_api import refused_by, struck_inputs
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.portal import Table
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.chassis import Response

MAX_PAGE = 500
MAX_READ = 1000
MAX_CREATE = 2000

Json = dict[str, Any]


def of_record(call: Call, start: Table, key: str, rest: list[str]) -> Response:
    """Everything under `.../{from}/{id}/associations/`: GET a list, PUT default or labels, DELETE."""
    match (call.request.method, rest):
        case ("GET", [to]):
            if call.new and call.portal.switches.association_list == "missing":
                raise errors.not_found()
            end = call.table(to)
            record_id = _existing(start, key)
            limit = call.limit(call.request.first("limit"), MAX_PAGE, MAX_PAGE)
            return Response(200, _page(call, start, record_id, end, call.request.first("after"), limit))
        case ("PUT", ["default", to, to_id]):
            end = call.table(to, "write")
            made = _associate(call, start, key, end, to_id, {_default(call, start, end)})
            stamp = iso(call.portal.clock.now_ms())
            return Response(200, {"status": "COMPLETE", "results": [made], "startedAt": stamp, "completedAt": stamp})
        case ("PUT", [to, to_id]):
            end = call.table(to, "write")
            made = _associate(call, start, key, end, to_id, _types(call, start, end, call.request.json()), True)
            return Response(201, made)
        case ("DELETE", [to, to_id]):
            end = call.table(to, "write")
            call.portal.associations.remove(start.kind.name, key, end.kind.name, to_id)
            _bump(call, start, key)
            return Response(204)
    raise Rejection(405, error("HTTP 405 Method Not Allowed"))


def of_pair(call: Call, rest: list[str]) -> Response:
    """Everything under `/crm/associations/{V}/{from}/{to}/`: labels and batches."""
    if len(rest) < 3:
        raise errors.not_found()
    right = "read" if rest[2:] in (["labels"], ["batch", "read"]) else "write"
    start, end = call.table(rest[0], right), call.table(rest[1], right)
    match (call.request.method, rest[2:]):
        case ("GET", ["labels"]):
            types = call.portal.associations.between(start.kind.name, end.kind.name)
            return Response(200, {"results": [one.to_json() for one in types]})
        case ("POST", ["labels"]):
            label = str(call.body().get("label") or "")
            made = call.portal.associations.label(start.kind.name, end.kind.name, label)
            return Response(200, {"results": [one.to_json() for one in made]})
        case ("POST", ["batch", "read"]):
            return _batch_read(call, start, end)
        case ("POST", ["batch", "create"]):
            return _batch_create(call, start, end, default=False)
        case ("POST", ["batch", "associate", "default"]):
            return _batch_create(call, start, end, default=True)
        case ("POST", ["batch", "archive"]):
            return _batch_archive(call, start, end)
        case ("POST", ["batch", "labels", "archive"]):
            return _batch_labels_archive(call, start, end)
    raise Rejection(405, error("HTTP 405 Method Not Allowed"))


def _batch_read(call: Call, start: Table, end: Table) -> Response:
    results: list[Json] = []
    alone: list[str] = []
    for one in call.inputs(call.body(), MAX_READ):
        record_id = start.resolve(str(one.get("id")))
        page = _page(call, start, record_id, end, one.get("after"), MAX_PAGE)
        record = start.find(record_id)
        hidden = record is None or record.archived_ms is not None
        if page["results"] and not (hidden and call.portal.switches.archived_associations == "none"):
            found: Json = {"from": {"id": str(one.get("id"))}, "to": page["results"]}
            results.append({**found, "paging": page["paging"]} if "paging" in page else found)
        else:
            alone.append(str(one.get("id")))
    wrong = []
    if alone and call.portal.switches.no_associations == "error":
        sub = "crm.associations.NO_ASSOCIATIONS_FOUND"
        wrong = [
            error(
                f"No {end.kind.singular} is associated with {start.kind.singular} {one}.",
                "OBJECT_NOT_FOUND",
                subCategory=sub,
                context={"fromObjectId": [one]},
            )
            for one in alone
        ]
    return _answer(call, results, wrong, 200)


def _batch_create(call: Call, start: Table, end: Table, default: bool) -> Response:
    inputs = call.inputs(call.body(), MAX_CREATE)
    results: list[Json] = []
    wrong: list[Json] = []
    fault = call.request.fault("partial_batch")
    struck = struck_inputs(call, fault, len(inputs))
    for at, one in enumerate(inputs):
        from_id, to_id = str((one.get("from") or {}).get("id")), str((one.get("to") or {}).get("id"))
        try:
            if fault is not None and at in struck:
                raise refused_by(fault)
            types = {_default(call, start, end)} if default else _types(call, start, end, one.get("types"))
            replace = not default and call.portal.switches.batch_labels == "replace"
            results.append(_associate(call, start, from_id, end, to_id, types, replace))
        except Rejection as rejection:
            if isinstance(rejection.body, dict):
                wrong.append({**rejection.body, "context": {"fromObjectId": [from_id], "toObjectId": [to_id]}})
    return _answer(call, results, wrong, 201 if not call.new else 200)


def _batch_archive(call: Call, start: Table, end: Table) -> Response:
    for one in call.inputs(call.body(), MAX_CREATE):
        from_id = str((one.get("from") or {}).get("id"))
        for to in one.get("to") or []:
            call.portal.associations.remove(start.kind.name, from_id, end.kind.name, str(to.get("id")))
        _bump(call, start, from_id)
    return Response(204) if call.version.startswith("v") else _answer(call, [], [], 200)


def _batch_labels_archive(call: Call, start: Table, end: Table) -> Response:
    for one in call.inputs(call.body(), MAX_CREATE):
        from_id, to_id = str((one.get("from") or {}).get("id")), str((one.get("to") or {}).get("id"))
        types = _types(call, start, end, one.get("types"))
        call.portal.associations.remove(start.kind.name, from_id, end.kind.name, to_id, types)
        _bump(call, start, from_id)
    return Response(204) if call.version.startswith("v") else _answer(call, [], [], 200)


def _page(call: Call, start: Table, record_id: str, end: Table, after: Any, limit: int) -> Json:
    """One page of what a record leads to; `after` is the id to go on from."""
    found = [
        (end_id, types)
        for end_id, types in call.portal.associations.of(start.kind.name, record_id, end.kind.name)
        if (record := end.find(end_id)) is not None and record.archived_ms is None and int(end_id) >= call.after(after)
    ]
    page: Json = {"results": [_shown(call, end_id, types) for end_id, types in found[:limit]]}
    if len(found) > limit:
        page["paging"] = {"next": {"after": found[limit][0], "link": "https://api.hubapi.com/crm/v4/objects"}}
    return page


def _shown(call: Call, end_id: str, types: list[AssociationType]) -> Json:
    how = call.portal.switches.to_object_id
    number = how == "integer" or (how == "by_version" and not call.new)
    return {"toObjectId": int(end_id) if number else end_id, "associationTypes": [one.to_json() for one in types]}


def _associate(
    call: Call, start: Table, from_id: str, end: Table, to_id: str, types: set[int], replace: bool = False
) -> Json:
    from_id, to_id = _existing(start, from_id), _existing(end, to_id)
    if start is end and from_id == to_id:
        raise errors.validation(f"{start.kind.singular} {from_id} cannot be associated to itself")
    store, switches = call.portal.associations, call.portal.switches
    held = {one for one, _ in store.of(start.kind.name, from_id, end.kind.name)}
    if to_id not in held and 0 < switches.associations_per_record <= len(held):
        raise errors.validation(
            f"{start.kind.singular} {from_id} has too many associations with {end.kind.name}",
            subCategory="crm.associations.ASSOCIATION_LIMIT_EXCEEDED",
        )
    if switches.first_becomes_primary:
        types = store.with_first_primary(start.kind.name, from_id, end.kind.name, to_id, types)
    store.add(start.kind.name, from_id, end.kind.name, to_id, types, replace)
    call.portal.associated(start.kind.name, from_id, end.kind.name, to_id)
    _bump(call, start, from_id)
    _bump(call, end, to_id)
    labels = [store.types[start.kind.name, end.kind.name, one].label for one in sorted(types)]
    return {
        "fromObjectTypeId": start.kind.type_id,
        "fromObjectId": from_id,
        "toObjectTypeId": end.kind.type_id,
        "toObjectId": to_id,
        "labels": [label for label in labels if label],
    }


def _types(call: Call, start: Table, end: Table, given: Any) -> set[int]:
    """The type ids of a request, all of which must lead from `start` to `end`."""
    try:
        types = {int(one["associationTypeId"]) for one in given}
    except (TypeError, KeyError, ValueError):
        raise errors.validation("types must be a list of associationCategory and associationTypeId") from None
    known = {one.id for one in call.portal.associations.between(start.kind.name, end.kind.name)}
    if not types or types - known:
        raise errors.validation(
            f"Invalid association types {sorted(types - known)} between {start.kind.type_id} and {end.kind.type_id}",
            subCategory="crm.associations.INVALID_ASSOCIATION_TYPE",
        )
    return types


def _default(call: Call, start: Table, end: Table) -> int:
    default = call.portal.associations.default(start.kind.name, end.kind.name)
    if default is None:
        raise errors.validation(f"No default association between {start.kind.type_id} and {end.kind.type_id}")
    return default


def _existing(table: Table, key: str) -> str:
    record = table.find(table.resolve(key))
    if record is None or record.archived_ms is not None:
        message = f"{table.kind.singular} {key} is not valid"
        raise Rejection(404, error(message, "OBJECT_NOT_FOUND", subCategory="crm.associations.INVALID_IDENTIFIER"))
    return record.id


def _bump(call: Call, table: Table, record_id: str) -> None:
    record = table.find(record_id)
    if record is not None and call.portal.switches.association_bumps_modified:
        call.portal.touch(table, record)


def _answer(call: Call, results: list[Json], wrong: list[Json], ok: int) -> Response:
    short = call.request.fault("short_answer")
    if short is not None:
        dropped = struck_inputs(call, short, len(results))
        results = [one for at, one in enumerate(results) if at not in dropped]
    stamp = iso(call.portal.clock.now_ms())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp}
    if not wrong:
        return Response(ok, body)
    body.update(numErrors=len(wrong), errors=wrong)
    return Response(ok if call.new and call.portal.switches.multi_status == "by_version" else 207, body)
