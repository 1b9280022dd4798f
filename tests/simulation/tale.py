"""A tale: steps that follow from a seed, what happened in it, and what broke; told again without what it breaks without.

Promise: it knows nobody who tells one: `family` and `departments` do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Step = tuple[Any, ...]
"""(what, ...)."""
Tell = Callable[[int, Path, Sequence[Step] | None], "Tale"]
"""Plays a seed's tale in a new folder, or these steps of it."""


@dataclass
class Tale:
    """What became of a story."""

    name: str
    seed: int
    steps: list[Step]
    happened: Counter[str] = field(default_factory=Counter)
    broken: str = ""

    def told(self) -> str:
        """The story, a step a line."""
        return "\n".join([f"{self.name} {self.seed}", *(f"    {' '.join(map(str, step))}" for step in self.steps)])


def shortest(tale: Tale, tell: Tell, folder: Path) -> Tale:
    """Without the steps that it breaks without, one at a time."""
    at = 0
    while at < len(tale.steps):
        fewer = tell(tale.seed, folder / f"{len(tale.steps)}-{at}", tale.steps[:at] + tale.steps[at + 1 :])
        if fewer.broken:
            tale = fewer
        else:
            at += 1
    return tale
