"""Rules about writing: what is carried out, what is answered, and what must never happen twice.

Its one promise: each effect has exactly one answer, and that answer is true.
"""

from __future__ import annotations

from syncd.connector import Effect, Key, Outcome
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Trial
from syncd.errors import Transient

MANY = 60
"""How many effects are sent to see a batch that needs several requests."""
PRIVATE = "zz-private"
"""Part of a value that must not be repeated in a refusal."""


def _update(ref: str, key: Key, **attributes: object) -> Effect:
    return Effect(ref, "update", key, attributes)  # type: ignore[arg-type]


def _create(trial: Trial, ref: str, unique: str | None = None) -> Effect:
    return Effect(ref, "create", None, trial.row(), unique=unique)


def _values(trial: Trial, key: Key, wanted: dict[str, object]) -> None:
    """The record holds these values."""
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
    effect = _create(trial, "new", unique)
    outcome = trial.send(effect)
    trial.expect(outcome.key, "a create does not tell the key")
    wanted: dict[str, object] = dict(effect.attributes)
    if trial.traits.key:
        wanted[trial.traits.key] = unique

    _values(trial, str(outcome.key), wanted)


@rule("create")
def an_update_changes_only_what_it_names(trial: Trial) -> None:
    """An update changes the named attributes of its record, and no other attribute or record."""
    subject = trial.subject
    key, other = trial.make(2)
    before, untouched = trial.seen(key).attributes, trial.seen(other).attributes
    trial.pass_time()
    trial.send(_update("u", key, **{subject.text: "Text updated"}))

    _values(trial, key, before | {subject.text: "Text updated"})
    trial.expect(trial.seen(other).attributes == untouched, "an update changed another record")


@rule("create")
def none_clears(trial: Trial) -> None:
    """Writing None makes an attribute blank."""
    key = trial.one()
    trial.send(_update("u", key, **{trial.subject.second: None}))

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
    trial.send(_update("u", key, **samples))

    _values(trial, key, dict(samples))


@rule("create", "a list of choices")
def choices_come_back_as_a_set(trial: Trial) -> None:
    """Several choices replace the ones before; order does not matter, and an empty list clears."""
    name, options = trial.subject.choices or ("", ())
    key = trial.one()
    for chosen in (list(options), [options[0]], [options[1]]):
        trial.send(_update("u", key, **{name: chosen}))
        _values(trial, key, {name: chosen})
    trial.send(_update("u", key, **{name: []}))

    trial.expect(trial.seen(key, [name]).attributes[name] is None, "an empty list of choices does not clear")


@rule("create", "an attribute that only moves forward")
def clear_first_turns_back(trial: Trial) -> None:
    """An attribute named in clear_first is cleared in a request of its own, then set: so it can move backward."""
    name, early, late = trial.subject.forward or ("", None, None)
    key = trial.one(**{name: late})
    trial.send(Effect("u", "update", key, {name: early}, clear_first=(name,)))

    _values(trial, key, {name: early})


@rule("answered values", "create")
def answered_values_are_as_stored(trial: Trial) -> None:
    """Where a write's answer carries values, they and the stamp are those that a read shows."""
    key = trial.one()
    trial.pass_time()
    outcome = trial.send(_update("u", key, **{trial.subject.text: "Text answered"}))
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
    outcomes = trial.write(*(_update(f"ref {key}", key, **{trial.subject.text: f"Text {key}"}) for key in keys))

    for key in keys:
        outcome = outcomes[f"ref {key}"]
        trial.expect(outcome.kind == "sent" and outcome.key == key, "an effect is answered with another's record")
        _values(trial, key, {trial.subject.text: f"Text {key}"})


@rule("create")
def creates_are_bound_to_their_refs(trial: Trial) -> None:
    """In a batch of creates, each ref gets the key of the record that was made from it."""
    effects = [_create(trial, f"ref {count}") for count in range(4)]
    outcomes = trial.write(*effects)

    for effect in effects:
        _values(trial, str(outcomes[effect.ref].key), {trial.subject.text: effect.attributes[trial.subject.text]})


@rule("create", "a restricted attribute")
def one_bad_effect_stops_no_other(trial: Trial) -> None:
    """An effect that is refused does not stop its neighbours, and leaves no trace itself."""
    first, bad, last = trial.make(3)
    text, restricted = trial.subject.text, str(trial.subject.restricted)
    outcomes = trial.write(
        _update("first", first, **{text: "Text first"}),
        _update("bad", bad, **{text: "Text bad", restricted: PRIVATE}),
        _update("last", last, **{text: "Text last"}),
    )

    kinds = [outcomes[ref].kind for ref in ("first", "bad", "last")]
    trial.expect(kinds == ["sent", "refused", "sent"], f"good, bad and good were answered as {', '.join(kinds)}")
    _values(trial, first, {text: "Text first"})
    _values(trial, last, {text: "Text last"})
    trial.expect(trial.seen(bad).attributes[text] != "Text bad", "a refused effect was carried out in part")


