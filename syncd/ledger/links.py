"""Links, their two bases, and the match values by which the unlinked find each other.

A base is a document of attributes per side: what both sides last settled on. An attribute that is absent from it is an
unknown base.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store
from syncd.ledger.waits import wake

RESTING = ("unlinked", "kept")
"""States of a link through which nothing flows. `kept`: a person decided that the partner stays."""

_ENDED = (
    "FROM fact f CROSS JOIN link_side s ON s.mapping = ?3 AND s.object = f.object AND s.key = f.key"
    " CROSS JOIN link l ON l.id = s.link AND l.state IN ('live', 'converted')"
    " WHERE f.object = ?2 AND f.rev > ?1 AND f.state = 'gone'"
)


class LinkSide(msgspec.Struct, frozen=True, gc=False):
    """One end of a link."""

    side: str
    object: int
    key: str
    base: dict[str, Any]
    stamped: bool
    """syncd's key is known to stand on this record."""


class Link(msgspec.Struct, frozen=True, gc=False):
    """This marketing record is that CRM record."""

    id: int
    mapping: str
    state: str
    marketing: LinkSide
    crm: LinkSide

    def end(self, side: str) -> LinkSide:
        return self.marketing if side == "marketing" else self.crm


class NewLink(msgspec.Struct, frozen=True, gc=False):
    """A link to be made. `how`: the rule in words, for people."""

    how: str
    ends: tuple[LinkSide, LinkSide]


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A record that holds an asked match value."""

    value: str
    object: int
    key: str
    state: str
    link: int | None


class Links:
    """The link, link_side and match_value tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(self, mapping: str, rows: Sequence[NewLink], at: float) -> list[int]:
        """Makes links; returns their ids, in order."""
        if not rows:
            return []
        with self._store.transaction() as t:
            first = t.execute("SELECT coalesce(max(id), 0) + 1 FROM link").fetchone()[0]
            t.executemany(
                "INSERT INTO link (id, mapping, how, made_at) VALUES (?, ?, ?, ?)",
                [(first + n, mapping, row.how, at) for n, row in enumerate(rows)],
            )
            t.executemany(
                "INSERT INTO link_side (link, side, mapping, object, key, base, stamped) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (first + n, end.side, mapping, end.object, end.key, orjson.dumps(end.base), end.stamped)
                    for n, row in enumerate(rows)
                    for end in row.ends
                ],
            )
            wake(t, mapping, [(end.side, end.key) for row in rows for end in row.ends])
        return list(range(first, first + len(rows)))

    def of_records(self, mapping: str, object: int, keys: Sequence[str]) -> dict[str, int]:
        """Link ids by record key; the unlinked are absent."""
        return dict(
            self._store.rows(
                "SELECT s.key, s.link FROM json_each(?) j"
                " CROSS JOIN link_side s ON s.mapping = ? AND s.object = ? AND s.key = j.value",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        )

    def many(self, ids: Iterable[int]) -> list[Link]:
        """Links with both ends and bases, in the order of their ids."""
        rows = self._store.rows(
            "SELECT l.id, l.mapping, l.state, s.side, s.object, s.key, s.base, s.stamped FROM json_each(?) j"
            " CROSS JOIN link l ON l.id = j.value CROSS JOIN link_side s ON s.link = l.id ORDER BY l.id, s.side",
            (orjson.dumps(list(ids)).decode(),),
        )
        links = []
        for crm, marketing in zip(rows[::2], rows[1::2], strict=True):
            links.append(Link(crm[0], crm[1], crm[2], _end(marketing), _end(crm)))
        return links

    def get(self, link: int) -> Link | None:
        found = self.many([link])
        return found[0] if found else None

    def page(self, mapping: str | None, after: int, limit: int) -> list[Link]:
        """Links by id, for listings."""
        ids = self._store.rows(
            "SELECT id FROM link WHERE id > ? AND (? IS NULL OR mapping = ?) ORDER BY id LIMIT ?",
            (after, mapping, mapping, limit),
        )
        return self.many(row[0] for row in ids)

    def newest(self, limit: int) -> list[Link]:
        """The links that were made last, newest first."""
        rows = self._store.rows("SELECT id FROM link ORDER BY id DESC LIMIT ?", (limit,))
        return list(reversed(self.many(row[0] for row in rows)))

    def count(self, mapping: str) -> int:
        """How many links a mapping has; costs one row."""
        row = self._store.row("SELECT n FROM counted WHERE what = 'link' AND mapping = ?", (mapping,))
        return int(row[0]) if row else 0

    def how(self, link: int) -> str:
        row = self._store.row("SELECT how FROM link WHERE id = ?", (link,))
        return str(row[0]) if row else ""

    def rests(self, mapping: str, object: int, keys: Sequence[str]) -> dict[str, int]:
        """The hashes of the facts with which linked records were last known to be at rest with their base, by key; none
        while an effect on their link is open."""
        return dict(
            self._store.rows(
                "SELECT s.key, s.rest FROM json_each(?) j"
                " CROSS JOIN link_side s ON s.mapping = ? AND s.object = ? AND s.key = j.value WHERE s.rest IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.link = s.link)",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        )

    def forget_rests(self, mapping: str) -> None:
        """Nothing is known to be at rest any more: the mapping changed."""
        with self._store.transaction() as t:
            t.execute("UPDATE link_side SET rest = NULL WHERE mapping = ? AND rest IS NOT NULL", (mapping,))

    def stir(self, links: Iterable[int]) -> None:
        """Something stays open on these links without an effect: whatever is seen of them is decided."""
        rows = [(link,) for link in links]
        if rows:
            with self._store.transaction() as t:
                t.executemany("UPDATE link_side SET rest = NULL WHERE link = ? AND rest IS NOT NULL", rows)

    def set_bases(self, bases: Iterable[tuple[int, str, Mapping[str, Any], int | None]]) -> None:
        """Replaces bases: (link, side, whole document, hash of the facts that are at rest with it, if known)."""
        rows = [(orjson.dumps(base), rest, link, side) for link, side, base, rest in bases]
        if rows:
            with self._store.transaction() as t:
                t.executemany("UPDATE link_side SET base = ?, rest = ? WHERE link = ? AND side = ?", rows)

    def rekey(
        self, link: int, side: str, object: int, key: str, base: Mapping[str, Any], *, stamped: bool, state: str
    ) -> None:
        """Points one end of a link at another record (merge, conversion)."""
        with self._store.transaction() as t:
            t.execute("UPDATE link SET state = ? WHERE id = ?", (state, link))
            t.execute(
                "UPDATE link_side SET object = ?, key = ?, base = ?, stamped = ?, rest = NULL WHERE link = ? AND side = ?",
                (object, key, orjson.dumps(base), stamped, link, side),
            )
            self._wake(t, link)

    def set_state(self, link: int, state: str) -> None:
        """Wakes or rests a link; what was known to be at rest has to be looked at anew."""
        with self._store.transaction() as t:
            t.execute("UPDATE link SET state = ? WHERE id = ?", (state, link))
            t.execute("UPDATE link_side SET rest = NULL WHERE link = ?", (link,))
            if state != "unlinked":
                self._wake(t, link)

    def _wake(self, t: sqlite3.Connection, link: int) -> None:
        """Whoever waits for one of the link's ends is decided again."""
        ends = t.execute("SELECT mapping, side, key FROM link_side WHERE link = ?", (link,)).fetchall()
        for mapping in {end[0] for end in ends}:
            wake(t, mapping, [(side, key) for _, side, key in ends])

    def without(self, mapping: str, object: int, limit: int) -> list[str]:
        """Keys of an object's live records that no link of the mapping ends at, by key."""
        rows = self._store.rows(
            "SELECT f.key FROM fact f WHERE f.object = ? AND f.state = 'live' AND NOT EXISTS (SELECT 1 FROM link_side s"
            " WHERE s.mapping = ? AND s.object = f.object AND s.key = f.key) ORDER BY f.key LIMIT ?",
            (object, mapping, limit),
        )
        return [row[0] for row in rows]

    def across(self, mapping: str, object: int, keys: Sequence[str]) -> list[tuple[str, int, int, str]]:
        """Of the records of an object that have a live link: (key, link, object and key of the other end)."""
        return [
            (row[0], row[1], row[2], row[3])
            for row in self._store.rows(
                "SELECT s.key, s.link, o.object, o.key FROM json_each(?) j"
                " CROSS JOIN link_side s ON s.mapping = ? AND s.object = ? AND s.key = j.value"
                " CROSS JOIN link l ON l.id = s.link AND l.state NOT IN ('unlinked', 'kept', 'left')"
                " CROSS JOIN link_side o ON o.link = s.link AND o.side != s.side",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        ]

    def stamp(self, ends: Iterable[tuple[int, str]]) -> None:
        """Notes that syncd's key stands on these ends: (link, side)."""
        with self._store.transaction() as t:
            t.executemany("UPDATE link_side SET stamped = 1 WHERE link = ? AND side = ?", list(ends))

    def forget_resting(self, mapping: str, object: int, keys: Sequence[str]) -> None:
        """Drops resting links of these records: they have found somebody else."""
        with self._store.transaction() as t:
            resting = t.execute(
                "SELECT l.id FROM json_each(?) j CROSS JOIN link_side s ON s.mapping = ? AND s.object = ? AND s.key = j.value"
                " CROSS JOIN link l ON l.id = s.link WHERE l.state IN ('unlinked', 'kept', 'left')",
                (orjson.dumps(keys).decode(), mapping, object),
            ).fetchall()
            t.executemany("DELETE FROM link_side WHERE link = ?", resting)
            t.executemany("DELETE FROM link WHERE id = ?", resting)

    def live_ends(self, object: int, after: str, limit: int) -> list[str]:
        """Keys of live records of an object at which a live link of any mapping ends, in order, from behind `after`."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT f.key FROM fact f WHERE f.object = ? AND f.key > ? AND f.state = 'live' AND EXISTS ("
                " SELECT 1 FROM (SELECT DISTINCT name FROM mapping) m"
                " CROSS JOIN link_side s ON s.mapping = m.name AND s.object = f.object AND s.key = f.key"
                " CROSS JOIN link l ON l.id = s.link AND l.state IN ('live', 'converted')) ORDER BY f.key LIMIT ?",
                (object, after, limit),
            )
        ]

    def resting(self, object: int, since_ms: int) -> list[str]:
        """Keys of records of an object that were deleted after `since_ms` and are the gone end of a resting link."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT DISTINCT s.key FROM link l CROSS JOIN link_side s ON s.link = l.id"
                " CROSS JOIN fact f ON f.object = s.object AND f.key = s.key"
                " WHERE l.state IN ('unlinked', 'kept', 'left') AND s.object = ? AND f.state = 'gone' AND f.stamp_ms >= ? ORDER BY s.key",
                (object, since_ms),
            )
        ]

    def ended(self, mapping: str, object: int, since: int) -> int:
        """How many links go on although their record of this object is gone, by facts of a revision above `since`."""
        row = self._store.row(f"SELECT count(*) {_ENDED}", (since, object, mapping))
        return int(row[0]) if row else 0

    def ended_keys(self, mapping: str, object: int, since: int) -> list[str]:
        """The gone records of those links."""
        return [row[0] for row in self._store.rows(f"SELECT f.key {_ENDED}", (since, object, mapping))]

    def unlink(self, link: int) -> None:
        with self._store.transaction() as t:
            t.execute("DELETE FROM link_side WHERE link = ?", (link,))
            t.execute("DELETE FROM link WHERE id = ?", (link,))

    # ------------------------------------------------ what a person passed over

    def pass_over(self, mapping: str, link: int, records: Sequence[tuple[int, str]]) -> None:
        """A person made this link and not one with these records: (object, key)."""
        with self._store.transaction() as t:
            t.executemany(
                "INSERT OR IGNORE INTO passed_over (mapping, object, key, link) VALUES (?, ?, ?, ?)",
                [(mapping, *record, link) for record in records],
            )

    def passed_over(self, mapping: str, record: tuple[int, str], link: int) -> bool:
        """Whether a person passed this record over when this link was made."""
        row = self._store.row(
            "SELECT 1 FROM passed_over WHERE mapping = ? AND object = ? AND key = ? AND link = ?",
            (mapping, *record, link),
        )
        return row is not None

    # ------------------------------------------------ match values

    def keep_match_values(
        self,
        mapping: str,
        object: int,
        rows: Sequence[tuple[str, str, str]],
        lost: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """Adds match values of records and drops those that they lost: (key, rule, value)."""
        with self._store.transaction() as t:
            t.executemany(
                "DELETE FROM match_value WHERE mapping = ? AND object = ? AND key = ? AND rule = ? AND value = ?",
                [(mapping, object, *each) for each in lost],
            )
            t.executemany(
                "INSERT OR IGNORE INTO match_value (mapping, object, key, rule, value) VALUES (?, ?, ?, ?, ?)",
                [(mapping, object, *row) for row in rows],
            )

    def moved_match_values(
        self, mapping: str, object: int, keys: Sequence[str], rows: Sequence[tuple[str, str, str]]
    ) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]], list[str]]:
        """What differs from what is kept, where `rows` (key, rule, value) are all that the records `keys` hold now: rows
        to be kept, rows to be dropped, and the keys that held another value until now. Most moves of records change
        none."""
        known = set(
            self._store.rows(
                "SELECT m.key, m.rule, m.value FROM json_each(?) j"
                " CROSS JOIN match_value m ON m.mapping = ? AND m.object = ? AND m.key = j.value",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        )
        lost = sorted(known.difference(rows))
        return [row for row in rows if row not in known], lost, sorted({row[0] for row in lost})

    def sharing(self, mapping: str, object: int, keys: Sequence[str]) -> list[tuple[int, str]]:
        """Records (object, key) that hold a match value of one of these records, as far as it is kept."""
        return [
            (row[0], row[1])
            for row in self._store.rows(
                "SELECT DISTINCT o.object, o.key FROM json_each(?) j"
                " CROSS JOIN match_value m ON m.mapping = ? AND m.object = ? AND m.key = j.value"
                " CROSS JOIN match_value o ON o.mapping = m.mapping AND o.rule = m.rule AND o.value = m.value"
                " WHERE (o.object, o.key) != (m.object, m.key)",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        ]

    def forget_match_values(self, mapping: str) -> None:
        """Drops all match values of a mapping: its match rules changed."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM match_value WHERE mapping = ?", (mapping,))

    def candidates(self, mapping: str, rule: str, objects: Sequence[int], values: Sequence[str]) -> list[Candidate]:
        """Records of these objects that hold one of the values under a rule, with their state and link. A resting link
        (one end is gone) binds nobody."""
        return [
            Candidate(*row)
            for row in self._store.rows(
                "SELECT m.value, m.object, m.key, f.state, l.id FROM json_each(?) j"
                " CROSS JOIN match_value m ON m.mapping = ? AND m.rule = ? AND m.value = j.value"
                " CROSS JOIN fact f ON f.object = m.object AND f.key = m.key"
                " LEFT JOIN link_side s ON s.mapping = m.mapping AND s.object = m.object AND s.key = m.key"
                " LEFT JOIN link l ON l.id = s.link AND l.state NOT IN ('unlinked', 'kept', 'left')"
                " WHERE m.object IN (SELECT value FROM json_each(?)) ORDER BY m.object, m.key",
                (orjson.dumps(values).decode(), mapping, rule, orjson.dumps(objects).decode()),
            )
        ]


def _end(row: tuple[Any, ...]) -> LinkSide:
    return LinkSide(row[3], row[4], row[5], orjson.loads(row[6]) if row[6] else {}, bool(row[7]))
