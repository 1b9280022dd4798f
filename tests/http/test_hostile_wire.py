"""The client against a server that wants to hold it, fill it or lead it astray: bounded time, bounded memory, no leak."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
from typing import Any, Literal

import msgspec
import pytest
from scripted import Client, Clock, Server, ok

from syncd import trail
from syncd.errors import AccessError, Doubt, QuotaExhausted, Transient
from syncd.http import BadAnswer, Bearer, Budget, Daily, Timing, Trail, Verdict

QUICK = Timing(timeout_s=0.15, retry_s=0.5, retry_max_s=60.0, tries=1)
LONGEST_S = 2.0
"""How long one call may take at a server that drips, with a timeout of 0.15 s: a busy machine included."""


def dripping(head: bytes, drop: bytes) -> Any:
    """Says something, and then a little more every few milliseconds for as long as anybody listens."""

    def say(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(head)
        end_s = time.monotonic() + 20
        while time.monotonic() < end_s:
            connection.sendall(drop)
            time.sleep(0.01)
        return False

    return say


STATUS = b"HTTP/1.1 200 OK\r\n"
CHUNKED = STATUS + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "a status line": dripping(b"HTTP/1.1 200 O", b"K"),
    "a header": dripping(STATUS + b"X-Long: ", b"x"),
    "ever more headers": dripping(STATUS, b"X: y\r\n"),
    "interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": dripping(STATUS + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a chunk's length": dripping(CHUNKED, b"0"),
    "tiny chunks": dripping(CHUNKED, b"1\r\n \r\n"),
    "what follows the last chunk": dripping(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS.keys())
def test_a_server_that_drips_is_left_at_the_timeout(server: Server, client: Client, drip: Any) -> None:
    """Rule: the timeout holds for the whole of an answer, not for each of its bytes; a write is then in doubt."""
    http = client(timing=QUICK)
    for call, error in ((http.read, Transient), (http.send, Doubt)):
        server.scripts = [drip]
        began_s = time.monotonic()
        with pytest.raises(error):
            call("POST", "/x")
        assert time.monotonic() - began_s < LONGEST_S

    server.scripts = [ok(b'{"a": 1}')]
    assert http.read("GET", "/x").json() == {"a": 1}


HEADS = {
    "a thousand headers": "".join(f"X-{n}: y\r\n" for n in range(1000)),
    "a header of a megabyte": f"X-Long: {'y' * 1_000_000}\r\n",
}


@pytest.mark.parametrize("headers", HEADS.values(), ids=HEADS.keys())
def test_enormous_headers_are_not_kept(server: Server, client: Client, headers: str) -> None:
    """Rule: what is longer than any head of an answer is none."""
    server.scripts = [ok(headers=headers)]

    with pytest.raises(Transient):
        client(timing=QUICK).read("GET", "/x")


def zeros(n: int, layers: int) -> bytes:
    body = b"0" * n
    for _ in range(layers):
        body = gzip.compress(body)
    return body


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_zip_bomb_costs_no_memory(server: Server, client: Client, layers: int) -> None:
    """Rule: an answer takes no more memory than a small multiple of the limit, however much it claims to hold."""
    encodings = ", ".join(["gzip"] * layers)
    server.scripts = [ok(zeros(60_000_000, layers), headers=f"Content-Encoding: {encodings}\r\n")]
    http = client(timing=Timing(timeout_s=10, tries=1), max_body_bytes=1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Transient):
            http.read("GET", "/x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8_000_000


@pytest.mark.parametrize("body", [b"[" * 60_000 + b"]" * 60_000, b'{"a":' * 60_000 + b"1" + b"}" * 60_000])
def test_deep_json_is_no_answer(server: Server, client: Client, body: bytes) -> None:
    """Rule: no depth makes the reader fall over."""
    server.scripts = [ok(body)]

    with pytest.raises(BadAnswer):
        client().read("GET", "/x").json()


def test_millions_of_tiny_values_are_not_made_objects(server: Server, client: Client) -> None:
    """Rule: a body within the limit that would take thirty times its size in memory is refused before it is decoded."""
    server.scripts = [ok(b"[" + b"[]," * 3_000_000 + b"[]]")]
    answer = client().read("GET", "/x")
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer):
            answer.json()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000


class _Found(msgspec.Struct):
    offset: int = 0
    marks: dict[str, int] = {}
    word: Literal["yes", "no"] = "no"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"offset": "7"}', "should be: Expected `int`, got `str` - at `$.offset`"),
        (b'{"marks": {"ann@x.test": "Ann"}}', "should be: Expected `int`, got `str` - at `$.marks[...]`"),
        (b'{"word": "Ann"}', "should be"),
        (b"[1]", "should be: Expected `object`, got `array`"),
    ],
)
def test_an_answer_of_another_shape_says_where_and_quotes_nothing(
    server: Server, client: Client, body: bytes, said: str
) -> None:
    """Rule: whoever has to mend it learns which field; the values of people stay out of messages."""
    server.scripts = [ok(body)]
    with pytest.raises(BadAnswer) as caught:
        client().read("GET", "/x").json(msgspec.json.Decoder(_Found))

    assert caught.value.message.endswith(said)


UNREADABLE = [
    b'{"a": 1e999}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'{"a": 1,}', b"{'a': 1}",
]  # fmt: skip


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_json_does_not_allow_is_no_answer(server: Server, client: Client, body: bytes) -> None:
    """Rule: no number beyond what can be kept, no text that is none."""
    server.scripts = [ok(body)]

    with pytest.raises(BadAnswer):
        client().read("GET", "/x").json()


@pytest.mark.parametrize("said", ["inf", "1e400", "9" * 400, "86400000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_retry_after_stops_us_for_longer_than_the_settings_say(
    server: Server, client: Client, clock: Clock, said: str
) -> None:
    """Rule: a wait that is asked for has a limit of ours, in the pauses and in what is told."""
    head = f"Retry-After: {said}\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
    server.scripts = [ok(b"{}", "429 Too Many Requests", headers=head)]

    with pytest.raises(Transient) as caught:
        client().read("GET", "/x")
    assert clock.slept
    assert max(clock.slept) <= 60.0
    assert (caught.value.after_s or 0) <= 60.0


def test_the_day_that_a_vendor_says_is_over_ends_within_a_day(server: Server, client: Client) -> None:
    """Rule: nobody's Retry-After makes us rest for ever."""
    server.scripts = [ok(b"{}", "429 Too Many Requests", headers="Retry-After: 1e400\r\n")]
    http = client(classify=lambda answer: Verdict("daily", "over"))

    with pytest.raises(QuotaExhausted) as caught:
        http.read("GET", "/x")
    assert caught.value.after_s == 86_400.0


