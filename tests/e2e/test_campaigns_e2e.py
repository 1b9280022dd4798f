"""Campaigns and activities over real HTTP: lists become campaign members, and what happened is kept with its time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stage
from stage import World

from bench.alone import people_alone
from syncd.assembly import Clock
from syncd.checkup import check_files, check_online

CAMPAIGNS = """
name   = "campaigns"
kind   = "membership"
person = "people"
joined = "Sent"
answered = "Responded"
[marketing]
system    = "hubspot"
object    = "list_memberships"
list      = "list"
list_name = "list_name"
person    = "contact"
since     = "added_at"
lists     = { object = "lists", name = "name" }
[crm]
system    = "salesforce"
object    = "CampaignMember"
campaign  = "CampaignId"
person    = "LeadOrContactId"
status    = "Status"
responded = "FirstRespondedDate"
campaigns = { object = "Campaign", name = "Name" }
[campaigns]
"General guide" = "General guide"
[answers.forms]
field = "form"
"""
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
[fields.subject]
attribute = "Subject"
[fields.done]
attribute = "IsClosed"
type      = "bool"
"""
FORMS = """
name   = "forms"
kind   = "watch"
side   = "marketing"
system = "hubspot"
object = "contacts"
means  = "touch"
each   = "change"
at     = "sent"
on     = { itself = "people" }
[fields.sent]
attribute = "recent_conversion_date"
type      = "datetime"
[fields.form]
attribute = "recent_conversion_event_name"
"""
STAGES = """
name   = "deal_stages"
kind   = "watch"
side   = "crm"
system = "salesforce"
object = "OpportunityHistory"
means  = "stage"
at     = "since"
on     = { deal = "campaigns" }
[fields.since]
attribute = "CreatedDate"
type      = "datetime"
[fields.deal]
attribute = "OpportunityId"
type      = "reference"
[fields.stage]
attribute = "StageName"
[fields.amount]
attribute = "Amount"
type      = "number"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = people_alone(tmp_path / "mappings")
    for name, text in (("campaigns", CAMPAIGNS), ("tasks", TASKS), ("forms", FORMS), ("stages", STAGES)):
        (folder / f"{name}.toml").write_text(text)
    with stage.world(tmp_path / "w") as made:
        made.configure(mappings=folder)
        made.salesforce.act("create", "Campaign", values={"Name": "General guide"})
        yield made


def members(world: World) -> list[tuple[str | None, str | None, str]]:
    """(lead, contact, status) of every live member."""
    rows = [row for row in world.salesforce.records("CampaignMember").values() if not row["IsDeleted"]]
    return sorted(((row.get("LeadId"), row.get("ContactId"), row["Status"]) for row in rows), key=str)


def settle(world: World, most: int = 8) -> None:
    """Cycles until none of the mappings writes or waits."""
    for _ in range(most):
        run, mappings = world.run()
        try:
            stage.cycle(run, mappings, yes=True)
        finally:
            for system in run.systems.values():
                system.connector.close()
        world.pass_time(10)
        if not any(stage.writes(tally) or tally.waiting or tally.again for tally in run.tallies.values()):
            return
    raise AssertionError({name: tally.as_json(0) for name, tally in run.tallies.items()})


def test_who_asked_for_the_guide_is_a_member_of_its_campaign(world: World) -> None:
    """Created once the person is handed over; recognised where sales was first; nobody joins twice."""
    hot = world.contact("hot@example.com")
    cold = world.contact("cold@example.com", hubspotscore=10)
    for key in (hot, cold):
        world.hubspot.act("list_add", "contacts", key, list="General guide")
    settle(world)
    (lead,) = world.live("Lead")
    assert members(world) == [(lead, None, "Sent")]

    known = world.person("Contact", "con@example.com")
    world.salesforce.act("add_member", "CampaignMember", campaign="General guide", who=known, status="Responded")
    settle(world)
    (contact,) = [key for key, row in world.live("contacts").items() if row["email"] == "con@example.com"]
    world.hubspot.act("list_add", "contacts", contact, list="General guide")
    settle(world)
    assert members(world) == [(lead, None, "Sent"), (None, known, "Responded")]
    assert world.ledger.links.count("campaigns") == 2


def test_who_sends_the_form_of_a_campaign_has_responded(world: World) -> None:
    """Status, flag and day in Salesforce; of one who came by the form at once, of one who was sent the guide when she
    answers. The form of another offer is no answer."""
    sent, came = world.contact("sent@example.com"), world.contact("came@example.com")
    world.hubspot.act("list_add", "contacts", sent, list="General guide")
    world.hubspot.act("submit_form", "contacts", sent, form="Newsletter", page="Start")
    world.hubspot.act("submit_form", "contacts", came, form="General guide", page="Guides", list="General guide")
    settle(world)
    leads = {row["Email"]: key for key, row in world.live("Lead").items()}
    assert members(world) == sorted(
        [(leads["sent@example.com"], None, "Sent"), (leads["came@example.com"], None, "Responded")], key=str
    )
    world.hubspot.act("submit_form", "contacts", sent, form="General guide", page="Guides")
    world.pass_time(1)  # the feed's index lags
    settle(world)
    rows = [row for row in world.salesforce.records("CampaignMember").values() if not row["IsDeleted"]]
    assert [(row["Status"], row["HasResponded"], bool(row["FirstRespondedDate"])) for row in rows] == [
        ("Responded", True, True)
    ] * 2
    assert world.issues() == []


def test_a_member_who_is_converted_is_the_same_member(world: World) -> None:
    """The org adds the contact beside the lead; no second member comes of it."""
    hot = world.contact("hot@example.com")
    world.hubspot.act("list_add", "contacts", hot, list="General guide")
    settle(world)
    (lead,) = world.live("Lead")
    world.salesforce.act("convert", "Lead", lead)
    settle(world)

    assert [one[0] for one in members(world)] == [lead]
    assert world.issues() == []


def test_members_who_are_merged_are_one_member_on(world: World) -> None:
    """HubSpot gives the survivor a new id, and so a new membership, shown when the list moves again: the campaign member
    goes on with that one, and nobody is asked."""
    one, two = world.contact("one@example.com"), world.contact("two@example.com", hubspotscore=10)
    world.hubspot.act("list_add", "contacts", one, list="General guide")
    settle(world)
    before = members(world)
    survivor = world.hubspot.act("merge", "contacts", one, **{"with": two})["key"]
    world.hubspot.act("list_add", "contacts", world.contact("cold@example.com", hubspotscore=10), list="General guide")
    settle(world)
    world.pass_time(7 * 3600)  # an interval of sweeps
    settle(world)
    settle(world)

    assert members(world) == before
    assert world.issues() == []
    links = [link for link in world.ledger.links.page("campaigns", 0, 100) if link.state == "live"]
    assert [link.marketing.key.partition(":")[2] for link in links] == [survivor]


def test_what_happened_is_kept_with_its_time_and_of_whom(world: World) -> None:
    """A form, another form, a call and its end, a step of a deal: each once, on the person or the deal."""
    hot = world.contact("hot@example.com")
    for form in ("Guide", "Price list"):
        world.pass_time(5)
        world.hubspot.act("submit_form", "contacts", hot, form=form)
        settle(world)
    (lead,) = world.live("Lead")
    task = world.salesforce.act("log_task", "Task", who=lead)["key"]
    deal = world.salesforce.act(
        "create", "Opportunity", values={"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-31"}
    )["key"]
    settle(world)
    world.salesforce.act("complete_task", "Task", task)
    world.salesforce.act("set_stage", "Opportunity", deal, stage="Closed Won")
    settle(world)

    def events(mapping: str, side: str, key: str, watch: str) -> list[dict[str, Any]]:
        found = world.ledger.events.of_records(mapping, side, [key])
        return [event.values for event in found if event.watch == watch]

    forms = events("people", "marketing", hot, "forms")
    assert [form["form"].split(":")[-1].strip() for form in forms] == ["Guide", "Price list"]
    assert [one["done"] for one in events("people", "crm", lead, "crm_tasks")] == [True]
    assert [one["stage"] for one in events("campaigns", "crm", deal, "deal_stages")] == ["Prospecting", "Closed Won"]


def test_the_live_systems_have_what_the_files_ask_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check --online` on the examples that the manual shows."""
    for name, value in stage.SECRETS.items():
        monkeypatch.setenv(name, value)
    found = check_files(world.folder / "syncd.toml", os.environ)
    for system in check_online(found, Clock(now=world.time, sleep=world.time.sleep)).values():
        system.connector.close()

    assert [str(problem) for problem in found.problems] == []
    assert found.troubles == {}
