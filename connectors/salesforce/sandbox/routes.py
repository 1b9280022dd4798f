"""Which handler answers which path below `/services/data/vNN.0/`. Contract section 21."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from connectors.salesforce.sandbox import batches, composites, describes, ingest, queries, query_jobs, replication, rows
from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Refusal, not_found
from connectors.salesforce.sandbox.site import Site

Handler = Callable[..., Answer]


def _composite(site: Site, call: Call) -> Answer:
    return composites.composite(site, call, route)


def _batch(site: Site, call: Call) -> Answer:
    return composites.batch(site, call, route)


def _no_such_action(site: Site, call: Call) -> Answer:
    """There is no standard action that converts a lead, whatever generated code believes."""
    raise not_found()


_METHODS = ("HEAD", "GET", "POST", "PATCH", "PUT", "DELETE")
_X, _SEG = r"([^/]+)", r"([^/]+)"
_TABLE: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    (r"", {"GET": describes.resources}),
    (r"limits", {"GET": describes.limits}),
    (r"query", {"GET": queries.query}),
    (r"queryAll", {"GET": queries.query_all}),
    (rf"query(?:All)?/{_SEG}", {"GET": queries.next_page}),
    (r"sobjects", {"GET": describes.describe_global}),
    (rf"sobjects/{_X}", {"GET": describes.basic, "POST": rows.post}),
    (rf"sobjects/{_X}/describe", {"GET": describes.describe}),
    (rf"sobjects/{_X}/updated", {"GET": replication.updated}),
    (rf"sobjects/{_X}/deleted", {"GET": replication.deleted}),
    (
        rf"sobjects/{_X}/{_SEG}",
        {"GET": rows.get, "PATCH": rows.patch, "DELETE": rows.delete, "POST": rows.post_external},
    ),
    (
        rf"sobjects/{_X}/{_SEG}/{_SEG}",
        {"GET": rows.get_external, "PATCH": rows.patch_external, "DELETE": rows.delete_external},
    ),
    (r"composite", {"POST": _composite}),
    (r"composite/batch", {"POST": _batch}),
    (r"composite/sobjects", {"POST": batches.post, "PATCH": batches.patch, "DELETE": batches.delete}),
    (rf"composite/sobjects/{_X}", {"GET": batches.retrieve, "POST": batches.retrieve}),
    (rf"composite/sobjects/{_X}/{_SEG}", {"PATCH": batches.patch_external}),
    (r"jobs/ingest", {"GET": ingest.listed, "POST": ingest.opened}),
    (rf"jobs/ingest/{_SEG}", {"GET": ingest.shown, "PATCH": ingest.moved, "DELETE": ingest.removed}),
    (rf"jobs/ingest/{_SEG}/batches", {"PUT": ingest.uploaded}),
    (rf"jobs/ingest/{_SEG}/(successfulResults|failedResults|unprocessed[Rr]ecords)", {"GET": ingest.results}),
    (r"jobs/query", {"GET": query_jobs.listed, "POST": query_jobs.opened}),
    (rf"jobs/query/{_SEG}", {"GET": query_jobs.shown, "PATCH": query_jobs.aborted, "DELETE": query_jobs.removed}),
    (rf"jobs/query/{_SEG}/results", {"GET": query_jobs.results}),
    (r"actions/standard(?:/.*)?", {"GET": _no_such_action, "POST": _no_such_action}),
)
_ROUTES = tuple((re.compile(pattern), methods) for pattern, methods in _TABLE)


def route(site: Site, call: Call) -> Answer:
    """Answers a call. Refused: 404 for an unknown path, 405 for a known one with another method."""
    for pattern, methods in _ROUTES:
        match = pattern.fullmatch(call.path)
        if match is None:
            continue
        handler = methods.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            allowed = ",".join(one for one in _METHODS if one in methods or (one == "HEAD" and "GET" in methods))
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
            raise Refusal.one("METHOD_NOT_ALLOWED", message, 405)
        return handler(site, call, *(unquote(part) for part in match.groups()))
    raise not_found()
