"""What a connector makes of an answer, in words that the client acts on.

Promise: a closed list of verdicts; whatever a vendor calls its troubles, the client needs to know no more. It reads
answers and does nothing about them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from syncd.transport import Answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the connector makes of an answer.

    ok         as asked for
    expired    the token is no longer good: refresh once, then repeat; not executed
    throttled  too fast: quiet on `meter` (None: on all) for `after_s`, then repeat; not executed
    daily      the vendor's day is used up: QuotaExhausted; not executed
    access     credentials or a permission: AccessError; not executed
    transient  trouble of theirs; `executed` False where the vendor says that nothing was carried out
    error      anything else: handed to the connector as it is

    A `Retry-After` header of the answer goes before `after_s`.
    """

    kind: Literal["ok", "expired", "throttled", "daily", "access", "transient", "error"]
    message: str = ""
    remedy: str = ""
    after_s: float | None = None
    meter: str | None = None
    executed: bool = True
    """transient only: may have been carried out."""


OK = Verdict("ok")
ERROR = Verdict("error")
EXPIRED = Verdict("expired")


def by_status(answer: Answer) -> Verdict:
    """The verdict where a vendor says nothing special: 2xx ok, 401 expired, 429 throttled, 408 and 5xx transient,
    all else an error for the connector."""
    status = answer.status
    if 200 <= status < 300:
        return OK
    if status == 401:
        return EXPIRED
    if status == 429:
        return Verdict("throttled")
    if status == 408 or status >= 500:
        return Verdict("transient", f"status {status}")
    return ERROR


def retry_after_s(answer: Answer) -> float | None:
    """Seconds that the Retry-After header asks for, never negative; None if it is absent or makes no sense.

    Its date form is held against the answer's own Date: our clock may be wrong, theirs is what they mean.
    """
    said = answer.headers.get("Retry-After")
    if not said:
        return None
    try:
        return max(0.0, float(said)) if float(said) == float(said) else None
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(said)
        since = parsedate_to_datetime(answer.headers.get("Date", ""))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Daily:
    """The vendor's own figure of its daily limit, as an answer shows it."""

    limit: int | None
    remaining: int
    resets_s: float | None = None

    @classmethod
    def of(cls, limit: str | None, remaining: str) -> Daily | None:
        """The figure out of an answer's own words; None where they are no numbers that can be."""
        if not _COUNT.fullmatch(remaining) or (limit and not _COUNT.fullmatch(limit)):
            return None
        return cls(int(limit) if limit else None, int(remaining))


_COUNT = re.compile(r"[0-9]{1,12}")
