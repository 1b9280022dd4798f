"""Figures: a number of the closed loop, and the link that opens it to its records.

Promise: a number is read from the sums, never counted from all records; where there is no definition, or nothing was
followed yet, it is None. A link is text that may stand in an address: what it holds is checked when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from syncd.core.agreement import Period, PeriodKind, day_of, midnight_ms, period_of
from syncd.core.funnel import Funnel
from syncd.ledger import Ledger
from syncd.ledger.loop import START, Place
from syncd.ledger.sums import EVER

if TYPE_CHECKING:
    from syncd.files import Files

DIMENSIONS: Final = ("source", "campaign", "segment", "owner")
"""What figures are broken down by, and filtered by: one at a time."""
NUMBERS: Final = frozenset({"reached", "qualifies", "handed", "undelivered", "running"})
"""Of a link: the conditions that are numbers."""
MOST: Final = 1000
"""Records that a link opens at once, at most."""

Figure = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """What a report reads: the sums of a period, and of one thing that they are filtered by."""

    ledger: Ledger
    funnel: Funnel | None
    now_ms: int
    filters: Mapping[str, str]

    @property
    def known(self) -> bool:
        """Is there a definition, and was anything followed by it?"""
        return self.funnel is not None and self.ledger.books.funnel() is not None

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

    def dimension(self) -> tuple[str, str | None]:
        """(by, name) that the filters choose; several at once cannot be known from the sums."""
        chosen = [(name, self.filters[name]) for name in DIMENSIONS if self.filters.get(name) is not None]
        return chosen[0] if len(chosen) == 1 else ("", None)

    @property
    def answerable(self) -> bool:
        """Can the sums answer these filters?"""
        return self.known and sum(self.filters.get(name) is not None for name in DIMENSIONS) <= 1

    def sums(self, figure: str, period: Period | None, by: str | None = None) -> dict[tuple[str, str], tuple[int, int]]:
        """(n, amount) by (what, name). `by`: broken down by it; left out: what the filters choose."""
        since, until = (0, EVER) if period is None else (period.since.toordinal(), period.until.toordinal())
        of, name = self.dimension() if by is None else (by, None)
        return self.ledger.loop.sums.of(figure, since, until, by=of, name=name)

    def figure(self, value: int | None, of: str, period: Period | None, **where: Any) -> Figure:
        """A number with its link. `of`: people or deals."""
        if not self.answerable or value is None:
            return {"value": None, "records": None}
        by, name = self.dimension()
        query = {**({by: name} if by else {}), **where}
        if period is not None:
            query |= {"since": period.since.isoformat(), "until": period.until.isoformat()}
        return {"value": value, "records": f"{of}?{urlencode(sorted(query.items()))}"}

    def money(self, value: int | None, currency: str, period: Period | None, **where: Any) -> Figure:
        """An amount with its link."""
        return {"currency": currency, **self.figure(value, "deals", period, currency=currency, **where)}


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


# ---------------------------------------------------------------- opened


def open_link(ledger: Ledger, link: str, limit: int) -> dict[str, Any]:
    """The records behind a figure. A link that is none opens to nothing."""
    of, _, text = link.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    after = _after(query.pop("after", ""))
    limit = max(1, min(limit, MOST))
    try:
        since = date.fromisoformat(query["since"]).toordinal() if "since" in query else None
        until = date.fromisoformat(query["until"]).toordinal() if "until" in query else None
        where: dict[str, Any] = dict(query)
        for name in NUMBERS & query.keys():
            where[name] = int(query[name])
    except ValueError:
        return {"link": link, "title": "", "count": None, "records": [], "next": None}
    records: list[dict[str, Any]]
    if of == "deals":
        deals = ledger.loop.deals(where, since, until, after, limit)
        records = [
            {
                **_place(ledger, object_, key),
                "why": sale.cause or sale.reason or sale.state,
                "at": date.fromordinal(sale.closed).isoformat() if sale.closed else None,
                "amount": {"value": sale.amount, "currency": sale.currency},
                "credit": sale.shares,
            }
            for object_, key, sale in deals
        ]
        place = ledger.loop.deal_place(where, *deals[-1]) if len(deals) == limit else None
    else:
        day = "qualified" if query.get("day") == "qualified" else "came"
        people = ledger.loop.people(where, since, until, day, after, limit)
        records = [
            {
                **_place(ledger, object_, key),
                "why": (one.state and (f"{one.state}: {one.reason}" if one.reason else one.state)) or one.why,
                "at": iso_ms(one.qualified_ms),
                "amount": None,
            }
            for object_, key, one in people
        ]
        place = ledger.loop.place(where, *people[-1]) if len(people) == limit else None
    title = ", ".join(f"{name} {value}" for name, value in sorted(query.items()) if name not in ("day",))
    following = None
    if place is not None:
        rest = urlencode(sorted({**query, "after": ":".join(map(str, place))}.items()))
        following = f"{of}?{rest}"
    return {"link": link, "title": title, "count": None, "records": records, "next": following}


def _after(text: str) -> Place:
    """The place that a page ended at; the start where the text is none."""
    strand, _, rest = text.partition(":")
    day, _, rest = rest.partition(":")
    object_, _, key = rest.partition(":")
    numbers = [int(one) for one in (strand, day.removeprefix("-"), object_) if one.isdecimal() and len(one) < 16]
    if len(numbers) < 3 or not key:
        return START
    return numbers[0], -numbers[1] if day.startswith("-") else numbers[1], numbers[2], key


def _place(ledger: Ledger, object_: int, key: str) -> dict[str, str]:
    system, name = ledger.facts.name_of(object_)
    return {"system": system, "object": name, "key": key}
