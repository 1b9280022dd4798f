"""Values and stamps, between the engine's form and the wire's.

Promise: nothing that Salesforce would store as something else is sent: no number that is none, no list item that would
fall into two. Facts are not touched: they stay as Salesforce said them. Source: contract section 14.
"""

from __future__ import annotations

import math
from datetime import datetime
from email.utils import formatdate

from syncd.connector import Neutral, Scalar

SEPARATOR = ";"
"""Between the choices of a multi-select."""


class Unfit(ValueError):
    """A value that has no faithful form on the wire. Says why, without the value."""


def to_wire(value: Neutral) -> Scalar:
    """The JSON value to send: None becomes null, a list "a;b". Raises Unfit."""
    if isinstance(value, list):
        if any(SEPARATOR in item for item in value):
            raise Unfit(f"a choice holds {SEPARATOR!r}, which separates choices")
        return SEPARATOR.join(value) or None
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("the number is not finite")
    return value


class Stamps(dict[str, int]):
    """Datetime texts to epoch milliseconds, remembered: a page holds few different seconds, or none twice.

    A page's own; not shared. Raises ValueError for what is no datetime with a zone.
    """

    def __missing__(self, text: str) -> int:
        stamp_ms = self[text] = stamp_of(text)
        return stamp_ms


def stamp_of(text: str) -> int:
    """`2024-01-01T00:00:00.000+0000` as epoch milliseconds. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone")
    return round(moment.timestamp() * 1000)


def http_date(stamp_ms: int) -> str:
    """The second that holds the stamp, as If-Unmodified-Since takes it."""
    return formatdate(stamp_ms // 1000, usegmt=True)
