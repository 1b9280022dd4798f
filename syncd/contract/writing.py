"""Rules about writing: what is carried out, and what is answered.

Its one promise: each effect has exactly one answer, and that answer is true.
"""

from __future__ import annotations

from syncd.connector import Effect, Key
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Trial

PRIVATE = "zz-private"
"""Part of a value that must not be repeated in a refusal."""


def update(ref: str, key: Key, **attributes: object) -> Effect:
    """An update."""
    return Effect(ref, "update", key, attributes)  # type: ignore[arg-type]


def create(trial: Trial, ref: str, unique: str | None = None) -> Effect:
    """A create of a record that nobody else has."""
    return Effect(ref, "create", None, trial.row(), unique=unique)


def holds(trial: Trial, key: Key, wanted: dict[str, object]) -> None:
    """Whether the record has these values; `Broken` if not."""
    seen = trial.seen(key, list(wanted)).attributes
    for name, value in wanted.items():
        trial.expect(name in seen, f"{name} was written and is not told")
        trial.expect(trial.same(name, seen[name], value), f"{name} does not hold what was written")


# ---------------------------------------------------------------- plain writes


@rule("create")
def nothing_to_write_is_nothing(trial: Trial) -> None:
    """No effects: no outcomes, and no request."""
    before = trial.bench.writes() if trial.bench.can("writes") else 0
    outcomes = list(trial.connector.write(trial.object, []))

    trial.expect(not outcomes, "no effects were answered with outcomes")
    trial.expect(not trial.bench.can("writes") or trial.bench.writes() == before, "no effects made a request")


@rule("create")
def a_create_makes_the_record(trial: Trial) -> None:
    """A create answers with the key, and the record is there at once with the values and our key."""
    unique = f"contract:{trial.tag()}" if trial.traits.key else None
    effect = create(trial, "new", unique)
    outcome = trial.send(effect)
    trial.expect(outcome.key, "a create does not tell the key")
    wanted: dict[str, object] = dict(effect.attributes)
    if trial.traits.key:
        wanted[trial.traits.key] = unique

    holds(trial, str(outcome.key), wanted)


@rule("create")
def an_update_changes_only_what_it_names(trial: Trial) -> None:
    """An update changes the named attributes of its record, and no other attribute or record."""
    subject = trial.subject
    key, other = trial.make(2)
    before, untouched = trial.seen(key).attributes, trial.seen(other).attributes
    trial.pass_time()
    trial.send(update("u", key, **{subject.text: "Text updated"}))

    holds(trial, key, before | {subject.text: "Text updated"})
    trial.expect(trial.seen(other).attributes == untouched, "an update changed another record")


@rule("create")
def none_clears(trial: Trial) -> None:
    """Writing None makes an attribute blank."""
    key = trial.one()
    trial.send(update("u", key, **{trial.subject.second: None}))

    trial.expect(trial.seen(key).attributes[trial.subject.second] is None, "None did not clear an attribute")


@rule("create")
def an_archive_deletes(trial: Trial) -> None:
    """An archive deletes the record; of one that is gone already, it is gone or done, and nothing worse."""
    key, kept = trial.make(2)
    trial.send(Effect("a", "archive", key, {}))
    again = trial.write(Effect("a", "archive", key, {}))["a"]

    trial.expect(all(each.state != "live" for each in trial.fetch([key])), "an archived record is live")
    trial.expect(again.kind in ("gone", "sent"), f"archiving what is gone is {again.kind}")
    trial.expect(trial.seen(kept).state == "live", "an archive deleted another record")


@rule("create", "sample values")
def values_come_back_as_written(trial: Trial) -> None:
    """Text in any alphabet, numbers, truths, dates and choices come back meaning what was written."""
    key = trial.one()
    samples = {**trial.subject.samples, trial.subject.second: 'Zoë "Q" O\'Neil; 北京 <&>'}
    trial.send(update("u", key, **samples))

    holds(trial, key, dict(samples))


