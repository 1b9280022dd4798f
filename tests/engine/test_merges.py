"""Merges on either side: links follow, histories join, and what cannot be one pair is one question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from world import World, make, writes

from syncd.cycle import prepare
from syncd.ruling import resolve
from syncd.view.why import why


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def linked(world: World, email: str, **values: object) -> tuple[str, str]:
    """A qualified contact that was handed over: (contact, lead)."""
    given = {"lastname": email[0].upper(), "score": 80, "lifecyclestage": "mql", **values}
    contact = world.mk.create("contacts", {"email": email, **given}, by="ann")
    world.until_quiet()
    (lead,) = [key for key in world.sf.keys("Lead") if world.sf.values("Lead", key)["Email"] == email]
    return contact, lead


def swept(world: World) -> None:
    """Marketing's feed does not tell of merges: a sweep does."""
    world.pass_time(7 * 3600)
    world.until_quiet()


def pairs(world: World, *states: str) -> list[tuple[str, str]]:
    links = world.ledger.links.page("people", 0, 100)
    return sorted((link.marketing.key, link.crm.key) for link in links if link.state in (states or ("live",)))


def pick(world: World, key: str) -> None:
    (issue,) = world.ledger.inbox.issues()
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    resolve(run, bench, issue, key)


def merged_on_one_side(world: World) -> tuple[list[str], list[str]]:
    """Ada and Eve are linked each; marketing merges Ada's contact into Eve's. ([ada, eve], [ada's lead, eve's lead])"""
    ada, ada_lead = linked(world, "ada@x.test", phone="111111")
    eve, eve_lead = linked(world, "eve@x.test", phone="222222")
    world.mk.merge("contacts", eve, ada, by="ann")
    swept(world)
    return [ada, eve], [ada_lead, eve_lead]


def test_while_a_merge_is_in_question_nothing_flows_through_its_links(world: World) -> None:
    """The survivor's address must not reach a lead that may be somebody else, whoever's link it is."""
    (_, eve), leads = merged_on_one_side(world)
    (issue,) = world.ledger.inbox.issues()
    assert issue.kind == "merged_into_linked"
    assert [key for _, key in issue.doc["candidates"]] == leads

    world.mk.edit("contacts", eve, {"email": "ada@x.test", "phone": "333333"}, by="ann")
    world.sf.edit("Lead", leads[0], {"LastName": "King"}, by="rep")
    world.until_quiet()

    assert [lead["Email"] for lead in world.leads()] == ["ada@x.test", "eve@x.test"]
    assert [lead["Phone"] for lead in world.leads()] == ["111111", "222222"]
    assert len(world.ledger.inbox.issues()) == 1
    assert len(world.contacts()) == 1


def test_the_other_side_merged_too_answers_the_question(world: World) -> None:
    """One link is left, it goes on with what was edited meanwhile, and nobody is recreated."""
    (_, eve), leads = merged_on_one_side(world)
    world.mk.edit("contacts", eve, {"phone": "333333"}, by="ann")
    world.sf.merge("Lead", leads[0], leads[1], by="rep")
    swept(world)

    assert pairs(world, "live", "unlinked") == [(eve, leads[0])]
    assert world.ledger.inbox.issues() == []
    assert world.only_lead()["Phone"] == "333333"
    assert len(world.contacts()) == 1


@pytest.mark.parametrize("chosen", [0, 1])
def test_a_person_says_who_the_survivor_goes_with(world: World, chosen: int) -> None:
    """The pick goes on with the survivor's values; the other lead is left alone, and nobody is made for it."""
    (_, eve), leads = merged_on_one_side(world)
    world.mk.edit("contacts", eve, {"phone": "333333"}, by="ann")
    world.until_quiet()
    before = world.sf.values("Lead", leads[1 - chosen])
    pick(world, leads[chosen])
    world.until_quiet()

    assert pairs(world) == [(eve, leads[chosen])]
    assert world.sf.values("Lead", leads[chosen])["Phone"] == "333333"
    assert world.sf.values("Lead", leads[1 - chosen]) == before
    assert world.ledger.inbox.issues() == []

    world.sf.edit("Lead", leads[1 - chosen], {"LastName": "Left"}, by="rep")
    swept(world)
    assert (len(world.contacts()), len(world.leads())) == (1, 2)
    assert world.only_contact()["lastname"] != "Left"
    assert world.ledger.inbox.issues() == []

    world.sf.merge("Lead", leads[chosen], leads[1 - chosen], by="rep")
    swept(world)
    assert pairs(world, "live", "unlinked") == [(eve, leads[chosen])]


