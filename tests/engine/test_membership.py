"""Memberships over two systems in memory: who is in a list becomes a member of the campaign, once, and goes forward."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kin import Kin

from connectors.memory import Kind, Store
from syncd.assembly import Mappings
from syncd.connector import ObjectTraits
from syncd.core.compile import check_references, check_together
from syncd.core.kinds import compile_file
from syncd.core.mapping import Mapping
from syncd.core.rollup import check_rollups
from syncd.cycle import prepare
from syncd.doubts import look_again
from syncd.web.naming import Names

PEOPLE = """
mapping   = "people"
marketing = { system = "mk", object = "contacts" }
crm       = { system = "sf", object = "Lead", becomes = "Contact" }
match     = { by = ["email"] }
create    = { crm = 'name != ""' }
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
clash = "crm"
[fields.name]
marketing = "name"
crm = "LastName"
clash = "crm"
[fields.answer]
marketing = "crm_answer"
crm = "campaigns.answer"
flow = "to_marketing"
"""
CAMPAIGNS = """
kind   = "membership"
name   = "campaigns"
person = "people"
joined = "Sent"
[marketing]
system    = "mk"
object    = "list_memberships"
list      = "list"
list_name = "list_name"
person    = "contact"
lists     = { object = "lists", name = "name" }
[crm]
system    = "sf"
object    = "CampaignMember"
campaign  = "CampaignId"
person    = "PersonId"
status    = "Status"
responded = "FirstRespondedDate"
campaigns = { object = "Campaign", name = "Name" }
[campaigns]
"General guide" = "General guide"
"Choosing"      = "Choosing a maker"
[rollups.answer]
over = "person"
take = "latest"
of   = "status"
by   = "responded"
"""
STATUSES = (
    CAMPAIGNS.replace('joined = "Sent"', "")
    .replace('person    = "contact"', 'person    = "contact"\nstatus    = "status"')
    .replace(
        "[campaigns]\n", '[status]\ninvited = "Sent"\nregistered = "Registered"\nattended = "Attended"\n[campaigns]\n'
    )
)


@dataclass
class Campaigns(Kin):
    """A world with lists in marketing and campaigns in the CRM."""

    membership: str = CAMPAIGNS

    def mappings(self) -> Mappings:
        made: dict[str, Mapping] = {}
        for text in (self.membership, PEOPLE):
            found, problems = compile_file(text, "file.toml", None, frozenset({"people", "campaigns"}))
            assert not problems, [str(problem) for problem in problems]
            made |= {one.name: one for one in found if isinstance(one, Mapping)}
        assert not [*check_together(made.values()), *check_references(made.values()), *check_rollups(made)]
        return Mappings(made, None, ())

    def join(self, contact: str, list_: str, **values: Any) -> str:
        name = self.mk.values("lists", list_)["name"]
        given = {"list": list_, "list_name": name, "contact": contact, **values}
        return self.mk.create("list_memberships", given, by="form")

    def members(self) -> list[tuple[str, str, str]]:
        """(campaign, person, status) of every member."""
        found = [self.sf.values("CampaignMember", key) for key in self.sf.keys("CampaignMember")]
        return sorted((one["CampaignId"], one["PersonId"], one["Status"]) for one in found)


@pytest.fixture
def world(tmp_path: Path) -> Campaigns:
    marketing = ObjectTraits(feed="since", deletions="feed", history=True, answers_values=True, key="syncd_key")
    listed = ObjectTraits(feed="since", deletions="feed")
    crm = ObjectTraits(feed="since", deletions="feed", merges=True, precondition=True, key="Syncd_Key", grain_ms=1000)
    lead = ObjectTraits(**{**{name: getattr(crm, name) for name in crm.__slots__}, "forms": ("Contact",)})
    text, unique = "text length=255", "text unique"
    mk = Store.of(
        Kind.of("contacts", traits=marketing, email="text unique lower", name=text, crm_answer=text, syncd_key=unique),
        Kind.of("lists", traits=listed, name=text),
        Kind.of(
            "list_memberships",
            traits=listed,
            list="reference (lists)",
            list_name=text,
            contact="reference (contacts)",
            status=text,
        ),
    )
    person = {"Email": text, "LastName": text, "Syncd_Key": unique}
    sf = Store.of(
        Kind.of("Lead", traits=lead, **person),
        Kind.of("Contact", traits=crm, **person),
        Kind.of("Campaign", traits=crm, Name=text, Syncd_Key=unique),
        Kind.of(
            "CampaignMember",
            traits=crm,
            CampaignId="reference create-only (Campaign)",
            PersonId="reference (Lead, Contact)",
            Status=text,
            FirstRespondedDate="date",
            Syncd_Key=unique,
        ),
    )
    sf._next_key = 5000
    return Campaigns(tmp_path / "ledger.db", mk, sf)


@pytest.fixture
def lists(world: Campaigns) -> tuple[str, str, str, str]:
    """Two lists, and their campaigns."""
    guide, choosing = (world.mk.create("lists", {"name": name}) for name in ("General guide", "Choosing"))
    others = (world.sf.create("Campaign", {"Name": name}) for name in ("General guide", "Choosing a maker"))
    return (guide, choosing, *others)


def person(world: Campaigns, name: str | None = "Ada") -> str:
    return world.mk.create("contacts", {"email": f"p{world.mk.newest}@x.test", "name": name}, by="form")


def lead_of(world: Campaigns, contact: str) -> str:
    return world.across("people", "contacts", contact)


def test_who_is_in_a_list_becomes_a_member_of_its_campaign_once(
    world: Campaigns, lists: tuple[str, str, str, str]
) -> None:
    """Person and campaign first, in the same cycle; the status of a new member is the file's."""
    guide, choosing, campaign, other = lists
    ada = person(world)
    world.join(ada, guide)
    world.join(ada, choosing)
    world.all_once()
    lead = lead_of(world, ada)

    assert world.members() == sorted([(campaign, lead, "Sent"), (other, lead, "Sent")])
    world.settle()
    assert len(world.members()) == 2
    assert [write.object for write in world.mk.writes if write.object != "contacts"] == []


