"""Virtual time for a sandbox: real time plus an offset, or frozen.

Promise: `now_ms` never goes backwards, unless somebody freezes it at an earlier time on purpose. It starts no timers:
whatever waits for a moment looks at the clock when it is next asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """The time of one sandbox, in epoch milliseconds UTC. `source` gives real seconds."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset_ms = 0
        self._frozen_ms: int | None = None
        self._latest_ms = 0

    def now_ms(self) -> int:
        """The virtual now."""
        if self._frozen_ms is not None:
            return self._frozen_ms
        self._latest_ms = max(self._latest_ms, self._real_ms() + self._offset_ms)
        return self._latest_ms

    def advance(self, ms: int) -> None:
        """Jumps forward by `ms`, frozen or not. Time does not run backwards: a negative jump is a ValueError."""
        if ms < 0:
            raise ValueError("a clock only advances")
        self._offset_ms += ms
        if self._frozen_ms is not None:
            self._frozen_ms += ms

    def freeze(self, at_ms: int | None = None) -> None:
        """Stops time, now or at `at_ms`."""
        self._frozen_ms = self.now_ms() if at_ms is None else at_ms

    def thaw(self) -> None:
        """Lets time run on from where it was frozen."""
        if self._frozen_ms is None:
            return
        self._offset_ms = self._frozen_ms - self._real_ms()
        self._latest_ms = self._frozen_ms
        self._frozen_ms = None

    @contextmanager
    def at(self, at_ms: int) -> Iterator[None]:
        """Stands at `at_ms`, which may be long ago; afterwards all is as before."""
        before, self._frozen_ms = self._frozen_ms, at_ms
        try:
            yield
        finally:
            self._frozen_ms = before

    def _real_ms(self) -> int:
        return int(self._source() * 1000)
