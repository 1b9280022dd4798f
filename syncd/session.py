"""The one process that may act on a ledger: its lease, its ledger, its connected systems, and the runs it makes.

Promise: whatever a command or the daemon does to the world, it does through a `Session`, so two of them never act on
one ledger at once; every run is written into the books with its calls, however it ends. It decides nothing: what a run
does is said by its caller (`deeds`, `daemon`).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd import safemode
from syncd.assembly import Clock, Connected, connect, identify
from syncd.core.guard import Limit, Limits
from syncd.core.problem import as_lines
from syncd.cycle import as_json
from syncd.errors import (
    EXIT_OK,
    EXIT_PERSON,
    EXIT_TRANSIENT,
    AccessError,
    LeaseHeld,
    LedgerError,
    LedgerFull,
    PersonNeeded,
    SyncdError,
    Transient,
    WrongAccount,
    no_room,
)
from syncd.files import Files
from syncd.ledger import Lease, Ledger
from syncd.run import Event, Run
from syncd.settings import Settings

if TYPE_CHECKING:
    from syncd.settings import Guard

LEASE_TRIES = 4
"""A look at who holds the lease takes it for a moment: a second try is not in its way."""
LEASE_PAUSE_S = 0.05
DROPPED_VALUES = 1_000
"""Values of the journal that a run erases at most, once they are older than `keep_values`."""
DAEMON = "run"
INVALID = "mapping_invalid"
"""The issue about a file that is not in force as it stands."""
MOST_PROBLEMS = 20
COMMAND_S = 30.0
"""How long a starting daemon waits for another command to end."""


class Stopping(Transient):
    """The process was told to stop while a call waited for its turn; nothing is wrong with the system."""


def open_to_read(settings: Settings) -> Ledger:
    """The ledger for a command that only looks: always possible, also beside a daemon."""
    return Ledger.open(settings.daemon.ledger, read_only=True)


def _with_remedy(system: Connected) -> str:
    remedy = getattr(system.failure, "remedy", "")
    return f"{system.trouble} — {remedy}" if remedy else system.trouble


def take_lease(ledger: Path, what: str, sleep: Callable[[float], None] = time.sleep) -> Lease:
    """The sending lease, or LeaseHeld naming its holder. LedgerError where its place cannot be written, LedgerFull while there is no room."""
    left = LEASE_TRIES
    while True:
        try:
            return Lease.take(ledger, what=what)
        except LeaseHeld as held:
            if what == DAEMON and f"`syncd {DAEMON}`" not in held.message and left == LEASE_TRIES:
                # A daemon that starts while a command is at work waits for it: it is over soon.
                left = round(COMMAND_S / LEASE_PAUSE_S)
            left -= 1
            if left <= 0:
                raise
            sleep(LEASE_PAUSE_S)
        except OSError as error:
            said = f"The ledger {ledger} cannot be used: {error.strerror}."
            if no_room(error):
                raise LedgerFull(said, remedy="Free space on that disk; syncd goes on where it was.") from error
            raise LedgerError(
                said,
                remedy="Check [daemon] ledger in syncd.toml and who may write there.",
            ) from error


def limits_of(guard: Guard) -> Limits:
    """The guard's limits as the core takes them."""
    return {kind: Limit(**getattr(guard, kind).model_dump()) for kind in type(guard).model_fields}


