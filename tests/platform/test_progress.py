"""Progress of long work, on a terminal and in a log."""

from __future__ import annotations

import io
from typing import Any

import pytest

from syncd.progress import Progress, duration


class Now:
    """A clock that goes on only when told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Terminal(io.StringIO):
    """Counts how often something is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.draws = 0

    def write(self, text: str) -> int:
        self.draws += 1
        return super().write(text)


def opened(stream: io.StringIO, now: Now, **given: Any) -> Progress:
    return Progress("people", stream=stream, now=now, **given)


def test_in_a_log_it_is_plain_lines_with_rate_and_time_left() -> None:
    """A line now and then, and one at the end, without any control character."""
    stream, now = io.StringIO(), Now()
    with opened(stream, now, total=1_000) as progress:
        for _ in range(10):
            now.at += 2.0
            progress.advance(100)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "people: 0 of 1,000 (0 %)"
    assert lines[1] == "people: 300 of 1,000 (30 %), 50/s, 14 s left"
    assert lines[-1] == "people: 1,000 of 1,000 (100 %), 50/s, end"
    assert len(lines) == 5
    assert stream.getvalue().replace("\n", "").isprintable()


def draws(steps: int, step_s: float) -> int:
    """How often a terminal is written to during so many advances."""
    stream, now = Terminal(), Now()
    with opened(stream, now, total=1_000, terminal=True) as progress:
        before = stream.draws
        for _ in range(steps):
            now.at += step_s
            progress.advance(1_000 // steps)
        drawn = stream.draws - before
    assert "1,000 of 1,000" in stream.getvalue()
    return drawn


def test_a_terminal_is_drawn_at_most_four_times_a_second() -> None:
    """A thousand pages in a second cost no more drawings than four do."""
    assert 0 < draws(1_000, 0.001) <= draws(4, 0.25)


def test_work_taken_up_again_counts_as_done_but_not_as_speed() -> None:
    """After a kill -9 the bar goes on where it was, and the time left is that of the real rate."""
    stream, now = io.StringIO(), Now()
    progress = opened(stream, now, total=1_000_000, done=900_000)
    now.at += 10.0
    progress.advance(1_000)
    assert progress.rate == 100.0
    assert progress.left_s == 990.0
    assert progress.line() == "people: 901,000 of 1,000,000 (90 %), 100/s, 16 min 30 s left"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """When the vendor begins to throttle, the time left must say so soon."""
    stream, now = io.StringIO(), Now()
    progress = opened(stream, now, total=1_000_000)
    for _ in range(60):
        now.at += 1.0
        progress.advance(1_000)
    for _ in range(25):
        now.at += 1.0
        progress.advance(10)
    assert progress.rate == 10.0


def test_without_a_total_nothing_is_invented() -> None:
    """An unknown end gives no percent and no time left; it may become known on the way."""
    stream, now = io.StringIO(), Now()
    progress = opened(stream, now)
    now.at += 1.0
    progress.advance(5)
    assert progress.line() == "people: 5, 5.0/s"
    progress.advance(0, total=10)
    assert progress.line() == "people: 5 of 10 (50 %), 5.0/s, 1 s left"


def test_a_hundred_percent_is_said_only_at_the_end() -> None:
    """999,999 of 1,000,000 is not all."""
    progress = opened(io.StringIO(), Now(), total=1_000_000)
    progress.advance(999_999)
    assert "(99 %)" in progress.line()


def test_an_interrupted_run_says_so() -> None:
    """Ctrl-C and errors end the bar, and the last line does not claim success."""
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), opened(stream, Now(), total=10):
        raise KeyboardInterrupt
    assert stream.getvalue().splitlines()[-1].endswith("stopped")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_closed_stream_does_not_end_the_work(terminal: bool) -> None:
    """The terminal may go away during a backfill of hours."""
    stream, now = io.StringIO(), Now()
    with opened(stream, now, total=10, terminal=terminal) as progress:
        stream.close()
        now.at += 60
        progress.advance(10)
    assert progress.done == 10


def test_durations_are_said_in_at_most_two_units() -> None:
    """The second unit only where it matters."""
    said = [duration(seconds) for seconds in (0.4, 26, 60, 250, 3_600, 7_500, 86_400, 273_600)]
    assert said == ["0 s", "26 s", "1 min", "4 min 10 s", "1 h", "2 h 5 min", "1 d", "3 d 4 h"]
