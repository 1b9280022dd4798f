"""A calendar day where one side keeps a point in time: which day it is there, by the clock of one time zone.

Promise: a day is written as the noon of that zone, so that no shift of an hour or two makes it another day; a point in
time that stands there is kept as long as it is on the same day. Rules of time zones are the machine's (tz database).
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from syncd.core import values
from syncd.core.model import Bad, Canonical, Neutral
from syncd.core.values import Kind


def zone_named(name: str) -> ZoneInfo | None:
    """The zone (`Europe/Berlin`, `UTC`), or None where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # an unknown name is a KeyError of its own kind, which is a LookupError
        return None
    except LookupError:
        return None


def day_in(zone: ZoneInfo) -> Kind:
    """The day of a point in time. A plain date counts as that day."""
    plain, moment = values.day(), values.moment(1)

    def read(raw: Any) -> Canonical:
        day = plain.read(raw) if isinstance(raw, str) and "T" not in raw and not raw.strip().isdigit() else None
        if day is not None and not isinstance(day, Bad):
            return day
        at_ms = moment.read(raw)
        if not isinstance(at_ms, int):
            return at_ms
        try:
            return moment.see(at_ms).astimezone(zone).date().isoformat()
        except OverflowError:
            return Bad("it is not a point in time")

    def write(value: str, raw: Any) -> Neutral:
        noon = datetime.combine(datetime.fromisoformat(value).date(), time(12), zone)
        return noon.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    return Kind("date", "moment", read, write, plain.see)
