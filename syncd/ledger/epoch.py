"""Which life of the ledger this is: a counter in the ledger, and a copy of it in a file beside.

Promise: a ledger that is older than the last one that was used here, or another one, is recognised when it is opened to
act (`begin`), before anything is sent. It decides nothing: what follows (safe mode) is kept in the ledger, and obeyed by
the cycle. A backup of the whole folder, marker included, is not recognised here; the keys on the remote records are
(`partners`: a record carries our key, and the ledger never heard of it).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from syncd.errors import LedgerError, LedgerFull, no_room
from syncd.ledger.store import Store

SAFE = "safe:"
"""In `meta`, before a mapping's name: why nothing of it may be sent until a person approves."""

BACKUP = "backup:"
"""In `meta`, before a file's path: when that backup was made."""


class Epoch:
    """The ledger's own identity and its counter of lives, in the `meta` table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def marker(self) -> Path:
        """The file beside the ledger. It holds no person's data."""
        return self._store.path.with_name(self._store.path.name + ".epoch")

    @property
    def id(self) -> str:
        """Names this ledger; copies and backups of it share the name. Empty before it was first used to act."""
        return self._get("ledger") or ""

    @property
    def number(self) -> int:
        """How often it was opened to act, or has sent something."""
        return int(self._get("epoch") or 0)

    def begin(self) -> str | None:
        """Begins the next life; call it with the lease held. Returns why this ledger cannot be the last one that was
        used here, or None.

        The ledger is written before the marker: a kill between the two leaves the ledger ahead, which is no alarm.
        """
        before, why = self._read(), None
        if before is not None and before[0] != self.id:
            why = (
                "the ledger that was used here last is not this one"
                if self.id
                else "the ledger that was used here is gone, and this one is new"
            )
        elif before is not None and before[1] > self.number:
            lives = before[1] - self.number
            why = f"this ledger is older than the last one that was used here, by {lives} runs"
        self._advance(max(self.number, before[1] if before else 0) + 1)
        return why

    def advance(self) -> None:
        """Something was sent: a backup that was made before is older than this ledger from here on."""
        self._advance(self.number + 1)

    def _advance(self, number: int) -> None:
        with self._store.transaction() as t:
            if not self.id:
                t.execute("INSERT OR REPLACE INTO meta VALUES ('ledger', ?)", (secrets.token_hex(8),))
            t.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (str(number),))
        self._write(number)

    # ------------------------------------------------ safe mode, by mapping

    def safe(self, mapping: str) -> str | None:
        """Why nothing of this mapping may be sent until a person approves its plan; None: it may."""
        return self._get(SAFE + mapping)

    def enter_safe(self, mappings: Sequence[str], why: str) -> None:
        """Nothing of these mappings is sent any more. The first reason is kept."""
        with self._store.transaction() as t:
            t.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", [(SAFE + name, why) for name in mappings])

    def leave_safe(self, mapping: str) -> None:
        """A person has looked, and let it go on."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM meta WHERE name = ?", (SAFE + mapping,))

    # ------------------------------------------------ backups

    def add_backup(self, file: Path, at: float) -> None:
        """Remembers where a backup lies: whoever erases a person has to know."""
        with self._store.transaction() as t:
            t.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (BACKUP + str(file), repr(at)))

    def backups(self) -> dict[Path, float]:
        """When each backup that was made of this ledger was made, by file; whether it is still there is not said."""
        rows = self._store.rows(
            "SELECT name, value FROM meta WHERE name >= ? AND name < ?", (BACKUP, BACKUP[:-1] + ";")
        )
        return {Path(name.removeprefix(BACKUP)): float(at) for name, at in rows}

    def forget_backup(self, file: Path) -> None:
        """That file is gone."""
        with self._store.transaction() as t:
            t.execute("DELETE FROM meta WHERE name = ?", (BACKUP + str(file),))

    # ------------------------------------------------ the file beside

    def _get(self, name: str) -> str | None:
        row = self._store.row("SELECT value FROM meta WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def _read(self) -> tuple[str, int] | None:
        """(ledger, epoch) of the marker. A marker that cannot be read says nothing: it is only a witness."""
        try:
            said = json.loads(self.marker.read_bytes())
            return str(said["ledger"]), int(said["epoch"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, number: int) -> None:
        """Replaces the marker in one step, so that a kill leaves the old one or the new one."""
        fresh = self.marker.with_name(self.marker.name + ".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(descriptor, json.dumps({"ledger": self.id, "epoch": number}).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(fresh, self.marker)
        except OSError as error:
            said = f"The marker {self.marker} beside the ledger cannot be written: {error.strerror}."
            if no_room(error):
                raise LedgerFull(said, remedy="Free space on that disk; syncd goes on where it was.") from error
            raise LedgerError(
                said, remedy="Check that disk and who may write there; nothing is lost, syncd goes on where it was."
            ) from error
