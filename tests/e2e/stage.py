"""The whole of syncd over HTTP: the shipped mapping of people, the real connectors, both sandboxes, one clock moved by hand.

Promise: every run has fresh connections, as a new process would; time moves only when a test says so or a request is
answered, so the same test does the same thing every time. What is right is said by `judge`, not here.
"""

from __future__ import annotations

import atexit
import contextlib
import mmap
import shutil
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bench.alone import people_alone
from connectors.hubspot import sandbox as hubspot
from connectors.salesforce import sandbox as salesforce
from syncd.assembly import Clock as WorldClock
from syncd.assembly import Mappings, connect, load_mappings
from syncd.core.guard import Limit
from syncd.cycle import cycle
from syncd.errors import AccessError, Transient
from syncd.ledger import Ledger
from syncd.run import Run, Tally
from syncd.sandbox.chassis import Request, Response, Server, serve
from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Faults
from syncd.settings import load

NOW_S = 1_795_000_000.0
"""When every test begins."""
REQUEST_S = 0.005
"""How far the clock moves with every request that is answered."""
SECRETS = {
    "HUBSPOT_TOKEN": "sandbox-hubspot-token",
    "SF_CLIENT_ID": "sandbox-client",
    "SF_CLIENT_SECRET": "sandbox-secret",
}
FREE = {kind: Limit(1 << 40, 1 << 40, 1.0) for kind in ("creates", "updates", "clears", "deletes")}
LATE_S = 60.0
"""`late` of both systems, as the settings below say."""

CONFIG = """
[daemon]
ledger   = "./ledger.db"
mappings = "{mappings}"
[systems.hubspot]
connector = "connectors.hubspot"
base_url  = "{hubspot}"
token     = {{ env = "HUBSPOT_TOKEN" }}
calls_per_10s  = 1000000
searches_per_s = 1000000
timing = {{ timeout = "{timeout}", retry = "100ms", retry_max = "2s", late = "60s", lag = "2s", overlap = "{overlap}" }}
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "{salesforce}"
flow          = "client_credentials"
client_id     = {{ env = "SF_CLIENT_ID" }}
client_secret = {{ env = "SF_CLIENT_SECRET" }}
timing = {{ timeout = "{timeout}", retry = "100ms", retry_max = "2s", late = "60s", lag = "2s", overlap = "{overlap}" }}
"""

HUBSPOT_SWITCHES = {"limits": "off", "search_lag_ms": 200, "recalculation_ms": 300, "auto_associate": "off"}


class Time:
    """The one clock: of both sandboxes and of the engine, whatever process it runs in. It lives in a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", NOW_S))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    @property
    def now_s(self) -> float:
        return float(struct.unpack("d", self._shared[:8])[0])

    @now_s.setter
    def now_s(self, now_s: float) -> None:
        self._shared[:8] = struct.pack("d", now_s)

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Hooked:
    """A vendor's app with something done around each request: `before(request)`, `after(request, response)`."""

    def __init__(self, app: Any, time: Time) -> None:
        self.app = app
        self.time = time
        self.reset()

    def reset(self) -> None:
        """Nothing is done around requests."""
        self.before: Callable[[Request], Response | None] = lambda request: None
        """What it returns is the answer, and the request is not carried out."""
        self.after: Callable[[Request, Response], None] = lambda request, response: None

    @property
    def name(self) -> str:
        return str(self.app.name)

    @property
    def clock(self) -> Any:
        return self.app.clock

    @property
    def faults(self) -> Any:
        return self.app.faults

    def handle(self, request: Request) -> Response:
        self.time.now_s += REQUEST_S
        instead = self.before(request)
        if instead is not None:
            return instead
        response: Response = self.app.handle(request)
        self.after(request, response)
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


