"""Records that were asked for by key and not answered: neither gone nor blank, just not shown to us.

Promise: one row a record, from the first time it was missed until it is seen again. It concludes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from syncd.ledger.store import Store


class Unseen:
    """The unseen table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, object: int, missed: Sequence[str], seen: Sequence[str], at: float) -> None:
        """Keeps what a sweep found out about these records. What is known already costs no write."""
        known = self._of(object, [*missed, *seen])
        new, again = [key for key in missed if key not in known], [key for key in seen if key in known]
        if new or again:
            with self._store.transaction() as t:
                t.executemany(
                    "INSERT INTO unseen (object, key, since) VALUES (?, ?, ?)", [(object, key, at) for key in new]
                )
                t.executemany("DELETE FROM unseen WHERE object = ? AND key = ?", [(object, key) for key in again])

    def _of(self, object: int, keys: Sequence[str]) -> set[str]:
        rows = self._store.rows(
            "SELECT u.key FROM json_each(?) j CROSS JOIN unseen u ON u.object = ? AND u.key = j.value",
            (orjson.dumps(keys).decode(), object),
        )
        return {row[0] for row in rows}

    def since(self, object: int, key: str) -> float | None:
        """When a record was missed first; None while it is shown."""
        row = self._store.row("SELECT since FROM unseen WHERE object = ? AND key = ?", (object, key))
        return float(row[0]) if row else None

    def accept(self, object: int, before: float) -> None:
        """What was missed before then is an old story, and counts no more: a few are purged in any year."""
        if self._store.row(
            "SELECT 1 FROM unseen WHERE object = ? AND NOT accepted AND since < ? LIMIT 1", (object, before)
        ):
            with self._store.transaction() as t:
                t.execute("UPDATE unseen SET accepted = 1 WHERE object = ? AND since < ?", (object, before))

    def keys(self, object: int, limit: int) -> list[str]:
        """Records of an object that are not shown to us, those missed last first."""
        rows = self._store.rows("SELECT key FROM unseen WHERE object = ? ORDER BY since DESC LIMIT ?", (object, limit))
        return [row[0] for row in rows]

    def missed(self, mapping: str, object: int, before: float, limit: int) -> list[str]:
        """Keys of the records of a mapping's live links that are not shown to us since that time, without those that
        were accepted."""
        rows = self._store.rows(
            "SELECT u.key FROM unseen u CROSS JOIN link_side s ON s.mapping = ? AND s.object = u.object"
            " AND s.key = u.key CROSS JOIN link l ON l.id = s.link AND l.state IN ('live', 'converted')"
            " WHERE u.object = ? AND NOT u.accepted AND u.since <= ? ORDER BY u.key LIMIT ?",
            (mapping, object, before, limit),
        )
        return [row[0] for row in rows]

    def linked(self, mapping: str, object: int) -> int:
        """How many records of a mapping's links are not shown to us, without those that were accepted."""
        row = self._store.row(
            "SELECT count(*) FROM unseen u CROSS JOIN link_side s ON s.mapping = ? AND s.object = u.object"
            " AND s.key = u.key CROSS JOIN link l ON l.id = s.link AND l.state IN ('live', 'converted')"
            " WHERE u.object = ? AND NOT u.accepted",
            (mapping, object),
        )
        return int(row[0]) if row else 0
