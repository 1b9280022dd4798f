"""Who answered a campaign: what marketing's watches saw of a person, as if it were an attribute of each membership.

Promise: the cost follows what moved: an event leads to the memberships of its person by an index, and only the events of
people whose memberships are decided are read. Incremental, and idempotent under a kill. While a watch is not
in force, whether somebody answered is unasked, never "no". It writes nothing, and no call leaves from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from syncd import refers
from syncd.core.mapping import Answers
from syncd.core.mapping import Mapping as Compiled
from syncd.core.watch import Watch
from syncd.ledger import Ledger
from syncd.ledger.events import Event, Row
from syncd.ledger.facts import Fact
from syncd.run import Run


@dataclass(frozen=True)
class Answered:
    """A membership whose members may have answered."""

    parent: str
    """The mapping of its members."""
    object: int
    """Marketing's memberships."""
    person: str
    """Their attribute that points to the person,"""
    list: str
    """and the one with the list's name."""
    people: str
    """The mapping of people,"""
    persons: tuple[int, ...]
    """and the object numbers of its records in marketing."""
    answers: Answers


def lay(ledger: Ledger, mappings: Mapping[str, Compiled]) -> Iterator[Answered]:
    """The memberships that watch for answers."""
    number = ledger.facts.object_id
    for mapping in mappings.values():
        answers, end = mapping.answers, mapping.marketing
        reference = mapping.field(answers.person).reference if answers is not None else None
        people = mappings.get(reference.mapping) if reference is not None else None
        if answers is None or people is None:
            continue  # the file of people is not valid: unasked
        person, named = (
            mapping.field(name).attribute("marketing", end.object) for name in (answers.person, answers.list)
        )
        assert person is not None
        assert named is not None
        persons = tuple(number(people.marketing.system, form) for form in people.marketing.forms)
        at = number(end.system, end.object)
        yield Answered(mapping.name, at, person, named, people.name, persons, answers)


def index(run: Run, kept: Container[tuple[int, str]]) -> None:
    """Brings the way from people to their memberships up to date. `kept`: the (object, attribute) whose index somebody
    else keeps; what came into it since is decided anyway."""
    wanted = {(one.object, one.person) for one in run.rolls if isinstance(one, Answered)}
    refers.index(run, {at for at in wanted if at not in kept})


def follow(run: Run, watch: Watch, rows: Sequence[Row]) -> None:
    """The memberships of those to whom something happened are decided again; call it in the transaction that keeps it."""
    for one in run.rolls:
        if not isinstance(one, Answered) or watch.name not in one.answers.watches:
            continue
        if not run.ledger.books.decided(one.parent, one.object):
            continue  # all of them are to be decided anyway
        keys = sorted({key for row in rows for mapping, key in row.refs if mapping == one.people})
        lives_on = {key: at[1] for key, at in _lives_on(run.ledger, one, keys)}
        pointing = run.ledger.refers.pointing_to(one.object, one.person, sorted({*keys, *lives_on.values()}))
        run.ledger.books.decide_again(
            one.parent, [(one.object, key) for found in pointing.values() for key in sorted(found)]
        )


def _lives_on(ledger: Ledger, one: Answered, keys: Sequence[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    for object_ in one.persons:
        for key, fact in ledger.facts.many(object_, keys).items():
            at = ledger.facts.lives_on(fact) if fact.into is not None else None
            if at is not None:
                yield key, at


def with_answers(ledger: Ledger, one: Answered, facts: Sequence[Fact]) -> list[Fact]:
    """The same facts, with whether their person answered among the attributes of marketing's memberships."""
    mine = {
        fact.key: str(person)
        for fact in facts
        if fact.object == one.object and fact.state == "live" and (person := fact.attributes.get(one.person))
    }
    if not mine or not _looked(ledger, one):
        return list(facts)
    events = _events(ledger, one, sorted(set(mine.values())))

    def told(fact: Fact) -> Fact:
        if fact.key not in mine or fact.object != one.object:
            return fact
        named = str(fact.attributes.get(one.list) or "")
        met = any(one.answers.meets(event.watch, named, event.values) for event in events[mine[fact.key]])
        value = Answers.YES if met else Answers.NO
        return msgspec.structs.replace(fact, attributes={**fact.attributes, one.answers.attribute: value})

    return [told(fact) for fact in facts]


def _looked(ledger: Ledger, one: Answered) -> bool:
    """Whether every watch is in force. What it has yet to see is followed when it sees it."""
    return all(ledger.books.mapping(watch) is not None for watch in one.answers.watches)


def _events(ledger: Ledger, one: Answered, people: Sequence[str]) -> Mapping[str, list[Event]]:
    """What the watches saw of these people, and of those who were merged into them."""
    stand_for: dict[str, list[str]] = {key: [key] for key in people}
    for object_ in one.persons:
        for into, swallowed in ledger.facts.swallowed(object_, people).items():
            for _, key in swallowed:
                stand_for.setdefault(key, []).append(into)
    found: dict[str, list[Event]] = defaultdict(list)
    for event in ledger.events.of_records(one.people, "marketing", sorted(stand_for)):
        for mapping, key in event.refs if event.watch in one.answers.watches else ():
            if mapping == one.people:
                for person in stand_for.get(key, ()):
                    found[person].append(event)
    return found
