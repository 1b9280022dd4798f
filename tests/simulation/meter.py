"""The meters that a vendor shows: who asked for quiet, and how much of the day's allowance is left for everybody.

Promise: judged is only what the engine was shown. It knows the headers of both vendors and nothing of their sandboxes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from line import Exchange

from syncd.sandbox.wire import Request, Response

RESERVE = 0.2
"""The share of a vendor's day that nothing but a token or a status call may touch (the default of `budget.reserve`)."""
PROBE_S = 900.0
"""How long a figure that stopped us is believed, where the vendor does not say when its day ends."""
FREE = ("oauth", "/limits", "/account-info/", "/services/oauth2/", "/userinfo")
"""Parts of the paths of tokens, of status calls, and of asking who one is."""


@dataclass
class Meter:
    """Of both vendors."""

    happened: Counter[str]
    quiet_until: dict[str, float] = field(default_factory=dict)
    spent_at: dict[str, float] = field(default_factory=dict)
    """When a vendor last said that only its reserve is left."""

    def broken_by(self, vendor: str, request: Request, now_s: float) -> str:
        """Which rule a request breaks; empty: none."""
        if now_s < self.quiet_until.get(vendor, 0.0) and "oauth" not in request.path:
            return f"{vendor} had asked for quiet"
        spent = self.spent_at.get(vendor)
        if spent is not None and now_s < spent + PROBE_S - 1 and not any(part in request.path for part in FREE):
            return f"{vendor} has only its reserve left, and {request.method} {request.path} takes from it"
        return ""

    def told(self, exchange: Exchange, now_s: float) -> None:
        """An answer reached the engine."""
        answer = exchange.told
        if answer is None:
            return
        if answer.status == 429 and (wait := answer.headers.get("Retry-After")) and wait.isdigit():
            self.quiet_until[exchange.vendor] = now_s + min(float(wait), 2.0) - 0.001
        left = _left(answer)
        if left is None:
            return
        if left[0] > left[1] * RESERVE:
            self.spent_at.pop(exchange.vendor, None)
        elif exchange.vendor not in self.spent_at:
            self.spent_at[exchange.vendor] = now_s
            self.happened["reserve"] += 1

    def forget(self) -> None:
        """The process is another one: it may not know any more."""
        self.quiet_until.clear()
        self.spent_at.clear()


def _left(answer: Response) -> tuple[int, int] | None:
    """(calls left, of how many) as the headers say; None: they do not."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    usage = headers.get("sforce-limit-info", "").partition("api-usage=")[2].partition(";")[0].split(",")[0]
    if usage and "/" in usage:
        used, limit = usage.split("/")
        return int(limit) - int(used), int(limit)
    if "x-hubspot-ratelimit-daily-remaining" in headers:
        return int(headers["x-hubspot-ratelimit-daily-remaining"]), int(headers["x-hubspot-ratelimit-daily"])
    return None