def test_the_lead_in_question_deleted_answers_it_as_well(world: World) -> None:
    """Whoever is left is the survivor's partner."""
    (_, eve), leads = merged_on_one_side(world)
    world.sf.delete("Lead", leads[1], by="rep")
    swept(world)

    assert pairs(world) == [(eve, leads[0])]
    assert [issue.kind for issue in world.ledger.inbox.issues()] == []
    assert (len(world.contacts()), len(world.leads())) == (1, 1)


def test_a_merge_on_the_crm_side_is_asked_in_the_same_way(world: World) -> None:
    """Two leads merged, two contacts left: picked from the contacts."""
    ada, ada_lead = linked(world, "ada@x.test")
    eve, eve_lead = linked(world, "eve@x.test")
    world.sf.merge("Lead", eve_lead, ada_lead, by="rep")
    world.until_quiet()
    (issue,) = world.ledger.inbox.issues()
    assert [key for _, key in issue.doc["candidates"]] == [ada, eve]
    pick(world, ada)
    world.until_quiet()

    assert pairs(world) == [(ada, eve_lead)]
    assert (len(world.contacts()), len(world.leads())) == (2, 1)


def test_merged_alike_on_both_sides_is_one_pair_whoever_won(world: World) -> None:
    """Marketing kept Eve's, the CRM kept Ada's: the same two people on both sides."""
    ada, ada_lead = linked(world, "ada@x.test")
    eve, eve_lead = linked(world, "eve@x.test")
    world.mk.merge("contacts", eve, ada, by="ann")
    world.sf.merge("Lead", ada_lead, eve_lead, by="rep")
    swept(world)

    assert pairs(world, "live", "unlinked") == [(eve, ada_lead)]
    assert world.ledger.inbox.issues() == []
    assert writes(world.once()) == 0


def test_merged_differently_on_both_sides_is_one_question_with_both_stories(world: World) -> None:
    """Marketing says B is A, the CRM says B is C: a person decides; nothing is written and nobody made meanwhile."""
    people = [linked(world, f"{name}@x.test") for name in "abc"]
    (a, a_lead), (b, b_lead), (c, c_lead) = people
    world.mk.merge("contacts", a, b, by="ann")
    world.sf.merge("Lead", c_lead, b_lead, by="rep")
    swept(world)

    (issue,) = world.ledger.inbox.issues()
    assert f"marketing contacts {b} was merged into contacts {a}" in issue.reason
    assert f"crm Lead {b_lead} was merged into Lead {c_lead}" in issue.reason
    world.mk.edit("contacts", a, {"phone": "333333"}, by="ann")
    world.mk.edit("contacts", c, {"phone": "444444"}, by="ann")
    assert sum(map(writes, world.until_quiet())) == 0

    pick(world, a_lead)
    swept(world)
    assert pairs(world) == [(a, a_lead), (c, c_lead)]
    assert [lead["Phone"] for lead in world.leads()] == ["333333", "444444"]
    assert (len(world.contacts()), len(world.leads())) == (2, 2)
    assert world.ledger.inbox.issues() == []


def test_a_merge_into_a_third_record_is_followed_and_its_history_joined(world: World) -> None:
    """The survivor is a new record: the link goes on with it, and `why` tells what the merged ones went through."""
    kind = world.mk.kinds["contacts"]
    world.mk.kinds["contacts"] = replace(kind, merge_makes_new=True)
    ada, lead = linked(world, "ada@x.test")
    world.mk.edit("contacts", ada, {"phone": "111111"}, by="ann")
    world.until_quiet()
    twin = world.mk.create("contacts", {"email": "ada2@x.test", "lastname": "Ada"}, by="ann")
    world.until_quiet()
    third = world.mk.merge("contacts", ada, twin, by="ann")
    swept(world)

    assert pairs(world) == [(third, lead)]
    assert (len(world.contacts()), len(world.leads())) == (1, 1)
    run = world.run()
    told = why(world.ledger, world.mappings(), run.systems, ("mk", "contacts", third), None)
    assert any(entry["record"] and entry["record"]["key"] == ada for entry in told["history"])