@rule("create", "a list of choices")
def choices_come_back_as_a_set(trial: Trial) -> None:
    """Several choices replace the ones before; order does not matter, and an empty list clears."""
    name, options = trial.subject.choices or ("", ())
    key = trial.one()
    for chosen in (list(options), [options[0]], [options[1]]):
        trial.send(update("u", key, **{name: chosen}))
        holds(trial, key, {name: chosen})
    trial.send(update("u", key, **{name: []}))

    trial.expect(trial.seen(key, [name]).attributes[name] is None, "an empty list of choices does not clear")


@rule("create", "an attribute that only moves forward")
def clear_first_turns_back(trial: Trial) -> None:
    """An attribute named in clear_first is cleared in a request of its own, then set: so it can move backward."""
    name, early, late = trial.subject.forward or ("", None, None)
    key = trial.one(**{name: late})
    trial.send(Effect("u", "update", key, {name: early}, clear_first=(name,)))

    holds(trial, key, {name: early})


@rule("create", "an attribute that sets another")
def what_moves_along_is_declared_and_may_be_said(trial: Trial) -> None:
    """An attribute that the system sets by itself with a write is among `moves_along`; said in that write, it is as
    said."""
    name, before, after, along, said = trial.subject.along or ("", None, None, "", None)
    alone, both = trial.make(2, **{name: before, along: said})
    trial.send(update("alone", alone, **{name: after}))
    trial.send(update("both", both, **{name: after, along: said}))

    moved = not trial.same(along, trial.seen(alone, [along]).attributes[along], said)
    declared = along in trial.traits.moves_along.get(name, ())
    trial.expect(declared or not moved, f"{along} was set with {name}, and moves_along does not say so")
    holds(trial, both, {name: after, along: said})


@rule("answered values", "create")
def answered_values_are_as_stored(trial: Trial) -> None:
    """Where a write's answer carries values, they and the stamp are those that a read shows."""
    key = trial.one()
    trial.pass_time()
    outcome = trial.send(update("u", key, **{trial.subject.text: "Text answered"}))
    seen = trial.seen(key)

    told = dict(outcome.attributes or {})
    trial.expect(trial.subject.text in told, "the answer does not carry what was written")
    told = {name: value for name, value in told.items() if name in seen.attributes}
    trial.expect(all(seen.attributes[name] == value for name, value in told.items()), "the answer is not as stored")
    trial.expect(outcome.stamp_ms in (None, seen.stamp_ms), "the answer's stamp is not the record's")


# ---------------------------------------------------------------- batches


@rule("create")
def every_effect_is_answered_by_its_ref(trial: Trial) -> None:
    """In a batch, each effect is answered once, and the answer of a ref is that of its record."""
    keys = trial.make(5)
    outcomes = trial.write(*(update(f"ref {key}", key, **{trial.subject.text: f"Text {key}"}) for key in keys))

    for key in keys:
        outcome = outcomes[f"ref {key}"]
        trial.expect(outcome.kind == "sent" and outcome.key == key, "an effect is answered with another's record")
        holds(trial, key, {trial.subject.text: f"Text {key}"})


@rule("create")
def creates_are_bound_to_their_refs(trial: Trial) -> None:
    """In a batch of creates, each ref gets the key of the record that was made from it."""
    effects = [create(trial, f"ref {count}") for count in range(4)]
    outcomes = trial.write(*effects)

    for effect in effects:
        holds(trial, str(outcomes[effect.ref].key), {trial.subject.text: effect.attributes[trial.subject.text]})


@rule("create", "a restricted attribute")
def one_bad_effect_stops_no_other(trial: Trial) -> None:
    """An effect that is refused does not stop its neighbours, and leaves no trace itself."""
    first, bad, last = trial.make(3)
    text, restricted = trial.subject.text, str(trial.subject.restricted)
    outcomes = trial.write(
        update("first", first, **{text: "Text first"}),
        update("bad", bad, **{text: "Text bad", restricted: PRIVATE}),
        update("last", last, **{text: "Text last"}),
    )

    kinds = [outcomes[ref].kind for ref in ("first", "bad", "last")]
    trial.expect(kinds == ["sent", "refused", "sent"], f"good, bad and good were answered as {', '.join(kinds)}")
    holds(trial, first, {text: "Text first"})
    holds(trial, last, {text: "Text last"})
    trial.expect(trial.seen(bad).attributes[text] != "Text bad", "a refused effect was carried out in part")


