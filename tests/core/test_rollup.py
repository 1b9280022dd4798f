"""Roll-ups: the arithmetic over children, and how mistakes in their declaration and use are told."""

from __future__ import annotations

from typing import Any

import pytest
from sketch import EMAIL, HEAD

from syncd.core.compile import compile_mapping
from syncd.core.mapping import Mapping
from syncd.core.merge import UNASKED
from syncd.core.problem import Problem
from syncd.core.rollup import Child, check_rollups, roll

DEALS = """\
mapping = "deals"
marketing = { system = "hubspot", object = "deals" }
crm = { system = "salesforce", object = "Opportunity" }
[match]
by = ["name"]
[fields.name]
marketing = "dealname"
crm = "Name"
[fields.contacts]
marketing = "associations.contacts"
crm = "OpportunityContactRoles.ContactId"
link = "people"
many = true
[fields.stage]
marketing = "dealstage"
crm = "StageName"
[fields.amount]
marketing = "amount"
crm = "Amount"
type = "number"
[fields.currency]
marketing = "deal_currency_code"
crm = "CurrencyIsoCode"
[fields.closed]
marketing = "closedate"
crm = "CloseDate"
type = "date"
[rollups.it]
over = "contacts"
"""
LATEST = 'take = "latest"\nof = "stage"\nby = "closed"\n'
SUM = 'take = "sum"\nof = "amount"\ncurrency = "currency"\n'


def deals(rest: str) -> tuple[Mapping | None, list[Problem]]:
    return compile_mapping(DEALS + rest, "deals.toml", None, frozenset({"people"}))


def came_to(rest: str, *children: dict[str, Any]) -> Any:
    mapping, problems = deals(rest)
    assert mapping is not None, [str(problem) for problem in problems]
    each = [
        Child("Opportunity", str(n), {"StageName": None, "Amount": None, "CurrencyIsoCode": None, **child})
        for n, child in enumerate(children)
    ]
    return roll(mapping, mapping.rollups[0], "crm", each)


def test_latest_and_first_take_the_value_of_one_child() -> None:
    """By time; who has none is taken only where nobody has one."""
    children = (
        {"StageName": "second", "CloseDate": "2026-02-01"},
        {"StageName": "first", "CloseDate": "2026-01-01"},
        {"StageName": "none", "CloseDate": None},
        {"StageName": "unreadable", "CloseDate": "soon"},
    )

    assert came_to(LATEST, *children) == "second"
    assert came_to(LATEST.replace("latest", "first"), *children) == "first"
    assert came_to(LATEST, children[2]) == "none"
    assert came_to(LATEST) is None


def test_of_a_tie_the_same_child_is_taken_in_any_order() -> None:
    """Two deals that close on one day do not make a value change for ever."""
    one, two = {"StageName": "a", "CloseDate": "2026-02-01"}, {"StageName": "b", "CloseDate": "2026-02-01"}
    mapping, _ = deals(LATEST)
    assert mapping is not None
    each = [Child("Opportunity", key, attributes) for key, attributes in (("1", one), ("2", two))]

    assert roll(mapping, mapping.rollups[0], "crm", each) == roll(mapping, mapping.rollups[0], "crm", each[::-1]) == "b"


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        ([(1, "EUR"), (2.5, "EUR")], 3.5),
        ([(0.1, "EUR"), (0.2, "EUR")], 0.3),
        ([(1, "EUR"), (None, "USD")], 1),
        ([(1, "EUR"), (2, "USD")], UNASKED),
        ([(1, "EUR"), (2, None)], UNASKED),
        ([(1, None), (2, None)], 3),
        ([("a lot", "EUR"), (2, "EUR")], UNASKED),
        ([], None),
    ],
)
def test_sums_are_exact_and_of_one_currency(amounts: list[tuple[Any, str]], total: Any) -> None:
    """What cannot be added is unknown: no wrong figure is better than one."""
    assert came_to(SUM, *({"Amount": amount, "CurrencyIsoCode": currency} for amount, currency in amounts)) == total


def test_only_children_that_meet_the_rule_count() -> None:
    """Unknown is not met, and a child whose attribute was not asked for makes a sum unknown."""
    rest = "take = \"count\"\nwhen = 'amount > 10'\n"

    assert came_to(rest, {"Amount": 11}, {"Amount": 9}, {"Amount": None}, {"Amount": "?"}) == 1
    assert came_to(rest, {"Amount": 1}) is None
    mapping, _ = deals(SUM)
    assert mapping is not None
    assert roll(mapping, mapping.rollups[0], "crm", [Child("Opportunity", "1", {})]) is UNASKED


