"""What passes between a vendor's app and the server: one request, one response, and the app's interface.

Promise: plain values; an app written against this file needs no HTTP library and can be called without a server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson

from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Fault, Faults


class Refused(Exception):
    """An action, switch or fault that makes no sense. The message is shown to whoever asked for it."""


@dataclass
class Request:
    """One request as the app sees it. Header names are lower-case; `query` holds every value given; `path` is in
    clear, but for slashes within a segment, which stay `%2F`."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    faults: list[Fault] = field(default_factory=list)
    """The vendor's own kinds of fault that strike this request."""
    actor: str = ""
    """Set by the app while handling: who called, for the request log. Never a secret."""
    target: str = ""
    """Path and query as they were sent, undecoded: for apps where an encoded slash or the length matters."""

    def json(self) -> Any:
        """The body as JSON. json.JSONDecodeError (with line and column) when it is none; None when it is empty."""
        return json.loads(self.body) if self.body.strip() else None

    def form(self) -> dict[str, str]:
        """The body as a form; the first value of each name."""
        pairs = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    def first(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def fault(self, kind: str) -> Fault | None:
        """The first fault of that vendor kind that strikes this request."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


@dataclass
class Response:
    """One answer. dict and list leave as JSON, str as text (HTML if it starts with `<`), bytes as they are."""

    status: int = 200
    body: bytes | dict[str, Any] | list[Any] | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    gzip: bool = False
    """Compress on the way out (the caller asked for it); the log keeps the plain body."""

    def encoded(self) -> tuple[bytes, str]:
        """The body's bytes and the content type that belongs to them; ("", "") when there is no body."""
        if self.body is None:
            return b"", ""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            kind = "text/html" if self.body.lstrip().startswith("<") else "text/plain"
            return self.body.encode(), f"{kind};charset=utf-8"
        return orjson.dumps(self.body), "application/json;charset=utf-8"


class App(Protocol):
    """A vendor's sandbox. Every method is called under the server's one lock, and changes state without waiting."""

    name: str
    clock: Clock
    faults: Faults

    def handle(self, request: Request) -> Response:
        """Answers as the vendor would, its errors included. An exception here is a bug of the sandbox."""

    def act(self, action: dict[str, Any]) -> dict[str, Any]:
        """Does something as a person or an automation of the account. Refused when it makes no sense."""

    def state(self, object: str | None) -> dict[str, Any]:
        """Everything that is so: `{"objects": {"contacts": {"101": {...}}}}`, or of one object only."""

    def switch(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Sets behaviour switches and limits; returns all with their values. Refused for an unknown name."""