@dataclass
class Side:
    """One vendor as a person meets it."""

    app: Hooked
    server: Server

    def act(
        self, do: str, object: str, key: str | None = None, /, by: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Does something as a person. A second apart from whatever was before, unless the test holds the clock."""
        action = {"do": do, "object": object, **({"key": key} if key else {}), **({"by": by} if by else {}), **more}
        return self.app.act(action)

    def records(self, object: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.app.state(object)["objects"][object]
        return found

    def fault(self, kind: str, **about: Any) -> None:
        self.app.faults.add({"kind": kind, **about})

    def switch(self, **changes: Any) -> None:
        self.app.switch(changes)


@dataclass
class Engine:
    """syncd over a folder with its settings and its ledger, as one process has it."""

    folder: Path
    time: Time
    ledger: Ledger = field(init=False)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger.open(self.folder / "ledger.db")

    def pass_time(self, seconds: float) -> None:
        self.time.now_s += seconds

    def run(self) -> tuple[Run, Mappings]:
        """A fresh run with fresh connections, as a new process would have."""
        settings = load(self.folder / "syncd.toml", SECRETS)
        mappings = compiled(settings.daemon.mappings)
        clock = WorldClock(now=self.time, sleep=self.time.sleep, random=lambda: 0.5, monotonic=self.time)
        run = Run(
            self.ledger,
            connect(settings, self.ledger, clock),
            self.time,
            lambda name, **facts: self.events.append((name, facts)),
            FREE,
        )
        run.id = self.ledger.books.begin_run("test", self.time())
        return run, mappings

    def once(self) -> Tally:
        """One cycle; then ten seconds go by."""
        run, mappings = self.run()
        try:
            cycle(run, mappings, yes=True)
        finally:
            for system in run.systems.values():
                system.connector.close()
        self.pass_time(10)
        return run.tally("people")

    def try_once(self) -> Tally | None:
        """One cycle that may meet trouble; None if it ended in an error that says so."""
        try:
            return self.once()
        except (Transient, AccessError):
            self.pass_time(10)
            return None

    def until_quiet(self, most: int = 10) -> list[Tally]:
        """Cycles until one writes nothing and nothing waits. What was done before is in the search index by then."""
        self.pass_time(1)
        tallies: list[Tally] = []
        for _ in range(most):
            tally = self.once()
            tallies.append(tally)
            if not writes(tally) and not (tally.waiting or tally.again or tally.skipped):
                return tallies
        raise AssertionError([tally.as_json(0) for tally in tallies])

    def restart(self) -> None:
        """What a kill leaves: the files."""
        self.ledger.close()
        self.ledger = Ledger.open(self.folder / "ledger.db")

    def close(self) -> None:
        self.ledger.close()


@dataclass
class World(Engine):
    """The engine and both vendors."""

    hubspot: Side = field(kw_only=True)
    salesforce: Side = field(kw_only=True)

    def __post_init__(self) -> None:
        self.configure()
        super().__post_init__()

    def configure(self, timeout: str = "5s", overlap: str = "5s", mappings: Path | None = None) -> None:
        text = CONFIG.format(
            mappings=mappings or shipped(),
            hubspot=self.hubspot.server.url,
            salesforce=self.salesforce.server.url,
            timeout=timeout,
            overlap=overlap,
        )
        (self.folder / "syncd.toml").write_text(text)

    # ------------------------------------------------ people

    def contact(self, email: str | None, /, **values: Any) -> str:
        """Somebody in HubSpot; returns the key."""
        given = {"lifecyclestage": "marketingqualifiedlead", "lastname": "Doe", **values}
        score = given.pop("hubspotscore", 80)
        opted_out = given.pop("hs_email_optout", None)
        made = self.hubspot.act("create", "contacts", values={**({"email": email} if email else {}), **given}, by="ann")
        read_only = {"hubspotscore": str(score)} if score is not None else {}
        if opted_out is not None:
            read_only["hs_email_optout"] = opted_out
        if read_only:
            self.hubspot.act("calculate", "contacts", made["key"], values=read_only)
        return str(made["key"])

    def person(self, object: str, email: str | None, /, **values: Any) -> str:
        """Somebody in Salesforce: a Lead or a Contact; returns the key."""
        given = {"LastName": "Doe", **({"Company": "Acme"} if object == "Lead" else {}), **values}
        made = self.salesforce.act("create", object, values={**({"Email": email} if email else {}), **given})
        return str(made["key"])

    def edit_contact(self, key: str, /, **values: Any) -> None:
        self.pass_time(1)
        self.hubspot.act("edit", "contacts", key, by="ann", values=values)

    def edit_person(self, object: str, key: str, /, **values: Any) -> None:
        self.pass_time(1)
        self.salesforce.act("edit", object, key, values=values)

    def linked(self, email: str = "ada@example.com", **values: Any) -> tuple[str, str]:
        """A qualified contact, handed over: (contact, lead)."""
        contact = self.contact(email, **values)
        self.until_quiet()
        (lead,) = [key for key, row in self.live("Lead").items() if (row["Email"] or "").lower() == email.lower()]
        return contact, lead

    # ------------------------------------------------ looking

    def live(self, object: str) -> dict[str, dict[str, Any]]:
        """Live records by key, each with its own values; converted Leads are not live."""
        if object == "contacts":
            rows = self.hubspot.records(object)
            return {key: row["values"] for key, row in rows.items() if not row["archived"]}
        rows = self.salesforce.records(object)
        return {key: row for key, row in rows.items() if not row["IsDeleted"] and not row.get("IsConverted")}

    def hs(self, key: str) -> dict[str, Any]:
        values: dict[str, Any] = self.hubspot.records("contacts")[key]["values"]
        return values

    def sf(self, object: str, key: str) -> dict[str, Any]:
        return self.salesforce.records(object)[key]

    def issues(self) -> list[tuple[str, str | None]]:
        """(kind, field) of every open issue."""
        return [(issue.kind, issue.field) for issue in self.ledger.inbox.issues()]

    def lost(self) -> list[tuple[str, Any]]:
        """(field, value) of every loser that was kept."""
        return [(conflict.field, conflict.lost) for conflict in self.ledger.inbox.conflicts()]

    # ------------------------------------------------ counting

    def requests(self) -> Counter[str]:
        """Vendor requests so far, by `METHOD path`, of both vendors; take the difference of two."""
        counted: Counter[str] = Counter()
        for side in (self.hubspot, self.salesforce):
            counted.update(f"{entry['method']} {entry['path']}" for entry in side.server.control.log())
        return counted


@cache
def shipped() -> Path:
    """A folder with the shipped mapping of people, and no other; one for the whole process."""
    folder = Path(tempfile.mkdtemp(prefix="syncd-people-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return people_alone(folder)


@cache
def compiled(folder: Path) -> Mappings:
    """The mappings of a folder, compiled once: a daemon does not compile them for each cycle either."""
    mappings = load_mappings(folder)
    assert not mappings.problems, [str(problem) for problem in mappings.problems]
    return mappings


def writes(tally: Tally) -> int:
    """All writes of a run, on both sides."""
    return sum(sum(counts.values()) for counts in tally.writes.values())


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Fresh vendors, an empty ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    time = Time(folder / "clock")
    apps = [Hooked(vendor.create(Clock(time), Faults(1), seed=1), time) for vendor in (hubspot, salesforce)]
    apps[0].switch(HUBSPOT_SWITCHES)
    with serve(apps[0]) as one, serve(apps[1]) as two:
        made = World(folder, time, hubspot=Side(apps[0], one), salesforce=Side(apps[1], two))
        try:
            yield made
        finally:
            made.close()
