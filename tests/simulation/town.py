"""The whole of syncd over both sandboxes in one process, and what can befall it: kills, an old ledger, a second daemon.

Promise: nothing here is chance: time moves only with requests, sleeps and what a script says. The engine is the real
one from its session (lease, epoch, books) downwards; the mapping is the shipped one of people. It judges nothing.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from line import TIMEOUT_S, Heard, Killed, Line, Time
from rules import FORMS, KEY, OBJECTS, RULES, SYSTEM

from bench.alone import people_alone
from connectors.hubspot import reads
from connectors.hubspot import sandbox as hubspot
from connectors.hubspot.sandbox import search
from connectors.salesforce import sandbox as salesforce
from syncd import poll
from syncd.answer import Watch
from syncd.assembly import Clock as WorldClock
from syncd.assembly import Mappings, load_mappings
from syncd.cycle import cycle
from syncd.deeds import approve
from syncd.errors import LeaseHeld, SyncdError
from syncd.files import Files
from syncd.ledger import Ledger, keeping
from syncd.ledger.store import Store
from syncd.run import Run
from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Faults
from syncd.sandbox.wire import Refused
from syncd.session import Session
from syncd.settings import load

NOW_S = 1_795_000_000.0
MAPPING = "people"
SECRETS = {
    "HUBSPOT_TOKEN": "sandbox-hubspot-token",
    "SF_CLIENT_ID": "sandbox-client",
    "SF_CLIENT_SECRET": "sandbox-secret",
}
PLACES = {"hubspot": "127.0.0.1:1001", "salesforce": "127.0.0.1:1002"}
LATE_S = 60.0
MAPPED = {
    object: tuple({name for rule in RULES if (name := rule.attribute(object)) is not None} | {KEY[object]})
    for object in OBJECTS
}

CONFIG = """
[daemon]
ledger   = "./ledger.db"
mappings = "{mappings}"
min_free = "0B"
[systems.hubspot]
connector = "connectors.hubspot"
base_url  = "http://{hubspot}"
token     = {{ env = "HUBSPOT_TOKEN" }}
timing = {{ timeout = "{timeout}s", retry = "100ms", retry_max = "2s", late = "60s", lag = "2s", overlap = "30s" }}
sweep = {{ deletions = "60s" }}
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "http://{salesforce}"
flow          = "client_credentials"
client_id     = {{ env = "SF_CLIENT_ID" }}
client_secret = {{ env = "SF_CLIENT_SECRET" }}
timing = {{ timeout = "{timeout}s", retry = "100ms", retry_max = "2s", late = "60s", lag = "2s", overlap = "30s" }}
sweep = {{ deletions = "60s" }}
[guard]
{guard}
"""
DATES = """
[fields.follow_up_on]
marketing = "follow_up_on"
crm       = "Follow_Up_On__c"
type      = "date"
clash     = "crm"
[fields.called_at]
marketing = "called_at"
crm       = "Called_At__c"
type      = "datetime"
clash     = "crm"
"""
"""Fields besides the shipped ones: a day and a moment, which cross time zones and the turning of clocks."""
TAKEN_OUT = "city"
"""The field that an edit takes out of the mapping."""
KINDS = ("creates", "updates", "clears", "deletes", "gone", "field", "same_value", "identity", "edited", "moved")
FREE = "\n".join(f"{kind} = {{ per_cycle = 1000000, per_day = 1000000, share = 1.0 }}" for kind in KINDS)
MOST_UPDATES = 3
TIGHT_KINDS = {"updates": MOST_UPDATES, "clears": 1, "gone": 2}
TIGHT = "\n".join(
    f"{kind} = {{ per_cycle = {TIGHT_KINDS[kind]}, per_day = 1000000, share = 0.0 }}" if kind in TIGHT_KINDS else line
    for kind, line in zip(KINDS, FREE.splitlines(), strict=True)
)
"""More than three updates in one cycle wait for a person, and so do two values emptied, or three people gone."""


SMALL_PAGE, SMALL_REACH = 3, 4
DATE_FIELDS = {"Follow_Up_On__c": "date", "Called_At__c": "datetime"}
EXTENDED: dict[str, list[dict[str, Any]]] = {
    "hubspot": [
        {
            "do": "property",
            "object": "contacts",
            "change": "define",
            "definition": {"name": name, "label": name, "type": kind, "fieldType": "date", "groupName": "contactinformation"},
        }
        for name, kind in (("follow_up_on", "date"), ("called_at", "datetime"))
    ],
    "salesforce": [
        {"do": "field", "object": form, "field": name, "set": {"label": name, "type": kind}}
        for form in FORMS
        for name, kind in DATE_FIELDS.items()
    ],
}  # fmt: skip
"""What the accounts have besides what ships."""


@dataclass
class Town:
    """Both vendors, the clock, and at most one living process of syncd."""

    folder: Path
    tight: bool = False
    time: Time = field(default_factory=lambda: Time(NOW_S))
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    edited_at: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """When people edited a record."""
    commits: int = 0
    doomed: Callable[[str], None] = lambda point: None
    """Told of each commit, before and after; it may raise Killed."""
    narrow: bool = False
    """The mapping was edited: a field is taken out."""
    full: bool = False
    """No room on the ledger's disk."""
    renamed: dict[tuple[str, str], str] = field(default_factory=dict)
    """(object, attribute): the name that an administrator gave it."""
    _life: ExitStack = field(default_factory=ExitStack)
    session: Session | None = None
    _dead: bool = False

    def __post_init__(self) -> None:
        clock = Clock(self.time)
        self.apps = {
            "hubspot": hubspot.create(clock, Faults(1), seed=1),
            "salesforce": salesforce.create(clock, Faults(1), seed=1),
        }
        self.hosts = {name: Heard(app) for name, app in self.apps.items()}
        self.line = Line({PLACES[name]: host for name, host in self.hosts.items()}, self.time)
        for vendor, acts in EXTENDED.items():
            for one in acts:
                self.apps[vendor].act(one)
        self.apps["salesforce"].switch({"convert_mapping": {name: name for name in DATE_FIELDS}})
        text = CONFIG.format(mappings=shipped(), timeout=int(TIMEOUT_S), guard=TIGHT if self.tight else FREE, **PLACES)
        (self.folder / "syncd.toml").write_text(text)

    @property
    def ledger_file(self) -> Path:
        return self.folder / "ledger.db"

    # ------------------------------------------------ lives of the process

    def open(self) -> Session:
        """The living process; started if there is none."""
        if self.session is None:
            self._dead = False
            settings = load(self.folder / "syncd.toml", SECRETS)
            holding = Session.hold(Files(settings, compiled(self.narrow)), "run", clock=self._clock(), event=self._told)
            self.session = self._life.enter_context(holding)
            self._fill()
        return self.session

    def _clock(self) -> WorldClock:
        return WorldClock(
            now=self.time,
            sleep=self.time.pass_s,
            random=lambda: 0.5,
            monotonic=self.time,
            session=self.line,  # type: ignore[arg-type]
        )

    def _told(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    def stop(self) -> None:
        """The process ends, in order."""
        self.session = None
        self._life.close()
        self._life = ExitStack()

    def die(self) -> None:
        """The process is gone: what was committed is on disk, and nothing else happened."""
        session, self.session = self.session, None
        self._dead = True
        life, self._life = self._life, ExitStack()
        with suppress(Killed, SyncdError):
            life.close()
        if session is not None:
            session.ledger.store._connection.close()

    def commit_point(self, point: str) -> None:
        """Around each commit of the living process."""
        if self._dead:
            raise Killed
        try:
            self.doomed(point)
        except Killed:
            self._dead = True
            raise

    def request_point(self) -> None:
        """Marks the process as dead, from within a request: it will do nothing more."""
        self._dead = True

    # ------------------------------------------------ what the daemon does

    def cycle(self, *, yes: bool = False) -> Run:
        """One cycle. Raises SyncdError as the engine does, Killed if it died."""
        session = self.open()
        names = session.files.named(None)
        self.line.cycle += 1
        try:
            with session.run("run", names) as run:
                cycle(run, session.files.mappings, names, yes=yes)
        except Killed:
            self.die()
            raise
        return run

    def approve(self) -> bool:
        """A person looks at what is held, and lets it go. True if something was."""
        session = self.open()
        safe = session.ledger.epoch.safe(MAPPING) is not None
        if not safe and session.ledger.intents.held(MAPPING) is None:
            return False
        approve(session, {"mapping": MAPPING}, Watch())
        return True

    def approved(self) -> bool:
        """Whether a plan of the mapping was ever released: until then every plan is held."""
        version = self.open().ledger.books.mapping(MAPPING)
        return version is not None and version.approved_at is not None

    def second_daemon(self) -> bool:
        """Somebody starts another one over the same ledger. True if it was refused."""
        settings = self.open().files.settings
        try:
            with Session.hold(Files(settings, compiled()), "once"):
                return False
        except LeaseHeld:
            return True

    def elsewhere(self) -> None:
        """Somebody starts one on another machine: it has a ledger of its own, and makes a cycle that nobody released."""
        folder = self.folder / "elsewhere"
        folder.mkdir(exist_ok=True)
        shutil.copy(self.folder / "syncd.toml", folder)
        files = Files(load(folder / "syncd.toml", SECRETS), compiled())
        with suppress(SyncdError), Session.hold(files, "run", clock=self._clock(), event=self._told) as session:
            names = files.named(None)
            with session.run("run", names) as run:
                cycle(run, files.mappings, names)

    # ------------------------------------------------ its files and its disk

    def edit(self, *, narrow: bool) -> None:
        """Somebody edits the mapping: a field is taken out, or all are there again. The daemon reads it at once."""
        self.narrow = narrow
        if self.session is not None:
            self.session.files = Files(self.session.files.settings, compiled(narrow))

    def room(self, *, full: bool) -> None:
        """The ledger's disk is full, or has room again."""
        self.full = full
        if self.session is not None:
            self._fill()

    def _fill(self) -> None:
        assert self.session is not None
        connection = self.session.ledger.store._connection
        connection.execute("VACUUM")  # a page that is free inside the file is room too
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 1 if self.full else 2**30}")

    # ------------------------------------------------ the ledger's keeping

    def backup(self) -> None:
        """A copy of the ledger as it is now."""
        self.open()
        (self.folder / "backup.db").unlink(missing_ok=True)
        keeping.backup(self.ledger_file, self.folder / "backup.db")

    def restore(self) -> bool:
        """The old copy is put back, by hand: the marker beside the ledger stays. False if there is none."""
        if not (self.folder / "backup.db").exists():
            return False
        self.stop()
        for left in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.folder / left).unlink(missing_ok=True)
        shutil.copy(self.folder / "backup.db", self.ledger_file)
        return True

    def lose(self) -> None:
        """The ledger's file is lost."""
        self.stop()
        for left in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.folder / left).unlink(missing_ok=True)

    # ------------------------------------------------ people

    def act(self, vendor: str, do: str, object: str, key: str | None = None, /, **more: Any) -> dict[str, Any]:
        """A person does something. Raises Refused when it makes no sense."""
        done: dict[str, Any] = self.apps[vendor].act(
            {"do": do, "object": object, **({"key": key} if key else {}), **more}
        )
        return done

    def rows(self, object: str) -> dict[str, dict[str, Any]]:
        """Every record there ever was of that object, by key: its mapped attributes; `_live`: it is there now; `_also`:
        its further addresses."""
        found = self.apps[SYSTEM[object]].state(object)["objects"][object]
        made = {}
        for key, row in found.items():
            values = row["values"] if object == "contacts" else row
            gone = row["archived"] if object == "contacts" else row["IsDeleted"] or row.get("IsConverted")
            now = {name: self.renamed.get((object, name), name) for name in MAPPED[object]}
            made[key] = {name: None if values.get(at) == "" else values.get(at) for name, at in now.items()} | {
                "_live": not gone,
                "_also": tuple(str(values.get("hs_additional_emails") or "").lower().split(";")),
            }
        return made

    def same_second(self, place: tuple[str, str], condition: str) -> bool:
        """Whether that record was last changed, before the write that is just done, in the very second of a condition."""
        stamp = int(parsedate_to_datetime(condition).timestamp())
        return any(int(at) == stamp for at in self.edited_at.get(place, ()))

    def links(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Who is linked with whom, both ways: (object, key) -> (object, key). As `syncd links` tells it."""
        ledger = self.open().ledger
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for link in ledger.links.page(MAPPING, 0, 10_000):
            ends = [(object_name(ledger, link.end(side).object), link.end(side).key) for side in ("marketing", "crm")]
            found[ends[0]], found[ends[1]] = ends[1], ends[0]
        return found


def object_name(ledger: Ledger, number: int) -> str:
    """The name of an object's number in the ledger."""
    row = ledger.store.row("SELECT name FROM object WHERE id = ?", (number,))
    return str(row[0]) if row else ""


@cache
def shipped() -> Path:
    """A folder with the shipped mapping of people; one for the whole process."""
    import atexit
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="syncd-simulation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    people_alone(folder)
    _without_the_funnel(folder)
    with (folder / "people.toml").open("a") as file:
        file.write(DATES)
    return folder


def _without_the_funnel(folder: Path) -> None:
    """Takes out what the funnel tells and holds back: that follows from standings, which the acceptor does not know."""
    people, funnel = folder / "people.toml", folder / "funnel.toml"
    text = re.sub(r"(?m)^\[promote\]\ncrm .*\n", "", people.read_text())
    told = re.compile(r'^(?:marketing|crm)\s*=\s*"(?:funnel|clock)\.', re.MULTILINE)
    blocks = re.split(r"(?m)^(?=\[fields\.[a-z_]+\]$)", text)
    people.write_text("".join(block for block in blocks if not told.search(block)))
    funnel.write_text(re.sub(r"(?m)^\[nurture\]\nlist = .*\n", "", funnel.read_text()))


@cache
def edited() -> Path:
    """The same with a field taken out."""
    folder = shipped() / "edited"
    shutil.copytree(shipped(), folder)
    blocks = re.split(r"(?m)^(?=\[fields\.)", (folder / "people.toml").read_text())
    kept = [block for block in blocks if not block.startswith(f"[fields.{TAKEN_OUT}]")]
    (folder / "people.toml").write_text("".join(kept))
    return folder


@cache
def compiled(narrow: bool = False) -> Mappings:
    """The mappings, compiled once: a daemon does not compile them for each cycle either. `narrow`: with a field less."""
    mappings = load_mappings(edited() if narrow else shipped())
    assert not mappings.problems, [str(problem) for problem in mappings.problems]
    return mappings


@contextmanager
def town(folder: Path, *, tight: bool = False, small: bool = False) -> Iterator[Town]:
    """A fresh town. While it stands, every commit of a ledger is told to it, and pages are read one after the other
    (the engine reads a page ahead in a thread, whose requests would come in no certain order). `small`: HubSpot's pages of
    changes hold three, and a search reaches four."""
    made = Town(folder, tight)
    transaction, ahead, connect = Store.transaction, poll.ahead, sqlite3.connect
    page, reach = reads.SEARCH_PAGE, search.REACH
    if small:
        reads.SEARCH_PAGE, search.REACH = SMALL_PAGE, SMALL_REACH

    @contextmanager
    def watched(self: Store) -> Iterator[Any]:
        outermost = not self._depth
        if outermost and self.path == made.ledger_file:
            made.commit_point("begin")
        with transaction(self) as connection:
            yield connection
            if outermost and self.path == made.ledger_file:
                made.commit_point("before a commit")
        if outermost and self.path == made.ledger_file:
            made.commits += 1
            made.commit_point("after a commit")

    Store.transaction = watched  # type: ignore[method-assign]
    poll.ahead = lambda system, pages, *lane: pages  # type: ignore[assignment]
    try:
        yield made
    finally:
        Store.transaction, poll.ahead = transaction, ahead  # type: ignore[method-assign]
        reads.SEARCH_PAGE, search.REACH = page, reach
        assert connect is sqlite3.connect
        try:
            made.stop()
        except (SyncdError, Killed):
            made.die()


__all__ = ["Killed", "Refused", "Town", "town"]
