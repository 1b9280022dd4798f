"""GET query, queryAll and the pages that follow. Contract sections 4.1 and 4.2."""

from __future__ import annotations

import re

from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.cursors import MAX_PAGE, MIN_PAGE
from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.site import Site
from connectors.salesforce.sandbox.soql.parser import parse
from connectors.salesforce.sandbox.soql.results import run


def query(site: Site, call: Call) -> Answer:
    """GET query?q="""
    return _run(site, call, with_deleted=False)


def query_all(site: Site, call: Call) -> Answer:
    """GET queryAll?q= (its next pages are found under `query`, as the vendor has it)."""
    return _run(site, call, with_deleted=True)


def next_page(site: Site, call: Call, locator: str) -> Answer:
    """GET query/{locator}-{offset}"""
    if call.strikes.kind("invalid_locator"):
        raise Refusal.one("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _sent(call, site.cursors.next_page(locator, call.version))


def _run(site: Site, call: Call, with_deleted: bool) -> Answer:
    if call.strikes.kind("query_timeout"):
        raise Refusal.one("QUERY_TIMEOUT", "Your query request was running for too long.")
    text = call.first("q")
    if not text.strip():
        raise Refusal.one("MALFORMED_QUERY", "A query string has to be specified")
    result = run(site.org, parse(text), with_deleted)
    return _sent(call, site.cursors.first_page(result, with_deleted, _page_size(call), call.version))


def _sent(call: Call, body: dict[str, object]) -> Answer:
    """`foreign_next`: the next page's address leads to another host, as no honest server's would."""
    if (fault := call.strikes.kind("foreign_next")) and "nextRecordsUrl" in body:
        body["nextRecordsUrl"] = f"{fault.options.get('host', 'http://elsewhere.example')}{body['nextRecordsUrl']}"
    return Answer(200, body)


def _page_size(call: Call) -> int:
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""))
    return min(MAX_PAGE, max(MIN_PAGE, int(match.group(1)))) if match else MAX_PAGE
