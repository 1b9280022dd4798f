"""The journal: append-only, hash-chained account of what was decided and done.

Each entry's hash covers the entry before it, its own plain facts and the digest of its values. The values themselves
stand in a table of their own, so that a person can be erased without breaking the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store

GENESIS = b"\0" * 32


class Entry(msgspec.Struct, frozen=True):
    """One line. `said` names no person's value; `values` is None once erased."""

    seq: int
    at: float
    run: int | None
    kind: str
    mapping: str | None
    link: int | None
    object: int | None
    key: str | None
    said: str
    values: Any


class Note(msgspec.Struct, frozen=True, gc=False):
    """An entry to be written."""

    kind: str
    said: str
    mapping: str | None = None
    link: int | None = None
    object: int | None = None
    key: str | None = None
    values: Any = None


class Journal:
    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, notes: Sequence[Note], at: float, run: int | None) -> None:
        """Appends entries. Call it in the transaction that does what they tell."""
        if not notes:
            return
        with self._store.transaction() as t:
            last = t.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
            seq, chain = (last[0], last[1]) if last else (0, GENESIS)
            lines, values = [], []
            for note in notes:
                seq += 1
                document = b"" if note.values is None else msgspec.json.encode(note.values)
                digest = sha256(document).digest()
                plain = _plain(seq, at, run, note)
                chain = sha256(chain + orjson.dumps(plain) + digest).digest()
                lines.append((*plain, digest, chain))
                if document:
                    values.append((seq, document))
            t.executemany(
                "INSERT INTO journal (seq, at, run, kind, mapping, link, object, key, said, digest, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                lines,
            )
            t.executemany("INSERT INTO journal_value (seq, doc) VALUES (?, ?)", values)

    def drop_values(self, before: float, limit: int) -> int:
        """Erases the oldest values of entries from before that time, at most so many; returns how many. The entries
        and the chain stay."""
        with self._store.transaction() as t:
            return t.execute(
                "DELETE FROM journal_value WHERE seq IN (SELECT v.seq FROM"
                " (SELECT seq FROM journal_value ORDER BY seq LIMIT ?) v JOIN journal j ON j.seq = v.seq WHERE j.at < ?)",
                (limit, before),
            ).rowcount

    def verify(self) -> tuple[int, int | None]:
        """(entries, seq of the first one that does not hold, or None): recomputes the whole chain, streaming."""
        chain, count, after = GENESIS, 0, 0
        while True:
            rows = self._store.rows(
                "SELECT j.seq, j.at, j.run, j.kind, j.mapping, j.link, j.object, j.key, j.said, j.digest, j.hash, v.doc"
                " FROM journal j LEFT JOIN journal_value v ON v.seq = j.seq WHERE j.seq > ? ORDER BY j.seq LIMIT 5000",
                (after,),
            )
            if not rows:
                return count, None
            for row in rows:
                *plain, digest, hash_, document = row
                chain = sha256(chain + orjson.dumps(plain) + digest).digest()
                # What an editor left there may not even be bytes.
                kept = document if isinstance(document, bytes) else str(document).encode()
                values_hold = document is None or sha256(kept).digest() == digest
                if chain != hash_ or not values_hold or row[0] != count + 1:
                    return count, row[0]
                count += 1
            after = rows[-1][0]

    def page(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        object: int | None = None,
        key: str | None = None,
        newest: bool = False,
    ) -> list[Entry]:
        """Entries in order (or newest first), all of them or one record's."""
        order = "DESC" if newest else "ASC"
        of, given = ("", ()) if key is None else (" AND j.object = ? AND j.key = ?", (object, key))
        rows = self._store.rows(
            "SELECT j.seq, j.at, j.run, j.kind, j.mapping, j.link, j.object, j.key, j.said, v.doc FROM journal j"
            f" LEFT JOIN journal_value v ON v.seq = j.seq WHERE j.seq > ?{of} ORDER BY j.seq {order} LIMIT ?",
            (after, *given, limit),
        )
        return [Entry(*[*row[:9], orjson.loads(row[9]) if row[9] else None]) for row in rows]

    def doubted(self, object: int, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        """How often in a row a write about these records left and was not answered, and the entry where that began; the
        others are absent."""
        rows = self._store.rows(
            "SELECT d.key, count(*), min(d.seq) FROM json_each(?) k CROSS JOIN journal d ON d.object = ? AND d.key = k.value"
            " WHERE d.kind = 'doubtful' AND d.seq > coalesce((SELECT max(s.seq) FROM journal s WHERE s.object = d.object"
            " AND s.key = d.key AND s.kind IN ('sent', 'adopted', 'refused', 'retried')), 0) GROUP BY d.key",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {key: (count, first) for key, count, first in rows}

    def answered_since(self, object: int, seq: int) -> bool:
        """Whether any write to records of that object was answered after that entry."""
        row = self._store.row(
            "SELECT 1 FROM journal WHERE seq > ? AND kind = 'sent' AND object = ? LIMIT 1", (seq, object)
        )
        return row is not None

    def most_given(self, after: int, mapping: str, objects: Sequence[int], field: str, values: Sequence[Any]) -> int:
        """To how many records of these objects one of these values was, or is to be, given by updates of that field
        behind that entry: the most of any one value."""
        row = self._store.row(
            "SELECT max(n) FROM (SELECT count(DISTINCT j.object || ' ' || j.key) n FROM journal j"
            " JOIN journal_value v ON v.seq = j.seq, json_each(CAST(v.doc AS TEXT)) c"
            " WHERE j.seq > ? AND j.mapping = ? AND j.kind IN ('decide', 'restore', 'undo')"
            " AND j.object IN (SELECT value FROM json_each(?)) AND json_extract(c.value, '$.field') = ?"
            " AND json_extract(c.value, '$.after') IN (SELECT value FROM json_each(?))"
            " GROUP BY json_extract(c.value, '$.after'))",
            (after, mapping, orjson.dumps(list(objects)).decode(), field, orjson.dumps(list(values)).decode()),
        )
        return int((row and row[0]) or 0)

    def before(self, at: float) -> int:
        """The newest entry from before that moment (0: none); found in a few steps, however long the journal is."""
        row = self._store.row("SELECT max(seq) FROM journal")
        low, high = 0, int((row and row[0]) or 0)
        while low < high:
            middle = (low + high + 1) // 2
            found = self._store.row("SELECT at FROM journal WHERE seq = ?", (middle,))
            if found is not None and found[0] < at:
                low = middle
            else:
                high = middle - 1
        return low

    def of_run(self, run: int, limit: int, after: int = 0) -> list[Entry]:
        """What one run wrote, oldest first, after that entry: a run's entries stand close together."""
        began = self._store.row("SELECT started_at, ended_at FROM run WHERE id = ?", (run,))
        last = self._store.row("SELECT max(seq) FROM journal")
        if began is None or last is None or last[0] is None:
            return []
        at, end = 1, int(last[0])
        while at < end:  # entries stand in the order of time, and are numbered without gaps
            middle = (at + end) // 2
            row = self._store.row("SELECT at FROM journal WHERE seq = ?", (middle,))
            at, end = (middle + 1, end) if row is not None and row[0] < began[0] else (at, middle)
        at = max(at, after + 1)
        rows = self._store.rows(
            "SELECT j.seq, j.at, j.run, j.kind, j.mapping, j.link, j.object, j.key, j.said, v.doc FROM journal j"
            " LEFT JOIN journal_value v ON v.seq = j.seq WHERE j.seq >= ? AND j.seq < ? AND j.run = ?"
            " ORDER BY j.seq LIMIT ?",
            (at, at + 20 * limit, run, limit),
        )
        return [Entry(*[*row[:9], orjson.loads(row[9]) if row[9] else None]) for row in rows]

    def of_link(self, link: int, limit: int = 100) -> list[Entry]:
        rows = self._store.rows(
            "SELECT j.seq, j.at, j.run, j.kind, j.mapping, j.link, j.object, j.key, j.said, v.doc FROM journal j"
            " LEFT JOIN journal_value v ON v.seq = j.seq WHERE j.link = ? ORDER BY j.seq DESC LIMIT ?",
            (link, limit),
        )
        return [Entry(*[*row[:9], orjson.loads(row[9]) if row[9] else None]) for row in rows]


def _plain(seq: int, at: float, run: int | None, note: Note) -> list[Any]:
    return [seq, at, run, note.kind, note.mapping, note.link, note.object, note.key, note.said]
