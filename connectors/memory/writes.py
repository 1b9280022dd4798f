"""Carrying out effects on a store, with whatever goes wrong on the way.

Its one promise: each effect is answered once by its `ref`, and `Store.writes` holds exactly those that were applied,
whatever the answer said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.memory.faults import Fault
from connectors.memory.items import Item, Write
from connectors.memory.kinds import Kind, Refusal
from connectors.memory.store import Store
from syncd.connector import Effect, Key, Outcome


def carry_out(store: Store, object: str, effects: Sequence[Effect]) -> list[Outcome]:
    """Answers every effect. What one of them meets does not stop the others."""
    with store.locked():
        outcomes = [_one(store, object, effect) for effect in effects]
    return outcomes[::-1] if store.manners(object).answers_unordered else outcomes


def _one(store: Store, object: str, effect: Effect) -> Outcome:
    fault = store.faults.take("write", object, effect)
    if fault is not None and fault.kind == "meanwhile":
        if fault.run is not None:
            fault.run(store, effect)
        fault = store.faults.take("write", object, effect)
    if fault is None:
        return _apply(store, object, effect)
    return _struck(store, object, effect, fault)


def _struck(store: Store, object: str, effect: Effect, fault: Fault) -> Outcome:
    match fault.kind:
        case "doubtful_after":
            _apply(store, object, effect)
        case "late":
            store.later(fault.late_ms, lambda: _apply(store, object, effect))
        case "refused":
            return Outcome(
                effect.ref,
                "refused",
                effect.key,
                code=fault.code,
                message=fault.message,
                culprits=fault.culprits,
                again=fault.again,
            )
        case "moved":
            return Outcome(effect.ref, "moved", effect.key)
        case "gone":
            return Outcome(effect.ref, "gone", effect.key)
        case "ignored":
            return Outcome(effect.ref, "sent", effect.key)
    return Outcome(effect.ref, "doubtful", effect.key, code="NO_ANSWER", message="the write was not answered")


def _apply(store: Store, object: str, effect: Effect) -> Outcome:
    kind = store.kinds[object]
    try:
        if effect.op == "create":
            return _create(store, kind, effect)
        item = store.items[object].get(effect.key or "")
        if item is None or item.state != "live":
            return Outcome(effect.ref, "gone", effect.key, code="GONE", message="there is no such live record")
        if item.hidden:
            raise Refusal("NOT_ALLOWED", "these credentials may not see the record")
        if kind.traits.precondition and effect.expect_ms is not None and item.stamp_ms > effect.expect_ms:
            return Outcome(effect.ref, "moved", effect.key, code="MOVED", message="the record changed meanwhile")
        return _archive(store, effect, item) if effect.op == "archive" else _update(store, kind, effect, item)
    except Refusal as no:
        return Outcome(
            effect.ref,
            "refused",
            effect.key,
            code=no.code,
            message=no.message,
            culprits=no.culprits,
            existing=no.existing,
        )


def _values(kind: Kind, effect: Effect) -> dict[str, Any]:
    values = dict(effect.attributes)
    if kind.traits.key is not None and effect.unique is not None:
        values[kind.traits.key] = effect.unique
    return values


def _create(store: Store, kind: Kind, effect: Effect) -> Outcome:
    values = _values(kind, effect)
    key = store.create(kind.name, values, by=store.account.writer)
    return _sent(store, kind, effect, key, values)


def _update(store: Store, kind: Kind, effect: Effect, item: Item) -> Outcome:
    values = _values(kind, effect)
    if effect.clear_first:
        store.edit(kind.name, item.key, dict.fromkeys(effect.clear_first), by=store.account.writer)
    store.edit(kind.name, item.key, values, by=store.account.writer)
    return _sent(store, kind, effect, item.key, values)


def _archive(store: Store, effect: Effect, item: Item) -> Outcome:
    store.delete(item.object, item.key, by=store.account.writer)
    store.writes.append(Write(store.now_ms, item.object, effect.op, item.key, effect.ref, {}))
    return Outcome(effect.ref, "sent", item.key)


def _sent(store: Store, kind: Kind, effect: Effect, key: Key, values: dict[str, Any]) -> Outcome:
    store.writes.append(Write(store.now_ms, kind.name, effect.op, key, effect.ref, values))
    if not kind.traits.answers_values:
        return Outcome(effect.ref, "sent", key)
    item = store.item(kind.name, key)
    return Outcome(
        effect.ref,
        "sent",
        key,
        stamp_ms=item.stamp_ms,
        attributes={name: item.values[name] for name in values if name in item.values},
    )
