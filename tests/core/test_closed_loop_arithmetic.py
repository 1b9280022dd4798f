"""The arithmetic of the closed loop: working hours, credit to the cent, goals; and what stays unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.credit import MODELS, Rule, Touch, attribute, share, weights
from syncd.core.goals import Sofar, reckon
from syncd.core.hours import ALWAYS, Hours

OFFICE = Hours(ZoneInfo("Europe/Berlin"), (((9 * 60, 12 * 60), (13 * 60, 17 * 60)),) * 5 + ((), ()))
DAY_MS = 86_400_000


def at(text: str) -> int:
    """UTC epoch milliseconds of a moment in Berlin."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


# ---------------------------------------------------------------- working hours


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-16T10:00", "2026-11-16T11:30", 1.5),
        ("2026-11-16T11:00", "2026-11-16T14:00", 2.0),  # over lunch
        ("2026-11-16T16:00", "2026-11-17T10:00", 2.0),  # over night
        ("2026-11-20T16:30", "2026-11-23T09:30", 1.0),  # over a weekend
        ("2026-11-21T10:00", "2026-11-22T20:00", 0.0),  # a weekend
        ("2026-11-16T17:00", "2026-11-16T09:00", 0.0),  # backwards
    ],
)
def test_only_working_time_counts(start: str, end: str, hours: float) -> None:
    """Lunch, night and weekend are nobody's delay."""
    assert OFFICE.worked_s(at(start), at(end)) == hours * 3600


def test_time_is_up_at_the_first_moment_at_which_enough_was_worked() -> None:
    """Four hours from Friday three o'clock end on Monday at eleven; what ends with the day ends then, not next morning."""
    assert OFFICE.due_ms(at("2026-11-20T15:00"), 4 * 3600) == at("2026-11-23T11:00")
    assert OFFICE.due_ms(at("2026-11-20T15:00"), 2 * 3600) == at("2026-11-20T17:00")
    assert OFFICE.due_ms(at("2026-11-21T03:00"), 3600) == at("2026-11-23T10:00")


def test_a_holiday_is_no_working_day() -> None:
    """A clock does not run on it."""
    closed = Hours(OFFICE.zone, OFFICE.week, frozenset({date(2026, 11, 23)}))
    assert closed.due_ms(at("2026-11-20T16:00"), 2 * 3600) == at("2026-11-24T10:00")


def test_hours_follow_the_wall_clock_when_it_is_put_forward_or_back() -> None:
    """The night shift of the last Sunday of March is an hour shorter, that of October an hour longer."""
    night = Hours(ZoneInfo("Europe/Berlin"), (((0, 6 * 60),),) * 7)
    assert night.worked_s(at("2026-03-29T00:00"), at("2026-03-29T06:00")) == 5 * 3600
    assert night.worked_s(at("2026-10-25T00:00"), at("2026-10-25T06:00")) == 7 * 3600


def test_who_never_works_is_never_due() -> None:
    """A calendar without hours ends in no answer, not in no end."""
    assert Hours(ZoneInfo("UTC"), ((),) * 7).due_ms(0, 1) is None


@given(
    st.integers(0, 4 * 10**12),
    st.integers(0, 400 * 3600),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_what_is_due_was_worked(start_ms: int, seconds: int, zone: str) -> None:
    """The two functions are each other's inverse, in every zone and over every change of the clock."""
    hours = Hours(ZoneInfo(zone), OFFICE.week)
    due = hours.due_ms(start_ms, seconds)
    assert due is not None
    assert hours.worked_s(start_ms, due) == pytest.approx(seconds, abs=0.002)


def test_around_the_clock_is_plain_time() -> None:
    """Without a calendar an hour is an hour."""
    assert ALWAYS.worked_s(0, 10 * DAY_MS) == 10 * 86_400
    assert ALWAYS.due_ms(5, 3600) == 5 + 3_600_000


# ---------------------------------------------------------------- credit

TOUCHES = [Touch(DAY_MS * day, day, f"s{day}", f"c{day}") for day in (10, 20, 30, 40)]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("first", {"s10": 1000}),
        ("last", {"s40": 1000}),
        ("linear", {"s10": 250, "s20": 250, "s30": 250, "s40": 250}),
        ("position", {"s10": 400, "s20": 100, "s30": 100, "s40": 400}),
    ],
)
def test_each_model_gives_what_its_name_says(model: str, parts: dict[str, int]) -> None:
    """Early steps keep their share even when sales closes."""
    found = attribute(1000, DAY_MS * 45, TOUCHES, Rule(model=model))  # type: ignore[arg-type]
    assert {touch.source: part for touch, part in found.parts} == parts
    assert [touch.source for touch in found.assists] == ["s10", "s20", "s30"]


