"""sObject collections: up to 200 records in one request, each with a result of its own. Contract sections 6.3 and 7.

Promise: results stand in the order of the request; the status is 200 whatever they say; what is refused as a whole
(400) changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from connectors.salesforce.sandbox import rows
from connectors.salesforce.sandbox.call import Answer, Call, refusal_of
from connectors.salesforce.sandbox.errors import Problem, Refusal, no_such_column
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.reading import record
from connectors.salesforce.sandbox.saving import create, live_keys, update
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.values import WrongType

MAX_RECORDS = 200
MAX_CHUNKS = 10
MAX_RETRIEVED = 2_000
_ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    (),
)

Save = Callable[[], dict[str, Any]]
"""Writes one record; its result. Refusal."""


def post(site: Site, call: Call) -> Answer:
    """POST composite/sobjects: create."""
    body, records = _records(call)
    kinds = _kinds(site, records)

    def saver(kind: ObjectType, given: Mapping[str, Any]) -> Save:
        def save() -> dict[str, Any]:
            rows.refuse_id(given)
            rows.strike(call, None)
            return {"id": create(site.org, call.actor, kind, given), "success": True, "errors": []}

        return save

    return _answer(site, call, body, [saver(kind, given) for kind, given in zip(kinds, records, strict=True)])


def patch(site: Site, call: Call) -> Answer:
    """PATCH composite/sobjects: update."""
    body, records = _records(call)
    kinds = _kinds(site, records)
    keys = [_id_of(given) for given in records]
    counts = Counter(normalise(key) for key in keys)

    def saver(kind: ObjectType, given: Mapping[str, Any], text: str | None) -> Save:
        def save() -> dict[str, Any]:
            key = _checked_id(kind, text)
            if counts[key] > 1:
                raise Refusal.one("DUPLICATE_VALUE", f"duplicate id specified: {text}", 400, ())
            rows.strike(call, key)
            values = {name: value for name, value in given.items() if name.lower() != "id"}
            update(site.org, call.actor, kind, key, values)
            return {"id": key, "success": True, "errors": []}

        return save

    savers = [saver(kind, given, key) for kind, given, key in zip(kinds, records, keys, strict=True)]
    return _answer(site, call, body, savers)


def patch_external(site: Site, call: Call, name: str, field_name: str) -> Answer:
    """PATCH composite/sobjects/X/{Field}: upsert."""
    kind = site.kind(name)
    field = rows.lookup_field(kind, field_name)
    body, records = _records(call)
    if any(one is not kind for one in _kinds(site, records)):
        raise Refusal.one("INVALID_TYPE", f"all records must be of type {kind.name}")
    counts = Counter(str(given.get(field.name)).casefold() for given in records)

    def saver(given: Mapping[str, Any]) -> Save:
        def save() -> dict[str, Any]:
            value = given.get(field.name)
            if value is None or value == "":
                raise Refusal.one("MISSING_ARGUMENT", f"{field.name} not specified", 400, ())
            if not isinstance(value, str):
                raise WrongType(
                    [Problem("JSON_PARSER_ERROR", f"Cannot deserialize instance of string for {field.name}")]
                )
            if counts[value.casefold()] > 1:
                raise Refusal.one("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", 400, (field.name,))
            keys = live_keys(site.org, kind.name, field, rows.stored_key(site, field, value))
            if len(keys) > 1:
                message = f"{field.label}: more than one record found for external id field: [{', '.join(keys)}]"
                raise Refusal.one("DUPLICATE_EXTERNAL_ID", message, 400, (field.name,))
            rows.strike(call, keys[0] if keys else None)
            rest = {one: other for one, other in given.items() if one != field.name}
            rows.refuse_id(rest)
            key, made = rows.upsert(site, call, kind, field, value, rest, keys)
            return {"id": key, "success": True, "errors": [], "created": made}

        return save

    return _answer(site, call, body, [saver(given) for given in records])


def delete(site: Site, call: Call) -> Answer:
    """DELETE composite/sobjects?ids=&allOrNone="""
    texts = [text for text in call.first("ids").split(",") if text]
    if not texts:
        raise Refusal.one("INVALID_INPUT", "ids are required")
    _check_count(texts, MAX_RECORDS)

    def saver(text: str) -> Save:
        def save() -> dict[str, Any]:
            key = normalise(text)
            kind = site.org.catalogue.seen(site.org.catalogue.object_of(key) or "") if key else None
            if key is None or kind is None:
                raise Refusal.one("MALFORMED_ID", f"malformed id {text}", 400, ())
            rows.strike(call, key)
            rows.remove(site, call, kind, key)
            return {"id": key, "success": True, "errors": []}

        return save

    return _answer(site, call, {"allOrNone": call.truth("allOrNone")}, [saver(text) for text in texts])


def retrieve(site: Site, call: Call, name: str) -> Answer:
    """GET composite/sobjects/X?ids=&fields= and POST with {"ids", "fields"}: in order, null for what is not there."""
    kind = site.kind(name)
    if call.method == "POST":
        body = call.json_object()
        ids, names = body.get("ids"), body.get("fields")
    else:
        ids, names = call.first("ids").split(","), call.first("fields").split(",")
    if not _texts(ids) or not _texts(names):
        raise Refusal.one("JSON_PARSER_ERROR", "ids and fields are required")
    assert ids is not None
    assert names is not None
    _check_count(ids, MAX_RETRIEVED)
    for field_name in names:
        if field_name not in kind.by_name:
            raise no_such_column(field_name, kind.name)
    fields = [kind.by_name[one] for one in dict.fromkeys(names)]
    found: list[dict[str, Any] | None] = []
    for text in ids:
        key = normalise(text)
        if key is None:
            raise Refusal.one("MALFORMED_ID", f"malformed id {text}")
        if not key.startswith(kind.prefix) and site.org.switches.foreign_id_malformed:
            raise Refusal.one("MALFORMED_ID", f"malformed id {text}")
        row = site.org.seen_row(kind, key)
        seen = row is not None and not row.get("IsDeleted")
        if row is not None and row.get("IsArchived") and not site.org.switches.archived_by_id:
            seen = False
        found.append(record(site.org, kind, row, fields, call.version) if row is not None and seen else None)
    return Answer(200, found)


# ---------------------------------------------------------------- the shared part


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _records(call: Call) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise Refusal.one("JSON_PARSER_ERROR", "records must be an array of objects at [line:1, column:1]")
    if not isinstance(body.get("allOrNone", False), bool):
        raise Refusal.one("JSON_PARSER_ERROR", "allOrNone must be a boolean at [line:1, column:1]")
    _check_count(records, MAX_RECORDS)
    return body, records


def _check_count(items: Sequence[Any], most: int) -> None:
    if len(items) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal.one("EXCEEDED_ID_LIMIT", message)


def _kinds(site: Site, records: Sequence[Mapping[str, Any]]) -> list[ObjectType]:
    kinds: list[ObjectType] = []
    for given in records:
        named = given.get("attributes")
        name = named.get("type") if isinstance(named, dict) else None
        if not isinstance(name, str):
            raise Refusal.one("INVALID_TYPE", "Must send a concrete entity type.")
        kind = site.org.catalogue.seen(name)
        if kind is None:
            raise Refusal.one("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        kinds.append(kind)
    chunks = sum(1 for _ in groupby(kind.name for kind in kinds))
    if chunks > MAX_CHUNKS:
        message = f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking."
        raise Refusal.one("LIMIT_EXCEEDED", message)
    return kinds


def _id_of(given: Mapping[str, Any]) -> str | None:
    value = next((value for name, value in given.items() if name.lower() == "id"), None)
    return value if isinstance(value, str) else None


def _checked_id(kind: ObjectType, text: str | None) -> str:
    if not text:
        raise Refusal.one("MISSING_ARGUMENT", "Id not specified in an update call", 400, ())
    key = normalise(text)
    if key is None or not key.startswith(kind.prefix):
        raise Refusal.one("MALFORMED_ID", f"{kind.label} ID: id value of incorrect type: {text}", 400, ("Id",))
    return key


def _answer(site: Site, call: Call, body: Mapping[str, Any], savers: Sequence[Save]) -> Answer:
    with site.org.store.transaction() as roll_back:
        results: list[dict[str, Any]] = []
        for save in savers:
            try:
                results.append(save())
            except WrongType as wrong:
                if site.org.switches.parser_error_fails_batch:
                    roll_back()
                    raise
                results.append(refusal_of(wrong.problems))
            except Refusal as refusal:
                results.append(refusal_of(refusal.problems))
        if body.get("allOrNone") and not all(result["success"] for result in results):
            roll_back()
            results = [refusal_of([_ROLLED_BACK]) if result["success"] else result for result in results]
    if fault := call.strikes.kind("missing_results"):
        results = results[: -int(fault.options.get("count", 1))]
    return Answer(200, results)
