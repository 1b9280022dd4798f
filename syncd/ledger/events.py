"""Events: what watches saw happen, when, and to whom. The table that reports read.

Promise: `keep` is idempotent: what is kept already costs no write, and nothing is kept twice. Counts are kept beside the
rows, so that nobody counts ten million of them. It does not know what an event means: the watch's file says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store

_FIND = """
SELECT e.id, e.key, e.slot, e.at_ms, e.refs, e.doc FROM json_each(?) j
CROSS JOIN event e ON e.object = ? AND e.key = j.value AND e.watch = ?
"""
_COLUMNS = "e.id, e.watch, e.object, e.key, e.at_ms, e.refs, e.doc"


class Row(msgspec.Struct, frozen=True, gc=False):
    """An event to be kept. A record has one event in each `slot`: 0 where it *is* the event, else the moment at which
    it changed."""

    key: str
    slot: int
    at_ms: int
    refs: tuple[tuple[str, str], ...]
    """(mapping, key): the records, of the watched side, that it happened to."""
    values: dict[str, Any]


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event as it is kept."""

    id: int
    watch: str
    object: int
    key: str
    at_ms: int
    refs: tuple[tuple[str, str], ...]
    values: dict[str, Any]


class Told(msgspec.Struct, frozen=True):
    """How much a watch has told. Times in UTC epoch milliseconds; None before the first event."""

    events: int
    first_ms: int | None
    last_ms: int | None


