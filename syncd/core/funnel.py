"""What marketing and sales agreed: the stages, what a qualified lead is, what each department owes, who gets credit.

Promise: the agreement is data with a digest, so that a record can be judged by the version in force at that moment;
whatever is wrong with it is told with line and column, all at once. It does not count or report, and knows no mapping:
what it names there is checked in `funnelfields`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

import pydantic

from syncd.core import expr
from syncd.core.agreement import Agreement, Credit, Nurture, Recycling, Speed, Target, Touched
from syncd.core.credit import Rule
from syncd.core.days import zone_named
from syncd.core.expr import Gate
from syncd.core.funnelfile import FunnelFile, QualifiedPart, ScalePart, SpeedPart, schema
from syncd.core.hours import ALWAYS, DAY_MINUTES, Hours, Span
from syncd.core.money import digits
from syncd.core.problem import Problem
from syncd.core.qualify import Condition, Qualification, Scale
from syncd.core.toml import Document, Path, did_you_mean, parse, problems

__all__ = ["Funnel", "Sales", "Stage", "compile_funnel", "schema"]

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


@dataclass(frozen=True, slots=True)
class Stage:
    """One step from stranger to customer."""

    name: str
    owner: Literal["marketing", "sales"]
    means: str
    since: str | None = None
    """The field that tells when it was entered."""
    title: str = ""
    """What people call it; empty: by its name."""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class About:
    """Where people are described: the mapping and its fields."""

    mapping: str = "people"
    stage: str = "stage"
    source: str | None = None
    campaign: str | None = None
    owner: str | None = None
    came: str | None = None
    since: str | None = None
    """When somebody qualified."""
    reason: str | None = None
    """Why sales gave them back."""
    signal: str | None = None
    """When they last showed interest."""


@dataclass(frozen=True, slots=True)
class Sales:
    """Which deals are won, and how much they are."""

    mapping: str
    people: str
    amount: str
    currency: str | None
    closed: str
    lost_reason: str | None
    won: Gate
    lost: Gate | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel file, compiled."""

    digest: str
    """SHA-256 of the text, hexadecimal."""
    file: str
    text: str
    qualified: Qualification
    stages: tuple[Stage, ...]
    """In order, from the first step to the last."""
    about: About = About()
    accepted: Gate | None = None
    rejected: Gate | None = None
    paused: Gate | None = None
    recycling: Recycling = field(default_factory=Recycling)
    recycle_when: Gate | None = None
    segments: tuple[tuple[str, Gate], ...] = ()
    agreement: Agreement = field(default_factory=Agreement)
    credit: Credit = field(default_factory=Credit)
    sales: Sales | None = None
    target: Target | None = None
    nurture: Nurture | None = None
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(mapping, field) that the file names -> where it does."""

    def called(self, name: str) -> str:
        """What people call a stage; one that the funnel does not know goes by its name."""
        return next((one.called for one in self.stages if one.name == name), name)

    def stage(self, name: object) -> int | None:
        """A stage's place in the order; None: it is none of them."""
        return next((at for at, one in enumerate(self.stages) if one.name == name), None)


def compile_funnel(text: str, file: str, field_names: frozenset[str] | None) -> tuple[Funnel | None, list[Problem]]:
    """The funnel, or every problem of the file. `field_names`: what rules may name; None: not checked here."""
    document, found = parse(text, file)
    if document is None:
        return None, found
    try:
        shape = FunnelFile.model_validate(document.data)
    except pydantic.ValidationError as error:
        return None, problems(error, document, file, FunnelFile)
    made = _Compiler(document, shape, field_names)
    funnel = made.funnel(text)
    found = sorted(made.problems, key=lambda problem: (problem.line, problem.column))
    return (None, found) if found or funnel is None else (funnel, [])


def seconds(text: str) -> float:
    """`30m`, `4h`, `10d`, `2w` -> seconds."""
    return float(text[:-1]) * _UNITS[text[-1]]


def _ms(text: str) -> int:
    return round(seconds(text) * 1000)


