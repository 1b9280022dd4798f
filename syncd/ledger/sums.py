"""The cells that reports read: each figure by day, and again by month, so that years cost what months do.

Promise: `move` adds a difference to day and month together; `of` gives the same sums whichever it reads them from. It
does not know what a figure means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from syncd.core.standing import Cell
from syncd.ledger.store import Store

Key = tuple[str, int, str, str, str]
"""figure, day or month, what, by, name"""
Pair = tuple[int, int]
"""n, amount"""
EVER = 1 << 40
"""A day after all days."""
_LEAST = 31
"""Spans shorter than this hold no whole month that is worth a look."""

_ADD = (
    "INSERT INTO {table} (figure, {span}, what, by, name, n, amount) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (figure, by, {span}, what, name) DO UPDATE SET n = n + excluded.n, amount = amount + excluded.amount"
)
_DROP = (
    "DELETE FROM {table} WHERE figure = ? AND {span} = ? AND what = ? AND by = ? AND name = ? AND n = 0 AND amount = 0"
)
_TABLES = (("cell", "day"), ("cell_month", "month"))


class Sums:
    """The cell, cell_month, cell_erased, tally and sale_tally tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def move(self, before: Iterable[Cell], now: Iterable[Cell]) -> None:
        """What stood in `before` counts no more, what stands in `now` does. Cells that both hold cost nothing."""
        days: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
        for sign, cells in ((-1, before), (1, now)):
            for figure, day, what, by, name, n, amount in cells:
                cell = days[figure, day, what, by, name]
                cell[0] += sign * n
                cell[1] += sign * amount
        moved = {key: (n, amount) for key, (n, amount) in days.items() if n or amount}
        months: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
        for (figure, day, *rest), (n, amount) in moved.items():
            cell = months[(figure, month_of(day), *rest)]  # type: ignore[index]
            cell[0] += n
            cell[1] += amount
        by_month = {key: (n, amount) for key, (n, amount) in months.items() if n or amount}
        with self._store.transaction() as t:
            for (table, span), rows in zip(_TABLES, (moved, by_month), strict=True):
                t.executemany(_ADD.format(table=table, span=span), [(*key, *pair) for key, pair in rows.items()])
                less = [key for key, (n, amount) in rows.items() if n < 0 or amount < 0]
                t.executemany(_DROP.format(table=table, span=span), less)

    def of(
        self, figure: str, since: int, until: int, *, by: str = "", name: str | None = None, months: bool = True
    ) -> dict[tuple[str, str], Pair]:
        """(n, amount) by (what, name), of the days since <= day < until: whole months by their cells, the rest by day.
        `months`: False reads days alone."""
        parts, given = [], list[object]()
        for table, span, first, last in _spans(since, until) if months else [("cell", "day", since, until)]:
            one = "" if name is None else " AND name = ?"
            parts.append(
                f"SELECT what, name, n, amount FROM {table} WHERE figure = ? AND by = ? AND {span} >= ? AND {span} < ?{one}"
            )
            given += [figure, by, first, last, *([] if name is None else [name])]
        rows = self._store.rows(
            f"SELECT what, name, sum(n), sum(amount) FROM ({' UNION ALL '.join(parts)}) GROUP BY what, name"
            " HAVING sum(n) != 0 OR sum(amount) != 0",
            given,
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    def tallied(self) -> dict[str, int]:
        """By state: how many rows say so. Counted by triggers, row by row and apart from the cells; whoever was erased
        stays in the state that they had."""
        return dict(self._store.rows("SELECT state, n FROM tally WHERE n != 0"))

    def amounts(self, figure: str, by: str) -> dict[str, int]:
        """The amount by what, of all days."""
        rows = self._store.rows(
            "SELECT what, sum(amount) FROM cell_month WHERE figure = ? AND by = ? GROUP BY what", (figure, by)
        )
        return dict(rows)

    def sold(self) -> dict[str, int]:
        """By currency: what was won. Counted by triggers, deal by deal and apart from the cells."""
        return dict(self._store.rows("SELECT currency, amount FROM sale_tally WHERE amount != 0"))


@lru_cache(maxsize=4096)
def month_of(day: int) -> int:
    """The month of a day, counted from year 0; 0 for the day that is not known."""
    if day <= 0:
        return 0
    at = date.fromordinal(min(day, date.max.toordinal()))
    return at.year * 12 + at.month - 1


def _first(month: int) -> int:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1).toordinal()


def _spans(since: int, until: int) -> list[tuple[str, str, int, int]]:
    """(table, column, first, after the last): the fewest cells that make up these days."""
    if until - since < _LEAST:
        return [("cell", "day", since, until)]
    known = since > 0
    low = month_of(since) if known else 0
    if known and _first(low) < since:
        low += 1
    endless = until > date.max.toordinal()
    high = date.max.year * 12 + 12 if endless else month_of(until)
    if low >= high:
        return [("cell", "day", since, until)]
    spans = [("cell_month", "month", low, high)]
    if known and since < _first(low):
        spans.append(("cell", "day", since, _first(low)))
    if not endless and _first(high) < until:
        spans.append(("cell", "day", _first(high), until))
    return spans
