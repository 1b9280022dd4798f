"""The cycle over two systems in memory: what follows from what people do on either side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from world import LIMITS, MAPPING, World, make, writes

from connectors.memory import Store
from syncd.core.guard import Limit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def qualified(world: World, email: str = "ada@example.test", **values: object) -> str:
    person = {"email": email, "lastname": "Lovelace", "score": 80, "lifecyclestage": "mql", **values}
    return world.mk.create("contacts", person, by="ann")


def linked(world: World, **values: object) -> tuple[str, str]:
    """A qualified contact that crossed, and its lead."""
    contact = qualified(world, **values)
    world.until_quiet()
    return contact, world.sf.keys("Lead")[-1]


def test_a_qualified_lead_crosses_once_and_then_all_is_quiet(world: World) -> None:
    """Only what meets the definition is created in the CRM, and a quiet pair gets no writes."""
    qualified(world)
    world.mk.create("contacts", {"email": "low@example.test", "lastname": "Low", "score": 8}, by="ann")
    world.mk.create("contacts", {"email": "none@example.test", "lastname": "Unscored"}, by="ann")
    world.until_quiet()

    assert [lead["Email"] for lead in world.leads()] == ["ada@example.test"]
    assert world.only_lead()["Status"] == "Open"
    assert writes(world.once()) == 0


def test_a_lead_made_by_sales_reaches_marketing(world: World) -> None:
    """What the CRM has and marketing has not is created there, with what flows that way."""
    world.sf.create("Lead", {"Email": "Sue@Example.test", "LastName": "Sue", "Rating": "Hot"}, by="rep")
    world.until_quiet()

    contact = world.only_contact()
    assert contact["email"] == "sue@example.test"
    assert contact["crm_rating"] == "Hot"
    assert writes(world.once()) == 0


def test_an_edit_on_either_side_reaches_the_other(world: World) -> None:
    """Field by field, in both directions, in one cycle."""
    contact, lead = linked(world, phone="+49 30 1234567")
    world.mk.edit("contacts", contact, {"phone": "+49 30 7654321"}, by="ann")
    world.sf.edit("Lead", lead, {"LastName": "King"}, by="rep")
    world.once()

    assert world.sf.values("Lead", lead)["Phone"] == "+49 30 7654321"
    assert world.mk.values("contacts", contact)["lastname"] == "King"
    world.until_quiet()


def test_both_sides_edited_the_field_rule_decides_and_the_loser_is_kept(world: World) -> None:
    """A clash is decided by the declared rule, never by who was read last."""
    contact, lead = linked(world)
    world.mk.edit("contacts", contact, {"lastname": "Marketing"}, by="ann")
    world.sf.edit("Lead", lead, {"LastName": "Sales"}, by="rep")
    world.until_quiet()

    assert world.mk.values("contacts", contact)["lastname"] == "Sales"
    assert world.sf.values("Lead", lead)["LastName"] == "Sales"
    (conflict,) = world.ledger.inbox.conflicts()
    assert (conflict.field, conflict.side, conflict.lost, conflict.kept) == (
        "last_name",
        "marketing",
        "Marketing",
        "Sales",
    )


def test_both_sides_edited_to_the_same_value_is_no_conflict(world: World) -> None:
    """The false conflict: both moved, and they agree."""
    contact, lead = linked(world)
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    world.sf.edit("Lead", lead, {"LastName": "King"}, by="rep")

    assert writes(world.once()) == 0
    assert world.ledger.inbox.conflicts() == []


def test_a_held_clash_waits_for_a_person_and_ends_when_the_sides_agree(world: World) -> None:
    """`hold` writes nothing, raises an issue, and the issue closes when the difference is gone."""
    contact, lead = linked(world, jobtitle="CTO")
    world.mk.edit("contacts", contact, {"jobtitle": "CEO"}, by="ann")
    world.sf.edit("Lead", lead, {"Title": "CFO"}, by="rep")
    assert writes(world.once()) == 0
    assert [(i.kind, i.field) for i in world.ledger.inbox.issues()] == [("clash", "title")]

    world.sf.edit("Lead", lead, {"Title": "CEO"}, by="rep")
    world.once()
    assert world.ledger.inbox.issues() == []


def test_a_held_clash_ends_when_one_side_takes_its_edit_back(world: World) -> None:
    """Then only the other side moved, and its edit crosses: that a record says again what its base says is no rest
    while something of its link is open."""
    contact, lead = linked(world, jobtitle="CTO")
    world.mk.edit("contacts", contact, {"jobtitle": "CEO"}, by="ann")
    world.until_quiet()
    world.mk.edit("contacts", contact, {"jobtitle": "CTO"}, by="ann")
    world.sf.edit("Lead", lead, {"Title": "CFO"}, by="rep")
    assert writes(world.once()) == 0
    assert [(i.kind, i.field) for i in world.ledger.inbox.issues()] == [("clash", "title")]

    world.sf.edit("Lead", lead, {"Title": "CEO"}, by="rep")
    world.until_quiet()
    assert world.sf.values("Lead", lead)["Title"] == "CTO"
    assert world.ledger.inbox.issues() == []


def test_a_blank_overwrites_only_where_the_field_says_so(world: World) -> None:
    """blank = keep is the default; blank = clear clears."""
    contact, lead = linked(world, phone="+49 30 1234567", jobtitle="CTO")
    world.mk.edit("contacts", contact, {"phone": None, "jobtitle": None}, by="ann")
    world.until_quiet()

    assert world.sf.values("Lead", lead)["Phone"] is None
    assert world.sf.values("Lead", lead)["Title"] == "CTO"


def test_a_one_way_field_never_flows_back(world: World) -> None:
    """An edit against the flow stands, settled: the source's next move wins and what it replaces is kept."""
    contact, lead = linked(world)
    world.sf.edit("Lead", lead, {"Score": 5}, by="rep")
    assert writes(world.once()) == 0
    assert world.mk.values("contacts", contact)["score"] == 80

    world.mk.edit("contacts", contact, {"score": 90}, by="automation")
    world.until_quiet()
    assert world.sf.values("Lead", lead)["Score"] == 90


