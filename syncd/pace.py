"""How fast we go: the waits of one system, and a limiter that keeps several of the vendor's limits at once.

Promise: whatever the number of threads, no meter ever sees more than `HEADROOM` of its limit from us, and while the
vendor asked for quiet nothing is sent at all.

Our own sixty lines rather than pyrate-limiter: its buckets read their own clock and leak in a thread of their own, so
they cannot be driven by an injected clock; and neither a pause asked for by the vendor, nor a limit on concurrent
requests, nor a share a lane is in its vocabulary. It does not count calls a day: that is `syncd.budget`.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from syncd.budget import Lane
from syncd.connector import Meter

HEADROOM = 0.9
"""The share of a vendor's limit that we use: requests sent in one window may arrive in another."""

LANE_SHARE: dict[Lane | None, float] = {None: 1.0, "urgent": 1.0, "reading": 0.95, "normal": 0.95, "backfill": 0.85}
"""How much of a window each lane may fill, so that a backfill never makes live edits wait for a whole window."""

SLOT_POLL_S = 0.02
"""How often a thread looks for a free slot of a meter of concurrent requests."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Every wait of one system (`timing` in its table of syncd.toml). Seconds."""

    timeout_s: float = 30.0
    """How long a call may take."""
    retry_s: float = 0.5
    """The first pause between two tries; it doubles."""
    retry_max_s: float = 300.0
    """The longest pause, also where the vendor asks for more."""
    late_s: float = 300.0
    """How long after an unanswered write it may still land."""
    lag_s: float = 30.0
    """How long a read may lag behind a write."""
    overlap_s: float = 120.0
    """How far a cursor looks back."""
    tries: int = 5
    """Requests for one call at most, the first included."""


class _Gauge:
    """The state of one meter. Guarded by the lock of its `Pace`."""

    __slots__ = ("in_flight", "limit", "quiet_until", "sent", "window_s")

    def __init__(self, meter: Meter) -> None:
        self.limit = meter.limit * HEADROOM
        self.window_s = meter.window_s
        self.sent: deque[float] = deque()
        self.in_flight = 0
        self.quiet_until = -math.inf

    def wait_s(self, now: float, lane: Lane | None) -> float:
        """Seconds until one more request may go; 0 = now."""
        quiet = self.quiet_until - now
        room = max(1, math.ceil(int(self.limit) * LANE_SHARE[lane]))
        if not self.window_s:
            return max(quiet, SLOT_POLL_S if self.in_flight >= room else 0.0, 0.0)
        while self.sent and self.sent[0] <= now - self.window_s:
            self.sent.popleft()
        full = self.sent[-room] + self.window_s - now if len(self.sent) >= room else 0.0
        return max(quiet, full, 0.0)

    def enter(self, now: float) -> None:
        self.in_flight += 1
        if self.window_s:
            self.sent.append(now)

    def back(self, by_s: float) -> None:
        """The clock was set back: what was remembered moves with it, so that no wait grows."""
        self.sent = deque(at - by_s for at in self.sent)
        self.quiet_until -= by_s


class Pace:
    """The meters of one account, shared by all threads that call it. `now` is only ever used for durations."""

    def __init__(self, meters: Sequence[Meter], now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._gauges = {meter.name: _Gauge(meter) for meter in meters}
        self._all = tuple(self._gauges.values())
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._last = now()

    @contextmanager
    def slot(self, names: Sequence[str] | None, lane: Lane | None) -> Iterator[None]:
        """Waits for room in every named meter (None = in all of them), and holds it while the request runs."""
        gauges = self._all if names is None else tuple(self._gauges[name] for name in names)
        self._enter(gauges, lane)
        try:
            yield
        finally:
            with self._lock:
                for gauge in gauges:
                    gauge.in_flight -= 1

    def pause(self, name: str | None, for_s: float) -> None:
        """The vendor asked for quiet on one meter (None = on all of them): nothing goes out before it is over."""
        gauges = self._all if name is None else (self._gauges[name],)
        with self._lock:
            until = self._look() + for_s
            for gauge in gauges:
                gauge.quiet_until = max(gauge.quiet_until, until)

    def _enter(self, gauges: tuple[_Gauge, ...], lane: Lane | None) -> None:
        while True:
            with self._lock:
                now = self._look()
                wait_s = 0.0
                for gauge in gauges:
                    wait_s = max(wait_s, gauge.wait_s(now, lane))
                if wait_s <= 0:
                    for gauge in gauges:
                        gauge.enter(now)
                    return
            self._sleep(wait_s)

    def _look(self) -> float:
        now = self._now()
        if now < self._last:
            for gauge in self._all:
                gauge.back(self._last - now)
        self._last = now
        return now
