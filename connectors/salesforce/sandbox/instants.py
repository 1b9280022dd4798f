"""Times and dates as Salesforce reads and prints them.

Inside the sandbox a datetime is whole seconds since 1970 UTC and a date is its ISO text. Contract sections 5.1, 14.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

_DATETIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")


@lru_cache(maxsize=65536)
def rest_time(stamp_s: int) -> str:
    """`2024-01-01T00:00:00.000+0000`, as REST prints it."""
    return f"{datetime.fromtimestamp(stamp_s, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


@lru_cache(maxsize=65536)
def bulk_time(stamp_s: int) -> str:
    """`2024-01-01T00:00:00.000Z`, as Bulk prints it."""
    return f"{datetime.fromtimestamp(stamp_s, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def read_time(text: str) -> int | None:
    """Seconds of an ISO datetime that names its zone; fractions are cut. None when it is no such thing."""
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    *parts, zone = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    if zone != "Z":
        digits = zone[1:].replace(":", "")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        local = local - shift if zone[0] == "+" else local + shift
    return int(local.timestamp())


def read_date(text: str) -> str | None:
    """The ISO text of a date (a datetime is cut to its date part, as the server does); None when it is none."""
    day = text[:10] if _DATETIME.fullmatch(text) else text
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        return None
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return None


def day_of(stamp_s: int) -> str:
    """The UTC date of a moment."""
    return datetime.fromtimestamp(stamp_s, UTC).date().isoformat()


def http_time(stamp_s: int) -> str:
    """`Tue, 02 Jan 2024 10:00:00 GMT`."""
    return formatdate(stamp_s, usegmt=True)


def read_http_time(text: str) -> int | None:
    """Seconds of an HTTP date; None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
