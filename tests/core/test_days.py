"""A day on one side, a point in time on the other."""

from __future__ import annotations

from typing import Any

import pytest
from sketch import field_of, problems_of

from syncd.connector import Attribute, Schema
from syncd.core.compile import check_schema
from syncd.core.days import day_in, zone_named
from syncd.core.model import Bad

LINES = 'marketing = "closedate"\ncrm = "CloseDate"\ntype = "date"\n'
BERLIN = 'zone = { marketing = "Europe/Berlin" }\n'


@pytest.mark.parametrize(
    ("zone", "raw", "day"),
    [
        ("Europe/Berlin", "2026-11-21T22:59:59Z", "2026-11-21"),
        ("Europe/Berlin", "2026-11-21T23:00:00Z", "2026-11-22"),
        ("Europe/Berlin", "2026-06-30T22:00:00.123Z", "2026-07-01"),
        ("America/Los_Angeles", "2026-11-21T03:00:00+0000", "2026-11-20"),
        ("UTC", "1795219200000", "2026-11-21"),
        ("Europe/Berlin", "2026-11-21", "2026-11-21"),
        ("Europe/Berlin", "", None),
        ("Europe/Berlin", None, None),
    ],
)
def test_a_point_in_time_counts_by_the_day_it_is_there(zone: str, raw: Any, day: str | None) -> None:
    """Not by UTC: a deal that closes at midnight in Berlin closes that day in Berlin."""
    found = zone_named(zone)
    assert found is not None
    assert day_in(found).read(raw) == day


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-11-01", "2026-12-31", "2024-02-29"])
def test_a_day_that_is_written_comes_back_as_that_day(zone: str, day: str) -> None:
    """On days when clocks are changed, too."""
    found = zone_named(zone)
    assert found is not None
    kind = day_in(found)
    assert kind.read(kind.write(day, day)) == day


def test_what_stands_there_is_kept_while_it_is_on_that_day() -> None:
    """An hour is nobody's to change: HubSpot writes the minute in which a deal was closed."""
    field = field_of(LINES + BERLIN)

    assert field.render("marketing", "2026-11-21", "2026-11-21T08:15:00Z") == "2026-11-21T08:15:00Z"
    assert field.render("marketing", "2026-11-22", "2026-11-21T08:15:00Z") == "2026-11-22T11:00:00Z"
    assert field.render("crm", "2026-11-21T23:30:00Z", None) == "2026-11-22"
    assert isinstance(field.canonical("marketing", "soon"), Bad)


def test_a_zone_that_nobody_knows_is_refused_and_so_is_one_for_another_type() -> None:
    """A spelling mistake would otherwise shift every date."""
    assert any(
        "no time zone 'Mars/Base'" in one.what
        for one in problems_of(f'[fields.it]\n{LINES}zone = {{ marketing = "Mars/Base" }}\n')
    )
    text = LINES.replace('"date"', '"text"')
    assert any("'zone' does not go with" in one.what for one in problems_of(f"[fields.it]\n{text}{BERLIN}"))


def test_a_date_against_a_point_in_time_needs_its_zone() -> None:
    """check --online says so, with the line to add; with it, the attribute must be a point in time."""
    from sketch import mapping_of

    moment = Schema("contacts", {"email": Attribute("email", "text"), "closedate": Attribute("closedate", "datetime")})
    bare, zoned = (mapping_of(f"[fields.it]\n{LINES}{zone}") for zone in ("", BERLIN))

    (problem,) = check_schema(bare, "marketing", bare.marketing.object, moment)
    assert "zone = { marketing" in problem.mend
    assert check_schema(zoned, "marketing", zoned.marketing.object, moment) == []
