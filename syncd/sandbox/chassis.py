"""The server under every sandbox: plain HTTP over one vendor's app, faults carried out, everything logged.

Promise: requests reach the app one at a time, in the order in which the log numbers them, and a fault does to the
connection what it says: a dropped connection really is dropped. What a `late` request does, it does at the first
look at the clock after its moment. It does no TLS, serves loopback only by default, and lets only loopback callers
use the control channel.
"""

from __future__ import annotations

import asyncio
import gzip
import heapq
import ipaddress
import re
import socket
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote

import uvicorn

from syncd.sandbox import control
from syncd.sandbox.faults import GENERIC, Fault
from syncd.sandbox.requestlog import RequestLog
from syncd.sandbox.wire import App, Refused, Request, Response

__all__ = ["App", "Host", "Refused", "Request", "Response", "Server", "asgi", "serve"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 32 * 1024 * 1024
_HTML = "<html><head><title>Just a moment...</title></head><body><h1>Checking your connection</h1></body></html>"
_ENDS = ("reset_before", "late", "redirect", "status", "garbage", "reset_after", "truncate")
"""Kinds that decide how a request ends; when several strike, the first of these wins."""


class Host:
    """One app with its lock, log and late arrivals. `exchange` is the whole of a request but its transport."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.lock = threading.RLock()
        self.log = RequestLog()
        self._late: list[tuple[int, int, Request]] = []
        self._late_count = 0

    def exchange(self, request: Request) -> tuple[Response | None, list[Fault]]:
        """Handles one vendor request. The answer is None when none is to be given; the faults say how to send it."""
        with self.lock:
            self.settle_late()
            struck = self.app.faults.take(request.method, request.path)
            generic = [fault for fault in struck if fault.kind in GENERIC]
            request.faults = [fault for fault in struck if fault.kind not in GENERIC]
            end = next((fault for kind in _ENDS for fault in generic if fault.kind == kind), None)
            response, note = self._carry_out(request, end)
            self._note(request, response, [fault.kind for fault in struck], note)
            return response, generic if end is None else [end, *(f for f in generic if f.kind == "slow")]

    def settle_late(self) -> None:
        """Applies the delayed requests whose moment has come, oldest first."""
        while self._late and self._late[0][0] <= self.app.clock.now_ms():
            _, _, request = heapq.heappop(self._late)
            response, note = self._handle(request)
            self._note(request, response, ["late"], note or "applied")

    def _carry_out(self, request: Request, end: Fault | None) -> tuple[Response | None, str]:
        if end is None:
            return self._handle(request)
        options = end.options
        if end.kind == "reset_before":
            return None, ""
        if end.kind == "late":
            self._late_count += 1
            due_ms = self.app.clock.now_ms() + int(options.get("late_ms", 60_000))
            heapq.heappush(self._late, (due_ms, self._late_count, request))
            return None, ""
        if end.kind == "redirect":
            return Response(int(options.get("status", 302)), None, {"location": str(options["location"])}), ""
        if end.kind == "reset_after":
            return None, self._handle(request)[1]
        if end.kind == "truncate":
            return self._handle(request)
        note = self._handle(request)[1] if options.get("applied") else ""
        if end.kind == "garbage":
            return Response(200, options.get("html", _HTML)), note
        body = options.get("html", options.get("body"))
        return Response(int(options.get("status", 503)), body, dict(options.get("headers") or {})), note

    def _handle(self, request: Request) -> tuple[Response, str]:
        try:
            return self.app.handle(request), ""
        except Exception:
            return Response(500, {"sandbox_bug": traceback.format_exc()}), "bug"

    def _note(self, request: Request, response: Response | None, kinds: list[str], note: str) -> None:
        body, kind = request.body, request.headers.get("content-type", "")
        self.log.add(
            at_ms=self.app.clock.now_ms(),
            method=request.method,
            path=request.path,
            query=request.query,
            body=body,
            status=response.status if response else 0,
            fault="+".join([*kinds, *([note] if note else [])]) or None,
            actor=request.actor,
            answer=response.encoded()[0] if response else b"",
            secretive="urlencoded" in kind or "xml" in kind or "oauth" in request.path or "token" in request.path,
        )


def asgi(app: App) -> Asgi:
    """The app with its control channel, as an ASGI callable (uvicorn's h11 server: drops need its transport)."""
    host = Host(app)

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"a sandbox speaks http, not {scope['type']}")
        request = await _read(scope, receive)
        if request is None:
            await _send(send, Response(413, {"message": "body too large"}), host)
        elif request.path.startswith("/_control/"):
            caller = (scope.get("client") or ("127.0.0.1", 0))[0]
            answer = (
                control.answer(host, request) if _is_loopback(caller) else Response(403, {"error": "loopback only"})
            )
            await _send(send, answer, host)
        else:
            await _serve(host, request, receive, send)

    return entry


async def _serve(host: Host, request: Request, receive: Receive, send: Send) -> None:
    response, faults = host.exchange(request)
    options = {fault.kind: fault.options for fault in faults}
    if "slow" in options:
        await asyncio.sleep(float(options["slow"].get("delay_ms", 100)) / 1000)
    if response is None:
        await asyncio.sleep(float(options.get("late", {}).get("hold_ms", 0)) / 1000)
        _transport(send).abort()
        await receive()
        return
    if "truncate" in options:
        body, kind = response.encoded()
        start = [(b"content-type", kind.encode()), (b"content-length", str(len(body) or 2).encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": start})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        _transport(send).close()
        await receive()
        return
    await _send(send, response, host)


async def _send(send: Send, response: Response, host: Host) -> None:
    body, kind = response.encoded()
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.gzip and body:
        body, headers["content-encoding"] = gzip.compress(body, compresslevel=1), "gzip"
    headers.setdefault("date", formatdate(host.app.clock.now_ms() / 1000, usegmt=True))
    if kind:
        headers.setdefault("content-type", kind)
    if response.status not in (204, 304):
        headers["content-length"] = str(len(body))
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if response.status in (204, 304) else body})


async def _read(scope: Scope, receive: Receive) -> Request | None:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=_decoded(scope["raw_path"].decode("latin-1").partition("?")[0]),
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(parts),
        target=_target(scope),
    )


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    return f"{path}?{query}" if query else path


