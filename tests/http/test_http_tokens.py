"""Tokens of the polite client: refreshed once for all who need it, and never in a circle."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from scripted import Client, Server, drop, ok

from syncd.errors import AccessError
from syncd.http import Http


class Tokens:
    """Numbered tokens; counts refreshes."""

    def __init__(self, first: int = 1, fails: Exception | None = None) -> None:
        self.n = first
        self.refreshed = 0
        self.fails = fails

    def header(self) -> str:
        return f"Bearer token-{self.n}" if self.n else ""

    def refresh(self, stale: str) -> None:
        self.refreshed += 1
        time.sleep(0.05)
        if self.fails:
            raise self.fails
        self.n += 1


def only_token(good: bytes) -> Any:
    """Answers 401 to any other token."""

    def say(connection: socket.socket, request: bytes) -> None:
        ok(b"{}", "200 OK" if b"Bearer " + good in request else "401 No")(connection, request)

    return say


def test_an_expired_token_is_refreshed_once_and_the_call_repeated(server: Server, client: Client) -> None:
    """Rule: an expiry costs one refresh and is not seen by anybody, also on a write (H035)."""
    server.scripts = [only_token(b"token-2")]
    auth = Tokens()

    assert client(auth=auth).send("POST", "/x", json={}).status == 200
    assert auth.refreshed == 1
    assert len(server.seen) == 2


def test_eight_threads_with_one_stale_token_refresh_once(server: Server, client: Client) -> None:
    """Rule: single flight (H038)."""
    server.scripts = [only_token(b"token-2")]
    auth = Tokens()
    http = client(auth=auth)
    gate = threading.Barrier(8)

    def call(_: int) -> int:
        gate.wait()
        return http.read("GET", "/x").status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [200] * 8
    assert auth.refreshed == 1


def test_a_refresh_that_fails_fails_once_for_all_who_waited(server: Server, client: Client) -> None:
    """Rule: a dead refresh token is not hammered by every thread (H036)."""
    server.scripts = [only_token(b"none")]
    auth = Tokens(fails=AccessError("the app was uninstalled"))
    http = client(auth=auth)
    gate = threading.Barrier(8)

    def call(_: int) -> str:
        gate.wait()
        try:
            http.read("GET", "/x")
        except AccessError as error:
            return error.message
        return "no error"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == {"the app was uninstalled"}
    assert auth.refreshed == 1


def test_a_fresh_token_that_is_refused_ends_as_an_access_error(server: Server, client: Client) -> None:
    """Rule: "expired" does not prove that a refresh helps; at most one a call (HubSpot's trap of 2.3)."""
    server.scripts = [only_token(b"none")]
    auth = Tokens()

    with pytest.raises(AccessError):
        client(auth=auth).read("GET", "/x")
    assert auth.refreshed == 1
    assert len(server.seen) == 2


def test_a_call_refreshes_once_however_often_it_is_tried(server: Server, client: Client) -> None:
    """Rule: at most one refresh a call, also when trouble lies between two refusals."""
    server.scripts = [ok(b"{}", "401 No"), drop, ok(b"{}", "401 No")]
    auth = Tokens()

    with pytest.raises(AccessError):
        client(auth=auth).read("GET", "/x")
    assert auth.refreshed == 1
    assert len(server.seen) == 3


def test_a_token_that_is_due_is_got_before_the_call(server: Server, client: Client) -> None:
    """Rule: an empty header asks for a token first; no call is wasted on a 401."""
    auth = Tokens(first=0)
    server.scripts = [only_token(b"token-1")]

    assert client(auth=auth).read("GET", "/x").status == 200
    assert (auth.refreshed, len(server.seen)) == (1, 1)


def test_a_refresh_may_use_the_same_client(server: Server, client: Client) -> None:
    """Rule: the token call inside a call does not disturb the tries of the outer one."""

    class Inner(Tokens):
        http: Http

        def refresh(self, stale: str) -> None:
            super().refresh(stale)
            self.http.read("POST", "/token", form={"grant_type": "refresh_token"}, authorized=False, counted=False)

    auth = Inner()
    auth.http = http = client(auth=auth)
    server.scripts = [ok(b"{}", "401 No"), drop, ok(b'{"access_token": "t"}'), drop, ok(b'{"a": 1}')]

    assert http.read("GET", "/x").json() == {"a": 1}
    assert b"Authorization" not in server.seen[1]
    assert auth.refreshed == 1


def test_a_static_token_that_is_refused_is_an_access_error(server: Server, client: Client) -> None:
    """Rule: a person has to make a new one; nothing is retried."""
    server.scripts = [only_token(b"none")]

    with pytest.raises(AccessError, match="refuses the token"):
        client().read("GET", "/x")
    assert len(server.seen) == 1
