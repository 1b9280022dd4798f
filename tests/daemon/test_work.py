"""The daemon's pieces, in this process: breaker, reload, requests, slices, crashes, signs of life."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from syncd import work as work_module
from syncd.assembly import Clock
from syncd.breaker import Breaker
from syncd.daemon import Daemon
from syncd.deeds import Watch
from syncd.errors import Fault, LeaseHeld, SyncdError, Transient
from syncd.files import read_files
from syncd.ledger import Lease, Ledger
from syncd.reload import Watched, read_again
from syncd.request import LOOK_S, STALE_S, carry_out
from syncd.session import Session, take_lease
from syncd.work import MOST_CRASHES, Work
from tests.cli.shop import Shop, make


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """Two systems in memory, and settings for them."""
    return make(tmp_path, capsys)


@dataclass
class Bench:
    """A worker without a daemon around it, and a clock that is moved by hand."""

    work: Work
    session: Session
    events: list[tuple[str, dict[str, Any]]]
    now_s: list[float] = field(default_factory=lambda: [1000.0])

    def told(self, name: str) -> list[dict[str, Any]]:
        return [facts for event, facts in self.events if event == name]


@pytest.fixture
def bench(shop: Shop) -> Iterator[Bench]:
    """A worker on the shop."""
    events: list[tuple[str, dict[str, Any]]] = []
    now_s = [1000.0]
    files = read_files(shop.config, os.environ)
    with Session.hold(
        files, "run", clock=Clock(random=lambda: 1.0), event=lambda name, **facts: events.append((name, facts))
    ) as session:
        work = Work(session, os.environ, lambda: now_s[0], lambda: False)
        yield Bench(work, session, events, now_s)
        work.close()


# ---------------------------------------------------------------- breaker


def test_pauses_double_are_jittered_and_end_at_the_longest() -> None:
    """Growing, never beyond `longest_s`, never less than half of what it would be."""
    whole = Breaker(1.0, 10.0, lambda: 1.0)
    half = Breaker(1.0, 10.0, lambda: 0.0)

    assert [whole.failed(None, 0.0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert [half.failed(None, 0.0) for _ in range(3)] == [0.5, 1, 2]


def test_a_pause_that_the_system_asked_for_is_kept() -> None:
    """Retry-After, or a day's quota: no earlier than that, whatever our own longest pause is."""
    breaker = Breaker(1.0, 10.0, lambda: 1.0)

    breaker.failed(Transient("quota", after_s=3600.0), 50.0)

    assert breaker.left_s(50.0) == 3600.0
    assert breaker.left_s(3650.0) == 0.0
    breaker.worked()
    assert breaker.left_s(50.0) == 0.0


def test_a_thousand_failures_do_not_overflow() -> None:
    """A system that is dead for a year is still only paused."""
    breaker = Breaker(0.5, 300.0, lambda: 1.0)

    for _ in range(2000):
        assert breaker.failed(None, 0.0) <= 300.0


def test_one_probe_a_pause_and_the_other_system_goes_on(shop: Shop, bench: Bench) -> None:
    """While it is left alone no call reaches it; after the pause exactly one asks."""
    shop.lead()
    bench.work.cycle()
    shop.mk.fault("transient", method="identify", times=None)
    shop.mk.fault("transient", method="changes", times=None)
    bench.work.cycle()
    assert [event["failures"] for event in bench.told("system_held")] == [1]
    before, other = len(shop.mk.calls), len(shop.sf.calls)

    bench.work.cycle()
    assert len(shop.mk.calls) == before
    assert len(shop.sf.calls) > other

    bench.now_s[0] += 10.0
    bench.work.cycle()
    assert len(shop.mk.calls) == before + 1
    assert [event["failures"] for event in bench.told("system_held")] == [1, 2]


# ---------------------------------------------------------------- crashes and a full disk


