"""The ledger: what it keeps, what it refuses, and what a kill or an editor cannot do to it."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from syncd.connector import Record
from syncd.errors import LeaseHeld, LedgerError, LedgerFull
from syncd.ledger import Lease, Ledger
from syncd.ledger.intents import Body
from syncd.ledger.journal import Note
from syncd.ledger.links import LinkSide, NewLink
from syncd.ledger.schema import TABLES, VERSION
from syncd.session import take_lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger.open(path)


def contact(key: str, stamp_ms: int, **attributes: object) -> Record:
    return Record(key, stamp_ms, dict(attributes))


# ---------------------------------------------------------------- the file


def test_the_file_is_for_its_owner_alone_and_survives_power_loss(path: Path, ledger: Ledger) -> None:
    """Mode 0600 from the first byte; WAL with synchronous FULL."""
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert ledger.store.row("PRAGMA journal_mode") == ("wal",)
    assert ledger.store.row("PRAGMA synchronous") == (2,)


def test_every_table_is_explained(ledger: Ledger) -> None:
    """A table without a sentence is a table nobody understands."""
    rows = ledger.store.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'")
    assert {row[0] for row in rows} == set(TABLES)


def test_a_ledger_from_a_newer_version_is_refused(path: Path, ledger: Ledger) -> None:
    """An older program must not guess."""
    ledger.close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(LedgerError, match="newer syncd"):
        Ledger.open(path)


def test_a_damaged_file_is_refused_and_kept(path: Path) -> None:
    """Never replaced by an empty one: that would create everybody anew."""
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(LedgerError, match="damaged"):
        Ledger.open(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_reading_needs_a_ledger_and_never_makes_one(path: Path) -> None:
    """A read-only command on nothing says so."""
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(path, read_only=True)
    assert not path.exists()


def test_others_read_while_one_writes(path: Path, ledger: Ledger) -> None:
    """Every command works beside the daemon, and sees only what was committed."""
    reader = Ledger.open(path, read_only=True)
    object_ = ledger.facts.object_id("hubspot", "contacts")
    with ledger.transaction():
        ledger.facts.keep(object_, [contact("1", 1, email="a")])
        assert reader.facts.get(object_, "1") is None
    assert reader.facts.get(object_, "1") is not None


def test_a_full_disk_is_said_and_leaves_the_last_commit(path: Path, ledger: Ledger) -> None:
    """No intent, no call: the transaction is not there at all."""
    object_ = ledger.facts.object_id("hubspot", "contacts")
    ledger.facts.keep(object_, [contact("1", 1, email="a")])
    pages = ledger.store.rows("PRAGMA page_count")[0][0]
    ledger.store.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(LedgerFull):
        ledger.facts.keep(object_, [contact(str(n), 1, email="x" * 500) for n in range(2, 500)])
    ledger.store.rows("PRAGMA max_page_count = 1000000")
    assert ledger.facts.count(object_) == 1
    assert ledger.store.integrity() == "ok"


@pytest.mark.parametrize("call", ["write", "pwrite"])
def test_a_disk_that_is_full_at_the_start_is_nothing_for_a_person(
    path: Path, ledger: Ledger, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker and the lease are written first: the unit starts syncd again by itself, until there is room."""
    start = {"write": ledger.epoch.advance, "pwrite": lambda: take_lease(path, "run")}[call]

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{call}", full)
        with pytest.raises(LedgerFull):
            start()


def test_one_process_holds_the_lease_and_its_end_frees_it(path: Path) -> None:
    """A second one is refused by name; a killed holder blocks nobody."""
    code = "import sys,time;from pathlib import Path;from syncd.ledger import Lease;"
    code += "Lease.take(Path(sys.argv[1]), what='run');print('held',flush=True);time.sleep(60)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True, env=environ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld, match="`syncd run`"):
            Lease.take(path, what="once")
        holder.kill()
        holder.wait()
    Lease.take(path, what="once").release()


# ---------------------------------------------------------------- facts