@dataclass
class Session:
    """Make it with `hold`. `files` may be replaced between runs (a reload)."""

    files: Files
    clock: Clock
    event: Event
    ledger: Ledger
    systems: dict[str, Connected]
    on_call: Callable[..., None] | None = None
    ended: Run | None = None
    """The last run, ended."""
    _told: Files | None = None

    @classmethod
    @contextmanager
    def hold(
        cls,
        files: Files,
        what: str,
        *,
        clock: Clock | None = None,
        event: Event = lambda name, **facts: None,
        on_call: Callable[..., None] | None = None,
    ) -> Iterator[Session]:
        """Takes the lease, opens the ledger, connects the systems (no call leaves yet), and gives all of it back.

        Raises LeaseHeld, LedgerError, or ConfigError (a secret is missing, a connector refuses its settings).
        """
        clock = clock or Clock()
        with ExitStack() as stack:
            lease = take_lease(files.settings.daemon.ledger, what)
            stack.callback(lease.release)
            try:
                ledger = Ledger.open(files.settings.daemon.ledger)
            except OSError as error:
                raise LedgerError(
                    f"The ledger {files.settings.daemon.ledger} cannot be opened: {error.strerror}.",
                    remedy="Check [daemon] ledger in syncd.toml and who may write there.",
                ) from error
            stack.callback(ledger.close)
            session = cls(files, clock, event, ledger, {}, on_call)
            if (why := ledger.epoch.begin()) is not None:
                safemode.enter(ledger, [*files.mappings.by_name, *ledger.books.mapping_names()], why, clock.now())
                event("safe_mode", reason=why)
            session.reconnect(files)
            stack.callback(session.disconnect)
            yield session

    # ------------------------------------------------------------ systems

    def reconnect(self, files: Files) -> None:
        """Puts other files in force, with fresh connections. On ConfigError everything stays as it was."""
        fresh = connect(files.settings, self.ledger, self.clock, self.on_call)
        self.disconnect()
        self.files, self.systems = files, fresh

    def disconnect(self) -> None:
        """Ends all connections."""
        for system in self.systems.values():
            self._count_calls(system)
            with suppress(Exception):  # nothing that a connector does at its end may cost us the ledger's
                system.connector.close()

    def identify(self, names: Sequence[str]) -> None:
        """Asks each system that these mappings need which account it is, and what its objects can do; what cannot say
        it, is in trouble."""
        ends = self.files.mappings.ends(names)
        for name in sorted({end.system for end in ends}):
            system = self.systems[name]
            if system.trouble:
                continue
            try:
                identify(system, self.ledger, self.clock.now())
                for form in sorted({form for end in ends if end.system == name for form in end.forms}):
                    system.traits(form)  # may cost a call the first time: better here than in the middle of a cycle
            except (Transient, AccessError, WrongAccount) as error:
                system.trouble, system.failure = error.message, error
                self.event("system_trouble", system=name, reason=error.message)

    # ------------------------------------------------------------ files

    def tell_broken(self) -> None:
        """Raises an issue for every file that is not in force as it stands, and closes those that were mended."""
        if self._told is self.files:
            return
        inbox, now = self.ledger.inbox, self.clock.now()
        with self.ledger.transaction():
            for issue in inbox.issues(kind=INVALID):
                if issue.mapping not in self.files.broken:
                    inbox.close_issues(now, id=issue.id)
            for name, problems in self.files.broken.items():
                said = [str(problem) for problem in problems[:MOST_PROBLEMS]]
                reason = as_lines(problems[:MOST_PROBLEMS])
                remedy = f"Mend the file; until then {self.files.instead(name)}."
                inbox.raise_issue(INVALID, name, reason, remedy, now)
                self.event("mapping_invalid", mapping=name, problems=said)
        self._told = self.files

    # ------------------------------------------------------------ runs

    def room(self) -> None:
        """Raises LedgerFull where less disk is free than `min_free`: no intent can be kept, so nothing may be sent."""
        daemon = self.files.settings.daemon
        free = free_bytes(daemon.ledger)
        if free < daemon.min_free:
            raise LedgerFull(
                f"Only {free >> 20} MiB are free beside the ledger {daemon.ledger}, less than"
                f" {daemon.min_free >> 20} MiB: nothing is sent.",
                remedy="Free space on that disk; syncd goes on where it was.",
            )

    @contextmanager
    def run(
        self, command: str, names: Sequence[str], *, stop: Callable[[], bool] = lambda: False, fresh: bool = True
    ) -> Iterator[Run]:
        """One run in the books: begun, its systems identified; ended with its tallies and calls, also when it fails.

        `fresh`: what was in trouble before may be tried again.
        """
        self.room()
        self.tell_broken()
        if fresh:
            for system in self.systems.values():
                system.trouble, system.failure = "", None
        run = Run(
            self.ledger,
            self.systems,
            self.clock.now,
            self.event,
            limits_of(self.files.settings.guard),
            sleep=self.clock.sleep,
            stop=stop,
        )
        run.id = self.ledger.books.begin_run(command, self.clock.now())
        before = {name: system.calls() for name, system in self.systems.items()}
        self.ended = run
        try:
            self.identify(names)
            yield run
        except BaseException:
            with suppress(SyncdError):  # a full disk, most likely: the first error is the one to tell
                self._end(run, names, before, ok=False)
            raise
        self._end(run, names, before, ok=self.exit_code(run, names) == EXIT_OK)

    def _end(self, run: Run, names: Sequence[str], before: Mapping[str, int], *, ok: bool) -> None:
        calls = {name: system.calls() - before[name] for name, system in self.systems.items()}
        report = as_json(run, calls, ok)
        report["kinds"] = {name: dict(tally.kinds) for name, tally in run.tallies.items()}
        report["trouble"] = {
            name: _with_remedy(self.systems[name])
            for name in sorted(self.files.systems_of(names))
            if self.systems[name].trouble and not isinstance(self.systems[name].failure, Stopping)
        }
        with self.ledger.transaction():
            for system in self.systems.values():
                self._count_calls(system)
            self.ledger.books.end_run(run.id or 0, ok, report, self.clock.now())
            kept_since = self.clock.now() - self.files.settings.daemon.keep_values
            self.ledger.journal.drop_values(kept_since, DROPPED_VALUES)
        if any(tally.outcomes for tally in run.tallies.values()):
            self.ledger.epoch.advance()

    def _count_calls(self, system: Connected) -> None:
        sent = system.calls() - system.counted
        if sent > 0:
            with suppress(SyncdError):
                day = time.strftime("%Y-%m-%d", time.gmtime(self.clock.now()))
                self.ledger.books.add_calls(system.name, day, "all", sent - system.swept)
                self.ledger.books.add_calls(system.name, day, "sweep", system.swept)
                said = system.budget.snapshot()
                self.ledger.books.keep_quota(
                    system.name, day, self.clock.now(), said["vendor_limit"], said["vendor_remaining"]
                )
                system.counted, system.swept = system.counted + sent, 0

    def report(self, run: Run) -> dict[str, Any]:
        """What `once --json` prints about an ended run."""
        last = self.ledger.books.report(run.id or 0)
        return {name: last[name] for name in ("run", "ok", "mappings", "calls", "trouble")}

    def broken(self) -> dict[str, dict[str, Any]]:
        """What `once --json` prints about files that are not in force as they stand."""
        return {
            name: {"problems": [str(problem) for problem in problems], "instead": self.files.instead(name)}
            for name, problems in self.files.broken.items()
        }

    def exit_code(self, run: Run, names: Sequence[str]) -> int:
        """3 if a person is needed (held, access), else 1 if something may work later, else 0."""
        troubles = [self.systems[name] for name in self.files.systems_of(names) if self.systems[name].trouble]
        if any(isinstance(system.failure, PersonNeeded) for system in troubles):
            return EXIT_PERSON
        if any(tally.held or tally.stuck for tally in run.tallies.values()):
            return EXIT_PERSON
        if troubles or any(tally.skipped for tally in run.tallies.values()):
            return EXIT_TRANSIENT
        return EXIT_OK


def free_bytes(ledger: Path) -> int:
    """Free disk space where the ledger is, for us. Unknown counts as enough: the ledger itself will say."""
    for place in (ledger.parent, *ledger.parent.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return 1 << 62
