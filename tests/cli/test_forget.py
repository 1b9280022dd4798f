"""Forgetting a person: no byte of theirs is left, the journal holds, and they do not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shop import Shop

CANARIES = (b"grete.canary@example.test", b"Canarywoman", b"Kanarienweib", b"GRETE.CANARY")


def linked(shop: Shop) -> str:
    """Grete is on both sides, was edited on both sides at once, and Ada beside her; all quiet."""
    lead = shop.lead(Email="grete.canary@example.test", LastName="Canarywoman")
    shop.lead()
    assert shop.run("once", "--yes").code == 0
    quiet(shop)
    (contact,) = [k for k in shop.mk.keys("contacts") if shop.mk.values("contacts", k)["lastname"] == "Canarywoman"]
    shop.mk.edit("contacts", contact, {"lastname": "Kanarienweib"})
    shop.sf.edit("Lead", lead, {"LastName": "Canarywoman II"})
    quiet(shop)
    return lead


def quiet(shop: Shop) -> None:
    for _ in range(6):
        done = shop.run("once", "--json")
        if not sum(sum(ops.values()) for ops in done.json["mappings"]["people"]["writes"].values()):
            return
    raise AssertionError("it does not become quiet")


def bytes_of(folder: Path) -> bytes:
    """Every byte that we own: the ledger and whatever lies beside it."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("ledger.db*")))


def test_no_byte_of_a_forgotten_person_is_left(shop: Shop) -> None:
    """Facts, bases, journal values, losers, match values: searched for in the raw files."""
    linked(shop)
    assert any(canary in bytes_of(shop.folder) for canary in CANARIES)
    done = shop.run("forget", "GRETE.canary@example.test", "--yes")
    assert done.code == 0, done.err
    left = bytes_of(shop.folder)
    assert not [canary for canary in CANARIES if canary in left]
    assert b"Lovelace" in left


def test_the_certificate_tells_what_went_and_the_journal_still_holds(shop: Shop) -> None:
    """Rows by table, both records, the chain proved anew, and the backups that somebody has to delete."""
    linked(shop)
    backup = shop.ok("ledger", "backup")["path"]
    facts = shop.ok("forget", "grete.canary@example.test", "--yes")
    assert {one["object"] for one in facts["records"]} == {"contacts", "Lead"}
    assert facts["erased"]["fact"] == 2
    assert facts["erased"]["journal_value"] > 0
    assert facts["journal"]["holds"] is True
    assert facts["backups_that_still_hold_them"] == [backup]
    assert shop.run("journal", "verify").code == 0
    assert shop.run("ledger", "verify").code == 0


def test_the_certificate_names_every_copy_that_still_holds_them(shop: Shop) -> None:
    """A restored ledger knows neither the backup that was made after it, nor what it replaced: the certificate does."""
    linked(shop)
    first = shop.ok("ledger", "backup")["path"]
    aside = shop.ok("ledger", "restore", first)["aside"]
    facts = shop.ok("forget", "grete.canary@example.test", "--yes")
    assert facts["backups_that_still_hold_them"] == sorted([first, aside])
    Path(first).unlink()
    shop.ok("approve", "people")
    facts = shop.ok("forget", "ada@example.test", "--yes")
    assert facts["backups_that_still_hold_them"] == [aside]


def test_an_old_backup_brings_no_forgotten_person_back(shop: Shop) -> None:
    """Restored from before the forgetting, the ledger forgets them once more, and still knows them when they come again."""
    lead = linked(shop)
    backup = shop.ok("ledger", "backup", "--to", str(shop.folder.parent / "elsewhere.db"))["path"]
    shop.ok("forget", "grete.canary@example.test", "--yes")
    assert shop.ok("ledger", "restore", backup)["forgotten"] == 2
    shop.ok("approve", "people")
    for aside in shop.folder.glob("ledger.db.before-*"):
        aside.unlink()
    assert not [canary for canary in CANARIES if canary in bytes_of(shop.folder)]
    contacts = len(shop.mk.keys("contacts"))
    shop.sf.edit("Lead", lead, {"LastName": "Canarywoman III"})
    shop.lead(Email="grete.canary@example.test", LastName="Twin")
    quiet(shop)
    assert len(shop.mk.keys("contacts")) == contacts
    assert [issue["kind"] for issue in shop.run("issues", "--json").json] == ["forgotten"]
    assert shop.ok("ledger", "verify")["holds"]


def test_a_forgotten_person_does_not_come_back(shop: Shop) -> None:
    """Their record goes on there and is edited; a twin appears with the same address: nothing is created or written."""
    lead = linked(shop)
    shop.ok("forget", "grete.canary@example.test", "--yes")
    contacts = len(shop.mk.keys("contacts"))
    shop.sf.edit("Lead", lead, {"LastName": "Canarywoman III"})
    quiet(shop)
    shop.lead(Email="grete.canary@example.test", LastName="Twin")
    quiet(shop)
    assert len(shop.mk.keys("contacts")) == contacts
    assert "Kanarienweib" not in {shop.mk.values("contacts", key)["lastname"] for key in shop.mk.keys("contacts")}
    assert b"Canarywoman" not in bytes_of(shop.folder)
    issues = shop.run("issues", "--json").json
    assert [issue["kind"] for issue in issues] == ["forgotten"]


def test_without_yes_it_only_shows_whom_it_would_erase(shop: Shop) -> None:
    """Nothing is erased unasked; who is not known is a clear error."""
    linked(shop)
    assert len(shop.ok("forget", "grete.canary@example.test")["records"]) == 2
    assert any(canary in bytes_of(shop.folder) for canary in CANARIES)
    assert shop.run("forget", "nobody@example.test", "--yes").code == 2
    assert shop.run("forget", "sf", "Lead", "no-such-key", "--yes").code == 2
    assert shop.run("forget", "two", "words").code == 2


def test_a_person_can_be_named_by_a_record(shop: Shop) -> None:
    """SYSTEM OBJECT KEY, for those without an address."""
    lead = linked(shop)
    facts = shop.ok("forget", "sf", "Lead", lead, "--yes")
    assert len(facts["records"]) == 2


@pytest.mark.parametrize("became", ["converted", "merged"])
def test_who_is_converted_or_merged_after_being_forgotten_is_known_by_what_is_matched(shop: Shop, became: str) -> None:
    """The record that they live on as has another key: it is told by its address, and nobody is made for it. Under an
    address that syncd never knew it is somebody new: so says docs/guarantees.md."""
    lead = linked(shop)
    shop.ok("forget", "grete.canary@example.test", "--yes")
    contacts = len(shop.mk.keys("contacts"))
    if became == "converted":
        at = shop.sf.convert("Lead", lead)
    else:
        winner = shop.lead(Email="grete.canary@example.test", LastName="Twin")
        at = ("Lead", shop.sf.merge("Lead", winner, lead))
    quiet(shop)
    assert len(shop.mk.keys("contacts")) == contacts
    assert [issue["kind"] for issue in shop.ok("issues")] == ["forgotten"]

    shop.sf.edit(*at, {"Email": "another.canary@example.test"})
    quiet(shop)
    assert len(shop.mk.keys("contacts")) == contacts + 1
