"""Whoever has several addresses in HubSpot is one person, by the shipped mapping: found by each, and never made twice."""

from __future__ import annotations

import pytest
from stage import World


def of_two_addresses(world: World) -> str:
    """Two contacts, merged: the one that is left has both addresses."""
    one, two = world.contact("ada@work.example", hubspotscore=10), world.contact("ada@home.example", hubspotscore=10)
    key = str(world.hubspot.act("merge", "contacts", one, **{"with": two})["key"])
    held = {world.hs(key)["email"], *str(world.hs(key)["hs_additional_emails"]).split(";")}
    assert held == {"ada@work.example", "ada@home.example"}
    return key


@pytest.mark.parametrize("first", ["contact", "lead"])
def test_a_lead_with_a_second_address_is_the_contact_that_has_it(world: World, first: str) -> None:
    """Whichever of the two is seen first, in whatever spelling: one link, no second contact, no address written over."""
    if first == "contact":
        contact = of_two_addresses(world)
        world.until_quiet()
    second = "Ada@Home.example"
    lead = world.person("Lead", second, LastName="Doe")
    if first == "lead":
        contact = of_two_addresses(world)
    world.until_quiet()

    links = [(link.marketing.key, link.crm.key) for link in world.ledger.links.page("people", 0, 10)]
    assert links == [(contact, lead)]
    assert list(world.live("contacts")) == [contact]
    assert (world.hs(contact)["email"], world.sf("Lead", lead)["Email"].lower()) == ("ada@work.example", second.lower())
    assert world.issues() == []


def test_two_leads_with_an_address_each_are_a_question(world: World) -> None:
    """Ambiguous, with both shown; never the first one found."""
    contact = of_two_addresses(world)
    leads = {world.person("Lead", address) for address in ("ada@work.example", "ada@home.example")}
    world.until_quiet()
    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.key) == ("ambiguous", contact)
    assert {key for _, key in issue.doc["candidates"]} == leads
    assert world.ledger.links.count("people") == 0
    assert len(world.live("contacts")) == 1