def test_a_bug_is_told_and_only_a_row_of_them_ends_the_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One crash costs one cycle. So many in a row end in exit 70, for the service manager to start anew."""
    broken = True

    def cycle(*arguments: Any, **more: Any) -> None:
        if broken:
            raise ZeroDivisionError

    monkeypatch.setattr(work_module, "cycle", cycle)
    for _ in range(MOST_CRASHES - 1):
        bench.work.cycle()
    assert bench.work.fatal is None
    broken = False
    bench.work.cycle()
    assert bench.work.crashes == 0

    broken = True
    for _ in range(MOST_CRASHES):
        bench.work.cycle()

    assert isinstance(bench.work.fatal, Fault)
    assert bench.work.fatal.exit_code == 70
    assert len(bench.told("cycle_crashed")) == 2 * MOST_CRASHES - 1


def test_uneventful_cycles_leave_one_line_in_the_books(shop: Shop, bench: Bench) -> None:
    """A year of idling is no history: the ledger does not grow by doing nothing."""
    for _ in range(20):
        bench.work.cycle()

    runs = bench.session.ledger.store.row("SELECT count(*) FROM run")
    assert runs == (1,)


# ---------------------------------------------------------------- edited files


def test_an_edit_counts_once_it_rests(shop: Shop) -> None:
    """Half a file is never read: two looks must see the same. A touch without an edit is none."""
    watched = Watched(read_files(shop.config, os.environ))
    assert not watched.edited()

    shop.mapping.write_text(shop.mapping.read_text() + "# edited\n")
    assert not watched.edited()
    assert watched.edited()

    watched.take(read_files(shop.config, os.environ))
    os.utime(shop.mapping, ns=(1, time.time_ns()))
    assert not watched.edited()
    assert not watched.edited()


def test_the_last_valid_version_of_each_file_stays_in_force(shop: Shop) -> None:
    """An invalid mapping, funnel or settings file changes nothing; its problems are told under its name."""
    before = read_files(shop.config, os.environ)
    mapping, funnel, settings = shop.mapping, shop.mapping.with_name("funnel.toml"), shop.config
    for file, name in ((mapping, "people"), (funnel, "funnel"), (settings, "syncd.toml")):
        text = file.read_text()
        file.write_text(text + "\n[[[\n")

        again = read_again(before, os.environ)

        assert again.mappings.by_name["people"].digest == before.mappings.by_name["people"].digest, name
        assert again.settings.daemon == before.settings.daemon
        assert name in again.broken
        assert all(problem.line for problem in again.broken[name])
        file.write_text(text)
    assert read_again(before, os.environ).broken == {}


def test_a_valid_edit_beside_an_invalid_one_is_in_force(shop: Shop) -> None:
    """One file's mistake does not keep another file's edit out."""
    before = read_files(shop.config, os.environ)
    (shop.mapping.parent / "other.toml").write_text("mapping = ")
    shop.mapping.write_text(shop.mapping.read_text() + "# edited\n")

    again = read_again(before, os.environ)

    assert set(again.broken) == {"other"}
    assert again.mappings.by_name["people"].digest != before.mappings.by_name["people"].digest


def test_another_ledger_needs_a_restart(shop: Shop) -> None:
    """The lease and the ledger are for life: a reload cannot move them, and says so."""
    before = read_files(shop.config, os.environ)
    shop.edit(shop.config, "ledger.db", "another.db")

    again = read_again(before, os.environ)

    assert again.settings.daemon.ledger == before.settings.daemon.ledger
    assert "restart" in str(again.broken["syncd.toml"][0])


# ---------------------------------------------------------------- requests


def test_a_request_is_carried_out_once_and_answered(shop: Shop, bench: Bench) -> None:
    """Asked beside the holder, done by it, and the answer is what the command would have said itself."""
    shop.lead()
    answers: list[Any] = []
    files = bench.session.files

    def ask() -> None:
        answers.append(carry_out(files, "once", {"yes": True}, Watch(), event=lambda name, **facts: None))

    asking = threading.Thread(target=ask)
    asking.start()
    end_s = time.monotonic() + 5
    while asking.is_alive() and time.monotonic() < end_s:
        bench.work.serve()
        time.sleep(LOOK_S / 10)
    asking.join()

    assert answers[0].exit_code == 0
    assert answers[0].facts["mappings"]["people"]["writes"]["marketing"]["create"] == 1
    assert len(shop.mk.keys("contacts")) == 1


def test_a_holder_that_goes_away_leaves_the_work_to_the_one_who_asked(shop: Shop) -> None:
    """Nobody waits for ever: the lease is free, so the command does it itself."""
    shop.lead()
    shop.run("once")
    lease = Lease.take(shop.folder / "ledger.db", what="run")
    files = read_files(shop.config, os.environ)
    threading.Timer(0.15, lease.release).start()

    answer = carry_out(files, "once", {"yes": True}, Watch(), event=lambda name, **facts: None)

    assert answer.exit_code == 0
    assert len(shop.mk.keys("contacts")) == 1
    ledger = Ledger.open(shop.folder / "ledger.db", read_only=True)
    assert ledger.inbox.asked() == []
    ledger.close()


def test_a_request_that_was_left_behind_is_not_carried_out(shop: Shop, bench: Bench) -> None:
    """An approval of last week, by a command that was killed, releases nothing today."""
    shop.lead()
    bench.work.cycle()
    inbox = bench.session.ledger.inbox
    old = inbox.ask("approve", {"mapping": "people"}, bench.session.clock.now() - STALE_S - 1)

    bench.work.serve()

    request = inbox.request(old)
    assert request is not None
    assert request.answer is not None
    assert "too long" in request.answer["error"]
    assert bench.session.ledger.intents.total(["ready"]) == 0


def test_a_request_of_an_unknown_kind_does_not_hurt_the_daemon(bench: Bench) -> None:
    """A newer command beside an older daemon is answered with a plain word."""
    asked = bench.session.ledger.inbox.ask("transmogrify", {}, bench.session.clock.now())

    bench.work.serve()

    request = bench.session.ledger.inbox.request(asked)
    assert request is not None
    assert request.answer is not None
    assert request.answer["exit"] == 70
    assert bench.work.fatal is None


def test_a_backfill_goes_in_slices_and_a_cycle_comes_between(
    shop: Shop, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look serves one slice at most; a cycle between two slices runs as ever, and both finish."""
    monkeypatch.setattr(work_module, "SLICE_S", 0.0)
    for n in range(5):
        shop.lead(Email=f"p{n}@example.test")
    with bench.session.run("approve", []) as run:
        from syncd.holding import release

        bench.session.ledger.books.keep_mapping(
            "people", bench.session.files.mappings.by_name["people"].digest, "", 0.0
        )
        release(run, "people")
    bench.work.cycle()
    inbox = bench.session.ledger.inbox
    asked = inbox.ask("backfill", {"mapping": "people"}, bench.session.clock.now())
    served = 0
    for _ in range(30):
        bench.now_s[0] += 1.0
        bench.work.serve()
        served += 1
        bench.work.cycle()
        request = inbox.request(asked)
        assert request is not None
        if request.answer is not None:
            break

    assert request.answer == {"facts": request.answer["facts"], "exit": 0, "said": ""}
    assert request.answer["facts"]["finished"] is True
    assert served > 1
    assert len(shop.mk.keys("contacts")) == 5


