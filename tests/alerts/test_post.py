"""From the ledger to the receivers: at least once, in order, never in anybody's way; conditions told once when they turn."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine

from syncd.alerts import matters, post
from syncd.alerts.post import Post
from syncd.assembly import Clock
from syncd.files import read_files
from syncd.ledger import Ledger
from syncd.session import Session
from syncd.work import Work
from tests.alerts.receivers import Hook, Smtp
from tests.cli.shop import Shop

NOW = 1_800_000_000.0
"""Friday, 15 January 2027, 08:00 UTC."""


@dataclass
class Office:
    """A session whose clock is moved by hand, and its post."""

    session: Session
    events: list[tuple[str, dict[str, Any]]]
    now_s: list[float] = field(default_factory=lambda: [NOW])

    def __post_init__(self) -> None:
        self.post = Post(self.session)

    @property
    def ledger(self) -> Ledger:
        return self.session.ledger

    def alarm(self, state: str = "breached", before: str | None = "due_soon", key: str = "101", **said: Any) -> None:
        object_ = self.ledger.facts.object_id("mk", "contacts")
        said = {
            "state": state,
            "before": before,
            "due_ms": int(NOW * 1000),
            "owner": "rita@x.test",
            "segment": "vip",
            **said,
        }
        self.ledger.alerts.alarm([(object_, key, "follow_up", self.now_s[0], said)])

    def settle(self) -> None:
        """Until nothing is due or under way."""
        self.post.settle(20.0)
        assert not self.post.busy

    def pass_time(self, seconds: float) -> None:
        self.now_s[0] += seconds


@pytest.fixture
def office(shop: Shop) -> Callable[[str], Any]:
    """Opens an office with these lines in syncd.toml."""

    @contextmanager
    def opened(lines: str) -> Iterator[Office]:
        plain = shop.config.read_text().partition("# alerts\n")[0]
        shop.config.write_text(f"{plain}# alerts\n{lines}")
        events: list[tuple[str, dict[str, Any]]] = []
        now_s = [NOW]
        clock = Clock(now=lambda: now_s[0], random=lambda: 1.0)
        files = read_files(shop.config, os.environ)
        with Session.hold(
            files, "run", clock=clock, event=lambda name, **facts: events.append((name, facts))
        ) as session:
            yield Office(session, events, now_s)

    return opened


def webhook(hook: Hook, name: str = "ops", **more: str) -> str:
    rest = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f'[alerts.webhook.{name}]\nurl = "{hook.url}"\n{rest}'


def test_an_alert_is_told_once_with_key_and_link_and_nobodys_data(office: Any, hook: Hook) -> None:
    """The record's key and its link; its owner only for receivers that may know persons."""
    told = "[alerts]\nlink = 'https://syncd.example.test/'\n" + webhook(hook) + webhook(hook, "heads", persons="true")
    with office(told) as one:
        one.alarm()
        one.settle()
        one.settle()
        open_, known = sorted((got.json["alerts"][0] for got in hook.got), key=lambda alert: "owner" in alert)

        assert len(hook.got) == 2
        assert (open_["state"], open_["before"], open_["recovered"]) == ("breached", "due_soon", False)
        assert open_["record"]["link"] == "https://syncd.example.test/records/mk/contacts/101"
        assert "rita" not in str(open_)
        assert known["owner"] == "rita@x.test"
        assert one.ledger.alerts.deliveries(10) == []


def test_a_kill_between_answer_and_mark_tells_it_again_with_the_same_number(office: Any, hook: Hook) -> None:
    """At least once: the row is done only after the answer was kept."""
    with office(webhook(hook)) as one:
        one.alarm()
        one.post.turn()
        while not hook.got:
            time.sleep(0.01)
    with office(webhook(hook)) as again:
        again.settle()
        assert [got.json["message"] for got in hook.got] == [hook.got[0].json["message"]] * 2
        assert again.ledger.alerts.counts() == {"ops": {"told": 1, "waiting": 0, "lost": 0}}


