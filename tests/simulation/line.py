"""The line between the engine and the sandboxes in one process: no socket, one virtual clock, every exchange recorded.

Promise: the engine's own HTTP client runs whole; only its sockets are replaced (`Line` stands where a `requests`
session does). The same requests get the same answers, and a fault does to an exchange what it does on a real
connection: an answer that is lost is lost, one that is cut is cut. It judges nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from syncd.sandbox.chassis import Host
from syncd.sandbox.wire import Request, Response

REQUEST_S = 0.02
"""How far the clock moves with every request."""
SLOW_S = 2.0
TIMEOUT_S = 5.0
"""What the settings of the simulation give a call; a request that is not answered costs that much virtual time."""


class Killed(BaseException):
    """The process is gone. Nothing may catch it."""


@dataclass
class Time:
    """The one clock, in seconds: of both sandboxes and of the engine."""

    now_s: float

    def __call__(self) -> float:
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        """Lets time go by; also the engine's `sleep`."""
        self.now_s += seconds


@dataclass
class Exchange:
    """One request of the engine, and what became of it."""

    n: int
    at_s: float
    cycle: int
    vendor: str
    request: Request
    answer: Response | None
    """What left for the engine; None: nothing."""
    done: Response | None
    """What the sandbox did about it; None: nothing, or not yet."""
    struck: tuple[str, ...]
    """The kinds of fault that struck it."""

    @property
    def told(self) -> Response | None:
        """The answer, if all of it reached the engine."""
        return None if "truncate" in self.struck else self.answer

    def line(self) -> str:
        """One line of a story, and what two runs with one seed are compared by."""
        body = self.request.body.decode("utf-8", "replace")
        status = "-" if self.answer is None else str(self.answer.status)
        hit = f" [{'+'.join(self.struck)}]" if self.struck else ""
        target = _without_token(self.request.target or self.request.path)
        said = "" if "oauth" in self.request.path else body
        return f"{self.n:4} {self.at_s:.3f} {self.vendor} {self.request.method} {target} {status}{hit} {said}"


def _without_token(target: str) -> str:
    return re.sub(r"(token=)[^&]*", r"\1-", target)


class Raw:
    """The body of an answer as urllib3 hands it out; `cut`: it breaks off half-way."""

    def __init__(self, body: bytes, cut: bool) -> None:
        self._body = io.BytesIO(body[: len(body) // 2] if cut else body)
        self._cut = cut

    def read1(self, size: int, decode_content: bool = True) -> bytes:
        """The next piece."""
        piece = self._body.read(size)
        if not piece and self._cut:
            raise ProtocolError("Connection broken: IncompleteRead")
        return piece

    def release_conn(self) -> None:
        """Nothing to give back."""


@dataclass
class Got:
    """The part of a `requests.Response` that the client looks at."""

    status_code: int
    headers: Mapping[str, str]
    raw: Raw

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Line:
    """Where the client looks for its session: `get_adapter`, then `send`. One line serves both systems."""

    hosts: Mapping[str, Heard]
    """By the netloc of their base URL."""
    time: Time
    log: list[Exchange] = field(default_factory=list)
    cycle: int = 0
    refusing: dict[str, int] = field(default_factory=dict)
    """By vendor: so many more connections are refused."""
    before: Callable[[], None] = lambda: None
    """Called before each request leaves: people act, a process dies."""
    after: Callable[[], None] = lambda: None
    """Called when it is over."""
    hear_before: Callable[[str, Request], None] = lambda vendor, request: None
    hear_after: Callable[[Exchange], None] = lambda exchange: None

    def get_adapter(self, url: str) -> Line:
        """Itself: it sends to both."""
        return self

    def close(self) -> None:
        """Nothing to close."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> Got:
        """One exchange. Raises what `requests` raises."""
        parts = urlsplit(request.url or "")
        host = self.hosts[parts.netloc]
        asked = Request(
            method=str(request.method),
            path="%2F".join(unquote(part) for part in re.split("%2[Ff]", parts.path)),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={"host": parts.netloc, **{name.lower(): value for name, value in request.headers.items()}},
            body=_bytes(request.body),
            target=parts.path + (f"?{parts.query}" if parts.query else ""),
        )
        vendor = str(host.app.name)
        self.time.pass_s(REQUEST_S)
        for one in self.hosts.values():
            one.settle_late()
        self.before()
        self.hear_before(vendor, asked)
        if self.refusing.get(vendor, 0) > 0:
            self.refusing[vendor] -= 1
            self._note(vendor, asked, None, None, ("unsent",))
            raise requests.exceptions.ConnectionError(
                MaxRetryError(None, "/", NewConnectionError(None, "refused"))  # type: ignore[arg-type]
            )
        response, faults = host.exchange(asked)
        struck = (*(fault.kind for fault in faults), *(fault.kind for fault in asked.faults))
        exchange = self._note(vendor, asked, response, host.carried, struck)
        if "slow" in struck:
            self.time.pass_s(SLOW_S)
        self.hear_after(exchange)
        self.after()
        if response is None:
            self.time.pass_s(TIMEOUT_S)
            raise requests.exceptions.ReadTimeout("no answer")
        body, kind = response.encoded()
        headers = CaseInsensitiveDict(response.headers)
        headers.setdefault("Date", formatdate(self.time.now_s, usegmt=True))
        if kind:
            headers.setdefault("Content-Type", kind)
        return Got(response.status, headers, Raw(body, "truncate" in struck))

    def _note(
        self, vendor: str, asked: Request, answer: Response | None, done: Response | None, struck: tuple[str, ...]
    ) -> Exchange:
        exchange = Exchange(len(self.log) + 1, self.time.now_s, self.cycle, vendor, asked, answer, done, struck)
        self.log.append(exchange)
        return exchange


class Heard(Host):
    """A host that tells what it carries out: also what nobody is answered, and what arrives late."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.carried: Response | None = None
        self.on_request: Callable[[Request], None] = lambda request: None
        self.on_done: Callable[[Request, Response], None] = lambda request, response: None
        self.arriving = False
        """What is carried out now had been given up by its sender."""

    def exchange(self, request: Request) -> tuple[Response | None, list[Any]]:
        """See `Host`."""
        self.settle_late()
        self.carried = None
        return super().exchange(request)

    def settle_late(self) -> None:
        """See `Host`."""
        self.arriving = True
        super().settle_late()
        self.arriving = False

    def _handle(self, request: Request) -> tuple[Response, str]:
        self.on_request(request)
        response, note = super()._handle(request)
        if note == "bug":
            raise AssertionError(response.body)
        self.carried = response
        self.on_done(request, response)
        return response, note


def _bytes(body: Any) -> bytes:
    return b"" if body is None else body.encode() if isinstance(body, str) else bytes(body)
