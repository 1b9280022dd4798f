"""What both departments agreed on, as tables: each part of funnel.toml in words, and how it changed."""

from __future__ import annotations

from typing import Any

from syncd.core.agreement import DEFAULT, Speed
from syncd.core.expr import Gate
from syncd.core.funnel import WEEK, Funnel
from syncd.core.hours import Hours
from syncd.core.qualify import Qualification, Scale
from syncd.web import phrases, words
from syncd.web.page import Asked, View
from syncd.web.pages.earnings import MODELS
from syncd.web.pages.history import VERSIONS, told
from syncd.web.table import Cell, Column, Line, Table, cell


def page(asked: Asked) -> View:
    """The agreement in force, and every version before."""
    funnel = asked.files.mappings.funnel
    history = told(asked.ledger.books.funnels(VERSIONS))
    in_force = bool(history and funnel and history[0]["digest"] == funnel.digest)
    facts: dict[str, Any] = {
        "funnel": funnel,
        "text": funnel.text if funnel else "",
        "versions": history,
        "version": history[0]["version"] if in_force else None,
        "since": history[0]["since"] if in_force else None,
        "broken": [str(one) for one in asked.files.broken.get("funnel", ())],
        "handing": [] if funnel is None else _handing(funnel),
        "owed": [] if funnel is None else _owed(funnel),
        "worked": [] if funnel is None else _worked(funnel),
        "earned": [] if funnel is None else _earned(funnel),
    }
    tables = (
        () if funnel is None else (_stages(funnel), _points(funnel.qualified), _segments(funnel), _recycling(funnel))
    )
    return View("definitions.html", "Definitions", facts, tables)


def _stages(funnel: Funnel) -> Table:
    return Table(
        "stages",
        "Stages, in order",
        (Column("step", "number"), Column("stage"), Column("value", "code"), Column("whose job"), Column("means")),
        [
            (cell(at), cell(one.called), cell(one.name), cell(one.owner, tone="quiet"), cell(one.means))
            for at, one in enumerate(funnel.stages, start=1)
        ],
        "No stages are agreed: write them under [stages] in mappings/funnel.toml.",
    )


def _points(rule: Qualification) -> Table:
    """Fit and interest, condition by condition."""
    rows = []
    for what, scale in (("fit: who they are", rule.fit), ("interest: what they did", rule.interest)):
        for one in scale.conditions if scale else ():
            rows.append((cell(what, tone="quiet"), cell(words.spoken(one.name)), cell(one.gate.text), cell(one.points)))
    return Table(
        "points",
        "Points",
        (Column("of"), Column("condition"), Column("when", "code"), Column("points", "number")),
        rows,
        "There are no points: one rule decides, as it stands above.",
    )


def _handing(funnel: Funnel) -> list[Line]:
    """When a lead is handed to sales, and what sales says to it."""
    rule = funnel.qualified
    lines: list[Line] = []
    if rule.when is not None:
        lines.append(Line("Handed to sales", rule.when.text, "code"))
    lines += [
        Line(f"Enough {name}", f"{words.plural(scale.at_least, 'point')} or more") for name, scale in _scales(rule)
    ]
    if rule.fit or rule.interest:
        lines += [
            Line("Fit and interest", "handed to sales"),
            Line("Fit alone", "stays with marketing, in nurturing"),
            Line("Interest alone", "is watched"),
            Line("Neither", "is left alone"),
        ]
    lines += _ruled("Never handed over", rule.disqualified)
    lines += _ruled("Sales accepted", funnel.accepted)
    lines += _ruled("Sales gave back", funnel.rejected)
    lines += _ruled("The clock stands still", funnel.paused)
    return lines


def _scales(rule: Qualification) -> list[tuple[str, Scale]]:
    return [(name, scale) for name, scale in (("fit", rule.fit), ("interest", rule.interest)) if scale is not None]


def _ruled(what: str, gate: Gate | None) -> list[Line]:
    return [] if gate is None else [Line(what, gate.text, "code")]


