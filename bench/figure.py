"""A figure with its target, and how figures are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. `most` or `least`: its target; neither: it is told and not judged."""

    part: str
    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    note: str = ""
    """What stands beside it: the floor, the formula, the raw times."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.most is not None:
            return self.value <= self.most
        if self.least is not None:
            return self.value >= self.least
        return None

    def as_json(self) -> dict[str, object]:
        return {
            "part": self.part,
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "most": self.most,
            "least": self.least,
            "met": self.met,
            "note": self.note,
        }

    def line(self) -> str:
        """For people: verdict, name, value, target, note."""
        verdict = {True: "pass", False: "MISS", None: "    "}[self.met]
        target = ""
        if self.most is not None:
            target = f"at most {_number(self.most)}"
        elif self.least is not None:
            target = f"at least {_number(self.least)}"
        value = f"{_number(self.value)} {self.unit}".rstrip()
        return f"  {verdict}  {self.name:<52} {value:>16}   {target:<15} {self.note}".rstrip()


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def verdict(figures: Sequence[Figure]) -> str:
    """The last line: how many targets are met, and which are not."""
    judged = [figure for figure in figures if figure.met is not None]
    missed = [f"{figure.part}: {figure.name}" for figure in judged if not figure.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    return told if not missed else f"{told}; missed: {'; '.join(missed)}"
