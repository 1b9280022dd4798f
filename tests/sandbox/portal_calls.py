"""A HubSpot portal with frozen time, called without a server: what the sandbox's own tests share."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from connectors.hubspot.sandbox import HubSpot, create
from syncd.sandbox.chassis import Request, Response

NOW_MS = 1_795_219_200_123
TOKEN = "sandbox-hubspot-token"
CONTACTS = "/crm/objects/2026-09/contacts"
OLD_CONTACTS = "/crm/v3/objects/contacts"


class Portal:
    """Calls one app as an API client with the static token, and acts on it as a person."""

    def __init__(self, **switches: Any) -> None:
        self.app: HubSpot = create(seed=3)
        self.app.clock.freeze(NOW_MS)
        self.app.switch({"recalculation_ms": 0, "limits": "off", **switches})
        self.token = TOKEN

    def call(self, method: str, url: str, content: Any = None, **headers: str) -> Response:
        path, _, query = url.partition("?")
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json", **headers}
        raw = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        faults = self.app.faults.take(method, path)
        return self.app.handle(Request(method, path, parse_qs(query, keep_blank_values=True), sent, raw, faults))

    def get(self, url: str) -> Response:
        return self.call("GET", url)

    def post(self, url: str, content: Any) -> Response:
        return self.call("POST", url, content)

    def patch(self, key: str, **properties: Any) -> Response:
        return self.call("PATCH", f"{CONTACTS}/{key}", {"properties": properties})

    def contact(self, **properties: Any) -> str:
        """A contact made by a person; its id."""
        return str(self.app.act({"do": "create", "object": "contacts", "values": properties})["key"])

    def read(self, key: str, *names: str) -> dict[str, Any]:
        """A contact's properties by id, as the API shows them."""
        answer = self.get(f"{CONTACTS}/{key}?properties={','.join(names)}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = body(answer)["properties"]
        return found

    def search(self, *filters: dict[str, Any], **more: Any) -> Response:
        return self.post(f"{CONTACTS}/search", {"filters": list(filters), **more} if filters else more)

    def advance(self, seconds: float) -> None:
        self.app.clock.advance(int(seconds * 1000))


def codes(answer: Response) -> list[str]:
    """The codes of a refusal's `errors[]`."""
    assert isinstance(answer.body, dict), answer.body
    return [one["code"] for one in answer.body["errors"]]


def body(answer: Response) -> dict[str, Any]:
    """The answer's JSON object."""
    assert isinstance(answer.body, dict), answer.body
    return answer.body
