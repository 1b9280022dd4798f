"""What marketing and sales agreed: the stages, who owns them, and what a qualified lead is.

Promise: the agreement is data with a digest, so that a record can be judged by the version in force at that moment.
It does not count or report; later releases read the stages for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from syncd.core.expr import Gate
from syncd.core.problem import Problem


@dataclass(frozen=True, slots=True)
class Stage:
    """One step from stranger to customer."""

    name: str
    owner: Literal["marketing", "sales"]
    means: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel file, compiled."""

    digest: str
    file: str
    text: str
    qualified: Gate
    stages: tuple[Stage, ...]


def compile_funnel(text: str, file: str, field_names: frozenset[str] | None) -> tuple[Funnel | None, list[Problem]]:
    raise NotImplementedError
