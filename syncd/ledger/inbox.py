"""What waits for a person, what lost, and what other commands ask of the lease holder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store


class Issue(msgspec.Struct, frozen=True):
    """Something that waits for a person. `remedy` says what to do."""

    id: int
    kind: str
    mapping: str
    object: int | None
    key: str | None
    field: str | None
    reason: str
    remedy: str
    since: float
    doc: dict[str, Any]


class Conflict(msgspec.Struct, frozen=True):
    """A value that lost, on `side`, and what was kept instead."""

    id: int
    mapping: str
    link: int | None
    field: str
    side: str
    object: int
    key: str
    kept: Any
    lost: Any
    at: float
    by: str
    restored_at: float | None


class Request(msgspec.Struct, frozen=True):
    """A command that another process carries out."""

    id: int
    kind: str
    doc: dict[str, Any]
    state: str
    progress: dict[str, Any]
    answer: dict[str, Any] | None
    asked_at: float


class Inbox:
    """The issue, conflict and request tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ------------------------------------------------ issues

    def raise_issue(
        self,
        kind: str,
        mapping: str,
        reason: str,
        remedy: str,
        at: float,
        *,
        object: int | None = None,
        key: str | None = None,
        field: str | None = None,
        doc: dict[str, Any] | None = None,
    ) -> None:
        """Opens an issue, or renews the open one about the same thing."""
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO issue (kind, mapping, object, key, field, reason, remedy, since, doc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (kind, mapping, coalesce(object, 0), coalesce(key, ''), coalesce(field, ''))"
                " WHERE closed_at IS NULL DO UPDATE SET reason = excluded.reason, remedy = excluded.remedy,"
                " doc = excluded.doc",
                (kind, mapping, object, key, field, reason, remedy, at, orjson.dumps(doc or {})),
            )

    def close_issues(
        self,
        at: float,
        *,
        kind: str | None = None,
        mapping: str | None = None,
        object: int | None = None,
        keys: Sequence[str] | None = None,
        field: str | None = None,
        id: int | None = None,
    ) -> int:
        """Closes the open issues that fit all that is given; returns how many."""
        given = {"kind": kind, "mapping": mapping, "object": object, "field": field, "id": id}
        asked = {name: value for name, value in given.items() if value is not None}
        chosen = "".join(f" AND {name} = ?" for name in asked)
        wanted = list[Any](asked.values())
        if keys is not None:
            chosen += " AND key IN (SELECT value FROM json_each(?))"
            wanted.append(orjson.dumps(keys).decode())
        with self._store.transaction() as t:
            return t.execute(f"UPDATE issue SET closed_at = ? WHERE closed_at IS NULL{chosen}", (at, *wanted)).rowcount

    def issues(
        self, *, mapping: str | None = None, kind: str | None = None, limit: int = 1000, after: int = 0
    ) -> list[Issue]:
        """Open issues, oldest first, from behind number `after` on."""
        rows = self._store.rows(
            f"SELECT {_ISSUE} FROM issue INDEXED BY issue_waiting WHERE closed_at IS NULL AND id > ?"
            " AND (? IS NULL OR mapping = ?) AND (? IS NULL OR kind = ?) ORDER BY id LIMIT ?",
            (after, mapping, mapping, kind, kind, limit),
        )
        return [_issue(row) for row in rows]

    def about(self, mapping: str, object: int, key: str) -> list[Issue]:
        """Open issues about a record, oldest first."""
        rows = self._store.rows(
            f"SELECT {_ISSUE} FROM issue WHERE closed_at IS NULL AND object = ? AND key = ? AND mapping = ? ORDER BY id",
            (object, key, mapping),
        )
        return [_issue(row) for row in rows]

    def kinds(self, mapping: str | None = None) -> dict[str, int]:
        """How many issues of each kind are open."""
        return dict(
            self._store.rows(
                "SELECT kind, count(*) FROM issue INDEXED BY issue_open WHERE closed_at IS NULL"
                " AND (? IS NULL OR mapping = ?) GROUP BY kind ORDER BY kind",
                (mapping, mapping),
            )
        )

    def issue(self, id: int) -> Issue | None:
        rows = self._store.rows(
            f"SELECT {_ISSUE} FROM issue WHERE closed_at IS NULL AND id = ?",
            (id,),
        )
        return _issue(rows[0]) if rows else None

    def issue_count(self, mapping: str | None = None) -> int:
        row = self._store.row(
            "SELECT count(*) FROM issue WHERE closed_at IS NULL AND (? IS NULL OR mapping = ?)", (mapping, mapping)
        )
        return int(row[0]) if row else 0

    def open_kinds(self) -> list[tuple[str, str]]:
        """(mapping, kind) of which anything is open."""
        rows = self._store.rows(
            "SELECT DISTINCT mapping, kind FROM issue WHERE closed_at IS NULL ORDER BY mapping, kind"
        )
        return [(row[0], row[1]) for row in rows]

    # ------------------------------------------------ conflicts

    def keep_losers(self, rows: Sequence[Conflict]) -> None:
        """Keeps values that lost (their `id` is not used)."""
        if not rows:
            return
        with self._store.transaction() as t:
            t.executemany(
                "INSERT INTO conflict (mapping, link, field, side, object, key, kept, lost, at, by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        c.mapping,
                        c.link,
                        c.field,
                        c.side,
                        c.object,
                        c.key,
                        orjson.dumps(c.kept),
                        orjson.dumps(c.lost),
                        c.at,
                        c.by,
                    )
                    for c in rows
                ],
            )

    def conflicts(
        self,
        *,
        mapping: str | None = None,
        id: int | None = None,
        link: int | None = None,
        before: int | None = None,
        limit: int = 1000,
    ) -> list[Conflict]:
        """Values that lost, newest first, from below number `before` on."""
        given = {"mapping = ?": mapping, "id = ?": id, "link = ?": link, "id < ?": before}
        asked = {text: value for text, value in given.items() if value is not None}
        rows = self._store.rows(
            "SELECT id, mapping, link, field, side, object, key, kept, lost, at, by, restored_at FROM conflict WHERE true"
            f"{''.join(f' AND {text}' for text in asked)} ORDER BY id DESC LIMIT ?",
            (*asked.values(), limit),
        )
        return [Conflict(*[*row[:7], orjson.loads(row[7]), orjson.loads(row[8]), *row[9:]]) for row in rows]

    def conflict_count(self, mapping: str) -> int:
        """How many values lost and were not restored; costs one row."""
        row = self._store.row("SELECT n FROM counted WHERE what = 'conflict' AND mapping = ?", (mapping,))
        return int(row[0]) if row else 0

    def mark_put_back(self, link: int, field: str, lost: Any, at: float) -> None:
        """The lost value stands on its record again."""
        with self._store.transaction() as t:
            t.execute(
                "UPDATE conflict SET restored_at = ? WHERE link = ? AND field = ? AND lost = ? AND restored_at IS NULL",
                (at, link, field, orjson.dumps(lost)),
            )

    def mark_restored(self, id: int, at: float) -> None:
        with self._store.transaction() as t:
            t.execute("UPDATE conflict SET restored_at = ? WHERE id = ?", (at, id))

    # ------------------------------------------------ requests

    def ask(self, kind: str, doc: dict[str, Any], at: float) -> int:
        """Stores a request for the lease holder; returns its number."""
        with self._store.transaction() as t:
            return int(
                t.execute(
                    "INSERT INTO request (kind, doc, asked_at) VALUES (?, ?, ?) RETURNING id",
                    (kind, orjson.dumps(doc), at),
                ).fetchone()[0]
            )

    def asked(self) -> list[Request]:
        """Requests that are not done yet, in the order they were asked."""
        return [
            _request(row)
            for row in self._store.rows(
                "SELECT id, kind, doc, state, progress, answer, asked_at FROM request WHERE state != 'done' ORDER BY id"
            )
        ]

    def request(self, id: int) -> Request | None:
        row = self._store.row(
            "SELECT id, kind, doc, state, progress, answer, asked_at FROM request WHERE id = ?", (id,)
        )
        return _request(row) if row else None

    def progress(self, id: int, progress: dict[str, Any]) -> None:
        with self._store.transaction() as t:
            t.execute("UPDATE request SET progress = ? WHERE id = ?", (orjson.dumps(progress), id))

    def take(self, id: int) -> bool:
        """The lease holder begins with it; False if it was withdrawn meanwhile."""
        with self._store.transaction() as t:
            return bool(
                t.execute("UPDATE request SET state = 'taken' WHERE id = ? AND state = 'asked'", (id,)).rowcount
            )

    def withdraw(self, id: int) -> bool:
        """Takes a request back; False if somebody carries it out already: then it is asked to stop."""
        with self._store.transaction() as t:
            if t.execute("DELETE FROM request WHERE id = ? AND state = 'asked'", (id,)).rowcount:
                return True
            t.execute("UPDATE request SET state = 'stop' WHERE id = ? AND state = 'taken'", (id,))
            return False

    def forget_requests(self, before: float) -> None:
        """Drops requests that were done before then."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM request WHERE state = 'done' AND done_at < ?", (before,))

    def done(self, id: int, answer: dict[str, Any], at: float) -> None:
        with self._store.transaction() as t:
            t.execute(
                "UPDATE request SET state = 'done', answer = ?, done_at = ? WHERE id = ?",
                (orjson.dumps(answer), at, id),
            )


_ISSUE = "id, kind, mapping, object, key, field, reason, remedy, since, doc"


def _issue(row: tuple[Any, ...]) -> Issue:
    return Issue(*[*row[:9], orjson.loads(row[9])])


def _request(row: tuple[Any, ...]) -> Request:
    return Request(
        row[0],
        row[1],
        orjson.loads(row[2]),
        row[3],
        orjson.loads(row[4]) if row[4] else {},
        orjson.loads(row[5]) if row[5] else None,
        row[6],
    )
