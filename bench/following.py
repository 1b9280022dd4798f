"""What the closed loop costs in a cycle: a thousand records moved, in a ledger of any size.

First a thousand people are looked at of whom nothing changed: the follow step must find every one of them where the
synthetic ledger put them, or that ledger is not what cycles would have left. Then a thousand change.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import orjson

from bench.engine import FREE
from bench.figure import Figure
from bench.lives import CONTACTS, owner_email, owner_key
from bench.synthetic import OWNERS, TASKS
from syncd.core.credit import MODELS
from syncd.core.model import Owners
from syncd.files import Files
from syncd.funnel.follow import follow
from syncd.ledger import Ledger
from syncd.ledger.events import Row
from syncd.ledger.sums import EVER
from syncd.run import Bench, Run

MOVED = 1000


def measure(files: Files, people: int, now: float) -> list[Figure]:
    """CPU milliseconds of following, by what moved. AssertionError where something stands that a cycle would not leave."""
    ledger = Ledger.open(files.settings.daemon.ledger)
    chance = random.Random(ledger.facts.revision())  # others each time
    keys = [f"{10_000_000 + n}" for n in sorted(chance.sample(range(people), min(MOVED, people // 5)))]
    owners = Owners({owner_key(n): owner_email(n) for n in range(OWNERS)}, {})
    bound = [one.bind({"marketing": owners, "crm": owners}) for one in files.mappings.by_name.values()]
    benches = [Bench(one, {}, {}, {}, {}) for one in bound]
    run = Run(ledger, {}, lambda: now, lambda name, **facts: None, FREE)
    figures = []

    def followed(what: str, move: Callable[[], None]) -> dict[str, Any]:
        with ledger.transaction():
            move()
        before = ledger.loop.standings(CONTACTS, keys)
        begun, changes = time.process_time(), _changes(ledger)
        follow(run, files.mappings, benches)
        took_ms = (time.process_time() - begun) * 1000
        rows = _changes(ledger) - changes
        note = f"{took_ms / len(keys):.2f} ms each, {rows:,} rows written"
        figures.append(Figure("pages", f"{len(keys):,} of {people:,} people: {what}", took_ms, "ms", note=note))
        now_ = ledger.loop.standings(CONTACTS, keys)
        return {key: (before[key], now_[key]) for key in keys if before[key] != now_[key]}

    follow(run, files.mappings, benches)
    followed("a cycle in which nothing moved", lambda: None)
    credited = _credited(ledger)
    differ = followed("looked at again, nothing changed", lambda: _touch(ledger, keys, {}))
    assert not differ, next(iter(differ.items()))
    assert _credited(ledger) == credited
    ready = {"lifecyclestage": "marketingqualifiedlead", "hubspotscore": 88}
    assert followed("their score and stage changed", lambda: _touch(ledger, keys, ready))
    followed("each called once", lambda: _call(ledger, keys, now))
    assert [one.kind for one in ledger.inbox.issues(kind="handoff_sum")] == []
    ledger.close()
    return figures


def _credited(ledger: Ledger) -> list[Any]:
    return [ledger.loop.sums.of(f"credit:{model}", 0, EVER, by="pair") for model in (*MODELS, "assist")]


def _changes(ledger: Ledger) -> int:
    row = ledger.store.row("SELECT total_changes()")
    return int(row[0]) if row else 0


def _touch(ledger: Ledger, keys: list[str], said: dict[str, Any]) -> None:
    """Their facts move."""
    rows = ledger.facts.many(CONTACTS, keys)
    rev = ledger.facts.revision()
    with ledger.store.transaction() as t:
        t.executemany(
            "UPDATE fact SET rev = ?, doc = ? WHERE object = ? AND key = ?",
            [
                (rev + n, orjson.dumps({**fact.attributes, **said}), CONTACTS, fact.key)
                for n, fact in enumerate(rows.values(), 1)
            ],
        )
    ledger.facts._rev = rev + len(rows)


def _call(ledger: Ledger, keys: list[str], now: float) -> None:
    partners = ledger.links.across("people", CONTACTS, keys)
    rows = [
        Row(f"00TX{n:014d}", 0, round(now * 1000) - 60_000, (("people", other),), {"who": other, "kind": "Call"})
        for n, (_, _, _, other) in enumerate(partners)
    ]
    ledger.events.keep("crm_tasks", "crm", TASKS, rows)
