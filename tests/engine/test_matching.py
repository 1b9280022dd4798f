"""Who is who: several rules, rules of several fields, further values, and one question for each ambiguity."""

from __future__ import annotations

from pathlib import Path

import companies
import pytest
from world import MAPPING, World, make, writes

from syncd.cycle import prepare
from syncd.ruling import resolve
from syncd.view.why import why

ALSO = MAPPING.replace(
    'type = "email"\nclash = "crm"', 'type = "email"\nclash = "crm"\nalso = { marketing = "rating_note" }'
).replace("rating_note", "jobtitle")
"""The job title stands in for the attribute with further addresses."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


@pytest.fixture
def firms(tmp_path: Path) -> World:
    return companies.make(tmp_path)


def pairs(world: World) -> list[tuple[str, str]]:
    return sorted((link.marketing.key, link.crm.key) for link in world.ledger.links.page("people", 0, 100))


def pick(world: World, key: str, of: str | None = None) -> None:
    """A person rules on the only issue."""
    (issue,) = world.ledger.inbox.issues()
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    resolve(run, bench, issue, key, of)


# ---------------------------------------------------------------- rules


def test_a_company_is_known_by_its_domain_however_it_is_written(firms: World) -> None:
    """acme.com, https://www.Acme.com/x: one company; nothing is rewritten for its spelling."""
    company = firms.mk.create("companies", {"domain": "acme.com", "name": "Acme"}, by="ann")
    account = firms.sf.create("Account", {"Website": "https://www.Acme.com/about?x=1", "Name": "Acme"}, by="rep")
    firms.until_quiet()

    assert pairs(firms) == [(company, account)]
    assert firms.sf.values("Account", account)["Website"] == "https://www.Acme.com/about?x=1"


def test_the_domain_of_a_mail_provider_tells_nobody_from_another(firms: World) -> None:
    """Two firms at gmail.com are two firms."""
    firms.mk.create("companies", {"domain": "gmail.com", "name": "Baker"}, by="ann")
    firms.sf.create("Account", {"Website": "http://gmail.com", "Name": "Butcher"}, by="rep")
    firms.until_quiet()

    assert len(pairs(firms)) == 2
    assert (len(firms.mk.keys("companies")), len(firms.sf.keys("Account"))) == (2, 2)


def test_a_rule_of_several_fields_needs_all_of_them(firms: World) -> None:
    """Same name, same country: one firm. Same name in another country, or in none: another firm."""
    company = firms.mk.create("companies", {"name": "Acme", "country": "DE"}, by="ann")
    firms.mk.create("companies", {"name": "Acme"}, by="ann")
    same = firms.sf.create("Account", {"Name": "ACME", "Country": "Germany"}, by="rep")
    firms.sf.create("Account", {"Name": "Acme", "Country": "France"}, by="rep")
    firms.until_quiet()

    assert (company, same) in pairs(firms)
    assert len(pairs(firms)) == 3
    assert firms.ledger.inbox.issues() == []


def test_the_first_rule_that_finds_somebody_decides(firms: World) -> None:
    """Domain before name: whoever holds the domain is the partner, and nobody is linked twice in one batch."""
    first = firms.mk.create("companies", {"domain": "acme.com", "name": "Acme", "country": "DE"}, by="ann")
    second = firms.mk.create("companies", {"name": "Acme Ltd", "country": "DE"}, by="ann")
    account = firms.sf.create("Account", {"Website": "www.acme.com", "Name": "Acme Ltd", "Country": "DE"}, by="rep")
    firms.until_quiet()

    assert (first, account) in pairs(firms)
    assert all(one != second for one, _ in pairs(firms))
    assert [issue.key for issue in firms.ledger.inbox.issues()] == [second]


def test_a_create_looks_for_its_domain_as_people_write_it(firms: World) -> None:
    """What arrived since the feed was read is found although the look-up is exact: no second account."""
    firms.until_quiet()
    company = firms.mk.create("companies", {"domain": "acme.com", "name": "Acme"}, by="ann")
    firms.sf.manners("Account").lag_ms = 600_000
    account = firms.sf.create("Account", {"Website": "https://www.acme.com/", "Name": "Acme Inc"}, by="rep")
    firms.once()
    firms.until_quiet()

    assert pairs(firms) == [(company, account)]
    assert firms.sf.keys("Account") == [account]


# ---------------------------------------------------------------- further values


