"""Facts: a record's mapped attributes as its system last said them, and how far each feed was read.

The sieve is here: a page costs one set-wise look-up, and a record whose hash is known costs no write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson
import xxhash

from syncd.ledger.erasure import Erasure
from syncd.ledger.store import Store

_KEEP = """
INSERT INTO fact (object, key, rev, hash, stamp_ms, state, into_object, into_key, ours, doc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (object, key) DO UPDATE SET rev = excluded.rev, hash = excluded.hash, stamp_ms = excluded.stamp_ms,
  state = excluded.state, into_object = excluded.into_object, into_key = excluded.into_key, ours = excluded.ours,
  doc = excluded.doc
"""
_COLUMNS = "object, key, rev, stamp_ms, state, into_object, into_key, ours, hash, doc"


HOPS = 10
"""A chain of merges longer than this is not followed: somebody's data goes in circles."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A record as last seen. `attributes`: only names that were asked for and answered."""

    object: int
    key: str
    rev: int
    stamp_ms: int
    state: str
    into: tuple[int, str] | None
    ours: bool
    attributes: dict[str, Any]
    hash: int = 0


class Kept(msgspec.Struct, frozen=True):
    """What a page brought: records read, and those whose facts moved."""

    read: int
    moved: int


class Feed(msgspec.Struct, frozen=True):
    """How far an object was read. `complete`: a first full walk was finished with these attributes."""

    cursor: str | None
    attributes: tuple[str, ...]
    complete: bool
    swept_at: float | None
    """When it was last looked for records that are gone."""
    reread_at: float | None = None
    """When what moves no stamp was last read again."""
    sighted_at: float | None = None
    """When every linked record was last looked for by key."""


class Facts:
    """The fact and object tables."""

    def __init__(self, store: Store, erasure: Erasure) -> None:
        self._store = store
        self._erasure = erasure
        self._objects: dict[tuple[str, str], int] = {}
        self._names: dict[int, tuple[str, str]] = {}
        self._newest: dict[int, int] = {}
        # Revisions that were given out and rolled back may stand in a mark: they are never given out again.
        found = store.rows(
            "SELECT (SELECT max(rev) FROM fact WHERE object = object.id) FROM object"
            " UNION ALL SELECT max(rev) FROM decided"
        )
        self._rev = max((int(row[0] or 0) for row in found), default=0)

    # ------------------------------------------------ objects and feeds

    def object_id(self, system: str, name: str) -> int:
        """The number of an object; given to it on first mention (0 in a read-only ledger that never met it)."""
        known = self._objects.get((system, name))
        if known:
            return known
        row = self._store.row("SELECT id FROM object WHERE system = ? AND name = ?", (system, name))
        if row is None:
            if self._store.read_only:
                return 0
            with self._store.transaction() as t:
                t.execute("INSERT INTO object (system, name) VALUES (?, ?)", (system, name))
            row = self._store.row("SELECT id FROM object WHERE system = ? AND name = ?", (system, name))
            assert row is not None
        self._objects[(system, name)] = int(row[0])
        self._names[int(row[0])] = (system, name)
        return int(row[0])

    def name_of(self, object: int) -> tuple[str, str]:
        """(system, object) of a number."""
        if object not in self._names:
            row = self._store.row("SELECT system, name FROM object WHERE id = ?", (object,))
            self._names[object] = (row[0], row[1]) if row else ("", "")
        return self._names[object]

    def feed(self, object: int) -> Feed:
        row = self._store.row(
            "SELECT cursor, attributes, complete, swept_at, reread_at, sighted_at FROM object WHERE id = ?", (object,)
        )
        if row is None:
            return Feed(None, (), False, None)
        return Feed(row[0], tuple(orjson.loads(row[1])), bool(row[2]), row[3], row[4], row[5])

    def read_at(self, system: str) -> dict[str, float | None]:
        """When each object of a system was read last, by name."""
        return dict(self._store.rows("SELECT name, read_at FROM object WHERE system = ?", (system,)))

    def move_feed(
        self,
        object: int,
        *,
        cursor: str | None,
        attributes: Sequence[str],
        read_at: float,
        complete: bool,
        swept: bool = False,
    ) -> None:
        """Keeps a feed's place. Call it in the transaction that keeps the records that led there."""
        with self._store.transaction() as t:
            t.execute(
                "UPDATE object SET cursor = ?, attributes = ?, read_at = ?, complete = ?,"
                " swept_at = CASE WHEN ? THEN ? ELSE swept_at END WHERE id = ?",
                (cursor, orjson.dumps(list(attributes)).decode(), read_at, complete, swept, read_at, object),
            )

    def mark_swept(self, object: int, at: float) -> None:
        """A sweep for records that are gone was finished, or its clock starts."""
        with self._store.transaction() as t:
            t.execute("UPDATE object SET swept_at = ? WHERE id = ?", (at, object))

    def mark_reread(self, object: int, at: float) -> None:
        """What moves no stamp was read again of every record, or that clock starts."""
        with self._store.transaction() as t:
            t.execute("UPDATE object SET reread_at = ? WHERE id = ?", (at, object))

    def mark_sighted(self, object: int, at: float) -> None:
        """Every linked record was looked for by key, or that clock starts."""
        with self._store.transaction() as t:
            t.execute("UPDATE object SET sighted_at = ? WHERE id = ?", (at, object))

    # ------------------------------------------------ the sieve

    def held(self, object: int, keys: Sequence[str]) -> dict[str, int]:
        """The stamps that the ledger holds, by key; unknown keys are absent."""
        return dict(
            self._store.rows(
                "SELECT f.key, f.stamp_ms FROM json_each(?) j CROSS JOIN fact f ON f.object = ? AND f.key = j.value",
                (orjson.dumps(keys).decode(), object),
            )
        )

    def keep(self, object: int, records: Iterable[Any]) -> Kept:
        """Keeps what a page said. A known hash costs no write; an older stamp than the kept one is dropped.

        `records`: shaped like `syncd.connector.Record`, holding what was asked for and answered, and nothing else:
        the hash covers the attributes and which they are. A gone record keeps the attributes it was last seen with; one
        that is gone without a time (stamp 0: a system that only leaves it out) is not old for that.
        """
        forgotten = self._erasure.keys(object)
        records = [record for record in records if record.key not in forgotten] if forgotten else list(records)
        if not records:
            return Kept(0, 0)
        known = {
            key: (hash_, stamp, state)
            for key, hash_, stamp, state in self._store.rows(
                "SELECT f.key, f.hash, f.stamp_ms, f.state FROM json_each(?) j"
                " CROSS JOIN fact f ON f.object = ? AND f.key = j.value",
                (orjson.dumps([r.key for r in records]).decode(), object),
            )
        }
        dumps, digest, in_order = orjson.dumps, xxhash.xxh3_64_intdigest, orjson.OPT_SORT_KEYS  # as `hash_of`
        rows: list[tuple[Any, ...]] = []
        touched: list[tuple[int, bool, int, str]] = []
        self._newest[object] = max(self._newest.get(object, 0), max(record.stamp_ms for record in records))
        for record in records:
            document = dumps(record.attributes, None, in_order)
            hash_ = digest(document) - 0x8000000000000000
            before = known.get(record.key)
            if before is not None:
                untimed = record.state == "gone" and not record.stamp_ms
                if record.stamp_ms < before[1] and not untimed:
                    continue
                if record.state != "live" and record.state == before[2]:
                    continue
                if before[0] == hash_ and before[2] == record.state:
                    if before[1] != record.stamp_ms:
                        touched.append((record.stamp_ms, record.ours, object, record.key))
                    continue
                if record.state == "gone":
                    self._rev += 1
                    stamp_ms = before[1] if untimed else record.stamp_ms
                    self._gone(object, record, self._rev, stamp_ms)
                    known[record.key] = (before[0], stamp_ms, "gone")
                    continue
            self._rev += 1
            into = record.into
            rows.append(
                (object, record.key, self._rev, hash_, record.stamp_ms, record.state)
                + ((self.object_id(self.name_of(object)[0], into[0]), into[1]) if into else (None, None))
                + (record.ours, document)
            )
            known[record.key] = (hash_, record.stamp_ms, record.state)
        if rows or touched:
            with self._store.transaction() as t:
                t.executemany(_KEEP, rows)
                t.executemany("UPDATE fact SET stamp_ms = ?, ours = ? WHERE object = ? AND key = ?", touched)
        return Kept(len(records), len(rows))

    def keep_part(self, object: int, records: Sequence[Any]) -> Kept:
        """Keeps some attributes of live records beside what is known of them: everything else stays, the stamp too.
        Records that are unknown, or not live, are left to whoever reads them whole."""
        known = self.many(object, [record.key for record in records])
        whole = [
            msgspec.structs.replace(
                record, stamp_ms=fact.stamp_ms, ours=fact.ours, attributes={**fact.attributes, **record.attributes}
            )
            for record in records
            if record.state == "live" and (fact := known.get(record.key)) is not None and fact.state == "live"
        ]
        return self.keep(object, whole)

    def _gone(self, object: int, record: Any, rev: int, stamp_ms: int) -> None:
        with self._store.transaction() as t:
            t.execute(
                "UPDATE fact SET rev = ?, stamp_ms = ?, state = 'gone', ours = ? WHERE object = ? AND key = ?",
                (rev, stamp_ms, record.ours, object, record.key),
            )

    # ------------------------------------------------ reading

    def revision(self) -> int:
        """The newest revision given out."""
        return self._rev

    def newest_ms(self, object: int) -> int:
        """The largest stamp that this process was shown of an object: its system's clock was at least there."""
        return self._newest.get(object, 0)

    def get(self, object: int, key: str) -> Fact | None:
        return self.many(object, [key]).get(key)

    def lives_on(self, fact: Fact) -> tuple[int, str] | None:
        """(object, key) of the record that a merged or converted one lives on as, through any chain; None: no other."""
        target = fact.into
        for _ in range(HOPS):
            if target is None:
                return None
            into = self.get(*target)
            if into is None or into.state not in ("merged", "converted"):
                return (target[0], target[1])
            target = into.into
        return None

    def many(self, object: int, keys: Sequence[str]) -> dict[str, Fact]:
        """Facts by key; unknown keys are absent."""
        rows = self._store.rows(
            f"SELECT {_prefixed('f')} FROM json_each(?) j CROSS JOIN fact f ON f.object = ? AND f.key = j.value",
            (orjson.dumps(keys).decode(), object),
        )
        return {row[1]: _fact(row) for row in rows}

    def revisions(self, object: int, keys: Sequence[str]) -> dict[str, int]:
        """Revisions by key; unknown keys are absent."""
        return dict(
            self._store.rows(
                "SELECT f.key, f.rev FROM json_each(?) j CROSS JOIN fact f ON f.object = ? AND f.key = j.value",
                (orjson.dumps(keys).decode(), object),
            )
        )

    def moved(self, object: int, since: int, limit: int) -> list[Fact]:
        """Facts of an object whose revision is above `since`, oldest revision first."""
        return [
            _fact(row)
            for row in self._store.rows(
                f"SELECT {_COLUMNS} FROM fact WHERE object = ? AND rev > ? ORDER BY rev LIMIT ?",
                (object, since, limit),
            )
        ]

    def moved_values(self, object: int, since: int, limit: int, names: Sequence[str]) -> list[Fact]:
        """As `moved`, with these attributes only: the rest of each document is not even decoded."""
        picks = "".join(", json_extract(CAST(doc AS TEXT), ?)" for _ in names)
        rows = self._store.rows(
            f"SELECT key, rev, stamp_ms, state, hash{picks} FROM fact WHERE object = ? AND rev > ? ORDER BY rev LIMIT ?",
            (*(f'$."{name}"' for name in names), object, since, limit),
        )
        return [
            Fact(object, key, rev, stamp_ms, state, None, False, dict(zip(names, values, strict=True)), hash_)
            for key, rev, stamp_ms, state, hash_, *values in rows
        ]

    def walk(self, object: int, after: str = "", limit: int = 1000) -> list[Fact]:
        """Facts by key order, for sweeps over what the ledger holds."""
        return [
            _fact(row)
            for row in self._store.rows(
                f"SELECT {_COLUMNS} FROM fact WHERE object = ? AND key > ? ORDER BY key LIMIT ?", (object, after, limit)
            )
        ]

    def live_keys(self, object: int, after: str, limit: int) -> list[str]:
        """Keys of live records, in order, from behind `after`."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT key FROM fact WHERE object = ? AND key > ? AND state = 'live' ORDER BY key LIMIT ?",
                (object, after, limit),
            )
        ]

    def live_values(self, object: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """(key, attributes) of all live records; for small objects such as owners."""
        for key, document in self._store.rows(
            "SELECT key, doc FROM fact WHERE object = ? AND state = 'live'", (object,)
        ):
            yield key, orjson.loads(document)

    def swallowed(self, object: int, keys: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
        """The records (object, key) that were merged or converted into each of these, one hop; the others are absent."""
        found: dict[str, list[tuple[int, str]]] = {}
        for into, object_, key in self._store.rows(
            "SELECT f.into_key, f.object, f.key FROM json_each(?) j"
            " CROSS JOIN fact f ON f.into_object = ? AND f.into_key = j.value ORDER BY f.object, f.key",
            (orjson.dumps(keys).decode(), object),
        ):
            found.setdefault(into, []).append((object_, key))
        return found

    def count(self, object: int) -> int:
        row = self._store.row("SELECT count(*) FROM fact WHERE object = ? AND state = 'live'", (object,))
        return int(row[0]) if row else 0


def hash_of(attributes: Mapping[str, Any]) -> int:
    """What the sieve compares: the attributes and which they are, whatever their order."""
    return xxhash.xxh3_64_intdigest(orjson.dumps(attributes, None, orjson.OPT_SORT_KEYS)) - 0x8000000000000000


def _prefixed(alias: str) -> str:
    return ", ".join(f"{alias}.{column.strip()}" for column in _COLUMNS.split(","))


def _fact(row: tuple[Any, ...]) -> Fact:
    object_, key, rev, stamp_ms, state, into_object, into_key, ours, hash_, document = row
    into = (into_object, into_key) if into_key else None
    return Fact(object_, key, rev, stamp_ms, state, into, bool(ours), orjson.loads(document), hash_)