@rule("create", "a restricted attribute")
def a_refusal_names_the_culprit(trial: Trial) -> None:
    """A refusal has a code, names the attribute that it is about, and does not repeat the value."""
    for effect in (
        _update("bad", trial.one(), **{str(trial.subject.restricted): PRIVATE}),
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
    effects = [_update(str(count), key, **{trial.subject.text: "Text many"}) for count in range(limit + 1)]
    try:
        outcomes = [outcome.ref for outcome in trial.connector.write(trial.object, effects)]
    except ValueError:
        trial.expect(trial.seen(key).attributes[trial.subject.text] != "Text many", "it was refused, and yet sent")
        return

    trial.expect(sorted(outcomes) == sorted(effect.ref for effect in effects), "part of more than a batch was lost")


# ---------------------------------------------------------------- records that are no longer there


def _is_gone(trial: Trial, key: Key, what: str) -> None:
    outcome = trial.write(_update("u", key, **{trial.subject.text: "Text for nobody"}))["u"]

    trial.expect(outcome.kind == "gone", f"an update of a record that was {what} is {outcome.kind} {outcome.code}")


@rule("create", "delete")
def an_update_of_a_deleted_record_is_gone(trial: Trial) -> None:
    """An update of a deleted record is answered as gone, and does not bring it back."""
    key = trial.one()
    trial.bench.delete(trial.object, key)
    _is_gone(trial, key, "deleted")

    trial.expect(all(each.state != "live" for each in trial.fetch([key])), "an update brought a deleted record back")


@rule("create", "merge")
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


# ---------------------------------------------------------------- twice, or not at all


@rule("create", "a key attribute")
def one_key_makes_one_record(trial: Trial) -> None:
    """A second create with the same key of ours is refused, naming the first, which stays as it is."""
    unique = f"contract:{trial.tag()}"
    first = trial.send(_create(trial, "first", unique))
    before = trial.seen(str(first.key)).attributes
    second = trial.write(_create(trial, "second", unique))["second"]

    trial.expect(second.kind == "refused", f"a second create with the same key was {second.kind}")
    trial.expect(second.existing in (None, first.key), "a refused create names another record as the first")
    met = trial.found(str(trial.traits.key), unique)
    trial.expect([key for _, key in met] == [first.key], f"one key of ours is held by {len(met)} records")
    trial.expect(trial.seen(str(first.key)).attributes == before, "a second create changed the first record")


@rule("create", "a key attribute")
def one_key_twice_in_a_batch_makes_one_record(trial: Trial) -> None:
    """Of two creates with the same key of ours in one batch, at most one is carried out; a third is unharmed."""
    unique = f"contract:{trial.tag()}"
    outcomes = trial.write(_create(trial, "one", unique), _create(trial, "two", unique), _create(trial, "three"))
    met = trial.found(str(trial.traits.key), unique)

    trial.expect(len(met) <= 1, "two creates with one key in a batch made two records")
    trial.expect(outcomes["three"].kind == "sent", "two creates with one key stopped a third")
    for ref in ("one", "two"):
        trial.expect(
            outcomes[ref].kind in ("sent", "refused"), f"a create with a key given twice is {outcomes[ref].kind}"
        )


@rule("a precondition", "create", "edit")
def the_precondition_is_honoured(trial: Trial) -> None:
    """A write is moved, and not carried out, if the record changed since the stamp that it expects."""
    key, text = trial.one(), trial.subject.text
    trial.pass_time()
    stale = trial.seen(key).stamp_ms
    trial.bench.edit(trial.object, key, {text: "Text theirs"})
    trial.pass_time()
    blind = trial.write(Effect("u", "update", key, {text: "Text ours"}, expect_ms=stale))["u"]
    trial.expect(blind.kind == "moved", f"a write that expects an older stamp is {blind.kind}")
    _values(trial, key, {text: "Text theirs"})
    fresh = trial.seen(key).stamp_ms

    trial.send(Effect("u", "update", key, {text: "Text ours"}, expect_ms=fresh))
    _values(trial, key, {text: "Text ours"})


@rule("a precondition", "create", "edit")
def one_moved_effect_stops_no_other(trial: Trial) -> None:
    """In a batch, an effect that is moved does not stop its neighbours."""
    keys, text = trial.make(3), trial.subject.text
    trial.pass_time()
    stamps = {record.key: record.stamp_ms for record in trial.fetch(keys)}
    trial.bench.edit(trial.object, keys[1], {text: "Text theirs"})
    trial.pass_time()
    effects = [Effect(key, "update", key, {text: "Text ours"}, expect_ms=stamps[key]) for key in keys]
    outcomes = trial.write(*effects)
    kinds = [outcomes[key].kind for key in keys]

    trial.expect(kinds == ["sent", "moved", "sent"], f"around an effect that moved: {', '.join(kinds)}")


@rule("no precondition", "create")
def an_expectation_without_the_trait_is_ignored(trial: Trial) -> None:
    """Where no precondition is claimed, an expected stamp changes nothing."""
    outcome = trial.write(Effect("u", "update", trial.one(), {trial.subject.text: "Text"}, expect_ms=1))["u"]

    trial.expect(outcome.kind == "sent", f"an expectation that cannot be honoured made a write {outcome.kind}")


def _lost(trial: Trial, effect: Effect, *, applied: bool) -> Outcome:
    """One effect whose answer is lost: it must be in doubt, after one request."""
    before = trial.bench.writes()
    trial.bench.lose_answer(applied=applied)
    outcome = trial.write(effect)[effect.ref]
    requests = trial.bench.writes() - before
    trial.bench.calm()

    trial.expect(outcome.kind == "doubtful", f"a write whose answer was lost is {outcome.kind}")
    trial.expect(requests == 1, f"a write whose answer was lost made {requests} requests")
    return outcome


@rule("create", "lose_answer", "writes")
def a_lost_answer_is_doubt(trial: Trial) -> None:
    """A write whose answer is lost is doubtful and is not repeated, whether it was carried out or not."""
    text = trial.subject.text
    applied, dropped = trial.make(2)
    _lost(trial, _update("u", applied, **{text: "Text applied"}), applied=True)
    _lost(trial, _update("u", dropped, **{text: "Text dropped"}), applied=False)

    _values(trial, applied, {text: "Text applied"})
    trial.expect(trial.seen(dropped).attributes[text] != "Text dropped", "a write that was lost was sent again")


@rule("create", "lose_answer", "writes")
def a_lost_create_is_made_once(trial: Trial) -> None:
    """A create whose answer is lost is doubtful, and there is one record of it, or none."""
    for applied in (True, False):
        effect = _create(trial, "new", f"contract:{trial.tag()}" if trial.traits.key else None)
        _lost(trial, effect, applied=applied)
        met = trial.found(trial.subject.text, str(effect.attributes[trial.subject.text]))
        trial.made.extend((trial.object, key) for _, key in met)
        trial.expect(len(met) == int(applied), f"a create whose answer was lost left {len(met)} records")


@rule("create", "lose_answer", "writes")
def a_lost_batch_is_all_in_doubt(trial: Trial) -> None:
    """When the answer of a batch is lost, every effect of it is doubtful that the request held."""
    keys = trial.make(3)
    trial.bench.lose_answer(applied=True)
    outcomes = trial.write(*(_update(key, key, **{trial.subject.text: "Text batch"}) for key in keys))
    trial.bench.calm()

    for key in keys:
        landed = trial.seen(key).attributes[trial.subject.text] == "Text batch"
        kind = outcomes[key].kind
        trial.expect(
            kind == "doubtful" or (kind == "sent" and landed), f"in a batch without answer, an effect is {kind}"
        )
    trial.expect(any(each.kind == "doubtful" for each in outcomes.values()), "a lost answer left no doubt")


@rule("create", "refuse_writes")
def a_write_that_raises_did_nothing(trial: Trial) -> None:
    """When write() raises that the system is busy, nothing was carried out; what was, is an outcome."""
    text, second = trial.subject.text, trial.subject.second
    keys = trial.make(min(trial.traits.update_batch, MANY))
    whole = [_update(key, key, **{text: "Text busy"}) for key in keys]
    split = [Effect(keys[0], "update", keys[0], {second: "Second busy"}, clear_first=(second,))]
    for effects in (whole, split):
        for after in (0, 1):
            before = {record.key: record.attributes for record in trial.fetch(keys)}
            trial.bench.refuse_writes(after)
            try:
                outcomes = trial.write(*effects)
            except Transient:
                outcomes = {}
            finally:
                trial.bench.calm()
            now = {record.key: record.attributes for record in trial.fetch(keys)}
            for effect in effects:
                outcome, changed = outcomes.get(effect.ref), now[effect.ref] != before[effect.ref]
                told = outcome is not None and outcome.kind in ("sent", "doubtful")
                trial.expect(told or not changed, "a write was carried out, and is told as not carried out")


RULES: tuple[Rule, ...] = (
    nothing_to_write_is_nothing,
    a_create_makes_the_record,
    an_update_changes_only_what_it_names,
    none_clears,
    an_archive_deletes,
    values_come_back_as_written,
    choices_come_back_as_a_set,
    clear_first_turns_back,
    answered_values_are_as_stored,
    every_effect_is_answered_by_its_ref,
    creates_are_bound_to_their_refs,
    one_bad_effect_stops_no_other,
    a_refusal_names_the_culprit,
    more_than_a_batch_is_not_lost,
    an_update_of_a_deleted_record_is_gone,
    an_update_of_a_merged_record_is_gone,
    an_update_of_a_converted_record_is_gone,
    one_key_makes_one_record,
    one_key_twice_in_a_batch_makes_one_record,
    the_precondition_is_honoured,
    one_moved_effect_stops_no_other,
    an_expectation_without_the_trait_is_ignored,
    a_lost_answer_is_doubt,
    a_lost_create_is_made_once,
    a_lost_batch_is_all_in_doubt,
    a_write_that_raises_did_nothing,
)
