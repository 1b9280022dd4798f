"""What somebody is to be told, whom it reached, and what is the matter right now.

Promise: an alert is a row before anybody is told, and a delivery is done only once its receiver answered: a kill between
the two tells it again, with the same number. A condition turns once: what was told is not told again by a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store

DIGEST = "digest"
"""The kind of an alert that stands for a week's digest; its key is the week."""


class Alert(msgspec.Struct, frozen=True):
    """Something that somebody should be told. `said` holds states, names of rules and owners; no value of a record."""

    id: int
    object: int
    """0: it is about no record."""
    key: str
    kind: str
    at: float
    said: dict[str, Any]


class Delivery(msgspec.Struct, frozen=True):
    """An alert on its way to a receiver, as people are shown it."""

    alert: Alert
    receiver: str
    tries: int
    next_at: float
    lost: bool


class Alerts:
    """The alert, delivery and condition tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ------------------------------------------------ alerts

    def alarm(self, rows: Sequence[tuple[int, str, str, float, dict[str, Any]]]) -> None:
        """Puts alerts into the box: (object, key, kind, at, said)."""
        with self._store.transaction() as t:
            t.executemany(
                "INSERT INTO alert (object, key, kind, at, said) VALUES (?, ?, ?, ?, ?)",
                [(*row[:4], orjson.dumps(row[4])) for row in rows],
            )

    def about(self, object: int, keys: Sequence[str]) -> set[str]:
        """Of these records, those about which there was an alert (that is still kept)."""
        rows = self._store.rows(
            "SELECT DISTINCT a.key FROM json_each(?) j CROSS JOIN alert a ON a.object = ? AND a.object != 0 AND a.key = j.value",
            (orjson.dumps(list(keys)).decode(), object),
        )
        return {row[0] for row in rows}

    def digest(self, week: str) -> dict[str, Any] | None:
        """What is known of that week's digest: the day it is about, the folder it was written to; None: it was not made."""
        row = self._store.row("SELECT said FROM alert WHERE kind = 'digest' AND key = ?", (week,))
        return None if row is None else dict(orjson.loads(row[0]))

    def keep_digest(self, week: str, said: dict[str, Any]) -> None:
        """The same, as it is now."""
        with self._store.transaction() as t:
            t.execute("UPDATE alert SET said = ? WHERE kind = 'digest' AND key = ?", (orjson.dumps(said), week))

    def unspread(self, limit: int) -> list[Alert]:
        """Alerts that wait to be given to receivers, oldest first."""
        return self._alerts(
            "SELECT id, object, key, kind, at, said FROM alert WHERE spread = 0 ORDER BY id LIMIT ?", (limit,)
        )

    def spread(self, wanted: Callable[[Alert], Iterable[str]], at: float, limit: int) -> int:
        """Gives alerts to those who want them; whom nobody wants is done. Returns how many alerts."""
        alerts = self.unspread(limit)
        if alerts:
            with self._store.transaction() as t:
                for alert in alerts:
                    receivers = list(wanted(alert))
                    t.executemany(
                        "INSERT OR IGNORE INTO delivery (alert, receiver) VALUES (?, ?)",
                        [(alert.id, receiver) for receiver in receivers],
                    )
                    sent_at = None if receivers else at
                    t.execute("UPDATE alert SET spread = 1, sent_at = ? WHERE id = ?", (sent_at, alert.id))
        return len(alerts)

    # ------------------------------------------------ deliveries

    def waiting(self) -> dict[str, float]:
        """Receivers with something to be told, and the moment from which on they may be tried again."""
        rows = self._store.rows("SELECT receiver, max(next_at) FROM delivery WHERE done_at IS NULL GROUP BY receiver")
        return dict(rows)

    def open(self, receiver: str, limit: int) -> list[Alert]:
        """What this receiver is still to be told, oldest first."""
        return self._alerts(
            "SELECT a.id, a.object, a.key, a.kind, a.at, a.said FROM delivery d JOIN alert a ON a.id = d.alert"
            " WHERE d.receiver = ? AND d.done_at IS NULL ORDER BY d.alert LIMIT ?",
            (receiver, limit),
        )

    def told(self, receiver: str, ids: Sequence[int], at: float) -> None:
        """The receiver answered: it knows these."""
        with self._store.transaction() as t:
            t.executemany(
                "UPDATE delivery SET done_at = ?, tries = tries + 1 WHERE alert = ? AND receiver = ?",
                [(at, id_, receiver) for id_ in ids],
            )
            self._close(ids, at)

    def failed(self, receiver: str, ids: Sequence[int], at: float, most: int, pause_s: Callable[[int], float]) -> int:
        """It did not: these are tried again after a pause (by the number of tries), or given up. Returns how many were
        given up."""
        with self._store.transaction() as t:
            rows = t.execute(
                "SELECT alert, tries + 1 FROM delivery WHERE receiver = ? AND done_at IS NULL"
                " AND alert IN (SELECT value FROM json_each(?))",
                (receiver, orjson.dumps(list(ids)).decode()),
            ).fetchall()
            over = [alert for alert, tries in rows if tries >= most]
            longest = max((pause_s(tries) for _, tries in rows), default=0.0)
            t.executemany(
                "UPDATE delivery SET tries = ?, next_at = ? WHERE alert = ? AND receiver = ?",
                [(tries, at + longest, alert, receiver) for alert, tries in rows],
            )
            t.executemany(
                "UPDATE delivery SET done_at = ?, lost = 1 WHERE alert = ? AND receiver = ?",
                [(at, alert, receiver) for alert in over],
            )
            self._close(over, at)
        return len(over)

    def keep_receivers(self, known: Iterable[str], at: float) -> None:
        """Drops what is on its way to others: nobody of that name is there any more."""
        others = set(self.waiting()) - set(known)
        if not others:
            return
        with self._store.transaction() as t:
            for receiver in others:
                ids = [one.id for one in self.open(receiver, 1 << 31)]
                t.execute("DELETE FROM delivery WHERE receiver = ? AND done_at IS NULL", (receiver,))
                self._close(ids, at)

    def _close(self, ids: Sequence[int], at: float) -> None:
        """Marks alerts as done that wait for nobody any more."""
        with self._store.transaction() as t:
            t.executemany(
                "UPDATE alert SET sent_at = ? WHERE id = ? AND NOT EXISTS"
                " (SELECT 1 FROM delivery WHERE alert = alert.id AND done_at IS NULL)",
                [(at, id_) for id_ in ids],
            )

    def deliveries(self, limit: int) -> list[Delivery]:
        """What is on its way, and what was given up, newest first."""
        rows = self._store.rows(
            "SELECT a.id, a.object, a.key, a.kind, a.at, a.said, d.receiver, d.tries, d.next_at, d.lost FROM delivery d"
            " JOIN alert a ON a.id = d.alert WHERE d.done_at IS NULL OR d.lost ORDER BY a.id DESC, d.receiver LIMIT ?",
            (limit,),
        )
        return [Delivery(_alert(row[:6]), row[6], row[7], row[8], bool(row[9])) for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """By receiver: told, waiting, lost."""
        rows = self._store.rows(
            "SELECT receiver, sum(done_at IS NOT NULL AND NOT lost), sum(done_at IS NULL), sum(lost) FROM delivery"
            " GROUP BY receiver"
        )
        return {row[0]: {"told": row[1], "waiting": row[2], "lost": row[3]} for row in rows}

    def prune(self, before: float, most: int, limit: int) -> int:
        """Drops alerts that are done and older than that, or beyond so many; digests stay, one row a week. Returns how
        many went."""
        with self._store.transaction() as t:
            return t.execute(
                "DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE sent_at IS NOT NULL AND kind != ?"
                " AND (at < ? OR id <= (SELECT max(id) FROM alert) - ?) ORDER BY id LIMIT ?)",
                (DIGEST, before, most, limit),
            ).rowcount

    def _alerts(self, sql: str, given: tuple[Any, ...]) -> list[Alert]:
        return [_alert(row) for row in self._store.rows(sql, given)]

    # ------------------------------------------------ conditions

    def turn(
        self, now: Mapping[str, dict[str, Any]], at: float, patience_s: Callable[[str], float]
    ) -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]:
        """Takes note of what is the matter now, by name. Returns what is to be told: what began (and has lasted long
        enough), and what is over, of that which was told. Call it in the transaction that tells."""
        began: list[tuple[str, dict[str, Any]]] = []
        over: list[tuple[str, dict[str, Any]]] = []
        with self._store.transaction() as t:
            known = {
                row[0]: (row[1], row[2], row[3])
                for row in t.execute("SELECT name, since, told_at, said FROM condition")
            }
            for name, said in now.items():
                since, told_at, _ = known.get(name, (at, None, b""))
                if told_at is None and at - since >= patience_s(name):
                    began.append((name, said))
                    told_at = at
                row = (since, told_at, orjson.dumps(said))
                if known.get(name) != row:
                    t.execute("INSERT OR REPLACE INTO condition VALUES (?, ?, ?, ?)", (name, *row))
            for name, (_, told_at, said) in known.items():
                if name not in now:
                    t.execute("DELETE FROM condition WHERE name = ?", (name,))
                    if told_at is not None:
                        over.append((name, orjson.loads(said)))
        return began, over


def _alert(row: Sequence[Any]) -> Alert:
    return Alert(row[0], row[1], row[2], row[3], row[4], orjson.loads(row[5]))