def test_what_a_system_gives_a_new_record_by_itself_reaches_the_side_it_flows_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default of the CRM is no agreement with marketing, which has never heard of it. One that could flow both ways is
    left alone: nobody typed it."""
    make = Store.create

    def with_defaults(store: Store, object: str, values: Mapping[str, Any] | None = None, **more: Any) -> str:
        defaults = {"Rating": "Warm", "Title": "n/a"} if object == "Lead" else {}
        return make(store, object, {**defaults, **(values or {})}, **more)

    monkeypatch.setattr(Store, "create", with_defaults)
    contact, lead = linked(world)
    world.until_quiet()

    assert world.sf.values("Lead", lead)["Rating"] == "Warm"
    assert world.mk.values("contacts", contact)["crm_rating"] == "Warm"
    assert not world.mk.values("contacts", contact)["jobtitle"]
    assert writes(world.once()) == 0


def test_consent_only_ever_becomes_stricter(world: World) -> None:
    """An opt-out crosses; an opt-in does not."""
    contact, lead = linked(world)
    world.mk.edit("contacts", contact, {"optout": True}, by="ann")
    world.until_quiet()
    assert world.sf.values("Lead", lead)["OptedOut"] is True

    world.mk.edit("contacts", contact, {"optout": False}, by="ann")
    world.until_quiet()
    assert world.sf.values("Lead", lead)["OptedOut"] is True


def test_several_values_that_mean_the_same_keep_the_finer_one(world: World) -> None:
    """n:1 maps: an edit of another field does not coarsen the stage."""
    contact, lead = linked(world, lifecyclestage="opportunity")
    assert world.sf.values("Lead", lead)["Status"] == "Working"
    world.sf.edit("Lead", lead, {"LastName": "King"}, by="rep")
    world.until_quiet()

    assert world.mk.values("contacts", contact)["lifecyclestage"] == "opportunity"


def test_records_that_exist_on_both_sides_are_linked_and_blanks_filled(world: World) -> None:
    """The first meeting: nothing is created, blanks are filled, differences go by the field's rule."""
    world.mk.create(
        "contacts", {"email": "ada@example.test", "lastname": "Lovelace", "phone": "+49 30 1234567"}, by="ann"
    )
    world.sf.create("Contact", {"Email": "ADA@example.test", "LastName": "King", "Title": "Countess"}, by="rep")
    world.until_quiet()

    assert world.leads() == []
    contact = world.only_contact()
    assert (contact["lastname"], contact["jobtitle"]) == ("King", "Countess")
    assert world.sf.values("Contact", world.sf.keys("Contact")[0])["HomePhone"] == "+49 30 1234567"