class Events:
    """The event, event_on and watch tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ------------------------------------------------ keeping

    def keep(self, watch: str, side: str, object: int, rows: Sequence[Row], gone: Iterable[str] = ()) -> int:
        """Keeps events, replacing what stood in the same slot of a record; drops those of the records `gone`. Returns
        how many rows were written or dropped."""
        gone = list(gone)
        found = self._store.rows(_FIND, (_json({*gone, *(row.key for row in rows)}), object, watch))
        before = {(key, slot): (id_, at_ms, refs, doc) for id_, key, slot, at_ms, refs, doc in found}
        drop = [key for key in before if key[0] in set(gone)]
        new, changed = [], []
        for row in rows:
            stands = before.get((row.key, row.slot))
            said = (row.at_ms, orjson.dumps(row.refs), orjson.dumps(row.values))
            if stands is None:
                new.append((row, said))
            elif said != stands[1:]:
                changed.append((row, said, stands))
        if not (new or changed or drop):
            return 0
        with self._store.transaction() as t:
            first = t.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()[0]
            t.executemany(
                "INSERT INTO event (id, watch, object, key, slot, at_ms, refs, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(first + n, watch, object, row.key, row.slot, *said) for n, (row, said) in enumerate(new)],
            )
            t.executemany(
                "UPDATE event SET at_ms = ?, refs = ?, doc = ? WHERE id = ?",
                [(*said, stands[0]) for _, said, stands in changed],
            )
            t.executemany("DELETE FROM event WHERE id = ?", [(before[key][0],) for key in drop])
            t.executemany(
                "DELETE FROM event_on WHERE mapping = ? AND side = ? AND key = ? AND at_ms = ? AND event = ?",
                [
                    (mapping, side, key, at_ms, id_)
                    for id_, at_ms, refs, _ in [*(stands for _, _, stands in changed), *(before[key] for key in drop)]
                    for mapping, key in orjson.loads(refs)
                ],
            )
            kept = [(first + n, row) for n, (row, _) in enumerate(new)] + [(s[0], row) for row, _, s in changed]
            t.executemany(
                "INSERT INTO event_on (mapping, side, key, at_ms, event) VALUES (?, ?, ?, ?, ?)",
                [(mapping, side, key, row.at_ms, id_) for id_, row in kept for mapping, key in row.refs],
            )
            times = [row.at_ms for _, row in kept]
            self._count(watch, len(new) - len(drop), min(times, default=None), max(times, default=None))
        return len(new) + len(changed) + len(drop)

    def _count(self, watch: str, more: int, first_ms: int | None, last_ms: int | None) -> None:
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO watch (name, events, first_ms, last_ms) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " events = events + excluded.events,"
                " first_ms = min(coalesce(first_ms, excluded.first_ms), coalesce(excluded.first_ms, first_ms)),"
                " last_ms = max(coalesce(last_ms, excluded.last_ms), coalesce(excluded.last_ms, last_ms))",
                (watch, more, first_ms, last_ms),
            )

    def forget(self, watch: str) -> None:
        """Drops all events of a watch: it looks at another object now."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM event_on WHERE event IN (SELECT id FROM event WHERE watch = ?)", (watch,))
            t.execute("DELETE FROM event WHERE watch = ?", (watch,))
            t.execute("DELETE FROM watch WHERE name = ?", (watch,))

    # ------------------------------------------------ reading

    def told(self, watch: str) -> Told:
        """How much a watch has told; costs one row."""
        row = self._store.row("SELECT events, first_ms, last_ms FROM watch WHERE name = ?", (watch,))
        return Told(*row) if row else Told(0, None, None)

    def last_values(self, watch: str, object: int, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The values of each record's newest event; records without any are absent."""
        rows = self._store.rows(
            "SELECT e.key, max(e.slot), e.doc FROM json_each(?) j"
            " CROSS JOIN event e ON e.object = ? AND e.key = j.value AND e.watch = ? GROUP BY e.key",
            (_json(keys), object, watch),
        )
        return {key: orjson.loads(doc) for key, _, doc in rows}

    def of_records(
        self, mapping: str, side: str, keys: Sequence[str], *, since_ms: int = 0, until_ms: int = 1 << 60
    ) -> list[Event]:
        """What happened to these records of a mapping's side, oldest first, in since <= time < until. A record that
        others were merged or converted into has the events of those under their own keys (`Facts.swallowed`)."""
        rows = self._store.rows(
            f"SELECT DISTINCT {_COLUMNS} FROM json_each(?) j"
            " CROSS JOIN event_on o ON o.mapping = ? AND o.side = ? AND o.key = j.value AND o.at_ms >= ? AND o.at_ms < ?"
            " CROSS JOIN event e ON e.id = o.event ORDER BY e.at_ms, e.id",
            (_json(keys), mapping, side, since_ms, until_ms),
        )
        return [_event(row) for row in rows]

    def between(
        self, watch: str, since_ms: int, until_ms: int, after: tuple[int, int] = (-(1 << 60), 0), limit: int = 1000
    ) -> list[Event]:
        """A watch's events by time, in since <= time < until; `after`: (at_ms, id) of the last one that was read."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM event e WHERE e.watch = ? AND e.at_ms >= ? AND e.at_ms < ? AND (e.at_ms, e.id) > (?, ?)"
            " ORDER BY e.at_ms, e.id LIMIT ?",
            (watch, max(since_ms, after[0]), until_ms, *after, limit),
        )
        return [_event(row) for row in rows]


def once(
    events: Iterable[Event], mapping: str, whose: Mapping[str, set[tuple[int, str]]]
) -> Iterator[tuple[Event, set[tuple[int, str]]]]:
    """Events with the records (object, key) of today that they hang on. `whose`: those, by each key that they ever had.

    A vendor hands a merged record's history on to the survivor: what changed of both at the same moment is one event."""
    told: set[tuple[str, int, tuple[int, str]]] = set()
    for event in events:
        at = {record for of, key in event.refs if of == mapping for record in whose.get(key, ())}
        # What is a record of its own, a call, happens beside others of the same second.
        if (mapping, event.key) in event.refs:
            at = {record for record in at if (event.watch, event.at_ms, record) not in told}
            told |= {(event.watch, event.at_ms, record) for record in at}
        if at:
            yield event, at


def _json(keys: Iterable[str]) -> str:
    return orjson.dumps(list(keys)).decode()


def _event(row: tuple[Any, ...]) -> Event:
    id_, watch, object_, key, at_ms, refs, doc = row
    hangs_on = tuple((mapping, target) for mapping, target in orjson.loads(refs))
    return Event(id_, watch, object_, key, at_ms, hangs_on, orjson.loads(doc))