def test_a_dead_receiver_is_in_nobodys_way(office: Any, hook: Hook) -> None:
    """While one does not answer, turns go on at once and the other is told everything."""
    with Hook() as dead:
        dead.stall = threading.Event()
        with office(webhook(hook) + webhook(dead, "dead")) as one:
            for key in range(3):
                one.alarm(key=str(key))
                one.post.turn()
                while not any(str(key) == got["record"]["key"] for got in hook.alerts):
                    time.sleep(0.01)
                    one.post.turn()
            assert len(dead.got) == 1
            assert one.post.busy
            dead.stall.set()
            one.settle()
            assert sorted(got["record"]["key"] for got in dead.alerts) == ["0", "1", "2"]


def test_tries_are_bounded_and_ever_rarer_and_end_as_an_issue(office: Any, hook: Hook) -> None:
    """30 s, then twice as long; after the last one an issue, which the next success closes."""
    with office("[alerts]\ntries = 3\n" + webhook(hook)) as one:
        hook.answers = [500] * 3
        one.alarm()
        one.settle()
        for seconds, calls in ((29, 1), (1, 2), (59, 2), (1, 3)):
            one.pass_time(seconds)
            one.settle()
            assert len(hook.got) == calls
        (issue,) = one.ledger.inbox.issues(kind=post.LOST)
        assert "after 3 tries: the receiver answered 500" in issue.reason
        one.pass_time(86_400)
        one.settle()
        assert len(hook.got) == 3

        one.alarm("met_late", "breached")
        one.settle()
        assert one.ledger.inbox.issues(kind=post.LOST) == []
        assert one.ledger.alerts.counts()["ops"] == {"told": 1, "waiting": 0, "lost": 1}
        reasons = [facts["reason"] for name, facts in one.events if name == "alerts_failed"]
        assert reasons == ["the receiver answered 500"] * 3


def test_after_an_outage_everything_comes_in_one_message_in_order(office: Any, hook: Hook) -> None:
    """Nobody gets a hundred messages because a server was away."""
    with office(webhook(hook)) as one:
        hook.answers = [503]
        one.alarm("due_soon", "on_track")
        one.settle()
        one.alarm("breached")
        one.settle()
        one.pass_time(30)
        one.settle()
        assert [alert["state"] for alert in hook.got[-1].json["alerts"]] == ["due_soon", "breached"]
        assert len(hook.got) == 2


def test_who_wants_other_things_is_not_told_and_a_receiver_that_went_is_forgotten(office: Any, hook: Hook) -> None:
    """`events` chooses; what nobody wants is done at once, and what waited for somebody who is gone too."""
    with office(webhook(hook, events='["held"]')) as one:
        one.alarm()
        one.settle()
        assert hook.got == []
    with office(webhook(hook)) as one:
        hook.answers = [500]
        one.alarm()
        one.settle()
    with office("") as one:
        one.settle()
        assert one.ledger.alerts.waiting() == {}
        assert one.ledger.store.row("SELECT count(*) FROM alert WHERE sent_at IS NULL") == (0,)


def test_what_was_told_long_ago_is_dropped_and_a_limit_is_kept(office: Any, hook: Hook, monkeypatch: Any) -> None:
    """`keep` and the named limit; what still waits is never dropped."""
    monkeypatch.setattr(post, "MOST_KEPT", 2)
    with office('[alerts]\nkeep = "1d"\n' + webhook(hook)) as one:
        for key in "abcd":
            one.alarm(key=key)
        one.settle()
        one.post.prune()
        assert one.ledger.store.row("SELECT count(*) FROM alert") == (2,)
        hook.answers = [500]
        one.alarm(key="waiting")
        one.settle()
        one.pass_time(2 * 86_400)
        one.post.prune()
        assert one.ledger.store.rows("SELECT key FROM alert") == [("waiting",)]
        assert one.ledger.store.row("SELECT count(*) FROM delivery") == (1,)


