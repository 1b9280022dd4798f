"""The ledger's keeping: a backup is whole, a restored or lost ledger writes nothing until a person approves."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from tests.cli.shop import Shop


def settled(shop: Shop) -> None:
    """One linked person, made from the CRM's; a first plan was approved; all quiet."""
    shop.lead()
    assert shop.run("once", "--yes").code == 0
    while writes(shop):
        pass


def writes(shop: Shop) -> int:
    """How many writes a cycle sends."""
    done = shop.run("once", "--json")
    return sum(sum(ops.values()) for ops in done.json["mappings"]["people"]["writes"].values())


def test_a_backup_is_one_whole_file_for_its_owner_alone(shop: Shop) -> None:
    """Proved before it gets its name, mode 0600, and `verify` says the same of it later."""
    settled(shop)
    facts = shop.ok("ledger", "backup")
    file = Path(facts["path"])
    assert facts["holds"]
    assert facts["entries"] > 0
    assert file.parent.name == "backups"
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert sorted(os.listdir(file.parent)) == [file.name]
    assert shop.ok("ledger", "verify", str(file))["entries"] == facts["entries"]


def test_a_backup_never_overwrites_and_old_ones_make_room_only_when_asked(shop: Shop) -> None:
    """--to an existing file is refused; --keep removes the oldest of our own folder, and no other file."""
    settled(shop)
    mine = shop.folder / "mine.db"
    assert shop.run("ledger", "backup", "--to", str(mine)).code == 0
    before = mine.read_bytes()
    assert shop.run("ledger", "backup", "--to", str(mine)).code == 3
    assert mine.read_bytes() == before
    first = Path(shop.ok("ledger", "backup")["path"])
    os.rename(first, first.with_name("ledger-20200101T000000Z.db"))
    with sqlite3.connect(shop.folder / "ledger.db") as raw:
        raw.execute("UPDATE meta SET name = replace(name, ?, 'ledger-20200101T000000Z.db')", (first.name,))
    kept = shop.ok("ledger", "backup", "--keep", "1")
    assert [Path(name).name for name in kept["removed"]] == ["ledger-20200101T000000Z.db"]
    assert mine.exists()
    assert Path(kept["path"]).exists()


def test_verify_finds_a_changed_journal_and_a_damaged_file(shop: Shop) -> None:
    """Exit 3, and what is wrong, for a byte changed behind our back."""
    settled(shop)
    file = shop.folder / "copy.db"
    shop.ok("ledger", "backup", "--to", str(file))
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE journal SET said = 'nothing happened' WHERE seq = 2")
    done = shop.run("ledger", "verify", str(file))
    assert done.code == 3
    assert "entry 2 was changed" in done.out
    file.write_bytes(file.read_bytes()[:5000])
    assert shop.run("ledger", "verify", str(file)).code == 3
    assert shop.run("ledger", "restore", str(file)).code == 3
    assert shop.run("ledger", "verify").code == 0


def test_a_restored_ledger_sends_nothing_until_it_is_approved(shop: Shop) -> None:
    """What was created since the backup is found by its key: nothing is duplicated, reverted or deleted."""
    settled(shop)
    shop.ok("ledger", "backup", "--to", str(shop.folder / "old.db"))
    shop.contact(email="bob@example.test", lastname="Byte")
    shop.mk.edit("contacts", shop.mk.keys("contacts")[0], {"lastname": "King"})
    lead = shop.lead(Email="eve@example.test", LastName="Eve")
    while writes(shop):
        pass
    leads, contacts = len(shop.sf.keys("Lead")), len(shop.mk.keys("contacts"))
    done = shop.run("ledger", "restore", str(shop.folder / "old.db"))
    assert done.code == 0
    assert "Safe mode" in done.out
    assert list(shop.folder.glob("ledger.db.before-*"))
    shop.sf.edit("Lead", lead, {"LastName": "Evelyn"})
    assert shop.run("once", "--yes").code == 3
    assert [issue["kind"] for issue in shop.run("issues", "--json").json].count("safe_mode") == 1
    assert writes(shop) == 0
    assert len(shop.sf.keys("Lead")) == leads
    assert len(shop.mk.keys("contacts")) == contacts
    assert shop.run("approve", "people").code == 0
    while writes(shop):
        pass
    assert len(shop.sf.keys("Lead")) == leads
    assert len(shop.mk.keys("contacts")) == contacts
    assert "Evelyn" in {shop.mk.values("contacts", key)["lastname"] for key in shop.mk.keys("contacts")}
    assert not [issue for issue in shop.run("issues", "--json").json if issue["kind"] == "safe_mode"]


def test_a_saved_plan_ends_no_safe_mode(shop: Shop) -> None:
    """Nobody looked at it since the ledger was restored: only `approve` says that somebody has."""
    settled(shop)
    shop.ok("ledger", "backup", "--to", str(shop.folder / "old.db"))
    shop.ok("ledger", "restore", str(shop.folder / "old.db"))
    shop.lead(Email="eve@example.test", LastName="Eve")
    saved = shop.folder / "plan.json"
    saved.write_text(shop.run("plan", "--json").out)
    assert shop.run("once", "--plan", str(saved)).code == 3
    assert len(shop.mk.keys("contacts")) == 1
    shop.ok("approve", "people")
    shop.run("once")
    assert len(shop.mk.keys("contacts")) == 2


