"""The batch endpoints: read, create, update, upsert, archive (contract section 4.6).

Promise: what is refused whole changed nothing; what is refused in part names each refused input, and the rest is
applied. Results come in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import MAX_BATCH, MAX_BATCH_WITH_HISTORY, Call
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.objects_api import (
    Links,
    answered,
    by_property,
    do_create,
    do_update,
    lagging,
    links_of,
)
from connectors.hubspot.sandbox.portal import Table
from connectors.hubspot.sandbox.records import Record
from connectors.hubspot.sandbox.render import names, show
from connectors.hubspot.sandbox.values import iso
from connectors.hubspot.sandbox.writes import Conflict, Prepared, Reserved, prepare, reserve
from syncd.sandbox.chassis import Response
from syncd.sandbox.faults import Fault

Json = dict[str, Any]


@dataclass
class Step:
    """One input that passed its checks and waits to be applied."""

    trace: str | None
    prepared: Prepared
    record: Record | None
    links: Links


def batch_read(call: Call, table: Table) -> Response:
    """Values of up to 100 records (50 with history); what is not found is one aggregated error."""
    body = call.body()
    history = list(body.get("propertiesWithHistory") or [])
    inputs = call.inputs(body, MAX_BATCH_WITH_HISTORY if history else MAX_BATCH)
    ids = [str(one.get("id")) for one in inputs]
    if call.portal.switches.duplicate_ids_in_read == "reject":
        _no_duplicates(ids)
    id_property = body.get("idProperty")
    shown = names(table, list(body.get("properties") or []))
    archived = call.flag("archived")
    results: list[Json] = []
    missing: list[str] = []
    for key in dict.fromkeys(ids):
        record = _read_one(call, table, key, id_property)
        if record is DROPPED:
            continue
        values = lagging(call, table, record) if record else None
        if record is None or values is None or (record.archived_ms is not None) != archived:
            missing.append(key)
        else:
            results.append(show(call.portal, table, record, shown, history, values))
    return _answer(call, results, _missing(table, missing), 200)


DROPPED = Record("", None, 0, 0, {}, {}, None)  # type: ignore[arg-type]
"""Stands for an id that the answer leaves out without a word."""


def _read_one(call: Call, table: Table, key: str, id_property: str | None) -> Record | None:
    if id_property not in (None, "", "hs_object_id"):
        return by_property(call, table, str(id_property), key)
    if key in table.merged:
        how = call.portal.switches.merged_batch_read
        return table.find(table.resolve(key)) if how == "resolve" else DROPPED if how == "drop" else None
    return table.find(key)


def batch_create(call: Call, table: Table) -> Response:
    """All or nothing, unless each input has a trace id of its own."""
    inputs = call.inputs(call.body())
    reserved: Reserved = set()

    def check(one: Json) -> Step:
        links = links_of(call, table, one)
        prepared = prepare(call.portal, table, None, one.get("properties"), call.caller, reserved)
        return Step(one.get("objectWriteTraceId"), prepared, None, links)

    steps, refused = _check_all(call, table, inputs, check, reserved, _traced(inputs))
    return _answer(call, [_apply(call, table, step) for step in steps], refused, 201)


def batch_update(call: Call, table: Table) -> Response:
    """Unknown ids are reported, merged-away ones dropped in silence; else as `batch_create`."""
    inputs = call.inputs(call.body())
    _no_duplicates([str(one.get("id")) for one in inputs])
    strict = table.kind.email is not None and call.portal.switches.contacts_update_by_property == "reject"
    known: list[Json] = []
    records: dict[int, Record] = {}
    missing: list[str] = []
    for one in inputs:
        key, id_property = str(one.get("id")), one.get("idProperty")
        if id_property not in (None, "", "hs_object_id"):
            if strict:
                raise errors.validation(f"{table.kind.label} objects can only be updated by record id in a batch")
            record = by_property(call, table, str(id_property), key, "update/upsert")
        elif key in table.merged:
            continue
        else:
            record = table.find(key)
        if record is None or record.archived_ms is not None:
            missing.append(key)
        else:
            records[id(one)] = record
            known.append(one)
    reserved: Reserved = set()

    def check(one: Json) -> Step:
        record = records[id(one)]
        prepared = prepare(call.portal, table, record, one.get("properties"), call.caller, reserved)
        return Step(one.get("objectWriteTraceId") if echoes else None, prepared, record, [])

    echoes = _trace_counts(call)
    traced = echoes and _traced(inputs)
    steps, refused = _check_all(call, table, known, check, reserved, traced)
    return _answer(call, [_apply(call, table, step) for step in steps], refused + _missing(table, missing), 200)


def batch_upsert(call: Call, table: Table) -> Response:
    """Creates or updates by a unique property. By e-mail it is all or nothing (switch)."""
    inputs = call.inputs(call.body())
    _no_duplicates([str(one.get("id")) for one in inputs])
    reserved: Reserved = set()
    by_email = any(one.get("idProperty") == table.kind.email for one in inputs)

    def check(one: Json) -> Step:
        id_property, key = one.get("idProperty"), str(one.get("id"))
        if not id_property:
            raise errors.validation("idProperty is required to upsert")
        record = by_property(call, table, str(id_property), key, "update/upsert")
        if record is not None and record.archived_ms is not None:
            record = None
        properties = one.get("properties") or {}
        if record is None:
            properties = {id_property: key, **properties}
        prepared = prepare(call.portal, table, record, properties, call.caller, reserved)
        prepared.named = list(dict.fromkeys([*prepared.named, str(id_property)]))
        return Step(one.get("objectWriteTraceId") if echoes else None, prepared, record, [])

    echoes = _trace_counts(call)
    partial = not by_email or call.portal.switches.upsert_by_email_partial
    traced = partial and echoes and _traced(inputs)
    steps, refused = _check_all(call, table, inputs, check, reserved, traced)
    results = []
    for step in steps:
        new = step.record is None
        results.append({**_apply(call, table, step), "new": new})
    return _answer(call, results, refused, 200)


def batch_archive(call: Call, table: Table) -> Response:
    """204; unknown ids are ignored (switch)."""
    inputs = call.inputs(call.body())
    missing = []
    for one in inputs:
        record = table.find(str(one.get("id")))
        if record is None:
            missing.append(str(one.get("id")))
        else:
            call.portal.archive(table, record)
    if missing and call.portal.switches.archive_unknown == 207:
        return _answer(call, [], _missing(table, missing), 207)
    return Response(204)


def _check_all(
    call: Call,
    table: Table,
    inputs: list[Json],
    check: Callable[[Json], Step],
    reserved: Reserved,
    traced: bool,
) -> tuple[list[Step], list[Json]]:
    """Checks every input before any is applied. Not traced: the first refusal refuses the call."""
    fault = call.request.fault("partial_batch")
    struck = struck_inputs(call, fault, len(inputs))
    steps: list[Step] = []
    refused: list[Json] = []
    for at, one in enumerate(inputs):
        try:
            if fault is not None and at in struck:
                raise refused_by(fault)
            step = check(one)
        except Conflict as conflict:
            if not traced:
                raise Conflict(None, conflict.status) from None
            refused.append(_refusal(conflict, str(one["objectWriteTraceId"])))
        except Rejection as rejection:
            if not traced:
                raise
            refused.append(_refusal(rejection, str(one["objectWriteTraceId"])))
        else:
            reserve(table, step.prepared, reserved)
            steps.append(step)
    return steps, refused


def _apply(call: Call, table: Table, step: Step) -> Json:
    if step.record is None:
        record = do_create(call, table, step.prepared, step.links)
        body = answered(call, table, record, step.prepared, full=True)
    else:
        do_update(call, table, step.record, step.prepared)
        body = answered(call, table, step.record, step.prepared)
    if step.trace is not None:
        body["objectWriteTraceId"] = step.trace
    return body


def _refusal(rejection: Rejection, trace: str) -> Json:
    body = dict(rejection.body) if isinstance(rejection.body, dict) else error("internal error")
    context = {**body.get("context", {}), "objectWriteTraceId": [trace]}
    if isinstance(rejection, Conflict):
        body["message"] = "Contact already exists"
        if rejection.existing:
            context["existingId"] = [rejection.existing]
    body["context"] = context
    return body


def refused_by(fault: Fault) -> Rejection:
    """The refusal of one input that a `partial_batch` fault asks for."""
    options = fault.options
    category = str(options.get("category", "INTERNAL_ERROR"))
    return Rejection(int(options.get("status", 400)), error(str(options.get("message", "internal error")), category))


def struck_inputs(call: Call, fault: Fault | None, count: int) -> set[int]:
    """The inputs that a fault strikes: `indexes`, or a `share` of them (half)."""
    if fault is None:
        return set()
    if "indexes" in fault.options:
        return set(fault.options["indexes"])
    share = float(fault.options.get("share", 0.5))
    return {at for at in range(count) if call.portal.random.random() < share}


def _missing(table: Table, ids: list[str]) -> list[Json]:
    if not ids:
        return []
    message = (
        f"Could not get some {table.kind.label} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return [error(message, "OBJECT_NOT_FOUND", context={"ids": ids})]


def _answer(call: Call, results: list[Json], refused: list[Json], ok: int) -> Response:
    """The batch envelope; 207 or a plain 2xx when some inputs failed, by version."""
    portal = call.portal
    if portal.switches.shuffle_results:
        portal.random.shuffle(results)
    short = call.request.fault("short_answer")
    if short is not None:
        dropped = struck_inputs(call, short, len(results))
        results = [one for at, one in enumerate(results) if at not in dropped]
    stamp = iso(portal.clock.now_ms())
    body: Json = {
        "status": "COMPLETE",
        "results": results,
        "requestedAt": stamp,
        "startedAt": stamp,
        "completedAt": stamp,
    }
    if not refused:
        return Response(ok, body)
    body.update(numErrors=len(refused), errors=refused)
    return Response(ok if call.new and portal.switches.multi_status == "by_version" else 207, body)


def _traced(inputs: list[Json]) -> bool:
    traces = [one.get("objectWriteTraceId") for one in inputs]
    return all(isinstance(one, str) and one for one in traces) and len(set(traces)) == len(traces)


def _trace_counts(call: Call) -> bool:
    how = call.portal.switches.trace_on_update
    return how == "always" or (how == "old_versions" and not call.new)


def _no_duplicates(ids: list[str]) -> None:
    repeated = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if repeated:
        text = ", ".join(repeated)
        message = f"Duplicate IDs found in batch input: [{text}]. IDs must be unique"
        raise errors.validation(message, context={"ids": repeated})
