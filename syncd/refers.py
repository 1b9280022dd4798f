"""Brings the index of references up to date: who points to whom, for those who ask from the other end.

Promise: incremental, and idempotent under a kill: a batch, what follows from it and the mark behind it are kept in one
transaction. An attribute that nobody asks about is not indexed. No call leaves from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from syncd.run import Run

BATCH = 5000
"""Facts whose references are kept in one transaction."""

Follow = Callable[[int, str, set[str]], None]
"""(object, attribute, records that records of the batch point to, or pointed to until now)."""


def targets_of(raw: Any) -> list[str]:
    """The keys that a reference attribute's value points to: one, several, or none."""
    if raw is None or raw == "":
        return []
    return [str(each) for each in raw] if isinstance(raw, list | tuple) else [str(raw)]


def index(
    run: Run, wanted: Iterable[tuple[int, str]], follow: Follow = lambda object, attribute, pointed: None
) -> None:
    """Indexes what moved since the last time, for these (object, attribute). `follow` is called in the transaction that
    keeps a batch."""
    facts, books, refers = run.ledger.facts, run.ledger.books, run.ledger.refers
    for object_, attribute in sorted(set(wanted)):
        name = f":refers:{attribute}"
        while (mark := books.decided(name, object_)) < facts.revision():
            with run.ledger.transaction():
                moved = facts.moved_values(object_, mark, BATCH, [attribute])
                now = {f.key: _targets(f.attributes[attribute]) if f.state == "live" else [] for f in moved}
                if pointed := refers.keep(object_, attribute, now):
                    follow(object_, attribute, pointed)
                books.set_decided(name, object_, moved[-1].rev if len(moved) == BATCH else facts.revision())


def _targets(said: Any) -> list[str]:
    """As `targets_of`, of a value as SQLite takes it out of a document: a list is still JSON text."""
    return targets_of(orjson.loads(said) if isinstance(said, str) and said.startswith("[") else said)
