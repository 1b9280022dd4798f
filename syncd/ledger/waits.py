"""Who waits for whom: records that refer to a record without a link yet, until it has one.

Rows are written only for those that wait. Making, moving or waking a link puts whoever waits for one of its ends on the
list of what is decided again, in the same transaction: a kill cannot lose a wake-up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import orjson

from syncd.ledger.store import Store


class Wait(msgspec.Struct, frozen=True, gc=False):
    """One record (`object`, `key`) of a mapping that waits for a record of another mapping, known by side and key."""

    object: int
    key: str
    parent: str
    side: str
    parent_key: str
    making: int = 0
    """The object of the awaited record, where its partner is about to be made: the wait ends with that, too."""
    create: bool = False
    """A create is held back for it."""

    @property
    def nobody(self) -> bool:
        """It refers to nobody yet, and has to before it is created: `parent_key` is empty."""
        return not self.parent_key


class Waits:
    """The wait table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, mapping: str, records: Iterable[tuple[int, str]], rows: Sequence[Wait]) -> list[Wait]:
        """Replaces what these records (object, key) wait for; returns the waits that were not known."""
        known: dict[tuple[int, str, str, str, str], tuple[int, bool]] = {}
        if self._store.row("SELECT 1 FROM wait WHERE mapping = ? LIMIT 1", (mapping,)):
            by_object: dict[int, list[str]] = {}
            for object_, key in records:
                by_object.setdefault(object_, []).append(key)
            for object_, keys in by_object.items():
                known |= {
                    (object_, key, parent, side, parent_key): (making, bool(create))
                    for key, parent, side, parent_key, making, create in self._store.rows(
                        "SELECT w.key, w.parent, w.side, w.parent_key, w.making, w.creates FROM json_each(?) j"
                        " CROSS JOIN wait w ON w.mapping = ? AND w.object = ? AND w.key = j.value",
                        (orjson.dumps(keys).decode(), mapping, object_),
                    )
                }
        wanted = {(row.object, row.key, row.parent, row.side, row.parent_key): row for row in rows}
        moved = [row for at, row in wanted.items() if known.get(at) != (row.making, row.create)]
        over = [(mapping, *at) for at in known if at not in wanted]
        if moved or over:
            with self._store.transaction() as t:
                t.executemany(
                    "DELETE FROM wait WHERE mapping = ? AND object = ? AND key = ? AND parent = ? AND side = ?"
                    " AND parent_key = ?",
                    over,
                )
                t.executemany(
                    "INSERT OR REPLACE INTO wait (mapping, object, key, parent, side, parent_key, making, creates)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(mapping, *msgspec.structs.astuple(row)) for row in moved],
                )
        return [row for at, row in wanted.items() if at not in known]

    def end_makings(self, mapping: str) -> int:
        """Wakes those that waited for a partner which nobody is about to make any more; returns how many."""
        rows = self._store.rows(
            "SELECT DISTINCT w.mapping, w.object, w.key FROM wait w WHERE w.mapping = ? AND w.making != 0"
            " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.mapping = w.parent AND i.source_object = w.making"
            " AND i.source_key = w.parent_key AND i.op = 'create')",
            (mapping,),
        )
        if rows:
            with self._store.transaction() as t:
                _stir(t, rows)
        return len(rows)

    def creates(self, mapping: str) -> int:
        """How many records' creates are held back until somebody that they refer to is linked."""
        row = self._store.row(
            "SELECT count(*) FROM (SELECT DISTINCT object, key FROM wait WHERE mapping = ? AND creates)", (mapping,)
        )
        return int(row[0]) if row else 0

    def of_record(self, mapping: str, object: int, key: str) -> list[Wait]:
        """What one record waits for."""
        return [
            Wait(object, key, parent, side, parent_key, making, bool(create))
            for parent, side, parent_key, making, create in self._store.rows(
                "SELECT parent, side, parent_key, making, creates FROM wait WHERE mapping = ? AND object = ? AND key = ?"
                " ORDER BY parent, side, parent_key",
                (mapping, object, key),
            )
        ]

    def following(self, mapping: str) -> Iterator[Wait]:
        """Who waits for a record whose create is planned, or for somebody who so waits: they are decided as soon as it
        is made, in the same cycle. Each once."""
        if not self._store.row("SELECT 1 FROM wait WHERE mapping = ? LIMIT 1", (mapping,)):
            return
        making = (
            "WITH RECURSIVE made(mapping, side, key) AS ("
            " SELECT i.mapping, CASE i.side WHEN 'crm' THEN 'marketing' ELSE 'crm' END, i.source_key FROM intent i"
            " WHERE i.op = 'create' AND i.state IN ('ready', 'planned', 'held')"
            " UNION SELECT w.mapping, w.side, w.key FROM made m JOIN wait w"
            " ON w.parent = m.mapping AND w.side = m.side AND w.parent_key = m.key WHERE w.creates)"
        )
        for row in self._store.rows(
            f"{making} SELECT w.object, w.key, w.parent, w.side, w.parent_key, w.making, w.creates FROM wait w JOIN made m"
            " ON w.parent = m.mapping AND w.side = m.side AND w.parent_key = m.key WHERE w.mapping = ?"
            " GROUP BY w.object, w.key ORDER BY w.object, w.key",
            (mapping,),
        ):
            object_, key, parent, side, parent_key, making, creates = row
            yield Wait(object_, key, parent, side, parent_key, making, bool(creates))

    def forget(self, mapping: str) -> None:
        """Nothing of this mapping waits: its text changed, and all is decided again."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM wait WHERE mapping = ?", (mapping,))


def wake(t: sqlite3.Connection, parent: str, ends: Sequence[tuple[str, str]]) -> None:
    """Lets whoever waits for one of these records (side, key) of a mapping be decided again, inside a transaction."""
    if not t.execute("SELECT 1 FROM wait WHERE parent = ? LIMIT 1", (parent,)).fetchone():
        return
    rows = t.execute(
        "SELECT DISTINCT w.mapping, w.object, w.key FROM json_each(?) j CROSS JOIN wait w ON w.parent = ?"
        " AND w.side = json_extract(j.value, '$[0]') AND w.parent_key = json_extract(j.value, '$[1]')",
        (orjson.dumps(list(ends)).decode(), parent),
    ).fetchall()
    _stir(t, rows)


def _stir(t: sqlite3.Connection, rows: Sequence[tuple[str, int, str]]) -> None:
    t.executemany("INSERT OR IGNORE INTO again (mapping, object, key) VALUES (?, ?, ?)", rows)
    t.executemany("DELETE FROM wait WHERE mapping = ? AND object = ? AND key = ?", rows)