def test_history_of_both_is_told_after_both_sides_were_merged(world: World) -> None:
    """The journal of the loser is reached from the survivor."""
    ada, ada_lead = linked(world, "ada@x.test")
    eve, eve_lead = linked(world, "eve@x.test")
    world.mk.edit("contacts", ada, {"phone": "111111"}, by="ann")
    world.until_quiet()
    world.mk.merge("contacts", eve, ada, by="ann")
    world.sf.merge("Lead", eve_lead, ada_lead, by="rep")
    swept(world)

    told = why(world.ledger, world.mappings(), world.run().systems, ("sf", "Lead", eve_lead), None)
    assert any("phone" in entry["said"] and entry["record"]["key"] == ada_lead for entry in told["history"])
    assert any(entry["kind"] == "joined" for entry in told["history"])


def test_nobody_is_made_anew_when_the_survivor_of_a_merge_in_question_is_deleted(world: World) -> None:
    """Both links rest at the deleted survivor: neither displaces the other, or its lead would get a new contact."""
    (_, eve), leads = merged_on_one_side(world)

    world.mk.delete("contacts", eve)
    swept(world)

    assert world.contacts() == []
    assert sorted(world.sf.keys("Lead")) == sorted(leads)
    assert world.ledger.inbox.issues() == []
    assert len(pairs(world, "unlinked", "kept")) == 2


CHAINED = {
    "the middle pair won in marketing and lost in the CRM": ([(0, 1)], [(1, 2)]),
    "a chain in marketing, the first and the last in the CRM": ([(0, 1), (1, 2)], [(0, 2)]),
    "a chain in marketing, the middle one lost to the first in the CRM": ([(0, 1), (1, 2)], [(1, 0)]),
    "a chain in the CRM, the middle pair won in marketing": ([(2, 1)], [(0, 1), (1, 2)]),
    "two into one in marketing, nothing in the CRM": ([(0, 1), (2, 1)], []),
}


@pytest.mark.parametrize("seen", ["at once", "one by one"])
@pytest.mark.parametrize("merges", CHAINED.values(), ids=CHAINED)
def test_a_chain_of_merges_is_one_question_with_every_story(
    world: World, merges: tuple[list[tuple[int, int]], list[tuple[int, int]]], seen: str
) -> None:
    """Whoever the merges of both sides brought together is asked about once, whichever is seen first; one pick answers
    it, and nobody is made anew."""
    people = [linked(world, f"{name}@x.test") for name in "abc"]
    sides = (world.mk, "contacts", [contact for contact, _ in people]), (world.sf, "Lead", [lead for _, lead in people])
    for (store, object_, keys), mine in zip(sides, merges, strict=True):
        for lost, won in mine:
            store.merge(object_, keys[won], keys[lost], by="ann")
            if seen == "one by one":
                swept(world)
    swept(world)

    (issue,) = world.ledger.inbox.issues()
    assert issue.kind == "merged_into_linked"
    assert issue.reason.count("was merged into") == sum(map(len, merges))
    for (_, object_, keys), mine in zip(sides, merges, strict=True):
        for lost, won in mine:
            assert f"{object_} {keys[lost]} was merged into {object_} {keys[won]}" in issue.reason
    before = (len(world.contacts()), len(world.leads()))
    world.mk.edit("contacts", world.mk.keys("contacts")[0], {"phone": "333333"}, by="ann")
    assert sum(map(writes, world.until_quiet())) == 0

    pick(world, issue.doc["candidates"][0][1])
    swept(world)
    assert [one for one in world.ledger.inbox.issues() if one.kind == "merged_into_linked"] == []
    alive = pairs(world, "live", "converted")
    assert {contact for contact, _ in alive} <= set(world.mk.keys("contacts"))
    assert {lead for _, lead in alive} <= set(world.sf.keys("Lead"))
    assert (len(world.contacts()), len(world.leads())) == before
    assert sum(map(writes, world.until_quiet())) == 0


def test_a_question_goes_on_with_whoever_its_survivor_was_merged_into(world: World) -> None:
    """A third merge while it is asked: the same question, since the same moment, and its first answer still waits."""
    (_, eve), leads = merged_on_one_side(world)
    (asked,) = world.ledger.inbox.issues()
    zoe, zoe_lead = linked(world, "zoe@x.test")
    world.mk.merge("contacts", zoe, eve, by="ann")
    swept(world)

    (issue,) = world.ledger.inbox.issues()
    assert (issue.key, issue.since) == (zoe, asked.since)
    assert [key for _, key in issue.doc["candidates"]] == [*leads, zoe_lead]
    world.sf.merge("Lead", leads[0], leads[1], by="rep")
    world.sf.merge("Lead", zoe_lead, leads[0], by="rep")
    swept(world)
    assert world.ledger.inbox.issues() == []
    assert pairs(world, "live", "unlinked") == [(zoe, zoe_lead)]
