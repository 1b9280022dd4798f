"""Filters that stand in the address: the period, one of the four things figures are kept by, and what to pick from.

Promise: what a filter holds is checked here; a day that is none, or an unknown name, filters nothing. `to` is the last
day that is meant; `until`, as the commands have it, the first that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from syncd.core.agreement import PeriodKind, period_of
from syncd.funnel.figures import DIMENSIONS, reader_of
from syncd.web import words
from syncd.web.page import Asked

MOST_CHOICES = 500
"""Names to pick from; more are typed into the address."""
SINCE_EVER = date(2000, 1, 1)
PAST_GOALS = 4
"""Periods before this one that are offered by name."""


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
class Note:
    """What these filters cannot answer, why, and what can be: (words, the filters that mean it or an address)."""

    said: str
    ways: Sequence[tuple[str, Mapping[str, str | None] | str]]


@dataclass(frozen=True)
class Filters:
    """What the top of a page offers. `to`: None where a period is named by one of its days."""

    spans: Sequence[Span]
    since: str
    to: str | None
    picks: Sequence[Pick]
    notes: Sequence[Note] = ()


def given(asked: Asked, *names: str) -> dict[str, str]:
    """The filters that a report takes, without days that are none."""
    found = {name: text for name in names if (text := asked.filter(name)) is not None}
    found = {name: text for name, text in found.items() if name not in ("since", "until") or _day(text)}
    last = _day(asked.filter("to") or "")
    if "until" in names and last is not None and "until" not in found:
        found["until"] = (last + timedelta(days=1)).isoformat()
    return found


def offered(
    asked: Asked,
    period: Mapping[str, str],
    extra: Sequence[Pick] = (),
    *,
    by: str | None = None,
    dimensions: bool = True,
) -> Filters:
    """The filters of a report that told of this period. `by`: what it is broken down by."""
    picks = [*extra, *([_dimension(asked, name) for name in DIMENSIONS] if dimensions else [])]
    last = date.fromisoformat(period["until"]) - timedelta(days=1)
    since = "" if period["since"] < "1000" else period["since"]
    notes = _notes(asked, period, by) if dimensions else []
    return Filters(_spans(asked, period), since, last.isoformat(), picks, notes)


def of_goal(asked: Asked, kind: PeriodKind, period: Mapping[str, str]) -> Filters:
    """The filter of a goal: the period that it is in, and those before; any other by a day of it."""
    today = reader_of(asked.ledger, asked.files, asked.now, {}).today
    now = period_of(today, kind)
    spans = [Span(f"This {kind}", {"since": None}, period["since"] == now.since.isoformat())]
    past = now
    for _ in range(PAST_GOALS):
        past = period_of(past.since - timedelta(days=1), kind)
        said = words.period({"since": past.since.isoformat(), "until": past.until.isoformat()})
        since = past.since.isoformat()
        spans.append(Span(said[:1].upper() + said[1:], {"since": since}, since == period["since"]))
    return Filters(spans, period["since"], None, [])


def _notes(asked: Asked, period: Mapping[str, str], by: str | None) -> list[Note]:
    """Sums are kept by one of the four at a time: what two would need, and the ways on."""
    chosen = {name: text for name in DIMENSIONS if (text := asked.filter(name)) is not None}
    said = {name: f"{name} “{words.spoken(text)}”" for name, text in chosen.items()}
    if len(chosen) > 1:
        ways: list[tuple[str, Mapping[str, str | None] | str]] = [
            (f"only {said[name]}", {other: None for other in chosen if other != name}) for name in chosen
        ]
        where = {**chosen, "day": "qualified", "qualifies": "1", "since": period["since"], "until": period["until"]}
        ways.append(
            (
                "who qualified, under all of them, as a list",
                f"/behind?{urlencode({'link': f'people?{urlencode(where)}'})}",
            )
        )
        why = f"There are no figures for {' and '.join(said.values())} together: they are kept by one of the four at a time."
        return [Note(f"{why} Lists of people obey all of them.", ways)]
    if by and chosen.keys() - {by}:
        (name,) = chosen
        why = f"What is filtered by {said[name]} cannot be broken down by {by}: figures are kept by one of the four at a time."
        return [Note(why, [(f"everybody, by {by}", {name: None}), (f"{said[name]} alone", {"by": name})])]
    return []


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
