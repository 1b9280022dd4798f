"""Watches in the engine: everything that moved becomes an event once, whatever is edited, deleted or killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import World, compiled, make

from connectors.memory import Kind
from syncd.assembly import Mappings
from syncd.connector import ObjectTraits
from syncd.core.kinds import compile_file
from syncd.core.watch import Watch
from syncd.cycle import as_json, cycle, plan_only

TASKS = """
name = "tasks"
kind = "watch"
side = "crm"
system = "sf"
object = "Task"
means = "activity"
at = "done_at"
on = { who = "people" }
when = 'outcome != "spam"'
[fields.done_at]
attribute = "DoneAt"
type = "datetime"
[fields.who]
attribute = "WhoId"
type = "reference"
[fields.outcome]
attribute = "Outcome"
"""
FORMS = """
name = "forms"
kind = "watch"
side = "marketing"
system = "mk"
object = "contacts"
means = "touch"
each = "change"
at = "sent_at"
on = { itself = "people" }
[fields.sent_at]
attribute = "form_at"
type = "datetime"
[fields.form]
attribute = "form"
"""


def at(hour: int) -> str:
    return f"2026-11-21T{hour:02}:00:00Z"


class Watching(World):
    """A world with tasks in the CRM and forms in marketing, and a watch for each."""

    watches: tuple[str, ...] = (TASKS, FORMS)

    def mappings(self) -> Mappings:
        made = [compile_file(text, "watch.toml", None) for text in self.watches]
        assert not any(problems for _, problems in made), made
        by_name = {watch.name: watch for found, _ in made for watch in found if isinstance(watch, Watch)}
        mappings = compiled(self.mapping_text)
        return Mappings(mappings.by_name, mappings.funnel, (), by_name)

    def happened(self, key: str, side: str = "crm") -> list[tuple[str, Any]]:
        found = self.ledger.events.of_records("people", side, [key])
        return [(event.watch, event.values.get("outcome" if side == "crm" else "form")) for event in found]

    def told(self, watch: str) -> int:
        return self.ledger.events.told(watch).events


@pytest.fixture
def world(tmp_path: Path) -> Watching:
    plain = make(tmp_path)
    task = ObjectTraits(feed="since", deletions="feed", grain_ms=1000)
    plain.sf.kinds["Task"] = Kind.of("Task", traits=task, DoneAt="datetime", WhoId="reference", Outcome="text")
    plain.sf.items["Task"] = {}
    plain.mk.kinds["contacts"] = Kind.of(
        "contacts",
        traits=plain.mk.kinds["contacts"].traits,
        **dict.fromkeys(("lastname", "phone", "jobtitle", "crm_rating", "form"), "text"),
        email="text unique lower",
        lifecyclestage="choice (lead, mql, sql, opportunity)",
        score="number",
        optout="bool",
        syncd_key="text unique",
        form_at="datetime",
    )
    plain.ledger.close()
    return Watching(plain.path, plain.mk, plain.sf)


def once(world: Watching, names: list[str] | None = None) -> Any:
    run = world.run()
    cycle(run, world.mappings(), names, yes=True)
    world.ledger.books.end_run(run.id or 0, True, as_json(run, {}, True), world.at)
    world.pass_time(60)
    return run


def test_each_record_is_one_event_and_follows_its_record(world: Watching) -> None:
    """An edit moves the event, a deletion ends it; what does not move costs no write."""
    lead = world.sf.create("Lead", {"Email": "a@x.org", "LastName": "A"})
    task = world.sf.create("Task", {"DoneAt": at(9), "WhoId": lead, "Outcome": "no answer"})

    assert once(world).tally("tasks").moved == 1
    assert world.happened(lead) == [("tasks", "no answer")]
    assert once(world).tally("tasks").moved == 0
    world.sf.edit("Task", task, {"Outcome": "meeting"})
    once(world)
    assert world.happened(lead) == [("tasks", "meeting")]
    world.sf.delete("Task", task)
    once(world)
    assert world.happened(lead) == []
    assert world.told("tasks") == 0


def test_a_record_that_stops_meeting_the_rule_is_no_event_any_more(world: Watching) -> None:
    """The rule is asked again whenever the record moves."""
    task = world.sf.create("Task", {"DoneAt": at(9), "WhoId": "L1", "Outcome": "call"})
    once(world)
    world.sf.edit("Task", task, {"Outcome": "spam"})
    once(world)

    assert world.told("tasks") == 0


def test_each_move_of_the_time_is_an_event_where_a_change_is_one(world: Watching) -> None:
    """The form that is filled in next overwrites the attribute; what was there before has happened all the same."""
    contact = world.mk.create("contacts", {"email": "a@x.org", "form": "guide", "form_at": at(9)})
    once(world)
    world.mk.edit("contacts", contact, {"lastname": "A"})
    once(world)
    world.mk.edit("contacts", contact, {"form": "price list", "form_at": at(11)})
    once(world)
    world.mk.delete("contacts", contact)
    once(world)

    assert world.happened(contact, "marketing") == [("forms", "guide"), ("forms", "price list")]


def test_an_edited_watch_goes_through_everything_again(world: Watching) -> None:
    """A rule that is changed counts for what was read before, and what is kept stays kept once."""
    for outcome in ("call", "spam"):
        world.sf.create("Task", {"DoneAt": at(9), "WhoId": "L1", "Outcome": outcome})
    once(world)
    assert world.told("tasks") == 1
    world.watches = (TASKS.replace("when = 'outcome != \"spam\"'\n", ""), FORMS)
    once(world)

    assert world.told("tasks") == 2
    assert world.ledger.books.mapping_names("watch") == ["forms", "tasks"]
    assert world.ledger.books.mapping_names() == ["people"]


def test_a_watch_reads_what_a_run_reads_and_writes_nothing(world: Watching) -> None:
    """Its object is polled once with everything else; a plan reads it as well; `once` tells it under its name."""
    world.sf.create("Task", {"DoneAt": at(9), "WhoId": "L1"})
    world.mk.create("contacts", {"email": "a@x.org", "form": "guide", "form_at": at(9)})
    run = world.run()
    plan_only(run, world.mappings())
    asked = [call.object for call in world.mk.calls if call.method == "changes"]

    assert (world.told("tasks"), world.told("forms")) == (1, 1)
    assert asked == ["contacts"]
    report = as_json(run, {}, True)["mappings"]
    assert report["tasks"]["read"] == {"marketing": 0, "crm": 1}
    assert report["forms"]["read"] == {"marketing": 1, "crm": 0}
    assert (report["tasks"]["kind"], report["tasks"]["moved"]) == ("watch", 1)
    assert world.sf.writes == []


def test_a_watch_can_be_run_alone(world: Watching) -> None:
    """`syncd once tasks` reads tasks and nothing else."""
    world.sf.create("Task", {"DoneAt": at(9), "WhoId": "L1"})
    once(world, ["tasks"])

    assert world.told("tasks") == 1
    assert {call.object for call in world.sf.calls if call.method == "changes"} == {"Task"}


def test_a_kill_in_the_middle_tells_nothing_twice_and_loses_nothing(
    world: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events and the mark behind them are kept together: a batch is there with its mark, or not at all."""
    monkeypatch.setattr("syncd.observe.BATCH", 2)
    for n in range(7):
        world.sf.create("Task", {"DoneAt": at(n), "WhoId": "L1"})
    killed = 0
    set_decided = world.ledger.books.__class__.set_decided

    def dying(self: Any, name: str, object_: int, rev: int) -> None:
        nonlocal killed
        set_decided(self, name, object_, rev)
        if name == "tasks" and killed < 3:
            killed += 1
            if killed == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(world.ledger.books.__class__, "set_decided", dying)
    with pytest.raises(KeyboardInterrupt):
        once(world)
    assert world.told("tasks") == 2
    world.restart()
    once(world)

    assert world.told("tasks") == 7
    assert len(world.happened("L1")) == 7