def test_of_a_lead_and_a_contact_with_one_address_the_contact_is_the_partner(world: World) -> None:
    """Precedence of forms: the Contact, and the Lead takes no part."""
    world.mk.create("contacts", {"email": "ada@example.test", "lastname": "Lovelace"}, by="ann")
    lead = world.sf.create("Lead", {"Email": "ada@example.test", "LastName": "Old"}, by="rep")
    contact = world.sf.create("Contact", {"Email": "ada@example.test", "LastName": "Lovelace"}, by="rep")
    world.until_quiet()

    (link,) = world.ledger.links.page("people", 0, 10)
    assert (link.crm.key, world.sf.values("Lead", lead)["LastName"]) == (contact, "Old")
    assert len(world.contacts()) == 1
    assert world.ledger.inbox.issues() == []


def test_several_matches_are_never_guessed(world: World) -> None:
    """Two leads with the address: an issue with the candidates, no link, nothing created."""
    qualified(world)
    for name in ("One", "Two"):
        world.sf.create("Lead", {"Email": "ada@example.test", "LastName": name}, by="rep")
    world.until_quiet()

    assert world.ledger.links.count("people") == 0
    assert len(world.leads()) == 2
    assert len(world.contacts()) == 1
    assert {issue.kind for issue in world.ledger.inbox.issues()} == {"ambiguous"}


def test_blank_addresses_match_nothing(world: World) -> None:
    """Everybody without an address is not one person."""
    world.mk.create("contacts", {"lastname": "Nobody"}, by="ann")
    world.sf.create("Lead", {"LastName": "Nobody"}, by="rep")
    world.until_quiet()

    assert world.ledger.links.count("people") == 0
    assert (len(world.leads()), len(world.contacts())) == (1, 1)


def test_a_converted_lead_keeps_its_link_now_to_the_contact(world: World) -> None:
    """The link follows, carries the key, and the person goes on flowing under the Contact's attribute names."""
    contact, lead = linked(world, phone="+49 30 1234567")
    _, made = world.sf.convert("Lead", lead, by="rep")
    world.until_quiet()
    (link,) = world.ledger.links.page("people", 0, 10)
    assert (link.crm.key, link.state) == (made, "converted")
    assert world.sf.values("Contact", made)["Syncd_Key"] == f"mk:memory:contacts:{contact}"

    world.mk.edit("contacts", contact, {"phone": "+49 30 7654321"}, by="ann")
    world.until_quiet()
    assert world.sf.values("Contact", made)["HomePhone"] == "+49 30 7654321"
    assert len(world.contacts()) == 1


def test_a_merge_on_either_side_is_followed(world: World) -> None:
    """The survivor keeps the link; nothing is recreated."""
    contact, lead = linked(world)
    twin = world.mk.create("contacts", {"email": "ada2@example.test", "lastname": "Lovelace"}, by="ann")
    world.once()
    survivor = world.mk.merge("contacts", contact, twin, by="ann")
    world.at += 7 * 3600
    world.until_quiet()

    (link,) = world.ledger.links.page("people", 0, 10)
    assert (link.marketing.key, link.crm.key) == (survivor, lead)
    assert (len(world.contacts()), len(world.leads())) == (1, 1)


def test_a_deleted_record_is_neither_brought_back_nor_deleted_across(world: World) -> None:
    """gone = unlink: the link rests; a restore wakes it."""
    contact, lead = linked(world)
    world.sf.delete("Lead", lead, by="rep")
    world.until_quiet()
    assert world.leads() == []
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    world.until_quiet()
    assert (world.leads(), len(world.contacts())) == ([], 1)

    world.sf.restore("Lead", lead, by="rep")
    world.until_quiet()
    assert world.only_lead()["LastName"] == "King"


