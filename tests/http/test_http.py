"""The polite client: repeats, doubts, tokens, places and sizes, each against a server that says exact bytes."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from scripted import Clock, Server, drop, half, ok

from syncd.errors import AccessError, ConfigError, Doubt, Fault, QuotaExhausted, Transient
from syncd.http import (
    ERROR,
    EXPIRED,
    OK,
    Answer,
    BadAnswer,
    Bearer,
    Budget,
    Daily,
    Http,
    Meter,
    Timing,
    Verdict,
    by_status,
    retry_after_s,
    segment,
)

Client = Callable[..., Http]

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


# ---------------------------------------------------------------- throttling


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(said: str, seconds: float | None) -> None:
    """Rule: seconds, or a date held against the server's own date, never ours (H028, H049)."""
    answer = Answer(429, {"Retry-After": said, "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, b"")

    assert retry_after_s(answer) == seconds


def test_an_absurd_retry_after_is_capped(server: Server, client: Client, clock: Clock) -> None:
    """Rule: ten years of silence is a mistake of theirs (H028)."""
    server.scripts = [ok(b"{}", "429 Slow", headers="Retry-After: 315360000\r\n"), ok()]

    client(meters=[Meter("burst", 100, 10)]).read("GET", "/x")
    assert sum(clock.slept) == 60


def test_nothing_is_sent_while_the_vendor_asked_for_quiet(server: Server, client: Client, clock: Clock) -> None:
    """Rule: Retry-After binds every thread of the account, not only the one that was told (H027)."""
    http = client(meters=[Meter("burst", 100, 10)], classify=lambda a: Verdict("throttled") if a.status == 429 else OK)
    server.scripts = [ok(b"{}", "429 Slow", headers="Retry-After: 7\r\n")]
    with pytest.raises(Transient) as caught:
        http.read("GET", "/a")
    assert caught.value.after_s == 7
    server.scripts = [ok()]
    before = clock.now_s

    http.read("GET", "/b")
    assert clock.now_s - before == pytest.approx(7)


def test_quiet_on_one_meter_leaves_the_others_alone(server: Server, client: Client, clock: Clock) -> None:
    """Rule: the search limit is not the general limit (H032)."""
    http = client(
        meters=[Meter("burst", 100, 10), Meter("search", 5, 1)],
        classify=lambda a: Verdict("throttled", after_s=5, meter="search") if a.status == 429 else OK,
        timing=Timing(tries=1),
    )
    server.scripts = [ok(b"{}", "429 Slow"), ok()]
    with pytest.raises(Transient):
        http.read("POST", "/search", meters=["search"])

    http.read("GET", "/a", meters=["burst"])
    assert clock.slept == []
    http.read("POST", "/search", meters=["search"])
    assert clock.slept == [5]


def test_a_used_up_day_is_said_at_once(server: Server, client: Client) -> None:
    """Rule: waiting for tomorrow is not done inside a call (H030)."""
    server.scripts = [ok(b"{}", "429 Slow")]
    http = client(classify=lambda answer: Verdict("daily", "the day's limit is reached", after_s=3600))

    with pytest.raises(QuotaExhausted) as caught:
        http.send("POST", "/x", json={})
    assert caught.value.after_s == 3600
    assert len(server.seen) == 1


# ---------------------------------------------------------------- tokens


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


# ---------------------------------------------------------------- places


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(server: Server, client: Client, status: str) -> None:
    """Rule: the token goes to one origin only (X01)."""
    thief = Server()
    server.scripts = [ok(b"", status, headers=f"Location: {thief.url}/x\r\n")]

    with pytest.raises(Transient, match="redirect to another place; not followed"):
        client().read("GET", "/x")
    with pytest.raises(Transient, match="not followed"):
        client().send("POST", "/x", json={})
    thief.close()
    assert thief.seen == []
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/services/data/v67.0/query/01g-2000?x=1", "/services/data/v67.0/query/01g-2000?x=1"),
        ("https://api.example.test/a?b=c", "/a?b=c"),
        ("https://API.example.test:443/a", "/a"),
        ("https://evil.test/a", None),
        ("http://api.example.test/a", None),
        ("https://api.example.test:444/a", None),
        ("https://api.example.test@evil.test/a", None),
        ("https://user@api.example.test/a", None),
        ("https://api.example.test.evil.test/a", None),
        ("//evil.test/a", None),
        ("/\\evil.test/a", None),
        ("/a\r\nX: y", None),
        ("a/b", None),
        ("", None),
        ("https://[::1/a", None),
    ],
)
def test_an_address_from_an_answer_must_lead_back_here(client: Client, url: str, path: str | None) -> None:
    """Rule: a forged next page is not followed (X02, H066)."""
    http = client(base_url="https://api.example.test")

    if path is None:
        with pytest.raises(BadAnswer):
            http.same_origin(url)
    else:
        assert http.same_origin(url) == path


