"""Erasure: a person's data out of every table, and a tombstone so that they do not come back.

Promise: `erase` leaves none of the person's values in any table, in one transaction; the journal's chain still holds
(its values stand beside it). What stays are the systems' own keys of the records: in journal and tombstone, and where another
record refers to them. It looks for nobody: it is told which records are the person's.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import orjson

from syncd.ledger.store import Store

Place = tuple[int, str]
"""(object, key) of a record."""

KEPT = frozenset({"journal", "forgotten"})
"""Tables that name records and hold no person's value."""


class Erasure:
    """The forgotten and forgotten_value tables, and deleting across all others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[int, set[str]] = {}
        self._values: set[tuple[str, str, bytes]] = set()
        self.load()

    def load(self) -> None:
        """Reads the tombstones: a few thousand at most, so that the sieve asks memory."""
        self._keys.clear()
        for object_, key in self._store.rows("SELECT object, key FROM forgotten"):
            self._keys.setdefault(object_, set()).add(key)
        self._values = {
            (r[0], r[1], r[2]) for r in self._store.rows("SELECT mapping, rule, digest FROM forgotten_value")
        }

    # ------------------------------------------------ who does not come back

    def keys(self, object: int) -> set[str]:
        """The records of an object that are forgotten: nothing they say is kept."""
        return self._keys.get(object, set())

    def knows_value(self, mapping: str, rule: str, value: str) -> bool:
        """Did a forgotten person have this match value?"""
        return bool(self._values) and (mapping, rule, self._digest(value)) in self._values

    @property
    def any_value(self) -> bool:
        """Is anybody forgotten who had a match value?"""
        return bool(self._values)

    def _digest(self, value: str) -> bytes:
        """A value's digest under this ledger's own salt: it names nobody to who has not the ledger."""
        row = self._store.row("SELECT value FROM meta WHERE name = 'salt'")
        if row is None:
            with self._store.transaction() as t:
                t.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (secrets.token_hex(16),))
            return self._digest(value)
        return hmac.new(bytes.fromhex(row[0]), value.encode(), sha256).digest()

    def take_values(self, values: Iterable[tuple[str, str, bytes]], salt: str | None) -> None:
        """Digests that an earlier stand of this ledger kept, under its salt."""
        with self._store.transaction() as t:
            if salt is not None:
                t.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (salt,))
            t.executemany("INSERT OR IGNORE INTO forgotten_value VALUES (?, ?, ?)", values)
        self.load()

    # ------------------------------------------------ who they are

    def having(self, value: str) -> list[Place]:
        """Records that hold this match value under any rule of any mapping."""
        rows = self._store.rows("SELECT DISTINCT object, key FROM match_value WHERE value = ?", (value,))
        return [(row[0], row[1]) for row in rows]

    def belonging(self, places: Iterable[Place]) -> list[Place]:
        """These records and all that are the same person: linked ones, and those that were merged or converted into
        them, or that they were; whatever was said of them elsewhere (events) as well."""
        found: set[Place] = set()
        ahead = set(places)
        while ahead:
            found |= ahead
            near: set[Place] = set()
            for object_, key in ahead:
                near.update((row[0], row[1]) for row in self._store.rows(_NEAR, {"object": object_, "key": key}))
            ahead = near - found
        return sorted(found)

    # ------------------------------------------------ erasing

    def erase(self, places: Sequence[Place], at: float) -> dict[str, int]:
        """Deletes everything that these records said, and what was decided about them; sets their tombstones. Returns
        how many rows went, by table; `journal_value` counts erased values of the account."""
        told = orjson.dumps(places).decode()
        counts: dict[str, int] = {}
        with self._store.transaction() as t:
            values = t.execute(
                f"SELECT DISTINCT mapping, rule, value FROM match_value WHERE (object, key) IN ({_PLACES})", (told,)
            ).fetchall()
            links = [
                row[0] for row in t.execute(f"SELECT link FROM link_side WHERE (object, key) IN ({_PLACES})", (told,))
            ]
            of_links = orjson.dumps(links).decode()
            counts["journal_value"] = t.execute(_JOURNAL_VALUES, (told, of_links)).rowcount
            t.execute(
                "DELETE FROM event_on WHERE event IN (SELECT id FROM event WHERE (object, key) IN (" + _PLACES + "))",
                (told,),
            )
            for table, source in self._naming_records():
                columns = "(source_object, source_key)" if source else "(object, key)"
                gone = t.execute(f"DELETE FROM {table} WHERE {columns} IN ({_PLACES})", (told,)).rowcount
                counts[table] = counts.get(table, 0) + gone
            for table in ("intent", "conflict"):
                gone = t.execute(
                    f"DELETE FROM {table} WHERE link IN (SELECT value FROM json_each(?))", (of_links,)
                ).rowcount
                counts[table] += gone
            counts["link"] = t.execute(
                "DELETE FROM link WHERE id IN (SELECT value FROM json_each(?))", (of_links,)
            ).rowcount
            t.execute("DELETE FROM request WHERE done_at IS NOT NULL")
            t.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?, ?)", [(*place, at) for place in places])
            t.executemany(
                "INSERT OR IGNORE INTO forgotten_value VALUES (?, ?, ?)",
                [(mapping, rule, self._digest(value)) for mapping, rule, value in values],
            )
        self.load()
        return {table: n for table, n in sorted(counts.items()) if n}

    def _naming_records(self) -> list[tuple[str, bool]]:
        """Every table that names records by (object, key), whoever adds one; True: by its source."""
        found = []
        for (table,) in self._store.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = {row[1] for row in self._store.rows(f"PRAGMA table_info({table})")}
            if table not in KEPT and {"object", "key"} <= columns:
                found.append((table, False))
            if {"source_object", "source_key"} <= columns:
                found.append((table, True))
        return found


class Tombstones(NamedTuple):
    """Who was forgotten in a ledger: records (system, object, key), digests of match values, and the salt of those."""

    records: list[tuple[str, str, str]]
    values: list[tuple[str, str, bytes]]
    salt: str | None


def tombstones(file: Path) -> Tombstones:
    """Who was forgotten in a ledger that is not in use. One that is damaged, or from before there was any forgetting, says
    nothing."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as old:
            records = old.execute("SELECT o.system, o.name, f.key FROM forgotten f JOIN object o ON o.id = f.object")
            found = [(str(system), str(name), str(key)) for system, name, key in records.fetchall()]
            values = old.execute("SELECT mapping, rule, digest FROM forgotten_value").fetchall()
            salt = old.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
    except sqlite3.Error:
        return Tombstones([], [], None)
    return Tombstones(found, values, salt[0] if salt else None)


_PLACES = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)"

_NEAR = """
SELECT o.object, o.key FROM link_side s JOIN link_side o ON o.link = s.link WHERE s.object = :object AND s.key = :key
UNION SELECT into_object, into_key FROM fact WHERE object = :object AND key = :key AND into_key IS NOT NULL
UNION SELECT object, key FROM fact WHERE into_object = :object AND into_key = :key
UNION SELECT e.object, e.key FROM event_on n JOIN event e ON e.id = n.event JOIN link_side s
  ON s.mapping = n.mapping AND s.side = n.side AND s.key = n.key WHERE s.object = :object AND s.key = :key
"""

_JOURNAL_VALUES = f"""
DELETE FROM journal_value WHERE seq IN (
  SELECT seq FROM journal WHERE (object, key) IN ({_PLACES})
  UNION SELECT seq FROM journal WHERE link IN (SELECT value FROM json_each(?)))
"""