def test_a_backfill_that_nobody_wants_any_more_stops_and_keeps_its_place(
    shop: Shop, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the command that follows it: the daemon stops it between two slices, and it can be resumed."""
    monkeypatch.setattr(work_module, "SLICE_S", 0.0)
    shop.lead()
    bench.work.cycle()
    inbox = bench.session.ledger.inbox
    asked = inbox.ask("backfill", {"mapping": "people"}, bench.session.clock.now())
    bench.work.serve()
    assert not inbox.withdraw(asked)

    bench.work.serve()

    request = inbox.request(asked)
    assert request is not None
    assert request.state == "done"
    assert bench.session.ledger.store.row("SELECT count(*), min(state) FROM backfill") == (1, "open")


def test_a_backfill_under_way_is_taken_up_again_by_the_next_daemon(
    shop: Shop, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request outlives the process that had begun it: it is finished, and answered, by the next one."""
    monkeypatch.setattr(work_module, "SLICE_S", 0.0)
    shop.lead()
    bench.work.cycle()
    inbox = bench.session.ledger.inbox
    asked = inbox.ask("backfill", {"mapping": "people"}, bench.session.clock.now())
    bench.work.serve()
    bench.work.close()

    again = Work(bench.session, os.environ, lambda: bench.now_s[0], lambda: False)
    for _ in range(20):
        again.serve()

    request = inbox.request(asked)
    assert request is not None
    assert request.answer is not None
    assert request.answer["facts"]["finished"] is True
    again.close()


# ---------------------------------------------------------------- the main thread


class Heard:
    """A service manager's socket without a socket."""

    watchdog_s = 0.4

    def __init__(self) -> None:
        self.alive_at: list[float] = []

    def alive(self) -> bool:
        self.alive_at.append(time.monotonic())
        return True

    def status(self, text: str) -> bool:
        return True


def test_a_worker_that_hangs_is_not_reported_alive(bench: Bench) -> None:
    """The watchdog is fed by progress, not by the clock: a stuck worker is seen by the service manager."""
    events: list[str] = []
    daemon = Daemon(lambda name, **facts: events.append(name), {})
    heard = Heard()
    daemon._notifier = heard  # type: ignore[assignment]
    threading.Timer(0.7, daemon._stop.set).start()

    daemon._watch(bench.work)

    began_s = heard.alive_at[0]
    assert heard.alive_at, "alive at first"
    assert max(heard.alive_at) - began_s < 0.4, "silent once the worker is"
    assert events == ["worker_lost"]


def test_a_wait_between_two_tries_is_a_sign_of_life_and_ends_with_the_stop() -> None:
    """A long pause is no hang; and a stop does not wait for it."""
    daemon = Daemon(lambda name, **facts: None, {})
    threading.Timer(0.05, daemon._stop.set).start()
    began_s = time.monotonic()

    with pytest.raises(Transient):
        daemon.sleep(60.0)

    assert time.monotonic() - began_s < 5
    assert daemon._beat_s >= began_s


def test_the_lease_is_one_and_ends_with_its_holder(shop: Shop) -> None:
    """Two never act on one ledger; what is released can be taken."""
    ledger = shop.folder / "ledger.db"
    lease = take_lease(ledger, "run")
    with pytest.raises(LeaseHeld, match="syncd run"):
        take_lease(ledger, "once", lambda s: None)

    lease.release()

    take_lease(ledger, "once").release()


def test_a_run_that_fails_is_still_in_the_books(shop: Shop, bench: Bench) -> None:
    """However it ends: begun, ended, not ok."""
    with pytest.raises(SyncdError), bench.session.run("once", ["people"]):
        raise SyncdError("stop")

    assert bench.session.ledger.store.row("SELECT command, ok, ended_at IS NOT NULL FROM run") == ("once", 0, 1)
