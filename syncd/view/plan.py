"""A plan as people and programs see it: effects in order, what they cost in calls, why they are held.

Promise: streamed from the ledger, a row at a time, whatever its size; the same rows that would be sent. It makes no
call and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import ceil
from typing import Any

import msgspec

from syncd.connector import ObjectTraits
from syncd.holding import plan_rows
from syncd.ledger import Ledger
from syncd.ledger.intents import Intent

STATES = ("ready", "planned", "held", "asked")
"""Effects that were not sent yet."""


def row_digest(intent: Intent) -> str:
    """Names one effect by what it would write, 16 hexadecimal digits: the same in a saved plan and in the ledger."""
    shown = (
        *(intent.mapping, intent.side, intent.object, intent.key, intent.source, intent.op),
        [
            (change.field, change.attribute, change.before, change.after)
            for change in (*intent.body.changes, *intent.body.along)
        ],
    )
    return sha256(msgspec.json.encode(shown)).hexdigest()[:16]


def effects(ledger: Ledger, mappings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The effects of these mappings as `plan --json` shows them."""
    for mapping in mappings:
        for intent in plan_rows(ledger.intents, mapping, STATES):
            yield effect(ledger, intent)


def effect(ledger: Ledger, intent: Intent) -> dict[str, Any]:
    """One effect. A create has no key yet, so it tells the record that it is made from."""
    system, object_ = ledger.facts.name_of(intent.object)
    shown: dict[str, Any] = {
        "mapping": intent.mapping,
        "side": intent.side,
        "system": system,
        "object": object_,
        "key": intent.key,
        "op": intent.op,
        "fields": {
            change.field: {
                "attribute": change.attribute,
                "before": change.before,
                "after": change.after,
                "why": change.why,
            }
            for change in (*intent.body.changes, *intent.body.along)
        },
        "lane": intent.lane,
        "state": intent.state,
        "digest": row_digest(intent),
    }
    if intent.unique is not None:
        shown["stamp"] = intent.unique
    if intent.source is not None:
        from_system, from_object = ledger.facts.name_of(intent.source[0])
        shown["source"] = {"system": from_system, "object": from_object, "key": intent.source[1]}
    return shown


def follows(ledger: Ledger, mappings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The records that are decided once a planned create gave what they refer to its partner: in the same cycle, so what
    is written of them stands in no plan yet."""
    for mapping in mappings:
        for wait in ledger.waits.following(mapping):
            system, object_ = ledger.facts.name_of(wait.object)
            yield {
                "mapping": mapping,
                "system": system,
                "object": object_,
                "key": wait.key,
                "waits_for": {"mapping": wait.parent, "side": wait.side, "key": wait.parent_key},
            }


def count(ledger: Ledger, mappings: Sequence[str]) -> int:
    """How many effects these mappings have planned."""
    return sum(ledger.intents.total(STATES, mapping) for mapping in mappings)


def deletes(ledger: Ledger, mappings: Sequence[str]) -> dict[str, int]:
    """How many deletes wait for a person's approval, by mapping; without those where none does."""
    waiting = {mapping: ledger.intents.total(("asked",), mapping) for mapping in mappings}
    return {mapping: count for mapping, count in waiting.items() if count}


def held(ledger: Ledger, mappings: Sequence[str]) -> list[str]:
    """Why plans are held; one line a reason."""
    found = []
    for mapping in mappings:
        hold = ledger.intents.held(mapping)
        if hold is not None:
            found += [f"{mapping}: {reason}" for reason in hold[1]]
    return found


Traits = Mapping[tuple[str, str], ObjectTraits]
"""By (system, object)."""


def calls(ledger: Ledger, mappings: Sequence[str], traits: Traits) -> dict[str, int]:
    """How many calls sending these effects would take at least, by system: look or find, write, confirm."""
    found: dict[str, int] = {}
    for mapping in mappings:
        counts: dict[tuple[str, str, str], int] = {}
        for object_, op, n in ledger.intents.counts_by_object(mapping, STATES):
            system, name = ledger.facts.name_of(object_)
            counts[system, name, op] = counts.get((system, name, op), 0) + n
        for (system, name, op), n in counts.items():
            found[system] = found.get(system, 0) + _cost(traits.get((system, name)) or _CAUTIOUS, op, n)
    return found


_CAUTIOUS = ObjectTraits(feed="sweep", deletions="reconcile")


def _cost(traits: ObjectTraits, op: str, n: int) -> int:
    if op == "create":
        finds = 1 + (traits.key is not None)
        forms = 1 + len(traits.forms)
        return ceil(n / traits.find_batch) * finds * forms + ceil(n / traits.create_batch)
    size = traits.update_batch if op == "update" else traits.archive_batch
    looks = 0 if traits.precondition else ceil(n / traits.read_batch)
    confirms = ceil(n / traits.history_batch) if traits.history and op == "update" else 0
    return looks + ceil(n / size) + confirms
