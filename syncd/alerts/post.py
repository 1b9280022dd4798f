"""From the ledger's box to the receivers: who wants what, what is due, and what came of it.

Promise: sending happens beside the worker, one thread for each receiver at most; the worker only reads and writes the
ledger, in bounded steps. A message is done only once its receiver answered; a kill before that sends it again. A receiver
that does not answer is tried ever more rarely, and given up with an issue; nobody waits for it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from syncd.alerts import letters, weekly
from syncd.alerts.letters import Letter
from syncd.alerts.senders import NotSent, Partly, send
from syncd.errors import ConfigError
from syncd.ledger.alerts import DIGEST, Alert
from syncd.receivers import AnyReceiver
from syncd.session import Session

MOST_SPREAD = 1_000
"""Alerts given to receivers in one step."""
MOST_IN_ONE = 50
"""Alerts in one message."""
MOST_KEPT = 100_000
"""Alerts that the ledger keeps, whatever their age."""
MOST_PRUNED = 10_000
"""Dropped in one step."""
LOST = "alerts_lost"
"""The issue about a receiver that was given up."""
WHERE = "alerts"
"""Under this name issues about receivers stand."""
WATCH_S = 0.05


@dataclass(frozen=True)
class _Done:
    receiver: str
    ids: tuple[int, ...]
    failure: NotSent | None = None
    partly: str = ""


@dataclass
class Post:
    """Make one beside a session; call `turn` again and again. `sender` is replaced by tests only."""

    session: Session
    sender: Callable[..., None] = send
    _done: queue.SimpleQueue[_Done] = field(default_factory=queue.SimpleQueue)
    _busy: set[str] = field(default_factory=set)

    def turn(self) -> None:
        """What came back, what is new, what is due. Never waits for a receiver."""
        self._collect()
        self._digest()
        ledger, alerts = self.session.ledger, self.session.files.settings.alerts
        receivers, now = alerts.receivers(), self.session.clock.now()
        ledger.alerts.spread(self._wanted, now, MOST_SPREAD)
        waiting = ledger.alerts.waiting()
        if waiting.keys() - receivers.keys():
            ledger.alerts.keep_receivers(receivers, now)
        for name, from_ in waiting.items():
            if name in receivers and name not in self._busy and from_ <= now:
                self._start(name, receivers[name])

    def settle(self, within_s: float) -> None:
        """Turns until nothing is due or under way, or the time is over: for a command that ends after it."""
        monotonic = self.session.clock.monotonic
        until_s = monotonic() + within_s
        self.turn()
        while self._busy and monotonic() < until_s:
            time.sleep(WATCH_S)
            self.turn()

    def prune(self) -> None:
        """Drops what was told long ago."""
        alerts = self.session.files.settings.alerts
        self.session.ledger.alerts.prune(self.session.clock.now() - alerts.keep, MOST_KEPT, MOST_PRUNED)

    @property
    def busy(self) -> bool:
        """Is a message under way?"""
        return bool(self._busy)

    # ------------------------------------------------------------ steps

    def _wanted(self, alert: Alert) -> Sequence[str]:
        alerts = self.session.files.settings.alerts
        if alert.kind == DIGEST:
            return () if alerts.digest is None else alerts.digest.to
        return [name for name, receiver in alerts.receivers().items() if alert.kind in receiver.events]

    def _digest(self) -> None:
        try:
            week = weekly.make_if_due(self.session.ledger, self.session.files, self.session.clock.now())
        except ConfigError as error:
            self.session.event("digest_failed", reason=error.message)
            return
        if week is not None:
            self.session.event("digest", week=week)

    def _start(self, name: str, receiver: AnyReceiver) -> None:
        ledger = self.session.ledger
        alerts = ledger.alerts.open(name, MOST_IN_ONE)
        if not alerts:
            return
        # A digest is a message of its own; alerts before it go first.
        if alerts[0].kind == DIGEST:
            alerts = alerts[:1]
            digest = weekly.make(ledger, self.session.files, self.session.clock.now(), str(alerts[0].said["day"]))
            letter = letters.of_week(alerts[0].key, digest)
        else:
            alerts = [one for one in alerts if one.kind != DIGEST]
            link = self.session.files.settings.alerts.link
            letter = letters.letter(ledger, alerts, link, persons=receiver.persons)
        self._busy.add(name)
        ids = tuple(one.id for one in alerts)
        threading.Thread(
            target=self._carry, args=(name, receiver, ids, letter), name=f"post-{name}", daemon=True
        ).start()

    def _carry(self, name: str, receiver: AnyReceiver, ids: tuple[int, ...], letter: Letter) -> None:
        """In its own thread: touches no ledger."""
        try:
            self.sender(receiver, letter, self.session.files.settings.receiver_secrets(name))
            done = _Done(name, ids)
        except Partly as partly:
            done = _Done(name, ids, partly=str(partly))
        except NotSent as failure:
            done = _Done(name, ids, failure)
        except Exception as error:  # a bug of ours must not keep the receiver busy for ever
            done = _Done(name, ids, NotSent(f"sending failed ({type(error).__name__})"))
        self._done.put(done)

    def _collect(self) -> None:
        while True:
            try:
                done = self._done.get_nowait()
            except queue.Empty:
                return
            self._busy.discard(done.receiver)
            self._settled(done)

    def _settled(self, done: _Done) -> None:
        session, now = self.session, self.session.clock.now()
        ledger, inbox = session.ledger, session.ledger.inbox
        if done.failure is None:
            with ledger.transaction():
                ledger.alerts.told(done.receiver, done.ids, now)
                inbox.close_issues(now, kind=LOST, mapping=WHERE, field=done.receiver)
                if done.partly:
                    remedy = f"Mend `to` of [alerts.email.{done.receiver}]."
                    inbox.raise_issue(LOST, WHERE, f"{done.receiver}: {done.partly}", remedy, now, field=done.receiver)
            session.event("alerts_sent", receiver=done.receiver, alerts=len(done.ids))
            return
        alerts, failure = session.files.settings.alerts, done.failure

        def pause_s(tries: int) -> float:
            doubled = alerts.retry * 2.0 ** min(tries - 1, 30)
            return min(max(doubled, failure.after_s), alerts.retry_max)

        with ledger.transaction():
            lost = ledger.alerts.failed(done.receiver, done.ids, now, alerts.tries, pause_s)
            if lost:
                said = f"{done.receiver} was given up after {alerts.tries} tries: {failure}"
                remedy = f"Mend it, then try it: `syncd alerts test {done.receiver}`."
                inbox.raise_issue(LOST, WHERE, said, remedy, now, field=done.receiver)
        session.event("alerts_failed", receiver=done.receiver, alerts=len(done.ids), lost=lost, reason=str(failure))
