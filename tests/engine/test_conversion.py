"""A lead is converted: the person's link follows, account and opportunity are linked to what marketing has, or made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kin import Kin
from selling import LEADS, convert, make_selling, pairs

from connectors.memory import Store


@pytest.fixture
def kin(tmp_path: Path) -> Kin:
    return make_selling(tmp_path)


def person(kin: Kin, *, company: str | None = "Acme", deal: str | None = "Acme, 2027") -> dict[str, str]:
    """Somebody in marketing with a company and a deal of theirs, handed over as a lead; the keys of all."""
    keys: dict[str, str] = {}
    values: dict[str, Any] = {"email": "ada@x.test", "name": "Ada"}
    if company is not None:
        values["associations.companies"] = keys["company"] = kin.mk.create("companies", {"name": company}, by="ann")
    keys["contact"] = kin.mk.create("contacts", values, by="ann")
    if deal is not None:
        keys["deal"] = kin.mk.create("deals", {"name": deal, "associations.contacts": [keys["contact"]]}, by="ann")
    kin.settle()
    (keys["lead"],) = kin.sf.keys("Lead")
    return keys


def test_account_and_opportunity_are_linked_to_what_marketing_has(kin: Kin) -> None:
    """Whatever they are called on either side: nothing is created, and the person's link is the contact's."""
    keys = person(kin)
    account, opportunity, contact = convert(kin, keys["lead"])
    kin.settle()

    assert pairs(kin, "companies") == [(keys["company"], account)]
    assert pairs(kin, "deals") == [(keys["deal"], opportunity)]
    assert pairs(kin, "people") == [(keys["contact"], contact)]
    assert [len(kin.mk.keys(name)) for name in ("companies", "contacts", "deals")] == [1, 1, 1]
    assert [len(kin.sf.keys(name)) for name in ("Account", "Contact", "Opportunity")] == [1, 1, 1]
    assert kin.mk.values("companies", keys["company"])["name"] == "Acme Inc", "the CRM's name wins"


def test_what_marketing_does_not_have_is_made_there_once(kin: Kin) -> None:
    """No company, no deal: made from the account and the opportunity, and the person belongs to them."""
    keys = person(kin, company=None, deal=None)
    account, opportunity, contact = convert(kin, keys["lead"])
    kin.settle()

    ((company, of),) = pairs(kin, "companies")
    ((deal, deal_of),) = pairs(kin, "deals")
    assert (of, deal_of, pairs(kin, "people")) == (account, opportunity, [(keys["contact"], contact)])
    assert kin.mk.values("contacts", keys["contact"])["associations.companies"] == company
    assert kin.mk.values("deals", deal)["associations.contacts"] == [keys["contact"]]
    assert [len(kin.mk.keys(name)) for name in ("companies", "contacts", "deals")] == [1, 1, 1]


def test_an_account_that_is_linked_already_is_met_and_nothing_is_proposed(kin: Kin) -> None:
    """Converted into a known account: the person moves to its company, which keeps its link."""
    keys = person(kin, deal=None)
    other = kin.sf.create("Account", {"Name": "Umbrella"}, by="rep")
    kin.settle()
    ((umbrella, _),) = pairs(kin, "companies")
    convert(kin, keys["lead"], account=other, deal=None)
    kin.settle()

    assert pairs(kin, "companies") == [(umbrella, other)]
    assert kin.mk.values("contacts", keys["contact"])["associations.companies"] == umbrella
    assert len(kin.mk.keys("companies")) == 2


def test_several_deals_of_the_person_are_a_question(kin: Kin) -> None:
    """Never the first one; none is made meanwhile, and the pick is linked."""
    keys = person(kin)
    second = kin.mk.create("deals", {"name": "Another", "associations.contacts": [keys["contact"]]}, by="ann")
    kin.settle()
    _, opportunity, _ = convert(kin, keys["lead"])
    kin.settle()

    (issue,) = kin.ledger.inbox.issues()
    assert (issue.kind, issue.mapping, issue.key) == ("ambiguous", "deals", opportunity)
    assert sorted(key for _, key in issue.doc["candidates"]) == sorted([keys["deal"], second])
    assert pairs(kin, "deals") == []
    assert len(kin.mk.keys("deals")) == 2


def test_the_company_is_known_as_it_is_now_although_no_feed_told(kin: Kin) -> None:
    """An association that moved no stamp is read again when its person is converted."""
    keys = person(kin, company=None, deal=None)
    company = kin.mk.create("companies", {"name": "Acme"}, by="ann")
    kin.settle()
    kin.mk.edit("contacts", keys["contact"], {"associations.companies": company}, by="ann")
    account, _, _ = convert(kin, keys["lead"], deal=None)
    kin.settle()

    assert pairs(kin, "companies") == [(company, account)]
    assert len(kin.mk.keys("companies")) == 1


def test_a_lead_that_was_converted_before_it_was_ever_read_is_followed_too(kin: Kin) -> None:
    """Made and converted between two cycles: found by its address, with its company."""
    company = kin.mk.create("companies", {"name": "Acme"}, by="ann")
    kin.settle()
    kin.texts = (*kin.texts[:1], LEADS.replace("crm = 'email != \"\"'", "crm = 'false'"), *kin.texts[2:])
    contact = kin.mk.create("contacts", {"email": "ada@x.test", "associations.companies": company}, by="ann")
    kin.settle()
    lead = kin.sf.create("Lead", {"Email": "ADA@x.test", "Name": "Ada"}, by="rep")
    account, _, made = convert(kin, lead, deal=None)
    kin.settle()

    assert pairs(kin, "people") == [(contact, made)]
    assert pairs(kin, "companies") == [(company, account)]
    assert len(kin.mk.keys("companies")) == 1


def test_a_write_never_reaches_a_converted_lead(kin: Kin) -> None:
    """Converted between our read and our write: refused as moved, and the edit arrives at the contact."""
    keys = person(kin, deal=None)
    before = kin.sf.values("Lead", keys["lead"])["Name"]
    done: list[str] = []

    def meanwhile(store: Store, effect: object) -> None:
        done.append(convert(kin, keys["lead"], deal=None)[2])

    kin.sf.fault("meanwhile", object="Lead", run=meanwhile)
    kin.mk.edit("contacts", keys["contact"], {"name": "Countess"}, by="ann")
    kin.settle()

    assert kin.sf.values("Lead", keys["lead"])["Name"] == before
    assert kin.sf.values("Contact", done[0])["Name"] == "Countess"
    assert pairs(kin, "people") == [(keys["contact"], done[0])]
    assert len(pairs(kin, "companies")) == len(kin.mk.keys("companies")) == 1


@pytest.mark.parametrize("after", range(1, 26, 2))
def test_a_conversion_in_the_middle_of_a_cycle_makes_nothing_twice(
    kin: Kin, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever between two calls it happens: one company, one deal, one person on each side."""
    from connectors.memory import MemoryConnector

    keys = person(kin)
    kin.mk.edit("contacts", keys["contact"], {"name": "Countess"}, by="ann")
    calls = 0
    ask = MemoryConnector._ask

    def counted(self: Any, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            convert(kin, keys["lead"])
        ask(self, *arguments)

    monkeypatch.setattr(MemoryConnector, "_ask", counted)
    kin.settle(most=12)

    assert calls >= after
    assert [len(kin.mk.keys(name)) for name in ("companies", "contacts", "deals")] == [1, 1, 1]
    assert [len(kin.sf.keys(name)) for name in ("Account", "Contact", "Opportunity")] == [1, 1, 1]
    assert len(pairs(kin, "companies")) == len(pairs(kin, "deals")) == len(pairs(kin, "people")) == 1
    (contact,) = kin.sf.keys("Contact")
    assert kin.sf.values("Contact", contact)["Name"] == "Countess"
    assert kin.ledger.inbox.issues() == []


def test_parents_of_a_linked_pair_are_each_others_partner(kin: Kin) -> None:
    """Contact and contact are linked, their companies are called differently and are not: the pair speaks for them."""
    company = kin.mk.create("companies", {"name": "Acme"}, by="ann")
    contact = kin.mk.create("contacts", {"email": "ada@x.test", "associations.companies": company}, by="ann")
    kin.texts = (kin.texts[0], kin.texts[1], kin.texts[2].replace("marketing = 'true'", "marketing = 'false'"))
    account = kin.sf.create("Account", {"Name": "Acme Inc"}, by="rep")
    person = kin.sf.create("Contact", {"Email": "ada@x.test", "AccountId": account}, by="rep")
    kin.settle()

    assert pairs(kin, "people") == [(contact, person)]
    assert pairs(kin, "companies") == [(company, account)]


def test_a_deal_given_to_its_person_since_the_last_sweep_is_met(kin: Kin) -> None:
    """Nobody's feed tells of it: whom unlinked deals refer to is read again when a conversion made an opportunity."""
    keys = person(kin, deal=None)
    deal = kin.mk.create("deals", {"name": "Acme, 2027"}, by="ann")
    kin.settle()
    kin.mk.edit("deals", deal, {"associations.contacts": [keys["contact"]]}, by="ann")
    _, opportunity, _ = convert(kin, keys["lead"])
    kin.settle()

    assert pairs(kin, "deals") == [(deal, opportunity)]
    assert [len(kin.mk.keys("deals")), len(kin.sf.keys("Opportunity"))] == [1, 1]


@pytest.mark.parametrize("alone", [("companies",), ("deals",), ("deals", "companies")])
def test_a_mapping_that_runs_alone_sees_what_was_converted(kin: Kin, alone: tuple[str, ...]) -> None:
    """`once companies` after a conversion: the account is the person's company, and none is made beside it. The mapping
    of people is read, and neither decided nor counted."""
    keys = person(kin)
    account, opportunity, _ = convert(kin, keys["lead"])
    kin.pass_time(60)
    tallies = kin.all_once(*alone)
    assert set(tallies) == set(alone)
    made = {"companies": (keys["company"], account), "deals": (keys["deal"], opportunity)}
    for mapping in alone:
        assert pairs(kin, mapping) == [made[mapping]]
    assert pairs(kin, "people") == [(keys["contact"], keys["lead"])], "not decided"
    kin.settle()
    assert [len(kin.mk.keys(name)) for name in ("companies", "contacts", "deals")] == [1, 1, 1]


def test_a_mapping_that_runs_alone_first_reads_nothing_of_others(tmp_path: Path) -> None:
    """What was never in force is no feeder: one command does not begin another mapping."""
    kin = make_selling(tmp_path)
    kin.all_once("companies")
    assert kin.ledger.books.mapping("people") is None
