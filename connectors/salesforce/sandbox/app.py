"""The sandbox as the chassis sees it: requests, actions, state, switches.

Promise: the order of refusals is the vendor's: host trouble, retired version, session, limits, media type, then the
resource. Vendor faults: see `FAULTS`.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import Any

import orjson

from connectors.salesforce.sandbox import acts, cast, describes, soap
from connectors.salesforce.sandbox.call import Answer, Call, Strikes
from connectors.salesforce.sandbox.errors import Refusal, not_found
from connectors.salesforce.sandbox.org import NEWEST_API, Org
from connectors.salesforce.sandbox.reading import getter, shown
from connectors.salesforce.sandbox.routes import route
from connectors.salesforce.sandbox.saving import Actor
from connectors.salesforce.sandbox.sessions import EXPIRED, NOT_FOR_REST, unauthorised
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Faults
from syncd.sandbox.wire import Refused, Request, Response

FAULTS = {
    "expire_token": "401 Session expired or invalid; the token is dead from now on",
    "permanent_401": "401 with the message of sessions that no refresh mends",
    "daily_limit": "403 TotalRequests Limit exceeded.",
    "concurrent_limit": "403 ConcurrentPerOrgLongTxn Limit exceeded.",
    "maintenance": "503 with an HTML page; nothing applied",
    "server_unavailable": "503 SERVER_UNAVAILABLE",
    "edge_trouble": "420 with no body",
    "unknown_exception": "500 UNKNOWN_EXCEPTION after the request was applied (applied: false: before)",
    "lock_row": "UNABLE_TO_LOCK_ROW for records (default [1]; 1-based, or every: n) of the request",
    "partial_batch": "records (default [2], or every: n) are refused with code, message, fields",
    "upsert_race": "somebody inserts the same new key between the look and the insert of an upsert",
    "missing_results": "a collections answer lacks its last `count` elements",
    "query_timeout": "400 QUERY_TIMEOUT",
    "invalid_locator": "400 INVALID_QUERY_LOCATOR for a next page",
    "foreign_next": "nextRecordsUrl leads to `host`",
}
MAX_URI_BYTES = 16_384
OLDEST_API = 31
_DATA = re.compile(r"/services/data/v(\d+)\.0(?:/(.*))?")
_MAINTENANCE = (
    "<html><head><title>Salesforce - Maintenance</title></head><body><h1>We are down for maintenance</h1></body></html>"
)


class SalesforceSandbox:
    """One org behind its REST API. See `syncd.sandbox.wire.App`."""

    name = "salesforce"

    def __init__(self, clock: Clock, faults: Faults, seed: int) -> None:
        self.clock = clock
        self.faults = faults
        self.org = Org.empty(clock, seed)
        cast.fill(self.org)
        self.site = Site.of(self.org)

    def handle(self, request: Request) -> Response:
        """Answers as the vendor would."""
        self.org.agenda.settle(self.clock.now_ms())
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            answer = Answer.of(refusal)
        return _response(request, answer)

    def act(self, action: dict[str, Any]) -> dict[str, Any]:
        """See `acts.py`."""
        self.org.agenda.settle(self.clock.now_ms())
        return acts.act(self.site, action)

    def state(self, object: str | None) -> dict[str, Any]:
        """Every record with every field, deleted ones included; which are hidden, and what is not committed yet."""
        self.org.agenda.settle(self.clock.now_ms())
        if object is not None and object not in self.org.store.tables:
            raise Refused(f"there is no object {object}")
        names = [object] if object else self.org.catalogue.names()
        return {
            "objects": {name: self._records(name) for name in names},
            "hidden": sorted(self.org.hidden),
            "pending": sorted(self.org.pending),
        }

    def switch(self, changes: dict[str, Any]) -> dict[str, Any]:
        """See `switches.py`."""
        values = self.org.switches.change(changes)
        cast.rename_org(self.org)
        cast.show_currencies(self.org)
        return values

    def _records(self, name: str) -> dict[str, dict[str, Any]]:
        getters = [(field, getter(self.org, field)) for field in self.org.whole(name).fields]
        rows = self.org.table(name).rows
        return {key: {field.name: shown(field, get(row)) for field, get in getters} for key, row in rows.items()}

    # ------------------------------------------------------------ requests

    def _answer(self, request: Request) -> Answer:
        strikes = Strikes(request.faults)
        if len(request.target or request.path) > MAX_URI_BYTES:
            return Answer(414, "<html><body><h1>URI Too Long</h1></body></html>")
        if len(request.target) + sum(len(one) + len(two) + 4 for one, two in request.headers.items()) > MAX_URI_BYTES:
            return Answer(431, "<html><body><h1>Request Header Fields Too Large</h1></body></html>")
        if strikes.kind("maintenance"):
            return Answer(503, _MAINTENANCE)
        if strikes.kind("edge_trouble"):
            return Answer(420)
        path = request.path.rstrip("/")
        if path == "/services/data" and request.method == "GET":
            return Answer(200, describes.versions())
        if path.startswith(("/services/oauth2/", "/id/")):
            return self._login(request, path, strikes)
        if path.startswith("/services/Soap/"):
            return soap.answer(self.site, request)
        return self._data(request, strikes)

    def _login(self, request: Request, path: str, strikes: Strikes) -> Answer:
        login = self.site.login
        if strikes.kind("server_unavailable"):
            raise Refusal.one("SERVER_UNAVAILABLE", "server too busy", 503)
        if path == "/services/oauth2/token" and request.method == "POST":
            return login.token(request)
        if path == "/services/oauth2/revoke":
            return login.revoke(request)
        base = f"http://{request.headers.get('host', 'localhost')}"
        try:
            user = self.site.sessions.user_of(_token(request))
        except Refusal:
            return Answer(403, "Bad_OAuth_Token")
        if path == "/services/oauth2/userinfo":
            return Answer(200, login.user_info(user, base))
        if path == f"/id/{self.org.org_id}/{user}":
            return Answer(200, login.identity(user, base))
        raise not_found()

    def _data(self, request: Request, strikes: Strikes) -> Answer:
        raw = (request.target or request.path).partition("?")[0]
        match = _DATA.fullmatch(raw)
        if match is None:
            return Answer(404, "<html><body><h1>URL No Longer Exists</h1></body></html>")
        number = int(match.group(1))
        if number < OLDEST_API:
            raise Refusal.one("UNSUPPORTED_API_VERSION", "The requested API version has been retired", 410)
        if number > NEWEST_API:
            raise not_found()
        user = self._user(request, strikes)
        try:
            self._check_limits(strikes)
            call = self._call(request, strikes, f"{number}.0", match.group(2) or "", user)
            if (unknown := strikes.kind("unknown_exception")) and unknown.options.get("applied") is False:
                return self._counted(_unknown(self.org))
            answer = route(self.site, call)
        except Refusal as refusal:
            answer, unknown = Answer.of(refusal), None
        return self._counted(_unknown(self.org) if unknown else answer)

    def _user(self, request: Request, strikes: Strikes) -> str:
        if strikes.kind("permanent_401"):
            raise unauthorised(NOT_FOR_REST)
        token = _token(request)
        if strikes.kind("expire_token"):
            self.site.sessions.end(token)
            raise unauthorised(EXPIRED)
        user = self.site.sessions.user_of(token)
        row = self.org.table("User").rows[user]
        request.actor = str(row["Username"])
        if not row.get("IsActive"):
            self.site.sessions.end(token)
            raise unauthorised(EXPIRED)
        return user

    def _check_limits(self, strikes: Strikes) -> None:
        if strikes.kind("daily_limit"):
            raise Refusal.one("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
        if strikes.kind("concurrent_limit"):
            raise Refusal.one("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403)
        if strikes.kind("server_unavailable"):
            raise Refusal.one("SERVER_UNAVAILABLE", "server too busy", 503)
        self.site.meters.check()
        self.site.meters.count()

    def _counted(self, answer: Answer) -> Answer:
        answer.headers["Sforce-Limit-Info"] = self.site.meters.header()
        return answer

    def _call(self, request: Request, strikes: Strikes, version: str, path: str, user: str) -> Call:
        headers = request.headers
        actor = Actor(
            user,
            assign=headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE",
            allow_duplicates="allowsave=true"
            in headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower(),
        )
        method = request.method
        if method == "POST" and self.org.switches.method_override and (other := request.first("_HttpMethod")):
            method = other.upper()
        body = _body(request)
        kind = headers.get("content-type", "")
        if body and "json" not in kind and "csv" not in kind:
            raise Refusal.one(
                "UNSUPPORTED_MEDIA_TYPE", f"Content-Type header specified in HTTP request is not supported: {kind}", 415
            )
        return Call(
            method=method,
            version=version,
            path=path.strip("/"),
            query=request.query,
            headers=headers,
            body=body,
            actor=actor,
            strikes=strikes,
            host=headers.get("host", ""),
            count_calls=self.site.meters.count,
        )


def _unknown(org: Org) -> Answer:
    number = org.chance.randrange(10**9)
    message = (
        f"An unexpected error occurred. Please include this ErrorId if you contact support: {number}-{number % 977}"
    )
    return Answer(500, [{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}])


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""


def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "") != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error):
        raise Refusal.one("JSON_PARSER_ERROR", "The body is not gzip", 400) from None


def _response(request: Request, answer: Answer) -> Response:
    compress = "gzip" in request.headers.get("accept-encoding", "")
    body = answer.body
    if isinstance(body, dict | list):
        pretty = request.headers.get("x-prettyprint") == "1"
        body = json.dumps(body, indent=2).encode() if pretty else orjson.dumps(body)
        answer.headers.setdefault("Content-Type", "application/json;charset=UTF-8")
    return Response(answer.status, body, answer.headers, gzip=compress and bool(body))
