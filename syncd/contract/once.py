"""Rules about what must never happen twice, and what must not happen at all: keys, preconditions, lost answers.

Its one promise: these are the rules on which "no duplicate, no lost edit" rests.
"""

from __future__ import annotations

from syncd.connector import Effect, Outcome
from syncd.contract.rule import Rule, rule
from syncd.contract.trial import Trial
from syncd.contract.writing import create, holds, update
from syncd.errors import Transient

MANY = 60
"""How many effects are sent to see a batch that needs several requests."""


@rule("create", "a key attribute")
def one_key_makes_one_record(trial: Trial) -> None:
    """A second create with the same key of ours is refused, naming the first, which stays as it is."""
    unique = f"contract:{trial.tag()}"
    first = trial.send(create(trial, "first", unique))
    before = trial.seen(str(first.key)).attributes
    second = trial.write(create(trial, "second", unique))["second"]

    trial.expect(second.kind == "refused", f"a second create with the same key was {second.kind}")
    trial.expect(second.existing in (None, first.key), "a refused create names another record as the first")
    met = trial.found(str(trial.traits.key), unique)
    trial.expect([key for _, key in met] == [first.key], f"one key of ours is held by {len(met)} records")
    trial.expect(trial.seen(str(first.key)).attributes == before, "a second create changed the first record")


@rule("create", "a key attribute")
def one_key_twice_in_a_batch_makes_one_record(trial: Trial) -> None:
    """Of two creates with the same key of ours in one batch, at most one is carried out; a third is unharmed."""
    unique = f"contract:{trial.tag()}"
    outcomes = trial.write(create(trial, "one", unique), create(trial, "two", unique), create(trial, "three"))
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
    holds(trial, key, {text: "Text theirs"})
    fresh = trial.seen(key).stamp_ms

    trial.send(Effect("u", "update", key, {text: "Text ours"}, expect_ms=fresh))
    holds(trial, key, {text: "Text ours"})


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


@rule("no precondition", "create", "edit")
def an_expectation_without_the_trait_does_no_harm(trial: Trial) -> None:
    """Where no precondition is claimed, an expected stamp that still holds changes nothing. One that does not hold
    may be passed over, or be told as moved, if nothing was then written."""
    text, key = trial.subject.text, trial.one()
    trial.send(Effect("u", "update", key, {text: "Text fresh"}, expect_ms=trial.seen(key).stamp_ms))
    holds(trial, key, {text: "Text fresh"})
    stale = trial.seen(key).stamp_ms
    trial.pass_time()
    trial.bench.edit(trial.object, key, {text: "Text theirs"})
    kind = trial.write(Effect("u", "update", key, {text: "Text ours"}, expect_ms=stale))["u"].kind

    trial.expect(kind in ("sent", "moved"), f"an expectation that is not claimed to be honoured made a write {kind}")
    holds(trial, key, {text: "Text ours" if kind == "sent" else "Text theirs"})


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
    _lost(trial, update("u", applied, **{text: "Text applied"}), applied=True)
    _lost(trial, update("u", dropped, **{text: "Text dropped"}), applied=False)

    holds(trial, applied, {text: "Text applied"})
    trial.expect(trial.seen(dropped).attributes[text] != "Text dropped", "a write that was lost was sent again")


@rule("a precondition", "create", "lose_answer", "writes")
def a_lost_answer_to_a_condition_is_doubt(trial: Trial) -> None:
    """A conditional write whose answer is lost is doubtful too: not moved, not repeated."""
    text, key = trial.subject.text, trial.one()
    trial.pass_time()
    # Some connectors make sure that conditions work before they send the first.
    trial.send(Effect("first", "update", key, {text: "Text first"}, expect_ms=trial.seen(key).stamp_ms))
    trial.pass_time()
    effect = Effect("u", "update", key, {text: "Text applied"}, expect_ms=trial.seen(key).stamp_ms)
    _lost(trial, effect, applied=True)

    holds(trial, key, {text: "Text applied"})


@rule("create", "lose_answer", "writes")
def a_lost_create_is_made_once(trial: Trial) -> None:
    """A create whose answer is lost is doubtful, and there is one record of it, or none."""
    for applied in (True, False):
        effect = create(trial, "new", f"contract:{trial.tag()}" if trial.traits.key else None)
        _lost(trial, effect, applied=applied)
        met = trial.found(trial.subject.text, str(effect.attributes[trial.subject.text]))
        trial.made.extend((trial.object, key) for _, key in met)
        trial.expect(len(met) == int(applied), f"a create whose answer was lost left {len(met)} records")


@rule("create", "lose_answer", "writes")
def a_lost_batch_is_all_in_doubt(trial: Trial) -> None:
    """When the answer of a batch is lost, every effect of it is doubtful that the request held."""
    keys = trial.make(3)
    trial.bench.lose_answer(applied=True)
    outcomes = trial.write(*(update(key, key, **{trial.subject.text: "Text batch"}) for key in keys))
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
    whole = [update(key, key, **{text: "Text busy"}) for key in keys]
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
                busy = after == 0 and outcome is not None and outcome.kind == "sent"
                trial.expect(not busy, "a write is told as carried out though every request was turned away")


RULES: tuple[Rule, ...] = (
    one_key_makes_one_record,
    one_key_twice_in_a_batch_makes_one_record,
    the_precondition_is_honoured,
    one_moved_effect_stops_no_other,
    an_expectation_without_the_trait_does_no_harm,
    a_lost_answer_is_doubt,
    a_lost_answer_to_a_condition_is_doubt,
    a_lost_create_is_made_once,
    a_lost_batch_is_all_in_doubt,
    a_write_that_raises_did_nothing,
)