def test_what_is_known_costs_no_write(ledger: Ledger) -> None:
    """The sieve: same attributes, same state; a newer stamp alone is kept without a new revision."""
    object_ = ledger.facts.object_id("hubspot", "contacts")
    assert ledger.facts.keep(object_, [contact("1", 1, email="a", name=None)]).moved == 1
    revision = ledger.facts.revision()
    assert ledger.facts.keep(object_, [contact("1", 1, name=None, email="a")]).moved == 0
    assert ledger.facts.keep(object_, [contact("1", 9, email="a", name=None)]).moved == 0
    assert ledger.facts.revision() == revision
    assert ledger.facts.held(object_, ["1", "2"]) == {"1": 9}


def test_an_older_sight_never_replaces_a_newer_one(ledger: Ledger) -> None:
    """A slow page of a backfill arrives after the poll that read the record's newer state."""
    object_ = ledger.facts.object_id("hubspot", "contacts")
    ledger.facts.keep(object_, [contact("1", 5, email="new")])
    ledger.facts.keep(object_, [contact("1", 3, email="old")])
    fact = ledger.facts.get(object_, "1")
    assert fact is not None
    assert fact.attributes == {"email": "new"}


def test_absent_null_and_another_set_of_attributes_are_different_facts(ledger: Ledger) -> None:
    """Unasked is not blank: the hash covers which attributes there are."""
    object_ = ledger.facts.object_id("hubspot", "contacts")
    ledger.facts.keep(object_, [contact("1", 1, email="a")])
    assert ledger.facts.keep(object_, [contact("1", 1, email="a", name=None)]).moved == 1


def test_a_gone_record_keeps_what_it_last_said(ledger: Ledger) -> None:
    """So that it can be recognised when it is restored."""
    object_ = ledger.facts.object_id("hubspot", "contacts")
    ledger.facts.keep(object_, [contact("1", 1, email="a")])
    ledger.facts.keep(object_, [Record("1", 2, {}, "gone")])
    fact = ledger.facts.get(object_, "1")
    assert fact is not None
    assert (fact.state, fact.attributes) == ("gone", {"email": "a"})


def test_what_is_gone_without_a_time_is_gone(ledger: Ledger) -> None:
    """A list tells that somebody is not in it, and not since when: that is no old news. Who comes back is live."""
    object_ = ledger.facts.object_id("hubspot", "list_memberships")
    ledger.facts.keep(object_, [contact("17:1", 5, list="17")])
    ledger.facts.keep(object_, [Record("17:1", 0, {}, "gone")])
    gone = ledger.facts.get(object_, "17:1")
    ledger.facts.keep(object_, [contact("17:1", 5, list="17")])
    back = ledger.facts.get(object_, "17:1")
    assert gone is not None
    assert back is not None
    assert (gone.state, gone.stamp_ms, back.state) == ("gone", 5, "live")


# ---------------------------------------------------------------- links, intents


def test_a_record_has_one_link_in_a_mapping(ledger: Ledger) -> None:
    """The file itself refuses a second one."""
    ends = (LinkSide("marketing", 1, "a", {}, False), LinkSide("crm", 2, "b", {}, False))
    ledger.links.make("people", [NewLink("same email", ends)], 1.0)
    again = (LinkSide("marketing", 1, "a", {}, False), LinkSide("crm", 2, "c", {}, False))
    with pytest.raises(sqlite3.IntegrityError):
        ledger.links.make("people", [NewLink("same email", again)], 1.0)
    assert ledger.links.count("people") == 1


def test_a_base_that_moves_is_not_at_rest_unless_it_says_so(ledger: Ledger) -> None:
    """Decision note 0031: the resting hash goes with the base and with the link's state."""
    ends = (LinkSide("marketing", 1, "a", {}, False), LinkSide("crm", 2, "b", {}, False))
    (link,) = ledger.links.make("people", [NewLink("same email", ends)], 1.0)
    ledger.links.set_bases([(link, "crm", {"x": 1}, 77)])
    assert ledger.links.rests("people", 2, ["b"]) == {"b": 77}
    ledger.links.set_state(link, "unlinked")
    assert ledger.links.rests("people", 2, ["b"]) == {}


