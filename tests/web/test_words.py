"""How values are written for people, and codes as sentences."""

from __future__ import annotations

from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from syncd.core.credit import Cause
from syncd.core.merge import VALUE_ISSUES, Kind
from syncd.core.qualify import OUTCOMES
from syncd.core.standing import CLOCKS, STATES
from syncd.ruling import NOT_RETRIED
from syncd.web import phrases, words
from syncd.web.pages import loop


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2026-11-01", "2026-12-01", "in November 2026"),
        ("2026-10-01", "2027-01-01", "in quarter 4 of 2026"),
        ("2026-01-01", "2027-01-01", "in 2026"),
        ("2026-11-01", "2026-11-15", "from 1 to 14 Nov 2026"),
        ("2026-12-20", "2027-01-03", "from 20 Dec 2026 to 2 Jan 2027"),
        ("2026-11-03", "2026-11-04", "on 3 Nov 2026"),
        ("0001-01-01", "2026-11-04", "in all time until 3 Nov 2026"),
        ("2026-11-04", "2026-11-04", "in no day at all, before 4 Nov 2026"),
        ("2026-02-01", "2026-05-01", "from 1 Feb 2026 to 30 Apr 2026"),
    ],
)
def test_a_period_is_told_as_people_say_it(since: str, until: str, said: str) -> None:
    """The day after the last one is never shown as if it belonged to it."""
    assert words.during({"since": since, "until": until}).replace("\u00a0", " ") == said


def test_a_moment_is_that_of_the_agreements_zone() -> None:
    """The same instant by the wall clock of the people who agreed; a bare day has no hour."""
    assert (
        words.moment("2026-07-01T22:30:00.000Z", ZoneInfo("Europe/Berlin")).replace("\u00a0", " ") == "2 Jul 2026 00:30"
    )
    assert words.moment(0).replace("\u00a0", " ") == "1 Jan 1970 00:00"
    assert words.moment("2026-07-01").replace("\u00a0", " ") == "1 Jul 2026"
    assert words.moment(None) == "never"
    assert words.moment("soon") == "soon"
    assert words.zone_name(ZoneInfo("Europe/Berlin"), 1_782_000_000) == "Europe/Berlin (UTC+02:00)"


def test_a_day_of_work_is_no_day_of_the_clock() -> None:
    """26 hours of work are not told as a day and two hours."""
    assert words.worked(26 * 3600) == "26 h"
    assert words.worked(26 * 3600 + 300) == "26 h 5 min"
    assert words.worked(90) == "1 min 30 s"
    assert words.worked(None) == words.UNKNOWN


def test_an_estimate_has_no_cents_and_a_share_is_never_rounded_up() -> None:
    """A forecast to the cent would claim what nobody knows."""
    assert words.rough(12_345_678, "EUR").replace("\u202f", " ").replace("\u00a0", " ") == "EUR 123 456"
    assert words.share(0.9996).replace("\u00a0", " ") == "99.9 %"
    assert words.named("2026-01") == "January 2026"
    assert words.named("2026-Q2") == "quarter 2 of 2026"
    assert words.named("2026-W07") == "week 7 of 2026"


def test_every_code_that_pages_show_has_its_words() -> None:
    """A cause, a state or a kind that is added later is noticed here."""
    assert set(get_args(Cause)) <= set(phrases.CAUSES)
    assert set(STATES) == set(phrases.STATES)
    assert set(OUTCOMES) == set(phrases.OUTCOMES)
    assert set(CLOCKS) == set(loop.CLOCKS)
    assert set(get_args(Kind)) == set(phrases.VERDICTS)
    assert {*NOT_RETRIED, *VALUE_ISSUES} <= set(phrases.KINDS)
    assert phrases.sides("crm wins over crm_opt_out") == "sales wins over crm_opt_out"
