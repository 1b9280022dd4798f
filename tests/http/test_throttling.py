"""How the polite client lets itself be slowed: quiet that the vendor asks for, and calls that the budget pays for."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted import Client, Clock, Server, drop, ok

from syncd.errors import QuotaExhausted, Transient
from syncd.http import OK, Answer, Budget, Daily, Meter, Timing, Verdict, retry_after_s

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
