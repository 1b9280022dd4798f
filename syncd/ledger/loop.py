"""The closed loop's rows and aggregates: where people stand, what deals came to, and cells that count both.

Promise: `keep_*` changes the rows and the cells that they count in together, by the difference: after it every cell is
the sum over the rows, whatever stood there before. It does not know what a figure means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.core.sale import Sale
from syncd.core.standing import Cell, Standing
from syncd.ledger.store import Store

_STANDING = msgspec.json.Decoder(Standing)
_SALE = msgspec.json.Decoder(Sale)
_ENCODE = msgspec.json.encode


class Stirred(msgspec.Struct, frozen=True):
    """A record about which something else than its facts moved: a link, an issue, an event."""

    mapping: str
    side: str
    object: int
    """0: any of that side's."""
    key: str


class Loop:
    """The standing, sale, cell and stirred tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ------------------------------------------------ rows

    def standings(self, object: int, keys: Sequence[str]) -> dict[str, Standing]:
        """Where these records stand, by key; the others are absent."""
        rows = self._store.rows(
            "SELECT s.key, s.doc FROM json_each(?) j CROSS JOIN standing s ON s.object = ? AND s.key = j.value",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {key: _STANDING.decode(doc) for key, doc in rows}

    def sales(self, object: int, keys: Sequence[str]) -> dict[str, Sale]:
        """What these deals came to, by key."""
        rows = self._store.rows(
            "SELECT s.key, s.doc FROM json_each(?) j CROSS JOIN sale s ON s.object = ? AND s.key = j.value",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {key: _SALE.decode(doc) for key, doc in rows}

    def keep_standings(self, object: int, now: Mapping[str, Standing], before: Mapping[str, Standing]) -> int:
        """Keeps what changed; returns how many rows."""
        changed = {key: one for key, one in now.items() if before.get(key) != one}
        rows = [
            (object, key, s.outcome, s.reached, s.came, s.state, s.reason, s.qualified, s.clock, s.depth, s.next_ms,
             s.source, s.campaign, s.segment, s.owner, _ENCODE(s))
            for key, s in changed.items()
        ]  # fmt: skip
        if rows:
            with self._store.transaction() as t:
                t.executemany(
                    "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
                )
                self._count(before[key].cells for key in changed if key in before)
                self._count((one.cells for one in changed.values()), 1)
        return len(rows)

    def keep_sales(self, object: int, now: Mapping[str, Sale], before: Mapping[str, Sale]) -> int:
        """Keeps what changed; returns how many rows. A deal that is gone is kept as nothing."""
        changed = {key: one for key, one in now.items() if before.get(key) != one}
        rows = [
            (object, key, s.state, s.closed, s.amount, s.currency, s.cause, s.reason, _ENCODE(s))
            for key, s in changed.items()
        ]
        if rows:
            with self._store.transaction() as t:
                t.executemany("INSERT OR REPLACE INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
                self._count(before[key].cells for key in changed if key in before)
                self._count((one.cells for one in changed.values()), 1)
        return len(rows)

    def _count(self, each: Iterable[Sequence[Cell]], sign: int = -1) -> None:
        sums: defaultdict[tuple[str, int, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        for cells in each:
            for figure, day, what, by, name, n, amount in cells:
                cell = sums[figure, day, what, by, name]
                cell[0] += sign * n
                cell[1] += sign * amount
        with self._store.transaction() as t:
            t.executemany(
                "INSERT INTO cell (figure, day, what, by, name, n, amount) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (figure, by, day, what, name) DO UPDATE SET n = n + excluded.n, amount = amount + excluded.amount",
                [(*key, n, amount) for key, (n, amount) in sums.items()],
            )

    # ------------------------------------------------ what is to be looked at

    def take_stirred(self, mapping: str, limit: int) -> list[Stirred]:
        """Takes records off the list; call it in the transaction that looks at them."""
        with self._store.transaction() as t:
            rows = t.execute(
                "SELECT mapping, side, object, key FROM stirred WHERE mapping = ? LIMIT ?", (mapping, limit)
            ).fetchall()
            t.executemany("DELETE FROM stirred WHERE mapping = ? AND side = ? AND object = ? AND key = ?", rows)
        return [Stirred(*row) for row in rows]

    def drop_stirred(self, mappings: Sequence[str]) -> None:
        """Drops what is listed of other mappings than these: nobody looks at it."""
        row = self._store.row(
            "SELECT 1 FROM stirred WHERE mapping NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
            (orjson.dumps(list(mappings)).decode(),),
        )
        if row is not None:
            with self._store.transaction() as t:
                t.execute(
                    "DELETE FROM stirred WHERE mapping NOT IN (SELECT value FROM json_each(?))",
                    (orjson.dumps(list(mappings)).decode(),),
                )

    def due(self, object: int, now_ms: int, limit: int) -> list[str]:
        """Keys of people about whom something changes by itself by now."""
        rows = self._store.rows(
            "SELECT key FROM standing WHERE next_ms <= ? AND object = ? ORDER BY next_ms LIMIT ?",
            (now_ms, object, limit),
        )
        return [row[0] for row in rows]

    def links_made(self, links: Sequence[int]) -> dict[int, tuple[str, float]]:
        """(how, when) these links were made."""
        rows = self._store.rows(
            "SELECT l.id, l.how, l.made_at FROM json_each(?) j CROSS JOIN link l ON l.id = j.value",
            (orjson.dumps(list(links)).decode(),),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def issues(self, mapping: str, object: int, keys: Sequence[str]) -> dict[str, str]:
        """The kind of an open issue about each of these records; the others are absent."""
        rows = self._store.rows(
            "SELECT i.key, min(i.kind) FROM json_each(?) j CROSS JOIN issue i ON i.closed_at IS NULL AND i.mapping = ?"
            " AND i.object = ? AND i.key = j.value GROUP BY i.key",
            (orjson.dumps(list(keys)).decode(), mapping, object),
        )
        return dict(rows)

    # ------------------------------------------------ figures

    def sums(
        self, figure: str, since: int, until: int, *, by: str = "", name: str | None = None
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """(n, amount) by (what, name), of the days since <= day < until."""
        rows = self._store.rows(
            "SELECT what, name, sum(n), sum(amount) FROM cell WHERE figure = ? AND by = ? AND day >= ? AND day < ?"
            " AND (? IS NULL OR name = ?) GROUP BY what, name HAVING sum(n) != 0 OR sum(amount) != 0",
            (figure, by, since, until, name, name),
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    def qualified(self) -> int:
        """How many ever met the definition: rows, not cells."""
        row = self._store.row("SELECT count(*) FROM standing WHERE state IS NOT NULL")
        return int(row[0]) if row else 0

    def people(
        self,
        where: Mapping[str, Any],
        since: int | None,
        until: int | None,
        day: str,
        after: tuple[int, str],
        limit: int,
    ) -> list[tuple[int, str, Standing]]:
        """People by (object, key), from behind `after`. `where`: column -> value; `day`: came or qualified; `reached`
        means at least."""
        text, given = _where(where, _PEOPLE)
        rows = self._store.rows(
            f"SELECT object, key, doc FROM standing WHERE (object, key) > (?, ?) AND (? IS NULL OR {_DAYS[day]} >= ?)"
            f" AND (? IS NULL OR {_DAYS[day]} < ?){text} ORDER BY object, key LIMIT ?",
            (*after, since, since, until, until, *given, limit),
        )
        return [(object_, key, _STANDING.decode(doc)) for object_, key, doc in rows]

    def deals(
        self, where: Mapping[str, Any], since: int | None, until: int | None, after: tuple[int, str], limit: int
    ) -> list[tuple[int, str, Sale]]:
        """Deals by (object, key), from behind `after`."""
        text, given = _where(where, _DEALS)
        rows = self._store.rows(
            "SELECT object, key, doc FROM sale WHERE (object, key) > (?, ?) AND (? IS NULL OR closed >= ?)"
            f" AND (? IS NULL OR closed < ?){text} ORDER BY object, key LIMIT ?",
            (*after, since, since, until, until, *given, limit),
        )
        return [(object_, key, _SALE.decode(doc)) for object_, key, doc in rows]


_DAYS = {"came": "came", "qualified": "qualified"}
_PEOPLE = {
    **{name: f"{name} = ?" for name in ("outcome", "state", "reason", "clock", "depth", "source", "campaign")},
    "segment": "segment = ?",
    "owner": "owner = ?",
    "reached": "reached >= ?",
    "qualifies": "(state IS NOT NULL) = ?",
    "handed": "(state IN ('delivered', 'rejected')) = ?",
    "undelivered": "(state != 'delivered') = ?",
    "running": "(clock IN ('on_track', 'due_soon', 'breached', 'paused')) = ?",
}
_DEALS = {name: f"{name} = ?" for name in ("state", "currency", "cause", "reason")}


def _where(where: Mapping[str, Any], known: Mapping[str, str]) -> tuple[str, list[Any]]:
    """Only conditions that are known: a link is somebody's text."""
    chosen = {name: value for name, value in where.items() if name in known}
    return "".join(f" AND {known[name]}" for name in chosen), list(chosen.values())
