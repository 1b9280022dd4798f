"""Dying at the n-th point: at every commit of the ledger and at every call, before and after it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.memory import MemoryConnector
from syncd.ledger.store import Store as LedgerStore


class Killed(BaseException):
    """The process is gone. Nothing may catch it."""


class Killer:
    """Counts the points where a process can die and dies at the n-th."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.points = 0

    def point(self, _: str) -> None:
        self.points += 1
        if self.points == self.at:
            raise Killed


@contextmanager
def dying(killer: Killer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    commit: Callable[..., Any] = LedgerStore.transaction
    write = MemoryConnector.write
    fetch = MemoryConnector.fetch

    @contextmanager
    def transaction(self: LedgerStore) -> Iterator[Any]:
        outermost = not self._depth
        with commit(self) as connection:
            yield connection
            if outermost:
                killer.point("before a commit")
        if outermost:
            killer.point("after a commit")

    def doomed_write(self: Any, object: str, effects: Any) -> Any:
        killer.point("before a write is applied")
        outcomes = list(write(self, object, effects))
        killer.point("after a write was applied")
        return outcomes

    def doomed_fetch(self: Any, *a: Any, **k: Any) -> Any:
        killer.point("at a read")
        return fetch(self, *a, **k)

    with monkeypatch.context() as patch:
        patch.setattr(LedgerStore, "transaction", transaction)
        patch.setattr(MemoryConnector, "write", doomed_write)
        patch.setattr(MemoryConnector, "fetch", doomed_fetch)
        yield