def test_a_ledger_put_back_by_hand_is_recognised(shop: Shop) -> None:
    """An old copy laid over the ledger: the marker beside it knows better."""
    settled(shop)
    shop.ok("ledger", "backup", "--to", str(shop.folder / "old.db"))
    shop.lead(Email="eve@example.test", LastName="Eve")
    while writes(shop):
        pass
    for end in ("", "-wal", "-shm"):
        (shop.folder / f"ledger.db{end}").unlink(missing_ok=True)
    os.rename(shop.folder / "old.db", shop.folder / "ledger.db")
    shop.lead(Email="zoe@example.test", LastName="Zoe")
    done = shop.run("once", "--yes")
    assert done.code == 3
    assert writes(shop) == 0
    reason = next(i["reason"] for i in shop.run("issues", "--json").json if i["kind"] == "safe_mode")
    assert "older than the last one" in reason


def test_a_lost_ledger_is_recognised_and_rebuilds_its_links_from_keys(shop: Shop) -> None:
    """Begun anew beside the marker of another one: --yes does not release what a person has not seen."""
    settled(shop)
    shop.lead(Email="eve@example.test", LastName="Eve")
    while writes(shop):
        pass
    contacts = len(shop.mk.keys("contacts"))
    for end in ("", "-wal", "-shm"):
        (shop.folder / f"ledger.db{end}").unlink(missing_ok=True)
    shop.lead(Email="zoe@example.test", LastName="Zoe")
    assert shop.run("once", "--yes").code == 3
    assert len(shop.run("links", "--json").json) == 2
    assert len(shop.mk.keys("contacts")) == contacts
    assert shop.run("approve", "people").code == 0
    while writes(shop):
        pass
    assert len(shop.mk.keys("contacts")) == contacts + 1


def test_who_was_deleted_while_the_ledger_was_lost_is_not_made_again(shop: Shop) -> None:
    """The one that is left carries our key, and names whom it was made from: the plan makes no second one."""
    contact = shop.contact(score=80)
    shop.run("once", "--yes")
    while writes(shop):
        pass
    for end in ("", "-wal", "-shm"):
        (shop.folder / f"ledger.db{end}").unlink(missing_ok=True)
    shop.mk.delete("contacts", contact)
    shop.run("once")
    assert shop.run("plan", "--json").json["count"] == 0
    shop.ok("approve", "people")
    shop.run("once")
    assert [issue["kind"] for issue in shop.run("issues", "--json").json] == ["partner_gone"]
    assert shop.mk.keys("contacts") == []
    shop.contact()  # a person makes them by hand
    while writes(shop):
        pass
    assert shop.run("issues", "--json").json == []


def test_a_backup_is_taken_while_deletes_wait(shop: Shop) -> None:
    """A delete that waits for a person is an ordinary state, and no flaw of the file."""
    settled(shop)
    shop.edit(shop.mapping, 'crm = "unlink"', 'crm = "archive"')
    shop.run("once", "--yes")
    shop.sf.delete("Lead", shop.sf.keys("Lead")[0])
    shop.run("once")
    assert shop.run("plan", "--json").json["deletes"]["people"]["count"] == 1
    assert shop.ok("ledger", "verify")["holds"]
    assert shop.ok("ledger", "backup")["holds"]


def test_keys_on_the_records_tell_on_a_ledger_whose_marker_went_with_it(shop: Shop) -> None:
    """A whole folder restored, marker and all: a record carries a key that this ledger never gave."""
    settled(shop)
    copies = {name: (shop.folder / name).read_bytes() for name in ("ledger.db.epoch",)}
    shop.ok("ledger", "backup", "--to", str(shop.folder / "old.db"))
    shop.lead(Email="eve@example.test", LastName="Eve")
    while writes(shop):
        pass
    for end in ("", "-wal", "-shm"):
        (shop.folder / f"ledger.db{end}").unlink(missing_ok=True)
    os.rename(shop.folder / "old.db", shop.folder / "ledger.db")
    for name, text in copies.items():
        (shop.folder / name).write_bytes(text)
    shop.lead(Email="zoe@example.test", LastName="Zoe")
    contacts = len(shop.mk.keys("contacts"))
    assert shop.run("once", "--yes").code == 3
    assert len(shop.mk.keys("contacts")) == contacts
    reason = next(i["reason"] for i in shop.run("issues", "--json").json if i["kind"] == "safe_mode")
    assert "carry a key of ours" in reason


def test_compacting_gives_room_back_and_loses_nothing(shop: Shop) -> None:
    """VACUUM under the lease; the journal still holds."""
    settled(shop)
    entries = shop.ok("ledger", "verify")["entries"]
    facts = shop.ok("ledger", "compact")
    assert facts["after_bytes"] <= facts["before_bytes"]
    assert shop.ok("ledger", "verify")["entries"] == entries
    assert writes(shop) == 0
