"""Pairs that something else than their own values speaks for: what a conversion made, what linked children refer to.

Rows stand in both directions, so that either record finds the other, and go when one of them is linked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import orjson

from syncd.ledger.store import Store

Place = tuple[int, str]
"""A record: (object, key)."""


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """Two records of one mapping that are probably each other's partner. `why`: in words, for people."""

    one: Place
    other: Place
    why: str


class Proposals:
    """The proposal table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, mapping: str, proposals: Iterable[Proposal]) -> list[Proposal]:
        """Keeps what is new, and lets both records of it be decided again; returns it."""
        rows = list(dict.fromkeys(proposals))
        if not rows:
            return []
        known = self.of(mapping, [each.one for each in rows])
        new = [each for each in rows if each.other not in (one for one, _ in known.get(each.one, ()))]
        with self._store.transaction() as t:
            t.executemany(
                "INSERT OR IGNORE INTO proposal (mapping, object, key, other_object, other_key, why)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(mapping, *a, *b, each.why) for each in new for a, b in _both(each)],
            )
            t.executemany(
                "INSERT OR IGNORE INTO again (mapping, object, key) VALUES (?, ?, ?)",
                [(mapping, *at) for each in new for at in (each.one, each.other)],
            )
        return new

    def of(self, mapping: str, records: Sequence[Place]) -> dict[Place, list[tuple[Place, str]]]:
        """The proposed partners of these records, each with its reason; records without one are absent."""
        found: dict[Place, list[tuple[Place, str]]] = {}
        if not self._store.row("SELECT 1 FROM proposal WHERE mapping = ? LIMIT 1", (mapping,)):
            return found
        for object_, key, other_object, other_key, why in self._store.rows(
            "SELECT p.object, p.key, p.other_object, p.other_key, p.why FROM json_each(?) j CROSS JOIN proposal p"
            " ON p.mapping = ? AND p.object = json_extract(j.value, '$[0]') AND p.key = json_extract(j.value, '$[1]')"
            " ORDER BY p.other_object, p.other_key",
            (orjson.dumps(list(records)).decode(), mapping),
        ):
            found.setdefault((object_, key), []).append(((other_object, other_key), why))
        return found

    def end(self, mapping: str, records: Sequence[Place]) -> None:
        """These records have a partner, or are no more: nothing is proposed for them."""
        partners = [(at, other) for at, others in self.of(mapping, records).items() for other, _ in others]
        if partners:
            with self._store.transaction() as t:
                t.executemany(
                    "DELETE FROM proposal WHERE mapping = ? AND object = ? AND key = ? AND other_object = ?"
                    " AND other_key = ?",
                    [(mapping, *a, *b) for at, other in partners for a, b in ((at, other), (other, at))],
                )


def _both(proposal: Proposal) -> tuple[tuple[Place, Place], tuple[Place, Place]]:
    return (proposal.one, proposal.other), (proposal.other, proposal.one)
