"""The chassis: clock, faults, server, control channel, log, and the people it fills sandboxes with."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from syncd.sandbox.chassis import Refused, Request, Response, Server, serve
from syncd.sandbox.clock import Clock
from syncd.sandbox.company import people
from syncd.sandbox.faults import Fault, Faults
from syncd.sandbox.requestlog import RequestLog


class Counter:
    """The smallest app: it counts what was applied."""

    name = "counter"

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.applied: list[str] = []

    def handle(self, request: Request) -> Response:
        if request.path == "/broken":
            raise ZeroDivisionError
        request.actor = "tester"
        self.applied.append(request.path)
        vendor = [fault.kind for fault in request.faults]
        return Response(200, {"count": len(self.applied), "path": request.path, "vendor": vendor, "pad": "x" * 100})

    def act(self, action: dict[str, Any]) -> dict[str, Any]:
        if action.get("do") != "add":
            raise Refused("only add")
        self.applied.append("act")
        return {"count": len(self.applied)}

    def state(self, object: str | None) -> dict[str, Any]:
        return {"objects": {"paths": {str(at): path for at, path in enumerate(self.applied)}}}

    def switch(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {"changed": sorted(changes)}


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Counter()) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def applied(server: Server) -> list[str]:
    return list(server.control.state()["objects"]["paths"].values())


# ---------------------------------------------------------------- clock


def test_the_clock_runs_with_real_time_and_jumps_on_request() -> None:
    """Virtual time is real time plus what was advanced."""
    real = [1000.0]
    clock = Clock(lambda: real[0])
    clock.advance(500)
    real[0] += 2

    assert clock.now_ms() == 1_002_500


def test_a_frozen_clock_stands_until_it_is_advanced_or_thawed() -> None:
    """Freezing stops time; thawing goes on from there, not from real time."""
    real = [1000.0]
    clock = Clock(lambda: real[0])
    clock.freeze(at_ms=5_000)
    real[0] += 60
    clock.advance(7)
    frozen_ms = clock.now_ms()
    clock.thaw()
    real[0] += 1

    assert (frozen_ms, clock.now_ms()) == (5_007, 6_007)


def test_the_clock_never_goes_backwards() -> None:
    """Stamps of a sandbox must not run back when the machine's clock does."""
    real = [1000.0]
    clock = Clock(lambda: real[0])
    before = clock.now_ms()
    real[0] -= 100

    assert clock.now_ms() == before
    with pytest.raises(ValueError, match="advances"):
        clock.advance(-1)


# ---------------------------------------------------------------- faults


def test_a_rule_strikes_the_nth_matching_request_and_as_often_as_it_says() -> None:
    """`nth` counts matching requests only; with it, a rule strikes once unless `times` says more."""
    faults = Faults()
    rule = faults.add({"kind": "slow", "path": "/a", "method": "post", "nth": 2, "times": 2, "delay_ms": 1})
    struck = [bool(faults.take("POST", path)) for path in ("/a", "/b", "/a", "/a", "/a")]

    assert struck == [False, False, True, True, False]
    assert rule.options == {"delay_ms": 1}
    assert not faults.take("GET", "/a")


def test_seeded_faults_repeat_and_a_cleared_sandbox_has_none() -> None:
    """A seed makes a run repeatable; clearing ends everything."""

    def run() -> list[list[str]]:
        faults = Faults()
        faults.seed(7, {"reset_after": 0.3, "status:502": 0.3})
        return [[fault.kind for fault in faults.take("GET", "/")] for _ in range(50)]

    first = run()
    faults = Faults()
    faults.seed(7, {"status:502": 1.0})
    (fault,) = faults.take("GET", "/")
    faults.clear()

    assert first == run()
    assert {kind for kinds in first for kind in kinds} == {"reset_after", "status"}
    assert fault.options == {"status": 502}
    assert faults.take("GET", "/") == []


def test_a_rule_without_a_kind_or_with_a_broken_pattern_is_refused(server: Server) -> None:
    """A mistyped rule must not become a test that cannot fail."""
    with pytest.raises(ValueError, match="kind"):
        Fault.from_json({"path": "/a"})
    with pytest.raises(RuntimeError, match="error"):
        server.control.faults(kind="slow", path="(")


