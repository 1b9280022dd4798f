"""The connector itself: the eight members over a `Store`.

Its one promise: it keeps every rule of `syncd.contract` whatever traits its store claims, and does nothing that a
connector over a wire could not do. It decides nothing, keeps nothing, and opens no connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.memory.feeds import pages
from connectors.memory.items import Call
from connectors.memory.sight import as_read
from connectors.memory.store import Store, fold
from connectors.memory.writes import carry_out
from syncd.connector import Account, Effect, Found, Held, Key, ObjectTraits, Outcome, Page, Record, Schema, Traits


class MemoryConnector:
    """A connector to a store in this process. Safe in several threads: the store is."""

    def __init__(self, store: Store, *, overlap_ms: int = 0) -> None:
        self._store = store
        self._overlap_ms = overlap_ms

    def __repr__(self) -> str:
        return f"MemoryConnector({self._store.account.id})"

    @property
    def traits(self) -> Traits:
        """What the store's kinds claim at this moment."""
        store = self._store
        return Traits(
            {name: kind.traits for name, kind in store.kinds.items()},
            store.meters,
            store.owners,
            store.late_s,
            store.whole_key,
        )

    def identify(self) -> Account:
        """The store's account."""
        self._ask("identify", None, 1)
        return self._store.account

    def describe(self, object: str) -> Schema:
        """The object's attributes that our credentials may see."""
        self._ask("describe", object, 1)
        kind = self._store.kinds[object]
        return Schema(object, {name: each for name, each in kind.attributes.items() if name not in kind.unreadable})

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        """See `syncd.connector.Connector.changes`."""
        self._ask("changes", object, 0)
        for page in pages(self._store, object, attributes, cursor, held, self._overlap_ms):
            self._ask("page", object, len(page.records))
            yield page

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        """See `syncd.connector.Connector.fetch`. Follows a merge to the record that lives on."""
        traits = self._store.kinds[object].traits
        size = min(traits.read_batch, traits.history_batch) if history else traits.read_batch
        asked = list(dict.fromkeys(keys))
        for start in range(0, len(asked), size):
            batch = asked[start : start + size]
            self._ask("fetch", object, len(batch))
            with self._store.locked():
                answered = [record for key in batch for record in self._follow(object, attributes, key, history)]
            yield from answered

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """See `syncd.connector.Connector.find`. Text is compared with letters' case aside."""
        size = self._store.kinds[object].traits.find_batch
        asked = [value for value in dict.fromkeys(values) if value.strip()]
        for start in range(0, len(asked), size):
            batch = asked[start : start + size]
            self._ask("find", object, len(batch))
            with self._store.locked():
                found = list(self._meet(object, attributes, where, batch))
            yield from found

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        """See `syncd.connector.Connector.write`. Raises ValueError, before anything is done, if the effects are of
        several ops or more than a batch."""
        ops = {effect.op for effect in effects}
        if not ops:
            return []
        if len(ops) > 1:
            raise ValueError(f"one op at a time, not {', '.join(sorted(ops))}")
        limit = _batch(self._store.kinds[object].traits, ops.pop())
        if len(effects) > limit:
            raise ValueError(f"at most {limit} effects at a time, not {len(effects)}")
        self._ask("write", object, len(effects))
        return carry_out(self._store, object, effects)

    def close(self) -> None:
        """There is nothing to end."""

    def _ask(self, method: str, object: str | None, count: int) -> None:
        """One request: it is counted, and it is where trouble strikes."""
        self._store.calls.append(Call(self._store.now_ms, method, object, count))
        self._store.faults.strike(method, object)

    def _follow(self, object: str, attributes: Sequence[str], key: Key, history: bool) -> Iterator[Record]:
        while True:
            record = as_read(self._store, self._store.items[object].get(key), attributes, history=history)
            if record is None:
                return
            yield record
            if record.state != "merged" or record.into is None:
                return
            key = record.into[1]

    def _meet(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        store, manners = self._store, self._store.manners(object)
        wanted: dict[str, list[str]] = {}
        for value in values:
            wanted.setdefault(fold(value), []).append(value)
        for item in store.items[object].values():
            if manners.find_lags and item.stamp_ms + manners.lag_ms > store.now_ms:
                continue
            record = as_read(store, item, attributes, history=False)
            if record is not None and record.state in ("live", "converted"):
                for value in wanted.get(_as_text(item.values.get(where)), ()):
                    yield Found(value, record)


def _as_text(value: object) -> str:
    return "" if value is None else str(fold(value))


def _batch(traits: ObjectTraits, op: str) -> int:
    return {"create": traits.create_batch, "update": traits.update_batch, "archive": traits.archive_batch}[op]
