"""What both departments owe each other, in numbers a program can use: periods, speeds, credit, the goal.

Pure. Durations are seconds, instants UTC epoch milliseconds, days are dates in the agreement's own time zone: a period
begins and ends at its midnights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from syncd.core.credit import Rule
from syncd.core.hours import ALWAYS, Hours

PeriodKind = Literal["week", "month", "quarter", "year"]
DEFAULT = "other"
"""The segment of whoever meets the rule of none."""


class Period(NamedTuple):
    """From one day to another, which is outside."""

    name: str
    since: date
    until: date


def period_of(day: date, kind: PeriodKind) -> Period:
    """The period that this day is in. Weeks begin on Monday and are named as ISO 8601 does."""
    if kind == "week":
        since = day - timedelta(days=day.weekday())
        year, week, _ = since.isocalendar()
        return Period(f"{year}-W{week:02d}", since, since + timedelta(days=7))
    if kind == "month":
        since = day.replace(day=1)
        return Period(f"{since:%Y-%m}", since, _months_on(since, 1))
    if kind == "quarter":
        since = date(day.year, day.month - (day.month - 1) % 3, 1)
        return Period(f"{day.year}-Q{(day.month - 1) // 3 + 1}", since, _months_on(since, 3))
    return Period(str(day.year), date(day.year, 1, 1), date(day.year + 1, 1, 1))


def _months_on(day: date, months: int) -> date:
    at = day.month - 1 + months
    return date(day.year + at // 12, at % 12 + 1, 1)


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The day that a moment is in."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """When that day begins."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast and how often sales owes to follow up."""

    first_touch_s: float | None = None
    """Working time."""
    attempts: int | None = None
    within_s: float | None = None
    """Around the clock."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The service-level agreement."""

    period: PeriodKind = "month"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    qualified: int | None = None
    by_source: Mapping[str, int] = field(default_factory=dict)
    by_segment: Mapping[str, int] = field(default_factory=dict)
    hours: Hours = ALWAYS
    warn: float = 0.75
    activities: tuple[str, ...] = ()
    """Watches; none: all that mean an activity."""
    speed: Speed = Speed()
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    """By segment."""

    def speed_of(self, segment: str) -> Speed:
        """What sales owes to a lead of this segment."""
        return self.speeds.get(segment, self.speed)


@dataclass(frozen=True, slots=True)
class Touched:
    """Which fields of a watch name source and campaign of a touch."""

    source: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """Who gets credit."""

    rule: Rule = field(default_factory=Rule)
    touches: Mapping[str, Touched] = field(default_factory=dict)
    """By watch; none: all that mean a touch or a response."""


@dataclass(frozen=True, slots=True)
class Target:
    """The revenue goal, in the currency's smallest unit."""

    revenue: int
    currency: str
    period: PeriodKind
    look_back_ms: int
    rates: Mapping[str, Fraction] = field(default_factory=dict)
    """By currency: what one of it is worth in the goal's own."""


@dataclass(frozen=True, slots=True)
class Nurture:
    """The list of marketing's system for those who fall short."""

    list: str
    outcomes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recycling:
    """When a rejected lead may be handed over again."""

    after_ms: int = 30 * 86_400_000
    reasons: Mapping[str, int | None] = field(default_factory=dict)
    """By reason; None: never."""

    either: bool = False
    """A new sign of interest is enough, before the time has come."""

    def due_ms(self, rejected_ms: int, reason: str | None) -> int | None:
        """From when on; None: never."""
        after = self.reasons.get(reason, self.after_ms) if reason is not None else self.after_ms
        return None if after is None else rejected_ms + after
