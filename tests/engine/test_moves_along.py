"""What a system sets by itself with our write is nobody's edit: it is told what stands there, in the same write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import LIMITS, MAPPING, World, make, writes

from connectors.memory import Store
from syncd.core.guard import Limit
from syncd.view.plan import effects

DATED = (
    MAPPING
    + """
[fields.closed_on]
marketing = "closed_on"
crm = { Lead = "ClosedOn" }
type = "date"
clash = "crm"
"""
)
BY_ITSELF = "2026-11-22"
"""The day that the system sets when a stage is written."""


def dated(tmp_path: Path, side: str = "mk", *, declared: bool = True, flow: str = "both") -> tuple[World, str, str]:
    """A pair at rest, with a day on it. The store of `side` sets that day by itself when its stage is written."""
    world = make(tmp_path)
    for store, object_, stage, day in (
        (world.mk, "contacts", "lifecyclestage", "closed_on"),
        (world.sf, "Lead", "Status", "ClosedOn"),
    ):
        kind = store.kinds[object_]
        date = kind.attributes["score" if store is world.mk else "Score"]
        attributes = {**kind.attributes, day: replace(date, name=day, type="date")}
        kind = kind.having(attributes=attributes)
        if store is getattr(world, side):
            kind = kind.having(along={stage: (day, BY_ITSELF)}, moves_along={stage: (day,)} if declared else {})
        store.kinds[object_] = kind
    world.mapping_text = DATED.replace('type = "date"\nclash', f'type = "date"\nflow = "{flow}"\nclash')
    values = {"email": "ada@x.test", "lastname": "Ada", "score": 80, "lifecyclestage": "mql", "closed_on": "2026-12-24"}
    contact = world.mk.create("contacts", values, by="ann")
    world.until_quiet()
    (lead,) = world.sf.keys("Lead")
    return world, contact, lead


def days(world: World) -> tuple[Any, Any]:
    return world.only_contact()["closed_on"], world.only_lead()["ClosedOn"]


def test_a_stage_of_sales_leaves_both_days_as_they_are(tmp_path: Path) -> None:
    """Marketing's system would set the day by itself when our write sets the stage; that is no edit of marketing's."""
    world, _, lead = dated(tmp_path)
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert world.only_contact()["lifecyclestage"] == "sql"
    assert days(world) == ("2026-12-24", "2026-12-24")
    assert world.ledger.inbox.conflicts() == []
    assert writes(world.once()) == 0


def test_a_stage_of_marketing_leaves_both_days_as_they_are(tmp_path: Path) -> None:
    """The same towards the CRM: the trait is the connector's, whichever side it stands on."""
    world, contact, _ = dated(tmp_path, "sf")
    world.mk.edit("contacts", contact, {"lifecyclestage": "sql"}, by="ann")
    world.until_quiet()
    assert world.only_lead()["Status"] == "Working"
    assert days(world) == ("2026-12-24", "2026-12-24")


def test_without_the_trait_the_day_would_be_overwritten(tmp_path: Path) -> None:
    """What the trait is good for: an undeclared automation is read as an edit."""
    world, _, lead = dated(tmp_path, declared=False)
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert days(world) == (BY_ITSELF, BY_ITSELF)


def test_the_day_that_a_person_sets_with_the_stage_crosses(tmp_path: Path) -> None:
    """Sales moves stage and day at once: both are written, as they say."""
    world, _, lead = dated(tmp_path)
    world.sf.edit("Lead", lead, {"Status": "Working", "ClosedOn": "2026-11-30"}, by="rep")
    world.until_quiet()
    assert days(world) == ("2026-11-30", "2026-11-30")


def test_whoever_moves_the_stage_in_that_system_moves_the_day(tmp_path: Path) -> None:
    """A person there moves the stage, and their system sets the day: that is theirs, and crosses with the stage."""
    world, contact, _ = dated(tmp_path)
    world.mk.edit("contacts", contact, {"lifecyclestage": "sql"}, by="ann")
    world.until_quiet()
    assert world.only_lead()["Status"] == "Working"
    assert days(world) == (BY_ITSELF, BY_ITSELF)


def test_an_edit_of_the_day_crosses_the_other_way_at_the_same_time(tmp_path: Path) -> None:
    """Sales moves the stage while marketing moves the day: what is said along is marketing's new day."""
    world, contact, lead = dated(tmp_path)
    world.mk.edit("contacts", contact, {"closed_on": "2027-01-15"}, by="ann")
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert days(world) == ("2027-01-15", "2027-01-15")
    assert world.only_contact()["lifecyclestage"] == "sql"


