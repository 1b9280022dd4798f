"""A world with a closed loop: people who are handed over, sales who call them, deals that are won, touches before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from recount import kept, recounted
from world import MAPPING as PEOPLE
from world import World, make

from connectors.memory import Kind
from syncd.assembly import Mappings
from syncd.connector import ObjectTraits
from syncd.core.compile import compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.core.kinds import compile_file
from syncd.core.standing import Standing
from syncd.core.watch import Watch
from syncd.cycle import cycle

FUNNEL = """
[qualified]
when = 'score >= 50'
[stages]
lead        = { owner = "marketing" }
mql         = { owner = "sales" }
sql         = { owner = "sales" }
opportunity = { owner = "sales" }
[people]
source = "source"
owner  = "owner"
[handoff]
accepted = 'stage == "sql"'
rejected = 'stage == "lead"'
reason   = "rating"
paused   = 'rating == "holiday"'
[recycle]
after = "10d"
reasons = { never = "never" }
[segments]
vip = 'title == "CEO"'
[agreement]
period = "month"
[agreement.marketing]
qualified = 10
by_source = { web = 4 }
[agreement.sales]
calendar = "office"
first_touch = "4h"
attempts = 3
within = "5d"
segments = { vip = { first_touch = "1h" } }
[calendars.office]
zone = "UTC"
week = { mon = "09:00-17:00", tue = "09:00-17:00", wed = "09:00-17:00", thu = "09:00-17:00", fri = "09:00-17:00" }
[credit]
model = "linear"
touches = { forms = { campaign = "form" } }
[revenue]
won = 'stage == "won"'
lost = 'stage == "lost"'
lost_reason = "why"
[goal]
revenue = 10_000
currency = "EUR"
period = "quarter"
"""

LOOP_PEOPLE = (
    PEOPLE
    + """
[fields.source]
marketing = "source"
crm = {}
flow = "none"
[fields.owner]
marketing = {}
crm = "Rep"
type = "text"
flow = "none"
"""
)

LOOP_DEALS = """
mapping   = "deals"
marketing = { system = "mk", object = "deals" }
crm       = { system = "sf", object = "Opportunity" }
match     = { by = ["name"] }
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
[fields.contacts]
marketing = {}
crm = "Roles"
link = "people"
many = true
flow = "to_marketing"
[fields.stage]
marketing = "stage"
crm = "Stage"
flow = "to_marketing"
[fields.amount]
marketing = "amount"
crm = "Amount"
type = "number"
flow = "to_marketing"
[fields.close_date]
marketing = "closed"
crm = "Closed"
type = "date"
flow = "to_marketing"
[fields.why]
marketing = "why"
crm = "Why"
flow = "to_marketing"
"""

TASKS = """
name = "tasks"
kind = "watch"
side = "crm"
system = "sf"
object = "Task"
means = "activity"
at = "made"
on = { who = "people" }
[fields.made]
attribute = "Made"
type = "datetime"
[fields.who]
attribute = "Who"
type = "reference"
"""

FORMS = """
name = "forms"
kind = "watch"
side = "marketing"
system = "mk"
object = "forms"
means = "touch"
at = "sent"
on = { who = "people" }
[fields.sent]
attribute = "sent"
type = "datetime"
[fields.who]
attribute = "who"
type = "reference"
[fields.form]
attribute = "form"
"""


def iso(at: float) -> str:
    """A moment as both systems write it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def looped(funnel_text: str) -> Mappings:
    """Everything compiled once."""
    funnel, problems = compile_funnel(funnel_text, "funnel.toml", None)
    assert funnel is not None, [str(one) for one in problems]
    by_name, watches = {}, {}
    for text in (LOOP_PEOPLE, LOOP_DEALS):
        mapping, problems = compile_mapping(text, "file.toml", funnel)
        assert mapping is not None, [str(one) for one in problems]
        by_name[mapping.name] = mapping
    for text in (TASKS, FORMS):
        (watch,), problems = compile_file(text, "watch.toml", funnel)
        assert isinstance(watch, Watch), problems
        watches[watch.name] = watch
    return Mappings(by_name, funnel, (), watches)


@dataclass
class Loop(World):
    """`funnel_text` may be replaced between cycles: the next version."""

    funnel_text: str = FUNNEL

    def mappings(self) -> Mappings:
        return looped(self.funnel_text)

    def cycle(self, times: int = 1) -> None:
        """So many cycles, a minute apart."""
        for _ in range(times):
            run = self.run()
            cycle(run, self.mappings(), yes=True)
            self.ledger.books.end_run(run.id or 0, True, {"kinds": {}}, self.at)
            self.pass_time(60)

    def person(self, email: str, **values: Any) -> str:
        """A new contact of marketing's."""
        return self.mk.create("contacts", {"email": email, "lastname": "X", **values}, by="ann")

    def standing(self, key: str) -> Standing:
        """Where that contact stands."""
        object_ = self.ledger.facts.object_id("mk", "contacts")
        return self.ledger.loop.standings(object_, [key])[key]

    def lead(self, key: str) -> str:
        """The lead that a contact became."""
        ((_, _, _, other),) = self.ledger.links.across("people", self.ledger.facts.object_id("mk", "contacts"), [key])
        return other

    def call(self, who: str, at: float | None = None) -> str:
        """Sales does something with somebody."""
        made = iso(self.at if at is None else at)
        return self.sf.create("Task", {"Made": made, "Who": who}, by="rep")

    def form(self, who: str, form: str, at: float) -> str:
        """Somebody sends a form."""
        return self.mk.create("forms", {"sent": iso(at), "who": who, "form": form}, by="web")

    def counted(self) -> dict[tuple[str, int, str, str, str], tuple[int, int]]:
        """Every sum as it is kept, without those that came back to nothing."""
        return kept(self.ledger)

    def recounted(self) -> dict[tuple[str, int, str, str, str], tuple[int, int]]:
        """The same sums, made anew of the rows."""
        return recounted(self.ledger)


def make_loop(tmp_path: Path) -> Loop:
    """Two systems, with people, tasks, forms and deals."""
    world = make(tmp_path)
    text = "text length=255"
    crm = ObjectTraits(feed="since", deletions="feed", merges=True, precondition=True, key="Syncd_Key", grain_ms=1000)
    plain = ObjectTraits(feed="since", deletions="tombstone")
    for kind in (
        Kind.of("Task", traits=crm, Made="datetime", Who=text),
        Kind.of(
            "Opportunity", traits=crm, Name=text, Stage=text, Amount="number", Closed="date", Why=text,
            Roles="references (Contact)", Syncd_Key="text unique",
        ),
    ):  # fmt: skip
        world.sf.kinds[kind.name] = kind
        world.sf.items[kind.name] = {}
    for name in ("Lead", "Contact"):
        world.sf.kinds[name] = _with(world.sf.kinds[name], Rep=text)
    for kind in (
        Kind.of("forms", traits=plain, sent="datetime", who=text, form=text),
        Kind.of("deals", traits=plain, name=text, stage=text, amount="number", closed="date", why=text),
    ):
        world.mk.kinds[kind.name] = kind
        world.mk.items[kind.name] = {}
    world.mk.kinds["contacts"] = _with(world.mk.kinds["contacts"], source=text)
    return Loop(world.path, world.mk, world.sf)


def _with(kind: Kind, **attributes: str) -> Kind:
    return replace(kind, attributes={**kind.attributes, **Kind.of(kind.name, **attributes).attributes})
