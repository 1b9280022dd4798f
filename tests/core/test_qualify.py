"""Fit and interest, four outcomes, and every mistake of the long funnel file with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from syncd.assembly import load_mappings
from syncd.core.agreement import period_of
from syncd.core.expr import Unknown
from syncd.core.funnel import Funnel, compile_funnel
from syncd.core.funnelfields import check_funnel
from syncd.core.money import plain, smallest

POINTS = """
[qualified]
disqualified = 'opt_out'
[qualified.fit]
at_least = 20
[qualified.fit.points]
large   = { when = 'staff >= 50', points = 20 }
student = { when = 'student', points = -20 }
[qualified.interest]
at_least = 30
[qualified.interest.points]
guide  = { when = 'guide', points = 30 }
visits = { when = 'visits > 5', points = 10 }
"""
FOLDER = Path(__file__).parents[2] / "mappings"
IDEAL = {"opt_out": False, "staff": 80.0, "student": False, "guide": True, "visits": 9.0}


def funnel_of(text: str) -> Funnel:
    made, problems = compile_funnel(text, "funnel.toml", None)
    assert made is not None, [str(one) for one in problems]
    return made


@pytest.mark.parametrize(
    ("changed", "outcome", "why"),
    [
        ({}, "handoff", "fit and interest"),
        ({"guide": False}, "nurture", "lacks interest: guide"),
        ({"staff": 3.0}, "watch", "lacks fit: large"),
        ({"staff": 3.0, "guide": False}, "disqualify", "lacks fit and interest"),
        ({"opt_out": True}, "disqualify", "disqualified"),
        ({"student": True}, "watch", "lacks fit: "),
        ({"guide": None}, "nurture", "lacks interest: guide"),
        ({"opt_out": None}, "watch", "it is not known whether they are disqualified"),
    ],
)
def test_four_outcomes_follow_from_fit_and_interest(changed: dict[str, Any], outcome: str, why: str) -> None:
    """Who lacks one of the two is not lost: the outcome says which, and by which condition."""
    context = {name: value for name, value in {**IDEAL, **changed}.items() if value is not None}
    judged = funnel_of(POINTS).qualified.judge(context)

    assert (judged.outcome, judged.why) == (outcome, why)


@pytest.mark.parametrize("name", [*IDEAL, None])
@pytest.mark.parametrize("value", [None, True, False, 0.0, 100.0])
def test_who_crosses_and_what_is_told_are_one_rule(name: str | None, value: Any) -> None:
    """A gate lets through exactly those whom the reports call handed off; unknown is neither true nor told as such."""
    qualified = funnel_of(POINTS).qualified
    context = {key: value if key == name else usual for key, usual in IDEAL.items()}
    context = {key: each for key, each in context.items() if each is not None}

    assert (qualified.holds(context) is True) == (qualified.judge(context).outcome == "handoff")


def test_what_is_unknown_and_would_matter_makes_the_whole_unknown() -> None:
    """Points that are missing because nobody knows are not points that were refused."""
    qualified = funnel_of(POINTS).qualified

    without = {name: value for name, value in IDEAL.items() if name != "guide"}
    assert isinstance(qualified.holds(without), Unknown)
    assert qualified.holds({**without, "staff": 1.0}) is False


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (POINTS.replace("'guide'", "'guide &&'"), "12:28", "it ends too early"),
        (POINTS.replace("= 30 }", "= 3 }"), "10:12", "nobody can reach 30: all points together are 13"),
        (POINTS.replace("at_least = 20", "at_last = 20"), "4:2", "'at_least' is missing"),
        (POINTS + "[qualified.x]\ny = 1", "14:2", "'x' is not a key that is known here"),
        (POINTS.replace("disq", "when = 'true'\ndisq"), "3:1", "say the same thing twice"),
        (POINTS + "[agreement.sales]\ncalendar = 'offce'\n[calendars.office]\nzone = 'UTC'\nweek = { mon = '09:00-17:00' }",
         "15:12", "there is no calendar 'offce'"),
        (POINTS + "[agreement]\nzone = 'Berlin'", "15:8", "there is no time zone 'Berlin'"),
        (POINTS + "[calendars.a]\nzone = 'UTC'\nweek = { mon = '17:00-09:00' }", "16:16", "is no span of a day"),
        (POINTS + "[calendars.a]\nzone = 'UTC'\nweek = { mon = ['09:00-12:00', '11:00-13:00'] }", "16:16", "before the one"),
        (POINTS + "[calendars.a]\nzone = 'UTC'\nweek = {}", "16:8", "nobody ever works"),
        (POINTS + "[calendars.a]\nzone = 'UTC'\nweek = { mon = '09:00-17:00' }\nholidays = ['24.12.']", "17:13", "no day"),
        (POINTS + "[agreement.marketing]\nby_segment = { big = 3 }", "15:16", "there is no segment 'big'"),
        (POINTS + "[agreement.sales]\nfirst_touch = '4 hours'", "15:15", "must be"),
        (POINTS + "[credit]\nfirst = 0.7\nlast = 0.7", "16:8", "more than the whole"),
        (POINTS + "[credit]\nmodel = 'best'", "15:9", "must be one of: first, last, linear, position"),
        (POINTS + "[revenue]\nmapping = 'deals'", "14:2", "'won' is missing in [revenue]"),
        (POINTS + "[goal]\nrevenue = 1.5", "15:11", "must be a whole number"),
        (POINTS + "[segments]\nbig = 'staff >'", "15:15", "it ends too early"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(text: str, place: str, what: str) -> None:
    """Both departments sign the file; nobody should have to search it."""
    made, problems = compile_funnel(text, "funnel.toml", None)

    assert made is None
    assert f"{problems[0].line}:{problems[0].column}" == place, problems[0]
    assert what in problems[0].what


def test_a_field_that_the_mapping_does_not_have_is_told_where_it_is_named() -> None:
    """A slip in a name would leave a figure unknown for ever."""
    mappings = load_mappings(FOLDER)
    text = (FOLDER / "funnel.toml").read_text().replace('campaign = "last_form"', 'campaign = "lsat_form"')
    found = [*check_funnel(funnel_of(text), mappings.by_name)]

    assert [(one.what, one.mend) for one in found] == [
        ("'people' has no field 'lsat_form'", "did you mean 'last_form'?")
    ]
    line = text.splitlines()[found[0].line - 1]
    assert line[found[0].column - 1 :].startswith('"lsat_form"')


@pytest.mark.parametrize(
    ("kind", "name", "since", "until"),
    [
        ("week", "2026-W53", "2026-12-28", "2027-01-04"),
        ("month", "2027-01", "2027-01-01", "2027-02-01"),
        ("quarter", "2027-Q1", "2027-01-01", "2027-04-01"),
        ("year", "2027", "2027-01-01", "2028-01-01"),
    ],
)
def test_a_day_is_in_one_period(kind: Any, name: str, since: str, until: str) -> None:
    """The first of January is in the last week of the year before, and in the first of everything else."""
    period = period_of(date(2027, 1, 1), kind)
    assert (period.name, str(period.since), str(period.until)) == (name, since, until)


@pytest.mark.parametrize(
    ("amount", "currency", "units", "shown"),
    [("1234.50", "EUR", 123450, "1234.50"), (0.1, "USD", 10, "0.10"), (1999, "JPY", 1999, "1999"),
     ("-3.005", "KWD", -3005, "-3.005"), ("nan", "EUR", None, ""), ("a lot", "EUR", None, ""), (1e30, "EUR", None, "")],
)  # fmt: skip
def test_amounts_are_whole_numbers_of_the_smallest_unit(
    amount: Any, currency: str, units: int | None, shown: str
) -> None:
    """A number as a system gives it and nothing else; what is no amount is none."""
    assert smallest(amount, currency) == units
    if units is not None:
        assert plain(units, currency) == shown
