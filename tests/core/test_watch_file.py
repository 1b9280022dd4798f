"""Watches: what a file means, how its mistakes are told, and what is made of a record."""

from __future__ import annotations

import pytest
from sketch import mapping_of

from syncd.connector import Attribute, Schema
from syncd.core.kinds import compile_file, name_in
from syncd.core.problem import Problem
from syncd.core.watch import Watch, check_watch_schema, check_watches

TASKS = """\
name   = "crm_tasks"
kind   = "watch"
side   = "crm"
system = "salesforce"
object = "Task"
means  = "activity"
at     = "made"
on     = { who = "people", what = ["deals", "companies"] }
when   = 'kind != "Email" && done'
[fields.made]
attribute = "CreatedDate"
type = "datetime"
[fields.who]
attribute = "WhoId"
type = "reference"
[fields.what]
attribute = "WhatId"
type = "reference"
[fields.kind]
attribute = "TaskSubtype"
type = "choice"
[fields.done]
attribute = "IsClosed"
type = "bool"
"""
CALL = {
    "CreatedDate": "2026-11-21T10:00:00.000+0000",
    "WhoId": "003A",
    "WhatId": "006B",
    "TaskSubtype": "Call",
    "IsClosed": True,
}


def watch_of(text: str = TASKS) -> Watch:
    (watch,), problems = compile_file(text, "tasks.toml", None)
    assert isinstance(watch, Watch), "\n".join(map(str, problems))
    return watch


def problems_of(old: str, new: str) -> list[Problem]:
    assert old in TASKS
    watches, problems = compile_file(TASKS.replace(old, new), "tasks.toml", None)
    assert bool(watches) != bool(problems)
    return problems


def test_a_record_becomes_an_event_with_its_time_and_whom_it_happened_to() -> None:
    """A reference that may lead to several mappings is told under each: which one holds it, the reader sees."""
    sight = watch_of().sight("00T1", CALL)

    assert sight is not None
    assert sight.at_ms == 1_795_255_200_000
    assert sight.refs == (("people", "003A"), ("deals", "006B"), ("companies", "006B"))
    assert sight.values == {
        "made": "2026-11-21T10:00:00Z",
        "who": "003A",
        "what": "006B",
        "kind": "Call",
        "done": True,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"CreatedDate": None},
        {"CreatedDate": "yesterday"},
        {"TaskSubtype": "Email"},
        {"IsClosed": False},
        {"IsClosed": None},
        {"IsClosed": "perhaps"},
    ],
)
def test_what_has_no_time_or_does_not_meet_the_rule_is_no_event(changed: dict[str, object]) -> None:
    """Unknown is not true: a rule that cannot be decided does not count the record."""
    assert watch_of().sight("00T1", {**CALL, **changed}) is None


def test_an_event_without_a_reference_hangs_on_nobody() -> None:
    """It has happened all the same."""
    sight = watch_of().sight("00T1", {**CALL, "WhoId": None, "WhatId": ""})

    assert sight is not None
    assert sight.refs == ()
    assert "who" not in sight.values


def test_a_record_may_be_what_happened_to_itself_and_a_list_points_to_several() -> None:
    """A contact that filled in a form, a meeting with three people."""
    itself = TASKS.replace('{ who = "people", what = ["deals", "companies"] }', '{ itself = "people" }')
    several = TASKS.replace('attribute = "WhoId"\ntype = "reference"', 'attribute = "WhoId"\ntype = "references"')

    sight = watch_of(itself).sight("003A", CALL)
    assert sight is not None
    assert sight.refs == (("people", "003A"),)
    sight = watch_of(several).sight("00T1", {**CALL, "WhatId": None, "WhoId": ["003B", "003A", "003B"]})
    assert sight is not None
    assert sight.refs == (("people", "003A"), ("people", "003B"))


