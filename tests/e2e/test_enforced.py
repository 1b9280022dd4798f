"""The hand-off enforced over real HTTP, with the shipped mapping of people and both sandboxes on one virtual clock.

Who falls short is marked, the second signal hands over, what sales gives back rests and is opened again, clocks are told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stage
from stage import World

from bench.alone import people_alone

DAY_S = 86_400.0
POINTS = "[qualified.interest.points]\n"
SECOND_OFFER = POINTS + "chooses = { when = 'last_form == \"Choosing a maker\"', points = 50 }\n"
TASKS = """
name   = "crm_tasks"
kind   = "watch"
side   = "crm"
system = "salesforce"
object = "Task"
means  = "activity"
at     = "made"
on     = { who = "people" }
[fields.made]
attribute = "CreatedDate"
type      = "datetime"
[fields.who]
attribute = "WhoId"
type      = "reference"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = people_alone(tmp_path / "mappings")
    (folder / "watch-tasks.toml").write_text(TASKS)
    with stage.world(tmp_path) as made:
        made.configure(mappings=folder)
        yield made


def agree(world: World, before: str, after: str) -> None:
    """The departments change what they agreed."""
    file = world.folder / "mappings" / "funnel.toml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    os.utime(file)
    stage.compiled.cache_clear()


def listed(world: World, name: str = "Nurture") -> set[str]:
    """Who is in that list of HubSpot's."""
    found = [one for one in world.hubspot.app.app.portal.lists.live() if one.name == name]
    return {key for one in found for key in one.members}


def test_who_falls_short_is_marked_with_the_reason_and_in_the_list(world: World) -> None:
    """Without a partner in the CRM: outcome and reason stand on the contact, and the list holds those to be nurtured."""
    short = world.contact("short@example.com", hubspotscore=20)
    far = world.contact("far@example.com", hubspotscore=20, lifecyclestage="lead")
    world.until_quiet()

    said = world.hs(short)
    assert (said["syncd_outcome"], said["syncd_outcome_reason"]) == ("nurture", "lacks interest: score, second_offer")
    assert world.hs(far)["syncd_outcome"] == "disqualify"
    assert listed(world) == {short}
    assert world.live("Lead") == {}

    before = world.requests()
    world.once()
    told = world.requests() - before
    assert not any("batch" in one or "lists" in one for one in told), told


def test_a_second_offer_hands_over_in_the_next_cycle(world: World) -> None:
    """Before: no lead. Then a form: exactly one lead, out of the nurture list, and the outcome turns."""
    agree(world, POINTS, SECOND_OFFER)
    key = world.contact("ada@example.com", hubspotscore=20)
    world.until_quiet()
    assert (world.live("Lead"), listed(world)) == ({}, {key})

    world.pass_time(5)
    world.hubspot.act("submit_form", "contacts", key, form="Choosing a maker")
    world.pass_time(2)  # until the search index shows it
    world.once()
    assert len(world.live("Lead")) == 1
    world.until_quiet()

    assert len(world.live("Lead")) == 1
    assert (world.hs(key)["syncd_outcome"], world.hs(key)["syncd_handoff"], listed(world)) == (
        "handoff", "delivered", set(),
    )  # fmt: skip


def test_what_sales_gives_back_rests_with_its_reason_and_the_same_lead_is_opened_again(world: World) -> None:
    """Back to marketing, out of the hand-off stage; no promotion before its time; then the one lead, once more."""
    key, lead = world.linked("ada@example.com")
    world.edit_person("Lead", lead, Status="Working - Contacted")
    world.until_quiet()
    assert (world.hs(key)["syncd_handoff"], world.sf("Lead", lead)["Syncd_Hand_Off__c"]) == ("accepted", "Accepted")

    world.edit_person("Lead", lead, Status="Closed - Not Converted", Rejection_Reason__c="No need")
    world.until_quiet()
    said, row = world.hs(key), world.sf("Lead", lead)
    assert (said["lifecyclestage"], said["crm_rejection_reason"]) == ("lead", "no_need")
    assert (said["syncd_handoff"], said["syncd_handoff_reason"]) == ("rejected", "no_need")
    assert (said["syncd_outcome"], said["syncd_outcome_reason"]) == ("nurture", "sales gave them back: no_need")
    assert row["Syncd_Hand_Off__c"] == "Rejected"
    assert listed(world) == {key}

    world.edit_contact(key, lifecyclestage="marketingqualifiedlead")
    world.until_quiet()
    assert world.sf("Lead", lead)["Status"] == "Closed - Not Converted"
    assert world.hs(key)["syncd_outcome"] == "nurture"

    world.pass_time(31 * DAY_S)
    world.until_quiet()
    assert world.sf("Lead", lead)["Status"] == "Open - Not Contacted"
    assert world.live("Lead").keys() == {lead}
    assert (world.hs(key)["syncd_outcome"], world.hs(key)["syncd_handoff"]) == ("handoff", "delivered")
    assert (world.sf("Lead", lead)["Syncd_Hand_Off__c"], listed(world)) == ("Delivered", set())


