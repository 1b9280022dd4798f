"""The reference connector: a system in memory that can be told to misbehave.

Its one promise: every trait a connector can claim, and every fault a remote can have, can be had here in one line.
The docs, the property tests and the engine's tests use it. It speaks no HTTP, and nothing outlives the process.

    store = Store.of(Kind.of("contacts", email="text unique lower", score="number calculated"))
    key = store.create("contacts", {"email": "ada@example.test"}, by="ada")
    connector = MemoryConnector(store)
"""

from __future__ import annotations

from connectors.memory.connector import MemoryConnector
from connectors.memory.faults import Fault, Manners
from connectors.memory.kinds import Kind, Refusal
from connectors.memory.settings import ObjectSettings, Settings, connect
from connectors.memory.store import EPOCH_MS, SHELF, Store

__all__ = [
    "EPOCH_MS",
    "SHELF",
    "Fault",
    "Kind",
    "Manners",
    "MemoryConnector",
    "ObjectSettings",
    "Refusal",
    "Settings",
    "Store",
    "connect",
]
