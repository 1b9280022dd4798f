"""Broken connectors: creates, updates, archives, and the answers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from connectors.memory import MemoryConnector
from saboteurs.sabotage import Writer, breaks
from syncd.connector import Effect, Outcome


@breaks("nothing-to-write-is-nothing")
class AsksEvenForNothing(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        if not effects:
            self._ask("write", object, 0)
        return super().write(object, effects)


@breaks("a-create-makes-the-record")
class ForgetsOurKey(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, unique=None)


@breaks("a-create-makes-the-record")
class DoesNotTellTheKey(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, key=None)


@breaks("an-update-changes-only-what-it-names")
class WritesTheWholeRecord(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, attributes={"City": None, **effect.attributes}) if effect.op == "update" else effect


@breaks("none-clears")
class LeavesNoneOut(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, attributes={name: each for name, each in effect.attributes.items() if each is not None})


@breaks("an-archive-deletes")
class OnlySaysThatItDeletes(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        if effects and effects[0].op == "archive":
            return [Outcome(effect.ref, "sent", effect.key) for effect in effects]
        return super().write(object, effects)


@breaks("values-come-back-as-written")
class WritesPlainLettersOnly(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        plain = {
            name: value.encode("ascii", "ignore").decode() if isinstance(value, str) else value
            for name, value in effect.attributes.items()
        }
        return replace(effect, attributes=plain)


@breaks("values-come-back-as-written")
class WritesTruthAsFalse(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, attributes=effect.attributes | {"OptOut": False})  # type: ignore[operator]


@breaks("choices-come-back-as-a-set")
class AddsChoices(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        held = self._store.values(object, str(effect.key))["Topics"] or []
        chosen = effect.attributes["Topics"]
        return replace(effect, attributes={"Topics": [*held, *chosen]})  # type: ignore[misc]


@breaks("clear-first-turns-back")
class DoesNotClearFirst(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, clear_first=())


@breaks("answered-values-are-as-stored")
class AnswersWithTheStampBefore(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, stamp_ms=(outcome.stamp_ms or 0) - 1)


@breaks("answered-values-are-as-stored")
class AnswersWithoutValues(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, attributes=None)


class AnswersByPosition(MemoryConnector):
    """Takes the system's answers to be in the order of the effects."""

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        outcomes = super().write(object, effects)
        return [replace(each, ref=effect.ref) for effect, each in zip(effects, outcomes, strict=True)]


@breaks("every-effect-is-answered-by-its-ref", answers_unordered=True)
class AnswersUpdatesByPosition(AnswersByPosition):
    pass


@breaks("every-effect-is-answered-by-its-ref")
class AnswersOneTwice(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        outcomes = list(super().write(object, effects))
        return [outcomes[0], *outcomes[:-1]]


@breaks("creates-are-bound-to-their-refs", answers_unordered=True)
class AnswersCreatesByPosition(AnswersByPosition):
    pass


@breaks("one-bad-effect-stops-no-other")
class StopsAtTheFirstRefusal(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        stopped = False
        for effect in effects:
            if stopped:
                yield Outcome(effect.ref, "refused", effect.key, code="HALTED")
                continue
            for outcome in super().write(object, [effect]):
                stopped = outcome.kind == "refused"
                yield outcome


@breaks("a-refusal-names-the-culprit")
class NamesNoCulprit(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, culprits=())


@breaks("a-refusal-names-the-culprit")
class RepeatsTheValue(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, message=f"refused: {list(effect.attributes.values())}")


@breaks("more-than-a-batch-is-not-lost")
class WritesOneBatchOnly(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        return super().write(object, effects[: self._store.kinds[object].traits.update_batch])


@breaks("an-update-of-a-deleted-record-is-gone")
class TakesGoneForRefused(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, kind="refused") if outcome.kind == "gone" else outcome


@breaks("an-update-of-a-merged-record-is-gone")
class WritesToTheSurvivor(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        item = self._store.items[object].get(effect.key or "")
        return replace(effect, key=item.into[1]) if item is not None and item.into else effect


@breaks("an-update-of-a-converted-record-is-gone")
class TakesConvertedForRefused(TakesGoneForRefused):
    pass


class Upserts(MemoryConnector):
    """Turns a create that collides into an update of what is there."""

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        for outcome, effect in zip(super().write(object, effects), effects, strict=True):
            if outcome.existing is None:
                yield outcome
            else:
                self._store.edit(object, outcome.existing, effect.attributes, by="syncd")
                yield Outcome(effect.ref, "sent", outcome.existing)


@breaks("one-key-makes-one-record")
class OverwritesTheFirst(Upserts):
    pass


@breaks("one-key-makes-one-record")
class MakesASecondWithoutTheKey(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        for effect in effects:
            outcomes = list(super().write(object, [effect]))
            yield from (
                outcomes if outcomes[0].existing is None else super().write(object, [replace(effect, unique=None)])
            )


@breaks("one-key-twice-in-a-batch-makes-one-record")
class RefusesTheBatch(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        keys = [effect.unique for effect in effects if effect.unique]
        if len(keys) > len(set(keys)):
            return [Outcome(effect.ref, "refused", code="DUPLICATES") for effect in effects]
        return super().write(object, effects)


@breaks("the-precondition-is-honoured")
class IgnoresTheExpectation(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, expect_ms=None)


@breaks("the-precondition-is-honoured")
class MovesWhateverIsExpected(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        return replace(effect, expect_ms=effect.expect_ms and 1)


@breaks("one-moved-effect-stops-no-other")
class MovesTheWholeBatch(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        outcomes = list(super().write(object, effects))
        if any(outcome.kind == "moved" for outcome in outcomes):
            return [replace(outcome, kind="moved") for outcome in outcomes]
        return outcomes


@breaks("an-expectation-without-the-trait-does-no-harm", precondition=False)
class MovesWithoutTheTrait(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, kind="moved") if effect.expect_ms else outcome


class TriesAgain(MemoryConnector):
    """Sends again what was not answered."""

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        outcomes = list(super().write(object, effects))
        if any(outcome.kind == "doubtful" for outcome in outcomes):
            self._store.faults.standing.clear()
            return super().write(object, effects)
        return outcomes


@breaks("a-lost-answer-is-doubt")
class SendsAnUpdateAgain(TriesAgain):
    pass


@breaks("a-lost-answer-is-doubt")
class TakesDoubtForRefused(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, kind="refused") if outcome.kind == "doubtful" else outcome


@breaks("a-lost-answer-to-a-condition-is-doubt")
class TriesAConditionAgain(TriesAgain):
    """The second try meets the first: the record has moved, by our own hand."""


@breaks("a-lost-create-is-made-once", key=None)
class SendsACreateAgain(TriesAgain):
    pass


@breaks("a-lost-batch-is-all-in-doubt")
class DoubtsTheFirstOnly(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        for count, outcome in enumerate(super().write(object, effects)):
            yield replace(outcome, kind="refused") if count and outcome.kind == "doubtful" else outcome


@breaks("a-write-that-raises-did-nothing")
class RaisesHalfWay(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        half = len(effects) // 2
        return [*super().write(object, effects[:half]), *super().write(object, effects[half:])]


@breaks("a-write-that-raises-did-nothing")
class ClearsAndThenRaises(MemoryConnector):
    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        cleared = [replace(each, attributes=dict.fromkeys(each.clear_first)) for each in effects if each.clear_first]
        if cleared:
            list(super().write(object, cleared))
        return super().write(object, effects)