def test_a_second_address_finds_the_person_and_neither_address_is_replaced(world: World) -> None:
    """The contact's further address is the lead's: one person, whose addresses both stand."""
    world.mapping_text = ALSO
    contact = world.mk.create(
        "contacts", {"email": "ada@home.test", "lastname": "Ada", "jobtitle": "x@y.test;Ada@Work.test"}, by="ann"
    )
    lead = world.sf.create("Lead", {"Email": "ada@work.test", "LastName": "Ada"}, by="rep")
    world.until_quiet()

    assert pairs(world) == [(contact, lead)]
    assert world.mk.values("contacts", contact)["email"] == "ada@home.test"
    assert world.sf.values("Lead", lead)["Email"] == "ada@work.test"
    assert world.ledger.inbox.issues() == []

    world.mk.edit("contacts", contact, {"email": "ada@new.test"}, by="ann")
    world.until_quiet()
    assert world.sf.values("Lead", lead)["Email"] == "ada@new.test", "an edit crosses as ever"


def test_a_changed_address_keeps_the_link(world: World) -> None:
    """The link is to the record, not to its address."""
    contact = world.mk.create(
        "contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80, "lifecyclestage": "mql"}, by="ann"
    )
    world.until_quiet()
    (lead,) = world.sf.keys("Lead")
    world.sf.edit("Lead", lead, {"Email": "ada@married.test"}, by="rep")
    world.until_quiet()

    assert pairs(world) == [(contact, lead)]
    assert world.only_contact()["email"] == "ada@married.test"
    assert len(world.leads()) == 1


# ---------------------------------------------------------------- doubt


def test_one_ambiguity_is_one_issue(world: World) -> None:
    """One contact and two leads share an address: asked once, about the contact, with both leads to pick from."""
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    leads = [world.sf.create("Lead", {"Email": "ada@x.test", "LastName": name}, by="rep") for name in ("One", "Two")]
    world.until_quiet()
    world.sf.edit("Lead", leads[0], {"Title": "CTO"}, by="rep")
    world.until_quiet()

    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.key) == ("ambiguous", contact)
    assert [key for _, key in issue.doc["candidates"]] == leads


def test_what_a_person_passed_over_is_not_asked_about_again(world: World) -> None:
    """A pick answers the whole question, for as long as its link stands."""
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    first = world.sf.create("Lead", {"Email": "ada@x.test", "LastName": "One"}, by="rep")
    second = world.sf.create("Lead", {"Email": "ada@x.test", "LastName": "Two"}, by="rep")
    world.until_quiet()
    pick(world, second)
    world.until_quiet()
    world.sf.edit("Lead", first, {"Title": "CTO"}, by="rep")
    world.until_quiet()

    assert pairs(world) == [(contact, second)]
    assert world.ledger.inbox.issues() == []
    assert len(world.contacts()) == 1

    third = world.sf.create("Lead", {"Email": "ada@x.test", "LastName": "Three"}, by="rep")
    world.until_quiet()
    assert [issue.key for issue in world.ledger.inbox.issues()] == [third]


def test_a_key_that_people_know_in_two_forms_is_one_key(world: World) -> None:
    """Where a connector says so: the short form of an id picks the same record as the long one, and explains it."""
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    leads = [
        world.sf.create("Lead", {"Email": "ada@x.test", "LastName": name}, by="rep", key=f"00Q{name}AAA")
        for name in ("One", "Two")
    ]
    world.sf.whole_key = lambda key: key if key.endswith("AAA") else f"{key}AAA"
    world.until_quiet()
    pick(world, "00QTwo")
    world.until_quiet()

    assert pairs(world) == [(contact, leads[1])]
    told = why(world.ledger, world.mappings(), world.run().systems, ("sf", "Lead", "00QTwo"), None)
    assert told["record"]["key"] == leads[1]


def test_one_of_several_on_both_sides_is_named_by_the_person(firms: World) -> None:
    """Two and two: the person says whose partner the pick is, and the rest is asked about next."""
    ours = [firms.mk.create("companies", {"domain": "acme.com", "name": f"A{n}"}, by="ann") for n in (1, 2)]
    theirs = [firms.sf.create("Account", {"Website": "acme.com", "Name": f"B{n}"}, by="rep") for n in (1, 2)]
    firms.until_quiet()
    pick(firms, theirs[0], of=ours[1])
    firms.until_quiet()
    assert pairs(firms) == [(ours[1], theirs[0])]
    pick(firms, theirs[1])
    firms.until_quiet()

    assert pairs(firms) == [(ours[0], theirs[1]), (ours[1], theirs[0])]
    assert firms.ledger.inbox.issues() == []


def test_an_ambiguity_that_people_cleared_away_ends_by_itself(world: World) -> None:
    """One of the two leads goes: the other is linked, and nothing is asked any more."""
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada"}, by="ann")
    leads = [world.sf.create("Lead", {"Email": "ada@x.test", "LastName": name}, by="rep") for name in ("One", "Two")]
    world.until_quiet()
    world.sf.merge("Lead", leads[0], leads[1], by="rep")
    world.until_quiet()

    assert pairs(world) == [(contact, leads[0])]
    assert world.ledger.inbox.issues() == []
    assert writes(world.once()) == 0