def test_a_first_plan_is_held_until_a_person_releases_it(world: World) -> None:
    """Nothing leaves before somebody looked; what is released is what was shown."""
    qualified(world)
    tally = world.once(yes=False)
    assert (writes(tally), tally.held, world.leads()) == (0, True, [])
    assert [issue.kind for issue in world.ledger.inbox.issues()] == ["held_plan"]

    world.once(yes=True)
    assert len(world.leads()) == 1
    assert world.ledger.inbox.issues() == []


def test_nobody_is_made_for_who_left_the_scope_while_their_plan_was_held(world: World) -> None:
    """What is released is what still holds: without an e-mail the mapping speaks of them no more."""
    contact = qualified(world)
    assert world.once(yes=False).held
    world.mk.edit("contacts", contact, {"email": None}, by="ann")
    world.once(yes=True)
    world.until_quiet()
    assert world.leads() == []

    world.mk.edit("contacts", contact, {"email": "ada@x.test"}, by="ann")
    world.until_quiet()
    assert len(world.leads()) == 1


def test_a_guard_holds_a_plan_beyond_its_limits(world: World) -> None:
    """Both the absolute limit and the share must be passed; then not one effect is sent."""
    linked(world)
    for n in range(5):
        qualified(world, f"p{n}@example.test")
    limits = {**LIMITS, "creates": Limit(per_cycle=3, per_day=1000, share=0.1)}
    tally = world.once(yes=False, limits=limits)

    assert (writes(tally), tally.held) == (0, True)
    assert len(world.leads()) == 1


def test_editing_the_mapping_moves_nothing_by_itself(world: World) -> None:
    """Facts are stored, not canonical values: a changed rule makes nothing look edited."""
    linked(world, phone="+49 30 1234567")
    world.mapping_text = MAPPING.replace('clash = "marketing"', 'clash = "crm"')

    assert writes(world.once()) == 0


def test_a_newly_mapped_attribute_is_filled_in_by_a_meeting(world: World) -> None:
    """Its base is unknown: both sides meet there, nothing is overwritten."""
    world.mapping_text = MAPPING.replace('[fields.title]\nmarketing = "jobtitle"\ncrm = "Title"\nclash = "hold"\n', "")
    contact, lead = linked(world, jobtitle="CTO")
    assert world.sf.values("Lead", lead)["Title"] is None
    world.mapping_text = MAPPING
    world.until_quiet()

    assert world.sf.values("Lead", lead)["Title"] == "CTO"
    assert contact


def test_a_second_edit_behind_the_same_stamp_is_not_overwritten_unseen(world: World) -> None:
    """D.4.6: a stamp of one second covers two edits; a condition on it is trusted only when the second is over."""
    contact, lead = linked(world, phone="+49 30 1234567")
    world.mk.edit("contacts", contact, {"phone": "+49 30 1111111"}, by="ann")
    world.sf.edit("Lead", lead, {"LastName": "King"}, by="rep")
    edits = iter([{"Phone": "+49 30 2222222"}])

    def sleep(seconds: float) -> None:
        for values in edits:  # still within the second that the feed has shown
            world.sf.edit("Lead", lead, values, by="rep")
        world.pass_time(seconds)

    world.sleep = sleep
    world.until_quiet()

    assert next(edits, None) is None
    assert world.sf.values("Lead", lead)["Phone"] == "+49 30 1111111"
    assert [(c.field, c.lost) for c in world.ledger.inbox.conflicts() if c.field == "phone"] == [
        ("phone", "+49 30 2222222")
    ]


def test_a_lost_ledger_is_rebuilt_without_a_duplicate(world: World, tmp_path: Path) -> None:
    """Links come back from keys and match rules; nothing is created twice."""
    linked(world)
    linked(world, email="bob@example.test")
    world.ledger.close()
    world.path = tmp_path / "another.db"
    world.restart_from(world.path)
    world.until_quiet()

    assert (len(world.leads()), len(world.contacts())) == (2, 2)
    assert world.ledger.links.count("people") == 2
