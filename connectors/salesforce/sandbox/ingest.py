"""Bulk ingest: open, upload, complete; then the rows are worked off in batches on the virtual clock. Section 9.1.

Promise: a job is complete even when every row failed; results come in any order; an empty cell leaves alone, `#N/A`
clears. Faults of the request that completes the upload strike the job's rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.salesforce.sandbox import lifecycle
from connectors.salesforce.sandbox.bulk_csv import BadFile, parsed, spoilt, written
from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Problem, Refusal
from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.jobs import IngestJob, bad_state, settings
from connectors.salesforce.sandbox.rows import stored_key
from connectors.salesforce.sandbox.saving import create, live_keys, update
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.switches import Switches
from connectors.salesforce.sandbox.values import from_csv

BATCH_ROWS = 10_000
_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")


def opened(site: Site, call: Call) -> Answer:
    """POST jobs/ingest"""
    body = call.json_object()
    kind = site.org.catalogue.seen(str(body.get("object")))
    operation = str(body.get("operation"))
    if kind is None or operation not in _OPERATIONS:
        raise Refusal.one("INVALIDJOB", "Unknown object or operation")
    external = str(body.get("externalIdFieldName") or "")
    if operation == "upsert":
        field = kind.by_name.get(external)
        if field is None or not (field.external_id or field.id_lookup):
            raise Refusal.one("INVALIDJOB", f"InvalidJob : External ID field name is invalid: {external}")
    delimiter, line_ending = settings(call, body)
    job = IngestJob(
        site.jobs.new_id(),
        kind,
        operation,
        call.version,
        replace(call.actor, assign=bool(body.get("assignmentRuleId"))),
        site.org.clock.now_ms(),
        delimiter,
        line_ending,
        external=external,
    )
    site.jobs.keep(job)
    return Answer(200, _shown(job))


def listed(site: Site, call: Call) -> Answer:
    """GET jobs/ingest"""
    records = [_shown(job) for job in site.jobs.all(IngestJob)]
    return Answer(200, {"done": True, "records": records, "nextRecordsUrl": None})


def shown(site: Site, call: Call, job_id: str) -> Answer:
    """GET jobs/ingest/{id}"""
    job = site.jobs.find(IngestJob, job_id)
    figures = {
        "jobType": "V2Ingest",
        "retries": 0,
        "totalProcessingTime": max(0, job.moved_ms - job.created_ms),
        "apiActiveProcessingTime": max(0, job.moved_ms - job.created_ms),
        "apexProcessingTime": 0,
        "numberRecordsProcessed": len(job.done) + len(job.failed),
        "numberRecordsFailed": len(job.failed),
    }
    error = {"errorMessage": job.error} if job.error else {}
    return Answer(200, {**_shown(job), **figures, **error})


def removed(site: Site, call: Call, job_id: str) -> Answer:
    """DELETE jobs/ingest/{id}"""
    site.jobs.drop(site.jobs.find(IngestJob, job_id))
    return Answer(204)


def uploaded(site: Site, call: Call, job_id: str) -> Answer:
    """PUT jobs/ingest/{id}/batches: once."""
    job = site.jobs.find(IngestJob, job_id)
    if job.state != "Open":
        raise bad_state(f"Job is not open; it is {job.state}")
    if job.upload is not None:
        raise Refusal.one(
            "INVALIDJOBSTATE",
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
        )
    job.upload = call.body
    return Answer(201)


def moved(site: Site, call: Call, job_id: str) -> Answer:
    """PATCH jobs/ingest/{id}: UploadComplete or Aborted."""
    job = site.jobs.find(IngestJob, job_id)
    state = call.json_object().get("state")
    now_ms = site.org.clock.now_ms()
    if state == "Aborted" and job.state in ("Open", "UploadComplete", "InProgress"):
        site.jobs.move(job, "Aborted", now_ms)
    elif state == "UploadComplete" and job.state == "Open" and job.upload is not None:
        site.jobs.move(job, "UploadComplete", now_ms)
        job.strikes = call.strikes
        due_ms = now_ms + round(site.org.switches.bulk_queue_s * 1000)
        site.org.agenda.at(due_ms, lambda at_ms: _start(site, job, at_ms))
    else:
        raise bad_state(f"A job in state {job.state} cannot become {state}")
    return Answer(200, _shown(job))


def results(site: Site, call: Call, job_id: str, which: str) -> Answer:
    """GET jobs/ingest/{id}/successfulResults, failedResults, unprocessedrecords"""
    job = site.jobs.find(IngestJob, job_id)
    header = job.sheet.header if job.sheet else ()
    rows: list[list[str]]
    if which == "successfulResults":
        names = ("sf__Id", "sf__Created", *header)
        rows = [[key, "true" if made else "false", *cells] for key, made, cells in job.done]
    elif which == "failedResults":
        names = ("sf__Id", "sf__Error", *header)
        rows = [[key, error, *cells] for key, error, cells in job.failed]
    else:
        names = header
        rows = list(job.sheet.rows[job.taken :]) if job.sheet else []
    if site.org.switches.bulk_shuffle:
        site.org.chance.shuffle(rows)
    return Answer(200, written(names, rows, job.delimiter, job.line_ending), {"Content-Type": "text/csv"})


def _shown(job: IngestJob) -> dict[str, Any]:
    content_url = {"contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"}
    external = {"externalIdFieldName": job.external} if job.external else {}
    return {**job.shown(), **content_url, **external}


# ---------------------------------------------------------------- the work


def _start(site: Site, job: IngestJob, at_ms: int) -> None:
    if job.state != "UploadComplete":
        return
    try:
        job.sheet = parsed(job.upload or b"", job.delimiter, job.line_ending)
        _check_header(job.kind, job)
    except BadFile as bad:
        job.error = str(bad)
        site.jobs.move(job, "Failed", at_ms)
        return
    site.jobs.move(job, "InProgress", at_ms)
    _next_batch(site, job, at_ms)


def _next_batch(site: Site, job: IngestJob, at_ms: int) -> None:
    due_ms = at_ms + round(site.org.switches.bulk_batch_s * 1000)
    site.org.agenda.at(due_ms, lambda moment_ms: _work(site, job, moment_ms))


def _work(site: Site, job: IngestJob, at_ms: int) -> None:
    """One internal batch; what is committed stays committed, also when the job is aborted later."""
    if job.state != "InProgress" or job.sheet is None:
        return
    for cells in job.sheet.rows[job.taken : job.taken + BATCH_ROWS]:
        _row(site, job, cells)
        job.taken += 1
    if job.taken < len(job.sheet.rows):
        _next_batch(site, job, at_ms)
    else:
        site.jobs.move(job, "JobComplete", at_ms)


def _check_header(kind: ObjectType, job: IngestJob) -> None:
    assert job.sheet is not None
    for name in job.sheet.header:
        relation, _, rest = name.partition(".")
        known = any(field.relationship == relation for field in kind.fields) if rest else name in kind.by_name
        if not known:
            raise BadFile(f"InvalidBatch : Field name not found : {name}")
    needed = "Id" if job.operation in ("update", "delete", "hardDelete") else job.external
    if needed and needed not in job.sheet.header:
        raise BadFile(f"InvalidBatch : Field name not found in the header : {needed}")


def _row(site: Site, job: IngestJob, cells: list[str]) -> None:
    assert job.sheet is not None
    given = {name: cell for name, cell in zip(job.sheet.header, cells, strict=False) if cell != ""}
    key = normalise(given.get("Id")) or ""
    try:
        if reason := spoilt(cells, len(job.sheet.header)):
            raise Refusal.one("INVALID_INPUT", reason, 400, ())
        if refusal := job.strikes.record_refusal(key or None):
            raise refusal
        with site.org.store.transaction() as roll_back:
            try:
                done_key, made = _write(site, job, given)
            except Refusal:
                roll_back()
                raise
        job.done.append((done_key, made, cells))
    except Refusal as refusal:
        job.failed.append((key, "\n".join(problem.text() for problem in refusal.problems), cells))


def _write(site: Site, job: IngestJob, given: dict[str, str]) -> tuple[str, bool]:
    org, kind, actor = site.org, job.kind, job.actor
    values = _values({name: cell for name, cell in given.items() if name != "Id"})
    if job.operation == "insert":
        return create(org, actor, kind, values, _read), True
    if job.operation == "upsert":
        field = kind.by_name[job.external]
        return _upsert(site, job, field, given.get(job.external), values)
    key = normalise(given.get("Id"))
    if key is None or not key.startswith(kind.prefix):
        text = given.get("Id", "")
        raise Refusal([Problem("MALFORMED_ID", f"{kind.label} ID: id value of incorrect type: {text}", ("Id",))])
    if job.operation == "update":
        update(org, actor, kind, key, values, _read)
    elif job.operation == "delete":
        lifecycle.delete(org, actor, kind, key)
    else:
        lifecycle.delete(org, actor, kind, key)
        lifecycle.purge(org, kind.name, key)
    return key, False


def _upsert(site: Site, job: IngestJob, field: Field, value: str | None, values: dict[str, Any]) -> tuple[str, bool]:
    if not value:
        raise Refusal.one("MISSING_ARGUMENT", f"{field.name} not specified", 400, ())
    keys = live_keys(site.org, job.kind.name, field, stored_key(site, field, value))
    if len(keys) > 1:
        message = f"{field.label}: more than one record found for external id field: [{', '.join(keys)}]"
        raise Refusal.one("DUPLICATE_EXTERNAL_ID", message, 400, (field.name,))
    if keys:
        rest = {name: one for name, one in values.items() if name != field.name}
        update(site.org, job.actor, job.kind, keys[0], rest, _read)
        return keys[0], False
    return create(site.org, job.actor, job.kind, values, _read), True


def _values(given: dict[str, str]) -> dict[str, Any]:
    """Cells by column; `Account.Ext__c` becomes a nested object."""
    values: dict[str, Any] = {}
    for name, cell in given.items():
        relation, _, rest = name.partition(".")
        if rest:
            values[relation] = None if cell == "#N/A" else {rest: cell}
        else:
            values[name] = cell
    return values


def _read(switches: Switches, field: Field, value: Any) -> Any:
    """A cell, or the id that a nested object led to."""
    return from_csv(switches, field, "#N/A" if value is None else value)
