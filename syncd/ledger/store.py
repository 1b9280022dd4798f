"""One SQLite file: opened, guarded, and its transactions.

Promise: what `transaction()` returns from is on disk (WAL, synchronous FULL), or LedgerFull was raised and nothing of
it is. It knows nothing of what the tables mean.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncd.errors import LedgerError, LedgerFull, Transient
from syncd.ledger import schema

BUSY_S = 10.0
"""How long a writer waits for another process's transaction, in seconds."""
CACHE_KIB = 8192
"""SQLite's own page cache. Four times as much made sweeps 4 % cheaper: what it misses, the system's file cache holds."""

SCRUB_STEPS = 1_000_000
"""SQLite's own steps between two signs of life while the file is rewritten: a fraction of a second."""


class Store:
    """A connection to the ledger file. One writer at a time; usable from several threads, one statement at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection
        self._lock = threading.RLock()
        self._depth = 0
        self.on_commit: Callable[[], None] = lambda: None
        """Called after each transaction: a sign of life for whoever watches."""

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, older: bool = False) -> Store:
        """Opens the ledger; creates it (mode 0600) and brings its tables up to date unless read-only. `older`: one of an
        earlier format may be read as it is, by who asks only for what every format has.

        Raises LedgerError when the file is missing (read-only), damaged, unreadable or from a newer syncd.
        """
        if read_only and not path.exists():
            raise LedgerError(
                f"There is no ledger at {path} yet.", remedy="Run `syncd once` or `syncd run` first; they create it."
            )
        try:
            connection = _connect(path, read_only=read_only)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > schema.VERSION:
                raise LedgerError(
                    f"The ledger {path} was written by a newer syncd (its format is {version}, this one knows"
                    f" {schema.VERSION}).",
                    remedy="Install that newer version again, or restore the backup made before the upgrade.",
                )
            if version < schema.VERSION:
                if read_only and not older:
                    raise LedgerError(
                        f"The ledger {path} is from an older syncd (format {version}).",
                        remedy="Start `syncd run` or `syncd once`: it brings the ledger up to date.",
                    )
                if not read_only:
                    _migrate(connection)
        except sqlite3.Error as error:
            raise _translated(error, path) from error
        return cls(path, connection, read_only=read_only)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable on return. Nested calls join the outermost one."""
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._depth = 1
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                    self.on_commit()
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise _translated(error, self.path) from error
            finally:
                self._depth = 0

    def rows(self, sql: str, parameters: Iterable[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Runs a query and returns all rows. For bounded results; wide reads page by rowid."""
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]
            except sqlite3.Error as error:
                raise _translated(error, self.path) from error

    def row(self, sql: str, parameters: Iterable[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
        """The first row or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def scrub(self) -> None:
        """Rewrites the file without the remains of what was deleted, and empties the log beside it. Takes a while for a
        large ledger, and as much free disk again; `on_commit` is called along the way, as a sign of life."""
        with self._lock:
            self._connection.set_progress_handler(self._alive, SCRUB_STEPS)
            try:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise _translated(error, self.path) from error
            finally:
                self._connection.set_progress_handler(None, 0)

    def _alive(self) -> int:
        self.on_commit()
        return 0

    def integrity(self) -> str:
        """SQLite's own word on the file: `ok`, or what is damaged."""
        return str(self.rows("PRAGMA quick_check")[0][0])


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    else:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made with the right mode from the first byte: people's data is about to be in it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    schema.migrations().apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")


def _translated(error: sqlite3.Error, path: Path) -> Exception:
    """SQLite's errors by what to do next."""
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return LedgerFull(
            f"The ledger {path} could not be written: {text}. Nothing was sent that is not on disk.",
            remedy="Free space on that disk; syncd goes on where it was.",
        )
    if "locked" in text or "busy" in text:
        return Transient(f"The ledger {path} was busy for {BUSY_S:.0f} s.", remedy="Try again.")
    if "malformed" in text or "not a database" in text:
        return LedgerError(
            f"The ledger {path} is damaged: {text}.",
            remedy="Keep the file, restore the newest backup beside it, and start again.",
        )
    if "unable to open" in text or "readonly" in text or "permission" in text:
        return LedgerError(f"The ledger {path} cannot be opened: {text}.", remedy="Check the path and its permissions.")
    return error
