"""Several requests in one: composite (in order, with references) and composite/batch (independent). Section 8.

Promise: sub-requests take the same way as requests of their own, conditional headers included where the org honours
them there (a switch). composite/graph and composite/tree are not done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.salesforce.sandbox.call import Answer, Call
from connectors.salesforce.sandbox.errors import Problem, Refusal
from connectors.salesforce.sandbox.site import Site

MAX_REQUESTS = 25
MAX_HEAVY = 5
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_HEAVY = re.compile(r"^(query|queryAll)($|[/?])|^composite/sobjects")
_HALTED = Problem(
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)

Route = Callable[[Site, Call], Answer]


def composite(site: Site, call: Call, route: Route) -> Answer:
    """POST composite"""
    body = call.json_object()
    requests = _list(body, "compositeRequest")
    _check_shape(requests)
    all_or_none = body.get("allOrNone", False) is True
    answers: dict[str, Answer] = {}
    with site.org.store.transaction() as roll_back:
        for request in requests:
            name = request["referenceId"]
            if all_or_none and any(one.status >= 400 for one in answers.values()):
                answers[name] = Answer(400, [_HALTED.top()])
                continue
            answers[name] = _one(site, call, request, answers, route)
        if all_or_none and any(one.status >= 400 for one in answers.values()):
            roll_back()
            answers = {
                name: one if one.status >= 400 else Answer(400, [_HALTED.top()]) for name, one in answers.items()
            }
    return Answer(200, {"compositeResponse": [_printed(name, one) for name, one in answers.items()]})


def batch(site: Site, call: Call, route: Route) -> Answer:
    """POST composite/batch"""
    body = call.json_object()
    requests = _list(body, "batchRequests")
    if site.org.switches.batch_counts_each:
        call.count_calls(max(0, len(requests) - 1))
    halt, results, failed = body.get("haltOnError", False) is True, [], False
    for request in requests:
        if failed and halt:
            problem = Problem("BATCH_PROCESSING_HALTED", "Batch processing halted by request")
            results.append({"statusCode": 412, "result": [problem.top()]})
            continue
        url = str(request.get("url", ""))
        answer = _sent(
            site, call, str(request.get("method")), f"/services/data/{url}", request.get("richInput"), {}, route
        )
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(200, {"hasErrors": failed, "results": results})


def _list(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    requests = body.get(name)
    if not isinstance(requests, list) or not requests or not all(isinstance(one, dict) for one in requests):
        raise Refusal.one("JSON_PARSER_ERROR", f"{name} must be an array at [line:1, column:1]")
    if len(requests) > MAX_REQUESTS:
        raise Refusal.one("LIMIT_EXCEEDED", f"Limit of {MAX_REQUESTS} requests exceeded with {len(requests)}")
    return requests


def _check_shape(requests: list[dict[str, Any]]) -> None:
    names = [request.get("referenceId") for request in requests]
    if not all(isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in names):
        raise Refusal.one("INVALID_INPUT", "referenceId must begin with a letter and hold letters, digits and _ only")
    if len(set(names)) < len(names):
        raise Refusal.one("INVALID_INPUT", "Duplicate reference IDs")
    heavy = sum(1 for request in requests if _HEAVY.search(_below(str(request.get("url", "")))))
    if heavy > MAX_HEAVY:
        raise Refusal.one("LIMIT_EXCEEDED", f"at most {MAX_HEAVY} query and collections sub-requests are allowed")


def _below(url: str) -> str:
    return re.sub(r"^/?services/data/v\d+\.0/", "", url)


def _one(site: Site, call: Call, request: dict[str, Any], answers: Mapping[str, Answer], route: Route) -> Answer:
    try:
        url = _filled(request.get("url"), answers)
        body = _filled(request.get("body"), answers)
        headers = _filled(request.get("httpHeaders") or {}, answers)
    except Refusal as refusal:
        return Answer.of(refusal)
    return _sent(site, call, str(request.get("method")), str(url), body, headers, route)


def _sent(site: Site, call: Call, method: str, url: str, body: Any, headers: Mapping[str, str], route: Route) -> Answer:
    parts = urlsplit(url)
    match = re.match(r"/services/data/v(\d+\.0)/(.*)", parts.path)
    if match is None:
        return Answer.of(Refusal.one("NOT_FOUND", "The requested resource does not exist", 404))
    inner = Call(
        method=method,
        version=match.group(1),
        path=match.group(2).strip("/"),
        query=parse_qs(parts.query, keep_blank_values=True),
        headers={**_inherited(call), **{name.lower(): str(value) for name, value in headers.items()}},
        body=b"",
        actor=call.actor,
        strikes=call.strikes,
        host=call.host,
        composite=True,
        parsed=body,
    )
    try:
        return route(site, inner)
    except Refusal as refusal:
        return Answer.of(refusal)


def _inherited(call: Call) -> dict[str, str]:
    """The outer request's headers hold for all but its conditions."""
    return {name: value for name, value in call.headers.items() if not name.startswith("if-")}


def _printed(name: str, answer: Answer) -> dict[str, Any]:
    headers = {key: value for key, value in answer.headers.items() if key == "Location"}
    return {"body": answer.body, "httpHeaders": headers, "httpStatusCode": answer.status, "referenceId": name}


def _filled(value: Any, answers: Mapping[str, Answer]) -> Any:
    """The value with its `@{refId.path}` replaced. Refused: a reference to nothing."""
    if isinstance(value, dict):
        return {name: _filled(one, answers) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, answers) for one in value]
    if not isinstance(value, str):
        return value
    if whole := _REFERENCE.fullmatch(value):
        return _looked_up(whole, answers)
    return _REFERENCE.sub(lambda match: str(_looked_up(match, answers)), value)


def _looked_up(match: re.Match[str], answers: Mapping[str, Answer]) -> Any:
    answer = answers.get(match.group(1))
    current: Any = answer.body if answer is not None and answer.status < 400 else None
    for name, index in _STEP.findall(match.group(2)):
        try:
            current = current[name] if name else current[int(index)]
        except (KeyError, IndexError, TypeError):
            current = None
        if current is None:
            message = (
                f"Invalid reference specified. No value for {match.group(1)}{match.group(2)} found in {match.group(1)}"
            )
            raise Refusal.one("PROCESSING_HALTED", message)
    return current
