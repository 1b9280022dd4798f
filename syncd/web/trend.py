"""A year in columns: what was qualified, and won, in each of the last periods of the agreement.

Promise: read from the same sums as the reports; the running period is told apart, for it is not over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncd.core.agreement import Period, PeriodKind, period_of
from syncd.funnel.figures import Reader, reader_of, shown, total
from syncd.web import words
from syncd.web.page import Asked
from syncd.web.pages import figures

SPANS: dict[PeriodKind, int] = {"week": 13, "month": 12, "quarter": 8, "year": 5}
"""How many periods are drawn."""


@dataclass(frozen=True)
class Bar:
    """One period. `owed`: what was promised for it, if it was."""

    name: str
    label: str
    value: int
    text: str
    link: str | None
    running: bool


@dataclass(frozen=True)
class Trend:
    """Columns from the oldest period to the running one. `line`: what is owed in each."""

    name: str
    bars: list[Bar]
    most: int
    line: int | None = None
    line_text: str = ""


def qualified(asked: Asked) -> Trend | None:
    """Qualified leads by period, against what marketing owes; None while nothing is agreed."""
    reader = reader_of(asked.ledger, asked.files, asked.now, {})
    if not reader.known or reader.funnel is None:
        return None
    kind = reader.funnel.agreement.period

    def one(period: Period) -> tuple[int, str, Any]:
        count = total(reader.sums("qualified", period))
        link = reader.figure(count, "people", period, qualifies=1, day="qualified")["records"]
        return count, words.number(count), link

    owed = reader.funnel.agreement.qualified
    return _trend(reader, kind, f"Qualified leads by {kind}", one, owed, words.number(owed))


def won(asked: Asked, currency: str | None = None) -> Trend | None:
    """What was won by period, in one currency (the goal's); None while nothing is agreed, or no currency is."""
    reader = reader_of(asked.ledger, asked.files, asked.now, {})
    target = reader.funnel.target if reader.funnel else None
    money = currency or (target.currency if target else None)
    if not reader.known or reader.funnel is None or reader.funnel.sales is None or money is None:
        return None
    kind = reader.funnel.agreement.period

    def one(period: Period) -> tuple[int, str, Any]:
        amount = reader.sums("won", period).get((money, ""), (0, 0))[1]
        return amount, words.rough(amount, money), reader.money(amount, money, period, state="won")["records"]

    line = target.revenue if target and target.period == kind and target.currency == money else None
    return _trend(reader, kind, f"Won by {kind}, {money}", one, line, words.rough(line, money))


def _trend(reader: Reader, kind: PeriodKind, name: str, one: Any, line: int | None, text: str) -> Trend | None:
    periods = [period_of(reader.today, kind)]
    while len(periods) < SPANS[kind]:
        periods.append(period_of(periods[-1].since - timedelta(days=1), kind))
    bars = []
    for at, period in enumerate(reversed(periods)):
        value, said, link = one(period)
        running = at == len(periods) - 1
        bars.append(
            Bar(
                _short(period, kind),
                words.period(shown(period)),
                value,
                said,
                figures.behind(link) if value else None,
                running,
            )
        )
    if not any(bar.value for bar in bars):
        return None
    return Trend(name, bars, max(*(bar.value for bar in bars), line or 0), line, text)


def _short(period: Period, kind: PeriodKind) -> str:
    since = period.since
    if kind == "month":
        return words.MONTHS[since.month - 1][:3]
    return {"week": f"W{since.isocalendar().week}", "quarter": f"Q{(since.month + 2) // 3}"}.get(kind, str(since.year))
