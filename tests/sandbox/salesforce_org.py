"""A Salesforce org with frozen time, called without a server: what the sandbox's own tests share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from connectors.salesforce.sandbox import SalesforceSandbox, create
from syncd.sandbox.wire import Request

NOW_MS = 1_795_219_200_123
DATA = "/services/data/v67.0"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
STILL = {"assignment_rules": False, "random_pages": False, "errors_list_fields": True}
"""Switches that most tests want out of their way."""


@dataclass(frozen=True)
class Reply:
    """An answer: `body` is parsed JSON, or text, or None."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def codes(self) -> list[str]:
        """The error codes of a refusal."""
        assert isinstance(self.body, list), self.body
        return [one["errorCode"] for one in self.body]

    @property
    def message(self) -> str:
        """The first error's message."""
        return str(self.body[0]["message"])


class Api:
    """Calls one app as the integration user, and acts on it as a person."""

    def __init__(self, **switches: Any) -> None:
        self.app: SalesforceSandbox = create(seed=3)
        self.app.clock.freeze(NOW_MS)
        self.app.switch({**STILL, **switches})
        self.token = self.app.site.sessions.new(self.app.org.cast.integration, "test")

    # ------------------------------------------------------------ HTTP

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """`path` below the version, or from the root when it begins with `/services` or `/id`."""
        target = path if path.startswith(("/services", "/id/")) else f"{DATA}/{path}"
        sent = {"host": "acme.test", "authorization": f"Bearer {self.token}"}
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        bare, _, query = target.partition("?")
        faults = self.app.faults.take(method, bare)
        request = Request(method, bare, parse_qs(query, keep_blank_values=True), sent, raw, faults, target=target)
        answer = self.app.handle(request)
        encoded, kind = answer.encoded()
        is_json = "json" in answer.headers.get("Content-Type", kind)
        parsed = json.loads(encoded) if encoded and is_json else encoded.decode() or None
        return Reply(answer.status, parsed, answer.headers)

    def form(self, path: str, headers: Any = None, **fields: Any) -> Reply:
        """A form, as the token endpoint takes it."""
        raw = urlencode(fields).encode()
        kind = {"content_type": "application/x-www-form-urlencoded"}
        return self.call("POST", path, raw, **{**kind, **(headers or {})})

    def query(self, text: str, resource: str = "query", **headers: str) -> Reply:
        return self.call("GET", f"{resource}?q={quote(text)}", **headers)

    def rows(self, text: str, resource: str = "query") -> list[dict[str, Any]]:
        """All records of a statement, over all pages, without `attributes`."""
        reply = self.query(text, resource)
        assert reply.status == 200, reply.body
        records = list(reply.body["records"])
        while not reply.body["done"]:
            reply = self.call("GET", reply.body["nextRecordsUrl"])
            assert reply.status == 200, reply.body
            records += reply.body["records"]
        return [{name: value for name, value in one.items() if name != "attributes"} for one in records]

    def make(self, object: str = "Lead", **values: Any) -> str:
        """A record made over the API; its id."""
        base = {"Lead": {"LastName": "L", "Company": "C"}, "Contact": {"LastName": "L"}}.get(object, {})
        reply = self.call("POST", f"sobjects/{object}", {**base, **values})
        assert reply.status == 201, reply.body
        return str(reply.body["id"])

    def patch(self, key: str, object: str = "Lead", _headers: dict[str, str] | None = None, **values: Any) -> Reply:
        return self.call("PATCH", f"sobjects/{object}/{key}", values, **(_headers or {}))

    def read(self, key: str, object: str = "Lead") -> dict[str, Any]:
        """A record with all fields."""
        reply = self.call("GET", f"sobjects/{object}/{key}")
        assert reply.status == 200, reply.body
        found: dict[str, Any] = reply.body
        return found

    # ------------------------------------------------------------ steering

    def act(self, do: str, **action: Any) -> dict[str, Any]:
        return self.app.act({"do": do, **action})

    def state(self, object: str = "Lead") -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.app.state(object)["objects"][object]
        return found

    def fault(self, kind: str, **rule: Any) -> None:
        self.app.faults.add({"kind": kind, **rule})

    def advance(self, seconds: float) -> None:
        self.app.clock.advance(int(seconds * 1000))

    def user(self, email: str) -> str:
        """A user's id by e-mail."""
        return next(key for key, row in self.state("User").items() if row["Email"] == email)