def _owed(funnel: Funnel) -> list[Line]:
    """What each department owes the other."""
    agreed, speed = funnel.agreement, funnel.agreement.speed
    leads = "no number" if agreed.qualified is None else f"{words.number(agreed.qualified)} qualified leads"
    lines: list[Line] = [Line("Marketing owes", f"{leads} in a {agreed.period}")]
    lines += [Line(f"… from {name}", f"{words.number(n)} in a {agreed.period}") for name, n in agreed.by_source.items()]
    lines.append(Line("Sales owes", _fast(speed) or "no time is agreed"))
    lines.append(Line("A warning", f"once {words.share(agreed.warn)} of the time is over"))
    if agreed.activities:
        lines.append(Line("What counts as a touch", ", ".join(agreed.activities)))
    lines.append(Line("Days and periods begin", f"at midnight in {agreed.zone}"))
    return lines


def _fast(speed: Speed) -> str:
    parts = []
    if speed.first_touch_s is not None:
        parts.append(f"the first touch within {words.worked(speed.first_touch_s)} of working time")
    if speed.attempts is not None and speed.within_s is not None:
        parts.append(f"{words.plural(speed.attempts, 'attempt')} within {words.duration(speed.within_s)}")
    return ", ".join(parts)


def _worked(funnel: Funnel) -> list[Line]:
    """Working time."""
    hours: Hours = funnel.agreement.hours
    lines: list[Line] = []
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    for at in range(len(WEEK)):
        spans = ", ".join(f"{_clock(opens)} to {_clock(closes)}" for opens, closes in hours.week[at])
        lines.append(Line(names[at], spans or "closed"))
    lines.append(Line("Time zone", str(hours.zone)))
    if hours.holidays:
        lines.append(Line("Holidays", ", ".join(words.day(one) for one in sorted(hours.holidays))))
    return lines


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _earned(funnel: Funnel) -> list[Line]:
    """Credit and the goal."""
    rule = funnel.credit.rule
    model = MODELS.get(rule.model, rule.model)
    if rule.model == "position":
        parts = [words.share(float(part)) for part in (rule.first, rule.last, 1 - rule.first - rule.last)]
        model += f": {parts[0]} to the first touch, {parts[1]} to the last, {parts[2]} to those between"
    lines: list[Line] = [Line("Credit", model)]
    lines.append(Line("Touches count for", f"{words.duration(rule.window_ms / 1000)} before a deal is won"))
    sales = funnel.sales
    lines += [] if sales is None else _ruled("A deal is won", sales.won) + _ruled("A deal is lost", sales.lost)
    target = funnel.target
    if target is not None:
        lines.append(Line("The goal", f"{words.rough(target.revenue, target.currency)} in a {target.period}"))
        lines.append(Line("Averages are taken over", f"the last {words.duration(target.look_back_ms / 1000)}"))
    return lines


def _segments(funnel: Funnel) -> Table:
    agreed = funnel.agreement
    rules = {**{name: gate.text for name, gate in funnel.segments}, DEFAULT: "everybody else"}
    rows = []
    for name, rule in rules.items():
        owed = agreed.by_segment.get(name)
        owes: Cell = cell(owed, text=None if owed is not None else "no number of its own")
        rows.append((cell(words.spoken(name)), cell(rule), owes, cell(_fast(agreed.speed_of(name)) or "no time")))
    return Table(
        "segments",
        "Segments",
        (Column("segment"), Column("who", "code"), Column("marketing owes", "number"), Column("sales owes")),
        rows if funnel.segments else [],
        "Everybody is treated alike: no [segments] are declared in mappings/funnel.toml.",
    )


def _recycling(funnel: Funnel) -> Table:
    rules = funnel.recycling
    rows = [(cell(name, text=phrases.reason(name)), _after(after)) for name, after in rules.reasons.items()]
    rows.append((cell("any other reason"), _after(rules.after_ms)))
    about = f"Besides, this must be true: {funnel.recycle_when.text}" if funnel.recycle_when else ""
    return Table(
        "recycling",
        "Whom sales gave back may qualify again",
        (Column("reason"), Column("after", "text")),
        rows,
        "Nobody is taken up again.",
        about=about,
    )


def _after(after_ms: int | None) -> Cell:
    return cell("never" if after_ms is None else words.duration(after_ms / 1000))