@rule("create", "a restricted attribute")
def a_refusal_names_the_culprit(trial: Trial) -> None:
    """A refusal has a code, names the attribute that it is about, and does not repeat the value."""
    for effect in (
        update("bad", trial.one(), **{str(trial.subject.restricted): PRIVATE}),
        Effect("bad", "create", None, trial.row(**{str(trial.subject.restricted): PRIVATE})),
    ):
        outcome = trial.write(effect)["bad"]
        trial.expect(outcome.kind == "refused", f"a value that is no option was {outcome.kind}")
        trial.expect(trial.subject.restricted in outcome.culprits, f"a refused {effect.op} does not name the attribute")
        trial.expect(outcome.code, f"a refused {effect.op} has no code")
        trial.expect(not outcome.again, "a refusal for good is said to succeed later")
        trial.expect(PRIVATE not in outcome.message + outcome.code, "a refusal repeats the value")


@rule("create")
def more_than_a_batch_is_not_lost(trial: Trial) -> None:
    """More effects than a batch are the caller's fault (ValueError, nothing sent), or all of them are answered."""
    limit = trial.traits.update_batch
    key = trial.one()
    effects = [update(str(count), key, **{trial.subject.text: "Text many"}) for count in range(limit + 1)]
    try:
        outcomes = [outcome.ref for outcome in trial.connector.write(trial.object, effects)]
    except ValueError:
        trial.expect(trial.seen(key).attributes[trial.subject.text] != "Text many", "it was refused, and yet sent")
        return

    trial.expect(sorted(outcomes) == sorted(effect.ref for effect in effects), "part of more than a batch was lost")


# ---------------------------------------------------------------- records that are no longer there


def _is_gone(trial: Trial, key: Key, what: str) -> None:
    outcome = trial.write(update("u", key, **{trial.subject.text: "Text for nobody"}))["u"]

    trial.expect(outcome.kind == "gone", f"an update of a record that was {what} is {outcome.kind} {outcome.code}")


@rule("create", "delete")
def an_update_of_a_deleted_record_is_gone(trial: Trial) -> None:
    """An update of a deleted record is answered as gone, and does not bring it back."""
    key = trial.one()
    trial.bench.delete(trial.object, key)
    _is_gone(trial, key, "deleted")

    trial.expect(all(each.state != "live" for each in trial.fetch([key])), "an update brought a deleted record back")


@rule("merges", "create", "merge")
def an_update_of_a_merged_record_is_gone(trial: Trial) -> None:
    """An update of a record that was merged away is answered as gone, and does not hit the one that lives on."""
    winner, loser = trial.make(2)
    survivor = trial.bench.merge(trial.object, winner, loser)
    trial.made.append((trial.object, survivor))
    before = trial.seen(survivor).attributes
    _is_gone(trial, loser, "merged away")

    trial.expect(trial.seen(survivor).attributes == before, "an update of a merged record hit the one that lives on")


@rule("a later form", "create", "convert")
def an_update_of_a_converted_record_is_gone(trial: Trial) -> None:
    """An update of a converted record is answered as gone."""
    key = trial.one()
    trial.made.append(trial.bench.convert(trial.object, key))

    _is_gone(trial, key, "converted")


RULES: tuple[Rule, ...] = (
    nothing_to_write_is_nothing,
    a_create_makes_the_record,
    an_update_changes_only_what_it_names,
    none_clears,
    an_archive_deletes,
    values_come_back_as_written,
    choices_come_back_as_a_set,
    clear_first_turns_back,
    what_moves_along_is_declared_and_may_be_said,
    answered_values_are_as_stored,
    every_effect_is_answered_by_its_ref,
    creates_are_bound_to_their_refs,
    one_bad_effect_stops_no_other,
    a_refusal_names_the_culprit,
    more_than_a_batch_is_not_lost,
    an_update_of_a_deleted_record_is_gone,
    an_update_of_a_merged_record_is_gone,
    an_update_of_a_converted_record_is_gone,
)
