"""What the daemon's one worker does, a piece at a time: cycles, requests of other commands, slices of a backfill.

Promise: one piece at a time over one ledger, and none of them longer than it must be: a cycle keeps its time beside any
backfill. Trouble with a system is a pause for that system, a full disk a pause for all, and a bug is told and counted.
It keeps no time itself: `daemon` calls it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from syncd.alerts import matters
from syncd.alerts.post import Post
from syncd.breaker import Breaker
from syncd.core.model import SIDES
from syncd.cycle import cycle
from syncd.errors import AccessError, ConfigError, Fault, LedgerError, LedgerFull, SyncdError, Transient
from syncd.ledger.inbox import Request
from syncd.reload import Watched, read_again
from syncd.request import in_words, refused, serve
from syncd.run import Run
from syncd.session import Session
from syncd.slices import SLICED, Sliced

MOST_CRASHES = 5
"""So many cycles in a row that end in a bug of ours: start anew, and let the service manager count."""
SLICE_S = 1.0
"""How long a backfill may keep the worker before it looks at what else is due."""
KEEP_REQUESTS_S = 7 * 86_400.0
TIDY_EVERY_S = 3_600.0
POST_EVERY_S = 1.0
"""Between two looks at what is to be told."""
SAMPLE = 2_000
"""Pairs that the regular comparison of a mapping looks at, about: some forty calls."""


@dataclass
class Work:
    """`monotonic`: seconds that only go forward. `stop`: true once the process was told to stop."""

    session: Session
    environ: Mapping[str, str]
    monotonic: Callable[[], float]
    stop: Callable[[], bool]
    breakers: dict[str, Breaker] = field(default_factory=dict)
    crashes: int = 0
    full: bool = False
    fatal: SyncdError | None = None
    """Set when going on makes no sense: what the process ends with."""
    _watched: Watched = field(init=False)
    _post: Post = field(init=False)
    _posted_s: float = float("-inf")
    _backfill: _Slices | None = None
    _queue: deque[Request] = field(default_factory=deque)
    _held: set[str] = field(default_factory=set)
    _uneventful: int | None = None
    _tidied_s: float = float("-inf")

    def __post_init__(self) -> None:
        self._watched = Watched(self.session.files)
        self._post = Post(self.session)
        self._make_breakers()
        self.session.tell_broken()

    def _make_breakers(self) -> None:
        random = self.session.clock.random
        self.breakers = {
            name: self.breakers.get(name) or Breaker(system.timing.retry_s, system.timing.retry_max_s, random)
            for name, system in self.session.systems.items()
        }

    # ------------------------------------------------------------ cycles

    def cycle(self) -> None:
        """One pass of all mappings. Ends in no exception: what went wrong is told, and counted where it must be."""
        event = self.session.event
        try:
            self._cycle()
            self.crashes = 0
            if self.full:
                self.full = False
                event("disk_has_room")
        except LedgerFull as error:
            if not self.full:
                event("disk_full", reason=error.message)
            self.full = True
        except LedgerError as error:
            self.fatal = error
        except Fault as error:
            self._crashed(error)
        except SyncdError as error:
            event("cycle_failed", reason=error.message)
        except Exception as error:
            self._crashed(error)
        with suppress(SyncdError):  # what ails the ledger was told above
            matters.look(self.session, full=self.full, crashes=self.crashes)

    def _cycle(self) -> None:
        names = self.session.files.named(None)
        left_alone = self._leave_alone()
        with self.session.run("run", names, stop=self.stop, fresh=False) as run:
            cycle(run, self.session.files.mappings, names)
        if not self.stop():
            self._learn(left_alone)
        self._tell(run)
        self._tidy(run)

    def _crashed(self, error: Exception) -> None:
        self.crashes += 1
        self.session.event("cycle_crashed", exc_info=error, in_a_row=self.crashes)
        if self.crashes >= MOST_CRASHES:
            self.fatal = Fault(f"{self.crashes} cycles in a row ended in a fault of ours", remedy="Report it.")

    def _leave_alone(self) -> set[str]:
        """Marks the systems whose pause is not over; the others that failed are asked once who they are: the probe."""
        now, alone = self.monotonic(), set()
        for name, system in self.session.systems.items():
            breaker = self.breakers[name]
            left_s = breaker.left_s(now)
            if left_s > 0:
                system.trouble = f"left alone for {left_s:.0f} s more: {breaker.reason}"
                alone.add(name)
                continue
            system.trouble, system.failure = "", None
            if breaker.failures:
                system.account = None
        return alone

    def _learn(self, left_alone: set[str]) -> None:
        needed = self.session.files.systems_of(self.session.files.named(None))
        for name, system in self.session.systems.items():
            breaker = self.breakers[name]
            if name in left_alone or name not in needed:
                continue
            if system.trouble:
                pause_s = breaker.failed(system.failure, self.monotonic())
                self.session.event("system_held", system=name, pause_s=round(pause_s, 3), failures=breaker.failures)
            elif breaker.failures:
                self.session.event("system_back", system=name, after=breaker.failures)
                breaker.worked()

    def _tell(self, run: Run) -> None:
        for name, tally in run.tallies.items():
            writes = {side: dict(counts) for side, counts in tally.writes.items() if counts}
            if tally.held and name not in self._held:
                self.session.event("plan_held", mapping=name)
            (self._held.add if tally.held else self._held.discard)(name)
            self.session.event(
                "cycle",
                mapping=name,
                moved=tally.moved,
                writes=writes,
                outcomes=dict(tally.outcomes),
                waiting=tally.waiting,
                **({"skipped": tally.skipped} if tally.skipped else {}),
            )

    def _tidy(self, run: Run) -> None:
        """Keeps the books small: of cycles in which nothing happened only the newest is remembered."""
        uneventful = not any(tally.moved or any(tally.writes.values()) for tally in run.tallies.values())
        if uneventful and self._uneventful is not None:
            self.session.ledger.books.forget_idle_run(self._uneventful)
        self._uneventful = run.id if uneventful else None
        if self.monotonic() - self._tidied_s >= TIDY_EVERY_S:
            self._tidied_s = self.monotonic()
            self.session.ledger.inbox.forget_requests(self.session.clock.now() - KEEP_REQUESTS_S)
            self._post.prune()
            self._compare_if_due()

    def _compare_if_due(self) -> None:
        """At the `parity` interval of its systems, a sample of each mapping is compared, in slices, as if asked for."""
        now, ledger = self.session.clock.now(), self.session.ledger
        for name, mapping in self.session.files.mappings.by_name.items():
            systems = [self.session.systems[mapping.end(side).system] for side in SIDES]
            every_s = min(system.table.sweep.parity for system in systems)
            last = ledger.books.parity(name, 1)
            version = ledger.books.mapping(name)
            since = last[0][2] if last else version.approved_at if version else None
            if since is not None and now - since >= every_s:
                ledger.inbox.ask("parity", {"mapping": name, "sample": SAMPLE}, now)

    # ------------------------------------------------------------ edited files

    def refresh(self, *, asked: bool = False) -> bool:
        """Puts edited files in force. `asked`: by SIGHUP, whatever was edited. True if something was read anew."""
        if not asked and not self._watched.edited():
            return False
        before = self.session.files
        files = read_again(before, self.environ)
        try:
            if asked or files.settings.systems != before.settings.systems:
                self._put_aside()
                self.session.reconnect(files)
                self._make_breakers()
            else:
                changed = {name: one.digest for name, one in files.mappings.every().items()} != {
                    name: one.digest for name, one in before.mappings.every().items()
                }
                if changed:
                    self._put_aside()
                self.session.files = files
        except ConfigError as error:
            wrong = {files.settings.file.name: tuple(error.problems)}
            self.session.files = replace(files, settings=before.settings, broken={**files.broken, **wrong})
        files = self.session.files
        self._watched.take(files)
        self.session.tell_broken()
        self.session.event("reloaded", mappings=list(files.mappings.every()), invalid=list(files.broken))
        return True

    # ------------------------------------------------------------ requests and backfills

    def serve(self) -> None:
        """Carries out what other commands asked for, and a slice of the backfill under way. Ends in no exception."""
        try:
            for request in self.session.ledger.inbox.asked():
                if self.stop():
                    return
                self._take(request)
            if self._backfill is None and self._queue:
                self._backfill = _Slices(self, self._queue.popleft())
            if self._backfill is not None and not self._backfill.go_on():
                self._backfill = None
            if self.monotonic() - self._posted_s >= POST_EVERY_S:
                self._posted_s = self.monotonic()
                self._post.turn()
        except LedgerError as error:
            self.fatal = error
        except SyncdError as error:
            self.session.event("request_failed", reason=error.message)
        except Exception as error:
            self._crashed(error)

    def _take(self, request: Request) -> None:
        mine = [*self._queue, *([self._backfill.request] if self._backfill else [])]
        if request.id in {one.id for one in mine}:
            if request.state == "stop":
                self._give_up(request)
            return
        if request.state == "stop":
            self.session.ledger.inbox.done(request.id, {"facts": {}, "exit": 1}, self.session.clock.now())
            return
        self.session.event("request", kind=request.kind, id=request.id)
        serve(self.session, request, self.stop, self._queue.append)

    def _give_up(self, request: Request) -> None:
        """Whoever asked for this backfill does not want it any more; its place is kept."""
        if self._backfill is not None and self._backfill.request.id == request.id:
            self._backfill.close()
            self._backfill = None
        self._queue = deque(one for one in self._queue if one.id != request.id)
        self.session.ledger.inbox.done(request.id, {"facts": {}, "exit": 1}, self.session.clock.now())

    def _put_aside(self) -> None:
        """Before files change under it: the backfill begins anew from its kept place."""
        if self._backfill is not None:
            self._backfill.close()
            self._queue.appendleft(self._backfill.request)
            self._backfill = None

    def close(self) -> None:
        """Ends what is under way; all places are kept."""
        with suppress(SyncdError):
            self._put_aside()


class _Slices:
    """Long work that was asked for, carried out in slices, with pauses of its own after trouble."""

    def __init__(self, work: Work, request: Request) -> None:
        self.request = request
        self._work = work
        self._breaker = Breaker(1.0, 300.0, work.session.clock.random)
        self._doing: Sliced | None = None
        self._stack = ExitStack()

    def go_on(self) -> bool:
        """A slice; False when it is over and answered."""
        work, now = self._work, self._work.monotonic()
        if self._breaker.left_s(now) > 0:
            return True
        try:
            if self._slice(now + SLICE_S):
                return True
            assert self._doing is not None
            answer = in_words(self._doing.answer())
        except (Transient, AccessError) as error:
            work.session.event(f"{self.request.kind}_held", reason=error.message)
            self._breaker.failed(error, now)
            self.close()
            return True
        except SyncdError as error:
            answer = refused(error)
        self.close()
        work.session.ledger.inbox.done(self.request.id, answer, work.session.clock.now())
        return False

    def _slice(self, until_s: float) -> bool:
        work = self._work
        if self._doing is None:
            session = work.session
            kind = self.request.kind
            doing = SLICED[kind](session, self.request.doc, work.stop)
            run = self._stack.enter_context(session.run(kind, doing.names, stop=work.stop, fresh=False))
            doing.begin(run)
            self._doing = doing
        work.session.room()
        more = self._doing.step()
        while more and not work.stop() and work.monotonic() < until_s:
            more = self._doing.step()
        self._breaker.worked()
        if self._doing.reached:
            work.session.ledger.inbox.progress(self.request.id, self._doing.reached)
        return more

    def close(self) -> None:
        """Lets go of the run; the backfill's own place is in the ledger."""
        self._doing = None
        with suppress(SyncdError):
            self._stack.close()
        self._stack = ExitStack()
