"""Backfill: a one-off re-decision that resumes where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import MAPPING, World, make

from syncd.backfill import Choice, Progress, check, start, steps
from syncd.cycle import prepare
from syncd.errors import ConfigError


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make(tmp_path)
    for n in range(30):
        person = {"email": f"p{n}@x.test", "lastname": f"P{n}", "score": 60 + n, "lifecyclestage": "mql"}
        world.mk.create("contacts", {**person, "jobtitle": "CTO"}, by="ann")
    return world


def drive(world: World, choice: Choice, most: int | None = None) -> list[Progress]:
    """Runs slices of a backfill; `most`: as many as a killed process came to."""
    run = world.run()
    (bench,) = prepare(run, world.mappings(), ["people"])
    seen = []
    for progress in steps(run, bench, start(run, bench.mapping, choice)):
        seen.append(progress)
        if most is not None and len(seen) >= most:
            break
    return seen


def test_it_resumes_where_a_kill_left_it(world: World) -> None:
    """The place is kept with every slice: nothing is read or sent twice, and it ends."""
    world.until_quiet()
    world.mapping_text = MAPPING.replace('clash = "hold"\n[fields.stage]', 'clash = "crm"\n[fields.stage]')
    slices = 0
    while not drive(world, Choice(), most=1)[-1].finished:
        world.restart()
        slices += 1
        assert slices < 50
    assert world.sf.keys("Lead").__len__() == 30


def test_one_field_meets_again_and_only_it(world: World) -> None:
    """--field: its base counts as unknown, so that a rule that came later reaches old values."""
    without = MAPPING.replace('[fields.title]\nmarketing = "jobtitle"\ncrm = "Title"\nclash = "hold"\n', "")
    world.mapping_text = without
    world.until_quiet()
    lead = world.sf.keys("Lead")[0]
    world.sf.edit("Lead", lead, {"LastName": "Elsewhere"}, by="rep")
    world.until_quiet()
    contact = world.contacts()[0]
    drive(world, Choice(field="last_name", where="score >= 60.0"))
    world.until_quiet()

    assert contact["lastname"] == "Elsewhere"
    assert world.sf.values("Lead", lead)["LastName"] == "Elsewhere"


def test_a_dry_run_sends_nothing(world: World) -> None:
    """--dry-run counts, and that is all."""
    world.until_quiet()
    world.mk.writes.clear()
    world.sf.writes.clear()
    assert drive(world, Choice(dry_run=True))[-1].finished
    assert world.mk.writes == []
    assert world.sf.writes == []


def test_a_wrong_choice_is_named(world: World) -> None:
    """Every wrong option at once, with what to write instead."""
    mapping = world.mappings().by_name["people"]
    with pytest.raises(ConfigError) as caught:
        check(mapping, Choice(since="yesterday", field="nonsense", where="scor > 5"))
    said = str(caught.value)
    assert "--since" in said
    assert "--field" in said
    assert "--where:1:1" in said
