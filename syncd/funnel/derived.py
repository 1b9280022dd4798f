"""Puts what the funnel says of people among the attributes of their records, where a mapping asks for it.

Promise: set-wise: a batch costs one or two look-ups, and none where no mapping asks. Who was not judged yet has nothing
said of them: unasked, never blank. It judges nobody (`follow` does) and no call leaves from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from syncd.core.derived import HANDED, OUTCOME, derive, named_in
from syncd.core.funnel import Funnel
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Side
from syncd.core.plan import GIVEN_BACK
from syncd.core.standing import Standing
from syncd.ledger import Ledger
from syncd.ledger.facts import Fact

MARK = ":funnel"
"""Under this name the books say how far facts were followed (`follow`)."""


@dataclass(frozen=True)
class Derived:
    """What a mapping of people asks of the funnel."""

    mapping: str
    funnel: Funnel
    names: Mapping[Side, frozenset[str]]
    """The derived attributes of the records of each side."""
    objects: Mapping[Side, tuple[int, ...]]
    """Their object numbers."""
    promotes: bool = False
    """The mapping has a rule for who is promoted: it hears who was given back."""

    @property
    def every(self) -> frozenset[str]:
        """The names on either side."""
        return frozenset().union(*self.names.values())

    def turned(self, now: Standing, before: Standing | None) -> bool:
        """Whether anything that the mapping asks for is said otherwise than before."""
        names = self.every | {OUTCOME, HANDED}
        return before is None or derive(self.funnel, names, now) != derive(self.funnel, names, before)


def lay(ledger: Ledger, funnel: Funnel | None, mappings: Mapping[str, Compiled]) -> Derived | None:
    """What the mapping of the funnel's people asks for; None: nothing."""
    mapping = None if funnel is None else mappings.get(funnel.about.mapping)
    if funnel is None or mapping is None or not (named_in(mapping) or funnel.nurture or mapping.promotion):
        return None
    names: dict[Side, frozenset[str]] = {}
    objects: dict[Side, tuple[int, ...]] = {}
    for side in SIDES:
        end = mapping.end(side)
        names[side] = frozenset(name for form in end.forms for name in mapping.rolled(side, form)) & named_in(mapping)
        objects[side] = tuple(ledger.facts.object_id(end.system, form) for form in end.forms)
    return Derived(mapping.name, funnel, names, objects, mapping.promotion is not None)


def with_derived(ledger: Ledger, derived: Derived | None, mapping: str, facts: Sequence[Fact]) -> list[Fact]:
    """The same facts, with what the funnel says of them among the attributes."""
    facts = list(facts)
    if derived is None or derived.mapping != mapping:
        return facts
    for side in SIDES:
        names = derived.names[side]
        asked = [fact for fact in facts if fact.object in derived.objects[side] and fact.state == "live"]
        held = derived.promotes and side == "marketing"
        if not (names or held) or not asked:
            continue
        standing = _standing(ledger, derived, side, asked)
        unheard = _unheard(ledger, derived, standing) if held else set()
        for at, fact in enumerate(facts):
            now = standing.get((fact.object, fact.key))
            if now is not None:
                told = derive(derived.funnel, names, now)
                if held and (now.state == "rejected" or (fact.object, fact.key) in unheard):
                    told[GIVEN_BACK] = True
                facts[at] = msgspec.structs.replace(fact, attributes={**fact.attributes, **told})
    return facts


def _unheard(ledger: Ledger, derived: Derived, standing: Mapping[tuple[int, str], Standing]) -> set[tuple[int, str]]:
    """Those whose record in sales is to be opened again, and about whom sales has said something since that was found:
    it waits until `follow` has heard it, which has them decided again."""
    by_object: dict[int, list[str]] = defaultdict(list)
    for (object_, key), now in standing.items():
        if now.reopening:
            by_object[object_].append(key)
    found: set[tuple[int, str]] = set()
    for object_, keys in by_object.items():
        for key, _, other, other_key in ledger.links.across(derived.mapping, object_, keys):
            fact = ledger.facts.get(other, other_key)
            if fact is not None and fact.rev > ledger.books.decided(MARK, other):
                found.add((object_, key))
    return found


def words_of(ledger: Ledger, derived: Derived, object: int, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the funnel says of these people of marketing's, by key: the names that the mapping asks for on sales' side,
    the outcome and the hand-off. Who was not judged yet is absent."""
    names = derived.names["crm"] | {OUTCOME, HANDED}
    return {key: derive(derived.funnel, names, now) for key, now in ledger.loop.standings(object, keys).items()}


def _standing(ledger: Ledger, derived: Derived, side: Side, facts: Sequence[Fact]) -> dict[tuple[int, str], Standing]:
    """Where those people stand whom these records are, by the records' own place."""
    keys: dict[int, list[str]] = defaultdict(list)
    for fact in facts:
        keys[fact.object].append(fact.key)
    people = {(object_, key): (object_, key) for object_, each in keys.items() for key in each}
    if side == "crm":
        people = {
            (object_, key): (other, other_key)
            for object_, each in keys.items()
            for key, _, other, other_key in ledger.links.across(derived.mapping, object_, each)
        }
    theirs: dict[int, list[str]] = defaultdict(list)
    for object_, key in people.values():
        theirs[object_].append(key)
    found = {
        (object_, key): now
        for object_, each in theirs.items()
        for key, now in ledger.loop.standings(object_, each).items()
    }
    return {at: found[person] for at, person in people.items() if person in found}
