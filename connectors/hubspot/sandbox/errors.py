"""The bodies of HubSpot's refusals, word for word where the contract quotes them (contract sections 2.3 and 17).

Promise: an error leaves through one exception, `Rejection`, and only `app` turns it into an answer. No endpoint
builds an error body of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class Rejection(Exception):
    """The request is refused. `body` gets its correlation id on the way out; str bodies leave as HTML."""

    def __init__(self, status: int, body: Json | str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


@dataclass
class PropertyError:
    """What is wrong with one property of one record (section 17.3)."""

    name: str
    code: str
    message: str
    context: dict[str, list[str]] = field(default_factory=dict)

    def detail(self) -> Json:
        """As an entry of `errors[]`."""
        context = {"propertyName": [self.name], **self.context}
        return {"message": self.message, "code": self.code, "in": self.name, "context": context}

    def embedded(self, portal_id: int) -> Json:
        """As an entry of the JSON inside the message text."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
            "localizedErrorMessage": self.message,
            "portalId": portal_id,
        }


def error(message: str, category: str | None = None, **more: Any) -> Json:
    """The general body. Every field but status and message is optional (17.1)."""
    body: Json = {"status": "error", "message": message}
    if category:
        body["category"] = category
    body.update(more)
    return body


def validation(message: str, **more: Any) -> Rejection:
    """400 VALIDATION_ERROR."""
    return Rejection(400, error(message, "VALIDATION_ERROR", **more))


def properties_invalid(wrong: Sequence[PropertyError], shape: str, portal_id: int) -> Json:
    """400's body for bad properties. `shape`: both | text | structured."""
    required = [one for one in wrong if one.code.startswith("MISSING_")]
    if required and len(required) == len(wrong):
        message = "The property values provided are invalid"
        return error(message, "VALIDATION_ERROR", errors=[one.detail() for one in wrong])
    message = "Property values were not valid"
    if shape != "structured":
        message += ": " + json.dumps([one.embedded(portal_id) for one in wrong], separators=(",", ":"))
    body = error(message, "VALIDATION_ERROR")
    if shape != "text":
        body["errors"] = [one.detail() for one in wrong]
    return body


def not_found() -> Rejection:
    """404 for a numeric id that is not there: no category (17.4)."""
    return Rejection(404, error("resource not found"))


def not_numeric(object_id: str) -> Rejection:
    """404 for an id that is no number; the two spaces are HubSpot's (17.4)."""
    message = "Object not found.  objectId are usually numeric."
    return Rejection(404, error(message, "OBJECT_NOT_FOUND", context={"id": [object_id]}))


def html_not_found() -> Rejection:
    """404 as older versions answer a look-up by email (17.4)."""
    return Rejection(
        404, "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>"
    )


def unknown_type(name: str) -> Rejection:
    """400 for an object type nobody knows."""
    return validation(f"Unable to infer object type from: {name}")


def contact_exists(existing_id: str | None) -> Json:
    """The body of 409; batches without trace ids do not tell the id (17.5)."""
    message = f"Contact already exists. Existing ID: {existing_id}" if existing_id else "Contact already exists"
    return error(message, "CONFLICT")


def no_credentials() -> Rejection:
    """401 when no token came."""
    return Rejection(
        401,
        error(
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            "INVALID_AUTHENTICATION",
        ),
    )


def expired_token(ago: str, expire_time: str) -> Rejection:
    """401 for an expired token, and for garbage too (2.3)."""
    message = f"The OAuth token used to make this call expired {ago} ago."
    return Rejection(401, error(message, "EXPIRED_AUTHENTICATION", context={"expire time": [expire_time]}))


def missing_scopes(scopes: Sequence[str], shape: str) -> Rejection:
    """403. `shape`: errors | context, the older one."""
    message = (
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here."
    )
    links = {"scopes": "https://developers.hubspot.com/scopes"}
    if shape == "context":
        return Rejection(
            403, error(message, "MISSING_SCOPES", context={"requiredGranularScopes": list(scopes)}, links=links)
        )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    return Rejection(403, error(message, "MISSING_SCOPES", errors=[detail], links=links))


def oauth(status: str, message: str, kind: str = "invalid_grant") -> Rejection:
    """400 of the token endpoint, a shape of its own (2.2)."""
    return Rejection(400, {"error": kind, "error_description": message, "status": status, "message": message})


_LIMIT_TEXT = {
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "SECONDLY": "You have reached your secondly limit.",
    "DAILY": "You have reached your daily limit.",
}


def rate_limited(policy: str, shape: str, request_id: str, retry_after_s: int | None = None) -> Rejection:
    """429 of one policy. `shape`: errorType | category | disguised (500; section 5). Retry-After is not promised."""
    body: Json = {"status": "error", "message": _LIMIT_TEXT.get(policy, _LIMIT_TEXT["SECONDLY"]), "policyName": policy}
    if shape in ("category", "disguised"):
        body.update(category="RATE_LIMITS", groupName="publicapi:crm:sandbox")
    else:
        body.update(errorType="RATE_LIMIT", requestId=request_id)
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Rejection(500 if shape == "disguised" else 429, body, headers)


def locked() -> Rejection:
    """423: a write lock under heavy writes; no Retry-After, wait at least two seconds."""
    return Rejection(
        423, error("This object is locked because of too many writes. Try again in a few seconds.", "LOCKED")
    )


def moving(retry_after_s: int) -> Rejection:
    """477: the account is being moved between data centres."""
    body = error("This account is being migrated to another data hosting location.", "MIGRATION_IN_PROGRESS")
    return Rejection(477, body, {"Retry-After": str(retry_after_s)})
