"""Asking the lease holder: a command that acts does it itself, or stores a request and follows its progress.

Promise: one of the two happens. A holder that goes away without having done it leaves the lease, and then the command
does it itself; a command that is interrupted takes its request back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from syncd.answer import Answer, Watch
from syncd.assembly import Clock
from syncd.deeds import deed
from syncd.errors import LeaseHeld, SyncdError
from syncd.files import Files
from syncd.ledger import Ledger
from syncd.ledger.inbox import Request
from syncd.run import Event
from syncd.session import Session, take_lease
from syncd.slices import SLICED

LOOK_S = 0.1
"""Between two looks at the request's progress."""
LEASE_LOOKS = 10
"""Looks at the request between two looks at whether its holder is still there."""
TELL_S = 20.0
"""So long a command waits at most for those whom it tells; what is left waits for the next."""
STALE_S = 600.0
"""A request nobody took for so long was left behind by a command that is gone: it is not carried out any more."""


def carry_out(
    files: Files, kind: str, doc: dict[str, Any], watch: Watch, *, clock: Clock | None = None, event: Event
) -> Answer:
    """Does the deed here if the lease is free, else has it done. Raises what the deed raises."""
    clock = clock or Clock()
    while True:
        try:
            with Session.hold(files, kind, clock=clock, event=event) as session:
                done = deed(kind)(session, doc, watch)
                if kind == "once" and files.settings.alerts.receivers():
                    _tell(session)
                return done
        except LeaseHeld as held:
            event("asking", request=kind, holder=holder_of(held))
        answer = _have_done(files, kind, doc, watch, clock)
        if answer is not None:
            return answer


def _tell(session: Session) -> None:
    """What is to be told is told before the command ends, where no daemon does it; for a bounded time."""
    from syncd.alerts import matters
    from syncd.alerts.post import Post

    with suppress(SyncdError):  # what the command did is done, whoever hears of it
        matters.look(session)
        Post(session).settle(TELL_S)


def holder_of(held: LeaseHeld) -> str:
    """Who holds the lease, out of the error's words."""
    return held.message.partition(" is in use: ")[2].removesuffix(" holds its sending lease.")


def _have_done(files: Files, kind: str, doc: dict[str, Any], watch: Watch, clock: Clock) -> Answer | None:
    """Stores the request and follows it. None: its holder went away, and nobody does it."""
    path = files.settings.daemon.ledger
    Ledger.open(path, read_only=True).close()  # never brings tables up to date beside somebody who uses them
    ledger = Ledger.open(path)
    id_ = ledger.inbox.ask(kind, doc, clock.now())
    try:
        return _follow(ledger, id_, files, watch, clock)
    except BaseException:
        with suppress(SyncdError):
            ledger.inbox.withdraw(id_)
        raise
    finally:
        ledger.close()


def _follow(ledger: Ledger, id_: int, files: Files, watch: Watch, clock: Clock) -> Answer | None:
    told: dict[str, Any] = {}
    looks = 0
    while True:
        request = ledger.inbox.request(id_)
        if request is None:
            return None
        if request.answer is not None:
            return answered(request.answer)
        if request.progress and request.progress != told:
            told = request.progress
            watch.tell(told)
        looks += 1
        if looks % LEASE_LOOKS == 0 and _is_free(files):
            ledger.inbox.withdraw(id_)
            return None
        clock.sleep(LOOK_S)


def _is_free(files: Files) -> bool:
    try:
        take_lease(files.settings.daemon.ledger, "waiting", lambda s: None).release()
    except LeaseHeld:
        return False
    return True


# ---------------------------------------------------------------- the holder's end


def in_words(answer: Answer) -> dict[str, Any]:
    """An answer as it stands in the ledger."""
    return {"facts": answer.facts, "exit": answer.exit_code, "said": answer.said}


def refused(error: SyncdError) -> dict[str, Any]:
    """An error as it stands in the ledger, to be raised by the one who asked."""
    return {"error": error.message, "remedy": error.remedy, "exit": error.exit_code}


def answered(doc: dict[str, Any]) -> Answer:
    """The other way round. Raises the error that was kept."""
    if "error" in doc:
        error = SyncdError(str(doc["error"]), remedy=str(doc.get("remedy", "")))
        error.exit_code = int(doc["exit"])
        raise error
    return Answer(dict(doc["facts"]), int(doc["exit"]), str(doc.get("said", "")))


def serve(session: Session, request: Request, stop: Callable[[], bool], slow: Callable[[Request], None]) -> None:
    """Carries out one request and keeps its answer. `slow` takes what goes in slices (a backfill)."""
    inbox = session.ledger.inbox
    if request.state == "asked":
        if session.clock.now() - request.asked_at > STALE_S:
            inbox.done(
                request.id,
                refused(SyncdError("It was left behind for too long, and was not done.")),
                session.clock.now(),
            )
            return
        if not inbox.take(request.id):
            return
    if request.kind in SLICED:
        slow(request)
        return
    try:
        answer = in_words(deed(request.kind)(session, request.doc, Watch(stop=stop)))
    except SyncdError as error:
        answer = refused(error)
    inbox.done(request.id, answer, session.clock.now())
