"""The demo's company: who and what is in which system at first, and how to find it there.

Promise: the same seed makes the same company. Whatever is done here is done through the sandboxes' control channel, as
people and the vendors' own automation do it; nothing goes through syncd. What happens afterwards is `story`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice
from typing import Any

from syncd.demo.stage import VENDORS, Stage
from syncd.sandbox.business import CAMPAIGNS, RENEWALS, Deal, Firm, deals, firms
from syncd.sandbox.company import Person, people

SHARED = 0.25
"""This part of the people is known to both systems from the start."""
ONLY_SALES = 0.3
CONTACT_EVERY = 4
"""Every so many of sales' people is a Contact that never was a Lead."""
COLLEAGUES = 3
"""So many people work at the same company."""
WITH_DEALS = 0.6
"""This part of the companies buys something."""

CURRENCY = "EUR"
"""Of all deals, and of the goal in the shipped funnel."""

Row = dict[str, Any]


def populate(stage: Stage, count: int, seed: int, *, past: int = 0) -> dict[str, int]:
    """Fills both sandboxes: some people only in marketing, some only in sales, some in both, with differences and
    blanks between the two; their companies, and what these buy. `past`: so many more came within the last year, and
    all that happened to them has left its traces. Returns how many people are where."""
    if past:
        _let_a_year_pass(stage, count, seed, past)
    everybody = list(people(seed, count, COLLEAGUES))
    shared, only_sales = round(count * SHARED), round(count * ONLY_SALES)
    both, sales, marketing = (
        everybody[:shared],
        everybody[shared : shared + only_sales],
        everybody[shared + only_sales :],
    )
    employers = firms(seed, everybody)
    hubspot, salesforce = (import_module(VENDORS[name].module) for name in ("hubspot", "salesforce"))
    in_hubspot, in_salesforce = [*both, *marketing], [*both, *sales]
    portal, org = stage.servers["hubspot"].app, stage.servers["salesforce"].app
    keys = hubspot.populate(portal, in_hubspot)
    salesforce.populate(org, in_salesforce, contact_every=CONTACT_EVERY, firms=employers)
    sold = [replace(deal, currency=CURRENCY) for deal in deals(seed, everybody, WITH_DEALS)]
    contacts = dict(zip((person.email.lower() for person in in_hubspot), keys, strict=True))
    hubspot.populate_business(portal, _employers(employers, in_hubspot), _of_marketing(sold, both, marketing), contacts)
    salesforce.populate_deals(org, _of_sales(sold, both, sales))
    _differ(stage, both, random.Random(seed))
    _interest(stage, marketing)
    _offers(stage, keys)
    return {"marketing": len(marketing), "sales": len(sales), "both": len(both), "past": past}


def _let_a_year_pass(stage: Stage, count: int, seed: int, past: int) -> None:
    """Of people who work at none of the other people's companies."""
    from syncd.demo.lives import lives
    from syncd.demo.past import happen

    taken = {person.domain for person in people(seed, count, COLLEAGUES)}
    others = (one for one in people(seed, 2 * (count + past), COLLEAGUES) if one.domain not in taken)
    now_ms = stage.servers["hubspot"].app.clock.now_ms()
    happen(Cast(stage), lives(list(islice(others, past)), seed, now_ms), now_ms)


def _employers(known: dict[str, Firm], staff: Iterable[Person]) -> list[Firm]:
    return [known[domain] for domain in dict.fromkeys(person.domain for person in staff)]


def _of_sales(sold: Sequence[Deal], both: Sequence[Person], sales: Sequence[Person]) -> list[Deal]:
    """Sales knows all deals with people of its own, but for the renewals that marketing looks after."""
    shared, own = {person.domain for person in both}, {person.domain for person in sales}
    return [deal for deal in sold if deal.firm.domain in own or (deal.firm.domain in shared and not _renewal(deal))]


def _of_marketing(sold: Sequence[Deal], both: Sequence[Person], marketing: Sequence[Person]) -> list[Deal]:
    """Marketing has every second of the deals that sales has as well, and renewals; what it made for somebody who is
    not handed over yet begins at the first stage, and waits."""
    shared = {person.domain for person in both}
    of_both = [deal for deal in sold if deal.firm.domain in shared]
    return [deal for at, deal in enumerate(of_both) if at % 2 == 0 or _renewal(deal)]


def _renewal(deal: Deal) -> bool:
    return deal.pipeline == RENEWALS


def _offers(stage: Stage, contacts: Sequence[str]) -> None:
    """Two offers: a list and a campaign of the same name for each. Everybody asked for the first, some for the second."""
    cast = Cast(stage)
    for at, name in enumerate(CAMPAIGNS):
        if name not in cast.lists():
            cast.hubspot.act("list", name=name)
            values = {"Name": name, "Status": "In Progress", "IsActive": True}
            cast.salesforce.act("create", object="Campaign", values=values)
        cast.hubspot.act("list_add", list=name, keys=list(contacts[at :: at + 2]))


