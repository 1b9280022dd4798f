"""What is wrong in a file that a person edits, and where."""

from __future__ import annotations

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
        said = f"{place}: {self.what}" if place else self.what
        return f"{said} — {self.mend}" if self.mend else said
