"""What is wrong in a file that a person edits, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. Lines and columns count from 1; 0 = the whole file."""

    file: str
    line: int
    column: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return self._said(place)

    def within(self) -> str:
        """As a line below its file's name."""
        return self._said(f"{self.line}:{self.column}" if self.line else "")

    def _said(self, place: str) -> str:
        said = f"{place}: {self.what}" if place else self.what
        return f"{said} — {self.mend}" if self.mend else said


def as_lines(problems: Iterable[Problem]) -> str:
    """Problems for people, each once; a file that several are of is named once, above them."""
    of: dict[str, list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        of.setdefault(problem.file, []).append(problem)
    lines: list[str] = []
    for file, mine in of.items():
        if len(mine) > 1 and file:
            lines += [f"{file}:", *(problem.within() for problem in mine)]
        else:
            lines += map(str, mine)
    return "\n".join(lines)
