"""Broken connectors: what moved since, deletions, merges and conversions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.memory import MemoryConnector, Store
from saboteurs.reading import InventsRecords
from saboteurs.sabotage import ByStamp, Feed, Fetcher, breaks, change
from syncd.connector import Found, Held, Key, Page, Record


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
