"""The reference connector keeps every rule of the contract, whatever its store claims."""

from __future__ import annotations

from typing import Any

import pytest
from memory_bench import LEAD, MemoryBench, world

from connectors.memory import MemoryConnector
from syncd.contract import run

WORLDS: dict[str, dict[str, Any]] = {
    "a log that tells everything": {},
    "a log with bad manners": {"repeats": True, "unordered": True, "empty_pages": True, "answers_unordered": True},
    "a log of an index that lags": {"lag_ms": 30_000, "find_lags": True},
    "a search by stamp": {"feed": "since", "deletions": "tombstone"},
    "a search by stamp of whole seconds": {"feed": "since", "deletions": "feed", "grain_ms": 1000},
    "a search by stamp with bad manners": {
        "feed": "since",
        "deletions": "tombstone",
        "repeats": True,
        "unordered": True,
        "empty_pages": True,
        "lag_ms": 5_000,
        "skips_held": True,
    },
    "nothing but reading everything": {"feed": "sweep", "deletions": "reconcile"},
    "merges that make a third record": {"merge_makes_new": True, "quiet_when_same": True},
    "nothing that can be left out": {
        "feed": "sweep",
        "deletions": "reconcile",
        "merges": False,
        "precondition": False,
        "history": False,
        "answers_values": False,
        "key": None,
        "forms": (),
    },
}


@pytest.mark.parametrize("name", WORLDS)
def test_memory_keeps_the_contract_in_every_world(name: str) -> None:
    """Rule: the reference connector is a reference, with each trait on and off."""
    store = world(**WORLDS[name])
    store.create("Lead", {"LastName": "Resident", "Email": "resident@example.com"})

    verdicts = list(run(MemoryConnector(store), MemoryBench(store), read_only=False, subjects=[LEAD]))

    assert [str(verdict) for verdict in verdicts if verdict.kind not in ("kept", "skipped")] == []
    assert all(verdict.why for verdict in verdicts if verdict.kind == "skipped")
