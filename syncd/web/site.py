"""What pages stand on: the files in force, the ledger opened to read, sessions, acts, and the clock.

Promise: a page never keeps the ledger open and never writes to it. Edited files are taken up within a second; files
that are not valid leave the last valid ones standing, as in the daemon.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from syncd.access import Dashboard, refuse_strangers
from syncd.answer import Answer, Watch
from syncd.assembly import Clock, Connected, connect
from syncd.errors import ConfigError, SyncdError
from syncd.files import Files, Signature, read_files, signature
from syncd.ledger import Ledger
from syncd.request import carry_out
from syncd.session import open_to_read
from syncd.web.acts import Acts
from syncd.web.sessions import Sessions, Tries

LOOK_S = 1.0
"""Between two looks whether a file was edited."""


def silent(name: str, **facts: Any) -> None:
    """Events that nobody listens to."""


@dataclass
class Site:
    """`files`: as first read. `dashboard`: who may enter, as the file says now; where it listens stays for the life of the
    process."""

    files: Files
    environ: Mapping[str, str]
    dashboard: Dashboard
    clock: Clock = field(default_factory=Clock)
    event: Callable[..., None] = silent
    chance: Callable[[int], bytes] = os.urandom
    sessions: Sessions = field(init=False)
    tries: Tries = field(init=False)
    acts: Acts = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _looked_s: float = float("-inf")
    _known: Signature = ()
    _systems: dict[str, Connected] | None = None

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.chance)
        self.tries = Tries()
        self.acts = Acts(self._carry_out, self.event)
        self._known = signature(self.files.settings)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger for one page. LedgerError where there is none yet."""
        ledger = open_to_read(self.files.settings)
        try:
            yield ledger
        finally:
            ledger.close()

    def in_force(self) -> Files:
        """The files as they stand now, or as they were last valid."""
        with self._lock:
            now_s = self.clock.monotonic()
            if now_s - self._looked_s >= LOOK_S:
                self._looked_s = now_s
                seen = signature(self.files.settings)
                if seen != self._known:
                    self._known = seen
                    try:
                        self.files = read_files(self.files.settings.file, self.environ)
                        self._systems = None
                        self._let_in()
                    except SyncdError as error:
                        self.event("dashboard_files_invalid", reason=error.message)
            return self.files

    def _let_in(self) -> None:
        """Users, roles and names as the file says now. One that would open an address to everybody counts for nothing."""
        now = self.files.settings.dashboard
        try:
            if not now.has_doors:
                refuse_strangers(self.dashboard.listen)
        except ValueError as error:
            self.event("dashboard_files_invalid", reason=str(error))
            return
        self.dashboard = now.model_copy(update={"listen": self.dashboard.listen})

    def zone(self) -> tzinfo:
        """Whose wall clock pages show: the agreement's."""
        funnel = self.files.mappings.funnel
        return funnel.agreement.zone if funnel else UTC

    def systems(self) -> dict[str, Connected]:
        """The connected systems for what they know of themselves: no call is made. None where a secret is missing."""
        files = self.in_force()
        with self._lock:
            if self._systems is None:
                try:
                    self._systems = connect(files.settings, None, self.clock)
                except ConfigError:
                    self._systems = {}
            return self._systems

    def _carry_out(self, kind: str, doc: dict[str, Any]) -> Answer:
        return carry_out(self.in_force(), kind, doc, Watch(), clock=self.clock, event=silent)
