"""In which order mappings are decided: parents before the children that refer to them.

Promise: the order is the same for the same files, every mapping is in it once, and a circle of references is cut at the
later file. It looks at nothing but the mappings: what a record really refers to is `references`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

Edge = tuple[str, str]
"""(mapping that refers, mapping whose links it follows)."""


class Referring(Protocol):
    """What is needed to know of a mapping (`syncd.core.mapping.Mapping` fits)."""

    @property
    def name(self) -> str: ...
    @property
    def references(self) -> tuple[Any, ...]: ...


M = TypeVar("M", bound=Referring)


def parents_first(mappings: Iterable[M]) -> tuple[list[M], frozenset[Edge]]:
    """The mappings in order, and the edges that lead back to a later one: those never make anybody wait.

    A reference to a mapping that is not there is passed over (`together` reports it).
    """
    by_name: Mapping[str, M] = {mapping.name: mapping for mapping in mappings}
    order: list[M] = []
    open_: list[str] = []
    back: set[Edge] = set()

    def visit(name: str) -> None:
        open_.append(name)
        for parent in sorted(parents_of(by_name[name]) & by_name.keys()):
            if parent in open_:
                back.add((name, parent))
            elif by_name[parent] not in order:
                visit(parent)
        open_.pop()
        order.append(by_name[name])

    for name in by_name:
        if by_name[name] not in order:
            visit(name)
    return order, frozenset(back)


def parents_of(mapping: Referring) -> set[str]:
    """The names of the mappings that this one refers to."""
    return {field.reference.mapping for field in mapping.references if field.reference is not None}
