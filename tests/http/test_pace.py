"""Pace: several windows at once, lanes, pauses; with a clock that only sleeping moves."""

from __future__ import annotations

import threading
import time

import pytest
from scripted import Clock

from syncd.connector import Meter
from syncd.pace import Pace


def run(pace: Pace, clock: Clock, times: int, lane: str = "urgent") -> list[float]:
    """When each of so many calls in a row went out."""
    went: list[float] = []
    for _ in range(times):
        with pace.slot(None, lane):  # type: ignore[arg-type]
            went.append(clock.now_s)
    return went


@pytest.mark.parametrize("lane", ["urgent", "normal", "backfill"])
def test_no_window_ever_holds_more_than_nine_tenths_of_the_limit(clock: Clock, lane: str) -> None:
    """Rule: every limit holds at once, at any moment of a rolling window (H032)."""
    meters = [Meter("burst", 19, 1), Meter("long", 100, 10)]
    went = run(Pace(meters, clock.now, clock.sleep), clock, 400, lane)

    for meter in meters:
        for start in went:
            assert sum(start <= at < start + meter.window_s for at in went) <= meter.limit * 0.9
    if lane == "urgent":
        assert went[-1] - went[0] <= 400 / 90 * 10  # and no slower than that


def test_a_backfill_leaves_room_for_others(clock: Clock) -> None:
    """Rule: a live call does not wait behind a window that a backfill filled (H034)."""
    pace = Pace([Meter("burst", 100, 10)], clock.now, clock.sleep)
    run(pace, clock, 75, "backfill")
    before = clock.now_s

    run(pace, clock, 5, "normal")
    run(pace, clock, 4, "urgent")
    assert clock.now_s == before
    run(pace, clock, 5, "backfill")
    assert clock.now_s > before


def test_small_limits_are_not_rounded_to_nothing(clock: Clock) -> None:
    """Rule: a limit of one still lets one through."""
    assert len(run(Pace([Meter("jobs", 1, 1)], clock.now, clock.sleep), clock, 3, "backfill")) == 3


def test_a_pause_is_never_shortened_by_a_shorter_one(clock: Clock) -> None:
    """Rule: the longest quiet asked for holds."""
    pace = Pace([Meter("burst", 100, 10)], clock.now, clock.sleep)
    pace.pause(None, 10)
    pace.pause("burst", 2)
    start = clock.now_s

    assert run(pace, clock, 1)[0] - start == pytest.approx(10)


def test_a_clock_that_jumps_back_cannot_stop_us_for_hours(clock: Clock) -> None:
    """Rule: a wait is never longer than a window or a pause."""
    pace = Pace([Meter("burst", 2, 10)], clock.now, clock.sleep)
    run(pace, clock, 1)
    pace.pause(None, 5)
    clock.now_s -= 36_000
    start = clock.now_s

    run(pace, clock, 1)
    assert clock.now_s - start <= 10


def test_concurrent_requests_are_bounded() -> None:
    """Rule: a limit without a window counts what runs right now (H033)."""
    pace = Pace([Meter("running", 3, 0)], time.monotonic, time.sleep)  # nine tenths of it: two
    inside = threading.Semaphore(0)
    leave = threading.Event()
    running = []

    def call() -> None:
        with pace.slot(["running"], "normal"):
            running.append(1)
            inside.release()
            leave.wait(2)
            running.pop()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    inside.acquire()
    inside.acquire()
    assert not inside.acquire(timeout=0.06)
    assert len(running) == 2
    leave.set()
    for thread in threads:
        thread.join(2)
    assert not any(thread.is_alive() for thread in threads)
