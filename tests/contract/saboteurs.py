"""Broken connectors: for every rule of the contract, at least one that breaks just it.

A rule that no broken connector fails may be a rule that cannot fail. Each saboteur is the reference connector with one
mistake that real connectors make, on a world in which the mistake shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from memory_bench import MemoryBench

from connectors.memory import MemoryConnector, Store
from connectors.memory.sight import as_read
from connectors.memory.store import fold
from syncd.connector import (
    Account,
    Attribute,
    Effect,
    Found,
    Held,
    Key,
    Outcome,
    Page,
    Record,
    Schema,
    Traits,
)

SECRET = "s3cret-of-the-contract"
change = msgspec.structs.replace


@dataclass(frozen=True)
class Sabotage:
    """One broken connector, the rule that must catch it, and the world in which it is tried."""

    rule: str
    connector: type[MemoryConnector]
    claims: Mapping[str, Any] = field(default_factory=dict)
    bench: type[MemoryBench] = MemoryBench
    sound: type[MemoryConnector] = MemoryConnector
    """The same connector without the mistake."""

    def __str__(self) -> str:
        return self.connector.__name__


SABOTAGES: list[Sabotage] = []


def breaks(
    rule: str,
    *,
    bench: type[MemoryBench] = MemoryBench,
    sound: type[MemoryConnector] = MemoryConnector,
    **claims: Any,
) -> Callable[[type[MemoryConnector]], type[MemoryConnector]]:
    """Puts a broken connector on the list."""

    def put(connector: type[MemoryConnector]) -> type[MemoryConnector]:
        SABOTAGES.append(Sabotage(rule, connector, claims, bench, sound))
        return connector

    return put


# ---------------------------------------------------------------- ways to be broken


class Feed(MemoryConnector):
    """Tells its records otherwise."""

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        for page in super().changes(object, attributes, cursor, held):
            told = [self.tell(record, attributes, cursor) for record in page.records]
            yield change(page, records=[record for record in told if record is not None])

    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return record


class Fetcher(MemoryConnector):
    """Answers reads by key otherwise."""

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        for record in super().fetch(object, attributes, keys, history=history):
            answered = self.answer(record, keys)
            if answered is not None:
                yield answered

    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return record


class Writer(MemoryConnector):
    """Sends something else, or tells the outcome otherwise."""

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        sent = [self.send(object, effect) for effect in effects]
        outcomes = {outcome.ref: outcome for outcome in super().write(object, sent)}
        return [self.tell_outcome(object, effect, outcomes[effect.ref]) for effect in effects]

    def send(self, object: str, effect: Effect) -> Effect:
        return effect

    def tell_outcome(self, object: str, effect: Effect, outcome: Outcome) -> Outcome:
        return outcome


class ByStamp(MemoryConnector):
    """A feed of its own, by stamp, four to a page, with a choice of the classic mistakes."""

    strict = False
    """Resumes after the last stamp instead of at it."""
    keyset = True
    """Pages by (stamp, key); else by offset."""
    looks_back = True
    """Starts the next pass where this one began; else after the last record that it told."""

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        store, place = self._store, msgspec.json.decode(cursor) if cursor else {"from": 0, "key": "", "offset": 0}
        began, lag_ms, done = store.now_ms, store.manners(object).lag_ms, False
        while not done:
            seen = sorted(
                (item.stamp_ms, item.key)
                for item in store.items[object].values()
                if item.stamp_ms >= place["from"] and item.stamp_ms + lag_ms <= store.now_ms
            )
            if not self.keyset:
                rest = seen[place["offset"] :]
            elif self.strict:
                rest = [each for each in seen if each[0] > place["from"]]
            else:
                rest = [each for each in seen if each > (place["from"], place["key"])]
            shown, done = rest[:4], len(rest) <= 4
            if self.keyset and shown:
                place = {"from": shown[-1][0], "key": shown[-1][1], "offset": 0}
            else:
                place = {**place, "offset": place["offset"] + len(shown)}
            if done and (self.looks_back or not self.keyset):
                place = {"from": began, "key": "", "offset": 0}
            records = [as_read(store, store.item(object, key), attributes, history=False) for _, key in shown]
            told = [record for record in records if record is not None and record.state != "gone"]
            yield Page(told, msgspec.json.encode(place).decode(), done)


# ---------------------------------------------------------------- the connection


@breaks("identify-is-stable")
class NamesAnotherAccountEachTime(MemoryConnector):
    def identify(self) -> Account:
        return replace(super().identify(), id=str(len(self._store.calls)))


@breaks("traits-are-usable")
class ReadsNothingAtATime(MemoryConnector):
    @property
    def traits(self) -> Traits:
        traits = super().traits
        return replace(traits, objects={name: replace(each, find_batch=0) for name, each in traits.objects.items()})


class Describer(MemoryConnector):
    """Describes an attribute otherwise."""

    def describe(self, object: str) -> Schema:
        schema = super().describe(object)
        described = {name: self.tell_attribute(each) for name, each in schema.attributes.items()}
        return Schema(object, {name: each for name, each in described.items() if each is not None})

    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return attribute


@breaks("the-key-attribute-is-fit")
class ClaimsAKeyThatIsNotUnique(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return replace(attribute, unique=False)


@breaks("describe-knows-what-is-read")
class ForgetsAnAttribute(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return None if attribute.name == "City" else attribute


@breaks("describe-knows-what-is-read")
class CallsEveryTextANumber(Describer):
    def tell_attribute(self, attribute: Attribute) -> Attribute | None:
        return replace(attribute, type="number") if attribute.type == "text" else attribute


class Guarded(MemoryBench):
    """A bench that knows the secret which these connectors hold."""

    def secrets(self) -> Sequence[str]:
        return [SECRET]


@breaks("no-secret-is-printed", bench=Guarded)
class PrintsItsToken(MemoryConnector):
    def __repr__(self) -> str:
        return f"PrintsItsToken(token={SECRET!r})"


@breaks("no-secret-is-in-a-cursor", bench=Guarded)
class KeepsItsTokenInTheCursor(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        for page in super().changes(object, attributes, cursor, held):
            yield change(page, cursor=page.cursor[:-1] + f', "token": "{SECRET}"}}')


@breaks("close-may-come-twice")
class ClosesOnce(MemoryConnector):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@breaks("eight-threads-may-read")
class SharesItsAnswerBetweenThreads(MemoryConnector):
    busy = False

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        if self.busy:
            return
        self.busy = True
        time.sleep(0.005)
        answered = list(super().fetch(object, attributes, keys, history=history))
        self.busy = False
        yield from answered


class Tokened(MemoryConnector):
    """Needs a token to read, which the store counts."""

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        with self._store.locked():
            if self._store.account.name == "expired":
                self.refresh()
        yield from super().fetch(object, attributes, keys, history=history)

    def refresh(self) -> None:
        self._ask("token", None, 1)
        self._store.account = replace(self._store.account, name="fresh")


class TokenBench(MemoryBench):
    """Lets the token of a `Tokened` connector end."""

    def tokens(self) -> int:
        return sum(call.method == "token" for call in self.store.calls)

    def expire_token(self) -> None:
        self.store.account = replace(self.store.account, name="expired")


@breaks("eight-threads-ask-for-one-token", bench=TokenBench, sound=Tokened)
class EachThreadAsksForItsOwn(Tokened):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        if self._store.account.name == "expired":
            time.sleep(0.005)
            self.refresh()
        yield from MemoryConnector.fetch(self, object, attributes, keys, history=history)


# ---------------------------------------------------------------- reading


@breaks("a-full-read-tells-every-record")
class DropsTheLastOfAPage(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        for page in super().changes(object, attributes, cursor, held):
            yield change(page, records=page.records[:3])


@breaks("a-read-may-be-broken-off-after-any-page")
class SavesTheEndWithTheFirstPage(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        pages = list(super().changes(object, attributes, cursor, held))
        for page in pages:
            yield change(page, cursor=pages[-1].cursor)


@breaks("a-cursor-is-plain-text")
class HasACursorOfItsOwnMaking(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        given = cursor.removeprefix("v1:") if cursor else None
        for page in super().changes(object, attributes, given, held):
            yield change(page, cursor=f"v1:{page.cursor}")


@breaks("a-strange-cursor-is-lost")
class StartsAgainWhereverItIs(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        own = cursor if cursor and '"feed"' in cursor else None
        yield from super().changes(object, attributes, own, held)


@breaks("an-unknown-attribute-is-absent")
class TellsWhatItDoesNotKnowAsBlank(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return change(record, attributes=dict.fromkeys(attributes) | record.attributes)


@breaks("an-unknown-attribute-is-absent")
class FailsOnWhatItDoesNotKnow(Fetcher):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        known = self._store.kinds[object].attributes
        return super().fetch(object, [known[name].name for name in attributes], keys, history=history)


@breaks("only-what-was-asked-is-told")
class TellsEverything(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return change(record, attributes=record.attributes | {"Rating": None})


@breaks("blank-is-none-where-it-is-found")
class TellsBlankAsEmptyText(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        blanks = {name: "" for name, value in record.attributes.items() if value is None}
        return change(record, attributes=record.attributes | blanks)


@breaks("blank-is-none")
class LeavesBlanksOut(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, attributes={name: value for name, value in record.attributes.items() if value})


@breaks("fetch-answers-each-key-once")
class AnswersAsOftenAsAsked(Fetcher):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        for key in keys:
            yield from super().fetch(object, attributes, [key], history=history)


@breaks("fetch-tells-the-record-of-the-key")
class BindsAnswersByPosition(Fetcher):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        answered = super().fetch(object, attributes, sorted(keys), history=history)
        for key, record in zip(keys, answered, strict=False):
            yield change(record, key=key)


@breaks("fetch-splits-into-batches")
class ReadsOneBatchOnly(Fetcher):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        size = self._store.kinds[object].traits.read_batch
        return super().fetch(object, attributes, keys[:size], history=history)


@breaks("fetch-agrees-with-the-feed")
class FetchesAnotherStamp(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, stamp_ms=record.stamp_ms + 1)


class InventsRecords(Fetcher):
    """Answers every key, whatever the system says."""

    state = "gone"

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        answered = list(super().fetch(object, attributes, keys, history=history))
        yield from answered
        for key in set(keys) - {record.key for record in answered}:
            yield Record(key, 0, dict.fromkeys(attributes), state=self.state)  # type: ignore[arg-type]


@breaks("a-missing-key-is-silent")
class TakesMissingForGone(InventsRecords):
    pass


@breaks("a-purged-record-is-not-live")
class TakesPurgedForLive(InventsRecords):
    state = "live"


@breaks("a-hidden-record-is-silent")
class TakesHiddenForGone(InventsRecords):
    pass


@breaks("a-hidden-attribute-is-absent")
class TakesHiddenForBlank(Fetcher):
    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        for record in super().fetch(object, attributes, keys, history=history):
            yield change(record, attributes=dict.fromkeys(attributes) | record.attributes)


@breaks("a-hidden-attribute-is-absent")
class NeverLooksAgain(MemoryConnector):
    hidden = frozenset[str]()

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        self.hidden = self.hidden | self._store.kinds[object].unreadable
        return super().fetch(object, [name for name in attributes if name not in self.hidden], keys, history=history)


@breaks("history-names-the-writer")
class TellsHistoryOldestFirst(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        history = {name: entries[::-1] for name, entries in (record.history or {}).items()}
        return change(record, history=history)


@breaks("history-names-the-writer")
class TakesEveryWriterForUs(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        entries = (record.history or {}).items()
        return change(record, history={name: [change(each, ours=True) for each in told] for name, told in entries})


@breaks("history-splits-into-batches")
class ReadsOneBatchOfHistory(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, history=None) if record.key in keys[5:] else record


@breaks("ours-is-never-said-of-others")
class CallsEveryRecordOurs(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, ours=True)


class Finder(MemoryConnector):
    """Asks for other values than it was given."""

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        return super().find(object, attributes, where, [self.ask(object, value) for value in values])

    def ask(self, object: str, value: str) -> str:
        return value


@breaks("find-ignores-the-case-of-an-email")
class FindsTheSameLettersOnly(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        for found in super().find(object, attributes, where, values):
            if found.record.attributes[where] == found.value:
                yield found


@breaks("find-ignores-the-case-of-an-email")
class AnswersWithAnotherValueThanAsked(Finder):
    def ask(self, object: str, value: str) -> str:
        return str(fold(value))


@breaks("a-blank-value-finds-nothing")
class FindsBlanks(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        yield from super().find(object, attributes, where, values)
        if "" in values:
            blank = [key for key, item in self._store.items[object].items() if item.values[where] is None]
            yield from (Found("", record) for record in self.fetch(object, attributes, blank))


@breaks("find-tells-all-of-several")
class FindsTheLastOne(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        yield from {found.value: found for found in super().find(object, attributes, where, values)}.values()


@breaks("find-survives-odd-characters")
class FormsItsOwnQuery(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        return super().find(object, attributes, where, [value for value in values if "\\" not in value])


@breaks("find-splits-into-batches")
class LooksUpOneBatchOnly(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        return super().find(object, attributes, where, values[: self._store.kinds[object].traits.find_batch])


# ---------------------------------------------------------------- change


@breaks("an-idle-feed-is-quiet", feed="sweep", deletions="reconcile")
class StampsWithTheTimeOfReading(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return change(record, stamp_ms=len(self._store.calls))


@breaks("an-edit-is-told")
class TellsEachRecordOnce(Feed):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.told: set[Key] = set()

    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        known = record.key in self.told and cursor is not None
        self.told.add(record.key)
        return None if known else record


@breaks("an-edit-after-a-rest-is-told")
class GivesUpAfterAWhile(MemoryConnector):
    polls = 0

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        self.polls += 1
        for page in super().changes(object, attributes, cursor, held):
            yield change(page, records=[] if self.polls > 4 else page.records)


@breaks("a-new-record-is-told")
class TellsKnownRecordsOnly(TellsEachRecordOnce):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        if cursor is None:
            self.told.add(record.key)
        return record if record.key in self.told else None


@breaks("equal-stamps-are-all-told", feed="since", deletions="reconcile")
class ResumesAfterTheStamp(ByStamp):
    strict = True


@breaks("an-equal-stamp-may-come-late", feed="since", deletions="reconcile")
class ResumesAfterStampAndKey(ByStamp):
    looks_back = False


@breaks("edits-while-reading-are-told", feed="since", deletions="reconcile")
class PagesByOffset(ByStamp):
    keyset = False


@breaks("a-late-index-hides-nothing", feed="since", deletions="reconcile")
class NeverLooksBack(ByStamp):
    pass


@breaks("what-is-held-may-not-hide-an-edit")
class LeavesOutWhateverIsHeld(MemoryConnector):
    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        for page in super().changes(object, attributes, cursor, held):
            known = held([record.key for record in page.records])
            yield change(page, records=[record for record in page.records if record.key not in known])


@breaks("stamps-are-the-systems-own")
class StampsWithItsOwnClock(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, stamp_ms=1_700_000_000_000 + len(self._store.calls))


@breaks("stamps-are-the-systems-own")
class LetsAStampGoBack(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, stamp_ms=record.stamp_ms - 50 * len(self._store.calls))


@breaks("stamps-are-the-systems-own", grain_ms=1000)
class ClaimsACoarserGrain(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, stamp_ms=record.stamp_ms + 1)


@breaks("a-deletion-is-told-by-the-feed")
class ForgetsDeletions(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return None if record.state == "gone" else record


@breaks("a-deletion-is-told-by-fetch", feed="since", deletions="tombstone")
class HasNoTombstones(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return None if record.state == "gone" else record


@breaks("a-deletion-is-told-by-absence", feed="sweep", deletions="reconcile")
class ReadsTheDeleted(InventsRecords):
    state = "live"


@breaks("a-restored-record-is-live")
class BelievesInDeathForEver(Feed):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.dead: set[Key] = set()

    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        if record.state == "gone":
            self.dead.add(record.key)
        return None if record.state == "live" and record.key in self.dead else record


@breaks("a-merge-is-told")
class AnswersTheSurvivorOnly(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return None if record.state == "merged" else record


@breaks("a-merge-is-told")
class AnswersTheLoserOnly(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return record if record.key in keys else None


@breaks("a-merge-shows-in-the-feed")
class TellsTheLoserAsLive(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return change(record, state="live", into=None)


@breaks("a-conversion-is-told")
class TellsConvertedAsLive(Feed):
    def tell(self, record: Record, attributes: Sequence[str], cursor: str | None) -> Record | None:
        return change(record, state="live", into=None)


@breaks("a-conversion-is-told")
class DoesNotSayWhatBecameOfIt(Fetcher):
    def answer(self, record: Record, keys: Sequence[Key]) -> Record | None:
        return change(record, into=None)


@breaks("a-converted-record-is-found-as-such")
class LooksUpOpenRecordsOnly(MemoryConnector):
    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        for found in super().find(object, attributes, where, values):
            if found.record.state == "live":
                yield found


# ---------------------------------------------------------------- writing


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


# ---------------------------------------------------------------- references


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