def _differ(stage: Stage, both: list[Person], chance: random.Random) -> None:
    """People who are in both systems are never quite the same in both."""
    cast = Cast(stage)
    pairs = {str(values["email"]).lower(): (contact, other) for contact, other, values, _ in cast.pairs()}
    for person in both:
        if person.email.lower() not in pairs:
            continue
        contact, other = pairs[person.email.lower()]
        match chance.randrange(5):
            case 0:
                cast.edit_contact(contact, {"jobtitle": ""})
            case 1:
                cast.edit_person(other, {"Phone": None})
            case 2:
                cast.edit_person(other, {"Title": f"Senior {person.title}"})
            case 3:
                cast.edit_contact(contact, {"city": f"{person.city} (new)"})


def _interest(stage: Stage, marketing: list[Person]) -> None:
    """Some of the people whom marketing found fit have shown interest as well: these are to be handed over."""
    cast = Cast(stage)
    by_email = {str(row.get("email", "")).lower(): key for key, row in cast.contacts().items()}
    fit = [one for one in marketing if one.stage in ("marketingqualifiedlead", "salesqualifiedlead")]
    for at, person in enumerate(fit):
        key = by_email.get(person.email.lower())
        if at % 2 == 0 and key is not None:
            values = {"hubspotscore": str(55 + at % 40)}
            cast.hubspot.act("calculate", object="contacts", key=key, values=values)


@dataclass
class Cast:
    """Everybody, as people find them in the two systems; and what people do to them."""

    stage: Stage
    told: Callable[[str], None] = lambda line: None

    @property
    def hubspot(self) -> Any:
        return self.stage.servers["hubspot"].control

    @property
    def salesforce(self) -> Any:
        return self.stage.servers["salesforce"].control

    def contacts(self) -> dict[str, Row]:
        """HubSpot's live contacts by id: their values."""
        return self.hubs("contacts")

    def hubs(self, object: str) -> dict[str, Row]:
        """HubSpot's live records of an object by id: their values. Of lists and memberships only the keys."""
        if object in ("lists", "list_memberships"):
            lists = self.lists().items()
            return (
                {name: {} for name, _ in lists}
                if object == "lists"
                else {f"{name}:{key}": {} for name, members in lists for key in members}
            )
        rows = self.hubspot.records(object)
        return {key: row["values"] for key, row in rows.items() if not row["archived"]}

    def rows(self, object: str) -> dict[str, Row]:
        """Salesforce's live rows of an object by id; converted Leads live on as Contacts and are left out."""
        rows = self.salesforce.records(object)
        return {key: row for key, row in rows.items() if not row.get("IsDeleted") and not row.get("IsConverted")}

    def lists(self) -> dict[str, list[str]]:
        """HubSpot's lists by name: their members."""
        return {one["name"]: sorted(one["members"]) for one in self.hubspot.state("lists")["lists"].values()}

    def owners(self) -> dict[str, str]:
        """HubSpot's users who may own records: id -> address."""
        everybody = self.hubspot.state("owners")["owners"].values()
        return {str(one["id"]): str(one["email"]) for one in everybody if not one.get("archived")}

    def ties(self) -> dict[tuple[str, str], dict[str, dict[str, set[int]]]]:
        """HubSpot's associations: for each pair of objects, key -> associated key -> type ids."""
        found: dict[tuple[str, str], dict[str, dict[str, set[int]]]] = {}
        for one in self.hubspot.state("associations")["associations"]:
            of_pair = found.setdefault((one["from"], one["to"]), {})
            of_pair.setdefault(one["from_id"], {})[one["to_id"]] = set(one["types"])
        return found

    def contact(self, email: str) -> str | None:
        """The contact with that address."""
        return next((key for key, row in self.contacts().items() if _same(row.get("email"), email)), None)

    def person(self, email: str) -> tuple[str, str] | None:
        """(object, id) of the person with that address in sales; a Contact goes before a Lead."""
        for object_ in ("Contact", "Lead"):
            for key, row in self.rows(object_).items():
                if _same(row.get("Email"), email):
                    return object_, key
        return None

    def edit_contact(self, key: str, values: Row) -> None:
        self.hubspot.act("edit", object="contacts", key=key, values=values, by="Maria (marketing)")

    def edit_person(self, at: tuple[str, str], values: Row) -> None:
        self.salesforce.act("edit", object=at[0], key=at[1], values=values)

    def pairs(self) -> list[tuple[str, tuple[str, str], Row, Row]]:
        """(contact, (object, id), contact's values, row) of everybody who is in both systems, in a fixed order."""
        found = []
        sales = {object_: self.rows(object_) for object_ in ("Contact", "Lead")}
        by_email = {
            str(row["Email"]).lower(): (object_, key)
            for object_ in ("Lead", "Contact")
            for key, row in sales[object_].items()
            if row.get("Email")
        }
        for key, values in self.contacts().items():
            at = by_email.get(str(values.get("email", "")).lower())
            if at is not None:
                found.append((key, at, values, sales[at[0]][at[1]]))
        return sorted(found, key=lambda pair: str(pair[2].get("email")))


def _same(one: Any, other: str) -> bool:
    return str(one or "").strip().lower() == other.strip().lower()
