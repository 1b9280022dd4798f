"""What the daemon tells systemd: ready, reloading, stopping, still alive, and one line of status.

Promise: no call here ever raises or blocks the daemon; without $NOTIFY_SOCKET every call does nothing.
It keeps no timer: the daemon's loop calls `alive`, so that a stuck loop is seen.

Own socket code rather than the `sdnotify` package: that one takes Latin-1 only (a status with any other letter is
silently lost), reads the process's environment for itself, may block on a full socket and knows neither the watchdog's
interval nor the time that RELOADING=1 needs. What would remain of it are the six lines of `_send`.
Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping

MOST_STATUS = 500
"""Characters of a status line; systemd shows one line."""


class Notifier:
    """Speaks the notify protocol over one datagram socket. `monotonic_ns` is CLOCK_MONOTONIC, as systemd reads it."""

    def __init__(self, environ: Mapping[str, str], monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._socket: socket.socket | None = None
        self.watchdog_s = _watchdog_s(environ)
        address = environ.get("NOTIFY_SOCKET", "")
        if address[:1] not in ("/", "@"):
            return  # vsock and the like are for virtual machines' managers
        with contextlib.suppress(OSError):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)

    watchdog_s: float | None
    """Call `alive` at least twice in so many seconds; None = nobody watches."""

    def ready(self, status: str = "") -> bool:
        """Start-up, or a reload, is complete."""
        return self._send("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """One line for `systemctl status`. Counts and names of systems only, never a person's value."""
        return self._send(*_status(text))

    def alive(self) -> bool:
        """The watchdog's sign of life: call it from the loop that must not hang."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """A reload begins; `ready` ends it."""
        return self._send("RELOADING=1", f"MONOTONIC_USEC={self._monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> bool:
        """A clean stop begins."""
        return self._send("STOPPING=1", *_status(status))

    def extend(self, seconds: float) -> bool:
        """Asks for more time to start, reload or stop: a ledger migration, a long drain."""
        return self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def close(self) -> None:
        """Closes the socket. Safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> bool:
        """Whether the manager's socket took it. A lost sign of life is better than a daemon that waits for one."""
        if self._socket is None or not lines:
            return False
        try:
            self._socket.send("\n".join(lines).encode())
        except OSError:
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    # A newline would begin another assignment of the protocol.
    line = "".join(char if char.isprintable() else " " for char in text)[:MOST_STATUS]
    return (f"STATUS={line}",) if line else ()


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (usec.isdecimal() and int(usec)) or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1_000_000
