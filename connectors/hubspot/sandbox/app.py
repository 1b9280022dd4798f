"""The HubSpot-style sandbox: one portal behind the paths of every supported API version.

Promise: 2026-09, 2026-03, 2025-09, v3 and v4 paths lead to the same handlers over one store, and what was not
verified on a real account is a switch set to the harder case. It is not HubSpot: it knows what
the contract says and no more.
"""

from __future__ import annotations

import random
import re
import uuid
from typing import Any

from connectors.hubspot.sandbox import (
    account_api,
    associations_api,
    batch_api,
    errors,
    lists_api,
    marketing_api,
    objects_api,
    pipelines_api,
    properties_api,
)
from connectors.hubspot.sandbox.acts import Acts
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.limits import Limits
from connectors.hubspot.sandbox.portal import PORTAL_ID, Portal
from connectors.hubspot.sandbox.records import Source
from connectors.hubspot.sandbox.search import SearchCache, search
from connectors.hubspot.sandbox.tokens import Token, Tokens
from connectors.hubspot.sandbox.writes import Caller
from syncd.sandbox.chassis import Request, Response
from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Faults

MAX_URL = 16_384
_VERSION = r"(2026-09|2026-03|2025-09|v1|v3|v4)"
_ROUTES = (
    # The dated families put the version after the name, the old ones before it.
    (re.compile(rf"^/crm/objects/{_VERSION}/(.+)$"), "objects"),
    (re.compile(rf"^/crm/{_VERSION}/objects/(.+)$"), "objects"),
    (re.compile(rf"^/crm/associations/{_VERSION}/(.+)$"), "associations"),
    (re.compile(rf"^/crm/{_VERSION}/associations/(.+)$"), "associations"),
    (re.compile(rf"^/crm/properties/{_VERSION}/(.+)$"), "properties"),
    (re.compile(rf"^/crm/{_VERSION}/properties/(.+)$"), "properties"),
    (re.compile(rf"^/crm/property-validations/{_VERSION}/(.+)$"), "validations"),
    (re.compile(rf"^/crm/{_VERSION}/property-validations/(.+)$"), "validations"),
    (re.compile(rf"^/crm/pipelines/{_VERSION}/(.+)$"), "pipelines"),
    (re.compile(rf"^/crm/{_VERSION}/pipelines/(.+)$"), "pipelines"),
    (re.compile(rf"^/crm/owners/{_VERSION}/?(.*)$"), "owners"),
    (re.compile(rf"^/crm/{_VERSION}/owners/?(.*)$"), "owners"),
    (re.compile(rf"^/crm/lists/{_VERSION}/?(.*)$"), "lists"),
    (re.compile(rf"^/crm/{_VERSION}/lists/?(.*)$"), "lists"),
    (re.compile(rf"^/marketing/{_VERSION}/forms/?(.*)$"), "forms"),
    (re.compile(rf"^/marketing/campaigns/{_VERSION}/?(.*)$"), "campaigns"),
    (re.compile(rf"^/marketing/{_VERSION}/campaigns/?(.*)$"), "campaigns"),
    (re.compile(rf"^/account-info/{_VERSION}/(.+)$"), "account-info"),
)
_OAUTH = re.compile(rf"^/oauth/{_VERSION}/(.+)$")


