"""Steps back: written, left where they were made, asked about, or made by clearing first; by the field's own rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from world import MAPPING, World, make, writes

from connectors.memory import Store

ORDERED = MAPPING.replace(
    'values = { lead = "Closed", mql = "Open", sql = "Working", opportunity = "Working" }',
    'values = { mql = "Open", sql = "Working", opportunity = "Closed" }',
).replace('backward = "clear_then_set"\nclash = "crm"', 'clash = "crm"\nsteps = "any"')


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Stages in order on both sides: mql, sql, opportunity; Open, Working, Closed."""
    return make(tmp_path)


def working(world: World, steps: str) -> tuple[str, str]:
    """A pair that sales works on."""
    world.mapping_text = ORDERED.replace('steps = "any"', f'steps = "{steps}"')
    contact = world.mk.create(
        "contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80, "lifecyclestage": "mql"}, by="ann"
    )
    world.until_quiet()
    (lead,) = world.sf.keys("Lead")
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert world.only_contact()["lifecyclestage"] == "sql"
    return contact, lead


def stages(world: World) -> tuple[str, str]:
    return world.only_contact()["lifecyclestage"], world.only_lead()["Status"]


def test_any_step_is_written_both_ways(world: World) -> None:
    """Left out: a stage goes back like any other value."""
    contact, lead = working(world, "any")
    world.mk.edit("contacts", contact, {"lifecyclestage": "mql"}, by="ann")
    world.until_quiet()
    assert stages(world) == ("mql", "Open")
    world.sf.edit("Lead", lead, {"Status": "Closed"}, by="rep")
    world.until_quiet()
    world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    world.until_quiet()
    assert stages(world) == ("mql", "Open")


def test_a_step_back_stays_where_it_was_made(world: World) -> None:
    """forward: nothing is written, nobody is asked, and the next step forward crosses."""
    contact, _ = working(world, "forward")
    world.mk.edit("contacts", contact, {"lifecyclestage": "mql"}, by="ann")
    assert sum(map(writes, world.until_quiet())) == 0
    assert (stages(world), world.ledger.inbox.issues()) == (("mql", "Working"), [])
    world.mk.edit("contacts", contact, {"lifecyclestage": "opportunity"}, by="ann")
    world.until_quiet()
    assert stages(world) == ("opportunity", "Closed")


@pytest.mark.parametrize("meant", [True, False])
def test_a_step_back_may_wait_for_a_person(world: World, meant: bool) -> None:
    """ask: one issue, which ends when both records agree, whichever of them the person sets."""
    contact, lead = working(world, "ask")
    world.mk.edit("contacts", contact, {"lifecyclestage": "mql"}, by="ann")
    world.until_quiet()
    world.mk.edit("contacts", contact, {"phone": "111111"}, by="ann")
    world.until_quiet()
    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.field, stages(world)) == ("step_back", "stage", ("mql", "Working"))
    assert world.only_lead()["Phone"] == "111111", "nothing else waits"

    if meant:
        world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    else:
        world.mk.edit("contacts", contact, {"lifecyclestage": "sql"}, by="ann")
    world.until_quiet()
    assert stages(world) == (("mql", "Open") if meant else ("sql", "Working"))
    assert world.ledger.inbox.issues() == []


def test_a_step_back_that_died_between_clear_and_set_is_finished(world: World) -> None:
    """clear_then_set is one intent: emptied and not answered, it is set, and the blank is nobody's edit."""
    kind = world.mk.kinds["contacts"]
    world.mk.kinds["contacts"] = replace(kind, forward={"lifecyclestage": ("mql", "sql", "opportunity")})
    contact, lead = working(world, "any")
    world.mapping_text = world.mapping_text.replace('steps = "any"', 'backward = "clear_then_set"')
    world.until_quiet()

    def half(store: Store, effect: object) -> None:
        store.edit("contacts", contact, {"lifecyclestage": None}, by=store.account.writer)

    world.mk.fault("ignored", op="update")
    world.mk.fault("meanwhile", op="update", run=half)
    world.mk.fault("doubtful_before", op="update")
    world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    for _ in range(12):
        world.once()

    assert world.mk.faults.standing == [], "each of them struck"
    assert stages(world) == ("mql", "Open")
    assert world.ledger.inbox.issues() == []
    assert world.ledger.intents.total(("planned", "ready", "sent", "answered")) == 0


def test_a_step_back_is_not_held_up_by_other_edits(world: World) -> None:
    """Found to need emptying first, it is emptied with the next write, whatever else that write says."""
    kind = world.mk.kinds["contacts"]
    world.mk.kinds["contacts"] = replace(kind, forward={"lifecyclestage": ("mql", "sql", "opportunity")})
    _, lead = working(world, "any")
    world.mapping_text = world.mapping_text.replace('steps = "any"', 'backward = "clear_then_set"')
    world.until_quiet()

    world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    for n in range(3):
        world.once()
        world.sf.edit("Lead", lead, {"LastName": f"Ada {n}"}, by="rep")
    assert stages(world) == ("mql", "Open")
    world.until_quiet()
    assert (stages(world), world.only_contact()["lastname"]) == (("mql", "Open"), "Ada 2")
    assert world.ledger.inbox.issues() == []
