"""Roll-ups: gathers the children of the records to be decided, and has parents decided again when a child moved.

Promise: the cost follows what moved: an index leads from a parent to its children and back, and only the children of
records that are being decided are read. Incremental and idempotent under a kill. What a child's side has not been read
of is unasked, never blank. No call leaves from here; the arithmetic is `core.rollup`'s.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from syncd import answers, refers
from syncd.answers import Answered
from syncd.core.mapping import Mapping as Compiled
from syncd.core.merge import UNASKED
from syncd.core.model import Side
from syncd.core.rollup import Child, Rollup, field_of, needed, roll
from syncd.ledger import Ledger
from syncd.ledger.facts import Fact
from syncd.run import Run

MOST_CHILDREN = 100_000
"""A record with more children than this has its roll-ups unknown: one move of a child reads all of them."""


Place = tuple[tuple[int, ...], tuple[tuple[int, str], ...]]


@dataclass(frozen=True)
class Roll:
    """A roll-up in use: by which mapping, on which side, over which attributes of the children."""

    parent: str
    """The mapping that uses it."""
    parents: tuple[int, ...]
    """The object numbers of its records on that side."""
    side: Side
    attribute: str
    """The name that it has there: `deals.outcome`."""
    child: Compiled
    rollup: Rollup
    over: Mapping[int, tuple[str, str]]
    """Object number of the children -> form and reference attribute."""

    @property
    def over_attributes(self) -> set[tuple[int, str]]:
        """The (object, attribute) that lead from children to parents."""
        return {(object_, attribute) for object_, (_, attribute) in self.over.items()}

    @property
    def place(self) -> Place:
        """Which parents, and which children of theirs."""
        return self.parents, tuple((object_, attribute) for object_, (_, attribute) in self.over.items())


def lay(ledger: Ledger, mappings: Mapping[str, Compiled]) -> tuple[Roll | Answered, ...]:
    """The roll-ups that these mappings use, each once, and who answers which membership."""
    rolls = {(one.parent, one.attribute): one for one in _uses(ledger, mappings)}
    return (*rolls.values(), *answers.lay(ledger, mappings))


def _uses(ledger: Ledger, mappings: Mapping[str, Compiled]) -> Iterator[Roll]:
    number = ledger.facts.object_id
    for parent in mappings.values():
        for field in parent.fields:
            for side, (of, name) in field.rolled.items():
                child = mappings.get(of)
                rollup = child and next((one for one in child.rollups if one.name == name), None)
                over = child and rollup and field_of(child, rollup.over)
                if not child or not rollup or not over:
                    continue  # its file is not valid: unasked
                own, theirs = parent.end(side), child.end(side)
                places = {number(theirs.system, form): (form, name) for form, name in over.names[side].items()}
                parents = tuple(number(own.system, form) for form in own.forms)
                yield Roll(parent.name, parents, side, f"{of}.{name}", child, rollup, places)


def indexed(run: Run) -> set[tuple[int, str]]:
    """The (object, attribute) of which roll-ups keep an index."""
    return {at for one in run.rolls if isinstance(one, Roll) for at in one.over_attributes}


def redefined(before: str, after: str) -> bool:
    """Whether an edit of a mapping's text may change what its roll-ups come to."""
    was, now = tomllib.loads(before), tomllib.loads(after)
    return any(was.get(part) != now.get(part) for part in ("rollups", "fields"))


def decide_anew(run: Run, child: str) -> None:
    """What this mapping's roll-ups come to is defined anew: whoever uses them is decided again."""
    for parent in sorted({one.parent for one in run.rolls if isinstance(one, Roll) and one.child.name == child}):
        run.ledger.books.forget_decided(parent)
        run.ledger.links.forget_rests(parent)


def index(run: Run) -> None:
    """Brings the index up to date; parents of what moved, before or after, are to be decided again."""
    parents: defaultdict[tuple[int, str], set[tuple[str, int]]] = defaultdict(set)
    for one in run.rolls:
        if isinstance(one, Answered):
            continue
        for object_, (_, attribute) in one.over.items():
            parents[object_, attribute].update((one.parent, parent) for parent in one.parents)

    def follow(object_: int, attribute: str, pointed: set[str]) -> None:
        for name, parent in sorted(parents[object_, attribute]):
            if run.ledger.books.decided(name, parent):  # else all of them are to be decided anyway
                known = run.ledger.facts.revisions(parent, sorted(pointed))
                run.ledger.books.decide_again(name, [(parent, key) for key in known])

    refers.index(run, parents, follow)


def with_rolled(ledger: Ledger, rolls: Iterable[Roll | Answered], mapping: str, facts: Iterable[Fact]) -> list[Fact]:
    """The same facts, with what their children come to, and who answered, among the attributes."""
    facts = list(facts)
    met: dict[Place, dict[str, list[Child] | None]] = {}
    for one in rolls:
        if one.parent != mapping:
            continue
        if isinstance(one, Answered):
            facts = answers.with_answers(ledger, one, facts)
            continue
        if not _read(ledger, one):
            continue
        if one.place not in met:  # several roll-ups over one reference have the same children
            keys = [fact.key for fact in facts if fact.object in one.parents and fact.state == "live"]
            met[one.place] = _children(ledger, one, keys) if keys else {}
        values = {
            key: roll(one.child, one.rollup, one.side, children)
            for key, children in met[one.place].items()
            if children is not None
        }
        facts = [_with(fact, one.attribute, values) if fact.object in one.parents else fact for fact in facts]
    return facts


def _with(fact: Fact, attribute: str, values: Mapping[str, Any]) -> Fact:
    value = values.get(fact.key, UNASKED)
    if value is UNASKED:
        return fact
    return msgspec.structs.replace(fact, attributes={**fact.attributes, attribute: value})


def _read(ledger: Ledger, one: Roll) -> bool:
    """Whether the children's side has been read whole, with all that this roll-up is made of."""
    for object_, (form, _) in one.over.items():
        feed = ledger.facts.feed(object_)
        if not feed.complete or not needed(one.child, one.rollup, one.side, form) <= set(feed.attributes):
            return False
    return True


def _children(ledger: Ledger, one: Roll, keys: Sequence[str]) -> dict[str, list[Child] | None]:
    """The live children of each of these parents; None where there are too many to look at."""
    facts = ledger.facts
    children: dict[str, list[Child] | None] = {key: [] for key in keys}
    for object_, (form, attribute) in one.over.items():
        pointing = ledger.refers.pointing_to(object_, attribute, keys)
        children |= {to: None for to, found in pointing.items() if len(found) > MOST_CHILDREN}
        wanted = {key for to, found in pointing.items() if children[to] is not None for key in found}
        seen = facts.many(object_, sorted(wanted)) if wanted else {}
        for to, found in pointing.items():
            mine = children[to]
            if mine is not None:
                known = (seen[key] for key in found if key in seen)
                mine += [Child(form, fact.key, fact.attributes) for fact in known if fact.state == "live"]
    return children
