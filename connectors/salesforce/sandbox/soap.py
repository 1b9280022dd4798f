"""The SOAP calls that REST lacks: convertLead, merge, undelete; and login, which is refused.

Promise: an OAuth token in the session header is taken; everything else of SOAP is a fault. Contract sections 2.3, 16.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from connectors.salesforce.sandbox import lifecycle
from connectors.salesforce.sandbox.call import Answer
from connectors.salesforce.sandbox.conversion import Wish, convert
from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.org import NEWEST_API
from connectors.salesforce.sandbox.saving import Actor
from connectors.salesforce.sandbox.sessions import NOT_FOR_REST
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.wire import Request

MAX_BODY_BYTES = 1_000_000
LAST_LOGIN_API = 64
_PATH = re.compile(r"/services/Soap/[uc]/(\d+)\.0(?:/.*)?")
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com">'
    "<soapenv:Body>{0}</soapenv:Body></soapenv:Envelope>"
)
_XML = {"Content-Type": "text/xml;charset=UTF-8"}

Element = ElementTree.Element


def answer(site: Site, request: Request) -> Answer:
    """POST /services/Soap/u/NN.0"""
    match = _PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        return Answer(404, "<html><body><h1>URL No Longer Exists</h1></body></html>")
    version = int(match.group(1))
    if not 31 <= version <= NEWEST_API:
        return _fault("UNSUPPORTED_API_VERSION", "UNSUPPORTED_API_VERSION: Invalid Api version specified on URL")
    body = request.body
    if len(body) > MAX_BODY_BYTES or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return _fault("UNKNOWN_EXCEPTION", "The request is not SOAP")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return _fault("UNKNOWN_EXCEPTION", "The request is not XML")
    call = next(iter(_child(root, "Body") or ()), None)
    if call is None:
        return _fault("UNKNOWN_EXCEPTION", "The request has no body")
    name = _name(call)
    if name == "login":
        return _login(version)
    doer = _DOERS.get(name)
    if doer is None:
        return _fault("INVALID_OPERATION", f"No operation available for request {name}")
    try:
        user = site.sessions.user_of(_text(root, "sessionId"))
    except Refusal as refusal:
        message = refusal.problems[0].message
        code = "INVALID_SESSION_ID"
        return _fault(code, f"{code}: {message.replace(NOT_FOR_REST, 'Invalid Session ID found in SessionHeader')}")
    site.meters.count()
    results = "".join(f"<result>{_printed(one)}</result>" for one in doer(site, Actor(user), call))
    return Answer(200, _ENVELOPE.format(f"<{name}Response>{results}</{name}Response>").encode(), dict(_XML))


def _login(version: int) -> Answer:
    if version > LAST_LOGIN_API:
        return _fault("INVALID_OPERATION", "login is not available in this API version")
    return _fault("INVALID_LOGIN", "INVALID_LOGIN: Invalid username, password, security token; or user locked out.")


def _convert_lead(site: Site, actor: Actor, call: Element) -> Iterator[dict[str, Any]]:
    for item in _children(call, "leadConverts"):
        wish = Wish(
            lead=normalise(_text(item, "leadId")) or "",
            account=normalise(_text(item, "accountId")) or "",
            contact=normalise(_text(item, "contactId")) or "",
            opportunity="" if _text(item, "doNotCreateOpportunity") == "true" else _opportunity(site, item),
            status=_text(item, "convertedStatus"),
            owner=normalise(_text(item, "ownerId")) or "",
            overwrite_source=_text(item, "overwriteLeadSource") == "true",
        )
        try:
            made = convert(site.org, actor, wish)
        except Refusal as refusal:
            yield _failed(refusal)
            continue
        yield {
            "accountId": made["account"],
            "contactId": made["contact"],
            "leadId": wish.lead,
            "opportunityId": made["opportunity"],
            "success": True,
        }


def _opportunity(site: Site, item: Element) -> str:
    lead = site.org.row(normalise(_text(item, "leadId")))
    return _text(item, "opportunityName") or (f"{lead.get('Company')}-" if lead else "")


def _merge(site: Site, actor: Actor, call: Element) -> Iterator[dict[str, Any]]:
    for item in _children(call, "request"):
        master = _child(item, "masterRecord")
        losers = [normalise(one.text) or "" for one in _children(item, "recordToMergeIds")]
        key = normalise(_text(master, "Id")) if master is not None else None
        name = site.org.catalogue.object_of(key) if key else None
        try:
            if key is None or name is None or master is None:
                raise Refusal.one("MALFORMED_ID", "a master record is needed")
            values = {_name(one): one.text for one in master if _name(one) not in ("Id", "type")}
            with site.org.store.transaction() as roll_back:
                try:
                    lifecycle.merge(site.org, actor, site.org.whole(name), key, losers, values, fill=False)
                except Refusal:
                    roll_back()
                    raise
        except Refusal as refusal:
            yield _failed(refusal)
            continue
        yield {"id": key, "mergedRecordIds": losers, "success": True}


def _undelete(site: Site, actor: Actor, call: Element) -> Iterator[dict[str, Any]]:
    for item in _children(call, "ids"):
        key = normalise(item.text)
        name = site.org.catalogue.object_of(key) if key else None
        try:
            if key is None or name is None:
                raise Refusal.one("MALFORMED_ID", f"malformed id {item.text}")
            lifecycle.restore(site.org, name, key)
        except Refusal as refusal:
            yield _failed(refusal)
            continue
        yield {"id": key, "success": True}


_DOERS: Mapping[str, Callable[[Site, Actor, Element], Iterator[dict[str, Any]]]] = {
    "convertLead": _convert_lead,
    "merge": _merge,
    "undelete": _undelete,
}


def _failed(refusal: Refusal) -> dict[str, Any]:
    problem = refusal.problems[0]
    return {"errors": {"message": problem.message, "statusCode": problem.code}, "success": False}


def _fault(code: str, message: str) -> Answer:
    text = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{escape(message)}</faultstring></soapenv:Fault>"
    )
    return Answer(500, _ENVELOPE.format(text).encode(), dict(_XML))


def _printed(value: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for name, one in value.items():
        for item in one if isinstance(one, list) else [one]:
            if isinstance(item, Mapping):
                parts.append(f"<{name}>{_printed(item)}</{name}>")
            elif item is None:
                parts.append(f'<{name} xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>')
            else:
                parts.append(f"<{name}>{escape(str(item).lower() if isinstance(item, bool) else str(item))}</{name}>")
    return "".join(parts)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, name: str) -> list[Element]:
    return [one for one in element if _name(one) == name]


def _child(element: Element, name: str) -> Element | None:
    return next(iter(_children(element, name)), None)


def _text(element: Element, name: str) -> str:
    """The text of the first element of that name, however deep."""
    return next((one.text or "" for one in element.iter() if _name(one) == name), "").strip()
