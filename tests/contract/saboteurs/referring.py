"""Broken connectors: attributes that point to other records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.memory import MemoryConnector
from saboteurs.sabotage import Fetcher, Writer, breaks
from syncd.connector import Effect, Key, Outcome, Record, Schema, Traits


@breaks("a-reference-is-described-with-its-objects")
class DescribesReferencesAsText(MemoryConnector):
    def describe(self, object: str) -> Schema:
        schema = super().describe(object)
        return replace(
            schema, attributes={name: replace(each, type="text", refers=()) for name, each in schema.attributes.items()}
        )


@breaks("a-reference-comes-back-as-it-was-written")
class NeverEmptiesAReference(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        kept = {name: value for name, value in effect.attributes.items() if name != "AccountId" or value is not None}
        return replace(effect, attributes=kept)


@breaks("a-list-of-references-is-a-set")
class OnlyAddsToAList(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        if "Partners.Id" not in effect.attributes or effect.key is None:
            return effect
        before = self._store.values(object, effect.key)["Partners.Id"] or []
        wanted = effect.attributes["Partners.Id"]
        both = sorted({*before, *wanted}) if isinstance(wanted, list) else before
        return replace(effect, attributes={**effect.attributes, "Partners.Id": both})


@breaks("a-changed-reference-is-told-or-declared-silent")
class DoesNotSayWhatIsSilent(MemoryConnector):
    @property
    def traits(self) -> Traits:
        claimed = super().traits
        return replace(claimed, objects={name: replace(each, unstamped=()) for name, each in claimed.objects.items()})


@breaks("what-moves-along-is-declared-and-may-be-said")
class DoesNotSayWhatMovesAlong(MemoryConnector):
    @property
    def traits(self) -> Traits:
        claimed = super().traits
        return replace(claimed, objects={name: replace(one, moves_along={}) for name, one in claimed.objects.items()})


@breaks("what-moves-along-is-declared-and-may-be-said")
class WritesWhatMovesAlongFirst(Writer):
    """Sends the fields of one effect apart, so that the system's own value comes last."""

    def send(self, object: str, effect: Effect) -> Effect:
        if "Stage" not in effect.attributes:
            return effect
        return replace(effect, attributes={name: v for name, v in effect.attributes.items() if name != "Since"})


@breaks("what-no-feed-tells-is-read-alone")
class PassesOverWhoRefersToNobody(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return record if any(record.attributes.values()) else None


@breaks("a-create-refers-at-once")
class CreatesWithoutReferences(Writer):
    def send(self, object: str, effect: Effect) -> Effect:
        if effect.op != "create":
            return effect
        return replace(effect, attributes={n: v for n, v in effect.attributes.items() if n != "AccountId"})


@breaks("a-reference-to-nobody-is-refused-by-name")
class BlamesNobodyForAReference(Writer):
    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, culprits=())


@breaks("a-reference-to-nobody-is-refused-by-name")
class TakesTheTargetForTheRecord(Writer):
    """Hears of something deleted, and thinks that it is the record itself."""

    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return replace(outcome, kind="gone") if outcome.code == "NO_SUCH_RECORD" else outcome
