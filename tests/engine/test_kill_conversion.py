"""Kill the process anywhere while leads are converted: with a company and a deal in marketing, and with neither.

After each kill a new process takes over; when it is quiet every person, company and deal is there once on each side, and
linked to the one that the conversion says.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import Killed, Killer, dying
from kin import Kin
from selling import convert, make_selling, pairs


def story(tmp_path: Path) -> Kin:
    """Ada has a company and a deal in marketing, Bob has neither; both leads are converted, and both are edited."""
    kin = make_selling(tmp_path)
    company = kin.mk.create("companies", {"name": "Acme"}, by="ann")
    ada = kin.mk.create("contacts", {"email": "ada@x.test", "name": "Ada", "associations.companies": company}, by="ann")
    bob = kin.mk.create("contacts", {"email": "bob@x.test", "name": "Bob"}, by="ann")
    kin.mk.create("deals", {"name": "Acme, 2027", "associations.contacts": [ada]}, by="ann")
    kin.settle()
    leads = {kin.sf.values("Lead", key)["Email"]: key for key in kin.sf.keys("Lead")}
    kin.mk.edit("contacts", ada, {"name": "Countess"}, by="ann")
    kin.mk.edit("contacts", bob, {"name": "Robert"}, by="ann")
    convert(kin, leads["ada@x.test"])
    convert(kin, leads["bob@x.test"], name="Bob's", deal="Bob's deal")
    return kin


def judge(kin: Kin) -> None:
    """What must be true whenever and wherever the process died."""
    assert [len(kin.mk.keys(name)) for name in ("companies", "contacts", "deals")] == [2, 2, 2]
    assert [len(kin.sf.keys(name)) for name in ("Account", "Contact", "Opportunity")] == [2, 2, 2]
    names = {
        (kin.mk.values(ours, a)["name"], kin.sf.values(theirs, b)["Name"])
        for mapping, ours, theirs in (
            ("companies", "companies", "Account"),
            ("people", "contacts", "Contact"),
            ("deals", "deals", "Opportunity"),
        )
        for a, b in pairs(kin, mapping)
    }
    assert names == {
        *((name, name) for name in ("Acme Inc", "Bob's", "Countess", "Robert", "Big deal", "Bob's deal")),
    }
    works_at = {
        kin.mk.values("contacts", key)["name"]: kin.mk.values(
            "companies", kin.mk.values("contacts", key)["associations.companies"]
        )["name"]
        for key in kin.mk.keys("contacts")
    }
    assert works_at == {"Countess": "Acme Inc", "Robert": "Bob's"}
    assert kin.ledger.inbox.issues() == []
    assert kin.ledger.journal.verify()[1] is None


def test_a_kill_anywhere_in_a_conversion_links_everything_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every commit and every call, before and after."""
    begun = story(tmp_path / "begun")
    whole = begun.branch(tmp_path / "whole.db")
    counter = Killer(at=-1)
    with dying(counter, monkeypatch):
        whole.settle()
    judge(whole)
    assert counter.points > 40
    for at in range(1, counter.points + 1):
        kin = begun.branch(tmp_path / f"{at}.db")
        with dying(Killer(at), monkeypatch), pytest.raises(Killed):
            kin.settle()
        kin.restart()
        kin.settle(most=16)
        judge(kin)
        kin.ledger.close()


@pytest.mark.parametrize("apply", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("side", ["mk", "sf"])
def test_an_answer_that_never_comes_makes_nothing_twice(tmp_path: Path, side: str, apply: bool) -> None:
    """Doubt about what a conversion brings across."""
    kin = story(tmp_path)
    getattr(kin, side).fault("doubtful_after" if apply else "doubtful_before", times=3)
    kin.settle(most=30)

    judge(kin)