def _decoded(raw: str) -> str:
    """The path in clear, but an encoded slash stays `%2F`: it is part of a segment and separates nothing."""
    return "%2F".join(unquote(part) for part in re.split("%2[Ff]", raw))


def _transport(send: Send) -> asyncio.Transport:
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("dropping a connection needs uvicorn's h11 server")
    return transport  # type: ignore[no-any-return]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Uvicorn(uvicorn.Server):
    """uvicorn without its tenths of a second: tests start and stop hundreds of servers."""

    _ended: asyncio.Event
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def serving(self) -> bool:
        """Whether connections are answered and `end` works."""
        return self.started and self._loop is not None

    def end(self) -> None:
        """Ends serving; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0.005)
        for connection in list(self.server_state.connections):
            # Whoever still waits for a slow answer is dropped, as by a server that dies.
            connection.transport.abort()
        await asyncio.sleep(0)


class Server:
    """A sandbox that is up: `url`, `control` (its Python twin), `close()`; a context manager."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self.app = app
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With the protocol named, asyncio sets TCP_NODELAY; without it every answer waits 40 ms for an ACK.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._socket.listen(256)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.control = control.Control(self.url)
        settings = uvicorn.Config(
            asgi(app),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=1024 * 1024,
            timeout_keep_alive=600,
        )
        self._uvicorn = _Uvicorn(settings)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, name=f"sandbox-{app.name}", daemon=True
        )

    def start(self, within_s: float = 10.0) -> Server:
        """Starts serving; returns once connections are answered."""
        self._thread.start()
        deadline = time.monotonic() + within_s
        while not self._uvicorn.serving:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        return self

    def close(self) -> None:
        """Stops serving and frees the port. Safe to call twice."""
        self.control.close()
        self._uvicorn.end()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._socket.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(app: App, *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serves the app from a daemon thread; port 0 takes a free one. Close the server, or use it as a context."""
    return Server(app, host, port).start()