def test_an_edit_that_crosses_is_not_forgotten_when_its_own_write_fails(tmp_path: Path) -> None:
    """Saying a field along settles nothing: the edit of it that was on its way is decided again."""
    world, contact, lead = dated(tmp_path)
    world.mk.edit("contacts", contact, {"closed_on": "2027-01-15"}, by="ann")
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.sf.fault("moved", op="update")
    world.until_quiet()
    assert days(world) == ("2027-01-15", "2027-01-15")


def test_a_day_that_only_flows_to_marketing_is_said_too(tmp_path: Path) -> None:
    """Else the two would differ from then on."""
    world, _, lead = dated(tmp_path, flow="to_marketing")
    world.sf.edit("Lead", lead, {"Status": "Working", "ClosedOn": "2026-12-24"}, by="rep")
    world.until_quiet()
    world.sf.edit("Lead", lead, {"ClosedOn": "2026-12-31"}, by="rep")
    world.until_quiet()
    world.sf.edit("Lead", lead, {"Status": "Open"}, by="rep")
    world.until_quiet()
    assert days(world) == ("2026-12-31", "2026-12-31")


def test_a_blank_that_would_be_filled_is_filled_from_the_other_side(tmp_path: Path) -> None:
    """A known difference, blank there: the other side's day is said rather than whatever the system would set."""
    world, contact, lead = dated(tmp_path)
    world.mk.edit("contacts", contact, {"closed_on": None}, by="ann")
    world.until_quiet()
    assert days(world) == (None, "2026-12-24")
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert days(world) == ("2026-12-24", "2026-12-24")


def test_what_is_said_along_stands_in_the_plan_and_counts_for_no_guard(tmp_path: Path) -> None:
    """Everything that is sent is shown, with the reason; a field that is not changed is no update of it."""
    world, _, lead = dated(tmp_path)
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    strict = {**LIMITS, "updates": Limit(0, 0, 0.0)}
    world.once(yes=False, limits=strict)
    (shown,) = effects(world.ledger, ["people"])
    assert shown["fields"]["closed_on"] == {
        "attribute": "closed_on",
        "before": "2026-12-24",
        "after": "2026-12-24",
        "why": "said as it stands: marketing's system may set it with stage",
    }
    tally = world.once()
    assert tally.kinds["marketing.stage"] == 1
    assert "marketing.closed_on" not in tally.kinds


def test_an_edit_under_our_write_is_put_back(tmp_path: Path) -> None:
    """A person moves the day between our look and our write: nobody decided against it, so it is theirs again, and
    crosses."""
    world, contact, lead = dated(tmp_path)

    def edits(store: Store, effect: object) -> None:
        store.edit("contacts", contact, {"closed_on": "2027-03-01"}, by="ann")

    world.mk.fault("meanwhile", op="update", run=edits)
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert days(world) == ("2027-03-01", "2027-03-01")


def test_a_system_that_sets_it_all_the_same_is_told_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """The automation wins over our write: a known difference, in the journal, and no edit of anybody's."""
    world, contact, lead = dated(tmp_path)

    def automation(store: Store, effect: object) -> None:
        store.kinds["contacts"] = store.kinds["contacts"].having(bend={"closed_on": lambda value: BY_ITSELF})

    world.mk.fault("meanwhile", op="update", run=automation)
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert days(world) == (BY_ITSELF, "2026-12-24")
    number = world.ledger.facts.object_id("mk", "contacts")
    told = [one.said for one in world.ledger.journal.page(object=number, key=contact, limit=100) if one.kind == "bent"]
    assert told == ["closed_on: marketing set it by itself with our write; the difference stands"]


@pytest.mark.parametrize("blamed", [("closed_on",), ("closed_on", "lifecyclestage")])
def test_a_refusal_that_blames_what_is_said_along_ends(tmp_path: Path, blamed: tuple[str, ...]) -> None:
    """Refused for a field that was only said along: one issue, nothing is sent again unchanged, no base moves by it."""
    world, contact, lead = dated(tmp_path)
    for _ in range(3):
        world.mk.fault("refused", op="update", culprits=blamed, code="NO")
    world.sf.edit("Lead", lead, {"Status": "Working"}, by="rep")
    world.until_quiet()
    assert len(world.mk.faults.standing) == 2, "one try"
    assert [one.kind for one in world.ledger.inbox.issues()] == ["refused"]
    world.mk.faults.standing.clear()
    world.mk.edit("contacts", contact, {"closed_on": "2027-01-15"}, by="ann")
    world.until_quiet()
    assert days(world) == ("2027-01-15", "2027-01-15")
