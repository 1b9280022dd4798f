"""Values that a vendor bends, drops or refuses, over real HTTP: they stand, they are told, and nothing ping-pongs."""

from __future__ import annotations

import pytest
from judge import assert_settled, quiet
from stage import World, writes


def test_a_phone_that_a_vendor_rewrites_neither_echoes_nor_ping_pongs(world: World) -> None:
    """HubSpot keeps digits only, Salesforce what was typed: the same number, and silence."""
    world.hubspot.switch(bend={"contacts": {"phone": "digits", "mobilephone": "digits"}})
    contact, lead = world.linked(phone="+49 30 1234567")
    world.edit_person("Lead", lead, Phone="+49 (30) 765-4321", MobilePhone="+49 171 1234567")
    quiet(world)

    assert world.hs(contact)["phone"] == "+49307654321"
    assert world.sf("Lead", lead)["Phone"] == "+49 (30) 765-4321"
    assert_settled(world)


@pytest.mark.parametrize("bend", ["truncate", "html", "title", "nfd"])
def test_a_text_that_a_vendor_bends_stands_and_is_never_pushed_back(world: World, bend: str) -> None:
    """H084: what came back altered is known, told, and no edit."""
    world.hubspot.switch(bend={"contacts": {"jobtitle": bend}})
    contact, lead = world.linked()
    title = "Senior Vice President of Ärger and everything else"
    world.edit_person("Lead", lead, Title=title)
    quiet(world)
    assert world.sf("Lead", lead)["Title"] == title

    world.edit_person("Lead", lead, Phone="+49 30 1234567")
    quiet(world)
    assert world.sf("Lead", lead)["Title"] == title
    assert world.hs(contact)["phone"] == "+49 30 1234567"


def test_outer_spaces_are_no_edit_wherever_they_are_kept(world: World) -> None:
    """Salesforce trims, HubSpot need not; both positions of the switch."""
    for trim in (False, True):
        world.hubspot.switch(trim_strings=trim)
        contact, _ = world.linked(f"s{trim}@example.com", firstname="  Ada ")
        world.edit_contact(contact, city="  Berlin  ", jobtitle="")
        quiet(world)
    assert_settled(world)


def test_a_value_that_a_vendor_answers_and_drops_is_an_issue_and_not_sent_again(world: World) -> None:
    """An automation puts the old value back at once: told once, never a war."""
    _, lead = world.linked(city="Berlin")
    world.hubspot.switch(
        automations=[
            {"object": "contacts", "when": {"property": "jobtitle"}, "set": {"jobtitle": "Protected"}, "delay_ms": 100}
        ]
    )
    world.edit_person("Lead", lead, Title="CTO")
    tallies = world.until_quiet(most=12)
    assert sum(map(writes, tallies)) <= 3
    assert writes(world.once()) == 0


def test_sources_that_marketing_does_not_list_arrive_as_other_and_stay_as_they_are(world: World) -> None:
    """`Other` is never written back over the word sales uses."""
    contact, lead = world.linked()
    world.edit_person("Lead", lead, LeadSource="Trade Fair 2026")
    quiet(world)
    assert world.hs(contact)["lead_source"] == "Other"
    world.edit_person("Lead", lead, Title="CTO")
    quiet(world)
    assert world.sf("Lead", lead)["LeadSource"] == "Trade Fair 2026"
    assert_settled(world)


def test_a_value_that_is_refused_is_an_issue_and_the_other_fields_get_through(world: World) -> None:
    """A validation rule of the org against one field."""
    contact, lead = world.linked()
    world.salesforce.switch(
        validation_rules=[
            {"object": "Lead", "error_when": "Title = 'Forbidden'", "message": "No such title", "field": "Title"}
        ]
    )
    world.edit_contact(contact, jobtitle="Forbidden", city="Berlin")
    quiet(world)

    assert world.sf("Lead", lead)["City"] == "Berlin"
    assert ("refused", "job_title") in world.issues()
    world.edit_contact(contact, jobtitle="Allowed")
    quiet(world)
    assert world.sf("Lead", lead)["Title"] == "Allowed"
    assert_settled(world)
