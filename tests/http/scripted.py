"""A server that says exactly the bytes a test scripts, and a clock that moves only when somebody sleeps."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from syncd.http import Http

Client = Callable[..., Http]
"""Makes clients of the server: the fixture `client`."""
Script = Callable[[socket.socket, bytes], bool | None]
"""Answers one request on the connection; False ends the connection."""


def ok(body: bytes = b"{}", status: str = "200 OK", kind: str = "application/json", headers: str = "") -> Script:
    """An ordinary answer."""

    def say(connection: socket.socket, request: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + body)

    return say


def drop(connection: socket.socket, request: bytes) -> bool:
    """The request arrived; no byte comes back."""
    return False


def half(connection: socket.socket, request: bytes) -> bool:
    """Half a body, then the end."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a": ')
    return False


class Server:
    """Answers the n-th request with the n-th script, and the last one for ever. `seen` holds the raw requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.scripts: list[Script] = [ok()]
        self.seen: list[bytes] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (request := _request(connection)) is not None:
                with self._lock:
                    self.seen.append(request)
                    script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                if script(connection, request) is False:
                    return

    def close(self) -> None:
        self._socket.close()


def _request(connection: socket.socket) -> bytes | None:
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-len")), 0)
        while len(body) < length:
            body += connection.recv(65536)
    except OSError:
        return None
    return head + b"\r\n\r\n" + body


@dataclass
class Clock:
    """Seconds that pass only in `sleep`."""

    now_s: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now_s += seconds