class HubSpot:
    """The app (see `syncd.sandbox.chassis.App`)."""

    name = "hubspot"

    def __init__(self, clock: Clock, faults: Faults, seed: int = 0) -> None:
        self.clock = clock
        self.faults = faults
        self.portal = Portal(clock, seed)
        self.tokens = Tokens(random.Random(seed + 1), self.portal.switches)
        self.limits = Limits(self.portal.switches)
        self._acts = Acts(self.portal, self.tokens, self.limits)
        self._cache = SearchCache()
        self._ids = random.Random(seed + 2)

    def handle(self, request: Request) -> Response:
        """Answers one request as HubSpot would."""
        self.portal.tick()
        headers: dict[str, str] = {}
        try:
            response = self._answer(request, headers)
        except Rejection as rejection:
            body = rejection.body
            if isinstance(body, dict):
                body = {**body, "correlationId": self._uuid()}
            response = Response(rejection.status, body, rejection.headers)
        response.headers.update(headers)
        return response

    def act(self, action: dict[str, Any]) -> dict[str, Any]:
        """Does something as a person or an automation; see `acts`."""
        self.portal.tick()
        return self._acts.act(action)

    def state(self, object: str | None) -> dict[str, Any]:
        """Every record with its values and number of versions, merges, associations, lists, owners, usage. `object`: of one
        object, or one of these three alone."""
        self.portal.tick()
        tables = [one for name, one in self.portal.tables.items() if object in (None, name)]
        state: dict[str, Any] = {
            "objects": {
                table.kind.name: {key: record.to_state() for key, record in table.records.items()} for table in tables
            },
            "merged": {table.kind.name: dict(table.merged) for table in tables},
            "used_today": self.limits.used_today,
        }
        if object in (None, "associations"):
            state["associations"] = self.portal.associations.to_state()
        if object in (None, "lists"):
            state["lists"] = self.portal.lists.to_state()
        if object in (None, "owners"):
            state["owners"] = {one.id: one.to_json() for one in self.portal.owners.by_id.values()}
        return state

    def switch(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Sets switches; returns all of them."""
        self.portal.switches.change(changes)
        return self.portal.switches.to_json()

    # ------------------------------------------------------------ one request

    def _answer(self, request: Request, headers: dict[str, str]) -> Response:
        if len(request.path) + sum(len(value) for values in request.query.values() for value in values) > MAX_URL:
            raise Rejection(414, "<html><body><h1>414 Request-URI Too Large</h1></body></html>")
        self._vendor_wide_faults(request)
        now_ms = self.clock.now_ms()
        if found := _OAUTH.match(request.path):
            rest = [part for part in found[2].split("/") if part]
            return account_api.oauth(request, self.tokens, found[1], rest, now_ms)
        family, version, rest = _route(request.path)
        token = self._token(request, now_ms)
        lane = _lane(family, rest)
        policy = self.limits.refusal(now_ms, str(token.app_id), lane)
        if policy is not None:
            raise self._limited(policy)
        call = self._call(request, version, token)
        try:
            return self._dispatch(call, family, rest)
        finally:
            # Errors carry the rate-limit headers as well.
            headers.update(self.limits.headers(now_ms, str(token.app_id), lane, token.oauth))

    def _call(self, request: Request, version: str, token: Token) -> Call:
        source = Source("INTEGRATION", str(token.app_id), token.app_name, token.user_id)
        call = Call(self.portal, request, version, token, Caller(source, faults=request.faults))
        call.caller.new = call.new
        return call

    def _dispatch(self, call: Call, family: str, rest: list[str]) -> Response:
        if family == "objects":
            return self._objects(call, rest)
        if family == "account-info":
            return account_api.account_info(call, self.limits, rest)
        return _FAMILIES[family](call, rest)

    def _objects(self, call: Call, rest: list[str]) -> Response:
        method, reads = call.request.method, rest[1:] in (["search"], ["batch", "read"])
        table = call.table(rest[0], "read" if method == "GET" or reads else "write")
        match (method, rest[1:]):
            case ("GET", []):
                return objects_api.list_records(call, table)
            case ("POST", []):
                return objects_api.create_record(call, table)
            case ("POST", ["search"]):
                return search(call, table, self._cache)
            case ("POST", ["merge"]):
                return objects_api.merge_records(call, table)
            case ("POST", ["gdpr-delete"]) if table.kind.email is not None:
                return objects_api.gdpr_delete(call, table)
            case ("POST", ["batch", action]) if action in _BATCHES:
                return _BATCHES[action](call, table)
            case ("GET", [key]):
                return objects_api.get_record(call, table, key)
            case ("PATCH", [key]):
                return objects_api.patch_record(call, table, key)
            case ("DELETE", [key]):
                return objects_api.archive_record(call, table, key)
            case (_, [key, "associations", *tail]) if tail:
                return associations_api.of_record(call, table, key, tail)
            case (_, [] | [_]):
                raise Rejection(405, error("HTTP 405 Method Not Allowed"))
        raise errors.not_found()

    def _token(self, request: Request, now_ms: int) -> Token:
        token = self.tokens.bearer(request.headers.get("authorization"), now_ms)
        request.actor = token.app_name
        if request.fault("expire_token") is not None:
            raise self.tokens.expire(token, now_ms)
        return token

    def _vendor_wide_faults(self, request: Request) -> None:
        if limited := request.fault("rate_limit"):
            options = limited.options
            raise self._limited(str(options.get("policy", "TEN_SECONDLY_ROLLING")), options.get("retry_after_s"))
        if request.fault("locked") is not None:
            raise errors.locked()
        if moving := request.fault("moving"):
            raise errors.moving(int(moving.options.get("retry_after_s", 60)))

    def _limited(self, policy: str, retry_after_s: int | None = None) -> Rejection:
        switches = self.portal.switches
        retry_after_s = retry_after_s if retry_after_s is not None else switches.retry_after_s or None
        return errors.rate_limited(policy, switches.rate_limit_shape, self._uuid(), retry_after_s)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))


_FAMILIES = {
    "associations": associations_api.of_pair,
    "properties": properties_api.route,
    "validations": properties_api.validations,
    "pipelines": pipelines_api.route,
    "owners": account_api.owners,
    "lists": lists_api.route,
    "forms": marketing_api.forms,
    "campaigns": marketing_api.campaigns,
}
_BATCHES = {
    "read": batch_api.batch_read,
    "create": batch_api.batch_create,
    "update": batch_api.batch_update,
    "upsert": batch_api.batch_upsert,
    "archive": batch_api.batch_archive,
}


def _route(path: str) -> tuple[str, str, list[str]]:
    """(family, version, what follows). Rejection 404 for a path nobody serves."""
    for pattern, family in _ROUTES:
        if found := pattern.match(path):
            return family, found[1], [part.replace("%2F", "/") for part in found[2].split("/") if part]
    raise Rejection(404, error("No endpoint for this path", None))


def _lane(family: str, rest: list[str]) -> str:
    """Which meter a call counts on: search and associations have their own."""
    if family == "objects" and rest[1:] == ["search"]:
        return "search"
    if family == "associations" or (family == "objects" and len(rest) > 2 and rest[2] == "associations"):
        return "association"
    return "general"


def create(clock: Clock | None = None, faults: Faults | None = None, seed: int = 0) -> HubSpot:
    """A fresh, empty portal (id 4242001) with its properties, owners and the custom properties of the demo."""
    return HubSpot(clock or Clock(), faults or Faults(seed), seed)


__all__ = ["PORTAL_ID", "HubSpot", "create"]
