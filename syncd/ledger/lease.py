"""The sending lease: exactly one process at a time may act on a ledger.

It is a kernel lock on a file beside the ledger, so it ends with its process, however that ends. The file's text (who
and since when) is only for messages.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from syncd.errors import LeaseHeld


class Lease:
    """Held from `take` until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, ledger: Path, *, what: str) -> Lease:
        """Takes the lease or raises LeaseHeld naming the holder. `what`: the command, for the message."""
        path = ledger.with_name(ledger.name + ".lease")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise LeaseHeld(
                f"The ledger {ledger} is in use: {holder} holds its sending lease.",
                remedy="One daemon per ledger: stop that one first, or leave the work to it.",
            ) from error
        os.ftruncate(descriptor, 0)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        os.pwrite(descriptor, f"`syncd {what}` (process {os.getpid()}, since {since})".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
