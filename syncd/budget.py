"""How many calls a day: our own allowance, and the share of the vendor's that is never touched.

Promise: once a limit is reached no lane sends another counted call until the day turns or the vendor's own figure says
that there is room; `QuotaExhausted` then tells when to come back. It keeps nothing on disk: the ledger stores
`snapshot()` and gives it back. It does not slow anything down: that is `syncd.pace`.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from syncd.errors import QuotaExhausted

Lane = Literal["urgent", "reading", "normal", "backfill"]
"""urgent: hand-offs and opt-outs. reading: the looks without which nobody would know of them, once only the urgent share
is left. normal, backfill: the rest."""

DAY_S = 86_400.0

PROBE_S = 900.0
"""How long a vendor's figure without a known reset is believed once it stopped us. Then a status call asks again."""


class Budget:
    """Calls of one account. Safe for threads. `now`: epoch seconds, read only to know the day (UTC) and durations."""

    def __init__(
        self,
        per_day: int | None = None,
        urgent: float = 0.1,
        reserve: float = 0.2,
        used: int = 0,
        day: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        """`urgent`: the last share of `per_day` that only the lane "urgent" may use. `reserve`: the share of the
        vendor's daily limit that no lane touches, whoever used the rest. `used` and `day`: from an earlier snapshot."""
        self._per_day = per_day
        self._urgent = urgent
        self._reserve = reserve
        self._now = now
        self._lock = threading.Lock()
        self._day = day or _day(now())
        self._used = used
        self._vendor_limit: int | None = None
        self._vendor_remaining: int | None = None
        self._vendor_until = math.inf

    def spend(self, lane: Lane | None) -> None:
        """Counts one call that is about to leave, or raises QuotaExhausted and counts nothing. Lane None (tokens,
        identity) is always let through."""
        with self._lock:
            now = self._now()
            self._turn(now)
            if lane is not None:
                self._refuse_ours(lane, now)
                self._refuse_vendors(now)
            self._used += 1
            if self._vendor_remaining is not None:
                self._vendor_remaining -= 1

    def vendor(self, limit: int | None, remaining: int | None, resets_s: float | None = None) -> None:
        """Notes the vendor's own figure of calls left in its day. `resets_s`: seconds until it starts again, if it
        says so. A limit alone may be noted too."""
        with self._lock:
            if limit is not None:
                self._vendor_limit = limit
            if remaining is not None:
                self._vendor_remaining = remaining
                self._vendor_until = self._now() + (PROBE_S if resets_s is None else max(0.0, resets_s))

    def left(self, lane: Lane = "normal") -> int | None:
        """Calls that the lane may still make as far as we know; None = not limited."""
        with self._lock:
            self._turn(self._now())
            ours = None if self._per_day is None else self._room(lane) - self._used
            theirs = None if self._vendor_remaining is None else self._vendor_remaining - self._floor()
            known = [n for n in (ours, theirs) if n is not None]
            return max(0, min(known)) if known else None

    @property
    def only_urgent(self) -> bool:
        """Our own budget is down to the share that is kept for hand-offs and opt-outs."""
        with self._lock:
            self._turn(self._now())
            return self._per_day is not None and self._used >= self._room("normal")

    @property
    def stale(self) -> bool:
        """The vendor's figure stops us, and is old: a status call should ask for a new one."""
        with self._lock:
            known = self._vendor_remaining
            return known is not None and known <= self._floor() and self._now() >= self._vendor_until

    def snapshot(self) -> dict[str, Any]:
        """What the ledger keeps and status prints: day, used, per_day, vendor_limit, vendor_remaining."""
        with self._lock:
            self._turn(self._now())
            return {
                "day": self._day,
                "used": self._used,
                "per_day": self._per_day,
                "vendor_limit": self._vendor_limit,
                "vendor_remaining": self._vendor_remaining,
            }

    def _turn(self, now: float) -> None:
        today = _day(now)
        if today != self._day:
            self._day, self._used = today, 0

    def _room(self, lane: Lane) -> int:
        assert self._per_day is not None
        kept = math.ceil(self._per_day * self._urgent)
        return self._per_day - {"urgent": 0, "reading": kept // 2}.get(lane, kept)

    def _floor(self) -> int:
        return math.ceil((self._vendor_limit or 0) * self._reserve)

    def _refuse_ours(self, lane: Lane, now: float) -> None:
        if self._per_day is None or self._used < self._room(lane):
            return
        kept = "" if lane == "urgent" else " (what is left is kept for urgent calls)"
        raise QuotaExhausted(
            f"our own budget of {self._per_day} calls a day is used up{kept}",
            remedy="wait for midnight UTC, or raise budget.per_day in syncd.toml",
            after_s=0.0 if lane in ("normal", "backfill") and self._urgent else DAY_S - now % DAY_S,
        )

    def _refuse_vendors(self, now: float) -> None:
        if self._vendor_remaining is None or self._vendor_remaining > self._floor():
            return
        raise QuotaExhausted(
            f"the vendor's daily limit is down to the reserve: {max(0, self._vendor_remaining)} calls left"
            + (f" of {self._vendor_limit}" if self._vendor_limit else ""),
            remedy="other programs share this limit: see who uses it, or lower budget.reserve in syncd.toml",
            after_s=max(0.0, self._vendor_until - now),
        )


def _day(now: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(now))
