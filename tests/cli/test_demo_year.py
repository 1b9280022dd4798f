"""The demo's year: the same for the same seed, nothing of it lies ahead, and it tells the story of the two guides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from syncd.demo.lives import DAY_MS, YEAR_DAYS, Life, every_round, lives
from syncd.sandbox.company import people

NOW = 1_800_000_000_000


def year(seed: int = 7, now_ms: int = NOW) -> list[Life]:
    """Of 600 people."""
    return lives(list(people(seed, 600)), seed, now_ms)


def moments(value: Any, name: str = "") -> Iterator[int]:
    """Every time in it."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from moments(getattr(value, field.name), field.name)
    elif isinstance(value, list):
        for one in value:
            yield from moments(one[0] if isinstance(one, tuple) else one, name)
    elif isinstance(value, int) and name.endswith(("_ms", "steps")):
        yield value


@pytest.mark.parametrize("now_ms", [NOW, NOW + 3 * DAY_MS, NOW + 40 * DAY_MS + 7_654_321])
def test_nothing_lies_ahead_or_more_than_a_year_back(now_ms: int) -> None:
    """A stamp of tomorrow would make every feed wait for it."""
    found = [at for life in year(now_ms=now_ms) for at in moments(life)]

    assert len(found) > 2000
    assert max(found) <= now_ms
    assert min(found) >= now_ms - (YEAR_DAYS + 1) * DAY_MS


def test_the_same_seed_tells_the_same_year() -> None:
    """And another seed another one."""
    assert year() == year()
    assert year() != year(8)


def outline(life: Life) -> tuple[Any, ...]:
    """What became of somebody, without the times."""
    deals = [one.deal for one in life.rounds if one.deal is not None]
    sold = [(deal.amount, deal.lost, deal.closed_ms is None) for deal in deals]
    return life.source, life.score, life.second_ms is None, len(life.rounds), sold


@pytest.mark.parametrize("days", range(1, 365, 52))
def test_it_is_the_same_year_whatever_day_it_is_played_on(days: int) -> None:
    """Weekends lie elsewhere, and with them some calls and closings; not who came, chose and bought."""
    today, then = (map(outline, year(now_ms=at_ms)) for at_ms in (NOW, NOW + days * DAY_MS + 7_654_321))

    same = [one == other for one, other in zip(today, then, strict=True)]
    assert sum(same) > 0.97 * len(same)


@pytest.mark.parametrize("days", range(1, 365, 52))
def test_both_guides_lead_to_the_same_deals(days: int) -> None:
    """Else all ways of sharing the credit would come to the same, and `test_demo_totals` would compare nothing."""
    seed, now_ms = 4, NOW + days * DAY_MS
    sold = [
        (life, one.deal.closed_ms)
        for life, one in every_round(lives(list(people(seed, 120)), seed, now_ms))
        if one.deal is not None and one.deal.closed_ms is not None and not one.deal.lost
    ]
    both = [life for life, at_ms in sold if life.second_ms is not None and life.came_ms > at_ms - 89 * DAY_MS]

    assert len(both) > 2


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_the_second_guide_is_taken_by_some_and_closes_far_more_often(seed: int) -> None:
    """The story that both departments know."""
    found = year(seed)
    chosen = [life for life in found if life.second_ms is not None]
    assert 0.11 < len(chosen) / len(found) < 0.22

    def won(by_list: bool) -> float:
        rounds = [one for life, one in every_round(found) if (one.qualified_ms < (life.second_ms or NOW)) is by_list]
        deals = [one for one in rounds if one.deal is not None and one.deal.closed_ms is not None]
        return sum(not one.deal.lost for one in deals if one.deal is not None) / len(rounds)

    assert won(by_list=False) > 5 * won(by_list=True) > 0
