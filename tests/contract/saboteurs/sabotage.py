"""What a saboteur is: the reference connector with one mistake, the rule that must catch it, and ways to be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from memory_bench import MemoryBench

from connectors.memory import MemoryConnector
from connectors.memory.sight import as_read
from syncd.connector import Effect, Held, Key, Outcome, Page, Record

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
