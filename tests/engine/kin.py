"""A world with several mappings that refer to each other: companies, people, deals. As `world`, with more objects."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock

from world import World, writes

from connectors.memory import Kind, Store
from syncd.assembly import Mappings
from syncd.connector import ObjectTraits
from syncd.core.compile import check_references, check_together, compile_mapping
from syncd.cycle import cycle
from syncd.run import Tally

COMPANIES = """
mapping   = "companies"
marketing = { system = "mk", object = "companies" }
crm       = { system = "sf", object = "Account" }
match     = { by = ["name"] }
create    = { crm = 'name != ""', marketing = 'true' }
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
"""

PEOPLE = """
mapping   = "people"
marketing = { system = "mk", object = "contacts" }
crm       = { system = "sf", object = "Contact" }
match     = { by = ["email"] }
create    = { crm = 'email != ""', marketing = 'true' }
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
clash = "crm"
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
[fields.company]
marketing = "associations.companies"
crm = "AccountId"
link = "companies"
clash = "crm"
"""

DEALS = """
mapping   = "deals"
marketing = { system = "mk", object = "deals" }
crm       = { system = "sf", object = "Opportunity" }
match     = { by = ["name"] }
create    = { crm = 'name != ""', marketing = 'true' }
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
[fields.company]
marketing = "associations.companies"
crm = "AccountId"
link = "companies"
clash = "crm"
blank = "clear"
[fields.contacts]
marketing = "associations.contacts"
crm = "OpportunityContactRoles.ContactId"
link = "people"
many = true
clash = "crm"
blank = "clear"
"""

MAIN_CONTACT = """
[fields.main_contact]
marketing = "main_contact"
crm = "MainContact"
link = "people"
clash = "crm"
"""


@cache
def several(*texts: str) -> Mappings:
    """Mappings compiled once, in the order given: that is not the order in which they are decided."""
    compiled = {}
    for index, text in enumerate(texts):
        mapping, problems = compile_mapping(text, f"file{index}.toml", None)
        assert mapping is not None, [str(problem) for problem in problems]
        compiled[mapping.name] = mapping
    wrong = [*check_together(compiled.values()), *check_references(compiled.values())]
    assert not wrong, [str(problem) for problem in wrong]
    return Mappings(compiled, None, ())


@dataclass
class Kin(World):
    """`texts`: the mappings, of which deals come first, because no order of files matters."""

    texts: tuple[str, ...] = (DEALS, PEOPLE, COMPANIES)

    def mappings(self) -> Mappings:
        return several(*self.texts)

    def all_once(self, *names: str, yes: bool = True) -> dict[str, Tally]:
        """One cycle of these mappings, or all: the tallies by mapping."""
        run = self.run()
        cycle(run, self.mappings(), names or None, yes=yes)
        self.ledger.books.end_run(run.id or 0, True, {"kinds": {}}, self.at)
        self.pass_time(60)
        return run.tallies

    def settle(self, most: int = 8) -> int:
        """Cycles until one writes nothing, nothing waits and nothing is to be decided again; returns how many."""
        for count in range(most):
            tallies = self.all_once().values()
            if not any(writes(tally) or tally.waiting or tally.again for tally in tallies):
                return count
        raise AssertionError({name: tally.as_json(0) for name, tally in self.all_once().items()})

    def across(self, mapping: str, object_: str, key: str) -> str:
        """The key that a marketing record is linked to."""
        number = self.ledger.facts.object_id("mk", object_)
        ((_, _, _, other),) = self.ledger.links.across(mapping, number, [key])
        return other

    def branch(self, path: Path) -> Kin:
        """The same world a second time, to be taken another way: systems, clock and ledger as they are now."""
        self.ledger.store.rows("VACUUM INTO ?", (str(path),))
        systems = [deepcopy(store, {id(store._lock): RLock()}) for store in (self.mk, self.sf)]
        return Kin(path, *systems, at=self.at, texts=self.texts)

    def waits(self) -> int:
        row = self.ledger.store.row("SELECT count(*) FROM wait")
        return int(row[0]) if row else 0


def make_kin(tmp_path: Path, *texts: str, unstamped: tuple[str, ...] = ("associations.",)) -> Kin:
    """A world whose marketing side tells nothing of associations in its feed, as HubSpot does."""
    marketing = ObjectTraits(
        feed="since",
        deletions="tombstone",
        merges=True,
        history=True,
        answers_values=True,
        key="syncd_key",
        unstamped=unstamped,
    )
    crm = ObjectTraits(
        feed="since", deletions="feed", merges=True, precondition=True, key="Syncd_Key", grain_ms=1000, update_batch=25
    )
    text, unique = "text length=255", "text unique"
    mk = Store.of(
        Kind.of("companies", traits=marketing, name=text, main_contact="reference (contacts)", syncd_key=unique),
        Kind.of(
            "contacts",
            traits=marketing,
            email="text unique lower",
            name=text,
            syncd_key=unique,
            **{"associations.companies": "reference (companies)"},
        ),
        Kind.of(
            "deals",
            traits=marketing,
            name=text,
            syncd_key=unique,
            **{"associations.companies": "reference (companies)", "associations.contacts": "references (contacts)"},
        ),
    )
    sf = Store.of(
        Kind.of("Account", traits=crm, Name=text, MainContact="reference (Contact)", Syncd_Key=unique),
        Kind.of("Contact", traits=crm, Email=text, Name=text, AccountId="reference (Account)", Syncd_Key=unique),
        Kind.of(
            "Opportunity",
            traits=crm,
            Name=text,
            AccountId="reference (Account)",
            Syncd_Key=unique,
            **{"OpportunityContactRoles.ContactId": "references (Contact)"},
        ),
    )
    # No two systems give the same keys: one that crosses by mistake is refused.
    sf._next_key = 5000
    return Kin(tmp_path / "ledger.db", mk, sf, texts=texts or (DEALS, PEOPLE, COMPANIES))


def family(kin: Kin) -> tuple[str, str, str]:
    """A company, a person who works there, and a deal with both, all made in marketing."""
    company = kin.mk.create("companies", {"name": "Analytical Engines"}, by="ann")
    person = kin.mk.create("contacts", {"email": "ada@example.test", "associations.companies": company}, by="ann")
    deal = kin.mk.create(
        "deals",
        {"name": "One engine", "associations.companies": company, "associations.contacts": [person]},
        by="ann",
    )
    return company, person, deal
