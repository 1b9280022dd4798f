"""What was written on records of its own accord, without a partner's value behind it: the last word of each attribute.

Promise: a value stands here once its write was answered, or refused for good: it is not sent again before it is another
one. So somebody's own edit of a marked attribute stands, as it does with any field that flows one way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from syncd.ledger.store import Store


class Marks:
    """The mark table, and the intents that marks are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def told(self, mapping: str, object: int, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What was written on these records last, by key and attribute; who was never marked is absent."""
        rows = self._store.rows(
            "SELECT m.key, m.said FROM json_each(?) j CROSS JOIN mark m ON m.mapping = ? AND m.object = ? AND m.key = j.value",
            (orjson.dumps(keys).decode(), mapping, object),
        )
        return {key: orjson.loads(said) for key, said in rows}

    def keep(self, mapping: str, object: int, key: str, said: Mapping[str, Any]) -> None:
        """These attributes were written; the others stay as they are known."""
        before = self.told(mapping, object, [key]).get(key, {})
        with self._store.transaction() as t:
            t.execute(
                "INSERT OR REPLACE INTO mark (mapping, object, key, said) VALUES (?, ?, ?, ?)",
                (mapping, object, key, orjson.dumps({**before, **said})),
            )

    def forget(self, mapping: str, object: int, keys: Iterable[str]) -> None:
        """Whatever was written on these records, it is written once more where it is not there."""
        with self._store.transaction() as t:
            t.executemany(
                "DELETE FROM mark WHERE mapping = ? AND object = ? AND key = ?",
                [(mapping, object, key) for key in keys],
            )

    def open(self, mapping: str, object: int, keys: Sequence[str]) -> list[tuple[int, str, str]]:
        """The marks of these records that are planned or on their way: (intent, key, state)."""
        rows = self._store.rows(
            "SELECT i.id, i.source_key, i.state FROM json_each(?) j CROSS JOIN intent i ON i.mapping = ?"
            " AND i.source_object = ? AND i.source_key = j.value WHERE i.op = 'update' AND i.link IS NULL",
            (orjson.dumps(keys).decode(), mapping, object),
        )
        return [(row[0], row[1], row[2]) for row in rows]
