"""The contract's bench over a sandbox: what is the same for every vendor whose sandbox stands on the chassis.

Time: the sandbox's clock is virtual; the connector is told another clock that is ten minutes ahead of it, because a
connector must not take its own for the system's. Pauses cost nothing: waiting moves a clock of its own.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from syncd.budget import Budget
from syncd.connector import Connector, Context, Key, Neutral
from syncd.contract import Bench
from syncd.http import Http, Timing
from syncd.sandbox.chassis import Server

SKEW_S = 600.0
SETTLED_S = 60.0
"""Longer than any index lags and any recalculation waits."""


class Pauses:
    """A clock for pace and pauses: it runs with the real one, and jumps where somebody sleeps."""

    def __init__(self) -> None:
        self._slept_s = 0.0

    def now(self) -> float:
        return time.monotonic() + self._slept_s

    def sleep(self, seconds: float) -> None:
        self._slept_s += seconds


def context(server: Server, secrets: Mapping[str, str], pauses: Pauses) -> Context:
    """What the shell would hand to a connector of this sandbox."""
    timing = Timing(timeout_s=5.0, retry_s=0.01, retry_max_s=1.0, lag_s=30.0, overlap_s=120.0)

    def now() -> float:
        return server.app.clock.now_ms() / 1000 + SKEW_S

    def open_http(**given: Any) -> Http:
        return Http(
            timing=timing,
            budget=Budget(1_000_000, now=now),
            now=pauses.now,
            sleep=pauses.sleep,
            random=lambda: 0.5,
            **given,
        )

    return Context(
        system=server.app.name,
        open_http=open_http,
        timing=timing,
        secret=lambda reference, name: secrets[name],
        now=now,
    )


class SandboxBench(Bench):
    """People, time and network of one sandbox. A vendor's bench adds its words for values, paths and tokens."""

    write_paths: str
    """A regular expression over the paths of write requests."""
    write_methods: tuple[str, ...] = ("POST",)
    token_paths: str
    too_fast: ClassVar[Mapping[str, Any]]
    """The fault that turns a request away as too fast."""

    def __init__(self, server: Server, connect: Callable[[], Connector], secrets: Sequence[str]) -> None:
        self.server = server
        self.control = server.control
        self._connect = connect
        self._secrets = secrets

    def value(self, value: Neutral) -> Any:
        """A value as a person's action in this sandbox takes it."""
        return value

    def values(self, values: Mapping[str, Neutral]) -> dict[str, Any]:
        """Values likewise."""
        return {name: self.value(value) for name, value in values.items()}

    # ------------------------------------------------------------ people

    def create(self, object: str, rows: Sequence[Mapping[str, Neutral]]) -> list[Key]:
        actions = [{"do": "create", "object": object, "values": self.values(row)} for row in rows]
        return [str(done["key"]) for done in self.control.act_all(actions)]

    def edit(self, object: str, key: Key, values: Mapping[str, Neutral]) -> None:
        self.control.act("edit", object=object, key=key, values=self.values(values))

    def edit_together(self, object: str, keys: Sequence[Key], values: Mapping[str, Neutral]) -> None:
        self.control.clock(freeze=True)
        edit = {"do": "edit", "object": object, "values": self.values(values)}
        self.control.act_all([{**edit, "key": key} for key in keys])

    def delete(self, object: str, key: Key) -> None:
        self.control.act("delete", object=object, key=key)

    def restore(self, object: str, key: Key) -> None:
        self.control.act("restore", object=object, key=key)

    def purge(self, object: str, key: Key) -> None:
        self.control.act("purge", object=object, key=key)

    def merge(self, object: str, winner: Key, loser: Key) -> Key:
        return str(self.control.act("merge", object=object, key=winner, **{"with": loser})["key"])

    def hide(self, object: str, key: Key) -> None:
        self.control.act("hide", object=object, key=key)

    # ------------------------------------------------------------ looking

    def now_ms(self) -> int:
        return self.control.clock()

    def writes(self) -> int:
        paths = re.compile(self.write_paths)
        return sum(each["method"] in self.write_methods and bool(paths.search(each["path"])) for each in self._log())

    def tokens(self) -> int:
        return sum(self.token_paths in each["path"] for each in self._log())

    def secrets(self) -> Sequence[str]:
        return self._secrets

    def connect(self) -> Connector:
        return self._connect()

    def _log(self) -> list[dict[str, Any]]:
        return self.control.log()

    # ------------------------------------------------------------ steering

    def advance(self, seconds: float) -> None:
        self.control.advance(seconds)

    def lose_answer(self, *, applied: bool) -> None:
        self._fault("reset_after" if applied else "reset_before", times=1)

    def refuse_writes(self, after: int) -> None:
        self._fault(nth=after + 1, times=10_000, **self.too_fast)

    def calm(self) -> None:
        self.control.clear_faults()
        self.control.clock(thaw=True)

    def settle(self) -> None:
        self.control.advance(SETTLED_S)

    def clean(self, object: str, keys: Sequence[Key]) -> None:
        with contextlib.suppress(RuntimeError):
            self.control.act("delete", object=object, keys=list(keys))
            return
        for key in keys:
            with contextlib.suppress(RuntimeError):
                self.delete(object, key)

    def _fault(self, kind: str, **rule: Any) -> None:
        rules = [{"kind": kind, "method": each, "path": self.write_paths, **rule} for each in self.write_methods]
        self.control.faults(*rules)
