"""The circuit breaker of one system: trouble leaves it alone for growing, jittered pauses; then one call asks.

Promise: a system in trouble gets one probe a pause and nothing else, however many mappings need it; and no pause is
longer than `longest_s`, unless the system itself asked for more. It knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncd.errors import SyncdError, Transient

MOST_DOUBLINGS = 30


@dataclass
class Breaker:
    """`now` of every method: seconds that only go forward."""

    first_s: float
    longest_s: float
    random: Callable[[], float]
    failures: int = 0
    until_s: float = 0.0
    reason: str = ""

    def left_s(self, now: float) -> float:
        """How long the system is still left alone; 0: it may be called."""
        return max(0.0, self.until_s - now) if self.failures else 0.0

    def failed(self, error: SyncdError | None, now: float) -> float:
        """Trouble again: the pause doubles, jittered down to a half. Returns it, in seconds."""
        pause_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, MOST_DOUBLINGS))
        pause_s *= 0.5 + 0.5 * self.random()
        if isinstance(error, Transient):
            pause_s = max(pause_s, error.after_s)
        self.failures += 1
        self.until_s = now + pause_s
        self.reason = error.message if error else "trouble"
        return pause_s

    def worked(self) -> None:
        """It answers: no more pauses."""
        self.failures, self.until_s, self.reason = 0, 0.0, ""
