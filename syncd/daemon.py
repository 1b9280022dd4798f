"""`syncd run`: the one process that keeps both sides in step, for as long as it is left alone.

Promise: it holds the sending lease for all its life; told to stop, it takes no more work, finishes the calls that left,
and is gone within the drain time; the service manager hears that it is alive only while its worker really moves on.
Time and signals are here; the work itself is `work`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from syncd.assembly import Clock
from syncd.errors import EXIT_OK, LedgerError, SyncdError
from syncd.files import Files
from syncd.notify import Notifier
from syncd.run import Event
from syncd.session import Session, Stopping
from syncd.settings import Daemon as DaemonSettings
from syncd.work import Work

TICK_S = 0.1
SERVE_EVERY_S = 0.25
STILL_S = 60.0
"""Without a watchdog: after so long without a sign of life an event is written."""
STATUS_EVERY_S = 5.0


class Pages(Protocol):
    """What is served beside the daemon."""

    def end(self) -> None:
        """Stops serving."""


Serve = Callable[[Files, Mapping[str, str], Event], Pages | None]
"""Begins to serve; None: there is nothing to serve. It raises nothing: the daemon goes on all the same."""


def run(files: Files, event: Event, environ: Mapping[str, str], serve: Serve = lambda *_: None) -> int:
    """Runs until it is told to stop; returns the exit code. Raises what keeps it from starting (LeaseHeld, ...)."""
    daemon = Daemon(event, environ, serve)
    clock = Clock(sleep=daemon.sleep)
    with daemon.signals(), Session.hold(files, "run", clock=clock, event=event, on_call=daemon.on_call) as session:
        return daemon.live(session)


class Daemon:
    """The main thread: signals, timer, service manager."""

    def __init__(self, event: Event, environ: Mapping[str, str], serve: Serve = lambda *_: None) -> None:
        self._event = event
        self._serve_pages = serve
        self._environ = environ
        self._stop = threading.Event()
        self._hang_up = threading.Event()
        self._busy = threading.Lock()
        self._beat_s = time.monotonic()
        self._notifier = Notifier(environ, lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC))

    # ------------------------------------------------------------ what the worker's tools call

    def beat(self) -> None:
        """A sign of life: something moved on."""
        self._beat_s = time.monotonic()

    def on_call(self, *_: Any) -> None:
        """A request was answered, or given up."""
        self.beat()

    def sleep(self, seconds: float) -> None:
        """Waits, as long as nobody says stop. Raises Stopping then: the call that waits was not carried out."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self.beat()
            if self._stop.wait(min(left_s, 1.0)):
                raise Stopping("the daemon is stopping")

    def stopping(self) -> bool:
        """Asked between batches."""
        self.beat()
        return self._stop.is_set()

    # ------------------------------------------------------------ life

    def live(self, session: Session) -> int:
        """From ready to stopped."""
        if (said := session.ledger.store.integrity()) != "ok":
            raise LedgerError(
                f"The ledger {session.ledger.store.path} is damaged: {said[:200]}.",
                remedy="Keep the file, restore the newest backup beside it, and start again.",
            )
        session.ledger.store.on_commit = self.beat
        work = Work(session, self._environ, time.monotonic, self.stopping)
        scheduler = self._scheduler(work)
        scheduler.start()
        pages = self._serve_pages(session.files, self._environ, self._event)
        names = ", ".join(session.files.mappings.every()) or "no mapping"
        self._notifier.ready(f"started: {names}")
        self._event("started", mappings=names, process=os.getpid(), every_s=session.files.settings.daemon.every)
        try:
            self._watch(work)
        finally:
            self._stop.set()
            self._notifier.stopping("finishing what was sent")
            if pages is not None:
                pages.end()
            with suppress(Exception):
                scheduler.shutdown(wait=False)
        self._drain(session.files.settings.daemon.drain)
        work.close()
        self._notifier.close()
        if work.fatal is not None:
            raise work.fatal
        self._event("stopped")
        return EXIT_OK

    def _watch(self, work: Work) -> None:
        """Until it is time to stop: tells the service manager what is so, and only what is so."""
        watchdog_s = self._notifier.watchdog_s
        still_s = watchdog_s / 2 if watchdog_s else STILL_S
        ping_every_s = min(watchdog_s / 4, 10.0) if watchdog_s else 10.0
        pinged_s = told_s = float("-inf")
        still = False
        while work.fatal is None and not self._stop.wait(TICK_S):
            now = time.monotonic()
            if now - self._beat_s > still_s:
                if not still:
                    self._event("worker_lost", silent_s=round(now - self._beat_s, 1))
                still = True
                continue
            still = False
            if now - pinged_s >= ping_every_s:
                pinged_s = now
                self._notifier.alive()
            if now - told_s >= STATUS_EVERY_S:
                told_s = now
                self._notifier.status(status_line(work))

    def _drain(self, drain_s: float) -> None:
        """Waits for the worker; past the time it is left behind: whatever it sent is settled at the next start."""
        if self._busy.acquire(timeout=drain_s):
            self._busy.release()
            return
        self._event("drain_lost", after_s=drain_s)
        os._exit(EXIT_OK)

    def _scheduler(self, work: Work) -> Any:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # its words are about itself; ours are events
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )

        def failed(about: Any) -> None:
            work.fatal = SyncdError(f"the worker ended: {type(about.exception).__name__}")

        scheduler.add_listener(failed, EVENT_JOB_ERROR)
        pauses = Pauses(lambda: work.session.files.settings.daemon, work.session.clock.random)
        scheduler.add_job(self._piece(work.cycle), pauses, id="cycle", next_run_time=datetime.now(UTC))
        scheduler.add_job(self._piece(lambda: self._serve(work)), "interval", seconds=SERVE_EVERY_S, id="serve")
        return scheduler

    def _piece(self, work: Callable[[], None]) -> Callable[[], None]:
        """A piece of work as the scheduler's thread does it."""

        def piece() -> None:
            with self._busy:
                self.beat()
                if not self._stop.is_set():
                    work()
                self.beat()

        return piece

    def _serve(self, work: Work) -> None:
        asked = self._hang_up.is_set()
        self._hang_up.clear()
        if asked:
            self._notifier.reloading()
        try:
            work.refresh(asked=asked)
        except SyncdError as error:
            self._event("reload_failed", reason=error.message)
        finally:
            if asked:
                self._notifier.ready(status_line(work))
        work.serve()

    # ------------------------------------------------------------ signals

    def signals(self) -> Signals:
        """SIGTERM and SIGINT stop, SIGHUP reloads, for as long as the block lasts."""
        return Signals(
            {
                signal.SIGTERM: lambda *_: self._stop.set(),
                signal.SIGINT: lambda *_: self._stop.set(),
                signal.SIGHUP: lambda *_: self._hang_up.set(),
            }
        )


