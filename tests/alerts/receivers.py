"""Local receivers of alerts: a web server and a mail server that keep what they were sent, and fail when told to."""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

import orjson


@dataclass
class Posted:
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Hook:
    """`answers`: the statuses of the next answers; then 200. `stall`: an event until which it does not answer."""

    def __init__(self) -> None:
        self.got: list[Posted] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.stall: threading.Event | None = None
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append(Posted(self.path, dict(self.headers), body))
                if hook.stall is not None:
                    hook.stall.wait(30)
                self.send_response(hook.answers.pop(0) if hook.answers else 200)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """Every alert of every message, as it arrived."""
        return [alert for one in self.got for alert in one.json["alerts"]]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.stall is not None:
            self.stall.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Mailed:
    """A mail that arrived."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool
    user: str | None


@dataclass
class Smtp:
    """As much of RFC 5321 as smtplib needs. `refuse`: addresses it does not take; `answers`: replies to the next mails."""

    tls: Path | None = None
    """A PEM file with certificate and key: STARTTLS is offered."""
    at_once: bool = False
    """TLS from the first byte."""
    password: str | None = None
    refuse: tuple[str, ...] = ()
    answers: list[str] = field(default_factory=list)
    got: list[Mailed] = field(default_factory=list)

    def __enter__(self) -> Self:
        smtp = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Talk(smtp, cast(Any, self)).run()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: Any) -> None: ...

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.tls is not None
        context.load_cert_chain(self.tls)
        return context


class _Talk:
    """One connection."""

    def __init__(self, smtp: Smtp, handler: Any) -> None:
        self.smtp, self.handler = smtp, handler
        self.encrypted, self.user = False, None
        self.sender, self.to = "", list[str]()

    def run(self) -> None:
        if self.smtp.at_once:
            self._encrypt()
        self._say("220 ready")
        while line := self.handler.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            act: Callable[[str], bool] = getattr(self, f"_{verb.lower()}", self._unknown)
            if not act(line):
                return

    def _say(self, *lines: str) -> bool:
        for line in lines:
            self.handler.wfile.write(f"{line}\r\n".encode())
        return True

    def _encrypt(self) -> None:
        sock = self.smtp.context().wrap_socket(self.handler.connection, server_side=True)
        self.handler.connection = sock
        self.handler.rfile, self.handler.wfile = sock.makefile("rb"), sock.makefile("wb", 0)
        self.encrypted = True

    def _unknown(self, line: str) -> bool:
        return self._say("500 what?")

    def _ehlo(self, line: str) -> bool:
        offers = ["250-here"]
        if self.smtp.tls is not None and not self.encrypted:
            offers.append("250-STARTTLS")
        if self.smtp.password is not None:
            offers.append("250-AUTH PLAIN")
        return self._say(*offers, "250 OK")

    def _starttls(self, line: str) -> bool:
        self._say("220 go")
        self._encrypt()
        return True

    def _auth(self, line: str) -> bool:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        if password != self.smtp.password:
            return self._say("535 no")
        self.user = user
        return self._say("235 yes")

    def _mail(self, line: str) -> bool:
        self.sender, self.to = line.partition("<")[2].partition(">")[0], []
        return self._say("250 OK")

    def _rcpt(self, line: str) -> bool:
        to = line.partition("<")[2].partition(">")[0]
        if to in self.smtp.refuse:
            return self._say("550 nobody")
        self.to.append(to)
        return self._say("250 OK")

    def _data(self, line: str) -> bool:
        self._say("354 go on")
        text = b""
        while (line_ := self.handler.rfile.readline()) not in (b".\r\n", b""):
            text += line_[1:] if line_.startswith(b"..") else line_
        answer = self.smtp.answers.pop(0) if self.smtp.answers else "250 taken"
        if answer.startswith("2"):
            made = email.message_from_bytes(text, policy=email.policy.default)
            mailed = Mailed(self.sender, list(self.to), cast(EmailMessage, made), self.encrypted, self.user)
            self.smtp.got.append(mailed)
        return self._say(answer)

    def _rset(self, line: str) -> bool:
        return self._say("250 OK")

    def _quit(self, line: str) -> bool:
        self._say("221 bye")
        return False