# ---------------------------------------------------------------- conditions


def test_what_ails_syncd_is_told_once_when_it_begins_and_once_when_it_is_over(office: Any, hook: Hook) -> None:
    """Issues by mapping and kind; over restarts too."""
    with office(webhook(hook)) as one:
        one.ledger.inbox.raise_issue("ambiguous", "people", "x", "y", NOW, key="1", object=1)
        matters.look(one.session)
        one.ledger.inbox.raise_issue("ambiguous", "people", "x", "y", NOW, key="2", object=1)
        matters.look(one.session)
        one.settle()
    with office(webhook(hook)) as one:
        matters.look(one.session)
        one.ledger.inbox.close_issues(NOW)
        matters.look(one.session)
        matters.look(one.session)
        one.settle()
        assert [(got["event"], got["state"], got["recovered"]) for got in hook.alerts] == [
            ("issue", "began", False),
            ("issue", "over", True),
        ]
        assert "ambiguous" in hook.alerts[0]["text"]
        assert "any more" in hook.alerts[1]["text"]


def test_a_short_trouble_is_nobodys_trouble(office: Any, hook: Hook) -> None:
    """`patience`: a system that was away for a minute wakes nobody; one that stays away does, and comes back."""
    with office(webhook(hook)) as one:
        system = one.session.systems["mk"]
        for _ in range(2):
            system.trouble = "no answer"
            matters.look(one.session)
            one.pass_time(60)
            system.trouble = ""
            matters.look(one.session)
        one.settle()
        assert hook.got == []
        system.trouble = "no answer"
        for _ in range(8):
            matters.look(one.session)
            one.pass_time(60)
        system.trouble = ""
        matters.look(one.session)
        one.settle()
        assert [(got["about"], got["state"]) for got in hook.alerts] == [("mk", "began"), ("mk", "over")]


def test_once_tells_of_a_held_plan_before_it_ends(shop: Shop, hook: Hook) -> None:
    """Where no daemon runs, the command itself tells."""
    with shop.config.open("a") as file:
        file.write(webhook(hook))
    shop.lead()
    assert shop.run("once").code == 3
    assert [(got["event"], got["about"], got["state"]) for got in hook.alerts] == [("held", "people", "began")]
    assert shop.run("once", "--yes").code == 0
    assert [(got["event"], got["state"]) for got in hook.alerts][1:] == [("held", "over")]


def test_the_daemons_cycles_go_on_while_a_receiver_is_dead(shop: Shop, hook: Hook) -> None:
    """Cycles, requests and the others' alerts; what waits is told when it answers again."""
    dead = Hook()
    dead.stall = threading.Event()
    with dead, shop.config.open("a") as file:
        file.write(webhook(hook) + webhook(dead, "dead"))
        file.flush()
        shop.lead()
        files, now_s = read_files(shop.config, os.environ), [0.0]
        with Session.hold(files, "run", clock=Clock(random=lambda: 1.0)) as session:
            work = Work(session, os.environ, lambda: now_s[0], lambda: False)
            for _ in range(3):
                work.cycle()
                now_s[0] += 60
                work.serve()
            assert session.ledger.books.last_cycle("people") is not None
            while not session.ledger.alerts.counts().get("ops", {}).get("told"):
                time.sleep(0.01)
                now_s[0] += 60
                work.serve()
            assert session.ledger.alerts.counts() == {
                "ops": {"told": 1, "waiting": 0, "lost": 0},
                "dead": {"told": 0, "waiting": 1, "lost": 0},
            }
            work.close()


# ---------------------------------------------------------------- the digest


def agreed(shop: Shop, lines: str) -> None:
    """A cycle puts the definition in force, weeks before."""
    whole = shop.config.read_text()
    shop.config.write_text(whole.partition("# alerts\n")[0])
    with time_machine.travel(NOW - 30 * 86_400):
        assert shop.run("once", "--yes").code == 0
    shop.config.write_text(whole)


