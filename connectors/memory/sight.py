"""How the store's records look from outside: an `Item` as the `Record` that our credentials may see.

Its one promise: what a read shows follows from the item and the object's traits alone, so that a feed, a fetch and a
look-up never tell different stories about one record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.memory.items import Item
from connectors.memory.kinds import Kind
from connectors.memory.store import Store
from syncd.connector import Entry, Record


def as_told(store: Store, item: Item, attributes: Sequence[str]) -> Record | None:
    """The record as the feed tells it; None where the feed is silent about it."""
    told = as_read(store, item, attributes, history=False)
    if told is None and item.state == "purged" and not item.hidden:
        told = _without_values(item)
    if told is None or told.state == "live" or told.state == "converted" or told.state == "merged":
        return told
    return told if store.kinds[item.object].traits.deletions == "feed" else None


def as_read(store: Store, item: Item | None, attributes: Sequence[str], *, history: bool) -> Record | None:
    """The record as a read by key answers it; None where the system does not answer at all."""
    if item is None or item.hidden or item.state == "purged":
        return None
    kind = store.kinds[item.object]
    if item.state == "merged" and kind.traits.merges:
        return Record(item.key, item.stamp_ms, {}, state="merged", into=item.into)
    if item.state in ("gone", "merged") or (item.state == "converted" and not kind.traits.forms):
        return None if kind.traits.deletions == "reconcile" else _without_values(item)
    asked = [name for name in attributes if name in kind.attributes and name not in kind.unreadable]
    return Record(
        item.key,
        item.stamp_ms,
        {name: _copied(item.values[name]) for name in asked},
        state="converted" if item.state == "converted" else "live",
        into=item.into,
        ours=item.by == store.account.writer,
        history=_history(store, kind, item, asked) if history else None,
    )


def _without_values(item: Item) -> Record:
    return Record(item.key, item.stamp_ms, {}, state="gone")


def _history(store: Store, kind: Kind, item: Item, asked: Sequence[str]) -> dict[str, list[Entry]] | None:
    if not kind.traits.history:
        return None
    ours = store.account.writer
    return {
        name: [Entry(_copied(mark.value), mark.at_ms, mark.by == ours) for mark in item.marks.get(name, ())]
        for name in asked
    }


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
