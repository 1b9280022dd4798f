"""The polite client: repeats, doubts, sizes and what it tells, each against a server that says exact bytes."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import Any

import msgspec
import pytest
from scripted import Client, Clock, Server, drop, half, ok

from syncd.errors import Doubt, Transient
from syncd.http import ERROR, EXPIRED, OK, Answer, BadAnswer, Bearer, Timing, Verdict, by_status

READ_TROUBLES = {
    "dropped": drop,
    "cut off": half,
    "500": ok(b"<h1>oops</h1>", "500 Oops", "text/html"),
    "502 empty": ok(b"", "502 Bad Gateway"),
    "web page with 200": ok(b"<html>login</html>", kind="text/html"),
    "half a JSON text": ok(b'{"results": ['),
    "blanks for JSON": ok(b"  "),
}


# ---------------------------------------------------------------- reads


@pytest.mark.parametrize("trouble", READ_TROUBLES.values(), ids=READ_TROUBLES.keys())
def test_a_read_is_repeated_on_passing_trouble(server: Server, client: Client, trouble: Any) -> None:
    """Rule: what changes nothing may be asked again (H015, H043)."""
    server.scripts = [trouble, ok(b'{"a": 1}')]

    assert client().read("GET", "/x").json() == {"a": 1}
    assert len(server.seen) == 2


@pytest.mark.parametrize("trouble", READ_TROUBLES.values(), ids=READ_TROUBLES.keys())
def test_a_read_gives_up_as_transient_after_its_tries(server: Server, client: Client, trouble: Any) -> None:
    """Rule: tries have a limit, and giving up says so without blaming a person (H023)."""
    server.scripts = [trouble]

    with pytest.raises(Transient) as caught:
        client().read("GET", "/x")
    assert not isinstance(caught.value, Doubt)
    assert "tried 3 times" in str(caught.value)
    assert len(server.seen) == 3


def test_pauses_double_with_jitter_and_a_cap(server: Server, client: Client, clock: Clock) -> None:
    """Rule: tries move apart, so that an outage is not prolonged by us."""
    server.scripts = [drop]
    http = client(timing=Timing(timeout_s=2, retry_s=1, retry_max_s=3, tries=5))

    with pytest.raises(Transient):
        http.read("GET", "/x")
    assert len(clock.slept) == 4
    for pause, full in zip(clock.slept, (1, 2, 3, 3), strict=True):
        assert full / 2 <= pause <= full


def test_an_error_of_the_caller_comes_back_as_an_answer(server: Server, client: Client) -> None:
    """Rule: 4xx is the connector's to read, and is not repeated."""
    server.scripts = [ok(b'{"message": "no"}', "404 Not Found")]

    answer = client().read("GET", "/x")
    assert (answer.status, answer.json()) == (404, {"message": "no"})
    assert len(server.seen) == 1


