"""One HTTP exchange: a request leaves, and a whole answer comes back or it does not.

Promise: redirects are not followed, cookies not kept, the environment not read; a request can only go to the origin it
was opened for; an answer is read to its end within a size and a time. It never repeats anything.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import MaxRetryError, NewConnectionError

from syncd.transport import MAX_BODY_BYTES, Answer, Lost, Unsent, checked_base, origin_of

CONNECT_S = 10.0
"""How long a connection may take to open."""

POOL_SIZE = 32
"""Connections kept open; at least the number of threads of one account."""

_PIECE_BYTES = 256 * 1024


class _Untimely(socket.SocketIO):
    """What arrives on a socket until a moment; then the rest is not waited for.

    A socket's timeout begins anew with every byte: a server that drips them, in its headers, in a chunk's length, in
    interim answers without end, would hold us for days. Real time, as the socket's own timeout is.
    """

    def __init__(self, of: socket.socket, until_s: float) -> None:
        super().__init__(of, "r")
        self._until_s = until_s

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._until_s:
            raise TimeoutError("no whole answer in time")
        return super().readinto(buffer)


class _Source:
    """A socket as an answer is read from it."""

    def __init__(self, of: socket.socket, within_s: float) -> None:
        self._of = of
        self._until_s = time.monotonic() + within_s

    def makefile(self, mode: str) -> io.BufferedReader:
        """As `socket.makefile` does: the socket stays open as long as the file is."""
        raw = _Untimely(self._of, self._until_s)
        self._of._io_refs += 1  # type: ignore[attr-defined]
        return io.BufferedReader(raw, io.DEFAULT_BUFFER_SIZE)


class _InTime(HTTPAdapter):
    """An adapter whose answers come whole within a time, from the first byte to the last."""

    def __init__(self, within_s: float, **given: Any) -> None:
        def answer(of: socket.socket, **more: Any) -> http.client.HTTPResponse:
            return http.client.HTTPResponse(_Source(of, within_s), **more)  # type: ignore[arg-type]

        class Plain(urllib3.connection.HTTPConnection):
            response_class = staticmethod(answer)  # type: ignore[assignment]

        class Secure(urllib3.connection.HTTPSConnection):
            response_class = staticmethod(answer)  # type: ignore[assignment]

        self._connections = {"http": Plain, "https": Secure}
        super().__init__(**given)

    def get_connection_with_tls_context(self, *given: Any, **more: Any) -> Any:
        """The pool for a request, direct or by a proxy; what it opens is ours."""
        pool: Any = super().get_connection_with_tls_context(*given, **more)
        pool.ConnectionCls = self._connections[pool.scheme or "https"]
        return pool


class Wire:
    """The connections to one origin. Safe for threads."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        now: Callable[[], float],
        max_body_bytes: int = MAX_BODY_BYTES,
        session: requests.Session | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """`proxy` and `ca_file` come from the settings only. Raises ConfigError for a base_url that is not allowed."""
        self.origin, self._prefix = checked_base(base_url)
        self._timeout = (min(CONNECT_S, timeout_s), timeout_s)
        self._deadline_s = timeout_s
        self._now = now
        self._max = max_body_bytes
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        self._verify: bool | str = ca_file or True
        if session is None:
            session = requests.Session()
            adapter = _InTime(timeout_s, pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        self._session = session
        self._adapter = session.get_adapter(self.origin)
        self._jar = RequestsCookieJar()

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes | None, what: str) -> Answer:
        """Sends one request to `target` (path and query, encoded) and reads the answer. Raises Unsent, Lost.

        The request is put together by hand and given to the adapter: what a session would add on the way (environment,
        cookies, redirects, hooks) is unwanted here, and costs a third of the CPU of a call.
        """
        request = requests.PreparedRequest()
        request.method = method
        request.url = self.origin + self._prefix + target
        request.headers = CaseInsensitiveDict(headers)
        request.body = body
        request.hooks = default_hooks()
        request._cookies = self._jar  # type: ignore[attr-defined]
        if body is not None:
            request.headers["Content-Length"] = str(len(body))
        elif method not in ("GET", "HEAD"):
            request.headers["Content-Length"] = "0"
        outcome = self._send(request, what)
        if isinstance(outcome, Exception):  # raised here, so that no exception in its context holds the request
            raise outcome
        return outcome

    def own_path(self, url: str) -> str | None:
        """Path and query of an address, as `exchange` takes them, if it leads to this very origin; else None."""
        if not url.isprintable() or "\\" in url or " " in url:
            return None
        if url.startswith("/") and not url.startswith("//"):
            path = url
        elif origin_of(url) == origin_of(self.origin):
            parts = urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        else:
            return None
        if self._prefix and not path.startswith(f"{self._prefix}/"):
            return None
        return path[len(self._prefix) :]

    def close(self) -> None:
        """Ends all connections. Safe to call twice."""
        self._session.close()

    def _send(self, request: requests.PreparedRequest, what: str) -> Answer | Unsent | Lost:
        start = self._now()
        try:
            response = self._adapter.send(
                request, stream=True, timeout=self._timeout, verify=self._verify, proxies=self._proxies
            )
        except requests.exceptions.Timeout as trouble:
            if isinstance(trouble, requests.exceptions.ConnectTimeout):
                return Unsent(f"{what}: no connection within {self._timeout[0]:g} s")
            return Lost(f"{what}: no answer within {self._timeout[1]:g} s")
        except requests.exceptions.RequestException as trouble:
            return _unsent_or_lost(trouble, what)
        except (Urllib3Error, OSError) as trouble:
            return Lost(f"{what}: the connection broke ({type(trouble).__name__})")
        return self._read(response, start, what)

    def _read(self, response: requests.Response, start: float, what: str) -> Answer | Lost:
        pieces: list[bytes] = []
        size = 0
        trouble = ""
        try:
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                if size > self._max:
                    trouble = f"{what}: an answer of more than {self._max} bytes"
                elif self._now() - start > self._deadline_s:
                    trouble = f"{what}: no whole answer within {self._deadline_s:g} s"
                if trouble:
                    break
        except (requests.exceptions.RequestException, Urllib3Error, OSError, ValueError) as broken:
            trouble = f"{what}: the answer was cut off ({type(broken).__name__})"
        if trouble:
            response.close()  # and its connection with it: nothing read from it could be trusted any more
            return Lost(trouble)
        response.raw.release_conn()
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Answer(response.status_code, response.headers, body, what)


def _unsent_or_lost(trouble: requests.exceptions.RequestException, what: str) -> Unsent | Lost:
    """Sorts what requests raises by the only question that matters. When in doubt: Lost."""
    cause = trouble.args[0] if trouble.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, NewConnectionError):
        return Unsent(f"{what}: no connection ({type(reason).__name__})")
    if isinstance(trouble, requests.exceptions.SSLError) and _is_certificate(reason):
        return Unsent(f"{what}: the server's certificate is not trusted")
    return Lost(f"{what}: the connection broke ({type(reason or trouble).__name__})")


def _is_certificate(reason: object) -> bool:
    while isinstance(reason, BaseException):
        if isinstance(reason, ssl.SSLCertVerificationError | ssl.CertificateError):
            return True
        reason = reason.args[0] if reason.args else None
    return False