def test_what_cannot_be_attributed_has_a_cause() -> None:
    """Nobody on the deal, nobody touched, touched too long ago, or only after it was won."""
    rule = Rule(window_ms=30 * DAY_MS)
    assert attribute(1000, DAY_MS, None, rule).cause == "no_contact"
    assert attribute(1000, DAY_MS, [], rule).cause == "no_touch"
    assert attribute(1000, DAY_MS * 5, TOUCHES, rule).cause == "no_touch"
    assert attribute(1000, DAY_MS * 400, TOUCHES, rule).cause == "outside_window"


def test_the_window_includes_its_edge() -> None:
    """A touch exactly that old counts."""
    assert attribute(9, DAY_MS * 70, TOUCHES[-1:], Rule(window_ms=30 * DAY_MS)).cause is None
    assert attribute(9, DAY_MS * 70 + 1, TOUCHES[-1:], Rule(window_ms=30 * DAY_MS)).cause == "outside_window"


@given(st.integers(-(10**12), 10**12), st.integers(1, 40), st.sampled_from(MODELS))
def test_shares_add_up_to_the_cent(amount: int, n: int, model: str) -> None:
    """Whatever the amount, the number of touches and the model: nothing is lost and nothing is made."""
    parts = weights(n, Rule(model=model))  # type: ignore[arg-type]
    assert sum(parts) == 1
    shares = share(amount, parts)
    assert sum(shares) == amount
    assert all(abs(one - amount * part) < 1 for one, part in zip(shares, parts, strict=True))


def test_the_order_in_which_touches_are_given_does_not_matter() -> None:
    """They are ordered by time, and by their number within a moment."""
    for model in MODELS:
        forwards = attribute(1001, DAY_MS * 45, TOUCHES, Rule(model=model))
        assert attribute(1001, DAY_MS * 45, TOUCHES[::-1], Rule(model=model)) == forwards


# ---------------------------------------------------------------- goals


def test_a_goal_becomes_customers_and_leads() -> None:
    """1,000,000 at 50,000 a deal are 20 customers; at one in eight leads, 160 leads; half of it is there."""
    sofar = Sofar(revenue=500_000, average=Fraction(50_000), rate=Fraction(1, 8))
    goal = reckon(1_000_000, sofar, Fraction(1, 4))
    assert (goal.customers_needed, goal.leads_needed) == (20, 160)
    assert (goal.customers_missing, goal.leads_missing) == (10, 80)
    assert (goal.expected, goal.forecast) == (250_000, 2_000_000)


def test_what_nobody_can_know_yet_is_unknown_and_not_nought() -> None:
    """No deal, no average; no rate, no leads; nothing of the period over, no forecast."""
    empty = reckon(1000, Sofar(0, None, None), Fraction(0))
    assert (empty.customers_needed, empty.leads_needed, empty.forecast) == (None, None, None)
    no_rate = reckon(1000, Sofar(0, Fraction(100), None), Fraction(1, 2))
    assert (no_rate.customers_needed, no_rate.leads_needed) == (10, None)


def test_a_goal_that_is_reached_needs_nobody_more() -> None:
    """Missing is never negative."""
    goal = reckon(1000, Sofar(1500, Fraction(500), Fraction(1, 2)), Fraction(9, 10))
    assert (goal.customers_missing, goal.leads_missing) == (0, 0)


def test_moments_are_in_utc() -> None:
    """The helper of these tests says what it claims."""
    assert datetime.fromtimestamp(at("2026-11-16T10:00") / 1000, UTC).hour == 9
