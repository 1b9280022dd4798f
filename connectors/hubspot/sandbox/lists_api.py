"""Lists over the API: create, search, read, rename, delete; members by list, lists by member (contract section 12).

Promise: archived and hidden records are in no answer. The answers' odd spellings (`recordsIdsAdded`) are HubSpot's.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.lists import DYNAMIC, WRITABLE, RecordList
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.chassis import Response

MAX_MEMBERS = 250
MAX_SEARCH = 500
MAX_CHANGE = 100_000
REACH = 10_000

Json = dict[str, Any]


def route(call: Call, rest: list[str]) -> Response:
    """Everything under `/crm/lists/{V}`."""
    method = call.request.method
    reads = method == "GET" or rest == ["search"]
    call.require("crm.lists.read" if reads else "crm.lists.write")
    match (method, rest):
        case ("POST", []):
            return _create(call)
        case ("GET", []):
            wanted = call.names("listIds")
            found = [one for one in call.portal.lists.live() if not wanted or one.id in wanted]
            return Response(200, {"lists": [_shown(call, one) for one in found]})
        case ("POST", ["search"]):
            return _search(call)
        case ("GET", ["object-type-id", type_id, "name", name]):
            found_by_name = call.portal.lists.named(name, type_id)
            if found_by_name is None:
                raise _missing(name)
            return Response(200, {"list": _shown(call, found_by_name)})
        case ("GET", ["records", type_id, record_id, "memberships"]):
            return _of_record(call, type_id, record_id)
        case (_, [list_id, *tail]):
            return _one(call, method, list_id, tail)
    raise Rejection(405, error("HTTP 405 Method Not Allowed"))


def _one(call: Call, method: str, list_id: str, tail: list[str]) -> Response:
    portal, now_ms = call.portal, call.portal.clock.now_ms()
    segment = portal.lists.by_id.get(list_id)
    if segment is None or (segment.deleted_ms is not None and tail != ["restore"]):
        raise _missing(list_id)
    match (method, tail):
        case ("GET", []):
            return Response(200, {"list": _shown(call, segment)})
        case ("DELETE", []):
            segment.deleted_ms = now_ms
            return Response(204)
        case ("PUT", ["restore"]):
            segment.deleted_ms = None
            return Response(204)
        case ("PUT", ["update-list-name"]):
            segment.name = call.request.first("listName") or segment.name
            segment.updated_ms = now_ms
            segment.version += 1
            return Response(200, {"updatedList": _shown(call, segment)})
        case ("GET", ["memberships"]):
            return _members(call, segment, by_joining=False)
        case ("GET", ["memberships", "join-order"]):
            return _members(call, segment, by_joining=True)
        case ("PUT", ["memberships", "add"]):
            return _change(call, segment, call.request.json(), [])
        case ("PUT", ["memberships", "remove"]):
            return _change(call, segment, [], call.request.json())
        case ("PUT", ["memberships", "add-and-remove"]):
            body = call.body()
            return _change(call, segment, body.get("recordIdsToAdd") or [], body.get("recordIdsToRemove") or [])
        case ("DELETE", ["memberships"]):
            _change(call, segment, [], list(segment.members))
            return Response(204)
    raise Rejection(405, error("HTTP 405 Method Not Allowed"))


def _create(call: Call) -> Response:
    body = call.body()
    name, type_id, processing = (str(body.get(one) or "") for one in ("name", "objectTypeId", "processingType"))
    if not name or type_id not in call.portal.by_type_id or processing not in (*WRITABLE, DYNAMIC):
        raise errors.validation("A list needs name, objectTypeId and processingType")
    if call.portal.lists.named(name, type_id) is not None:
        raise errors.validation(
            f"List name {name} is already in use", subCategory="ILS.DUPLICATE_LIST_NAMES", context={"name": [name]}
        )
    made = call.portal.lists.create(name, type_id, processing, call.portal.clock.now_ms())
    return Response(200, {"list": _shown(call, made)})


def _search(call: Call) -> Response:
    body = call.body()
    offset, count = call.after(body.get("offset")), call.limit(body.get("count"), 20, MAX_SEARCH)
    if offset > REACH:
        raise errors.validation(f"offset must be less than or equal to {REACH}")
    text, kinds = str(body.get("query") or "").lower(), body.get("processingTypes") or []
    ids = [str(one) for one in body.get("listIds") or []]
    found = [
        one
        for one in call.portal.lists.live()
        if text in one.name.lower() and (not kinds or one.processing in kinds) and (not ids or one.id in ids)
    ]
    asked = set(body.get("additionalProperties") or [])
    page = []
    for one in found[offset : offset + count]:
        more = one.more(len(_visible(call, one))) if call.portal.switches.lists_tell_members else {}
        told = {name: value for name, value in more.items() if name in asked}
        page.append({**one.to_json(), "additionalProperties": told})
    more_follow = offset + count < len(found)
    return Response(200, {"total": len(found), "offset": offset + len(page), "hasMore": more_follow, "lists": page})


def _members(call: Call, segment: RecordList, by_joining: bool) -> Response:
    """Members by record id, or in the order in which they joined; `after` is where the next page begins."""
    limit = call.limit(call.request.first("limit"), 100, MAX_MEMBERS)
    after = call.after(call.request.first("after"))
    found = sorted(_visible(call, segment).items(), key=lambda one: (one[1] if by_joining else 0, int(one[0])))
    if by_joining:
        page, rest = found[after : after + limit], str(after + limit) if after + limit < len(found) else ""
    else:
        found = [one for one in found if int(one[0]) >= after]
        page, rest = found[:limit], found[limit][0] if len(found) > limit else ""
    body: Json = {
        "total": len(_visible(call, segment)),
        "results": [{"recordId": record_id, "membershipTimestamp": iso(at_ms)} for record_id, at_ms in page],
    }
    if rest:
        body["paging"] = {"next": {"after": rest, "link": "https://api.hubapi.com/crm/v3/lists"}}
    return Response(200, body)


def _of_record(call: Call, type_id: str, record_id: str) -> Response:
    """The reverse look-up: the lists that a record is in."""
    table = call.table(type_id)
    record_id = table.resolve(record_id)
    results = [
        {
            "listId": one.id,
            "listVersion": one.version,
            "firstAddedTimestamp": iso(one.members[record_id]),
            "lastAddedTimestamp": iso(one.members[record_id]),
        }
        for one in call.portal.lists.live()
        if one.type_id == table.kind.type_id and record_id in _visible(call, one)
    ]
    return Response(200, {"results": results, "total": len(results)})


def _change(call: Call, segment: RecordList, add: Any, remove: Any) -> Response:
    if segment.processing not in WRITABLE:
        raise errors.validation(
            f"List {segment.id} is not a manual or snapshot list; its members cannot be changed",
            subCategory="ILS.INVALID_LIST_PROCESSING_TYPE",
        )
    if not isinstance(add, list) or not isinstance(remove, list) or len(add) + len(remove) > MAX_CHANGE:
        raise errors.validation("Invalid input JSON on line 1, column 1: a list of record ids is expected")
    table = call.portal.tables[call.portal.by_type_id[segment.type_id]]
    known = {}
    for one in (str(each) for each in (*add, *remove)):
        record = table.find(table.resolve(one))
        if record is not None and record.archived_ms is None:
            known[one] = record.id
    missing = [str(one) for one in (*add, *remove) if str(one) not in known]
    now_ms, lists = call.portal.clock.now_ms(), call.portal.lists
    added = lists.add(segment, [known[str(one)] for one in add if str(one) in known], now_ms)
    removed = lists.remove(segment, [known[str(one)] for one in remove if str(one) in known], now_ms)
    body = {"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing}
    return Response(200, body)


def _visible(call: Call, segment: RecordList) -> dict[str, int]:
    table = call.portal.tables[call.portal.by_type_id[segment.type_id]]
    return {
        one: at_ms
        for one, at_ms in segment.members.items()
        if (record := table.find(one)) is not None and record.archived_ms is None
    }


def _shown(call: Call, segment: RecordList) -> Json:
    return {**segment.to_json(), "size": len(_visible(call, segment))}


def _missing(what: str) -> Rejection:
    message = f"List does not exist with ID {what}."
    return Rejection(
        404, error(message, "OBJECT_NOT_FOUND", subCategory="ILS.LIST_NOT_FOUND", context={"listId": [what]})
    )
