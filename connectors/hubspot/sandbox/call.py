"""One API call on its way through the sandbox: the request, who makes it, and how its parameters are read.

Promise: every endpoint reads parameters, tables and scopes here, so that a bad one is refused alike everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.errors import Rejection
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.tokens import Token
from connectors.hubspot.sandbox.writes import Caller
from syncd.sandbox.chassis import Request

MAX_BATCH = 100
MAX_BATCH_WITH_HISTORY = 50
CURRENT = "2026-09"


@dataclass
class Call:
    """A request to the CRM API. `version` is v3, v4 or a date."""

    portal: Portal
    request: Request
    version: str
    token: Token
    caller: Caller

    @property
    def new(self) -> bool:
        """Whether the rules of 2026-09 apply (section 1.4)."""
        return not self.version.startswith("v") and self.version >= CURRENT

    def table(self, name: str, right: str = "read", family: str = "objects") -> Table:
        """The object with that plural name or type id. Rejection: 400 unknown, 403 without its scope."""
        known = self.portal.by_type_id.get(name, name)
        table = self.portal.tables.get(known)
        if table is None:
            raise errors.unknown_type(name)
        self.require(f"crm.{family}.{table.kind.scope}.{right}")
        return table

    def require(self, scope: str) -> None:
        """403 when the app was not granted the scope."""
        if not self.token.crm or scope in self.portal.switches.missing_scopes:
            raise errors.missing_scopes([scope], self.portal.switches.missing_scopes_shape)

    def body(self) -> dict[str, Any]:
        """The body as a JSON object. Rejection: 415 for another content type, 400 for no JSON."""
        if "json" not in self.request.headers.get("content-type", ""):
            raise Rejection(415, errors.error("Unsupported Media Type"))
        try:
            body = self.request.json()
        except json.JSONDecodeError as bad:
            raise errors.validation(f"Invalid input JSON on line {bad.lineno}, column {bad.colno}: {bad.msg}") from None
        except UnicodeDecodeError:
            raise errors.validation("Invalid input JSON on line 1, column 1: not UTF-8") from None
        if not isinstance(body, dict):
            raise errors.validation("Invalid input JSON on line 1, column 1: Cannot deserialize value")
        return body

    def inputs(self, body: Mapping[str, Any], most: int = MAX_BATCH) -> list[dict[str, Any]]:
        """A batch's inputs: at least one, at most `most`, each an object."""
        inputs = body.get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
            raise errors.validation("Invalid input JSON on line 1, column 1: inputs must be a list of objects")
        if not inputs:
            raise errors.validation("inputs must not be empty")
        if len(inputs) > most:
            raise errors.validation(f"The maximum number of inputs supported in a batch request is {most}")
        return inputs

    def names(self, parameter: str) -> list[str]:
        """A comma list, however often it was given."""
        return [
            name.strip() for value in self.request.query.get(parameter, []) for name in value.split(",") if name.strip()
        ]

    def flag(self, parameter: str) -> bool:
        """A boolean parameter in any case; absent is false."""
        return (self.request.first(parameter) or "").lower() == "true"

    def limit(self, given: Any, default: int, most: int) -> int:
        """A page size; over the maximum it is refused or cut, by switch."""
        if given is None:
            return default
        try:
            limit = int(given)
        except (TypeError, ValueError):
            raise errors.validation(f"{given} is not a valid limit") from None
        if limit < 1:
            raise errors.validation(f"limit must be greater than 0, but was {limit}")
        if limit > most:
            if self.portal.switches.list_limit_over == "clamp":
                return most
            raise errors.validation(f"limit must be less than or equal to {most}, but was {limit}")
        return limit

    def after(self, given: Any) -> int:
        """A numeric place to go on from; absent is 0."""
        if given in (None, ""):
            return 0
        try:
            place = int(given)
        except (TypeError, ValueError):
            raise errors.validation(f"{given} is not a valid paging cursor") from None
        if place < 0:
            raise errors.validation(f"{given} is not a valid paging cursor")
        return place
