"""Working hours: how long a department has really had, and when its time is up.

Pure. Instants are UTC epoch milliseconds, durations are seconds. A day's hours are what the wall clock of the zone
shows: where a clock is put forward or back within them, that day is shorter or longer, as it is for the people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MOST_DAYS = 3_660
"""No clock runs longer than ten years: what is later is never due."""

DAY_MINUTES = 24 * 60

Span = tuple[int, int]
"""From minute to minute of a day, by the wall clock; the end is outside."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    """Seven days from Monday; each a few spans, in order and apart."""
    holidays: frozenset[date] = frozenset()

    def worked_s(self, start_ms: int, end_ms: int) -> float:
        """Working seconds between two instants; 0 where the end is not later."""
        if end_ms <= start_ms:
            return 0.0
        total = 0.0
        for opens, closes in self._spans(start_ms):
            if opens >= end_ms:
                break
            total += max(0, min(closes, end_ms) - max(opens, start_ms)) / 1000
        return total

    def due_ms(self, start_ms: int, seconds: float) -> int | None:
        """The instant at which that many working seconds have passed since `start_ms`: the first one, so that time
        outside working hours adds nothing. None: not within ten years."""
        left_ms = round(seconds * 1000)
        for opens, closes in self._spans(start_ms):
            begin = max(opens, start_ms)
            if closes <= begin:
                continue
            if closes - begin >= left_ms:
                return begin + left_ms
            left_ms -= closes - begin
        return None

    def _spans(self, start_ms: int) -> Iterator[tuple[int, int]]:
        """(opens, closes) of every working span from the day of that instant on."""
        day = datetime.fromtimestamp(start_ms / 1000, self.zone).date()
        for _ in range(MOST_DAYS):
            if day not in self.holidays:
                for opens, closes in self.week[day.weekday()]:
                    yield self._at(day, opens), self._at(day, closes)
            day += timedelta(days=1)

    def _at(self, day: date, minute: int) -> int:
        """A minute of that day by the wall clock. One that a clock skips is the moment at which it is put forward."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        if minute == DAY_MINUTES:
            midnight, minute = midnight + timedelta(days=1), 0
        wall = midnight.replace(hour=minute // 60, minute=minute % 60)
        return round(wall.astimezone(UTC).timestamp() * 1000)


ALWAYS = Hours(ZoneInfo("UTC"), (((0, DAY_MINUTES),),) * 7)
"""Around the clock: what counts where no calendar was agreed."""
