"""Rules about references: attributes that hold other records' keys, one or a list of them.

Its one promise: what refers to what comes back as it was written, is described as what it is, and a change of it is told
by the feed unless the connector says that none tells it.
"""

from __future__ import annotations

from syncd.connector import Effect, Key, Neutral
from syncd.contract.bench import Pointer
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Trial


@rule("a reference", "create")
def a_reference_comes_back_as_it_was_written(trial: Trial) -> None:
    """A reference that is written reads as that record's key, changes to another one, and is emptied by None."""
    pointer = _one(trial)
    first, second = _targets(trial, pointer)
    key = trial.one()
    for wanted in (first, second, None):
        _write(trial, key, pointer.attribute, wanted)
        told = _read(trial, key, pointer.attribute)
        trial.expect(told == wanted, "a reference does not read as it was written")


@rule("a list of references", "create")
def a_list_of_references_is_a_set(trial: Trial) -> None:
    """A list of references takes the place of the one before: sorted, without repeats, None for none; whoever is in
    both lists stays."""
    pointer = _several(trial)
    first, second = _targets(trial, pointer)
    key = trial.one()
    for wanted in ([second, first], [second], [first], None):
        _write(trial, key, pointer.attribute, wanted)
        told = _read(trial, key, pointer.attribute)
        trial.expect(told == (sorted(wanted) if wanted else None), "a list of references does not read as a sorted set")


@rule("a reference", "create")
def a_create_refers_at_once(trial: Trial) -> None:
    """A record that is created with a reference has it as soon as it is there."""
    pointer = _one(trial)
    target, _ = _targets(trial, pointer)
    outcome = trial.send(Effect("new", "create", None, trial.row(**{pointer.attribute: target})))
    told = _read(trial, str(outcome.key), pointer.attribute)
    trial.expect(told == target, "a record created with a reference does not have it")


@rule("a reference", "create", "delete")
def a_reference_to_nobody_is_refused_by_name(trial: Trial) -> None:
    """A reference to a deleted record is refused and named; other effects of the batch are carried out."""
    pointer = _one(trial)
    gone, there = _targets(trial, pointer)
    first, second = trial.make(2)
    trial.bench.delete(pointer.object, gone)
    effects = [
        Effect(ref, "update", key, {pointer.attribute: to})
        for ref, key, to in (("bad", first, gone), ("good", second, there))
    ]
    outcomes = trial.write(*effects)
    trial.expect(outcomes["bad"].kind == "refused", f"a reference to a deleted record is {outcomes['bad'].kind}")
    trial.expect(pointer.attribute in outcomes["bad"].culprits, "the refusal of a reference does not name it")
    trial.expect(outcomes["good"].kind == "sent", "a refused reference stopped another effect")
    trial.expect(_read(trial, second, pointer.attribute) == there, "a refused reference stopped another effect")


@rule("a reference or a list of them", read_only=True)
def a_reference_is_described_with_its_objects(trial: Trial) -> None:
    """describe() says whether an attribute holds one key or a list of keys, and which objects it may point to."""
    for pointer, type_ in ((trial.subject.reference, "reference"), (trial.subject.references, "references")):
        if pointer is None:
            continue
        attribute = trial.attribute(pointer.attribute)
        trial.expect(attribute.type == type_, f"{pointer.attribute} is described as {attribute.type}, not {type_}")
        trial.expect(
            pointer.object in attribute.refers, f"{pointer.attribute} is not said to point to {pointer.object}"
        )


@rule("a reference or a list of them", "create")
def a_changed_reference_is_told_or_declared_silent(trial: Trial) -> None:
    """When a reference changes, the feed tells the record with it, unless the attribute is declared as one that no
    feed tells."""
    key = trial.one()
    for pointer, many in ((trial.subject.reference, False), (trial.subject.references, True)):
        if pointer is None or trial.traits.moves_no_stamp(pointer.attribute) or trial.traits.feed == "sweep":
            continue
        target, _ = _targets(trial, pointer)
        cursor = trial.start()
        trial.pass_time()
        _write(trial, key, pointer.attribute, [target] if many else target)
        told = trial.next(cursor, asked=[pointer.attribute]).latest.get(key)
        trial.expect(told is not None, "the feed is silent about a reference that changed, and no trait says so")
        if told is not None:
            wanted = [target] if many else target
            trial.expect(
                told.attributes.get(pointer.attribute) == wanted, "the feed tells another reference than fetch()"
            )


@rule("an attribute that no feed tells", "create")
def what_no_feed_tells_is_read_alone(trial: Trial) -> None:
    """Asked for an attribute alone that no feed tells, fetch() answers each live key with its value and nothing else."""
    pointers = [
        (pointer, many)
        for pointer, many in ((trial.subject.reference, False), (trial.subject.references, True))
        if pointer is not None and trial.traits.moves_no_stamp(pointer.attribute)
    ]
    for pointer, many in pointers:
        target, _ = _targets(trial, pointer)
        holder, bare = trial.make(2)
        wanted = [target] if many else target
        _write(trial, holder, pointer.attribute, wanted)
        told = {record.key: record.attributes for record in trial.fetch([holder, bare], [pointer.attribute])}
        trial.expect(told.keys() == {holder, bare}, "fetch() of a reference alone does not answer every live key")
        trial.expect(
            all(list(each) == [pointer.attribute] for each in told.values()), "more is told than was asked for"
        )
        trial.expect(told[holder][pointer.attribute] == wanted, "read alone, a reference has another value")
        trial.expect(told[bare][pointer.attribute] is None, "read alone, a reference to nobody is not None")


def _one(trial: Trial) -> Pointer:
    assert trial.subject.reference is not None
    return trial.subject.reference


def _several(trial: Trial) -> Pointer:
    assert trial.subject.references is not None
    return trial.subject.references


def _targets(trial: Trial, pointer: Pointer) -> tuple[Key, Key]:
    """Two records that may be pointed to."""
    tag = trial.tag()
    rows = [{**pointer.row, pointer.text: f"Target {tag} {n}"} for n in (1, 2)]
    first, second = trial.bench.create(pointer.object, rows)
    trial.made += [(pointer.object, first), (pointer.object, second)]
    return first, second


def _write(trial: Trial, key: Key, attribute: str, value: Neutral) -> None:
    trial.send(Effect("reference", "update", key, {attribute: value}))


def _read(trial: Trial, key: Key, attribute: str) -> object:
    told = trial.seen(key, [attribute]).attributes
    trial.expect(attribute in told, "a reference is absent")
    return told[attribute]


RULES: tuple[Rule, ...] = (
    a_reference_is_described_with_its_objects,
    a_reference_comes_back_as_it_was_written,
    a_list_of_references_is_a_set,
    a_create_refers_at_once,
    a_reference_to_nobody_is_refused_by_name,
    a_changed_reference_is_told_or_declared_silent,
    what_no_feed_tells_is_read_alone,
)
