"""One record that a system will not take: told exactly, sent no more, and in nobody's way."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from world import MAPPING, World, make, writes

from syncd import ruling
from syncd.cycle import prepare
from syncd.ledger.inbox import Issue


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make(tmp_path)


def people(world: World, count: int, **values: object) -> list[str]:
    """Qualified contacts."""
    return [
        world.mk.create(
            "contacts",
            {"email": f"p{n}@example.test", "lastname": "P", "score": 80, "lifecyclestage": "mql", **values},
            by="ann",
        )
        for n in range(count)
    ]


def lead_of(world: World, n: int) -> str:
    return next(k for k in world.sf.keys("Lead") if world.sf.values("Lead", k)["Email"] == f"p{n}@example.test")


def issues(world: World) -> list[Issue]:
    return world.ledger.inbox.issues()


def retry(world: World, issue: Issue) -> None:
    """A person says it is mended."""
    run = world.run()
    (bench,) = prepare(run, world.mappings(), None)
    ruling.retry(run, bench, issue)
    world.until_quiet()


def test_a_refused_update_delays_nobody_and_is_not_sent_again(world: World) -> None:
    """A validation rule on one of five: the other four cross in the same cycle, and quiet is quiet."""
    contacts = people(world, 5)
    world.until_quiet()
    bad = lead_of(world, 2)
    world.sf.fault("refused", key=bad, op="update", code="VALIDATION", message="Title must be short", times=None)
    for contact in contacts:
        world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
    world.once()

    assert [world.sf.values("Lead", lead_of(world, n))["Title"] for n in (0, 1, 3, 4)] == ["Countess"] * 4
    (issue,) = issues(world)
    assert "VALIDATION Title must be short" in issue.reason
    assert sum(writes(world.once()) for _ in range(3)) == 0


def test_a_restricted_list_is_named_with_what_it_takes(world: World) -> None:
    """Field, attribute, choices and the line of the map; the value itself is not repeated."""
    (contact,) = people(world, 1)
    world.until_quiet()
    kind = world.sf.kinds["Lead"]
    world.pass_time(1000)
    only = dataclasses.replace(kind.attributes["Title"], restricted=True, options=("Countess", "Baron"))
    world.sf.kinds["Lead"] = kind.having(attributes={**kind.attributes, "Title": only})
    world.mk.edit("contacts", contact, {"jobtitle": "Secretly a spy", "phone": "+1"}, by="ann")
    world.until_quiet()

    issue = next(one for one in issues(world) if one.kind == "refused")
    assert issue.field == "title"
    assert "'title' (Lead.Title): update refused" in issue.reason
    assert "takes only Countess, Baron" in issue.remedy
    assert "people.toml:" in issue.remedy
    assert "spy" not in issue.reason + issue.remedy
    assert world.sf.values("Lead", lead_of(world, 0))["Phone"] == "+1"


def test_a_create_goes_without_a_field_that_need_not_be_there(world: World) -> None:
    """The person crosses; the field's issue stands on the new record, and its retry makes the value cross too."""
    kind = world.sf.kinds["Lead"]
    short = dataclasses.replace(kind.attributes["Title"], length=20)
    world.sf.kinds["Lead"] = kind.having(attributes={**kind.attributes, "Title": short})
    people(world, 1, jobtitle="x" * 30)
    world.until_quiet()

    lead = lead_of(world, 0)
    assert world.sf.values("Lead", lead)["Title"] is None
    assert world.sf.values("Lead", lead)["LastName"] == "P"
    (issue,) = issues(world)
    assert (issue.kind, issue.field, issue.key) == ("refused", "title", lead)
    assert "Title holds 20 characters: shorten the value" in issue.remedy
    assert writes(world.once()) == 0

    world.sf.kinds["Lead"] = kind
    retry(world, issue)
    assert world.sf.values("Lead", lead)["Title"] == "x" * 30
    assert issues(world) == []


def test_a_create_that_lacks_what_it_must_have_is_an_issue_about_its_source(world: World) -> None:
    """A required attribute or a match value cannot be left out: nothing half-made stands in the CRM."""
    (contact,) = people(world, 1, lastname="x" * 100)
    world.until_quiet()

    assert world.sf.keys("Lead") == []
    (issue,) = issues(world)
    assert (issue.kind, issue.field, issue.key) == ("refused", "last_name", contact)
    assert "LastName holds 80 characters" in issue.remedy

    world.mk.edit("contacts", contact, {"lastname": "Short"}, by="ann")
    world.until_quiet()
    assert world.sf.values("Lead", lead_of(world, 0))["LastName"] == "Short"
    assert issues(world) == []


def test_an_attribute_that_went_away_between_two_looks_is_one_issue(world: World) -> None:
    """Twenty refusals that name it in one call: the field is held, and nobody gets an issue of his own."""
    contacts = people(world, 20)
    world.until_quiet()
    world.pass_time(1000)
    kind = world.sf.kinds["Lead"]
    world.sf.kinds["Lead"] = kind.having(attributes={n: a for n, a in kind.attributes.items() if n != "Title"})
    for contact in contacts:
        world.mk.edit("contacts", contact, {"jobtitle": "Countess", "phone": "+1"}, by="ann")
    world.until_quiet()

    (issue,) = issues(world)
    assert (issue.kind, issue.field) == ("schema", "title")
    assert all(world.sf.values("Lead", lead_of(world, n))["Phone"] == "+1" for n in range(20))