@pytest.mark.parametrize("token", ["canary\r\nX-Evil: 1", "canary-\u00e9\u4e00", "canary\x00"])
def test_a_token_that_would_break_the_header_is_refused_and_not_told(
    server: Server, client: Client, token: str
) -> None:
    """Rule: what a login answered with is not believed to be a token; no message shows it (X06)."""
    with pytest.raises(AccessError) as caught:
        client(auth=Bearer(token)).read("GET", "/x")
    assert "canary" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None
    assert server.seen == []


@pytest.mark.parametrize("said", ["", "-1", "1.5", "abc", "9" * 400, "9" * 5000, "٣"])
def test_a_quota_that_is_no_number_is_none(said: str) -> None:
    """Rule: a header can neither crash us nor make room without end."""
    assert Daily.of("1000", said) is None
    assert Daily.of("9" * 400, "5") is None
    assert Daily.of(None, "5") == Daily(None, 5)


def test_a_quota_that_lies_leaves_our_own_budget_in_force(clock: Clock) -> None:
    """Rule: the vendor's figure only ever takes away."""
    budget = Budget(per_day=10, urgent=0, now=clock.now)
    budget.vendor(10**12, 10**12)

    assert budget.left() == 10


# ---------------------------------------------------------------- following pages


def test_pages_that_lead_back_end_the_reading() -> None:
    """Rule: a place where we were is not followed, however long the circle is."""
    way = Trail("contacts")
    for n in range(50):
        way.on(f"p{n}", 1)

    with pytest.raises(BadAnswer, match="lead back"):
        way.on("p7", 1)


def test_pages_without_a_row_end_the_reading() -> None:
    """Rule: an empty page may name another, but not for ever."""
    way = Trail("contacts")
    way.on("first", 1)
    for n in range(trail.MOST_EMPTY_PAGES):
        way.on(str(n), 0)

    with pytest.raises(BadAnswer, match="hold nothing"):
        way.on("one more", 0)


def test_pages_without_end_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: a reading has a size, and the message says what becomes of what was read."""
    monkeypatch.setattr(trail, "MOST_PAGES", 100)
    way = Trail("contacts")
    for n in range(100):
        way.on(str(n), 1)

    with pytest.raises(BadAnswer, match="what was read is kept"):
        way.on("one more", 1)


@pytest.mark.parametrize("place", ["a\r\nb", "\x00", "A" * 5000])
def test_a_place_that_is_none_is_not_followed(place: str) -> None:
    """Rule: what a page names goes into an address of ours, so it has to look like one part of it."""
    with pytest.raises(BadAnswer, match="that is none"):
        Trail("contacts").on(place, 1)
