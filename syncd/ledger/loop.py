"""The closed loop's rows: where people stand, what deals came to, what is to be looked at, and who is to be told.

Promise: `keep_*` changes the rows and the cells that they count in together, by the difference: after it every cell is
the sum over the rows, whatever stood there before. `people` and `deals` walk an index that fits the question, so that
even who is rare among a million is found without looking at all of them. It does not know what a figure means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.core.sale import Sale
from syncd.core.standing import Standing, cells_of
from syncd.ledger.store import Store
from syncd.ledger.sums import Sums

_STANDING = msgspec.json.Decoder(Standing)
_SALE = msgspec.json.Decoder(Sale)
_ENCODE = msgspec.json.encode


class Stirred(msgspec.Struct, frozen=True):
    """A record about which something else than its facts moved: a link, an issue, an event."""

    mapping: str
    side: str
    object: int
    """0: any of that side's."""
    key: str


class Loop:
    """The standing, sale and stirred tables."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sums = Sums(store)

    # ------------------------------------------------ rows

    def standings(self, object: int, keys: Sequence[str]) -> dict[str, Standing]:
        """Where these records stand, by key; the others are absent."""
        rows = self._store.rows(
            "SELECT s.key, s.doc FROM json_each(?) j CROSS JOIN standing s ON s.object = ? AND s.key = j.value",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {key: _STANDING.decode(doc) for key, doc in rows}

    def sales(self, object: int, keys: Sequence[str]) -> dict[str, Sale]:
        """What these deals came to, by key."""
        rows = self._store.rows(
            "SELECT s.key, s.doc FROM json_each(?) j CROSS JOIN sale s ON s.object = ? AND s.key = j.value",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {key: _SALE.decode(doc) for key, doc in rows}

    def keep_standings(self, object: int, now: Mapping[str, Standing], before: Mapping[str, Standing]) -> int:
        """Keeps what changed; returns how many rows."""
        changed = {key: one for key, one in now.items() if before.get(key) != one}
        rows = [
            (object, key, s.outcome, s.reached, s.came, s.state, s.reason, s.qualified, s.clock, s.depth, s.next_ms,
             s.source, s.campaign, s.segment, s.owner, _ENCODE(s))
            for key, s in changed.items()
        ]  # fmt: skip
        if rows:
            with self._store.transaction() as t:
                t.executemany(_KEEP_STANDING, rows)
                was = (cell for key in changed if key in before for cell in cells_of(before[key]))
                self.sums.move(was, (cell for one in changed.values() for cell in cells_of(one)))
        return len(rows)

    def drop_standings(self, object: int, before: Mapping[str, Standing]) -> None:
        """Nobody stands there any more: they live on as another record."""
        if before:
            with self._store.transaction() as t:
                keys = [(object, key) for key in before]
                # What is deleted as it stands counts as erased, and stays in the sums.
                t.executemany("UPDATE standing SET state = NULL, doc = '{}' WHERE object = ? AND key = ?", keys)
                t.executemany("DELETE FROM standing WHERE object = ? AND key = ?", keys)
                self.sums.move((cell for one in before.values() for cell in cells_of(one)), ())

    def keep_sales(self, object: int, now: Mapping[str, Sale], before: Mapping[str, Sale]) -> int:
        """Keeps what changed; returns how many rows. A deal that is gone is kept as nothing."""
        changed = {key: one for key, one in now.items() if before.get(key) != one}
        rows = [
            (object, key, s.state, s.closed, s.amount, s.currency, s.cause, s.reason, _ENCODE(s))
            for key, s in changed.items()
        ]
        if rows:
            with self._store.transaction() as t:
                t.executemany(_KEEP_SALE, rows)
                was = (cell for key in changed if key in before for cell in before[key].cells)
                self.sums.move(was, (cell for one in changed.values() for cell in one.cells))
        return len(rows)

    # ------------------------------------------------ what is to be looked at

    def take_stirred(self, mapping: str, limit: int) -> list[Stirred]:
        """Takes records off the list; call it in the transaction that looks at them."""
        with self._store.transaction() as t:
            rows = t.execute(
                "SELECT mapping, side, object, key FROM stirred WHERE mapping = ? LIMIT ?", (mapping, limit)
            ).fetchall()
            t.executemany("DELETE FROM stirred WHERE mapping = ? AND side = ? AND object = ? AND key = ?", rows)
        return [Stirred(*row) for row in rows]

    def drop_stirred(self, mappings: Sequence[str]) -> None:
        """Drops what is listed of other mappings than these: nobody looks at it."""
        row = self._store.row(
            "SELECT 1 FROM stirred WHERE mapping NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
            (orjson.dumps(list(mappings)).decode(),),
        )
        if row is not None:
            with self._store.transaction() as t:
                t.execute(
                    "DELETE FROM stirred WHERE mapping NOT IN (SELECT value FROM json_each(?))",
                    (orjson.dumps(list(mappings)).decode(),),
                )

    def due(self, object: int, now_ms: int, limit: int) -> list[str]:
        """Keys of people about whom something changes by itself by now."""
        rows = self._store.rows(
            "SELECT key FROM standing INDEXED BY standing_next WHERE next_ms <= ? AND object = ? ORDER BY next_ms LIMIT ?",
            (now_ms, object, limit),
        )
        return [row[0] for row in rows]

    def links_made(self, links: Sequence[int]) -> dict[int, tuple[str, float]]:
        """(how, when) these links were made."""
        rows = self._store.rows(
            "SELECT l.id, l.how, l.made_at FROM json_each(?) j CROSS JOIN link l ON l.id = j.value",
            (orjson.dumps(list(links)).decode(),),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def issues(self, mapping: str, object: int, keys: Sequence[str]) -> dict[str, str]:
        """The kind of an open issue about each of these records; the others are absent."""
        rows = self._store.rows(
            "SELECT i.key, min(i.kind) FROM json_each(?) j CROSS JOIN issue i INDEXED BY issue_record ON i.closed_at IS NULL"
            " AND i.mapping = ? AND i.object = ? AND i.key = j.value GROUP BY i.key",
            (orjson.dumps(list(keys)).decode(), mapping, object),
        )
        return dict(rows)

    # ------------------------------------------------ records behind figures

    def people(
        self, where: Mapping[str, Any], since: int | None, until: int | None, day: str, after: Place, limit: int
    ) -> list[tuple[int, str, Standing]]:
        """People from behind `after` on. `where`: column -> value; `day`: came or qualified, which is since <= day <
        until; `reached` means at least. In the order of their strand and day: see `place`."""
        strand = self._strand(where)
        text, given = _where({name: value for name, value in where.items() if name not in strand.answers}, _PEOPLE)
        span = _between(_DAYS[day], since, until)
        rows: list[tuple[Any, ...]] = []
        for at, value in enumerate(strand.values[after[0] :], start=after[0]):
            behind = after[1:] if at == after[0] else (_BEFORE, 0, "")
            rows += self._store.rows(
                f"SELECT s.object, s.key, s.doc FROM (SELECT object, key FROM standing INDEXED BY {strand.index}"
                f" WHERE {strand.column} = ? AND ({strand.order}) > ({'?, ' * (len(strand.order.split(', ')) - 1)}?)"
                f"{span[0]}{text} ORDER BY {strand.order} LIMIT ?) f"
                " CROSS JOIN standing s ON s.object = f.object AND s.key = f.key",
                (value, *(behind if strand.by_day else behind[1:]), *span[1], *given, limit - len(rows)),
            )
            if len(rows) >= limit:
                break
        return [(object_, key, _STANDING.decode(doc)) for object_, key, doc in rows]

    def place(self, where: Mapping[str, Any], object: int, key: str, one: Standing) -> Place:
        """The place behind that person, for the next page of the same question."""
        strand = self._strand(where)
        day = getattr(one, strand.order.partition(",")[0]) if strand.by_day else 0
        return strand.values.index(getattr(one, strand.column)), day, object, key

    def _strand(self, where: Mapping[str, Any]) -> Strand:
        """The index that answers the question, and the values to walk it by."""
        if "clock" in where or where.get("running") == 1:
            clocks = (where["clock"],) if "clock" in where else ("breached", "due_soon", "on_track", "paused")
            return Strand("standing_clock", "clock", clocks, _BY_QUALIFIED, ("clock", "running"))
        if "state" in where:
            return Strand("standing_state", "state", (where["state"],), _BY_QUALIFIED, ("state",))
        for name, states in _STATES.items():
            if name in where and (chosen := states[bool(where[name])]):
                return Strand("standing_state", "state", chosen, _BY_QUALIFIED, (name,))
        if "outcome" in where:
            return Strand("standing_outcome", "outcome", (where["outcome"],), "object, key", ("outcome",))
        row = self._store.row("SELECT (SELECT min(reached) FROM standing), (SELECT max(reached) FROM standing)")
        low, high = (row[0], row[1]) if row and row[0] is not None else (0, -1)
        stages = tuple(range(max(low, where.get("reached", low)), high + 1))
        return Strand("standing_reached", "reached", stages, "came, object, key", ("reached",))

    def deals(
        self, where: Mapping[str, Any], since: int | None, until: int | None, after: Place, limit: int
    ) -> list[tuple[int, str, Sale]]:
        """Deals from behind `after` on, by state, close day and key; since <= day < until."""
        text, given = _where({name: value for name, value in where.items() if name != "state"}, _DEALS)
        span = _between("closed", since, until)
        rows: list[tuple[Any, ...]] = []
        for at, state in enumerate(_sold(where)[after[0] :], start=after[0]):
            rows += self._store.rows(
                "SELECT s.object, s.key, s.doc FROM (SELECT object, key FROM sale INDEXED BY sale_state WHERE state = ?"
                f" AND (closed, object, key) > (?, ?, ?){span[0]}{text} ORDER BY closed, object, key LIMIT ?) f"
                " CROSS JOIN sale s ON s.object = f.object AND s.key = f.key",
                (state, *(after[1:] if at == after[0] else (_BEFORE, 0, "")), *span[1], *given, limit - len(rows)),
            )
            if len(rows) >= limit:
                break
        return [(object_, key, _SALE.decode(doc)) for object_, key, doc in rows]

    def deal_place(self, where: Mapping[str, Any], object: int, key: str, one: Sale) -> Place:
        """The place behind that deal, for the next page of the same question."""
        return _sold(where).index(one.state), one.closed, object, key


Place = tuple[int, int, int, str]
"""Where a page ends: which value of the strand, the day, object and key."""
_BEFORE = -(1 << 40)
START: Place = (0, _BEFORE, 0, "")
"""Before everybody."""


class Strand(msgspec.Struct, frozen=True):
    """How people are walked: an index, the values of its first column in turn, and the order within each."""

    index: str
    column: str
    values: tuple[Any, ...]
    order: str
    answers: tuple[str, ...]
    """The conditions that are met by walking those values."""

    @property
    def by_day(self) -> bool:
        """Is a day the first thing in that order?"""
        return self.order != "object, key"


_BY_QUALIFIED = "qualified, object, key"
_DAYS = {"came": "came", "qualified": "qualified"}
_AT_SALES = ("delivered", "rejected")
_NOT_THERE = ("blocked", "waiting", "out_of_scope")
_STATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "undelivered": (("delivered",), ("blocked", "waiting", "rejected", "out_of_scope")),
    "handed": (_NOT_THERE, _AT_SALES),
    "qualifies": ((), (*_NOT_THERE, *_AT_SALES)),
}
"""By condition: the states where it is not met, and those where it is."""
_PEOPLE = {
    **{name: f"{name} = ?" for name in ("outcome", "state", "reason", "clock", "depth", "source", "campaign")},
    "segment": "segment = ?",
    "owner": "owner = ?",
    "reached": "reached >= ?",
    "qualifies": "(state IS NOT NULL) = ?",
    "handed": "(state IN ('delivered', 'rejected')) = ?",
    "undelivered": "(state != 'delivered') = ?",
    "running": "(clock IN ('on_track', 'due_soon', 'breached', 'paused')) = ?",
}
_DEALS = {name: f"{name} = ?" for name in ("state", "currency", "cause", "reason")}

_KEEP_STANDING = """
INSERT INTO standing (object, key, outcome, reached, came, state, reason, qualified, clock, depth, next_ms, source,
  campaign, segment, owner, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (object, key) DO UPDATE SET outcome = excluded.outcome, reached = excluded.reached, came = excluded.came,
  state = excluded.state, reason = excluded.reason, qualified = excluded.qualified, clock = excluded.clock,
  depth = excluded.depth, next_ms = excluded.next_ms, source = excluded.source, campaign = excluded.campaign,
  segment = excluded.segment, owner = excluded.owner, doc = excluded.doc
"""
_KEEP_SALE = """
INSERT INTO sale (object, key, state, closed, amount, currency, cause, reason, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (object, key) DO UPDATE SET state = excluded.state, closed = excluded.closed, amount = excluded.amount,
  currency = excluded.currency, cause = excluded.cause, reason = excluded.reason, doc = excluded.doc
"""


def _sold(where: Mapping[str, Any]) -> tuple[str, ...]:
    return (where["state"],) if "state" in where else ("won", "lost", "open")


def _between(column: str, since: int | None, until: int | None) -> tuple[str, list[int]]:
    """Days as a condition."""
    text = ("" if since is None else f" AND {column} >= ?") + ("" if until is None else f" AND {column} < ?")
    return text, [day for day in (since, until) if day is not None]


def _where(where: Mapping[str, Any], known: Mapping[str, str]) -> tuple[str, list[Any]]:
    """Only conditions that are known: a link is somebody's text."""
    chosen = {name: value for name, value in where.items() if name in known}
    return "".join(f" AND {known[name]}" for name in chosen), list(chosen.values())
