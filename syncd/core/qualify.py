"""What a lead is: fit, interest, and which of four outcomes follows.

Promise: pure and total. A condition that is not known gives no points; where it is not known whether somebody is
disqualified, nobody is handed over. The same rule decides who crosses (`qualified` in a mapping's gates) and what
reports say, so that the two cannot disagree.

    fit and interest   hand off        fit alone        nurture
    interest alone     watch           neither          disqualify
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from syncd.core.expr import Gate, Unknown

Outcome = Literal["handoff", "nurture", "watch", "disqualify"]
OUTCOMES: tuple[Outcome, ...] = ("handoff", "nurture", "watch", "disqualify")


class Judged(msgspec.Struct, frozen=True):
    """What a person is by the definition. `fit` and `interest` are points; None where the definition has no points."""

    outcome: Outcome
    why: str
    """Names of rules, never values."""
    fit: int | None = None
    interest: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, and what it is worth."""

    name: str
    gate: Gate
    points: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Points, and how many are enough."""

    at_least: int
    conditions: tuple[Condition, ...]

    def points(self, context: Mapping[str, Any]) -> int:
        """What the met conditions add up to."""
        return sum(one.points for one in self.conditions if one.gate.holds(context) is True)

    def met(self, context: Mapping[str, Any]) -> bool | Unknown:
        """Are there enough? Unknown where what is not known would make the difference."""
        sure, open_, why = 0, 0, ""
        for one in self.conditions:
            held = one.gate.holds(context)
            if held is True:
                sure += one.points
            elif isinstance(held, Unknown) and one.points > 0:
                open_, why = open_ + one.points, why or held.why
        if sure >= self.at_least:
            return True
        return Unknown(why) if sure + open_ >= self.at_least else False

    def missing(self, context: Mapping[str, Any]) -> str:
        """The conditions that are not met, by name."""
        open_ = [one.name for one in self.conditions if one.points > 0 and one.gate.holds(context) is not True]
        return ", ".join(open_)


@dataclass(frozen=True, slots=True)
class Qualification:
    """The definition of qualified. It stands in for a `Gate` wherever a mapping says `qualified`."""

    place: str
    """Where it stands: `funnel.toml:13:8`."""
    text: str
    names: frozenset[str]
    """The field names that it looks at."""
    when: Gate | None = None
    """The short form; else fit and interest."""
    fit: Scale | None = None
    interest: Scale | None = None
    disqualified: Gate | None = None

    def holds(self, context: Mapping[str, Any]) -> bool | Unknown:
        """Is the lead handed over? Unknown is not true."""
        barred = self.disqualified.holds(context) if self.disqualified is not None else False
        if barred is not False:
            return barred if isinstance(barred, Unknown) else False
        if self.when is not None:
            return self.when.holds(context)
        met = [scale.met(context) for scale in (self.fit, self.interest) if scale is not None]
        if False in met:
            return False
        return next((one for one in met if isinstance(one, Unknown)), True)

    def judge(self, context: Mapping[str, Any]) -> Judged:
        """Which of the four outcomes, and why."""
        barred = self.disqualified.holds(context) if self.disqualified is not None else False
        if self.when is not None:
            met = self.holds(context) is True
            why = "meets the rule" if met else "disqualified" if barred is True else "does not meet the rule"
            return Judged("handoff" if met else "disqualify" if barred is True else "nurture", why)
        fit = None if self.fit is None else self.fit.points(context)
        interest = None if self.interest is None else self.interest.points(context)
        fits = self.fit is None or (fit or 0) >= self.fit.at_least
        keen = self.interest is None or (interest or 0) >= self.interest.at_least
        if barred is True:
            return Judged("disqualify", "disqualified", fit, interest)
        if fits and keen:
            if isinstance(barred, Unknown):
                return Judged("watch", "it is not known whether they are disqualified", fit, interest)
            return Judged("handoff", "fit and interest", fit, interest)
        if fits and self.interest is not None:
            return Judged("nurture", f"lacks interest: {self.interest.missing(context)}", fit, interest)
        if keen and self.fit is not None:
            return Judged("watch", f"lacks fit: {self.fit.missing(context)}", fit, interest)
        return Judged("disqualify", "lacks fit and interest", fit, interest)
