"""The ledger's keeping: backups taken beside a running daemon, proof that a file is whole, restoring, and compacting.

Promise: a backup is one consistent moment, whole and proved before it gets its name, and readable only by us. Restoring
never destroys what it replaces. What a restored ledger may do is not decided here (`epoch`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from syncd.errors import LedgerError, LedgerFull, no_room
from syncd.ledger.journal import Journal
from syncd.ledger.store import Store

PAGES = 2_000
"""Pages copied between two signs of progress (8 MiB)."""

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a ledger: it belongs to that file, and to no other."""

Progress = Callable[[int, int], None]
"""(pages done, pages in all)"""


class Verdict(msgspec.Struct, frozen=True):
    """What a look at a whole ledger file said. `flaws`: empty, it holds."""

    path: Path
    size_bytes: int
    entries: int
    """Of the journal."""
    flaws: list[str]

    @property
    def holds(self) -> bool:
        return not self.flaws


def verify(path: Path) -> Verdict:
    """Proves a ledger file: SQLite's own check, foreign keys, the journal's chain, and that no intent, link or base
    contradicts another. Raises LedgerError where it cannot even be opened."""
    store = Store.open(path, read_only=True, older=True)
    try:
        flaws = [f"the file: {row[0]}" for row in store.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
        if not flaws:
            flaws += [f"table {row[0]}: a row points nowhere" for row in store.rows("PRAGMA foreign_key_check")[:20]]
            flaws += [what for what, sql in _MUST_BE_NONE if store.row(sql) is not None]
        entries, broken = (0, None) if flaws else Journal(store).verify()
        if broken is not None:
            flaws.append(f"the journal: entry {broken} was changed, or one before it is missing")
    finally:
        store.close()
    return Verdict(path, path.stat().st_size, entries, flaws)


_MUST_BE_NONE = (
    (
        "an intent is in a state that nobody knows",
        "SELECT 1 FROM intent WHERE state NOT IN ('planned', 'held', 'asked', 'ready', 'sent', 'answered') LIMIT 1",
    ),
    ("an answered intent has no record", "SELECT 1 FROM intent WHERE state = 'answered' AND key IS NULL LIMIT 1"),
    ("an intent left without a time", "SELECT 1 FROM intent WHERE state = 'sent' AND sent_at IS NULL LIMIT 1"),
    (
        "a link has not two ends",
        "SELECT 1 FROM link l WHERE (SELECT count(*) FROM link_side s WHERE s.link = l.id) != 2 LIMIT 1",
    ),
)
"""What can only be if somebody else wrote the file: what it says, and a query that finds nothing in a sound ledger."""


def backup(ledger: Path, to: Path, progress: Progress = lambda done, total: None) -> Verdict:
    """Copies the ledger as it is at one moment, also while others use it, to the new file `to` (mode 0600).

    The copy is proved before it gets its name; on any trouble nothing is left behind. Raises LedgerError if there is no
    ledger, `to` exists already or the copy does not hold; LedgerFull where there is no room.
    """
    if to.exists():
        raise LedgerError(f"{to} exists already; nothing was overwritten.", remedy="Name another file.")
    fresh = to.with_name(to.name + ".part")
    Store.open(ledger, read_only=True).close()  # says what is wrong with it, if anything is
    with _in_our_words(to):
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(ledger, fresh, progress)
        verdict = verify(fresh)
        if not verdict.holds:
            _remove(fresh)
            raise LedgerError(
                f"The ledger {ledger} does not hold ({verdict.flaws[0]}): it was not backed up.",
                remedy="Keep the file, restore the newest backup, and start again.",
            )
        _durable(fresh)
        os.replace(fresh, to)
        _durable(to.parent)
    return msgspec.structs.replace(verdict, path=to)


def restore(backup_file: Path, ledger: Path, aside: Path, progress: Progress = lambda done, total: None) -> Verdict:
    """Puts a proved backup in the ledger's place; what was there is kept as `aside`. Call it with the lease held and
    the ledger closed. Killed half-way, it leaves the old ledger, or the new one with the old one aside."""
    fresh = ledger.with_name(ledger.name + ".part")
    with _in_our_words(ledger):
        ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(backup_file, fresh, progress)
        try:
            Store.open(fresh).close()  # a backup of an older syncd is brought up to date first
            verdict = verify(fresh)
            if not verdict.holds:
                raise LedgerError(
                    f"The backup {backup_file} does not hold: {verdict.flaws[0]}. Nothing was changed.",
                    remedy="Take an older backup.",
                )
        except BaseException:
            _remove(fresh)
            raise
        _durable(fresh)
        if ledger.exists():
            with suppress(sqlite3.Error), closing(sqlite3.connect(ledger, isolation_level=None)) as old:
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the file aside is whole by itself
            for end in BESIDE:
                if (beside := Path(f"{ledger}{end}")).exists():
                    os.replace(beside, f"{aside}{end}")
            os.replace(ledger, aside)
        os.replace(fresh, ledger)
        _durable(ledger.parent)
    return msgspec.structs.replace(verdict, path=ledger)


def compact(ledger: Path) -> tuple[int, int]:
    """Gives room that is not needed any more back to the disk: (bytes before, bytes after). Call it with the lease held
    and the ledger closed; it needs as much free disk again as the ledger takes. Killed half-way, nothing changed."""
    before = ledger.stat().st_size
    with _in_our_words(ledger), closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, ledger.stat().st_size


def _copy(source: Path, to: Path, progress: Progress) -> None:
    _remove(to)
    os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(to)) as new,
        ):
            tables = {row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"fact", "link", "journal"} <= tables:
                raise LedgerError(f"{source} is no ledger of syncd.", remedy="Name a file that `ledger backup` made.")
            old.backup(new, pages=PAGES, progress=lambda status, left, total: progress(total - left, total))
            new.execute("PRAGMA journal_mode = DELETE")  # a backup is one file
    except BaseException:
        _remove(to)
        raise


def _remove(file: Path) -> None:
    for end in ("", *BESIDE, "-journal"):
        Path(f"{file}{end}").unlink(missing_ok=True)


def _durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        said: Any = error.strerror if isinstance(error, OSError) else error
        if "full" in str(error) or "disk I/O" in str(error) or no_room(error):
            raise LedgerFull(f"There is no room for {path}: {said}.", remedy="Free space on that disk.") from error
        raise LedgerError(
            f"{path} could not be written: {said}.", remedy="Check the path and its permissions."
        ) from error
