"""What is due later: bulk batches, late commits, the emptying of the recycle bin.

Promise: things happen in the order of their moments, at the first look at the clock after each. No timers.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Agenda:
    """Moments in epoch milliseconds, each with what to do then."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0

    def at(self, due_ms: int, do: Callable[[int], None]) -> None:
        """Does something at a moment; it is told that moment."""
        self._count += 1
        heapq.heappush(self._due, (due_ms, self._count, do))

    def settle(self, now_ms: int) -> None:
        """Does everything whose moment has come, what that puts on the agenda included."""
        while self._due and self._due[0][0] <= now_ms:
            due_ms, _, do = heapq.heappop(self._due)
            do(due_ms)
