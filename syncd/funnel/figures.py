"""Figures: a number of the closed loop, and the link that opens it to its records (see `opened`).

Promise: a number is read from the sums, never counted from all records; where there is no definition, or nothing was
followed yet, it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from syncd.core.agreement import Period, PeriodKind, day_of, midnight_ms, period_of
from syncd.core.funnel import Funnel
from syncd.ledger import Ledger
from syncd.ledger.sums import EVER

if TYPE_CHECKING:
    from syncd.files import Files

DIMENSIONS: Final = ("source", "campaign", "segment", "owner")
"""What figures are broken down by, and filtered by: one at a time."""
MOST: Final = 1000
"""Records that are listed at once, at most."""

MOST_PERIODS: Final = 60
"""The newest so many periods are told apart."""

Figure = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """What a report reads: the sums of a period, and of one thing that they are filtered by."""

    ledger: Ledger
    funnel: Funnel | None
    now_ms: int
    filters: Mapping[str, str]

    @cached_property
    def known(self) -> bool:
        """Is there a definition, and was anything followed by it?"""
        return self.funnel is not None and self.ledger.books.funnel() is not None

    @property
    def sells(self) -> bool:
        """Is it known what was won?"""
        return self.known and self.funnel is not None and self.funnel.sales is not None

    @property
    def today(self) -> date:
        """The day that it is, in the agreement's zone."""
        return day_of(self.now_ms, self.funnel.agreement.zone) if self.funnel else _utc(self.now_ms)

    def period(self, kind: PeriodKind | None = None) -> Period:
        """The days that the filters name; else the period that it is."""
        since, until = self.filters.get("since"), self.filters.get("until")
        usual = kind or (self.funnel.agreement.period if self.funnel else "month")
        if since is None and until is None:
            return period_of(self.today, usual)
        if until is None and kind is not None and since is not None:
            return period_of(date.fromisoformat(since), kind)
        first = date.fromisoformat(since) if since else date.min
        last = date.fromisoformat(until) if until else date.fromordinal(self.today.toordinal() + 1)
        return Period("", first, max(first, last))

    @cached_property
    def chosen(self) -> dict[str, str]:
        """What the filters choose, by dimension: records can be listed by all of it, sums are kept by one."""
        return {name: self.filters[name] for name in DIMENSIONS if self.filters.get(name) is not None}

    def dimension(self) -> tuple[str, str | None]:
        """(by, name) that the filters choose; several at once cannot be known from the sums."""
        return next(iter(self.chosen.items())) if len(self.chosen) == 1 else ("", None)

    @property
    def answerable(self) -> bool:
        """Can the sums answer these filters?"""
        return self.known and len(self.chosen) <= 1

    def sums(self, figure: str, period: Period | None, by: str | None = None) -> dict[tuple[str, str], tuple[int, int]]:
        """(n, amount) by (what, name). `by`: broken down by it; left out: what the filters choose. Nothing for a
        breakdown by something else than what is filtered by."""
        since, until = (0, EVER) if period is None else (period.since.toordinal(), period.until.toordinal())
        if by in DIMENSIONS and self.chosen.keys() - {by}:
            return {}
        of, name = self.dimension() if by is None else (by, self.chosen.get(by))
        return self.ledger.loop.sums.of(figure, since, until, by=of, name=name)

    def undated(self, figure: str) -> dict[tuple[str, str], tuple[int, int]]:
        """The same of what has no day, and so is in no period."""
        return self.ledger.loop.sums.of(figure, 0, 1)

    def figure(self, value: int | None, of: str, period: Period | None, **where: Any) -> Figure:
        """A number with its link. `of`: people or deals."""
        if not self.answerable or value is None:
            return {"value": None, "records": None}
        by, name = self.dimension()
        query = {**({by: name} if by else {}), **where}
        if period is not None:
            query |= {"since": period.since.isoformat(), "until": period.until.isoformat()}
        return {"value": value, "records": f"{of}?{_query(query)}"}

    def money(self, value: int | None, currency: str, period: Period | None, **where: Any) -> Figure:
        """An amount with its link."""
        return {
            "currency": currency,
            **self.figure(value, "deals", period, currency=currency, **{"part": "amount", **where}),
        }


def _query(query: Mapping[str, Any]) -> str:
    """As `urlencode` writes it; a page has thousands of links, and few names."""
    return "&".join([f"{name}={_quoted(str(value))}" for name, value in sorted(query.items())])


_quoted = lru_cache(maxsize=10_000)(quote_plus)


def reader_of(ledger: Ledger, files: Files, now: float, filters: Mapping[str, str]) -> Reader:
    """What a report reads at that moment."""
    return Reader(ledger, files.mappings.funnel, round(now * 1000), filters)


def elapsed(reader: Reader, period: Period) -> Fraction:
    """How much of a period is over."""
    if reader.funnel is None:
        return Fraction(0)
    zone = reader.funnel.agreement.zone
    since, until = midnight_ms(period.since, zone), midnight_ms(period.until, zone)
    return min(max(Fraction(reader.now_ms - since, max(1, until - since)), Fraction(0)), Fraction(1))


def within(reader: Reader, period: Period, kind: PeriodKind, figure: str) -> list[Period]:
    """The periods of that kind within the days that are meant, oldest first and cut to them; those at the beginning in
    which the figure counts nobody are left out."""
    found: list[Period] = []
    day = min(period.until, reader.today + timedelta(days=1)) - timedelta(days=1)
    while day >= period.since and len(found) < MOST_PERIODS:
        whole = period_of(day, kind)
        found.insert(0, Period(whole.name, max(whole.since, period.since), min(whole.until, period.until)))
        if whole.since.year <= 1:
            break
        day = whole.since - timedelta(days=1)
    while len(found) > 1 and not reader.sums(figure, found[0], ""):
        found.pop(0)
    return found


def total(sums: Mapping[tuple[str, str], tuple[int, int]]) -> int:
    """All of them."""
    return sum(n for n, _ in sums.values())


def shown(period: Period) -> dict[str, Any]:
    """A period as JSON."""
    return {"name": period.name or None, "since": period.since.isoformat(), "until": period.until.isoformat()}


def iso_ms(at_ms: int | None) -> str | None:
    """UTC epoch milliseconds as `2026-11-21T08:00:00.000Z`."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