class Signals:
    """Signal handlers for the length of a block."""

    def __init__(self, handlers: Mapping[int, Callable[..., Any]]) -> None:
        self._handlers = handlers
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number, handler in self._handlers.items():
            self._before[number] = signal.signal(number, handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class Pauses(BaseTrigger):  # type: ignore[misc]
    """The timer of cycles: `every` after the last start, and up to `jitter` more, but never as long again: a rehearsal
    with `every = "1s"` is one. Settings may change while it runs."""

    def __init__(self, daemon: Callable[[], DaemonSettings], random: Callable[[], float]) -> None:
        self._daemon, self._random = daemon, random

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime:
        """When the next cycle starts; a start that was missed is now, once."""
        daemon = self._daemon()
        pause = timedelta(seconds=daemon.every + min(daemon.jitter, daemon.every) * self._random())
        return now if before is None else max(now, before + pause)


def status_line(work: Work) -> str:
    """One line for `systemctl status`: counts and names only."""
    session = work.session
    parts = []
    try:
        for name in session.files.mappings.by_name:
            issues = session.ledger.inbox.issue_count(name)
            held = ", held" if session.ledger.intents.held(name) else ""
            parts.append(f"{name}: {session.ledger.links.count(name)} links, {issues} issues{held}")
    except SyncdError:
        parts.append("the ledger is busy")
    if work.full:
        parts.append("disk full, nothing is sent")
    for name, breaker in work.breakers.items():
        if breaker.failures:
            parts.append(f"{name} in trouble ({breaker.failures} in a row)")
    return "; ".join(parts) or "no mapping"
