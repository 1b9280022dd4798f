"""Intents: effects written down before they are sent, until what they did was seen.

planned   decided; no guard has looked at it yet, or a person only asked for the plan
held      a guard holds it
asked     a delete: it waits for a person, whatever the guard says
ready     may be sent
sent      left, or is about to: from here on its fate is unknown until an answer is kept
answered  the system says it is applied; belief waits for sight

A closed intent leaves this table; the journal keeps its story.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.core.plan import Change
from syncd.ledger.store import Store


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A field that a create goes without, because the target refused it or its value cannot cross: told once the record
    is there."""

    field: str
    reason: str
    remedy: str
    kind: str = "refused"


class Body(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What does not need a column."""

    changes: list[Change]
    clear_first: list[str] = []
    decided: dict[str, Any] | None = None
    """Creates: all of the source's facts that were decided on."""
    answer: dict[str, Any] | None = None
    """The written attributes as the answer showed them."""
    waits: bool = False
    """Creates: a reference is left out that has no link yet."""
    dropped: list[Dropped] = []
    guessed: bool = False
    """No answer came: that it was applied is only what its record looks like."""
    along: list[Change] = []
    """Updates: fields that are said as they stand, because the system may set them by itself with one of the changes."""


class Intent(msgspec.Struct, frozen=True, gc=False):
    id: int
    mapping: str
    link: int | None
    side: str
    object: int
    key: str | None
    source: tuple[int, str] | None
    op: str
    state: str
    lane: str
    unique: str | None
    expect_ms: int | None
    sent_at: float | None
    answered_at: float | None
    rev: int | None
    attempt: int
    body: Body

    @property
    def puts_back(self) -> bool:
        """It restores somebody's edit that an earlier write of ours covered."""
        return any(change.restores for change in self.body.changes)

    @property
    def attributes(self) -> dict[str, Any]:
        """What is sent: by attribute."""
        return {change.attribute: change.after for change in (*self.body.along, *self.body.changes)}


_COLUMNS = (
    "id, mapping, link, side, object, key, source_object, source_key, op, state, lane, unique_key, expect_ms,"
    " sent_at, answered_at, rev, attempt, body"
)
_encode_body = msgspec.json.Encoder().encode
_decode_body = msgspec.json.Decoder(Body).decode
OPEN_AT_SYSTEM = ("sent", "answered")


class Intents:
    """The intent and hold tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def plan(self, rows: Sequence[Mapping[str, Any]], at: float) -> None:
        """Keeps planned effects. Each row: mapping, link, side, object, key, source, op, lane, unique, expect_ms, body."""
        if not rows:
            return
        with self._store.transaction() as t:
            t.executemany(
                "INSERT INTO intent (mapping, link, side, object, key, source_object, source_key, op, state, lane,"
                " unique_key, expect_ms, planned_at, rev, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(r["mapping"], r["link"], r["side"], r["object"], r["key"]),
                        *(r["source"] or (None, None)),
                        *(r["op"], r.get("state", "planned"), r["lane"], r["unique"], r["expect_ms"], at, r.get("rev")),
                        _encode_body(r["body"]),
                    )
                    for r in rows
                ],
            )

    def batch(self, mapping: str, state: str, after: int, limit: int, *, side: str | None = None) -> list[Intent]:
        """Intents of a mapping in one state, by id."""
        return self._many(
            "mapping = ? AND state = ? AND id > ? AND (? IS NULL OR side = ?) ORDER BY id LIMIT ?",
            (mapping, state, after, side, side, limit),
        )

    def next_ready(self, mapping: str, lane: str, sides: Sequence[str]) -> tuple[str, int, str] | None:
        """(side, object, op) of the next ready intent of a lane on one of these sides."""
        row = self._store.row(
            "SELECT side, object, op FROM intent WHERE state = 'ready' AND mapping = ? AND lane = ?"
            " AND side IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT 1",
            (mapping, lane, orjson.dumps(sides).decode()),
        )
        return (row[0], row[1], row[2]) if row else None

    def ready(self, mapping: str, lane: str, like: tuple[str, int, str], limit: int) -> list[Intent]:
        """The next ready intents of one lane that share side, object and op, so that they fit one batch."""
        return self._many(
            "state = 'ready' AND mapping = ? AND lane = ? AND side = ? AND object = ? AND op = ? ORDER BY id LIMIT ?",
            (mapping, lane, *like, limit),
        )

    def of_links(self, links: Sequence[int]) -> list[Intent]:
        """All intents that hang on these links."""
        return self._many("link IN (SELECT value FROM json_each(?)) ORDER BY id", (orjson.dumps(links).decode(),))

    def of_sources(self, mapping: str, object: int, keys: Sequence[str]) -> list[Intent]:
        """Creates whose source is one of these records."""
        return self._many(
            "mapping = ? AND source_object = ? AND source_key IN (SELECT value FROM json_each(?)) AND op = 'create'"
            " ORDER BY id",
            (mapping, object, orjson.dumps(keys).decode()),
        )

    def making(self, mapping: str, object: int, keys: Sequence[str]) -> list[str]:
        """Of these records, the keys of those for which a partner is planned, or on its way."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT DISTINCT j.value FROM json_each(?) j CROSS JOIN intent i ON i.mapping = ? AND i.source_object = ?"
                " AND i.source_key = j.value WHERE i.op = 'create'",
                (orjson.dumps(keys).decode(), mapping, object),
            )
        ]

    def sent_sources(self, mapping: str) -> list[tuple[int, str]]:
        """Sources of creates that left and were not answered."""
        return [
            (row[0], row[1])
            for row in self._store.rows(
                "SELECT source_object, source_key FROM intent WHERE state = 'sent' AND mapping = ? AND op = 'create'"
                " AND source_key IS NOT NULL",
                (mapping,),
            )
        ]

    def set_state(self, ids: Iterable[int], state: str, **columns: Any) -> None:
        """Moves intents to a state; `columns` (sent_at, answered_at, rev, expect_ms, attempt) are set as given."""
        assignments = "".join(f", {name} = ?" for name in columns)
        with self._store.transaction() as t:
            t.execute(
                f"UPDATE intent SET state = ?{assignments} WHERE id IN (SELECT value FROM json_each(?))",
                (state, *columns.values(), orjson.dumps(list(ids)).decode()),
            )

    def move_all(self, mapping: str, before: str, after: str) -> int:
        """Moves all of a mapping's intents from one state to another; returns how many."""
        with self._store.transaction() as t:
            return t.execute(
                "UPDATE intent SET state = ? WHERE mapping = ? AND state = ?", (after, mapping, before)
            ).rowcount

    def answer(self, rows: Sequence[tuple[int, str | None, float, int, Body | None]]) -> None:
        """Keeps positive answers: (id, key, at, newest revision of the facts then, body with what the answer showed;
        None: it showed nothing)."""
        with self._store.transaction() as t:
            t.executemany(
                "UPDATE intent SET state = 'answered', key = ?, answered_at = ?, rev = ?,"
                " body = coalesce(?, body) WHERE id = ?",
                [(key, at, rev, body and _encode_body(body), id_) for id_, key, at, rev, body in rows],
            )

    def rewrite(self, id: int, body: Body) -> None:
        """Another body for an effect that was not applied."""
        with self._store.transaction() as t:
            t.execute("UPDATE intent SET body = ? WHERE id = ?", (_encode_body(body), id))

    def set_link(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Ties intents to links: (intent, link)."""
        with self._store.transaction() as t:
            t.executemany("UPDATE intent SET link = ? WHERE id = ?", [(link, intent) for intent, link in pairs])

    def close(self, ids: Iterable[int]) -> None:
        with self._store.transaction() as t:
            t.execute(
                "DELETE FROM intent WHERE id IN (SELECT value FROM json_each(?))", (orjson.dumps(list(ids)).decode(),)
            )

    def drop_unsent(self, mapping: str, links: Sequence[int] | None = None) -> int:
        """Forgets effects that never left: all of a mapping's, or those on some links."""
        where = "" if links is None else " AND link IN (SELECT value FROM json_each(?))"
        parameters: list[Any] = [mapping] + ([] if links is None else [orjson.dumps(links).decode()])
        with self._store.transaction() as t:
            return t.execute(
                f"DELETE FROM intent WHERE mapping = ? AND state IN ('planned', 'held', 'ready', 'asked'){where}",
                parameters,
            ).rowcount

    def counts(self, mapping: str, states: Sequence[str]) -> list[tuple[Any, ...]]:
        """(side, op, lane, how many) over these states: what guards and reports read."""
        return self._store.rows(
            "SELECT side, op, lane, count(*) FROM intent WHERE mapping = ? AND state IN (SELECT value FROM json_each(?))"
            " GROUP BY side, op, lane",
            (mapping, orjson.dumps(states).decode()),
        )

    def counts_by_object(self, mapping: str, states: Sequence[str]) -> list[tuple[int, str, int]]:
        """(object, op, how many) over these states: what a plan costs."""
        rows = self._store.rows(
            "SELECT object, op, count(*) FROM intent WHERE mapping = ? AND state IN (SELECT value FROM json_each(?))"
            " GROUP BY object, op",
            (mapping, orjson.dumps(states).decode()),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def clears(self, mapping: str, states: Sequence[str], but: frozenset[str] = frozenset()) -> int:
        """How many fields these intents would blank, without those of these names."""
        total = 0
        for (body,) in self._store.rows(
            "SELECT body FROM intent WHERE mapping = ? AND state IN (SELECT value FROM json_each(?))"
            " AND instr(CAST(body AS TEXT), ?)",
            (mapping, orjson.dumps(states).decode(), '"after":null'),
        ):
            total += sum(change.after is None and change.field not in but for change in _decode_body(body).changes)
        return total

    def only_of(self, mapping: str, states: Sequence[str], fields: frozenset[str]) -> int:
        """How many updates in these states change something, and nothing but these fields."""
        row = self._store.row(
            "SELECT count(*) FROM intent i WHERE i.mapping = ? AND i.op = 'update'"
            " AND i.state IN (SELECT value FROM json_each(?))"
            " AND json_array_length(CAST(i.body AS TEXT), '$.changes') > 0"
            " AND NOT EXISTS (SELECT 1 FROM json_each(CAST(i.body AS TEXT), '$.changes') c"
            " WHERE json_extract(c.value, '$.field') NOT IN (SELECT value FROM json_each(?)))",
            (mapping, orjson.dumps(states).decode(), orjson.dumps(sorted(fields)).decode()),
        )
        return int(row[0]) if row else 0

    def by_field(self, mapping: str, states: Sequence[str]) -> list[tuple[str, str, int, int]]:
        """(side, field, updates of it, the most of them that write one and the same value) over these states. Clears
        count as updates, and blank is no value."""
        return [
            (row[0], row[1], row[2], row[3])
            for row in self._store.rows(
                "SELECT side, field, sum(n), max(CASE WHEN value IS NULL THEN 0 ELSE n END) FROM ("
                " SELECT i.side side, json_extract(c.value, '$.field') field, json_extract(c.value, '$.after') value,"
                " count(*) n FROM intent i, json_each(CAST(i.body AS TEXT), '$.changes') c"
                " WHERE i.mapping = ? AND i.op = 'update' AND i.state IN (SELECT value FROM json_each(?))"
                " GROUP BY 1, 2, 3) GROUP BY side, field ORDER BY side, field",
                (mapping, orjson.dumps(states).decode()),
            )
        ]

    def values_of(self, mapping: str, states: Sequence[str], side: str, field: str) -> list[Any]:
        """The values, none blank, that updates in these states would give to a field of a side, each once."""
        return [
            row[0]
            for row in self._store.rows(
                "SELECT DISTINCT json_extract(c.value, '$.after') FROM intent i,"
                " json_each(CAST(i.body AS TEXT), '$.changes') c WHERE i.mapping = ? AND i.op = 'update' AND i.side = ?"
                " AND i.state IN (SELECT value FROM json_each(?)) AND json_extract(c.value, '$.field') = ?"
                " AND json_extract(c.value, '$.after') IS NOT NULL",
                (mapping, side, orjson.dumps(states).decode(), field),
            )
        ]

    def total(self, states: Sequence[str], mapping: str | None = None) -> int:
        row = self._store.row(
            "SELECT count(*) FROM intent WHERE state IN (SELECT value FROM json_each(?)) AND (? IS NULL OR mapping = ?)",
            (orjson.dumps(states).decode(), mapping, mapping),
        )
        return int(row[0]) if row else 0

    # ------------------------------------------------ held plans

    def hold(self, mapping: str, digest: str, reasons: Sequence[str], at: float) -> None:
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO hold (mapping, digest, reasons, since) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (mapping) DO UPDATE SET digest = excluded.digest, reasons = excluded.reasons",
                (mapping, digest, orjson.dumps(list(reasons)).decode(), at),
            )

    def held(self, mapping: str) -> tuple[str, list[str], float] | None:
        """(digest, reasons, since) of a mapping's held plan."""
        row = self._store.row("SELECT digest, reasons, since FROM hold WHERE mapping = ?", (mapping,))
        return (row[0], orjson.loads(row[1]), row[2]) if row else None

    def release(self, mapping: str) -> None:
        with self._store.transaction() as t:
            t.execute("DELETE FROM hold WHERE mapping = ?", (mapping,))

    def _many(self, where: str, parameters: Sequence[Any]) -> list[Intent]:
        return [_intent(row) for row in self._store.rows(f"SELECT {_COLUMNS} FROM intent WHERE {where}", parameters)]


def _intent(row: tuple[Any, ...]) -> Intent:
    source = (row[6], row[7]) if row[7] is not None else None
    return Intent(*[*row[:6], source, *row[8:17], _decode_body(row[17])])
