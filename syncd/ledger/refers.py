"""Which records point to which, kept only where somebody asks from the other end: a company's deals, a person's tasks.

Promise: after `keep`, the rows of a record are exactly the references that were given. It does not read facts, and does
not know what kind of record a target is: a reference is a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from syncd.ledger.store import Store


class Refers:
    """The refers table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, object: int, attribute: str, targets: Mapping[str, Sequence[str]]) -> set[str]:
        """Replaces the references of these records (key -> targets; none: it points to nobody). Returns every record
        that is pointed to, or was until now. What did not change costs no write."""
        before = self._of(object, attribute, list(targets))
        rows = [
            (object, attribute, key, to) for key, now in targets.items() for to in set(now) - before.get(key, set())
        ]
        lost = [(object, attribute, key, to) for key, was in before.items() for to in was - set(targets[key])]
        if rows or lost:
            with self._store.transaction() as t:
                t.executemany("DELETE FROM refers WHERE object = ? AND attribute = ? AND key = ? AND target = ?", lost)
                t.executemany("INSERT INTO refers (object, attribute, key, target) VALUES (?, ?, ?, ?)", rows)
        return {to for now in targets.values() for to in now} | {to for was in before.values() for to in was}

    def _of(self, object: int, attribute: str, keys: Sequence[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for key, to in self._store.rows(
            "SELECT r.key, r.target FROM json_each(?) j"
            " CROSS JOIN refers r ON r.object = ? AND r.attribute = ? AND r.key = j.value",
            (orjson.dumps(keys).decode(), object, attribute),
        ):
            found.setdefault(key, set()).add(to)
        return found

    def pointing_to(self, object: int, attribute: str, targets: Sequence[str]) -> dict[str, list[str]]:
        """The keys of the records of this object that point to each target, sorted; a target without any is absent."""
        found: dict[str, list[str]] = {}
        for to, key in self._store.rows(
            "SELECT r.target, r.key FROM json_each(?) j"
            " CROSS JOIN refers r ON r.object = ? AND r.attribute = ? AND r.target = j.value ORDER BY r.target, r.key",
            (orjson.dumps(targets).decode(), object, attribute),
        ):
            found.setdefault(to, []).append(key)
        return found
