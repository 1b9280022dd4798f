"""What passed over the line, in words: which values the engine was shown, and which it wrote.

Promise: it reads requests and answers as the vendors' documents describe them, and nothing else: no ledger, no engine.
What a search shows are ids and stamps, never values (the index lags), so a search shows nothing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from rules import OBJECTS

from syncd.sandbox.wire import Request, Response


@dataclass(frozen=True)
class Shown:
    """A record as an answer showed it."""

    object: str
    key: str
    values: dict[str, Any]
    at_s: float | None = None
    """It is a step of the record's history: when it was taken. None: it is how the record is."""


@dataclass
class Write:
    """One record in a request that writes."""

    object: str
    op: str
    key: str | None
    values: dict[str, Any]
    condition: str | None = None
    place: int = 0
    """Its place in the request."""
    ref: str = ""
    sent: bool = field(default=False)
    """The answer says that it was done."""


_HUBSPOT = re.compile(r"/crm/objects/[^/]+/contacts(?:/(.+))?$")
_SALESFORCE = re.compile(r"/services/data/v[\d.]+/(.+)$")


def writes(vendor: str, request: Request) -> list[Write]:
    """The effects that a request asks for; none: it is a read."""
    if vendor == "hubspot":
        found = _HUBSPOT.search(request.path)
        rest = (found[1] or "") if found else ""
        if not rest.startswith("batch/") or rest == "batch/read":
            return []
        op = rest.removeprefix("batch/")
        return [
            Write("contacts", op, one.get("id"), dict(one.get("properties", {})), place=at, ref=one.get("objectWriteTraceId", ""))
            for at, one in enumerate(_json(request)["inputs"])
        ]  # fmt: skip
    found = _SALESFORCE.search(request.path)
    rest = found[1] if found else ""
    if rest == "composite/sobjects":
        if request.method == "DELETE":
            keys = (request.first("ids") or "").split(",")
            return [Write("?", "archive", key, {}, place=at) for at, key in enumerate(keys)]
        op = "create" if request.method == "POST" else "update"
        return [
            Write(one["attributes"]["type"], op, one.get("Id") or one.get("id"), _fields(one), place=at)
            for at, one in enumerate(_json(request)["records"])
        ]
    if rest == "composite":
        made = []
        for at, part in enumerate(_json(request)["compositeRequest"]):
            place = re.search(r"/sobjects/(\w+)/(\w+)", part["url"])
            if part["method"] == "PATCH" and place:
                condition = part.get("httpHeaders", {}).get("If-Unmodified-Since")
                made.append(Write(place[1], "update", place[2], dict(part["body"]), condition, at, part["referenceId"]))
        return made
    return []


def answered(vendor: str, asked: list[Write], response: Response) -> None:
    """Marks the writes that an answer says were done, with the key of what was created."""
    body = response.body
    if response.status >= 300:
        return
    if vendor == "hubspot":
        if not isinstance(body, dict):
            return
        rows = body.get("results", [])
        for one in asked:
            for row in rows:
                given = row.get("objectWriteTraceId") or row.get("properties", {})
                same = row.get("id") == one.key if one.key else _made_of(one, row)
                if same and given is not None:
                    one.sent, one.key = True, str(row["id"])
        return
    body = json.loads(body) if isinstance(body, bytes) and body else body
    if isinstance(body, list):
        for one in asked:
            if one.place < len(body) and body[one.place].get("success"):
                one.sent, one.key = True, str(body[one.place]["id"])
    elif isinstance(body, dict):
        by_ref = {row["referenceId"]: row for row in body.get("compositeResponse", [])}
        for one in asked:
            one.sent = by_ref.get(one.ref, {}).get("httpStatusCode") in (200, 204)


def _made_of(one: Write, row: dict[str, Any]) -> bool:
    key = one.values.get("syncd_key")
    return key is not None and row.get("properties", {}).get("syncd_key") == key


def shown(vendor: str, request: Request, response: Response) -> Iterator[Shown]:
    """The records whose values an answer shows."""
    if response.status >= 300:
        return
    if vendor == "hubspot":
        found = _HUBSPOT.search(request.path)
        if not found or found[1] == "search" or not isinstance(response.body, dict):
            return
        asked = _asked(request)
        for row in response.body.get("results", [response.body]):
            if "id" in row and isinstance(row.get("properties"), dict):
                yield from _steps(str(row["id"]), row.get("propertiesWithHistory") or {})
                said = row["properties"]
                names = [name for name in asked if name in said] if asked else list(said)
                yield Shown("contacts", str(row["id"]), {name: said[name] for name in names})
        return
    body = response.body
    body = json.loads(body) if isinstance(body, bytes) and body else body
    yield from _salesforce(body)


def _steps(key: str, histories: dict[str, list[dict[str, Any]]]) -> Iterator[Shown]:
    """What a record said before, oldest first."""
    taken = [
        Shown("contacts", key, {name: step["value"]}, datetime.fromisoformat(step["timestamp"]).timestamp())
        for name, steps in histories.items()
        for step in reversed(steps)
    ]
    yield from sorted(taken, key=lambda one: one.at_s or 0.0)


def _asked(request: Request) -> list[str]:
    if request.method == "GET":
        return (request.first("properties") or "").split(",")
    body = _json(request)
    return list(body.get("properties", [])) if isinstance(body, dict) and "properties" in body else []


def _salesforce(body: Any) -> Iterator[Shown]:
    if isinstance(body, list):
        for row in body:
            yield from _salesforce(row)
    elif isinstance(body, dict):
        kind = body.get("attributes", {}).get("type") if isinstance(body.get("attributes"), dict) else None
        if kind in OBJECTS and "Id" in body:
            yield Shown(kind, body["Id"], {k: v for k, v in body.items() if k not in ("attributes", "Id")})
        for name in ("records", "compositeResponse", "body"):
            if name in body:
                yield from _salesforce(body[name])


def _json(request: Request) -> Any:
    return json.loads(request.body)


def _fields(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in ("attributes", "Id", "id")}


def searched(request: Request) -> bool:
    """Whether a request asks a lagging index."""
    return unquote(request.path).endswith("/search")
