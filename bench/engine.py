"""The engine under the stopwatch: real settings, real connectors, real ledger, and a scale on each connector.

The CPU that is spent inside connectors (transport and decoding) is measured apart, thread by thread; what is left of
the process's CPU is the engine's own: comparing, deciding, the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.alone import people_alone
from syncd.assembly import Clock, Connected, connect, load_mappings
from syncd.core.guard import Limit
from syncd.cycle import cycle, prepare, read
from syncd.ledger import Ledger
from syncd.poll import poll
from syncd.run import Run
from syncd.settings import load

ROOT = Path(__file__).parent.parent
FREE = {kind: Limit(1 << 40, 1 << 40, 1.0) for kind in ("creates", "updates", "clears", "deletes")}
SECRETS = {
    "HUBSPOT_TOKEN": "sandbox-hubspot-token",
    "SF_CLIENT_ID": "sandbox-client",
    "SF_CLIENT_SECRET": "sandbox-secret",
}

CONFIG = """
[daemon]
ledger   = "./ledger.db"
mappings = "{mappings}"
[systems.hubspot]
connector = "connectors.hubspot"
base_url  = "{marketing}"
token     = {{ env = "HUBSPOT_TOKEN" }}
calls_per_10s  = 1000000
searches_per_s = 1000000
timing = {{ overlap = "{overlap}", lag = "{lag}" }}
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "{crm}"
flow          = "client_credentials"
client_id     = {{ env = "SF_CLIENT_ID" }}
client_secret = {{ env = "SF_CLIENT_SECRET" }}
timing = {{ overlap = "{overlap}", lag = "{lag}" }}
"""


class Scale:
    """Wraps a connector: adds up the CPU seconds spent in it, and knows for what it is being asked just now."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._spans: list[float] = []
        self.doing = "identity"
        """feed, look, find, write, confirm; identity: anything else."""

    @property
    def spent_s(self) -> float:
        return sum(self._spans)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def changes(self, object: str, *more: Any) -> Iterator[Any]:
        directory = self._connector.traits.owners
        of_owners = directory is not None and directory.object == object
        return self._weighed("identity" if of_owners else "feed", self._connector.changes(object, *more))

    def fetch(self, *given: Any, **more: Any) -> Iterator[Any]:
        return self._weighed("confirm" if more.get("history") else "look", self._connector.fetch(*given, **more))

    def find(self, *given: Any) -> Iterator[Any]:
        return self._weighed("find", self._connector.find(*given))

    def write(self, *given: Any) -> Iterable[Any]:
        self.doing, begun = "write", time.thread_time()
        try:
            return list(self._connector.write(*given))
        finally:
            self._spans.append(time.thread_time() - begun)
            self.doing = "identity"

    def _weighed(self, doing: str, items: Iterable[Any]) -> Iterator[Any]:
        iterator = iter(items)
        while True:
            self.doing, begun = doing, time.thread_time()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._spans.append(time.thread_time() - begun)
                self.doing = "identity"
            yield item


@dataclass(frozen=True)
class Spent:
    """What something took. `own_s`: CPU outside the connectors."""

    wall_s: float
    cpu_s: float
    own_s: float


class Engine:
    """One ledger over two vendors. `now`, `sleep`: the world's clock, where it is not the real one. `mappings`: a folder;
    left out: people alone, and nothing told of them."""

    def __init__(
        self,
        folder: Path,
        marketing: str,
        crm: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        overlap: str = "0ms",
        lag: str = "0ms",
        mappings: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "syncd.toml"
        mappings = mappings or people_alone(folder / "mappings", told=False)
        config.write_text(CONFIG.format(marketing=marketing, crm=crm, mappings=mappings, overlap=overlap, lag=lag))
        settings = load(config, SECRETS)
        self.mappings = load_mappings(settings.daemon.mappings)
        assert not self.mappings.problems, self.mappings.problems
        self.ledger = Ledger.open(settings.daemon.ledger)
        self.systems: Mapping[str, Connected] = connect(settings, self.ledger, Clock(now=now, sleep=sleep))
        self.scales: dict[str, Scale] = {}
        for name, system in self.systems.items():
            self.scales[name] = Scale(system.connector)
            system.connector = self.scales[name]
        self._now = now

    @classmethod
    def at(cls, port: int, folder: Path) -> Engine:
        """Over the benchmark's vendors."""
        return cls(folder, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")

    def close(self) -> None:
        for system in self.systems.values():
            system.connector.close()
        self.ledger.store.close()

    # ------------------------------------------------------------ what it is made to do

    def pull(self) -> Run:
        """Polls every object into the ledger, and nothing more."""
        run = self._run()
        read(run, prepare(run, self.mappings, None))
        self._sound()
        return run

    def sweep(self) -> Run:
        """Reads everything again, whatever the cursors say, and decides nothing."""
        run = self._run()
        for bench in prepare(run, self.mappings, None):
            for side, form in bench.forms.values():
                system = bench.systems[side]
                poll(run, system, form, run.attributes(system.name, form), whole=True)
        self._sound()
        return run

    def once(self) -> Run:
        """One whole cycle."""
        run = self._run()
        cycle(run, self.mappings, yes=True)
        self._sound()
        return run

    def weigh(self, action: Callable[[], Run]) -> tuple[Run, Spent]:
        """Does it, and tells what it took."""
        inside_s = self._inside_s()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        run = action()
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        return run, Spent(wall_s, cpu_s, cpu_s - (self._inside_s() - inside_s))

    def _inside_s(self) -> float:
        return sum(scale.spent_s for scale in self.scales.values())

    def _run(self) -> Run:
        run = Run(self.ledger, self.systems, self._now, lambda name, **facts: None, FREE)
        run.id = self.ledger.books.begin_run("bench", self._now())
        return run

    def _sound(self) -> None:
        for system in self.systems.values():
            assert not system.trouble, system.trouble


def writes(run: Run) -> int:
    """How many effects a run sent."""
    return sum(sum(counts.values()) for tally in run.tallies.values() for counts in tally.writes.values())
