"""The rest that must be remembered: accounts, mapping and funnel versions, runs, calls, backfills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from syncd.ledger.store import Store


class Version(msgspec.Struct, frozen=True):
    """A mapping or funnel text that was in force since `since`."""

    version: int
    digest: str
    text: str
    since: float
    approved_at: float | None = None


class Backfill(msgspec.Struct, frozen=True):
    """A one-off re-decision. `place`: how far it came, owned by `syncd.backfill`."""

    id: int
    mapping: str
    doc: dict[str, Any]
    state: str
    place: dict[str, Any]
    started_at: float


class RunRow(msgspec.Struct, frozen=True):
    """What one command or one timer tick did. `ok` None: it goes on, or was cut off."""

    id: int
    command: str
    started_at: float
    ended_at: float | None
    ok: bool | None
    report: dict[str, Any]


class Quota(msgspec.Struct, frozen=True):
    """A system's day, as it was written down last. `since`: when its first call of `day` (UTC) was counted. The
    vendor's figures are those of all programs on the account, read at `vendor_at`; None: it tells none."""

    day: str
    since: float
    vendor_limit: int | None = None
    vendor_remaining: int | None = None
    vendor_at: float | None = None


class Books:
    def __init__(self, store: Store) -> None:
        self._store = store

    # ------------------------------------------------ accounts

    def account(self, system: str) -> tuple[str, str, str] | None:
        """(id, name, writer) of the account that this ledger was filled from."""
        row = self._store.row("SELECT id, name, writer FROM account WHERE system = ?", (system,))
        return (row[0], row[1], row[2]) if row else None

    def pin_account(self, system: str, id: str, name: str, kind: str, writer: str, at: float) -> None:
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO account (system, id, name, kind, writer, pinned_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (system) DO UPDATE SET name = excluded.name, writer = excluded.writer",
                (system, id, name, kind, writer, at),
            )

    # ------------------------------------------------ versions in force

    def mapping(self, name: str) -> Version | None:
        """The version in force."""
        row = self._store.row(
            "SELECT version, digest, text, since, approved_at FROM mapping WHERE name = ? ORDER BY version DESC LIMIT 1",
            (name,),
        )
        return Version(*row) if row else None

    def mapping_names(self, kind: str = "mapping") -> list[str]:
        """The names of all that were ever in force: `mapping`, or `watch`."""
        return [
            row[0]
            for row in self._store.rows("SELECT DISTINCT name FROM mapping WHERE kind = ? ORDER BY name", (kind,))
        ]

    def mapping_version(self, name: str, version: int) -> tuple[float, float | None] | None:
        """(since when, until when; None: still) that version was in force; None if there was none."""
        rows = self._store.rows(
            "SELECT version, since FROM mapping WHERE name = ? AND version >= ? ORDER BY version LIMIT 2",
            (name, version),
        )
        if not rows or rows[0][0] != version:
            return None
        return rows[0][1], rows[1][1] if len(rows) > 1 else None

    def keep_mapping(self, name: str, digest: str, text: str, at: float, kind: str = "mapping") -> Version:
        """Puts a mapping text in force as the next version; an approval carries over from the one before."""
        before = self.mapping(name)
        version = Version(
            (before.version if before else 0) + 1, digest, text, at, before.approved_at if before else None
        )
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO mapping (name, version, digest, text, since, approved_at, kind) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, version.version, digest, text, at, version.approved_at, kind),
            )
        return version

    def approve_mapping(self, name: str, at: float) -> None:
        """The first plan of this mapping was released by a person."""
        with self._store.transaction() as t:
            t.execute("UPDATE mapping SET approved_at = ? WHERE name = ? AND approved_at IS NULL", (at, name))

    def opened(self, name: str) -> str | None:
        """The digest of the mapping under which its last plan was opened; None: none was yet."""
        row = self._store.row("SELECT value FROM meta WHERE name = ?", (f"opened:{name}",))
        return None if row is None else str(row[0])

    def set_opened(self, name: str, digest: str, *, only_if_changed: bool = False) -> None:
        """A plan of this mapping was opened, or there was none to open. `only_if_changed`: not for the first time."""
        known = self.opened(name)
        if known == digest or (only_if_changed and known is None):
            return
        with self._store.transaction() as t:
            t.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"opened:{name}", digest))

    def funnel(self) -> Version | None:
        row = self._store.row("SELECT version, digest, text, since FROM funnel ORDER BY version DESC LIMIT 1")
        return Version(*row) if row else None

    def keep_funnel(self, digest: str, text: str, at: float) -> Version:
        before = self.funnel()
        version = Version((before.version if before else 0) + 1, digest, text, at)
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO funnel (version, digest, text, since) VALUES (?, ?, ?, ?)",
                (version.version, digest, text, at),
            )
        return version

    def versions(self, name: str, limit: int = 100) -> list[Version]:
        """The texts of a mapping that were in force, newest first."""
        rows = self._store.rows(
            "SELECT version, digest, text, since, approved_at FROM mapping WHERE name = ? ORDER BY version DESC LIMIT ?",
            (name, limit),
        )
        return [Version(*row) for row in rows]

    def funnels(self, limit: int = 100) -> list[Version]:
        """The agreed definitions that were in force, newest first."""
        return [
            Version(*row)
            for row in self._store.rows(
                "SELECT version, digest, text, since FROM funnel ORDER BY version DESC LIMIT ?", (limit,)
            )
        ]

    def agreed_since(self) -> float | None:
        """Since when there is an agreed definition at all (epoch seconds); None: there is none."""
        row = self._store.row("SELECT min(since) FROM funnel")
        return None if row is None or row[0] is None else float(row[0])

    # ------------------------------------------------ decided up to, again

    def decided(self, mapping: str, object: int) -> int:
        """The revision up to which this mapping has decided on this object."""
        row = self._store.row("SELECT rev FROM decided WHERE mapping = ? AND object = ?", (mapping, object))
        return int(row[0]) if row else 0

    def set_decided(self, mapping: str, object: int, rev: int) -> None:
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO decided (mapping, object, rev) VALUES (?, ?, ?)"
                " ON CONFLICT (mapping, object) DO UPDATE SET rev = excluded.rev",
                (mapping, object, rev),
            )

    def forget_decided(self, mapping: str) -> None:
        """Everything of this mapping is to be decided again (its text changed)."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM decided WHERE mapping = ?", (mapping,))

    def decide_again(self, mapping: str, records: list[tuple[int, str]]) -> None:
        """These records are to be decided again although their facts did not move: (object, key)."""
        with self._store.transaction() as t:
            t.executemany(
                "INSERT OR IGNORE INTO again (mapping, object, key) VALUES (?, ?, ?)",
                [(mapping, object_, key) for object_, key in records],
            )

    def forget_again(self, mapping: str, records: list[tuple[int, str]]) -> None:
        """These records need not be decided again."""
        with self._store.transaction() as t:
            t.executemany(
                "DELETE FROM again WHERE mapping = ? AND object = ? AND key = ?", [(mapping, *each) for each in records]
            )

    def again(self, mapping: str) -> int:
        """How many records are on that list."""
        row = self._store.row("SELECT count(*) FROM again WHERE mapping = ?", (mapping,))
        return int(row[0]) if row else 0

    def among_again(self, mapping: str, places: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
        """Those of these records (object, key) that are on that list."""
        rows = self._store.rows(
            "SELECT object, key FROM again WHERE mapping = ? AND (object, key) IN"
            " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
            (mapping, orjson.dumps(list(places)).decode()),
        )
        return {(row[0], row[1]) for row in rows}

    def take_again(self, mapping: str, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
        """Takes records off that list, in order, from behind `after`; call it in the transaction that decides them."""
        with self._store.transaction() as t:
            rows = t.execute(
                "SELECT object, key FROM again WHERE mapping = ? AND (object, key) > (?, ?) ORDER BY object, key LIMIT ?",
                (mapping, *after, limit),
            ).fetchall()
            t.executemany(
                "DELETE FROM again WHERE mapping = ? AND object = ? AND key = ?", [(mapping, *row) for row in rows]
            )
        return [(row[0], row[1]) for row in rows]

    # ------------------------------------------------ runs and calls

    def begin_run(self, command: str, at: float) -> int:
        with self._store.transaction() as t:
            return int(
                t.execute("INSERT INTO run (command, started_at) VALUES (?, ?) RETURNING id", (command, at)).fetchone()[
                    0
                ]
            )

    def keep_kinds(self, run: int, kinds: dict[str, dict[str, int]]) -> None:
        """What a run has sent so far, by mapping and kind: all that is left of its report if it is killed."""
        with self._store.transaction() as t:
            t.execute("UPDATE run SET report = ? WHERE id = ?", (orjson.dumps({"kinds": kinds}), run))

    def end_run(self, run: int, ok: bool, report: dict[str, Any], at: float) -> None:
        with self._store.transaction() as t:
            t.execute(
                "UPDATE run SET ended_at = ?, ok = ?, report = ? WHERE id = ?", (at, ok, orjson.dumps(report), run)
            )
            t.executemany(
                "INSERT OR REPLACE INTO last_run VALUES (?, ?)", [(name, run) for name in report.get("mappings", ())]
            )

    def runs(self, before: int | None, limit: int) -> list[RunRow]:
        """What was done, newest first, from below that number on."""
        rows = self._store.rows(
            "SELECT id, command, started_at, ended_at, ok, report FROM run WHERE ? IS NULL OR id < ?"
            " ORDER BY id DESC LIMIT ?",
            (before, before, limit),
        )
        return [
            RunRow(id, command, began, ended, None if ok is None else bool(ok), orjson.loads(report or "{}"))
            for id, command, began, ended, ok, report in rows
        ]

    def pulse(self) -> tuple[Any, ...]:
        """Differs whenever a cycle, a person or a command left something behind: cheap to ask, tells nothing else."""
        return (
            self._store.row(
                "SELECT (SELECT max(id) FROM run), (SELECT max(ended_at) FROM run WHERE id > (SELECT max(id) FROM run) - 9),"
                " (SELECT max(seq) FROM journal), (SELECT count(*) FROM issue WHERE closed_at IS NULL),"
                " (SELECT max(version) FROM funnel), (SELECT count(*) FROM hold)"
            )
            or ()
        )

    def run_started(self, run: int) -> float:
        """When that run began; 0 for one that nobody knows."""
        row = self._store.row("SELECT started_at FROM run WHERE id = ?", (run,))
        return float(row[0]) if row else 0.0

    def report(self, run: int) -> dict[str, Any]:
        """What a run that ended wrote down; empty while it goes on."""
        row = self._store.row("SELECT report FROM run WHERE id = ? AND report IS NOT NULL", (run,))
        return dict(orjson.loads(row[0])) if row else {}

    def last_cycle(self, mapping: str) -> tuple[float, dict[str, Any]] | None:
        """(when it ended, its report) of the newest run that decided on this mapping."""
        row = self._store.row(
            "SELECT r.ended_at, r.report FROM last_run l JOIN run r ON r.id = l.run WHERE l.mapping = ?", (mapping,)
        )
        return (row[0], orjson.loads(row[1])) if row else None

    def forget_idle_run(self, run: int) -> None:
        """Drops a run of the timer that found nothing to do, once the next one ended: a year of idling is no history."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM run WHERE id = ?", (run,))
            for (name,) in t.execute("SELECT mapping FROM last_run WHERE run = ?", (run,)).fetchall():
                # Rare: the next run looked at other mappings only.
                t.execute(
                    "INSERT OR REPLACE INTO last_run SELECT ?1, coalesce(max(id), 0) FROM run WHERE report IS NOT NULL"
                    " AND instr(CAST(report AS TEXT), ?2)",
                    (name, orjson.dumps(name).decode() + ":{"),
                )

    def add_calls(self, system: str, day: str, lane: str, n: int) -> None:
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO calls (system, day, lane, n) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (system, day, lane) DO UPDATE SET n = n + excluded.n",
                (system, day, lane, n),
            )

    def calls(self, system: str, day: str, lane: str | None = None) -> int:
        """Calls of one day (UTC), of one lane or all. "sweep": those that looked for what no feed tells."""
        row = self._store.row(
            "SELECT sum(n) FROM calls WHERE system = ? AND day = ? AND (? IS NULL OR lane = ?)",
            (system, day, lane, lane),
        )
        return int((row and row[0]) or 0)

    def keep_quota(self, system: str, day: str, at: float, limit: int | None, remaining: int | None) -> None:
        """Writes down what the vendor said last; a new day begins its own count."""
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO quota (system, day, since, vendor_limit, vendor_remaining, vendor_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (system) DO UPDATE SET since = CASE WHEN day = excluded.day THEN since ELSE excluded.since"
                " END, day = excluded.day, vendor_limit = coalesce(excluded.vendor_limit, vendor_limit),"
                " vendor_remaining = coalesce(excluded.vendor_remaining, vendor_remaining),"
                " vendor_at = coalesce(excluded.vendor_at, vendor_at)",
                (system, day, at, limit, remaining, None if remaining is None else at),
            )

    def quota(self, system: str) -> Quota | None:
        """What was written down last of that system's day; None: nothing yet."""
        row = self._store.row(
            "SELECT day, since, vendor_limit, vendor_remaining, vendor_at FROM quota WHERE system = ?", (system,)
        )
        return Quota(*row) if row else None

    # ------------------------------------------------ parity

    def keep_parity(self, run: int, mapping: str, at: float, whole: bool, rows: list[tuple[Any, ...]]) -> None:
        """Keeps a comparison's figure: rows of (forms, field, agree, by_rule, in_flight, drift, unreadable)."""
        with self._store.transaction() as t:
            t.executemany(
                "INSERT OR REPLACE INTO parity (run, mapping, at, whole, forms, field, agree, by_rule, in_flight, drift,"
                " unreadable) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(run, mapping, at, whole, *row) for row in rows],
            )

    def parity(self, mapping: str | None, limit: int) -> list[tuple[Any, ...]]:
        """Figures that were kept, newest first: (run, mapping, at, whole, agree, by_rule, in_flight, drift, unreadable)."""
        return self._store.rows(
            "SELECT run, mapping, max(at), max(whole), sum(agree), sum(by_rule), sum(in_flight), sum(drift),"
            " sum(unreadable) FROM parity WHERE (? IS NULL OR mapping = ?) GROUP BY run, mapping"
            " ORDER BY max(at) DESC LIMIT ?",
            (mapping, mapping, limit),
        )

    # ------------------------------------------------ effects of a rolling day (guards)

    def effects_since(self, mapping: str, since: float) -> dict[str, int]:
        """How many effects of each kind were decided to be sent since then, from the runs' own reports."""
        totals: dict[str, int] = {}
        for (report,) in self._store.rows(
            "SELECT report FROM run WHERE started_at >= ? AND report IS NOT NULL", (since,)
        ):
            for kind, n in orjson.loads(report).get("kinds", {}).get(mapping, {}).items():
                totals[kind] = totals.get(kind, 0) + n
        return totals

    # ------------------------------------------------ backfills

    def start_backfill(self, mapping: str, doc: dict[str, Any], place: dict[str, Any], at: float) -> int:
        with self._store.transaction() as t:
            return int(
                t.execute(
                    "INSERT INTO backfill (mapping, doc, state, place, started_at) VALUES (?, ?, 'open', ?, ?)"
                    " RETURNING id",
                    (mapping, orjson.dumps(doc), orjson.dumps(place), at),
                ).fetchone()[0]
            )

    def open_backfill(self, mapping: str, doc: dict[str, Any]) -> Backfill | None:
        """An unfinished backfill with the same choice of records."""
        row = self._store.row(
            "SELECT id, mapping, doc, state, place, started_at FROM backfill WHERE mapping = ? AND doc = ?"
            " AND state = 'open'",
            (mapping, orjson.dumps(doc)),
        )
        return Backfill(*[*row[:2], orjson.loads(row[2]), row[3], orjson.loads(row[4]), row[5]]) if row else None

    def move_backfill(self, id: int, place: dict[str, Any]) -> None:
        with self._store.transaction() as t:
            t.execute("UPDATE backfill SET place = ? WHERE id = ?", (orjson.dumps(place), id))

    def end_backfill(self, id: int, at: float) -> None:
        with self._store.transaction() as t:
            t.execute("UPDATE backfill SET state = 'done', ended_at = ? WHERE id = ?", (at, id))