def test_an_intent_lives_until_it_is_closed(path: Path, ledger: Ledger) -> None:
    """What was sent is found again by the next process, with its body."""
    row = {
        "mapping": "people",
        "link": None,
        "side": "crm",
        "object": 2,
        "key": None,
        "source": (1, "a"),
        "op": "create",
    }
    ledger.intents.plan([{**row, "lane": "urgent", "unique": "k", "expect_ms": None, "body": Body([])}], 1.0)
    (intent,) = ledger.intents.batch("people", "planned", 0, 10)
    ledger.intents.set_state([intent.id], "sent", sent_at=2.0, attempt=1)
    ledger.close()
    again = Ledger.open(path)
    (found,) = again.intents.batch("people", "sent", 0, 10)
    assert (found.unique, found.source, found.attempt) == ("k", (1, "a"), 1)
    again.intents.close([found.id])
    assert again.intents.total(("sent", "planned")) == 0


# ---------------------------------------------------------------- journal


def test_one_changed_byte_in_the_journal_is_found(ledger: Ledger) -> None:
    """The chain covers every entry, its order and the digest of its values."""
    ledger.journal.write([Note("decide", f"entry {n}", values={"n": n}) for n in range(10)], 1.0, None)
    assert ledger.journal.verify() == (10, None)
    for statement in (
        "UPDATE journal SET said = 'entry X' WHERE seq = 4",
        "UPDATE journal_value SET doc = '{\"n\":99}' WHERE seq = 6",
        "DELETE FROM journal WHERE seq = 8",
    ):
        with ledger.store.transaction() as t:
            t.execute("SAVEPOINT before")
            t.execute(statement)
            assert ledger.journal.verify()[1] is not None, statement
            t.execute("ROLLBACK TO before")
    assert ledger.journal.verify() == (10, None)


def test_values_can_be_erased_and_the_chain_still_holds(ledger: Ledger) -> None:
    """A person's right to be forgotten does not cost the account its proof."""
    ledger.journal.write([Note("decide", "entry", values={"email": "ada@x.test"})] * 3, 1.0, None)
    with ledger.store.transaction() as t:
        t.execute("DELETE FROM journal_value WHERE seq = 2")
    assert ledger.journal.verify() == (3, None)
    assert [entry.values for entry in ledger.journal.page()] == [{"email": "ada@x.test"}, None, {"email": "ada@x.test"}]


def test_an_issue_about_the_same_thing_is_one_issue(ledger: Ledger) -> None:
    """Raised every cycle, listed once, with the newest reason; closed, it may come again."""
    for reason in ("first", "second"):
        ledger.inbox.raise_issue("refused", "people", reason, "mend it", 1.0, object=1, key="a", field="email")
    (issue,) = ledger.inbox.issues()
    assert issue.reason == "second"
    assert ledger.inbox.close_issues(2.0, kind="refused") == 1
    ledger.inbox.raise_issue("refused", "people", "third", "mend it", 3.0, object=1, key="a", field="email")
    assert len(ledger.inbox.issues()) == 1


def test_old_values_of_the_journal_are_erased_and_the_chain_still_holds(ledger: Ledger) -> None:
    """Retention: values older than the limit go, a bounded number at a time; newer ones and every entry stay."""
    for at in (10.0, 20.0, 30.0):
        ledger.journal.write([Note("decide", "update", values={"at": at})], at, None)
    assert ledger.journal.drop_values(25.0, 1) == 1
    assert ledger.journal.drop_values(25.0, 5) == 1
    assert ledger.journal.drop_values(25.0, 5) == 0
    assert [entry.values for entry in ledger.journal.page()] == [None, None, {"at": 30.0}]
    assert ledger.journal.verify() == (3, None)