def test_the_digest_goes_out_once_a_week_over_restarts(office: Any, smtp: Smtp, shop: Shop) -> None:
    """Mondays at seven in Berlin, by mail and into a folder; a missed moment is made up for, once."""
    lines = (
        f'[alerts.email.heads]\nhost = "127.0.0.1"\nport = {smtp.port}\nsecurity = "none"\n'
        'from = "syncd@x.test"\nto = ["heads@x.test"]\nevents = []\n'
        '[alerts.digest]\nto = ["heads"]\nfolder = "digests"\nday = "mon"\ntime = "07:00"\nzone = "Europe/Berlin"\n'
    )
    with office(lines) as one:
        one.settle()
        assert smtp.got == []  # nothing was agreed yet
    agreed(shop, lines)
    with office(lines) as one:
        one.settle()
        one.settle()
        assert [mail.message["Subject"] for mail in smtp.got] == ["syncd: week 2027-W01"]
    with office(lines) as one:
        one.settle()
        one.pass_time(3 * 86_400 - 2 * 3600 - 1)  # Monday, 06:59:59 in Berlin
        one.settle()
        assert len(smtp.got) == 1
        one.pass_time(1)
        one.settle()
        one.pass_time(3600)
        one.settle()
        one.post.prune()
        one.settle()
    assert [mail.message["Subject"] for mail in smtp.got] == ["syncd: week 2027-W01", "syncd: week 2027-W02"]
    names = sorted(path.name for path in (shop.folder / "digests").iterdir())
    assert names == [f"syncd-2027-W{week}.{ending}" for week in ("01", "02") for ending in ("html", "txt")]


def test_a_folder_that_is_named_in_mid_week_gets_that_week_and_nobody_hears_twice(
    office: Any, smtp: Smtp, shop: Shop
) -> None:
    """The receivers' row of the week says where it was written; another folder is another place, the same one is done."""
    mail = (
        f'[alerts.email.heads]\nhost = "127.0.0.1"\nport = {smtp.port}\nsecurity = "none"\n'
        'from = "syncd@x.test"\nto = ["heads@x.test"]\nevents = []\n[alerts.digest]\nto = ["heads"]\n'
    )
    agreed(shop, mail)
    with office(mail) as one:
        one.settle()
    for folder in ("digests", "digests", "elsewhere"):
        with office(f'{mail}folder = "{folder}"\n') as one:
            one.settle()
            one.settle()
            made = shop.folder / folder / "syncd-2027-W01.txt"
            assert made.exists()
            made.unlink()  # whoever takes it away is not given it again
            one.settle()
            assert not made.exists()
        shop.folder.joinpath(folder, "syncd-2027-W01.txt").touch()
    assert len(smtp.got) == 1


def test_receivers_do_not_wait_for_a_folder_that_cannot_be_written(office: Any, smtp: Smtp, shop: Shop) -> None:
    """The two ways out share a week, not a fate."""
    lines = (
        f'[alerts.email.heads]\nhost = "127.0.0.1"\nport = {smtp.port}\nsecurity = "none"\n'
        'from = "syncd@x.test"\nto = ["heads@x.test"]\nevents = []\n[alerts.digest]\nto = ["heads"]\nfolder = "digests"\n'
    )
    agreed(shop, lines)
    (shop.folder / "digests").write_text("in the way")
    with office(lines) as one:
        one.settle()
        one.settle()
        assert "digest_failed" in [name for name, _ in one.events]
    assert len(smtp.got) == 1


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(office: Any, shop: Shop) -> None:
    """The week is not lost by it."""
    agreed(shop, "")
    (shop.folder / "digests").write_text("in the way")
    with office('[alerts.digest]\nfolder = "digests"\n') as one:
        one.settle()
        assert "digest_failed" in [name for name, _ in one.events]
        (shop.folder / "digests").unlink()
        one.settle()
        assert (shop.folder / "digests" / "syncd-2027-W01.html").read_text().startswith("<!doctype html>")