def test_a_slow_body_is_given_up_at_the_timeout(server: Server, client: Client) -> None:
    """Rule: the timeout holds for the whole call, not only between two bytes (K24)."""

    def drip(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            try:
                connection.sendall(b" ")
            except OSError:
                return False
            time.sleep(0.01)
        return False

    server.scripts = [drip]
    http = client(timing=Timing(timeout_s=0.15, tries=1), now=time.monotonic)
    start = time.monotonic()

    with pytest.raises(Transient, match="no whole answer within"):
        http.read("GET", "/x")
    assert time.monotonic() - start < 0.6


# ---------------------------------------------------------------- sends


@pytest.mark.parametrize("trouble", READ_TROUBLES.values(), ids=READ_TROUBLES.keys())
def test_a_write_of_unknown_fate_is_a_doubt_and_never_repeated(server: Server, client: Client, trouble: Any) -> None:
    """Rule: once a byte may have left, only looking can tell (H002, H014, H015, H024)."""
    server.scripts = [trouble, ok(b'{"a": 1}')]

    with pytest.raises(Doubt):
        client().send("POST", "/x", json={"a": 1})
    assert len(server.seen) == 1


def test_a_write_that_times_out_is_a_doubt(server: Server, client: Client) -> None:
    """Rule: silence is not failure (H003)."""
    released = threading.Event()
    server.scripts = [lambda connection, request: released.wait(2) and False]

    with pytest.raises(Doubt):
        client(timing=Timing(timeout_s=0.1)).send("POST", "/x", json={})
    released.set()
    assert len(server.seen) == 1


def test_a_refused_connection_is_no_doubt(client: Client, clock: Clock) -> None:
    """Rule: what surely did not leave is plain trouble, and may be tried again (D.4, 12)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    http = client(base_url=f"http://127.0.0.1:{port}")

    with pytest.raises(Transient) as caught:
        http.send("POST", "/x", json={})
    assert not isinstance(caught.value, Doubt)
    assert len(clock.slept) == 2
    assert http.calls == 0


def test_an_unknown_host_is_no_doubt(client: Client) -> None:
    """Rule: no address, nothing sent."""
    with pytest.raises(Transient) as caught:
        client(base_url="https://nowhere.invalid").send("POST", "/x", json={})
    assert not isinstance(caught.value, Doubt)


def test_a_write_is_repeated_after_429(server: Server, client: Client) -> None:
    """Rule: 429 says that nothing was carried out."""
    server.scripts = [ok(b"{}", "429 Slow Down", headers="Retry-After: 3\r\n"), ok(b'{"a": 1}')]

    assert client().send("POST", "/x", json={"a": 1}).status == 200
    assert [b'{"a":1}' in seen for seen in server.seen] == [True, True]


def test_a_write_is_repeated_where_the_vendor_says_it_was_not_carried_out(server: Server, client: Client) -> None:
    """Rule: `executed=False` is the connector's word for it (HubSpot 423, Marketo 6xx)."""

    def classify(answer: Answer) -> Verdict:
        return Verdict("transient", executed=False) if answer.status == 423 else OK

    server.scripts = [ok(b"{}", "423 Locked"), ok()]

    assert client(classify=classify).send("POST", "/x", json={}).status == 200
    assert len(server.seen) == 2


# ---------------------------------------------------------------- sizes


def test_an_answer_that_is_too_large_is_cut(server: Server, client: Client) -> None:
    """Rule: memory has a limit (K24)."""
    server.scripts = [ok(b"[" + b" " * 5000 + b"]")]

    with pytest.raises(Transient, match="more than 1000 bytes"):
        client(max_body_bytes=1000).read("GET", "/x")
    with pytest.raises(Doubt):
        client(max_body_bytes=1000).send("POST", "/x", json={})


def test_a_gzip_bomb_is_cut_after_decompression(server: Server, client: Client) -> None:
    """Rule: the limit counts what comes out, not what comes in (K24)."""
    bomb = gzip.compress(b" " * 50_000_000)
    server.scripts = [ok(bomb, headers="Content-Encoding: gzip\r\n")]

    with pytest.raises(Transient, match="more than 1000000 bytes"):
        client(max_body_bytes=1_000_000, timing=Timing(tries=1)).read("GET", "/x")


def test_a_compressed_answer_is_read(server: Server, client: Client) -> None:
    """Rule: gzip is asked for and understood."""
    server.scripts = [ok(gzip.compress(b'{"a": 1}'), headers="Content-Encoding: gzip\r\n")]

    assert client().read("GET", "/x").json() == {"a": 1}
    assert b"gzip" in server.seen[0]


# ---------------------------------------------------------------- what is told


def test_no_secret_value_or_query_stands_in_errors(server: Server, client: Client) -> None:
    """Rule: messages name the method and the path's shape only (X06, X07)."""
    server.scripts = [ok(b"<p>ada@example.test</p>", "500 Oops", "text/html")]
    http = client(timing=Timing(tries=1))
    texts = [repr(http), repr(Bearer("canary-token"))]
    for call in (http.read, http.send):
        with pytest.raises(Transient) as caught:
            call("GET", "/contacts/ada@example.test/00Q5g00000AbCdEFGH/12345", params={"email": "ada@example.test"})
        error: BaseException | None = caught.value
        while error is not None:
            texts += [repr(error), str(error), repr(vars(error))]
            error = error.__cause__ or error.__context__

    told = " ".join(texts)
    assert "GET /contacts/{id}/{id}/{id}" in told
    for secret in ("canary", "ada@", "12345", "00Q5g", "email"):
        assert secret not in told


def test_a_body_of_the_wrong_shape_is_told_without_quoting_it(server: Server, client: Client) -> None:
    """Rule: decoding trouble is a BadAnswer, and shows nothing of the body."""

    class Page(msgspec.Struct):
        results: list[int]

    server.scripts = [ok(b'{"results": ["ada@example.test"]}')]
    answer = client().read("GET", "/x")

    with pytest.raises(BadAnswer) as caught:
        answer.json(msgspec.json.Decoder(Page))
    assert "ada" not in str(caught.value)
    assert caught.value.__context__ is None


def test_every_request_is_counted_with_its_path_shape(server: Server, client: Client) -> None:
    """Rule: metrics know the shape of a path, never an id."""
    calls: list[tuple[str, str, int, float]] = []
    server.scripts = [drop, ok(b"{}", "404 Not Found")]
    http = client(on_call=lambda *call: calls.append(call))

    http.read("GET", "/crm/objects/2026-09/contacts/101")
    assert [call[:3] for call in calls] == [
        ("GET", "/crm/objects/2026-09/contacts/{id}", 0),
        ("GET", "/crm/objects/2026-09/contacts/{id}", 404),
    ]
    assert http.calls == 2


def test_usual_statuses_have_usual_verdicts() -> None:
    """Rule: a connector that says nothing gets the careful reading."""
    verdicts = {status: by_status(Answer(status, {}, b"")) for status in (200, 204, 401, 404, 408, 429, 500, 503)}

    assert verdicts[200] is verdicts[204] is OK
    assert verdicts[401] is EXPIRED
    assert verdicts[404] is ERROR
    assert {verdicts[s].kind for s in (408, 500, 503)} == {"transient"}
    assert verdicts[503].executed
    assert verdicts[429].kind == "throttled"
