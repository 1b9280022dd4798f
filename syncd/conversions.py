"""What a conversion made or met: the account and the opportunity of a converted lead, and who they are in marketing.

Before any mapping is decided, each conversion that is new proposes pairs for other mappings: the company that the person
belongs to with the account, the deal that refers to the person with the opportunity. So they are linked and never made
twice. Promise: a proposal is only a reason to link (`partners` links, or asks); several of them are a question, never
the first one. A kill repeats at most one batch. It makes one kind of call: the person's references are read again,
because no feed may have told of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncd import refers
from syncd.assembly import Mappings
from syncd.core.mapping import Mapping as Compiled
from syncd.core.mapping import keys_of
from syncd.core.model import Side, other
from syncd.errors import AccessError, Transient
from syncd.ledger.facts import Fact
from syncd.ledger.proposals import Place, Proposal
from syncd.matchvalues import candidates, keep_match_values, values_by
from syncd.merged import survivor
from syncd.run import Bench, Run

BATCH = 1000
MOST_READ_AGAIN = 10_000
"""Unlinked records whose references are read again in a cycle with conversions."""
WHY = "made by the conversion of its person"


def wanted(run: Run, names: dict[tuple[str, str], set[str]]) -> None:
    """Adds the attributes that tell what a conversion made, where a mapping uses those objects."""
    for (system, form), attributes in names.items():
        if not run.systems[system].trouble:
            made = run.systems[system].traits(form).conversions
            attributes.update(attribute for object_, attribute in made.items() if (system, object_) in names)


def with_feeders(run: Run, mappings: Mappings, names: Sequence[str] | None) -> Sequence[str] | None:
    """These mappings, and those whose records are converted into theirs: who alone is looked at would else be made anew
    beside what a conversion made. Only what was in force before is added: it is read on, and not decided."""
    if names is None:
        return None
    objects = {
        (end.system, form)
        for name in names
        if name in mappings.by_name
        for end in mappings.by_name[name].ends
        for form in end.forms
    }
    found = list(names)
    for name, mapping in mappings.by_name.items():
        if name in names or run.ledger.books.mapping(name) is None:
            continue
        made = {
            (end.system, object_)
            for end in mapping.ends
            for form in end.forms
            for object_ in _makes(run, end.system, form)
        }
        if made & objects:
            found.append(name)
    return found


def _makes(run: Run, name: str, form: str) -> Iterable[str]:
    """What a conversion of these records makes. Of a system in trouble nothing is known: what needs it is not decided."""
    system = run.systems[name]
    if system.trouble:
        return ()
    try:
        return system.traits(form).conversions
    except (Transient, AccessError):
        return ()


def read_last(run: Run, system: str, form: str) -> bool:
    """Whether an object is to be read behind the others: what its records turn into is seen no later than that they
    did, so that nothing is taken for new that a conversion made."""
    connected = run.systems[system]
    return not connected.trouble and bool(connected.traits(form).forms or connected.traits(form).conversions)


def propose(run: Run, mappings: Mappings, benches: Sequence[Bench]) -> None:
    """Follows the conversions that these mappings' feeds told since the last time."""
    for bench in benches:
        for object_, (side, form) in bench.forms.items():
            system = bench.systems[side]
            if bench.stuck or system.trouble or bench.systems[other(side)].trouble:
                continue
            targets = _targets(mappings, bench, side, system.name, system.traits(form).conversions)
            if targets:
                _follow(run, bench, object_, targets)


Target = tuple[Compiled, str, str]
"""A mapping that uses what a conversion makes, the object of it, and the attribute of the converted record that holds its
key."""


def _targets(mappings: Mappings, bench: Bench, side: Side, system: str, conversions: Mapping[str, str]) -> list[Target]:
    return [
        (mapping, object_, attribute)
        for object_, attribute in conversions.items()
        for mapping in mappings.by_name.values()
        if mapping.name != bench.mapping.name
        if mapping.end(side).system == system and object_ in mapping.end(side).forms
    ]


def _follow(run: Run, bench: Bench, object_: int, targets: Sequence[Target]) -> None:
    facts, books = run.ledger.facts, run.ledger.books
    mark_name = f":conversions:{bench.mapping.name}"
    names = sorted({attribute for _, _, attribute in targets})
    while (mark := books.decided(mark_name, object_)) < (revision := facts.revision()):
        moved = facts.moved_values(object_, mark, BATCH, names)
        converted = [fact for fact in moved if fact.state == "converted"]
        persons = _persons(run, bench, object_, converted) if converted else {}
        _read_again(run, bench, persons.values())
        if persons:
            _read_unlinked(run, bench, object_, targets)
        with run.ledger.transaction():
            for mapping, made_object, attribute in targets:
                made = {fact.key: str(key) for fact in converted if (key := fact.attributes.get(attribute))}
                _keep(run, bench, object_, mapping, made_object, made, persons)
            books.set_decided(mark_name, object_, moved[-1].rev if len(moved) == BATCH else revision)