def test_a_date_counts_from_its_midnight() -> None:
    """A task that is due on a day has no time of day."""
    text = TASKS.replace('attribute = "CreatedDate"\ntype = "datetime"', 'attribute = "ActivityDate"\ntype = "date"')
    sight = watch_of(text).sight("00T1", {**CALL, "ActivityDate": "2026-11-21"})

    assert sight is not None
    assert sight.at_ms == 1_795_219_200_000


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "what"),
    [
        ('at     = "made"', 'at     = "mde"', 7, 10, "there is no field 'mde'"),
        ('at     = "made"', 'at     = "who"', 7, 10, "'who' is no time"),
        ("{ who =", "{ whom =", 8, 12, "there is no field 'whom'"),
        ("{ who =", "{ kind =", 8, 12, "'kind' points to nobody"),
        ('["deals", "companies"]', '["deals", "deals"]', 8, 35, "name from 1 to 10 mappings, each once"),
        ("kind !=", "knd !=", 9, 11, "there is no field 'knd'"),
        ('means  = "activity"', 'means  = "work"', 6, 10, "'means' must be one of"),
        ('side   = "crm"', 'side   = "sales"', 3, 10, "'side' must be one of"),
        ("[fields.kind]", "[fields.itself]", 19, 2, "'itself' has a meaning of its own"),
        ('type = "bool"', 'type = "truth"', 24, 8, "'type' must be one of"),
        ('name   = "crm_tasks"', 'name   = "CRM tasks"', 1, 10, "name"),
    ],
)
def test_every_mistake_is_told_with_its_place(old: str, new: str, line: int, column: int, what: str) -> None:
    """Line, column, and what is wrong."""
    problem = next(one for one in problems_of(old, new) if what in one.what)

    assert (problem.line, problem.column) == (line, column), problem


def test_a_watch_stands_beside_mappings_of_its_own_side() -> None:
    """It may not share a mapping's name, hang on a mapping that is not there, or on another system's records."""
    people, watch = mapping_of(), watch_of()

    assert [one.what for one in check_watches([watch], {"people": people})] == [
        "there is no mapping 'deals'",
        "there is no mapping 'companies'",
    ]
    assert [*check_watches([watch], {"people": people}, ["deals", "companies"])] == []
    assert "is called 'crm_tasks' too" in next(check_watches([watch], {"crm_tasks": people})).what
    other = watch_of(TASKS.replace('system = "salesforce"', 'system = "elsewhere"'))
    said = next(check_watches([other], {"people": people}, ["deals", "companies"]))
    assert (said.line, said.what) == (8, "'people' has its crm side in salesforce, and this watch looks at elsewhere")
    itself = watch_of(TASKS.replace('{ who = "people", what = ["deals", "companies"] }', '{ itself = "people" }'))
    assert "Task is no record of 'people'" in next(check_watches([itself], {"people": people})).what


def test_the_live_schema_must_offer_what_the_watch_reads() -> None:
    """A missing attribute, and one of another type, are told before the first cycle."""
    offered = {
        "CreatedDate": Attribute("CreatedDate", "date"),
        "WhoId": Attribute("WhoId", "reference"),
        "WhatIds": Attribute("WhatIds", "reference"),
        "TaskSubtype": Attribute("TaskSubtype", "choice"),
        "IsClosed": Attribute("IsClosed", "bool"),
    }
    found = [*check_watch_schema(watch_of(), Schema("Task", offered))]

    assert [(one.line, one.what.split(" that ")[0]) for one in found] == [
        (10, "Task.CreatedDate holds date, and 'made' is of type \"datetime\""),
        (16, "Task has no attribute 'WhatId'"),
    ]


def test_a_file_that_is_not_valid_still_tells_its_name() -> None:
    """So that others that point to it are not blamed."""
    assert name_in('kind = "watch"\nname = "tasks"\n[fields\n') == "tasks"
    assert name_in('mapping = "people"\nmarketing = {') == "people"
    assert name_in("# nothing\n") is None


def test_a_kind_that_nobody_knows_is_refused() -> None:
    """With its place, and the kinds that there are."""
    _, (problem,) = compile_file('mapping = "people"\nkind = "flow"\n', "m.toml", None)

    assert (problem.line, problem.column, problem.what) == (2, 8, "'kind' must be one of: mapping, watch, membership")
