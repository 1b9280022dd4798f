"""A small world for engine tests: two systems in memory, one mapping, one ledger, a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from connectors.memory import Kind, MemoryConnector, Store
from syncd.account import System
from syncd.assembly import Connected, Mappings
from syncd.budget import Budget
from syncd.connector import ObjectTraits
from syncd.core.compile import compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.core.guard import Limit
from syncd.cycle import cycle
from syncd.ledger import Ledger
from syncd.pace import Timing
from syncd.run import Run, Tally

FUNNEL = """
[qualified]
when = 'score >= 50.0'
"""

MAPPING = """
mapping   = "people"
marketing = { system = "mk", object = "contacts" }
crm       = { system = "sf", object = "Lead", becomes = "Contact" }
[match]
by = ["email"]
several = "hold"
[scope]
marketing = 'email != ""'
crm = 'email != ""'
[create]
crm = 'qualified'
marketing = 'true'
[gone]
marketing = "unlink"
crm = "unlink"
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
clash = "crm"
[fields.last_name]
marketing = "lastname"
crm = "LastName"
clash = "crm"
on_create = '"[not given]"'
[fields.phone]
marketing = "phone"
crm = { Lead = "Phone", Contact = "HomePhone" }
clash = "marketing"
blank = "clear"
[fields.title]
marketing = "jobtitle"
crm = "Title"
clash = "hold"
[fields.stage]
marketing = "lifecyclestage"
crm = { Lead = "Status" }
type = "choice"
values = { lead = "Closed", mql = "Open", sql = "Working", opportunity = "Working" }
other = "keep"
backward = "clear_then_set"
clash = "crm"
[fields.score]
marketing = "score"
crm = "Score"
type = "number"
flow = "to_crm"
[fields.rating]
marketing = "crm_rating"
crm = { Lead = "Rating" }
flow = "to_marketing"
[fields.opt_out]
marketing = "optout"
crm = "OptedOut"
type = "bool"
flow = "to_crm"
clash = "stricter"
"""


@cache
def compiled(text: str) -> Mappings:
    """A mapping is compiled once: a daemon does not do it for each cycle either."""
    funnel, problems = compile_funnel(FUNNEL, "funnel.toml", None)
    assert not problems, problems
    mapping, problems = compile_mapping(text, "people.toml", funnel)
    assert mapping is not None, [str(p) for p in problems]
    assert not problems, [str(p) for p in problems]
    return Mappings({"people": mapping}, funnel, ())


LIMITS = {kind: Limit(1_000_000, 1_000_000, 1.0) for kind in ("creates", "updates", "clears", "deletes")}


@dataclass
class World:
    """Drive it with `once`; look at the two stores."""

    path: Path
    mk: Store
    sf: Store
    mapping_text: str = MAPPING
    at: float = 1_800_000_000.0
    """Friday, 15 January 2027, 08:00 UTC."""
    ledger: Ledger = field(init=False)
    sleep: Callable[[float], None] | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    timing: Timing = field(default_factory=lambda: Timing(late_s=300, lag_s=30, overlap_s=0))

    def __post_init__(self) -> None:
        self.ledger = Ledger.open(self.path)

    def mappings(self) -> Mappings:
        return compiled(self.mapping_text)

    def run(self, limits: Any = LIMITS) -> Run:
        """A fresh run with fresh connections, as a new process would have."""
        table = System(connector="connectors.memory")
        systems = {
            name: Connected(name, MemoryConnector(store), table, self.timing, Budget())
            for name, store in (("mk", self.mk), ("sf", self.sf))
        }
        run = Run(
            self.ledger, systems, lambda: self.at, lambda name, **facts: self.events.append((name, facts)), limits
        )
        run.sleep = self.sleep or self.pass_time
        run.id = self.ledger.books.begin_run("test", self.at)
        return run

    def once(self, *, yes: bool = True, limits: Any = LIMITS) -> Tally:
        run = self.run(limits)
        cycle(run, self.mappings(), yes=yes)
        self.ledger.books.end_run(
            run.id or 0, True, {"kinds": {n: dict(t.kinds) for n, t in run.tallies.items()}}, self.at
        )
        self.pass_time(60)
        return run.tally("people")

    def until_quiet(self, most: int = 8) -> list[Tally]:
        """Cycles until one writes nothing and nothing waits; fails if that takes more than `most`."""
        tallies = []
        for _ in range(most):
            tally = self.once()
            tallies.append(tally)
            if not writes(tally) and not tally.waiting:
                return tallies
        raise AssertionError([t.as_json(0) for t in tallies])

    def pass_time(self, seconds: float) -> None:
        self.at += seconds
        self.mk.advance(int(seconds * 1000))
        self.sf.advance(int(seconds * 1000))

    def restart(self) -> None:
        """What a kill leaves: the file, and nothing in memory."""
        self.ledger.close()
        self.ledger = Ledger.open(self.path)

    def restart_from(self, path: Path) -> None:
        """Another ledger file, or none: what is left when the old one is lost."""
        self.ledger = Ledger.open(path)

    # ------------------------------------------------ looking

    def leads(self) -> list[dict[str, Any]]:
        return [self.sf.values("Lead", key) for key in self.sf.keys("Lead")]

    def contacts(self) -> list[dict[str, Any]]:
        return [self.mk.values("contacts", key) for key in self.mk.keys("contacts")]

    def only_lead(self) -> dict[str, Any]:
        (lead,) = self.leads()
        return lead

    def only_contact(self) -> dict[str, Any]:
        (contact,) = self.contacts()
        return contact


def writes(tally: Tally) -> int:
    """All writes of a run, on both sides."""
    return sum(sum(counts.values()) for counts in tally.writes.values())


def make(tmp_path: Path, **traits: Any) -> World:
    """A world whose marketing side is HubSpot-like (no precondition, history) and whose CRM is Salesforce-like."""
    marketing = ObjectTraits(
        feed="since",
        deletions="tombstone",
        merges=True,
        history=True,
        answers_values=True,
        key="syncd_key",
        read_batch=100,
    )
    crm = ObjectTraits(
        feed="since",
        deletions="feed",
        merges=True,
        precondition=True,
        key="Syncd_Key",
        grain_ms=1000,
        update_batch=25,
        create_batch=200,
        find_batch=1000,
        **traits,
    )
    text = "text length=255"
    mk = Store.of(
        Kind.of(
            "contacts",
            traits=marketing,
            email="text unique lower",
            lastname=text,
            phone=text,
            jobtitle=text,
            lifecyclestage="choice (lead, mql, sql, opportunity)",
            score="number",
            crm_rating=text,
            optout="bool",
            syncd_key="text unique",
        )
    )
    lead = {
        "Email": text,
        "LastName": "text required length=80",
        "Title": text,
        "Score": "number",
        "OptedOut": "bool",
        "Syncd_Key": "text unique",
    }
    sf = Store.of(
        Kind.of(
            "Lead",
            traits=ObjectTraits(**{**{f: getattr(crm, f) for f in crm.__slots__}, "forms": ("Contact",)}),
            **lead,
            Phone=text,
            Status="choice restricted (Open, Working, Closed)",
            Rating=text,
        ),
        Kind.of("Contact", traits=crm, **lead, HomePhone=text),
    )
    return World(tmp_path / "ledger.db", mk, sf)