def test_a_new_sign_of_interest_may_be_enough_to_be_handed_over_again(world: World) -> None:
    """By the agreement: either the time, or something they did since."""
    agree(world, "[recycle]\n", '[recycle]\nsignal = "last_form_at"\nenough = "either"\n')
    key, lead = world.linked("ada@example.com")
    world.edit_person("Lead", lead, Status="Closed - Not Converted", Rejection_Reason__c="Bad timing")
    world.until_quiet()
    world.edit_contact(key, lifecyclestage="marketingqualifiedlead")
    world.until_quiet()
    assert world.sf("Lead", lead)["Status"] == "Closed - Not Converted"

    world.pass_time(60)
    world.hubspot.act("submit_form", "contacts", key, form="Choosing a maker")
    world.until_quiet()
    assert (world.sf("Lead", lead)["Status"], len(world.live("Lead"))) == ("Open - Not Contacted", 1)


def test_marketing_cannot_promote_past_the_definition(world: World) -> None:
    """Sales' own closed lead stays closed while its person falls short, and is opened when the score passes."""
    lead = world.person("Lead", "ada@example.com", Status="Closed - Not Converted")
    key = world.contact("ada@example.com", hubspotscore=20, lifecyclestage="lead")
    world.until_quiet()
    world.edit_contact(key, lifecyclestage="marketingqualifiedlead", jobtitle="Head of Widgets")
    world.until_quiet()
    assert (world.sf("Lead", lead)["Status"], world.sf("Lead", lead)["Title"]) == (
        "Closed - Not Converted", "Head of Widgets",
    )  # fmt: skip

    world.pass_time(5)
    world.hubspot.act("calculate", "contacts", key, values={"hubspotscore": "70"})
    world.until_quiet()
    assert (world.sf("Lead", lead)["Status"], len(world.live("Lead"))) == ("Open - Not Contacted", 1)
    assert world.hs(key)["syncd_handoff"] == "delivered"


def test_the_follow_up_clock_stands_on_both_sides_as_it_turns(world: World) -> None:
    """On track, due soon, breached, met late: told to both when it turns, and nobody is written to in between."""
    key, lead = world.linked("ada@example.com")

    def told() -> tuple[str, str]:
        return world.hs(key)["syncd_follow_up"], world.sf("Lead", lead)["Syncd_Follow_Up__c"]

    assert told() == ("on_track", "On track")
    due = world.hs(key)["syncd_follow_up_due"]
    assert due[:19] == world.sf("Lead", lead)["Syncd_Follow_Up_Due__c"][:19]
    before = world.requests()
    for _ in range(3):
        world.once()
    assert not any("batch" in one or "composite" in one for one in world.requests() - before)

    seen = [told()]
    for _ in range(60):
        world.pass_time(3_600)
        world.until_quiet()
        if told() != seen[-1]:
            seen.append(told())
    assert seen == [("on_track", "On track"), ("due_soon", "Due soon"), ("breached", "Breached")]

    world.salesforce.act("create", "Task", values={"Subject": "Call", "WhoId": lead, "Status": "Completed"})
    world.until_quiet()
    assert told() == ("met_late", "Met late")
    assert world.hs(key)["syncd_first_touch_at"][:16] == world.sf("Lead", lead)["Syncd_First_Touch__c"][:16]
