"""What several fields, or several mappings, may not do together.

Promise: no attribute has two writers, and no chain of fields leads a value back to where it came from: either would
make values change for ever, alternating or creeping, whatever each field proves of itself. Every reference leads to a
mapping that pairs the same two systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from syncd.core.mapping import Field, Mapping
from syncd.core.model import SIDES, other
from syncd.core.order import parents_first
from syncd.core.problem import Problem
from syncd.core.toml import did_you_mean

Node = tuple[str, str, str]
"""(system, object, attribute)"""


@dataclass(frozen=True, slots=True)
class _Member:
    mapping: Mapping
    field: Field

    @property
    def name(self) -> str:
        return f"{self.mapping.name}.{self.field.name}"

    def ends(self, *, written: bool) -> list[Node]:
        """The attributes that the field writes, or those it takes values from."""
        return [
            (self.mapping.end(side).system, form, name)
            for side in SIDES
            if self.field.writable(side if written else other(side))
            for form, name in self.field.names[side].items()
        ]


def check_together(mappings: Iterable[Mapping]) -> list[Problem]:
    """Attributes with two writers, circles of one-way fields, and mappings that share a name."""
    mappings = list(mappings)
    members = [_Member(mapping, field) for mapping in mappings for field in mapping.fields]
    return [*_names(mappings), *_two_writers(members), *_circles(members)]


def check_references(mappings: Iterable[Mapping], others: Iterable[str] = ()) -> list[Problem]:
    """References that lead nowhere: to no mapping, to one of other systems or other objects, or round in a circle in
    which everybody would wait. `others`: names of mappings that could not be compiled, and may well be meant."""
    mappings = list(mappings)
    by_name = {mapping.name: mapping for mapping in mappings}
    _, back = parents_first(mappings)
    found: list[Problem] = []
    for mapping in mappings:
        for field in mapping.references:
            assert field.reference is not None
            parent = by_name.get(field.reference.mapping)
            if parent is not None:
                found += _leads_to(mapping, field, parent, back)
            elif field.reference.mapping not in others:
                said = f"'{field.name}' follows the links of '{field.reference.mapping}', and there is no such mapping"
                mend = did_you_mean(field.reference.mapping, by_name) or "write that mapping, or remove the field"
                found.append(at_place(field.reference.place, said, mend))
    return found


def _leads_to(mapping: Mapping, field: Field, parent: Mapping, back: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    reference = field.reference
    assert reference is not None
    for side in SIDES:
        here, there = mapping.end(side), parent.end(side)
        if here.system != there.system:
            said = f"'{field.name}' lives in {here.system}, and '{parent.name}' pairs records of {there.system} there"
            yield at_place(reference.place, said, "follow the links of a mapping of the same two systems")
        for object_ in reference.refers[side]:
            if object_ not in there.forms:
                said = f"'{field.name}' refers to {object_}, and '{parent.name}' has no such form on {side}"
                yield at_place(reference.place, said, f"it has {', '.join(there.forms)}")
    if reference.required and (mapping.name, parent.name) in back:
        said = f"'{field.name}' is required, and '{parent.name}' refers back: each would wait for the other"
        yield at_place(reference.place, said, "required = false on one of them")


def _names(mappings: list[Mapping]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for mapping in mappings:
        if mapping.name in seen:
            yield Problem(
                mapping.file, 1, 1, f"{seen[mapping.name]} is called '{mapping.name}' too", "rename one of them"
            )
        seen.setdefault(mapping.name, mapping.file)


def _two_writers(members: list[_Member]) -> Iterator[Problem]:
    writers: dict[Node, _Member] = {}
    told: set[tuple[str, str]] = set()
    for member in members:
        for node in member.ends(written=True):
            first = writers.setdefault(node, member)
            if first is not member and (first.name, member.name) not in told:
                told.add((first.name, member.name))
                said = f"{node[1]}.{node[2]} is written by '{first.name}' ({first.field.place}) as well"
                yield _at(member, said, "let one of them write it: give the other a flow that leaves it alone")


def _circles(members: list[_Member]) -> Iterator[Problem]:
    """A two-way field is no circle: it keeps a base for both its ends. Several one-way fields have none in common."""
    one_way = [member for member in members if member.field.flow != "both"]
    feeds = {
        index: [
            after
            for after, reader in enumerate(one_way)
            if after != index and not set(member.ends(written=True)).isdisjoint(reader.ends(written=False))
        ]
        for index, member in enumerate(one_way)
    }
    told: set[frozenset[int]] = set()
    for start in feeds:
        circle = _circle(start, feeds)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            names = " → ".join(one_way[index].name for index in [*circle, start])
            said = f"these one-way fields lead a value back to where it came from: {names}"
            yield _at(one_way[start], said, 'use one field with flow = "both" instead')


def _circle(start: int, feeds: dict[int, list[int]]) -> list[int]:
    came_from: dict[int, int] = {}
    reach = [start]
    while reach:
        here = reach.pop()
        for after in feeds[here]:
            if after == start:
                path = [here]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if after not in came_from:
                came_from[after] = here
                reach.append(after)
    return []


def _at(member: _Member, what: str, mend: str) -> Problem:
    return at_place(member.field.place, what, mend)


def at_place(place: str, what: str, mend: str = "") -> Problem:
    """A Problem at a place written as `file:line:column`."""
    file, line, column = place.rsplit(":", 2)
    return Problem(file, int(line), int(column), what, mend)
