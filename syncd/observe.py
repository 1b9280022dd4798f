"""Watches: what a run read of them becomes events in the ledger.

Promise: incremental, and idempotent under a kill: a batch of facts, its events and the mark behind them are kept in one
transaction. Nothing is written to any system, and no call leaves from here.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd import answers, rollups
from syncd.core.model import Side
from syncd.core.watch import Watch
from syncd.ledger.events import Row
from syncd.ledger.facts import Fact
from syncd.ledger.journal import Note
from syncd.run import Bench, Run

BATCH = 2000
"""Facts whose events are kept in one transaction."""


def put_in_force(run: Run) -> None:
    """A new text of a watch becomes its next version, and what it looks at is gone through again under it."""
    books = run.ledger.books
    for watch in run.watches:
        known = books.mapping(watch.name)
        if known is not None and known.digest == watch.digest:
            continue
        with run.ledger.transaction():
            version = books.keep_mapping(watch.name, watch.digest, watch.text, run.now(), kind="watch")
            books.forget_decided(watch.name)
            said = f"watch, version {version.version} in force, digest {watch.digest[:12]}"
            run.note([Note("mapping", said, watch.name)])


def observe(run: Run, benches: Sequence[Bench]) -> None:
    """Tells the events of everything that moved since it was looked at last."""
    for bench in benches:
        for field in bench.fields.values():
            if field.history:
                for object_, (side, form) in bench.forms.items():
                    if (attribute := field.asked(side, form)) is not None:
                        _changes(run, bench.mapping.name, field.name, side, object_, attribute)
    answers.index(run, rollups.indexed(run))
    for watch in run.watches:
        tally = run.tally(watch.name)
        tally.watch = True
        system = run.systems[watch.end.system]
        if system.trouble:
            tally.skipped = f"{system.name} cannot be read: {system.trouble}"
        tally.moved += _watch(run, watch)


def _watch(run: Run, watch: Watch) -> int:
    facts, books = run.ledger.facts, run.ledger.books
    object_ = facts.object_id(watch.end.system, watch.end.object)
    events = 0
    while (mark := books.decided(watch.name, object_)) < facts.revision() and not run.stop():
        with run.ledger.transaction():
            moved = facts.moved(object_, mark, BATCH)
            rows, gone = _rows(watch, moved)
            kept = run.ledger.events.keep(watch.name, watch.end.side, object_, rows, gone)
            if kept:
                answers.follow(run, watch, rows)
            events += kept
            books.set_decided(watch.name, object_, moved[-1].rev if len(moved) == BATCH else facts.revision())
    return events


def _rows(watch: Watch, facts: Sequence[Fact]) -> tuple[list[Row], list[str]]:
    """Events to be kept, and the keys of records that are none (any more). What changed once has changed for good."""
    rows, gone = [], []
    for fact in facts:
        sight = watch.sight(fact.key, fact.attributes) if fact.state == "live" else None
        if sight is not None:
            slot = sight.at_ms if watch.each == "change" else 0
            rows.append(Row(fact.key, slot, sight.at_ms, sight.refs, sight.values))
        elif watch.each == "record":
            gone.append(fact.key)
    return rows, gone


def _changes(run: Run, mapping: str, field: str, side: Side, object_: int, attribute: str) -> None:
    """A choice that became another one, at its record's own stamp. The first sight of a record is where it starts."""
    facts, books = run.ledger.facts, run.ledger.books
    name = f"{mapping}.{field}"
    while (mark := books.decided(name, object_)) < facts.revision() and not run.stop():
        with run.ledger.transaction():
            moved = facts.moved_values(object_, mark, BATCH, [attribute])
            last = run.ledger.events.last_values(name, object_, [fact.key for fact in moved])
            rows = []
            for fact in moved:
                before, now = last.get(fact.key, {}).get("to"), fact.attributes[attribute]
                if fact.state == "live" and now != before:
                    said = {"from": before, "to": now}
                    rows.append(Row(fact.key, fact.stamp_ms, fact.stamp_ms, ((mapping, fact.key),), said))
            run.ledger.events.keep(name, side, object_, rows)
            books.set_decided(name, object_, moved[-1].rev if len(moved) == BATCH else facts.revision())
