"""What was found by storms, each in its smallest form: doubt, and people who do not wait for us."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World, make, writes

from syncd.cycle import plan_only


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def linked(world: World, email: str = "ada@x.test", **values: object) -> tuple[str, str]:
    """A qualified contact that was handed over: (contact, lead)."""
    given = {"lastname": "Lovelace", "score": 80, "lifecyclestage": "mql", **values}
    contact = world.mk.create("contacts", {"email": email, **given}, by="ann")
    world.until_quiet()
    (lead,) = [key for key in world.sf.keys("Lead") if world.sf.values("Lead", key)["Email"] == email]
    return contact, lead


def test_a_planned_edit_that_was_taken_back_is_not_sent(world: World) -> None:
    """A plan that waits is dropped when its record says again what it said before."""
    contact, lead = linked(world, phone="+49 30 1111111")
    world.mk.edit("contacts", contact, {"phone": "+49 30 2222222"}, by="ann")
    run = world.run()
    plan_only(run, world.mappings())
    world.pass_time(60)
    world.mk.edit("contacts", contact, {"phone": "+49 30 1111111"}, by="ann")
    assert sum(map(writes, world.until_quiet())) == 0
    assert world.sf.values("Lead", lead)["Phone"] == "+49 30 1111111"


def test_a_create_in_doubt_is_repeated_as_it_was_and_edits_follow_it(world: World) -> None:
    """The first one lands late, after the person edited the source: both were meant to be one, and the edit arrives."""
    world.sf.fault("late", late_ms=90_000, times=1, op="create")
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80, "phone": "1111111"})
    world.once()
    world.sf.fault("doubtful_before", times=1, op="create")
    world.mk.edit("contacts", contact, {"phone": "2222222", "lastname": "King"}, by="ann")
    for _ in range(10):
        world.once()
    lead = world.only_lead()
    assert (lead["Phone"], lead["LastName"]) == ("2222222", "King")
    assert world.contacts()[0]["lastname"] == "King"
    world.until_quiet()


def test_whom_somebody_is_being_made_for_is_not_given_away_meanwhile(world: World) -> None:
    """The lead that landed without an answer is not matched by its address as if a person had typed it in."""
    world.sf.fault("doubtful_after", times=1, op="create")
    world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    world.once()
    world.until_quiet()
    (link,) = world.ledger.links.page("people", 0, 10)
    assert world.ledger.links.how(link.id) == "created from marketing"


def test_a_create_whose_source_was_deleted_is_not_sent(world: World) -> None:
    """Planned, held, and then the contact is no more."""
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    world.once(yes=False)
    world.mk.delete("contacts", contact, by="ann")
    world.pass_time(7 * 3600)
    world.until_quiet()
    assert world.leads() == []


def test_a_merge_into_somebody_who_waits_for_a_partner_brings_one(world: World) -> None:
    """The survivor is linked by the merge: what was planned for it is not made besides."""
    loser, lead = linked(world)
    winner = world.mk.create("contacts", {"email": "new@x.test", "lastname": "New", "score": 80}, by="ann")
    run = world.run()
    plan_only(run, world.mappings())
    world.mk.merge("contacts", winner, loser, by="ann")
    world.pass_time(7 * 3600)
    world.until_quiet()
    assert world.sf.keys("Lead") == [lead]
    assert world.only_lead()["Email"] == "new@x.test"


def test_what_a_write_in_doubt_replaced_is_kept_although_somebody_typed_on(world: World) -> None:
    """Applied, unanswered, and then another of its fields was edited: the value that lost by decision is a loser."""
    contact, lead = linked(world, phone="+49 30 1111111")
    world.mk.edit("contacts", contact, {"lastname": "Marketing"}, by="ann")
    world.sf.edit("Lead", lead, {"LastName": "Sales", "Rating": "Hot"}, by="rep")
    world.mk.fault("doubtful_after", times=1)
    world.once()
    world.mk.edit("contacts", contact, {"crm_rating": "Cold"}, by="ann")
    world.until_quiet(most=12)
    assert world.mk.values("contacts", contact)["lastname"] == "Sales"
    assert [(c.field, c.lost) for c in world.ledger.inbox.conflicts()] == [("last_name", "Marketing")]


def test_a_second_address_is_asked_about_once_and_not_looked_for_for_ever(world: World) -> None:
    """Whoever waits for a person costs no call and no decision while nothing moves."""
    for name in ("One", "Two"):
        world.sf.create("Lead", {"Email": "twin@x.test", "LastName": name}, by="rep")
    world.until_quiet()
    before = len(world.mk.calls) + len(world.sf.calls)
    tally = world.once()
    assert (writes(tally), tally.moved, tally.again) == (0, 0, 0)
    asked = len(world.mk.calls) + len(world.sf.calls) - before
    assert asked <= 2 * 4


def test_our_own_key_in_the_way_is_an_earlier_try_that_arrived(world: World) -> None:
    """It landed between our look and our write: that is whom we meant, and no question for a person."""
    world.sf.fault(
        "meanwhile",
        op="create",
        run=lambda store, effect: store.create(
            "Lead", {**effect.attributes, "Syncd_Key": effect.unique}, by=store.account.writer
        ),
    )
    world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    world.until_quiet()
    assert len(world.leads()) == 1
    assert world.ledger.links.count("people") == 1
    assert world.ledger.inbox.issues() == []


def test_an_earlier_try_that_lands_after_all_does_not_vouch_for_what_was_added_to_it(world: World) -> None:
    """The first update lands late, the second one, with one field more, is lost: that field is sent again."""
    contact, lead = linked(world)
    world.sf.fault("late", late_ms=90_000, times=1, op="update")
    world.mk.edit("contacts", contact, {"phone": "1111111"}, by="ann")
    world.once()
    world.sf.fault("doubtful_before", times=1, op="update")
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    for _ in range(10):
        world.once()
    assert (world.sf.values("Lead", lead)["Phone"], world.sf.values("Lead", lead)["LastName"]) == ("1111111", "King")
    assert world.ledger.inbox.issues() == []


def test_a_covered_edit_that_was_put_back_waits_for_nobody(world: World) -> None:
    """Where the target's side wins, what our write covered stands again, and its conflict is told as restored."""
    contact, lead = linked(world, phone="1111111")
    world.sf.edit("Lead", lead, {"Phone": "2222222"}, by="rep")
    world.mk.fault("meanwhile", op="update", run=lambda store, effect: edit(world, contact))
    for _ in range(6):
        world.once()
    assert world.mk.values("contacts", contact)["phone"] == world.sf.values("Lead", lead)["Phone"] == "3333333"
    assert [(c.lost, c.restored_at is not None) for c in world.ledger.inbox.conflicts()][-1] == ("3333333", True)


