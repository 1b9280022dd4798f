"""Expressions: Google's CEL, behind one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not true and not false: a name had no value, or the expression failed on this record."""

    why: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that a record must meet."""

    text: str
    place: str
    names: frozenset[str]

    def holds(self, context: Mapping[str, Any]) -> bool | Unknown:
        raise NotImplementedError