@pytest.mark.parametrize(
    ("rest", "place", "what"),
    [
        ('take = "latest"\nof = "stage"\n', (28, 2), "'latest' needs 'by'"),
        ('take = "sum"\n', (28, 2), "'sum' needs 'of'"),
        (LATEST.replace("closed", "stage"), (32, 6), "'stage' is of type \"text\""),
        (SUM.replace('"amount"', '"stage"'), (31, 6), "'stage' is of type \"text\""),
        (LATEST.replace('"stage"', '"stag"'), (31, 6), "there is no field 'stag'"),
        ('take = "count"\nby = "closed"\n', (31, 6), "'by' does not go with"),
        ('take = "count"\nwhen = \'closd != ""\'\n', (31, 9), "there is no field 'closd'"),
        ('take = "most"\n', (30, 8), "'take' must be one of"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_place(rest: str, place: tuple[int, int], what: str) -> None:
    """Line, column, and what is wrong."""
    _, problems = deals(rest)

    assert [(place, True)] == [((p.line, p.column), what in p.what) for p in problems], problems


def test_a_rollup_is_over_a_reference() -> None:
    """Anything else has no parents."""
    mapping, (problem,) = compile_mapping(
        (DEALS + LATEST).replace('over = "contacts"', 'over = "name"'), "deals.toml", None
    )

    assert mapping is None
    assert (problem.line, problem.what) == (29, '\'name\' is of type "text", and "reference" is needed')


def people(field: str) -> tuple[Mapping | None, list[Problem]]:
    text = f'{HEAD}{EMAIL}[fields.it]\nmarketing = "crm_it"\n{field}'
    return compile_mapping(text, "people.toml", None, frozenset({"deals", "people"}))


def test_a_rollup_is_no_attribute_of_the_system() -> None:
    """It is never asked for; a name that only looks like one is an attribute like any other."""
    mapping, problems = people('crm = "deals.it"\nflow = "to_marketing"\n')
    assert mapping is not None, problems
    assert mapping.field("it").rolled == {"crm": ("deals", "it")}
    assert "deals.it" not in mapping.attributes("crm", "Lead")

    other, _ = people('crm = "Owner.Name"\nflow = "to_marketing"\n')
    assert other is not None
    assert "Owner.Name" in other.attributes("crm", "Contact")


def test_a_rollup_cannot_be_written_or_matched_by() -> None:
    """It flows away from the side that it is made on."""
    _, (problem,) = people('crm = "deals.it"\n')
    assert (problem.what, problem.mend) == ("a roll-up of crm cannot be written", 'flow = "to_marketing"')
    text = f'{HEAD}{EMAIL}[fields.it]\nmarketing = "crm_it"\ncrm = "deals.it"\nflow = "to_marketing"\n'
    _, problems = compile_mapping(text.replace('by = ["email"]', 'by = ["it"]'), "p.toml", None, frozenset({"deals"}))
    assert any("'it' has no attribute on Lead, Contact" in problem.what for problem in problems), problems


@pytest.mark.parametrize(
    ("field", "rest", "what"),
    [
        ('crm = "deals.its"\nflow = "to_marketing"\n', LATEST, "'deals' has no roll-up 'its'"),
        ('crm = "deals.it"\nflow = "to_marketing"\n', SUM, "'deals.it' gives number, and 'it' is of type \"text\""),
        ('crm = "deals.it"\nflow = "to_marketing"\n', LATEST.replace("stage", "closed"), "gives date"),
        ('crm = "deals.it"\nflow = "to_marketing"\n', LATEST, ""),
    ],
)
def test_the_use_must_fit_the_declaration(field: str, rest: str, what: str) -> None:
    """A name, a type; checked once all files are known."""
    (user, _), (child, _) = people(field), deals(rest)
    assert user is not None
    assert child is not None
    found = [problem.what for problem in check_rollups({"people": user, "deals": child})]

    assert len(found) == bool(what)
    assert all(what in one for one in found)
    assert [*check_rollups({"people": user})] == []  # its file is not valid: told there


def test_a_rollup_is_used_by_the_mapping_that_it_is_over() -> None:
    """What deals come to for people is nothing for companies."""
    user, _ = people('crm = "deals.it"\nflow = "to_marketing"\n')
    child, _ = compile_mapping((DEALS + LATEST).replace('"people"', '"companies"'), "deals.toml", None)
    assert user is not None
    assert child is not None
    (problem,) = check_rollups({"people": user, "deals": child})

    assert problem.what == "'deals.it' is over 'contacts', which points to 'companies', not to this mapping"
