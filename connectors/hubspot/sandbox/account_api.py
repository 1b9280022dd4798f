"""The account's own endpoints: owners, account-info, OAuth (contract sections 2.2, 9, 11, 15).

Promise: nothing here changes a record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.catalogue import CURRENCIES
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.limits import Limits
from connectors.hubspot.sandbox.portal import PORTAL_ID, Portal
from connectors.hubspot.sandbox.tokens import CLIENT_ID, CLIENT_SECRET, SCOPES, Token, Tokens
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.chassis import Request, Response

HUB_DOMAIN = "syncd-sandbox.example"


def owners(call: Call, rest: list[str]) -> Response:
    """GET `/crm/owners/{V}` and `/{ownerId}?idProperty=id|userId`."""
    call.require("crm.objects.owners.read")
    if call.request.method != "GET":
        raise Rejection(405, error("HTTP 405 Method Not Allowed"))
    archived = call.flag("archived")
    if rest:
        return Response(200, _owner(call, rest[0], archived))
    limit = call.limit(call.request.first("limit"), 100, call.portal.switches.owners_page_max)
    after = call.after(call.request.first("after"))
    found = [one for one in call.portal.owners.listed(archived, call.request.first("email")) if int(one.id) >= after]
    body: dict[str, Any] = {"results": [one.to_json() for one in found[:limit]]}
    if len(found) > limit:
        link = f"https://api.hubapi.com/crm/v3/owners/?after={found[limit].id}&limit={limit}"
        body["paging"] = {"next": {"after": found[limit].id, "link": link}}
    return Response(200, body)


def _owner(call: Call, key: str, archived: bool) -> dict[str, Any]:
    by_user = call.request.first("idProperty", "id") == "userId"
    for one in call.portal.owners.listed(archived, None):
        if key == (str(one.user_id) if by_user else one.id):
            return one.to_json()
    raise errors.not_found()


def account_info(call: Call, limits: Limits, rest: list[str]) -> Response:
    """GET `/account-info/{V}/details` and `/api-usage/daily/private-apps`."""
    now_ms = call.portal.clock.now_ms()
    if rest == ["details"]:
        return Response(200, _details(call.portal, now_ms))
    if rest == ["api-usage", "daily", "private-apps"]:
        row = {
            "name": "Private Apps",
            "usageLimit": limits.daily(),
            "currentUsage": limits.used_today,
            "collectedAt": iso(now_ms),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(limits.resets_at_ms(now_ms)),
        }
        return Response(200, {"results": [row]})
    raise errors.not_found()


def _details(portal: Portal, now_ms: int) -> dict[str, Any]:
    zone = portal.switches.time_zone
    offset = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone)).utcoffset()
    offset_ms = int(offset.total_seconds() * 1000) if offset else 0
    minutes = abs(offset_ms) // 60_000
    return {
        "portalId": PORTAL_ID,
        "accountType": "DEVELOPER_TEST",
        "timeZone": zone,
        "companyCurrency": CURRENCIES[0],
        "additionalCurrencies": list(CURRENCIES[1:]),
        "utcOffset": f"{'-' if offset_ms < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}",
        "utcOffsetMilliseconds": offset_ms,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "eu1",
    }


# ---------------------------------------------------------------- OAuth, which needs no bearer


def oauth(request: Request, tokens: Tokens, version: str, rest: list[str], now_ms: int) -> Response:
    """Everything under `/oauth/{V}/`: token, introspect, revoke, and v1's look-ups."""
    match (request.method, rest):
        case ("POST", ["token"]):
            return _token(request, tokens, version, now_ms)
        case ("POST", ["token", "introspect"] | ["introspect"]) if version != "v1":
            form = _client_form(request)
            return Response(200, _introspection(tokens, form.get("token", ""), now_ms))
        case ("POST", ["token", "revoke"] | ["revoke"]) if version != "v1":
            tokens.revoke(_client_form(request).get("token", ""))
            return Response(200, {})
        case ("GET", ["access-tokens", text]) if version == "v1":
            token = tokens.known(text, now_ms)
            if token is None:
                raise errors.not_found()
            return Response(
                200, {"token": text, "token_type": "access", "user": "admin@syncd.example", **_about(token, now_ms)}
            )
        case ("GET", ["refresh-tokens", text]) if version == "v1":
            if not tokens.knows_refresh(text):
                raise errors.not_found()
            owner = {"hub_id": PORTAL_ID, "hub_domain": HUB_DOMAIN, "user_id": 77, "scopes": list(SCOPES)}
            return Response(200, {"token": text, "token_type": "refresh", "client_id": CLIENT_ID, **owner})
        case ("DELETE", ["refresh-tokens", text]) if version == "v1":
            tokens.revoke(text)
            return Response(204)
    raise errors.not_found()


def _token(request: Request, tokens: Tokens, version: str, now_ms: int) -> Response:
    form = request.form()
    if version == "v1":
        # The legacy endpoint reads the same fields from the query too; later versions forbid that.
        form = {**{name: values[0] for name, values in request.query.items()}, **form}
    elif request.query:
        raise errors.oauth("BAD_REQUEST", "query parameters are not allowed", "invalid_request")
    token, refresh = tokens.grant(form, now_ms)
    body: dict[str, Any] = {"token_type": "bearer", "access_token": token.text, "expires_in": 1800}
    if refresh is not None:
        body["refresh_token"] = refresh
    if version != "v1":
        body.update(hub_id=PORTAL_ID, user_id=77, scopes=list(SCOPES), token_use="access_token")
    return Response(200, body)


def _client_form(request: Request) -> dict[str, str]:
    form = request.form()
    if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
        raise errors.oauth("BAD_CLIENT_ID", "missing or unknown client", "invalid_client")
    return form


def _introspection(tokens: Tokens, text: str, now_ms: int) -> dict[str, Any]:
    token = tokens.known(text, now_ms)
    if token is not None:
        return {"active": True, "token_use": "access_token", "token_type": "bearer", **_about(token, now_ms)}
    if tokens.knows_refresh(text):
        return {"active": True, "token_use": "refresh_token", "hub_id": PORTAL_ID, "client_id": CLIENT_ID}
    return {"active": False}


def _about(token: Token, now_ms: int) -> dict[str, Any]:
    left_ms = max(0, token.expires_ms - now_ms) if token.expires_ms is not None else 0
    return {
        "hub_id": PORTAL_ID,
        "hub_domain": HUB_DOMAIN,
        "app_id": token.app_id,
        "user_id": token.user_id,
        "client_id": CLIENT_ID,
        "scopes": list(SCOPES),
        "expires_in": left_ms // 1000,
        "is_private_distribution": True,
    }