def edit(world: World, contact: str) -> None:
    world.mk.edit("contacts", contact, {"phone": "3333333"}, by="ann")


def test_an_edit_of_the_source_is_not_forgotten_while_no_feed_shows_what_was_made(world: World) -> None:
    """The new record's feed lags; its source is edited before it was ever seen."""
    world.mk.manners("contacts").lag_ms = 100_000
    lead = world.sf.create("Lead", {"Email": "sue@x.test", "LastName": "Sue"}, by="rep")
    world.once()
    world.sf.edit("Lead", lead, {"Rating": "Hot", "Phone": "1111111"}, by="rep")
    for _ in range(6):
        world.once()
    assert (world.only_contact()["crm_rating"], world.only_contact()["phone"]) == ("Hot", "1111111")
    world.until_quiet()


def test_whoever_sets_a_value_back_is_heard(tmp_path: Path) -> None:
    """Our write was taken, and a person undid it before we looked again: that is an edit, and no write that was ignored."""
    world = make(tmp_path)
    key = world.mk.create("contacts", {"email": "a@x.test", "score": 80, "lifecyclestage": "mql"}, by="ann")
    world.until_quiet()
    world.mk.edit("contacts", key, {"lifecyclestage": "sql"}, by="ann")
    world.once()
    (lead,) = world.sf.keys("Lead")
    assert world.sf.values("Lead", lead)["Status"] == "Working"
    world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    world.until_quiet()

    assert world.sf.values("Lead", lead)["Status"] == "Open"
    assert world.mk.values("contacts", key)["lifecyclestage"] == "mql"
    assert world.ledger.inbox.issues() == []


def test_where_nothing_guards_a_write_an_old_value_is_nobodys_edit(world: World) -> None:
    """The system ignored our write, and somebody touched another field: what it kept is told, and never flows back."""
    contact, lead = linked(world, phone="+49 30 1111111")
    world.sf.claim("Lead", precondition=False)
    world.sf.fault("ignored", op="update")
    world.mk.edit("contacts", contact, {"phone": "+49 30 2222222"}, by="ann")
    world.once()
    world.sf.edit("Lead", lead, {"Title": "CTO"}, by="rep")
    world.until_quiet()

    assert world.mk.values("contacts", contact)["phone"] == "+49 30 2222222"
    assert [issue.kind for issue in world.ledger.inbox.issues()] == ["ignored"]