def test_a_system_in_trouble_skips_its_watches_and_says_so(world: Watching) -> None:
    """Unread is not unchanged."""
    world.sf.fault("transient", method="changes", object="Task", times=None)
    run = once(world)

    assert "sf cannot be read" in run.tally("tasks").skipped
    assert run.tally("forms").skipped == ""


def test_a_choice_with_history_keeps_each_change_of_both_sides(world: Watching) -> None:
    """What a record showed before stays known, with the time of its change, in the words of its own side."""
    world.mapping_text = world.mapping_text.replace('backward = "clear_then_set"', "history = true")
    contact = world.mk.create("contacts", {"email": "a@x.org", "lastname": "A", "lifecyclestage": "mql", "score": 70})
    once(world)
    once(world)
    (lead,) = world.sf.keys("Lead")
    world.sf.edit("Lead", lead, {"Status": "Working"})
    once(world)
    once(world)
    world.mk.edit("contacts", contact, {"jobtitle": "CTO"})
    once(world)

    def steps(side: str, key: str) -> list[tuple[Any, Any]]:
        found = [e for e in world.ledger.events.of_records("people", side, [key]) if e.watch == "people.stage"]
        assert [event.at_ms for event in found] == sorted({event.at_ms for event in found})
        return [(event.values["from"], event.values["to"]) for event in found]

    assert steps("crm", lead) == [(None, "Open"), ("Open", "Working")]
    assert steps("marketing", contact) == [(None, "mql"), ("mql", "sql")]
