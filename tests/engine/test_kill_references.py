"""Kill the process anywhere while records that refer to each other are created, moved and woken.

After each kill a new process takes over; when it is quiet everything points where it should, nothing is there twice,
and nobody waits.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import Killed, Killer, dying
from kin import COMPANIES, DEALS, MAIN_CONTACT, PEOPLE, Kin, make_kin

ROLES = "OpportunityContactRoles.ContactId"


def story(tmp_path: Path) -> Kin:
    """A whole family that is new, with a circle in it; a person who moves to a company that gets its name just now; and
    a deal that gets another account and loses a contact in the CRM."""
    kin = make_kin(tmp_path, COMPANIES + MAIN_CONTACT, DEALS, PEOPLE)
    old = kin.mk.create("companies", {"name": "Old"}, by="ann")
    nameless = kin.mk.create("companies", {}, by="ann")
    ada = kin.mk.create("contacts", {"email": "ada@x.test", "associations.companies": old}, by="ann")
    bob = kin.mk.create("contacts", {"email": "bob@x.test", "associations.companies": old}, by="ann")
    deal = kin.mk.create(
        "deals", {"name": "Deal", "associations.companies": old, "associations.contacts": [ada, bob]}, by="ann"
    )
    kin.settle()
    kin.mk.edit("contacts", ada, {"associations.companies": nameless, "name": "Ada"}, by="ann")
    kin.settle()

    kin.mk.edit("companies", nameless, {"name": "Named"}, by="ann")
    account = kin.sf.create("Account", {"Name": "Rep's"}, by="rep")
    kin.sf.edit(
        "Opportunity",
        kin.across("deals", "deals", deal),
        {"AccountId": account, ROLES: [kin.across("people", "contacts", ada)]},
        by="rep",
    )
    new = kin.mk.create("companies", {"name": "New"}, by="ann")
    eve = kin.mk.create("contacts", {"email": "eve@x.test", "associations.companies": new}, by="ann")
    kin.mk.edit("companies", new, {"main_contact": eve}, by="ann")
    kin.mk.create(
        "deals", {"name": "New deal", "associations.companies": new, "associations.contacts": [eve, ada]}, by="ann"
    )
    return kin


def judge(kin: Kin) -> None:
    """What must be true whenever and wherever the process died."""
    accounts = {kin.sf.values("Account", key)["Name"]: key for key in kin.sf.keys("Account")}
    companies = {kin.mk.values("companies", key)["name"]: key for key in kin.mk.keys("companies")}
    assert sorted(accounts) == sorted(companies) == ["Named", "New", "Old", "Rep's"]
    assert len(kin.sf.keys("Account")) == len(kin.mk.keys("companies")) == 4
    contacts = {kin.sf.values("Contact", key)["Email"]: key for key in kin.sf.keys("Contact")}
    assert sorted(contacts) == ["ada@x.test", "bob@x.test", "eve@x.test"]
    assert len(kin.sf.keys("Contact")) == 3
    works_at = {email: kin.sf.values("Contact", key)["AccountId"] for email, key in contacts.items()}
    assert works_at == {
        "ada@x.test": accounts["Named"],
        "bob@x.test": accounts["Old"],
        "eve@x.test": accounts["New"],
    }
    deals = {
        kin.sf.values("Opportunity", key)["Name"]: kin.sf.values("Opportunity", key)
        for key in kin.sf.keys("Opportunity")
    }
    assert len(kin.sf.keys("Opportunity")) == 2
    assert deals["Deal"]["AccountId"] == accounts["Rep's"]
    assert deals["Deal"][ROLES] == [contacts["ada@x.test"]]
    assert deals["New deal"]["AccountId"] == accounts["New"]
    assert deals["New deal"][ROLES] == sorted([contacts["ada@x.test"], contacts["eve@x.test"]])
    (deal,) = (
        kin.mk.values("deals", key) for key in kin.mk.keys("deals") if kin.mk.values("deals", key)["name"] == "Deal"
    )
    assert deal["associations.companies"] == companies["Rep's"]
    assert [kin.mk.values("contacts", key)["email"] for key in deal["associations.contacts"]] == ["ada@x.test"]
    assert kin.sf.values("Account", accounts["New"])["MainContact"] == contacts["eve@x.test"]
    assert kin.waits() == 0
    assert kin.ledger.inbox.issues() == []
    assert kin.ledger.journal.verify()[1] is None


PARTS = 6
"""The kills are spread over so many tests: on a busy machine one test would take minutes."""


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_anywhere_leaves_everything_pointing_where_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """At every commit and every call, before and after: parents, children, a circle, a wake-up, a list."""
    begun = story(tmp_path / "begun")
    whole = begun.branch(tmp_path / "whole.db")
    counter = Killer(at=-1)
    with dying(counter, monkeypatch):
        whole.settle()
    judge(whole)
    assert counter.points > 60
    for at in range(1 + part, counter.points + 1, PARTS):
        kin = begun.branch(tmp_path / f"{at}.db")
        with dying(Killer(at), monkeypatch), pytest.raises(Killed):
            kin.settle()
        kin.restart()
        kin.settle(most=16)
        judge(kin)
        kin.ledger.close()


@pytest.mark.parametrize("apply", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("side", ["mk", "sf"])
def test_an_answer_that_never_comes_leaves_no_reference_behind(tmp_path: Path, side: str, apply: bool) -> None:
    """Doubt about a parent's create, or about a child's: it ends applied once, and the references with it."""
    kin = story(tmp_path)
    getattr(kin, side).fault("doubtful_after" if apply else "doubtful_before", times=3)
    kin.settle(most=30)

    judge(kin)
