"""Memberships: the ordinary mappings that a file comes to, and how its mistakes are told."""

from __future__ import annotations

from typing import Any

import pytest
from sketch import field_of, problems_of

from syncd.core.kinds import compile_file
from syncd.core.mapping import Mapping
from syncd.core.merge import Pair, merge
from syncd.core.problem import Problem

TEXT = """\
name   = "campaigns"
kind   = "membership"
person = "people"
joined = "Sent"
[marketing]
system    = "hubspot"
object    = "list_memberships"
list      = "list"
list_name = "list_name"
person    = "contact"
lists     = { object = "lists", name = "name" }
[crm]
system    = "salesforce"
object    = "CampaignMember"
campaign  = "CampaignId"
person    = "LeadOrContactId"
status    = "Status"
campaigns = { object = "Campaign", name = "Name" }
[campaigns]
"General guide" = "Guide"
"""
BY_KEY = (
    TEXT.replace('lists     = { object = "lists", name = "name" }\n', "")
    .replace('campaigns = { object = "Campaign", name = "Name" }\n', "")
    .replace('= "Guide"', '= "7011"')
)


def made(text: str) -> list[Mapping]:
    found, problems = compile_file(text, "campaigns.toml", None)
    assert not problems, "\n".join(map(str, problems))
    return [one for one in found if isinstance(one, Mapping)]


def wrong(text: str) -> list[Problem]:
    found, problems = compile_file(text, "campaigns.toml", None)
    assert bool(found) != bool(problems)
    return problems


def test_a_membership_is_two_ordinary_mappings() -> None:
    """Lists with campaigns, which nobody writes, and members, who point through the links of the first."""
    lists, members = made(TEXT)

    assert (lists.name, members.name) == ("campaigns-lists", "campaigns")
    assert lists.create == {"marketing": None, "crm": None}
    assert lists.field("name").values == {"General guide": "Guide"}
    assert [rule.fields for rule in members.match] == [("person", "campaign")]
    assert [one.reference and one.reference.mapping for one in members.references] == ["people", "campaigns-lists"]
    assert all(one.once and one.reference is not None and one.reference.required for one in members.references)
    assert members.create["marketing"] is None
    assert members.gone["marketing"] == "unlink"
    assert members.attributes("marketing", "list_memberships") == ("contact", "list", "list_name")


def test_with_keys_there_is_one_mapping() -> None:
    """The value map leads from the list to the campaign's key, and other lists take no part."""
    (members,) = made(BY_KEY)

    assert members.field("campaign").values == {"General guide": "7011"}
    scope = members.scope["marketing"]
    assert scope is not None
    assert scope.text == 'campaign in ["General guide"]'


def test_equal_names_need_no_table() -> None:
    """Every list may have a campaign then."""
    lists, members = made(TEXT.partition("[campaigns]")[0])

    assert lists.field("name").type == "text"
    assert members.scope["marketing"] is None


def test_quotes_in_a_name_stay_a_name() -> None:
    """The names of lists are people's own words."""
    *_, members = made(TEXT.replace('"General guide"', "'The \"best\" \\ guide'"))
    scope = members.scope["marketing"]
    assert scope is not None

    seen = members.context("marketing", "list_memberships", {"list_name": 'The "best" \\ guide'})
    assert scope.holds(seen) is True


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (TEXT.replace('lists     = { object = "lists", name = "name" }\n', ""), 5, "lists and campaigns are paired by"),
        (BY_KEY.partition("[campaigns]")[0], 1, "no list is paired with a campaign"),
        (TEXT + '"Other" = "Guide"\n', 19, "two lists share a campaign"),
        (TEXT + '[status]\na = "Sent"\n', 21, "marketing has no status"),
        (TEXT.replace('status    = "Status"\n', ""), 4, "the CRM's side has no status"),
        ("response = true\n" + TEXT, 1, "marketing's side has no status to be told"),
        (TEXT.replace('list_name = "list_name"', 'list_name = "list_name"\nstatus = "s"'), 10, "statuses need a map"),
        (TEXT.replace('person = "people"', 'person = "People"'), 3, "'person' must be"),
        ("when = 'list_nam == \"\"'\n" + TEXT, 1, "there is no field 'list_nam'"),
        (TEXT.replace('"Guide"', '"Guide "'), 20, "as soon as a system trims it"),
        (TEXT + '[rollups.x]\nover = "persn"\ntake = "count"\n', 22, "there is no field 'persn'"),
    ],
)
def test_every_mistake_is_told_at_its_place_in_the_file(text: str, line: int, what: str) -> None:
    """The made mappings have no file of their own: what is wrong with them stands in this one."""
    problems = wrong(text)

    assert (line, True) in [(problem.line, what in problem.what) for problem in problems], problems


STATUS = 'marketing = "s"\ncrm = "S"\nflow = "to_crm"\nvalues = { a = "A", b = "B", c = "C" }\nsteps = "forward"'


@pytest.mark.parametrize(
    ("now", "stands", "after"),
    [("b", "A", "B"), ("c", "A", "C"), ("a", "B", None), ("b", "B", None), ("b", None, "B"), ("b", "elsewhere", None)],
)
def test_a_choice_that_goes_forward_only_never_steps_back(now: str, stands: Any, after: str | None) -> None:
    """In the order of its value map; over a word whose place nobody knows nothing is written."""
    pair = Pair(field_of(STATUS), "s", "S", "it:s", "it:S")
    (verdict,) = merge((pair,), {"s": now}, {"S": stands}, {"it:s": "x"}, {"it:S": stands})

    assert (verdict.after if verdict.to else None) == after


def test_what_is_written_once_is_never_written_over() -> None:
    """An attribute that can be given only when a record is made: a later difference stands, and settles."""
    pair = Pair(field_of('marketing = "s"\ncrm = "S"\nflow = "to_crm"\nonce = true'), "s", "S", "it:s", "it:S")
    (verdict,) = merge((pair,), {"s": "new"}, {"S": "old"}, {"it:s": "old"}, {"it:S": "old"})

    assert (verdict.kind, verdict.to, verdict.settles) == ("stand", None, True)


def test_forward_needs_an_order() -> None:
    """Without a value map nobody knows what is forward."""
    (problem,) = problems_of('[fields.it]\nmarketing = "s"\ncrm = "S"\ntype = "choice"\nsteps = "forward"')

    assert problem.what == "'steps' goes by the order of 'values', and there are none"