def test_a_member_who_is_there_already_is_recognised_by_whom_it_points_to(
    world: Campaigns, lists: tuple[str, str, str, str]
) -> None:
    """Sales added her by hand: no second member, and her status stays as it is. In whatever order things are seen."""
    guide, _, campaign, _ = lists
    ada, bob = person(world), person(world, "Bob")
    world.settle()
    first, second = lead_of(world, ada), lead_of(world, bob)
    world.sf.create("CampaignMember", {"CampaignId": campaign, "PersonId": first, "Status": "Responded"}, by="rep")
    world.settle()
    world.join(ada, guide)
    world.settle()
    assert world.members() == [(campaign, first, "Responded")]
    world.join(bob, guide)
    world.sf.create("CampaignMember", {"CampaignId": campaign, "PersonId": second, "Status": "Sent"}, by="rep")
    world.settle()

    assert len(world.members()) == 2
    assert world.ledger.links.count("campaigns") == 2


def test_a_member_waits_for_its_person_and_says_so(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """Who does not qualify for the CRM is no member there; as soon as she does, she is."""
    guide, _, campaign, _ = lists
    ada = person(world, None)
    world.join(ada, guide)
    tallies = world.all_once()
    assert world.members() == []
    assert tallies["campaigns"].waiting_for == 1
    world.mk.edit("contacts", ada, {"name": "Ada"}, by="ann")
    world.settle()

    assert world.members() == [(campaign, lead_of(world, ada), "Sent")]


def test_a_list_that_is_not_named_takes_no_part(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """Its members do not even wait."""
    world.join(person(world), world.mk.create("lists", {"name": "Everybody"}))
    world.settle()

    assert world.members() == []
    assert world.waits() == 0


def test_a_campaign_is_renamed_and_stays_the_lists_own(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """Names bring them together once; nobody's name is written on the other side."""
    guide, _, campaign, _ = lists
    world.settle()
    world.sf.edit("Campaign", campaign, {"Name": "Guide 2027"}, by="rep")
    ada = person(world)
    world.join(ada, guide)
    world.settle()

    assert world.members() == [(campaign, lead_of(world, ada), "Sent")]
    assert world.mk.values("lists", guide)["name"] == "General guide"


def test_statuses_go_forward_only(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """Sales knows that she attended: that marketing's side still says registered does not take it back."""
    world.membership = STATUSES
    guide, _, _, _ = lists
    ada = person(world)
    row = world.join(ada, guide, status="invited")
    world.settle()
    assert world.members()[0][2] == "Sent"
    world.mk.edit("list_memberships", row, {"status": "registered"}, by="form")
    world.settle()
    assert world.members()[0][2] == "Registered"
    (member,) = world.sf.keys("CampaignMember")
    world.sf.edit("CampaignMember", member, {"Status": "Attended"}, by="rep")
    world.settle()
    world.mk.edit("list_memberships", row, {"status": "invited"}, by="form")
    world.settle()
    assert world.members()[0][2] == "Attended"


def test_who_leaves_a_list_stays_a_member(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """She was reached: that she left later does not undo it."""
    guide, _, campaign, _ = lists
    ada = person(world)
    row = world.join(ada, guide)
    world.settle()
    world.mk.delete("list_memberships", row)
    world.settle()

    assert world.members() == [(campaign, lead_of(world, ada), "Sent")]


def twice_in_a_list(world: Campaigns, guide: str) -> tuple[str, str]:
    """Somebody's place in a list, which is a member already, and a second one of theirs, which found it taken."""
    ada = person(world)
    row = world.join(ada, guide)
    world.settle()
    again = world.join(ada, guide)
    world.settle()
    return row, again


def test_who_found_the_member_taken_gets_it_when_the_other_leaves(
    world: Campaigns, lists: tuple[str, str, str, str]
) -> None:
    """A merged person may be in a list twice for a while: the question answers itself when the old row is gone."""
    row, again = twice_in_a_list(world, lists[0])
    assert [issue.kind for issue in world.ledger.inbox.issues(mapping="campaigns")] == ["ambiguous"]

    world.mk.delete("list_memberships", row)
    world.settle()

    assert world.ledger.inbox.issues(mapping="campaigns") == []
    assert world.across("campaigns", "list_memberships", again) == world.sf.keys("CampaignMember")[0]


def test_who_found_the_member_taken_is_decided_again_when_its_link_ends(
    world: Campaigns, lists: tuple[str, str, str, str]
) -> None:
    """A merged person's old row names somebody who is no more: by its match value it wakes nobody."""
    row, again = twice_in_a_list(world, lists[0])
    run = world.run()
    bench = next(one for one in prepare(run, world.mappings(), None) if one.mapping.name == "campaigns")
    object_ = world.ledger.facts.object_id("mk", "list_memberships")
    (link,) = world.ledger.links.many([world.ledger.links.of_records("campaigns", object_, [row])[row]])
    assert world.ledger.books.again("campaigns") == 0

    look_again(run, bench, link)
    assert world.ledger.books.again("campaigns") == 1
    world.mk.delete("list_memberships", row)
    world.settle()
    assert world.ledger.inbox.issues(mapping="campaigns") == []
    assert world.across("campaigns", "list_memberships", again) == world.sf.keys("CampaignMember")[0]


def test_a_converted_person_is_the_same_member(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """The CRM moves its members to the contact; nothing is written, and nobody joins twice."""
    guide, choosing, _campaign, _ = lists
    ada = person(world)
    world.join(ada, guide)
    world.settle()
    lead = lead_of(world, ada)
    _, contact = world.sf.convert("Lead", lead, into="Contact")
    (member,) = world.sf.keys("CampaignMember")
    if world.sf.values("CampaignMember", member)["PersonId"] != contact:
        world.sf.edit("CampaignMember", member, {"PersonId": contact}, by="conversion")
    writes = len([write for write in world.sf.writes if write.object == "CampaignMember"])
    world.settle()
    assert len([write for write in world.sf.writes if write.object == "CampaignMember"]) == writes
    world.join(ada, choosing)
    world.settle()

    assert [one[1] for one in world.members()] == [contact, contact]


def test_the_response_reaches_the_contact(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """A membership has roll-ups like any mapping: what sales noted of the last answer."""
    guide, _, _, _ = lists
    ada = person(world)
    world.join(ada, guide)
    world.settle()
    (member,) = world.sf.keys("CampaignMember")
    world.sf.edit("CampaignMember", member, {"Status": "Responded", "FirstRespondedDate": "2026-11-21"}, by="rep")
    world.settle()

    assert world.mk.values("contacts", ada)["crm_answer"] == "Responded"


def test_a_member_is_called_by_their_person_and_campaign(world: Campaigns, lists: tuple[str, str, str, str]) -> None:
    """People read names: a membership has none but those of what it refers to, on either side."""
    guide, *_ = lists
    membership = world.join(person(world), guide)
    world.all_once()
    world.settle()
    names = Names(world.ledger, world.mappings())
    (member,) = world.sf.keys("CampaignMember")
    assert names.of({"system": "mk", "object": "list_memberships", "key": membership}) == "Ada · General guide"
    assert names.of({"system": "sf", "object": "CampaignMember", "key": member}) == "Ada · General guide"
