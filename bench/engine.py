"""The engine under the stopwatch: real settings, real connectors, real ledger, against the benchmark's vendors.

`Scale` counts the CPU that is spent inside connectors (transport and decoding) apart from the engine's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syncd.assembly import Clock, Connected, Mappings, connect, load_mappings
from syncd.core.guard import Limit
from syncd.cycle import cycle, prepare, read
from syncd.ledger import Ledger
from syncd.run import Bench, Run
from syncd.settings import load

ROOT = Path(__file__).parent.parent
FREE = {kind: Limit(1 << 40, 1 << 40, 1.0) for kind in ("creates", "updates", "clears", "deletes")}

CONFIG = """
[daemon]
ledger   = "./ledger.db"
mappings = "{mappings}"
[systems.hubspot]
connector = "connectors.hubspot"
base_url  = "http://127.0.0.1:{port}"
token     = {{ env = "BENCH_TOKEN" }}
calls_per_10s = 1000000
searches_per_s = 1000000
timing = {{ overlap = "0ms", lag = "0ms" }}
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "http://127.0.0.1:{port}"
flow          = "client_credentials"
client_id     = {{ env = "BENCH_TOKEN" }}
client_secret = {{ env = "BENCH_TOKEN" }}
timing = {{ overlap = "0ms", lag = "0ms" }}
"""


class Scale:
    """Wraps a connector and adds up the CPU seconds spent in it."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self.spent_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def changes(self, *a: Any) -> Iterator[Any]:
        yield from self._weighed(self._connector.changes(*a))

    def fetch(self, *a: Any, **k: Any) -> Iterator[Any]:
        yield from self._weighed(self._connector.fetch(*a, **k))

    def find(self, *a: Any) -> Iterator[Any]:
        yield from self._weighed(self._connector.find(*a))

    def write(self, *a: Any) -> list[Any]:
        begun = time.thread_time()
        outcomes = list(self._connector.write(*a))
        self.spent_s += time.thread_time() - begun
        return outcomes

    def _weighed(self, items: Any) -> Iterator[Any]:
        iterator = iter(items)
        while True:
            begun = time.thread_time()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.spent_s += time.thread_time() - begun
            yield item


class Engine:
    """One ledger over one vendor process."""

    def __init__(self, port: int, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "syncd.toml"
        config.write_text(CONFIG.format(port=port, mappings=ROOT / "mappings"))
        settings = load(config, {"BENCH_TOKEN": "bench"})
        self.mappings: Mappings = load_mappings(settings.daemon.mappings)
        assert not self.mappings.problems, self.mappings.problems
        self.ledger = Ledger.open(settings.daemon.ledger)
        self.systems: dict[str, Connected] = connect(settings, self.ledger, Clock())
        self.scales = []
        for system in self.systems.values():
            scale = Scale(system.connector)
            system.connector = scale  # type: ignore[assignment]
            self.scales.append(scale)

    def run(self) -> Run:
        run = Run(self.ledger, self.systems, time.time, lambda name, **facts: None, FREE)
        run.id = self.ledger.books.begin_run("bench", time.time())
        return run

    def connectors_s(self) -> float:
        return sum(scale.spent_s for scale in self.scales)

    def pull(self) -> Run:
        """Polls every object into the ledger, and nothing more."""
        run = self.run()
        read(run, prepare(run, self.mappings, None))
        return run

    def benches(self, run: Run) -> list[Bench]:
        return prepare(run, self.mappings, None)

    def once(self) -> Run:
        run = self.run()
        cycle(run, self.mappings, yes=True)
        for system in self.systems.values():
            assert not system.trouble, system.trouble
        return run