class _Compiler:
    """One file's compilation: what is known so far, and what is wrong."""

    def __init__(self, document: Document, shape: FunnelFile, names: frozenset[str] | None) -> None:
        self.document, self.shape, self.names = document, shape, names
        self.problems: list[Problem] = []
        self.places: dict[tuple[str, str], str] = {}

    def _say(self, path: Path, what: str, mend: str = "", *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, what, mend, key=key))

    def _place(self, path: Path) -> str:
        line, column = self.document.where(path)
        return f"{self.document.file}:{line}:{column}"

    def funnel(self, text: str) -> Funnel | None:
        shape = self.shape
        qualified = self._qualified(shape.qualified)
        agreement, sales, target = self._agreement(), self._sales(), self._target()
        funnel = Funnel(
            digest=hashlib.sha256(text.encode()).hexdigest(),
            file=self.document.file,
            text=text,
            qualified=qualified or Qualification("", "", frozenset()),
            stages=tuple(
                Stage(name, part.owner, part.means, part.since, part.title) for name, part in shape.stages.items()
            ),
            about=self._about(),
            accepted=self._gate(("handoff", "accepted"), shape.handoff.accepted),
            rejected=self._gate(("handoff", "rejected"), shape.handoff.rejected),
            paused=self._gate(("handoff", "paused"), shape.handoff.paused),
            recycling=Recycling(
                _ms(shape.recycle.after),
                {name: None if after == "never" else _ms(after) for name, after in shape.recycle.reasons.items()},
                shape.recycle.enough == "either",
            ),
            recycle_when=self._gate(("recycle", "when"), shape.recycle.when),
            segments=tuple(
                (name, gate) for name, rule in shape.segments.items() if (gate := self._gate(("segments", name), rule))
            ),
            agreement=agreement,
            credit=self._credit(),
            sales=sales,
            target=target,
            nurture=Nurture(shape.nurture.list, frozenset(shape.nurture.outcomes)) if shape.nurture else None,
            places=self.places,
        )
        return None if qualified is None else funnel

    # ------------------------------------------------------------ qualified

    def _qualified(self, part: QualifiedPart) -> Qualification | None:
        at: Path = ("qualified",)
        points = part.fit is not None or part.interest is not None
        if part.when is None and not points:
            line, column = self.document.where_key(at)
            said = "'when' is missing in [qualified]"
            self.problems.append(
                Problem(
                    self.document.file, line or 1, column or 1, said, "add: when = …, or fit and interest in points"
                )
            )
            return None
        if part.when is not None and points:
            self._say((*at, "when"), "'when' and points say the same thing twice", "keep one of them", key=True)
        when = self._gate((*at, "when"), part.when)
        barred = self._gate((*at, "disqualified"), part.disqualified)
        fit, interest = self._scale("fit", part.fit), self._scale("interest", part.interest)
        gates = [gate for gate in (when, barred) if gate is not None]
        gates += [one.gate for scale in (fit, interest) if scale for one in scale.conditions]
        names = frozenset[str]().union(*(gate.names for gate in gates))
        place = self._place((*at, "when")) if part.when is not None else self._place(at)
        return Qualification(place, part.when or "fit and interest", names, when, fit, interest, barred)

    def _scale(self, name: str, part: ScalePart | None) -> Scale | None:
        if part is None:
            return None
        at: Path = ("qualified", name)
        most = sum(max(0, one.points) for one in part.points.values())
        if most < part.at_least:
            said = f"nobody can reach {part.at_least}: all points together are {most}"
            self._say((*at, "at_least"), said, "lower it, or give more points")
        conditions = (
            (each, one, self._gate((*at, "points", each, "when"), one.when)) for each, one in part.points.items()
        )
        return Scale(part.at_least, tuple(Condition(each, gate, one.points) for each, one, gate in conditions if gate))

    def _gate(self, path: Path, text: str | None, *, deals: bool = False) -> Gate | None:
        if text is None:
            return None
        known = expr.names_in(text) if self.names is None or deals else self.names
        compiled, flaws = expr.Language(dict.fromkeys(known - expr.RESERVED, "any")).compile(text)
        for one in flaws:
            line, column = self.document.inside(path, one.line, one.column)
            self.problems.append(Problem(self.document.file, line, column, one.what, one.mend))
        return None if compiled is None else Gate(text, self._place(path), compiled.names, compiled)

    # ------------------------------------------------------------ the rest

    def _named(self, mapping: str, path: Path, name: str | None) -> str | None:
        if name is not None:
            self.places.setdefault((mapping, name), self._place(path))
        return name

    def _about(self) -> About:
        part, shape = self.shape.people, self.shape
        for name, stage in shape.stages.items():
            self._named(part.mapping, ("stages", name, "since"), stage.since)
        if "people" in self.document.data and "stage" in self.document.data["people"]:
            self._named(part.mapping, ("people", "stage"), part.stage)
        named = {
            name: self._named(part.mapping, ("people", name), getattr(part, name))
            for name in ("source", "campaign", "owner", "came")
        }
        since = self._named(part.mapping, ("qualified", "since"), shape.qualified.since)
        reason = self._named(part.mapping, ("handoff", "reason"), shape.handoff.reason)
        signal = self._named(part.mapping, ("recycle", "signal"), shape.recycle.signal)
        return About(part.mapping, part.stage, **named, since=since, reason=reason, signal=signal)

    def _agreement(self) -> Agreement:
        part = self.shape.agreement
        calendars = {name: self._calendar(name) for name in self.shape.calendars}
        named = part.sales.calendar
        if named is not None and named not in calendars:
            mend = did_you_mean(named, calendars) or f"write [calendars.{named}]"
            self._say(("agreement", "sales", "calendar"), f"there is no calendar '{named}'", mend)
        zone = zone_named(part.zone)
        if zone is None:
            self._say(("agreement", "zone"), f"there is no time zone '{part.zone}'", "such as Europe/Berlin, or UTC")
        for table, given in (("marketing", part.marketing.by_segment), ("sales", part.sales.segments)):
            for name in given:
                if name not in self.shape.segments and name != "other":
                    path = ("agreement", table, "by_segment" if table == "marketing" else "segments", name)
                    mend = did_you_mean(name, [*self.shape.segments, "other"]) or "declare it under [segments]"
                    self._say(path, f"there is no segment '{name}'", mend, key=True)
        usual = _speed(part.sales, Speed())
        return Agreement(
            period=part.period,
            zone=zone or ZoneInfo("UTC"),
            qualified=part.marketing.qualified,
            by_source=part.marketing.by_source,
            by_segment=part.marketing.by_segment,
            hours=(calendars.get(named) if named else None) or ALWAYS,
            warn=part.sales.warn,
            activities=tuple(part.sales.activities),
            speed=usual,
            speeds={name: _speed(one, usual) for name, one in part.sales.segments.items()},
        )

    def _calendar(self, name: str) -> Hours | None:
        part, at = self.shape.calendars[name], ("calendars", name)
        zone = zone_named(part.zone)
        if zone is None:
            self._say((*at, "zone"), f"there is no time zone '{part.zone}'", "such as Europe/Berlin, or UTC")
        holidays = set()
        for index, day in enumerate(part.holidays):
            try:
                holidays.add(date.fromisoformat(day))
            except ValueError:
                self._say((*at, "holidays", index), "this is no day", "write it so: 2026-12-25")
        week = []
        for day in WEEK:
            given = part.week.get(day, [])  # type: ignore[call-overload]
            path = (*at, "week", day)
            week.append(self._spans(path, [given] if isinstance(given, str) else given))
        if not any(week):
            self._say((*at, "week"), "nobody ever works by this calendar", 'mon = "09:00-17:00"')
        return None if zone is None else Hours(zone, tuple(week), frozenset(holidays))

    def _spans(self, path: Path, texts: list[str]) -> tuple[Span, ...]:
        spans: list[Span] = []
        for text in texts:
            opens, closes = (int(one[:2]) * 60 + int(one[3:]) for one in text.split("-"))
            if not (opens < closes <= DAY_MINUTES and int(text[3:5]) < 60 and int(text[9:]) < 60):
                self._say(path, f"'{text}' is no span of a day", "from earlier to later, at most 24:00")
            elif spans and opens < spans[-1][1]:
                self._say(path, f"'{text}' begins before the one before it ends", "write spans in order and apart")
            spans.append((opens, closes))
        return tuple(spans)

    def _credit(self) -> Credit:
        part = self.shape.credit
        first, last = Fraction(str(part.first)), Fraction(str(part.last))
        if first + last > 1:
            self._say(("credit", "last"), "first and last together are more than the whole", "0.4 and 0.4, say")
        touches = {name: Touched(one.source, one.campaign) for name, one in part.touches.items()}
        return Credit(Rule(part.model, _ms(part.window), first, last), touches)

    def _sales(self) -> Sales | None:
        part = self.shape.revenue
        if part is None:
            return None
        for name in ("people", "amount", "currency", "closed", "lost_reason"):
            self._named(part.mapping, ("revenue", name), getattr(part, name))
        won = self._gate(("revenue", "won"), part.won, deals=True)
        lost = self._gate(("revenue", "lost"), part.lost, deals=True)
        if won is None:
            return None
        return Sales(
            part.mapping, part.people, part.amount, part.currency, part.closed, part.lost_reason, won, lost
        )  # fmt: skip

    def _target(self) -> Target | None:
        part = self.shape.goal
        if part is None:
            return None
        if part.currency in part.rates:
            self._say(("goal", "rates", part.currency), "the goal's own currency needs no rate", "remove it", key=True)
        rates = {currency: Fraction(str(rate)) for currency, rate in part.rates.items()}
        goal = part.revenue * 10 ** digits(part.currency)
        return Target(goal, part.currency, part.period, _ms(part.look_back), rates)


def _speed(part: SpeedPart, usual: Speed) -> Speed:
    return Speed(
        usual.first_touch_s if part.first_touch is None else seconds(part.first_touch),
        usual.attempts if part.attempts is None else part.attempts,
        usual.within_s if part.within is None else seconds(part.within),
    )