def test_a_write_that_is_never_answered_ends_as_an_issue(world: World) -> None:
    """The system answers everybody else: after five tries it is the record, and a person is asked."""
    contacts = people(world, 2)
    world.until_quiet()
    bad = lead_of(world, 0)
    world.sf.fault("doubtful_before", key=bad, op="update", times=None)
    world.mk.edit("contacts", contacts[0], {"jobtitle": "Countess"}, by="ann")
    for n in range(12):
        world.mk.edit("contacts", contacts[1], {"jobtitle": f"Baron {n}"}, by="ann")
        world.once()
        world.pass_time(600)

    (issue,) = issues(world)
    assert (issue.kind, issue.field, issue.key) == ("unanswered", "title", bad)
    assert "5 times in a row" in issue.reason
    assert world.sf.values("Lead", lead_of(world, 1))["Title"] == "Baron 11"
    world.sf.faults.standing.clear()
    world.until_quiet()
    assert world.sf.values("Lead", bad)["Title"] is None

    retry(world, issue)
    assert world.sf.values("Lead", bad)["Title"] == "Countess"
    assert issues(world) == []


def test_a_system_that_answers_nobody_makes_no_issue_of_a_record(world: World) -> None:
    """An outage is no poison: when it is over, everything crosses by itself."""
    (contact,) = people(world, 1)
    world.until_quiet()
    world.sf.fault("doubtful_before", op="update", times=None)
    world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
    for _ in range(12):
        world.once()
        world.pass_time(600)
    assert issues(world) == []
    world.sf.faults.standing.clear()
    world.until_quiet()

    assert world.sf.values("Lead", lead_of(world, 0))["Title"] == "Countess"


def test_who_breaks_a_whole_call_is_sent_alone(world: World) -> None:
    """Without an answer again and again: each goes in a call of its own, and the others cross."""
    contacts = people(world, 6)
    world.until_quiet()
    bad = lead_of(world, 3)
    write = type(world.run().systems["sf"].connector).write

    def breaks(self: object, object_: str, effects: list[object]) -> object:
        if any(effect.key == bad for effect in effects):  # type: ignore[attr-defined]
            from syncd.errors import Doubt

            raise Doubt("the call broke")
        return write(self, object_, effects)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.memory.connector.MemoryConnector.write", breaks)
        for contact in contacts:
            world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
        for _ in range(12):
            world.once()
            world.pass_time(600)

    assert [world.sf.values("Lead", lead_of(world, n))["Title"] for n in (0, 1, 2, 4, 5)] == ["Countess"] * 5
    assert [(one.kind, one.key) for one in issues(world)] == [("unanswered", bad)]


def test_a_value_that_cannot_cross_is_told_when_the_record_is_made(world: World) -> None:
    """Nothing is left out in silence; the issue stays while other fields move, and ends when the value is mended."""
    world.mapping_text = MAPPING.replace('other = "keep"', 'other = "hold"')
    (contact,) = people(world, 1, lifecyclestage="lead")
    kind = world.mk.kinds["contacts"]
    stage = dataclasses.replace(kind.attributes["lifecyclestage"], options=("lead", "mql", "other"))
    world.mk.kinds["contacts"] = kind.having(attributes={**kind.attributes, "lifecyclestage": stage})
    world.mk.edit("contacts", contact, {"lifecyclestage": "other"}, by="ann")
    world.until_quiet()

    (issue,) = [one for one in issues(world) if one.kind != "schema"]
    assert (issue.kind, issue.field, issue.key) == ("unmapped_value", "stage", contact)
    assert world.sf.values("Lead", lead_of(world, 0))["Status"] is None
    world.mk.edit("contacts", contact, {"jobtitle": "Countess"}, by="ann")
    world.until_quiet()
    assert world.ledger.inbox.issue(issue.id) is not None

    world.mk.edit("contacts", contact, {"lifecyclestage": "mql"}, by="ann")
    world.until_quiet()
    assert world.sf.values("Lead", lead_of(world, 0))["Status"] == "Open"
    assert world.ledger.inbox.issue(issue.id) is None


def test_a_retried_value_crosses_once_the_file_knows_it(world: World) -> None:
    """The map was extended: retry makes the value cross, from the side that said it."""
    world.mapping_text = MAPPING.replace('other = "keep"', 'other = "hold"').replace(', opportunity = "Working"', "")
    (contact,) = people(world, 1)
    world.until_quiet()
    world.mk.edit("contacts", contact, {"lifecyclestage": "opportunity"}, by="ann")
    world.until_quiet()
    (issue,) = issues(world)
    assert issue.kind == "unmapped_value"

    world.mapping_text = MAPPING.replace('other = "keep"', 'other = "hold"')
    retry(world, issue)
    assert world.sf.values("Lead", lead_of(world, 0))["Status"] == "Working"
    assert issues(world) == []
