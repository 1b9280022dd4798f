"""Bulk queries: a statement, some time, then CSV pages. Contract section 9.2.

Promise: results are those of the moment the job ran; the last page's Sforce-Locator is the text `null`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from connectors.salesforce.sandbox.bulk_csv import written
from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.jobs import CLOSED, QueryJob, bad_state, settings
from connectors.salesforce.sandbox.reading import csv_cell
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.soql.aggregates import is_aggregate
from connectors.salesforce.sandbox.soql.parser import parse
from connectors.salesforce.sandbox.soql.results import run
from connectors.salesforce.sandbox.soql.scope import Scope


def opened(site: Site, call: Call) -> Answer:
    """POST jobs/query"""
    body = call.json_object()
    operation, text = str(body.get("operation")), body.get("query")
    if operation not in ("query", "queryAll") or not isinstance(text, str):
        raise Refusal.one("INVALIDJOB", "operation must be query or queryAll, with a query")
    query = parse(text)
    if is_aggregate(query) or query.offset is not None:
        raise Refusal.one("MALFORMED_QUERY", "Aggregates, GROUP BY and OFFSET are not supported in bulk queries")
    kind = Scope.of(site.org, query.object, text, query.object_at).kind
    delimiter, line_ending = settings(call, body)
    now_ms = site.org.clock.now_ms()
    job = QueryJob(
        site.jobs.new_id(), kind, operation, call.version, call.actor, now_ms, delimiter, line_ending, text=text
    )
    site.jobs.keep(job)
    site.meters.query_jobs += 1
    site.jobs.move(job, "UploadComplete", now_ms)
    due_ms = now_ms + round(site.org.switches.bulk_query_s * 1000)
    site.org.agenda.at(due_ms, lambda at_ms: _run(site, job, at_ms))
    return Answer(200, job.shown())


def listed(site: Site, call: Call) -> Answer:
    """GET jobs/query"""
    return Answer(
        200, {"done": True, "records": [job.shown() for job in site.jobs.all(QueryJob)], "nextRecordsUrl": None}
    )


def shown(site: Site, call: Call, job_id: str) -> Answer:
    """GET jobs/query/{id}"""
    job = site.jobs.find(QueryJob, job_id)
    body: dict[str, Any] = {
        **job.shown(),
        "jobType": "V2Query",
        "retries": 0,
        "totalProcessingTime": max(0, job.moved_ms - job.created_ms),
        "numberRecordsProcessed": len(job.rows),
    }
    return Answer(200, {**body, "errorMessage": job.error} if job.error else body)


def aborted(site: Site, call: Call, job_id: str) -> Answer:
    """PATCH jobs/query/{id} with {"state": "Aborted"}"""
    job = site.jobs.find(QueryJob, job_id)
    if call.json_object().get("state") != "Aborted" or job.state in CLOSED:
        raise bad_state(f"A job in state {job.state} can only be aborted while it runs")
    site.jobs.move(job, "Aborted", site.org.clock.now_ms())
    return Answer(200, job.shown())


def removed(site: Site, call: Call, job_id: str) -> Answer:
    """DELETE jobs/query/{id}"""
    site.jobs.drop(site.jobs.find(QueryJob, job_id))
    return Answer(204)


def results(site: Site, call: Call, job_id: str) -> Answer:
    """GET jobs/query/{id}/results?maxRecords=&locator="""
    job = site.jobs.find(QueryJob, job_id)
    if call.version != job.version:
        raise Refusal.one("API_VERSION_MISMATCH", f"The job was created with API version {job.version}", 409)
    if job.state != "JobComplete":
        raise bad_state(f"The job has no results yet; it is {job.state}")
    start = _offset(call.first("locator"), len(job.rows))
    asked = call.first("maxRecords")
    if asked and not (asked.isdigit() and int(asked)):
        raise Refusal.one("INVALID_INPUT", "maxRecords must be a positive number")
    end = start + min(int(asked or site.org.switches.bulk_result_rows), site.org.switches.bulk_result_rows)
    page = job.rows[start:end]
    names = [".".join(_canonical(column.found.hops, column.found.field.name)) for column in job.columns]
    cells = ([csv_cell(one.found.field, one.found.get(row)) for one in job.columns] for row in page)
    headers = {
        "Content-Type": "text/csv",
        "Sforce-Locator": _locator(end) if end < len(job.rows) else "null",
        "Sforce-NumberOfRecords": str(len(page)),
    }
    return Answer(200, written(names, cells, job.delimiter, job.line_ending), headers)


def _canonical(hops: tuple[Any, ...], name: str) -> list[str]:
    return [*(hop.relationship for hop in hops), name]


def _run(site: Site, job: QueryJob, at_ms: int) -> None:
    if job.state != "UploadComplete":
        return
    try:
        result = run(site.org, parse(job.text), with_deleted=job.operation == "queryAll")
    except Refusal as refusal:
        job.error = f"{refusal.problems[0].code}: {refusal.problems[0].message}"
        site.jobs.move(job, "Failed", at_ms)
        return
    job.columns, job.rows = result.columns, result.rows
    site.jobs.move(job, "JobComplete", at_ms)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str, count: int) -> int:
    if not locator:
        return 0
    try:
        text = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    if not text.isdigit() or int(text) >= count:
        raise Refusal.one("INVALID_QUERY_LOCATOR", "invalid query locator")
    return int(text)
