"""What is counted: API calls of the last 24 hours, logins of the last hour. Contract section 11.

Promise: the window rolls, and other integrations' use (a switch) counts too. GET /limits may be stale, the header is not.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.org import Org

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_GRAIN_MS = 1_000


class Meters:
    """The counters of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._calls: deque[list[int]] = deque()
        self._used = 0
        self._logins: deque[int] = deque()
        self._shown: tuple[int, int] | None = None
        self.query_jobs = 0

    def count(self, calls: int = 1) -> None:
        """Counts API calls."""
        now_ms = self._org.clock.now_ms()
        if self._calls and now_ms - self._calls[-1][0] < _GRAIN_MS:
            self._calls[-1][1] += calls
        else:
            self._calls.append([now_ms, calls])
        self._used += calls

    def used(self) -> int:
        """API calls of the last 24 hours, whoever made them."""
        horizon = self._org.clock.now_ms() - _DAY_MS
        while self._calls and self._calls[0][0] <= horizon:
            self._used -= self._calls.popleft()[1]
        return self._used + self._org.switches.used_elsewhere

    def check(self) -> None:
        """Refused: the daily limit is reached."""
        if self.used() >= self._org.switches.daily_limit:
            raise Refusal.one("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)

    def header(self) -> str:
        """What Sforce-Limit-Info says."""
        used, app = self.used(), self._org.switches.per_app_limit
        own = f"; per-app-api-usage={self._used}/{app}(appName=syncd)" if app else ""
        return f"api-usage={used}/{self._org.switches.daily_limit}{own}"

    def login(self) -> bool:
        """Counts a login; False when there are too many in this hour."""
        now_ms = self._org.clock.now_ms()
        while self._logins and self._logins[0] <= now_ms - _HOUR_MS:
            self._logins.popleft()
        self._logins.append(now_ms)
        return len(self._logins) <= self._org.switches.logins_per_hour

    def limits(self) -> dict[str, Any]:
        """GET /limits: figures that may be some minutes old."""
        now_ms = self._org.clock.now_ms()
        if self._shown is None or now_ms - self._shown[0] > self._org.switches.limits_lag_s * 1000:
            self._shown = (now_ms, self.used())
        most = self._org.switches.daily_limit
        left = max(0, most - self._shown[1])
        app = {"Max": 0, "Remaining": 0}
        return {
            "DailyApiRequests": {"Max": most, "Remaining": left, "syncd": app},
            "DailyBulkApiRequests": {"Max": 15000, "Remaining": 15000, "syncd": app},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000 - self.query_jobs},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
            "DataStorageMB": {"Max": 1024, "Remaining": 900},
            "FileStorageMB": {"Max": 1024, "Remaining": 1000},
            "DailyDurableStreamingApiEvents": {"Max": 10000, "Remaining": 10000},
            "HourlyODataCallout": {"Max": 1000, "Remaining": 1000},
        }
