"""Rate limits: rolling ten seconds per app, search per second per account, daily per account (contract section 16).

Promise: a refused request costs nothing and changes nothing. The daily count falls to zero at midnight in the
account's time zone. All times are virtual.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.hubspot.sandbox.switches import Switches

TEN_S_MS = 10_000
_TIERS = {
    # ten-secondly, daily, association endpoints ten-secondly
    "starter": (100, 250_000, 100),
    "professional": (190, 625_000, 150),
    "enterprise": (190, 1_000_000, 150),
    "addon": (250, 1_625_000, 200),
    "oauth": (110, 0, 150),
}


class _Window:
    """Calls within a rolling window."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._calls: deque[int] = deque()

    def used(self, now_ms: int) -> int:
        while self._calls and self._calls[0] <= now_ms - self._window_ms:
            self._calls.popleft()
        return len(self._calls)

    def add(self, now_ms: int) -> None:
        self._calls.append(now_ms)


class Limits:
    """The account's meters. `refusal` asks and counts; `headers` tells what is left."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._apps: dict[str, _Window] = {}
        self._association = _Window(TEN_S_MS)
        self._search = _Window(1000)
        self._day = ""
        self.used_today = 0

    def refusal(self, now_ms: int, app: str, lane: str) -> str | None:
        """The policy that refuses this call, else None, and the call is counted. `lane`: general|search|association."""
        self._roll_over(now_ms)
        if self._switches.limits == "off":
            self.used_today += 1
            return None
        ten_s, daily, association = self._limits()
        if daily and self.used_today >= daily:
            return "DAILY"
        if lane == "search":
            window, limit, policy = self._search, self._switches.search_per_s or 5, "SECONDLY"
        elif lane == "association":
            window, limit, policy = self._association, association, "TEN_SECONDLY_ROLLING"
        else:
            window = self._apps.setdefault(app, _Window(TEN_S_MS))
            limit, policy = ten_s, "TEN_SECONDLY_ROLLING"
        if window.used(now_ms) >= limit:
            return policy
        window.add(now_ms)
        self.used_today += lane != "search" or self._switches.search_counts_daily
        return None

    def headers(self, now_ms: int, app: str, lane: str, oauth: bool) -> dict[str, str]:
        """Rate-limit headers of an answer: none on search, no daily pair with OAuth."""
        if self._switches.limits == "off" or lane == "search":
            return {}
        ten_s, daily, _ = self._limits()
        window = self._apps.setdefault(app, _Window(TEN_S_MS))
        left = max(0, ten_s - window.used(now_ms))
        headers = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(TEN_S_MS),
            "X-HubSpot-RateLimit-Max": str(ten_s),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Secondly": str(ten_s // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, min(ten_s // 10, left))),
        }
        if daily and not oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, daily - self.used_today))
        return headers

    def spend(self, now_ms: int, calls: int) -> int:
        """Other apps of the account use up daily calls; returns how many are used today."""
        self._roll_over(now_ms)
        self.used_today += calls
        return self.used_today

    def daily(self) -> int:
        """The daily limit; 0: none."""
        return self._limits()[1]

    def resets_at_ms(self, now_ms: int) -> int:
        """The next midnight in the account's time zone."""
        zone = ZoneInfo(self._switches.time_zone)
        local = datetime.fromtimestamp(now_ms / 1000, zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
        return int(midnight.astimezone(UTC).timestamp() * 1000)

    def _roll_over(self, now_ms: int) -> None:
        day = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(self._switches.time_zone)).date().isoformat()
        if day != self._day:
            self._day, self.used_today = day, 0

    def _limits(self) -> tuple[int, int, int]:
        ten_s, daily, association = _TIERS[self._switches.tier]
        switches = self._switches
        return (
            switches.ten_secondly_limit or ten_s,
            switches.daily_limit or daily,
            switches.association_limit or association,
        )
