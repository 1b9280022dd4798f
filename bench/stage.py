"""The engine between both sandboxes, where the vendors' own rules hold and every call is counted at the vendor.

The clock is virtual and moves a little with every request, so that a run of thousands of calls takes as long as it would
and nothing waits. Vendor limits are off; paging, caps, lag, stamps and conditions are as the sandboxes have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.engine import Engine, writes
from connectors.hubspot import sandbox as hubspot
from connectors.salesforce import sandbox as salesforce
from syncd.run import Run
from syncd.sandbox.chassis import Request, Response, serve
from syncd.sandbox.clock import Clock
from syncd.sandbox.company import Person, people
from syncd.sandbox.faults import Faults
from syncd.transport import without_ids

NOW_MS = 1_795_219_200_000
REQUEST_MS = 20
"""How long each request takes, in the sandboxes' time."""
BETWEEN_CYCLES_MS = 30_000
MOST_CYCLES = 12


@dataclass
class Witness:
    """A vendor that counts what it is asked, by what the engine is doing just then. See `syncd.sandbox.wire.App`."""

    app: Any
    doing: Callable[[], str] = lambda: ""
    counted: Counter[str] = field(default_factory=Counter)
    """Calls by part: identity, feed, look, find, write, confirm."""
    told: Counter[str] = field(default_factory=Counter)
    """Calls by part and path."""

    def __post_init__(self) -> None:
        self.name: str = self.app.name
        self.clock: Clock = self.app.clock
        self.faults: Faults = self.app.faults

    def handle(self, request: Request) -> Response:
        self.clock.advance(REQUEST_MS)
        part = self.doing()
        self.counted[part] += 1
        self.told[f"{part}: {request.method} {without_ids(request.path)}"] += 1
        response: Response = self.app.handle(request)
        return response

    def act(self, action: dict[str, Any]) -> dict[str, Any]:
        done: dict[str, Any] = self.app.act(action)
        return done

    def state(self, object: str | None) -> dict[str, Any]:
        state: dict[str, Any] = self.app.state(object)
        return state

    def switch(self, changes: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = self.app.switch(changes)
        return values

    def take(self) -> Counter[str]:
        """What was counted since this was asked last."""
        counted, self.counted, self.told = self.counted, Counter(), Counter()
        return counted


@dataclass
class Stage:
    """Both vendors and the engine between them."""

    clock: Clock
    marketing: Witness
    crm: Witness
    engine: Engine

    def until_quiet(self) -> tuple[int, int]:
        """Cycles until one neither decides nor sends nor waits for anything: (cycles, effects sent)."""
        sent = 0
        for turn in range(1, MOST_CYCLES + 1):
            run = self.once()
            sent += writes(run)
            tallies = run.tallies.values()
            if not writes(run) and not any(tally.moved or tally.waiting for tally in tallies):
                return turn, sent
        raise AssertionError(f"not quiet after {MOST_CYCLES} cycles")

    def once(self) -> Run:
        """One cycle; then a while goes by."""
        run = self.engine.once()
        self.clock.advance(BETWEEN_CYCLES_MS)
        return run

    def live(self, object: str) -> dict[str, dict[str, Any]]:
        """Live records by key, as the vendor holds them."""
        of_marketing = object in ("contacts", "companies", "deals")
        rows = (self.marketing if of_marketing else self.crm).state(object)["objects"][object]
        if of_marketing:
            return {key: row["values"] for key, row in rows.items() if not row["archived"]}
        return {key: row for key, row in rows.items() if not row["IsDeleted"]}


@contextmanager
def staged(
    folder: Path, *, overlap: str = "0ms", lag: str = "0ms", mappings: Path | None = None, **hubspot_switches: Any
) -> Iterator[Stage]:
    """Both sandboxes on this machine, empty, and an engine over them. `mappings`: a folder; left out: people alone.
    `hubspot_switches`: beside the limits."""
    clock = Clock()
    clock.freeze(NOW_MS)
    marketing = Witness(hubspot.create(clock=clock))
    crm = Witness(salesforce.create(clock=clock))
    quiet = {"limits": "off", "recalculation_ms": 0, "auto_associate": "off", "search_lag_ms": 0}
    marketing.switch({**quiet, **hubspot_switches})
    crm.switch({"daily_limit": 10_000_000, "random_pages": False})
    with serve(marketing) as first, serve(crm) as second:
        engine = Engine(
            folder,
            first.url,
            second.url,
            now=lambda: clock.now_ms() / 1000,
            sleep=lambda seconds: clock.advance(round(seconds * 1000)),
            overlap=overlap,
            lag=lag,
            mappings=mappings,
        )
        for witness, name in ((marketing, "hubspot"), (crm, "salesforce")):
            scale = engine.scales[name]
            witness.doing = lambda scale=scale: scale.doing  # type: ignore[misc]
        yield Stage(clock, marketing, crm, engine)
        engine.close()


def qualified(seed: int, count: int, domain: str = "", colleagues: int = 1) -> Iterator[Person]:
    """People whom marketing hands over, with addresses of one domain; left out: those of their companies."""
    for person in people(seed, count, colleagues):
        email = f"{person.email.replace('@', '.at.')}@{domain}.example" if domain else person.email
        yield replace(person, email=email, stage="marketingqualifiedlead", score=80, opted_out=False)
