"""The day's forecast: arithmetic that an administrator can do in the head."""

from __future__ import annotations

from syncd.account import Budget
from syncd.ledger.books import Quota
from syncd.view.forecast import forecast

MIDNIGHT_S = 20_000 * 86_400.0
NOON_S = MIDNIGHT_S + 43_200.0


def test_at_this_pace_the_day_ends_with_so_many_calls() -> None:
    """1,200 calls in the six hours since we began are 2,400 more by midnight."""
    said = forecast(1200, Quota("", NOON_S - 6 * 3600), Budget(per_day=10_000), NOON_S)

    assert (said["by_midnight"], said["per_hour"]) == (3600, 200)
    assert said["runs_out_at"] is None


def test_it_names_when_our_own_budget_is_used_up() -> None:
    """1,000 left at 200 an hour last five hours."""
    said = forecast(1200, Quota("", NOON_S - 6 * 3600), Budget(per_day=2200), NOON_S)

    assert (said["runs_out_of"], said["runs_out_at"][11:16]) == ("budget", "17:00")


def test_the_calls_of_other_programs_count_against_the_vendors_limit() -> None:
    """10,000 a day, 4,400 left, 1,200 of ours: others made 4,400. Less the reserve of 2,000, 2,400 are left for both:
    at 200 an hour of ours and some 367 of theirs that is a little over four hours."""
    quota = Quota("", NOON_S - 6 * 3600, 10_000, 4_400, NOON_S)
    said = forecast(1200, quota, Budget(), NOON_S)

    assert said["others_today"] == 4_400
    assert (said["runs_out_of"], said["runs_out_at"][11:14]) == ("vendor", "16:")


def test_the_first_minutes_are_no_pace() -> None:
    """A first reading of 3,000 calls in five minutes is not how the day goes on."""
    said = forecast(3000, Quota("", NOON_S - 300), Budget(), NOON_S)

    assert said["per_hour"] == 3000


def test_an_old_figure_of_the_vendor_is_shown_with_its_time_and_counts_for_nothing() -> None:
    """What a vendor said two days ago tells nothing about today; nor does yesterday's beginning."""
    quota = Quota("", NOON_S - 2 * 86_400, 1000, 5, NOON_S - 2 * 86_400)
    said = forecast(120, quota, Budget(), NOON_S)

    assert said["others_today"] is None
    assert said["runs_out_of"] is None
    assert said["per_hour"] == 10


def test_what_is_used_up_is_used_up_now() -> None:
    """Nothing is left: it runs out at once, and only what is urgent goes."""
    said = forecast(100, Quota("", NOON_S), Budget(per_day=100), NOON_S)

    assert said["only_urgent"] is True
    assert said["runs_out_at"][11:16] == "12:00"