# ---------------------------------------------------------------- the server


def test_a_request_reaches_the_app_and_the_date_is_virtual(server: Server, client: requests.Session) -> None:
    """Clients that read the server's clock must see the virtual one; a plus in a path stays a plus."""
    server.control.clock(freeze=1_000_000_000_000)
    answer = client.get(f"{server.url}/a%2Fb/c+d%40e?x=1")

    assert answer.json()["path"] == "/a%2Fb/c+d@e"
    assert answer.headers["date"] == "Sun, 09 Sep 2001 01:46:40 GMT"


@pytest.mark.parametrize(
    ("kind", "is_applied", "answers"),
    [
        ("reset_before", False, False),
        ("reset_after", True, False),
        ("late", False, False),
        ("truncate", True, False),
        ("garbage", False, True),
        ("status", False, True),
    ],
)
def test_a_fault_does_to_the_connection_what_it_says(
    server: Server, client: requests.Session, kind: str, is_applied: bool, answers: bool
) -> None:
    """Dropped is dropped, and applied or not is exactly as promised: everything about doubt is tested on this."""
    server.control.faults(kind=kind, path="/x", nth=1)
    if answers:
        answer = client.get(f"{server.url}/x")
        assert answer.status_code == (200 if kind == "garbage" else 503)
        assert answer.text.startswith("<html>") == (kind == "garbage")
    else:
        with pytest.raises(requests.RequestException):
            client.get(f"{server.url}/x")

    assert applied(server) == (["/x"] if is_applied else [])
    assert server.control.log()[0]["fault"] == kind
    assert client.get(f"{server.url}/x").status_code == 200


def test_a_reset_leaves_not_one_byte(server: Server) -> None:
    """`reset_after` must not leak a status line: a client could take it for an answer."""
    server.control.faults(kind="reset_after")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            got = raw.recv(100)
        except ConnectionResetError:
            got = b""

    assert got == b""


def test_a_late_request_is_applied_once_its_moment_has_come(server: Server, client: requests.Session) -> None:
    """A write that was given up may still land, after whatever happened meanwhile."""
    server.control.faults(kind="late", nth=1, late_ms=120_000)
    with pytest.raises(requests.ConnectionError):
        client.post(f"{server.url}/first", data=b"{}")
    client.post(f"{server.url}/second", data=b"{}")
    server.control.advance(119)
    before = applied(server)
    server.control.advance(2)

    assert before == ["/second"]
    assert applied(server) == ["/second", "/first"]
    assert server.control.log()[-1]["fault"] == "late+applied"


def test_a_status_fault_carries_headers_and_may_be_applied(server: Server, client: requests.Session) -> None:
    """A gateway error after the work is done is the hardest kind of doubt."""
    server.control.faults(kind="status", status=477, headers={"Retry-After": "9"}, body={"a": 1}, nth=1)
    server.control.faults(kind="status", status=502, html="<p>bad gateway</p>", applied=True, nth=2)
    moved = client.get(f"{server.url}/x")
    bad = client.get(f"{server.url}/y")

    assert (moved.status_code, moved.headers["Retry-After"], moved.json()) == (477, "9", {"a": 1})
    assert (bad.status_code, bad.headers["content-type"].partition(";")[0]) == (502, "text/html")
    assert applied(server) == ["/y"]


def test_slow_combines_with_other_faults_and_redirects_point_elsewhere(
    server: Server, client: requests.Session
) -> None:
    """A slow answer is still its own answer; a redirect applies nothing."""
    server.control.faults({"kind": "slow", "delay_ms": 60}, {"kind": "redirect", "location": "http://127.0.0.1:9/"})
    started = time.monotonic()
    answer = client.get(f"{server.url}/x", allow_redirects=False)

    assert time.monotonic() - started >= 0.06
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:9/")
    assert applied(server) == []


def test_vendor_faults_are_handed_to_the_app(server: Server, client: requests.Session) -> None:
    """The chassis knows no vendor: unknown kinds are the app's."""
    server.control.faults(kind="lock_row", times=1)

    assert client.get(f"{server.url}/x").json()["vendor"] == ["lock_row"]
    assert client.get(f"{server.url}/x").json()["vendor"] == []


