"""Forms and campaigns over the API: they can be read, and nothing else (contract section 13).

Promise: pages follow ids; a campaign shows the properties that are asked for, and no others.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.errors import Rejection, error
from syncd.sandbox.chassis import Response

Json = dict[str, Any]


def forms(call: Call, rest: list[str]) -> Response:
    """GET `/marketing/v3/forms[/{id}]`."""
    call.require("forms")
    _read_only(call)
    if rest:
        form = call.portal.marketing.forms.get(rest[0])
        if form is None:
            raise errors.not_found()
        return Response(200, form.to_json())
    limit, after = call.limit(call.request.first("limit"), 20, 500), call.request.first("after") or ""
    found = sorted((one for one in call.portal.marketing.forms.values() if one.id >= after), key=lambda one: one.id)
    body: Json = {"results": [one.to_json() for one in found[:limit]]}
    if len(found) > limit:
        body["paging"] = {"next": {"after": found[limit].id, "link": "https://api.hubapi.com/marketing/v3/forms"}}
    return Response(200, body)


def campaigns(call: Call, rest: list[str]) -> Response:
    """GET `/marketing/campaigns/{V}[/{id}]`, with the properties that are asked for."""
    call.require("marketing.campaigns.read")
    _read_only(call)
    names = call.names("properties")
    if rest:
        campaign = call.portal.marketing.campaigns.get(rest[0])
        if campaign is None or len(rest) > 1:
            raise errors.not_found()
        return Response(200, campaign.to_json(names))
    limit, after = call.limit(call.request.first("limit"), 50, 100), call.request.first("after") or ""
    every = sorted(call.portal.marketing.campaigns.values(), key=lambda one: one.id)
    found = [one for one in every if one.id >= after]
    body: Json = {"total": len(every), "results": [one.to_json(names) for one in found[:limit]]}
    if len(found) > limit:
        body["paging"] = {"next": {"after": found[limit].id, "link": "https://api.hubapi.com/marketing/v3/campaigns"}}
    return Response(200, body)


def _read_only(call: Call) -> None:
    if call.request.method != "GET":
        raise Rejection(405, error("HTTP 405 Method Not Allowed"))