@pytest.mark.parametrize("url", ["http://api.example.test", "ftp://api.example.test", "api.example.test", "https://"])
def test_plain_http_is_for_this_machine_only(client: Client, url: str) -> None:
    """Rule: a token never crosses a network in the clear (X33)."""
    with pytest.raises(ConfigError):
        client(base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://x.test"])
def test_loopback_and_https_are_allowed(client: Client, url: str) -> None:
    """Rule: sandboxes on this machine need no certificate."""
    client(base_url=url)


def test_the_environment_cannot_move_our_calls(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: a proxy comes from the settings only."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert client().read("GET", "/x").status == 200


def test_a_proxy_of_the_settings_is_used(server: Server, client: Client) -> None:
    """Rule: the settings' proxy, and no other."""
    assert client(base_url="http://127.0.0.1:1", proxy=server.url).read("GET", "/x").status == 200
    assert server.seen[0].startswith(b"GET http://127.0.0.1:1/x ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's certificate for 127.0.0.1 that signed itself, and the file that holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, str(file)


def test_a_server_that_nobody_vouches_for_gets_nothing(client: Client, certificate: tuple[ssl.SSLContext, str]) -> None:
    """Rule: TLS is always verified; a file of certificates can be added, and only that (K28, X33)."""
    context, file = certificate
    server = Server(context)

    with pytest.raises(Transient, match="certificate is not trusted") as caught:
        client(base_url=server.url).send("POST", "/x", json={})
    assert not isinstance(caught.value, Doubt)
    assert server.seen == []
    assert client(base_url=server.url, ca_file=file).read("GET", "/x").status == 200
    server.close()


def test_cookies_are_not_kept(server: Server, client: Client) -> None:
    """Rule: nothing but the token speaks for us."""
    server.scripts = [ok(headers="Set-Cookie: a=b\r\n")]
    http = client()
    http.read("GET", "/x")
    http.read("GET", "/x")

    assert b"ookie" not in server.seen[1]


@pytest.mark.parametrize("path", ["x", "//evil/x", "/a b", "/a\r\nHost: evil"])
def test_a_path_that_is_none_is_our_fault(client: Client, path: str) -> None:
    """Rule: nothing from a record can split a request (X17)."""
    with pytest.raises(Fault):
        client().read("GET", path)


def test_a_key_is_one_segment_whatever_stands_in_it() -> None:
    """Rule: a key cannot name another endpoint (X17)."""
    assert segment("a/../b?c#d\r\n") == "a%2F..%2Fb%3Fc%23d%0D%0A"
    for text in ("", ".", ".."):
        with pytest.raises(ValueError, match="segment"):
            segment(text)


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


# ---------------------------------------------------------------- budget at work


def test_every_request_that_leaves_is_paid_for(server: Server, client: Client, clock: Clock) -> None:
    """Rule: tries count too; the vendor counts them as well."""
    server.scripts = [drop, drop, ok()]
    budget = Budget(now=clock.now)

    client(budget=budget).read("GET", "/x")
    assert budget.snapshot()["used"] == 3


def test_a_call_beyond_the_budget_is_not_sent(server: Server, client: Client, clock: Clock) -> None:
    """Rule: no budget, no call; tokens and identity are let through (H029)."""
    http = client(budget=Budget(per_day=1, urgent=0, now=clock.now))
    http.read("GET", "/x")

    with pytest.raises(QuotaExhausted):
        http.read("GET", "/x")
    assert len(server.seen) == 1
    with http.lane(None):
        http.read("GET", "/x")
    http.read("POST", "/token", counted=False, authorized=False)
    assert len(server.seen) == 3


def test_the_vendors_figure_is_taken_from_answers(server: Server, client: Client, clock: Clock) -> None:
    """Rule: others' calls count against the reserve too (H029, H031)."""
    server.scripts = [ok(headers="X-Left: 21\r\n"), ok(headers="X-Left: 20\r\n")]
    http = client(
        budget=Budget(reserve=0.2, now=clock.now), daily=lambda answer: Daily(100, int(answer.headers["x-left"]))
    )
    http.read("GET", "/x")
    http.read("GET", "/x")

    with http.lane("urgent"), pytest.raises(QuotaExhausted):
        http.read("GET", "/x")
    assert len(server.seen) == 2


def test_lanes_belong_to_threads(server: Server, client: Client, clock: Clock) -> None:
    """Rule: an urgent call beside a backfill stays urgent."""
    http = client(budget=Budget(per_day=10, urgent=1.0, now=clock.now))
    with http.lane("urgent"):
        http.read("GET", "/x")
        with ThreadPoolExecutor(1) as pool, pytest.raises(QuotaExhausted):
            pool.submit(http.read, "GET", "/x").result()
        with http.lane("backfill"), pytest.raises(QuotaExhausted):
            http.read("GET", "/x")
        http.read("GET", "/x")


def test_a_call_costs_little_processor_time(server: Server, client: Client) -> None:
    """Rule: at most 1.5 ms of CPU a call beyond the wire's own."""
    http = client(meters=[Meter("burst", 1_000_000, 10)], now=time.monotonic, sleep=time.sleep)
    http.read("GET", "/x")
    start = time.thread_time()
    for _ in range(100):
        http.read("GET", "/x", params={"a": "b"})

    assert (time.thread_time() - start) / 100 < 0.0015
