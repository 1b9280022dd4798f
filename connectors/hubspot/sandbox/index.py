"""The search index of one object: a copy of the records that lags behind them.

Promise: a change is visible from its due time on, never before, and an older state never replaces a newer one. What
the index shows of a record is one whole state of it, perhaps an old one. It knows nothing of filters; it keeps the
orders and look-up tables that make them fast.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple

MANY = frozenset({"hs_additional_domains"})
"""Keyed properties that hold several values."""


class Doc(NamedTuple):
    """A record as the index saw it."""

    id: int
    values: dict[str, str]
    created_ms: int
    modified_ms: int
    emails: tuple[str, ...]


class SearchIndex:
    """Docs by id. `version` moves whenever anything visible does: results may be cached by it."""

    def __init__(self, keyed: Iterable[str] = ()) -> None:
        self.docs: dict[str, Doc] = {}
        self.version = 0
        self.by_id: list[int] = []
        self.by_modified: list[tuple[int, int]] = []
        self.keyed: dict[str, dict[str, set[str]]] = {name: {} for name in keyed}
        self._pending: list[tuple[int, int, str, Doc | None]] = []
        self._shown: dict[str, int] = {}
        self._count = 0

    def queue(self, record_id: str, doc: Doc | None, due_ms: int) -> None:
        """Lets a state (None: gone) be seen from `due_ms` on."""
        self._count += 1
        heapq.heappush(self._pending, (due_ms, self._count, record_id, doc))

    def settle(self, now_ms: int) -> None:
        """Makes visible what is due."""
        while self._pending and self._pending[0][0] <= now_ms:
            _, count, record_id, doc = heapq.heappop(self._pending)
            if count > self._shown.get(record_id, 0):
                self._shown[record_id] = count
                self.show(record_id, doc)

    def show(self, record_id: str, doc: Doc | None) -> None:
        """Makes a state visible at once."""
        old = self.docs.pop(record_id, None)
        if old is not None:
            del self.by_id[bisect_left(self.by_id, old.id)]
            del self.by_modified[bisect_left(self.by_modified, (old.modified_ms, old.id))]
            self._unkey(record_id, old)
        if doc is not None:
            self.docs[record_id] = doc
            insort(self.by_id, doc.id)
            insort(self.by_modified, (doc.modified_ms, doc.id))
            self._key(record_id, doc)
        self.version += 1

    def invalidate(self) -> None:
        """Something outside changed what may be seen (a record was hidden)."""
        self.version += 1

    def key_by(self, name: str) -> None:
        """Adds a look-up table over a property."""
        if name not in self.keyed:
            table: dict[str, set[str]] = {}
            self.keyed[name] = table
            for record_id, doc in self.docs.items():
                for value in _keys(name, doc):
                    table.setdefault(value, set()).add(record_id)

    def with_ids(self, low: int | None, high: int | None) -> list[int]:
        """Ids in ascending order, bounds included."""
        start = 0 if low is None else bisect_left(self.by_id, low)
        end = len(self.by_id) if high is None else bisect_right(self.by_id, high)
        return self.by_id[start:end]

    def modified_between(self, low_ms: int | None, high_ms: int | None) -> list[int]:
        """Ids by ascending modified stamp, then id; bounds included."""
        start = 0 if low_ms is None else bisect_left(self.by_modified, (low_ms, -1))
        end = len(self.by_modified) if high_ms is None else bisect_left(self.by_modified, (high_ms + 1, -1))
        return [record_id for _, record_id in self.by_modified[start:end]]

    def with_value(self, name: str, values: Iterable[str]) -> list[int] | None:
        """Ids whose keyed property has one of the (lower-case) values, ascending; None when it is not keyed."""
        table = self.keyed.get(name)
        if table is None:
            return None
        return sorted({int(record_id) for value in values for record_id in table.get(value, ())})

    def _key(self, record_id: str, doc: Doc) -> None:
        for name, table in self.keyed.items():
            for value in _keys(name, doc):
                table.setdefault(value, set()).add(record_id)

    def _unkey(self, record_id: str, doc: Doc) -> None:
        for name, table in self.keyed.items():
            for value in _keys(name, doc):
                holders = table.get(value)
                if holders is not None:
                    holders.discard(record_id)
                    if not holders:
                        del table[value]


def _keys(name: str, doc: Doc) -> tuple[str, ...]:
    if name == "email":
        return doc.emails
    value = doc.values.get(name)
    if value and name in MANY:
        return tuple(value.lower().split(";"))
    return (value.lower(),) if value else ()
