"""Where the demo's people work, and what is bought and sold: companies, deals, campaigns, by seed.

Promise: made from the people alone, so the same people and seed give the same business; every name and number is made
up. In which system a thing stands, and what happens to it later, is not said here.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from syncd.sandbox.company import COUNTRIES, Person, number, weighted

CAMPAIGNS = ("General guide", "Choosing a maker")
"""The two offers that people can ask for: lists in marketing, campaigns in sales, of the same names."""
NEW_BUSINESS, RENEWALS = "New Business", "Renewals"
"""The two pipelines, in the CRM's words."""
OPEN_STAGES = {
    NEW_BUSINESS: ("Prospecting", "Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review"),
    RENEWALS: ("Qualification", "Negotiation/Review"),
}
"""The stages that both systems know, in order, in the CRM's words; each pipeline ends as WON or LOST."""
WON, LOST = "Closed Won", "Closed Lost"
LOSS_REASONS = ("Price", "Competitor", "No decision", "Timing")
WIN_REASONS = ("Price", "Product", "Service", "Relationship")
_INDUSTRIES = (
    ("Manufacturing", 30),
    ("Electronics", 15),
    ("Chemicals", 10),
    ("Consulting", 15),
    ("Banking", 8),
    ("Biotechnology", 7),
    ("Education", 10),
    ("Other", 5),
)
_KINDS = (("Prospect", 60), ("Customer - Direct", 30), ("Partner", 10))
_CURRENCY = {country.name: country.currency for country in COUNTRIES}
_PHONE = {country.name: country.phone for country in COUNTRIES}


@dataclass(frozen=True, slots=True)
class Firm:
    """One company. `industry` and `kind` are in the CRM's words; `revenue` is a year's, in whole units."""

    name: str
    domain: str
    phone: str
    country: str
    city: str
    industry: str
    employees: int
    revenue: int
    kind: str


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal with one company. `stage`, `pipeline` and `reason` are in the CRM's words."""

    name: str
    firm: Firm
    people: tuple[Person, ...]
    """Who takes part, of that company."""
    pipeline: str
    stage: str
    amount: int
    currency: str
    closes_in_days: int
    """From today; negative for one that is closed."""
    source: str
    reason: str
    """Why it was lost; empty otherwise."""


def firms(seed: int, people: Iterable[Person]) -> dict[str, Firm]:
    """The companies of these people by domain, in the order in which their first people come."""
    chance = random.Random(seed * 41)
    found: dict[str, Firm] = {}
    for person in people:
        if person.domain not in found:
            found[person.domain] = _firm(person, chance)
    return found


def deals(seed: int, people: Sequence[Person], share: float = 1.0) -> Iterator[Deal]:
    """A deal for about that share of the companies of these people; it is made by one or two of them."""
    chance = random.Random(seed * 43)
    staff: dict[str, list[Person]] = {}
    for person in people:
        staff.setdefault(person.domain, []).append(person)
    for domain, firm in firms(seed, people).items():
        if chance.random() < share:
            yield _deal(firm, tuple(staff[domain][: chance.randrange(1, 3)]), chance)


def _firm(person: Person, chance: random.Random) -> Firm:
    employees = round(10 ** chance.uniform(1, 4))
    return Firm(
        name=person.company,
        domain=person.domain,
        phone=number(_PHONE[person.country], chance),
        country=person.country,
        city=person.city,
        industry=weighted(_INDUSTRIES, chance),
        employees=employees,
        revenue=employees * chance.randrange(80, 200) * 1_000,
        kind=weighted(_KINDS, chance),
    )


def _deal(firm: Firm, people: tuple[Person, ...], chance: random.Random) -> Deal:
    pipeline = RENEWALS if firm.kind.startswith("Customer") and chance.random() < 0.5 else NEW_BUSINESS
    stage = chance.choice((*OPEN_STAGES[pipeline], WON, LOST))
    closed = stage in (WON, LOST)
    return Deal(
        name=f"{firm.name}: {'renewal' if pipeline == RENEWALS else 'first order'}",
        firm=firm,
        people=people,
        pipeline=pipeline,
        stage=stage,
        amount=chance.randrange(20, 900) * 100,
        currency=_CURRENCY[firm.country],
        closes_in_days=-chance.randrange(1, 80) if closed else chance.randrange(10, 120),
        source=people[0].source,
        reason=chance.choice(LOSS_REASONS) if stage == LOST else "",
    )