def test_a_bug_of_the_sandbox_is_loud(server: Server, client: requests.Session) -> None:
    """A crash of the sandbox must not pass for a vendor's 500."""
    answer = client.get(f"{server.url}/broken")

    assert (answer.status_code, "ZeroDivisionError" in answer.json()["sandbox_bug"]) == (500, True)
    assert server.control.log()[0]["fault"] == "bug"


# ---------------------------------------------------------------- control channel and log


def test_the_control_channel_acts_and_refuses_with_words(server: Server) -> None:
    """What a test asks for either happens or raises."""
    assert server.control.act("add") == {"count": 1}
    assert server.control.act_all([{"do": "add"}, {"do": "add"}]) == [{"count": 2}, {"count": 3}]
    assert server.control.switches(b=1, a=2) == {"changed": ["a", "b"]}
    assert requests.get(f"{server.url}/_control/health", timeout=5).json() == {"name": "counter", "ok": True}
    assert requests.get(f"{server.url}/_control/nothing", timeout=5).status_code == 404
    with pytest.raises(RuntimeError, match="only add"):
        server.control.act("remove")


def test_the_log_tells_what_was_asked_but_no_secret(server: Server, client: requests.Session) -> None:
    """Headers are not kept, and secrets in token requests are taken out of both directions."""
    client.post(f"{server.url}/one?q=2", json={"a": [1]}, headers={"Authorization": "Bearer top-secret-1"})
    client.post(f"{server.url}/oauth/token", data={"grant_type": "refresh_token", "client_secret": "top-secret-2"})
    first, second = server.control.log(answers=True)
    (last,) = server.control.log(since=1)

    assert (first["n"], first["method"], first["path"], first["query"]) == (1, "POST", "/one", {"q": ["2"]})
    assert (first["body"], first["status"], first["actor"], first["answer"]["count"]) == ({"a": [1]}, 200, "tester", 1)
    assert second["body"] == "grant_type=refresh_token&client_secret=***"
    assert last["n"] == 2
    assert "answer" not in last
    assert "top-secret" not in str(server.control.log(answers=True))


def test_the_log_is_bounded_in_entries_and_bytes() -> None:
    """A long run must not eat the machine; bodies go first, then the oldest entries."""
    log = RequestLog(max_entries=3, max_bytes=25)
    for number in range(5):
        log.add(
            path=f"/{number}",
            body=b"[12345678]",
            answer=b"",
            secretive=False,
            at_ms=0,
            method="POST",
            query={},
            status=200,
            fault=None,
            actor="",
        )
    kept = log.since(0)

    assert [(entry["n"], entry["body"]) for entry in kept] == [(3, None), (4, [12345678]), (5, [12345678])]
    assert [entry["n"] for entry in log.since(4)] == [5]


def test_a_server_starts_fast_and_gives_its_port_back() -> None:
    """Tests start many of them."""
    started = time.monotonic()
    with serve(Counter()) as running:
        took_s = time.monotonic() - started
        port = running.port
    running.close()

    assert took_s < 0.5
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


# ---------------------------------------------------------------- people


def test_people_are_the_same_for_a_seed_and_nobody_shares_an_address() -> None:
    """The demo's numbers are promises: same seed, same people, and a longer run begins with the shorter one."""
    many = list(people(7, 2000))

    assert list(people(7, 20)) == many[:20]
    assert many != list(people(8, 2000))
    assert len({person.email for person in many}) == 2000
    assert all(person.email.isascii() and person.email.endswith(".example") for person in many)
    assert len({person.country for person in many}) == 8
    assert 0 < sum(person.opted_out for person in many) < 200


def test_requests_of_many_threads_are_applied_one_at_a_time(server: Server) -> None:
    """Clients write from several threads; the app's state needs no lock of its own."""

    def call(number: int) -> int:
        return int(requests.post(f"{server.url}/{number}", data=b"{}", timeout=10).json()["count"])

    with ThreadPoolExecutor(8) as pool:
        counts = sorted(pool.map(call, range(60)))

    assert counts == list(range(1, 61))
    assert [entry["n"] for entry in server.control.log()] == list(range(1, 61))
