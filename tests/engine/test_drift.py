"""Somebody changes what an object looks like: what it concerns is held and told, everything else goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from world import MAPPING, World, make, writes

from connectors.memory import Store
from syncd import ruling
from syncd.cycle import prepare
from syncd.ledger.inbox import Issue

HOUR_S = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def linked(world: World) -> tuple[str, str]:
    """A contact and its lead, in step."""
    person = {"email": "ada@example.test", "lastname": "Lovelace", "score": 80, "lifecyclestage": "mql", "phone": "+1"}
    contact = world.mk.create("contacts", person, by="ann")
    world.until_quiet()
    return contact, world.sf.keys("Lead")[-1]


def change(store: Store, object_: str, name: str, **now: Any) -> Callable[[], None]:
    """An admin changes an attribute; returns how to undo it. `gone=True`: removes it; `called=...`: renames it."""
    kind = store.kinds[object_]
    attributes = dict(kind.attributes)
    before = attributes.pop(name)
    if called := now.pop("called", None):
        attributes[called] = dataclasses.replace(before, name=called)
        for item in store.items[object_].values():
            item.values[called] = item.values[name]
    elif not now.pop("gone", False):
        attributes[name] = dataclasses.replace(before, **now)
    store.kinds[object_] = kind.having(attributes=attributes)

    def undo() -> None:
        store.kinds[object_] = kind

    return undo


def issues(world: World) -> list[Issue]:
    return world.ledger.inbox.issues(kind="schema")


def later(world: World) -> None:
    """The next look at the schemas is due."""
    world.pass_time(HOUR_S)


def test_a_removed_attribute_holds_its_field_and_no_other(world: World) -> None:
    """The others go on in both directions; nothing is blanked; the issue names file, line and what it was."""
    contact, lead = linked(world)
    change(world.sf, "Lead", "Phone", gone=True)
    later(world)
    world.mk.edit("contacts", contact, {"phone": "+2", "lastname": "King"}, by="ann")
    world.until_quiet()

    assert world.sf.values("Lead", lead)["LastName"] == "King"
    assert world.mk.values("contacts", contact)["phone"] == "+2"
    (issue,) = issues(world)
    assert issue.field == "phone"
    assert "people.toml:" in issue.reason
    assert "Lead.Phone is gone" in issue.reason
    assert "it held a text of 255 characters" in issue.reason
    assert "The other fields go on" in issue.remedy
    assert writes(world.once()) == 0


def test_a_read_that_misses_an_attribute_is_noticed_in_the_same_cycle(world: World) -> None:
    """Before the interval is over: what a system does not show any more is unasked, and never decided on as blank."""
    contact, lead = linked(world)
    change(world.sf, "Lead", "Phone", gone=True)
    world.sf.edit("Lead", lead, {"Title": "Countess"}, by="rep")
    world.once()

    assert [issue.field for issue in issues(world)] == ["phone"]
    assert world.mk.values("contacts", contact)["jobtitle"] == "Countess"
    assert world.mk.values("contacts", contact)["phone"] == "+1"


def test_what_moved_while_it_was_held_crosses_once_it_is_mended(world: World) -> None:
    """The issue closes by itself, everything is read again, and edits of both sides made meanwhile are decided."""
    contact, lead = linked(world)
    undo = change(world.sf, "Lead", "Phone", gone=True)
    later(world)
    world.mk.edit("contacts", contact, {"phone": "+2"}, by="ann")
    world.until_quiet()
    assert issues(world)
    undo()
    later(world)
    world.until_quiet()

    assert issues(world) == []
    assert world.sf.values("Lead", lead)["Phone"] == "+2"
    assert writes(world.once()) == 0


def test_an_edit_that_was_out_of_sight_is_found_when_the_attribute_is_back(world: World) -> None:
    """Values that changed while we could not see them are read once we can: nobody edits them again for us."""
    contact, lead = linked(world)
    kind = world.sf.kinds["Lead"]
    world.sf.kinds["Lead"] = kind.having(unreadable=frozenset({"Phone"}))
    later(world)
    world.sf.edit("Lead", lead, {"Phone": "+3"}, by="rep")
    world.until_quiet()
    assert world.mk.values("contacts", contact)["phone"] == "+1"
    world.sf.kinds["Lead"] = kind
    later(world)
    world.until_quiet()

    assert world.mk.values("contacts", contact)["phone"] == "+3"
    assert issues(world) == []


def test_a_renamed_attribute_is_told_with_its_new_name(world: World) -> None:
    """Same kind, same label, new name: the remedy is the word to write."""
    linked(world)
    change(world.sf, "Lead", "Rating", called="Rating__c")
    later(world)
    world.once()

    (issue,) = issues(world)
    assert "write 'Rating__c' here" in issue.reason


def test_the_issue_closes_when_the_file_is_edited(world: World) -> None:
    """Either of the two may be mended: the file counts at the next cycle, with no further look."""
    contact, lead = linked(world)
    change(world.sf, "Lead", "Rating", called="Rating__c")
    later(world)
    world.once()
    assert issues(world)
    world.mapping_text = MAPPING.replace('crm = { Lead = "Rating" }', 'crm = { Lead = "Rating__c" }')
    world.sf.edit("Lead", lead, {"Rating__c": "Hot"}, by="rep")
    world.until_quiet()

    assert issues(world) == []
    assert world.mk.values("contacts", contact)["crm_rating"] == "Hot"


def test_a_retyped_attribute_holds_its_field(world: World) -> None:
    """A number where text was: nothing is written into it, nothing is taken from it."""
    contact, lead = linked(world)
    change(world.sf, "Lead", "Score", type="text")
    later(world)
    world.mk.edit("contacts", contact, {"score": 90, "jobtitle": "Countess"}, by="ann")
    world.until_quiet()

    (issue,) = issues(world)
    assert issue.field == "score"
    assert "it held a number before" in issue.reason
    assert world.sf.values("Lead", lead)["Title"] == "Countess"
    assert not [one for one in world.ledger.inbox.issues() if one.kind == "refused"]


def test_a_lost_right_to_edit_holds_the_field_and_is_given_back(world: World) -> None:
    """Readable and not editable any more: nothing is sent to be refused, and the edit crosses afterwards."""
    contact, lead = linked(world)
    undo = change(world.sf, "Lead", "Phone", updatable=False)
    later(world)
    world.mk.edit("contacts", contact, {"phone": "+2"}, by="ann")
    world.until_quiet()
    assert world.ledger.journal.verify()
    assert [(one.kind, one.field) for one in world.ledger.inbox.issues()] == [("schema", "phone")]
    assert "the right to edit it" in issues(world)[0].reason

    undo()
    later(world)
    world.until_quiet()
    assert world.sf.values("Lead", lead)["Phone"] == "+2"


def test_a_new_required_attribute_holds_creates_and_no_updates(world: World) -> None:
    """One issue for all of them, not a refusal for each record; they are made once it is mended."""
    contact, lead = linked(world)
    kind = world.sf.kinds["Lead"]
    attribute = dataclasses.replace(kind.attributes["Title"], name="Region", required=True)
    world.sf.kinds["Lead"] = kind.having(attributes={**kind.attributes, "Region": attribute})
    for item in world.sf.items["Lead"].values():
        item.values["Region"] = "North"
    later(world)
    for n in range(3):
        person = {"email": f"p{n}@example.test", "lastname": "P", "score": 80, "lifecyclestage": "mql"}
        world.mk.create("contacts", person, by="ann")
    world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
    world.until_quiet()

    assert len(world.leads()) == 1
    assert world.sf.values("Lead", lead)["Title"] == "Countess"
    (issue,) = world.ledger.inbox.issues()
    assert "a create needs Lead.Region" in issue.reason
    assert "Updates go on; creates wait." in issue.remedy

    world.sf.kinds["Lead"] = kind
    later(world)
    world.until_quiet()
    assert len(world.leads()) == 4
    assert world.ledger.inbox.issues() == []


def test_without_a_match_field_the_whole_mapping_rests(world: World) -> None:
    """Records that cannot be told apart are not created a second time, and none leaves the scope."""
    contact, lead = linked(world)
    undo = change(world.mk, "contacts", "email", gone=True)
    world.mk.create("contacts", {"lastname": "New", "score": 80}, by="ann")
    world.mk.edit("contacts", contact, {"lastname": "King"}, by="ann")
    tally = world.once()

    assert tally.stuck
    assert "cannot be told apart" in tally.skipped
    assert world.sf.values("Lead", lead)["LastName"] == "Lovelace"
    assert world.ledger.links.count("people") == 1

    undo()
    later(world)
    world.until_quiet()
    assert world.sf.values("Lead", lead)["LastName"] == "King"


def test_a_new_choice_that_no_map_knows_is_told_once_and_can_be_agreed_with(world: World) -> None:
    """It holds nothing. Whoever agrees with it is not told again; who adds it to the map closes it as well."""
    linked(world)
    change(world.sf, "Lead", "Status", options=("Open", "Working", "Closed", "Nurturing"))
    later(world)
    world.once()
    (issue,) = issues(world)
    assert "has the new choice 'Nurturing', and 'values' of 'stage' does not list it" in issue.reason

    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    ruling.retry(run, bench, issue)
    later(world)
    world.once()
    assert issues(world) == []


def test_room_that_became_less_is_told_before_anything_is_refused(world: World) -> None:
    """With both lengths, and the line that writes there."""
    linked(world)
    change(world.sf, "Lead", "Title", length=20)
    later(world)
    world.once()

    (issue,) = issues(world)
    assert issue.field == "title"
    assert "holds 20 characters now; it held 255" in issue.reason


def test_an_object_that_is_not_shown_any_more_stops_its_mapping_and_not_its_system(world: World) -> None:
    """The account is asked who it is: it answers, so it is this object alone."""
    linked(world)
    later(world)
    world.sf.fault("access", method="describe", object="Lead")
    tally = world.once()

    assert tally.stuck
    assert "sf does not show us Lead" in tally.skipped
    (issue,) = issues(world)
    assert "Give the sync user access" in issue.remedy
    later(world)
    world.until_quiet()
    assert issues(world) == []


def test_a_quiet_hour_costs_one_description_an_object(world: World) -> None:
    """Sixty cycles: described once at the start, and once when the interval is over."""
    linked(world)
    before = sum(call.method == "describe" for call in [*world.mk.calls, *world.sf.calls])
    start = world.at
    while world.at - start < HOUR_S:
        world.once()

    after = sum(call.method == "describe" for call in [*world.mk.calls, *world.sf.calls])
    assert after - before == 3  # contacts, Lead, Contact


def test_a_bad_record_leads_to_no_description_in_every_cycle(world: World) -> None:
    """A refusal that names an attribute is a hint, and hints are honoured every few minutes at most."""
    contact, _ = linked(world)
    before = sum(call.method == "describe" for call in world.sf.calls)
    for n in range(10):
        world.sf.fault("refused", op="update", culprits=("Title",))
        world.mk.edit("contacts", contact, {"jobtitle": f"Title {n}"}, by="ann")
        world.once()

    after = sum(call.method == "describe" for call in world.sf.calls)
    assert after - before <= 4


def test_newer_is_told_where_no_system_can_say_it(world: World) -> None:
    """Before the first clash, by an issue with the line; and a clash itself says why it waits."""
    world.mapping_text = MAPPING.replace('crm = "Title"\nclash = "hold"', 'crm = "Title"\nclash = "newer"')
    contact, lead = linked(world)
    assert any("sf does not tell when each field of Lead changed" in one.reason for one in issues(world))
    world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
    world.sf.edit("Lead", lead, {"Title": "Baron"}, by="rep")
    world.once()

    (clash,) = world.ledger.inbox.issues(kind="clash")
    assert "which edit is newer is not known" in clash.reason