def _persons(run: Run, bench: Bench, object_: int, converted: Sequence[Fact]) -> dict[str, Place]:
    """Who the converted records are on the other side: their partner, else the only one who matches them."""
    name, side = bench.mapping.name, bench.side(object_)
    whole = run.ledger.facts.many(object_, [fact.key for fact in converted])
    found: dict[str, Place] = {}
    for key, fact in whole.items():
        became = survivor(run, fact)
        ends = [(object_, key), *([became] if became is not None and became[0] in bench.forms else [])]
        links = [link for at in ends for link in run.ledger.links.of_records(name, at[0], [at[1]]).values()]
        if links and (link := run.ledger.links.get(links[0])) is not None:
            end = link.end(other(side))
            found[key] = _lives_on(run, (end.object, end.key))
    left = {key: fact for key, fact in whole.items() if key not in found}
    if left:
        keep_match_values(run, bench)
        for rule in bench.mapping.match:
            values = values_by(bench, object_, {key: fact for key, fact in left.items() if key not in found}, rule)
            across = candidates(run, bench, rule, sorted({value for held in values.values() for value in held}))
            for key, held in values.items():
                ones = {(one.object, one.key) for value in held for one in across.get((other(side), value), ())}
                if len(ones) == 1:
                    found[key] = ones.pop()
    return found


def _lives_on(run: Run, at: Place) -> Place:
    fact = run.ledger.facts.get(*at)
    return (survivor(run, fact) if fact is not None and fact.into else None) or at


def _read_again(run: Run, bench: Bench, persons: Iterable[Place]) -> None:
    """The references of these people that no stamp tells of, as they are now."""
    by_object: dict[int, list[str]] = {}
    for object_, key in persons:
        by_object.setdefault(object_, []).append(key)
    for object_, keys in by_object.items():
        side, form = bench.forms[object_]
        system = bench.systems[side]
        named = (field.attribute(side, form) for field in bench.references)
        names = sorted({name for name in named if name and system.traits(form).moves_no_stamp(name)})
        if not names:
            continue
        try:
            records = list(system.connector.fetch(form, names, keys))
        except (Transient, AccessError) as error:
            system.trouble, system.failure = error.message, error
            continue
        run.ledger.facts.keep_part(object_, records)


def _read_unlinked(run: Run, bench: Bench, object_: int, targets: Sequence[Target]) -> None:
    """Whom the unlinked records of other mappings refer to, where no stamp tells: a deal that was given to its person
    since the last sweep is that person's deal all the same."""
    side = other(bench.side(object_))
    for mapping, _, _ in targets:
        system = run.systems[mapping.end(side).system]
        for form in mapping.end(side).forms:
            named = (
                field.attribute(side, form)
                for field in mapping.references
                if field.reference is not None and field.reference.mapping == bench.mapping.name
            )
            names = sorted({name for name in named if name and system.traits(form).moves_no_stamp(name)})
            made = run.ledger.facts.object_id(system.name, form)
            keys = run.ledger.links.without(mapping.name, made, MOST_READ_AGAIN) if names else []
            try:
                records = list(system.connector.fetch(form, names, keys)) if keys else []
            except (Transient, AccessError) as error:
                system.trouble, system.failure = error.message, error
                return
            run.ledger.facts.keep_part(made, records)


def _keep(
    run: Run,
    bench: Bench,
    object_: int,
    mapping: Compiled,
    made_object: str,
    made: Mapping[str, str],
    persons: Mapping[str, Place],
) -> None:
    """Proposes the partner of each record that a conversion made: (converted record -> its key)."""
    side = bench.side(object_)
    target = run.ledger.facts.object_id(mapping.end(side).system, made_object)
    pointing = _pointing(run, bench, mapping, other(side), [persons[key] for key in made if key in persons])
    proposals = []
    for key, made_key in made.items():
        if key not in persons or run.ledger.links.of_records(mapping.name, target, [made_key]):
            continue
        named = _named_by(run, bench, mapping, other(side), persons[key]) or pointing.get(persons[key], [])
        proposals += [Proposal(at, (target, made_key), WHY) for at in named if _free(run, mapping.name, at)]
    run.ledger.proposals.keep(mapping.name, proposals)


def _named_by(run: Run, bench: Bench, mapping: Compiled, side: Side, person: Place) -> list[Place]:
    """The records of another mapping that the person itself refers to: its company."""
    fact = run.ledger.facts.get(*person)
    if fact is None:
        return []
    system = mapping.end(side).system
    keys = [
        key
        for field in bench.references
        if field.reference is not None and field.reference.mapping == mapping.name and not field.reference.many
        for key in keys_of(fact.attributes.get(field.attribute(side, bench.form(person[0])) or ""))
    ]
    objects = [run.ledger.facts.object_id(system, form) for form in mapping.end(side).forms]
    return [_lives_on(run, (object_, key)) for key in keys for object_ in objects[:1]]


def _pointing(
    run: Run, bench: Bench, mapping: Compiled, side: Side, persons: Sequence[Place]
) -> dict[Place, list[Place]]:
    """The records of another mapping that refer to these people: their deals."""
    system = mapping.end(side).system
    asked: set[tuple[int, str]] = set()
    for field in mapping.references:
        if field.reference is not None and field.reference.mapping == bench.mapping.name:
            for form in mapping.end(side).forms:
                if (attribute := field.attribute(side, form)) is not None:
                    asked.add((run.ledger.facts.object_id(system, form), attribute))
    found: dict[Place, Any] = {}
    if asked and persons:
        refers.index(run, asked)
        for object_, attribute in sorted(asked):
            pointing = run.ledger.refers.pointing_to(object_, attribute, [key for _, key in persons])
            for person in persons:
                found.setdefault(person, []).extend((object_, key) for key in pointing.get(person[1], ()))
    return found


def _free(run: Run, mapping: str, at: Place) -> bool:
    """Whether nobody is linked to it yet. One that was never read may be on its way."""
    fact = run.ledger.facts.get(*at)
    return (fact is None or fact.state == "live") and not run.ledger.links.of_records(mapping, at[0], [at[1]])
