"""Broken connectors: a full read, reads by key, histories and look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.memory import MemoryConnector
from connectors.memory.store import fold
from saboteurs.sabotage import Feed, Fetcher, breaks, change
from syncd.connector import Found, Held, Key, Page, Record


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
