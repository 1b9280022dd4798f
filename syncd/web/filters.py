"""Filters that stand in the address: the period, one of the four things figures are kept by, and what to pick from.

Promise: what a filter holds is checked here; a day that is none, or an unknown name, filters nothing. `to` is the last
day that is meant; `until`, as the commands have it, the first that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.core.agreement import PeriodKind, period_of
from syncd.funnel.figures import DIMENSIONS, reader_of
from syncd.web import words
from syncd.web.page import Asked

MOST_CHOICES = 500
"""Names to pick from; more are typed into the address."""
SINCE_EVER = date(2000, 1, 1)


@dataclass(frozen=True)
class Pick:
    """A pick list: its name in the address, its label, what can be picked (value, words), what is."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str = ""


@dataclass(frozen=True)
class Span:
    """A period that one click chooses. `link`: the filters that mean it."""

    name: str
    link: Mapping[str, str | None]
    chosen: bool


@dataclass(frozen=True)
class Filters:
    """What the top of a page offers. `crowded`: more than one thing was picked, so that figures cannot be known."""

    spans: Sequence[Span]
    since: str
    to: str
    picks: Sequence[Pick]
    crowded: bool = False


def given(asked: Asked, *names: str) -> dict[str, str]:
    """The filters that a report takes, without days that are none."""
    found = {name: text for name in names if (text := asked.filter(name)) is not None}
    found = {name: text for name, text in found.items() if name not in ("since", "until") or _day(text)}
    last = _day(asked.filter("to") or "")
    if "until" in names and last is not None and "until" not in found:
        found["until"] = (last + timedelta(days=1)).isoformat()
    return found


def offered(asked: Asked, period: Mapping[str, str], extra: Sequence[Pick] = (), *, dimensions: bool = True) -> Filters:
    """The filters of a report that told of this period."""
    picks = [*extra, *([_dimension(asked, name) for name in DIMENSIONS] if dimensions else [])]
    last = date.fromisoformat(period["until"]) - timedelta(days=1)
    crowded = dimensions and sum(asked.filter(name) is not None for name in DIMENSIONS) > 1
    since = "" if period["since"] < "1000" else period["since"]
    return Filters(_spans(asked, period), since, last.isoformat(), picks, crowded)


def _dimension(asked: Asked, name: str) -> Pick:
    """What people can be told apart by, as far as anybody was."""
    known = sorted({of for _, of in asked.ledger.loop.sums.of("outcome", 0, 1, by=name)}, key=str.casefold)
    chosen = asked.filter(name) or ""
    if chosen and chosen not in known:
        known.insert(0, chosen)
    choices = [(one, words.spoken(one)) for one in known[:MOST_CHOICES] if one]
    return Pick(name, name.capitalize(), [("", "all"), *choices], chosen)


def _spans(asked: Asked, period: Mapping[str, str]) -> list[Span]:
    today = reader_of(asked.ledger, asked.files, asked.now, {}).today
    found: list[tuple[str, date, date]] = []
    kinds: tuple[tuple[PeriodKind, str, str], ...] = (
        ("month", "This month", "Last month"),
        ("quarter", "This quarter", "Last quarter"),
        ("year", "This year", "Last year"),
    )
    for kind, this, before in kinds:
        now = period_of(today, kind)
        past = period_of(now.since - timedelta(days=1), kind)
        found += [(this, now.since, now.until), (before, past.since, past.until)]
    found.append(("12 months", today - timedelta(days=364), today + timedelta(days=1)))
    found.append(("All time", SINCE_EVER, today + timedelta(days=1)))
    return [
        Span(
            name,
            {"since": since.isoformat(), "to": (until - timedelta(days=1)).isoformat(), "until": None},
            (since.isoformat(), until.isoformat()) == (period["since"], period["until"]),
        )
        for name, since, until in found
    ]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
