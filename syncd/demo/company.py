"""The demo's company: who is in which system at first, and what its people do afterwards.

Promise: the same seed tells the same story. Whatever is done here is done through the sandboxes' control channel, as
people and the vendors' own automation do it; nothing goes through syncd.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from syncd.demo.stage import VENDORS, Stage
from syncd.sandbox.company import Person, people

SHARED = 0.25
"""This part of the people is known to both systems from the start."""
ONLY_SALES = 0.3
CONTACT_EVERY = 4
"""Every so many of sales' people is a Contact that never was a Lead."""

Row = dict[str, Any]


def populate(stage: Stage, count: int, seed: int) -> dict[str, int]:
    """Fills both sandboxes: some people only in marketing, some only in sales, some in both, with differences and
    blanks between the two. Returns how many are where."""
    everybody = list(people(seed, count))
    shared, only_sales = round(count * SHARED), round(count * ONLY_SALES)
    both, sales, marketing = (
        everybody[:shared],
        everybody[shared : shared + only_sales],
        everybody[shared + only_sales :],
    )
    hubspot, salesforce = (import_module(VENDORS[name].module) for name in ("hubspot", "salesforce"))
    hubspot.populate(stage.servers["hubspot"].app, [*both, *marketing])
    salesforce.populate(stage.servers["salesforce"].app, [*both, *sales], contact_every=CONTACT_EVERY)
    _differ(stage, both, random.Random(seed))
    _interest(stage, marketing)
    return {"marketing": len(marketing), "sales": len(sales), "both": len(both)}


def _differ(stage: Stage, both: list[Person], chance: random.Random) -> None:
    """People who are in both systems are never quite the same in both."""
    cast = Cast(stage)
    for person in both:
        contact, other = cast.contact(person.email), cast.person(person.email)
        if contact is None or other is None:
            continue
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
        rows = self.hubspot.records("contacts")
        return {key: row["values"] for key, row in rows.items() if not row["archived"]}

    def rows(self, object: str) -> dict[str, Row]:
        """Salesforce's live rows of an object by id; converted Leads live on as Contacts and are left out."""
        rows = self.salesforce.records(object)
        return {key: row for key, row in rows.items() if not row.get("IsDeleted") and not row.get("IsConverted")}

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


# ---------------------------------------------------------------- what people do


@dataclass
class Story:
    """The deeds of the demo, each on somebody else. `told` gets a line for each, without anybody's values."""

    cast: Cast
    chance: random.Random
    _used: set[str] = field(default_factory=set)

    def somebody(
        self, fits: Callable[[tuple[str, str], Row, Row], bool]
    ) -> tuple[str, tuple[str, str], Row, Row] | None:
        """A pair that nothing happened to yet."""
        fitting = [pair for pair in self.cast.pairs() if pair[0] not in self._used and fits(pair[1], pair[2], pair[3])]
        if not fitting:
            return None
        pair = self.chance.choice(fitting)
        self._used.add(pair[0])
        return pair

    def chapters(self) -> Iterator[str]:
        """Does one thing after the other; yields what was done."""
        for deed in (
            self.marketing_edits,
            self.sales_edits,
            self.both_edit,
            self.marketing_hears_an_opt_out,
            self.sales_hears_an_opt_out,
            self.sales_rejects,
            self.sales_converts,
            self.marketing_merges,
            self.somebody_qualifies,
        ):
            said = deed()
            if said:
                yield said

    def any_edit(self) -> str | None:
        """One small thing, for a company that goes on living."""
        return self.chance.choice((self.marketing_edits, self.sales_edits, self.somebody_qualifies))()

    def marketing_edits(self) -> str | None:
        pair = self.somebody(lambda at, values, row: True)
        if pair is None:
            return None
        self.cast.edit_contact(pair[0], {"jobtitle": self.chance.choice(("Head of Growth", "Managing Director"))})
        return "marketing edits a job title"

    def sales_edits(self) -> str | None:
        pair = self.somebody(lambda at, values, row: True)
        if pair is None:
            return None
        self.cast.edit_person(pair[1], {"MobilePhone": f"+1 415-555-01{self.chance.randrange(10, 100)}"})
        return "sales edits a mobile number"

    def both_edit(self) -> str | None:
        pair = self.somebody(lambda at, values, row: bool(row.get("FirstName")))
        if pair is None:
            return None
        self.cast.edit_contact(pair[0], {"firstname": "Alex"})
        self.cast.edit_person(pair[1], {"FirstName": "Alexandra"})
        return "both edit the same first name, differently"

    def marketing_hears_an_opt_out(self) -> str | None:
        pair = self.somebody(lambda at, values, row: not row.get("HasOptedOutOfEmail"))
        if pair is None:
            return None
        self.cast.hubspot.act("calculate", object="contacts", key=pair[0], values={"hs_email_optout": "true"})
        return "somebody unsubscribes from marketing's e-mails"

    def sales_hears_an_opt_out(self) -> str | None:
        pair = self.somebody(lambda at, values, row: not row.get("HasOptedOutOfEmail"))
        if pair is None:
            return None
        self.cast.edit_person(pair[1], {"HasOptedOutOfEmail": True})
        return "somebody tells sales not to write any more"

    def sales_rejects(self) -> str | None:
        fresh = [
            pair
            for pair in self.cast.pairs()
            if pair[0] not in self._used and pair[1][0] == "Lead" and pair[3].get("Status") == "Open - Not Contacted"
        ]
        # The newest one: it was handed over a moment ago, so it is a hand-off that comes back.
        pair = max(fresh, key=lambda one: str(one[3].get("CreatedDate")), default=None)
        if pair is None:
            return None
        self._used.add(pair[0])
        self.cast.edit_person(pair[1], {"Status": "Closed - Not Converted", "Rejection_Reason__c": "Bad timing"})
        return "sales rejects a lead, with a reason"

    def sales_converts(self) -> str | None:
        pair = self.somebody(lambda at, values, row: at[0] == "Lead" and row.get("Status") == "Working - Contacted")
        if pair is None:
            return None
        self.cast.salesforce.act("convert", key=pair[1][1], opportunity=True)
        return "sales converts a lead: a contact, an account and an opportunity"

    def marketing_merges(self) -> str | None:
        pair = self.somebody(lambda at, values, row: True)
        if pair is None:
            return None
        values = {
            "lastname": pair[2].get("lastname", "Doe"),
            "email": f"double.{self.chance.randrange(10**6)}@old.example",
        }
        double = self.cast.hubspot.act("create", object="contacts", values=values, by="Maria (marketing)")
        self.cast.hubspot.act("merge", object="contacts", key=pair[0], **{"with": double["key"]})
        return "marketing merges a duplicate"

    def somebody_qualifies(self) -> str | None:
        known = {pair[0] for pair in self.cast.pairs()}
        waiting = sorted(
            key
            for key, row in self.cast.contacts().items()
            if key not in known and row.get("email") and row.get("hs_email_optout") != "true"
        )
        if not waiting:
            return None
        key = self.chance.choice(waiting)
        self.cast.hubspot.act("calculate", object="contacts", key=key, values={"hubspotscore": "85"})
        self.cast.edit_contact(key, {"lifecyclestage": "marketingqualifiedlead"})
        return "somebody becomes a qualified lead"
