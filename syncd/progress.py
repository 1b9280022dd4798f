"""Progress of long work: a bar on a terminal, plain lines elsewhere; how much, how fast, how long still.

Promise: showing progress costs the work next to nothing (call it per page, not per record) and never fails it.
It knows nothing of what is done, and takes the time from its caller.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

SHOW_EVERY_S = 0.25
"""On a terminal: at most four times a second."""
TELL_EVERY_S = 5.0
"""In a log, a line every so often is enough."""
WINDOW_S = 20.0
"""The rate is that of the last so many seconds: what the vendor lets through now, not an hour ago."""


class Progress:
    """`with Progress(...) as progress: progress.advance(100)`.

    `done`: what an earlier, interrupted run had already finished; it counts as done but not as speed.
    `now`: seconds that only go forward.
    """

    def __init__(
        self,
        what: str,
        *,
        stream: TextIO,
        now: Callable[[], float],
        total: int | None = None,
        done: int = 0,
        terminal: bool | None = None,
        every_s: float | None = None,
    ) -> None:
        self.what, self.total, self.done = what, total, done
        self._stream, self._now = stream, now
        self._terminal = stream.isatty() if terminal is None else terminal
        self._every_s = every_s if every_s is not None else SHOW_EVERY_S if self._terminal else TELL_EVERY_S
        self._marks: deque[tuple[float, int]] = deque([(now(), done)])
        self._shown_s = float("-inf")
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        if self._terminal:
            with contextlib.suppress(OSError, ValueError):
                self._bar = _bar(self._stream)
                self._bar.add_task("", total=self.total, completed=self.done, text="")
                self._bar.start()
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._show(end=", stopped" if kind else ", end")
        if self._bar is not None:
            with contextlib.suppress(OSError, ValueError):
                self._bar.stop()

    def advance(self, count: int, *, total: int | None = None) -> None:
        """So many more are done; `total` when it became known or grew."""
        self.done += count
        self.total = total if total is not None else self.total
        now = self._now()
        if now - self._marks[-1][0] >= SHOW_EVERY_S:
            self._marks.append((now, self.done))
        while len(self._marks) > 2 and now - self._marks[1][0] >= WINDOW_S:
            self._marks.popleft()
        if now - self._shown_s >= self._every_s:
            self._show()

    @property
    def rate(self) -> float:
        """Per second, over the last `WINDOW_S`; 0.0 while nothing can be said."""
        at, done = self._marks[0]
        passed = self._now() - at
        return (self.done - done) / passed if passed > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds still to go at this rate; None while nothing can be said."""
        rate = self.rate
        if self.total is None or rate <= 0:
            return None
        return max(0, self.total - self.done) / rate

    def line(self) -> str:
        """`people: 12,000 of 100,000 (12 %), 3,400/s, 26 s left`"""
        return f"{self.what}: {self._text()}"

    def _text(self) -> str:
        parts = [f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,} ({self._percent()} %)"]
        if (rate := self.rate) > 0:
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if (left_s := self.left_s) is not None and self.total != self.done:
            parts.append(f"{duration(left_s)} left")
        return ", ".join(parts)

    def _percent(self) -> int:
        # Never 100 before the end.
        return 100 if not self.total or self.done >= self.total else int(100 * self.done / self.total)

    def _show(self, *, end: str = "") -> None:
        self._shown_s = self._now()
        with contextlib.suppress(OSError, ValueError):  # a closed terminal does not end a backfill
            if self._bar is not None:
                task = self._bar.task_ids[0]
                self._bar.update(task, completed=self.done, total=self.total, description=self.what, text=self._text())
                self._bar.refresh()
            else:
                self._stream.write(f"{self.line()}{end}\n")
                self._stream.flush()


def duration(seconds: float) -> str:
    """`26 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`: two units at most."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            big, small = whole // unit, whole % unit // smaller
            return f"{big} {name} {small} {smaller_name}" if small else f"{big} {name}"
    raise AssertionError(whole)


def _bar(stream: TextIO) -> Bar:
    from rich.console import Console  # slow to import: only where a bar is shown
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[text]}", markup=False),
    )
    # Refreshed by our own clock, not by a thread.
    return Bar(*columns, console=Console(file=stream, force_terminal=True), auto_refresh=False)
