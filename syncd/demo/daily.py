"""What happens at the demo's company day by day, for whoever watches: the loop that both departments know.

Promise: as `story`: everything is done through the sandboxes' control channel, and nothing goes through syncd. Each deed
picks whom it fits, and does nothing where nobody is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from syncd.demo.company import CURRENCY, Cast, Row
from syncd.demo.lives import REASONS, STEPS
from syncd.sandbox.business import CAMPAIGNS, LOSS_REASONS, LOST, WON
from syncd.sandbox.company import Person, people

GENERAL, CHOOSING = CAMPAIGNS
NEW = "Open - Not Contacted"
WORKED = "Working - Contacted"
BACK = "Closed - Not Converted"


def newcomers(seed: int) -> Iterator[Person]:
    """People whom nobody knows yet."""
    return people(seed + 7919, 20_000)


@dataclass
class Daily:
    """The deeds. `strangers`: who comes next."""

    cast: Cast
    chance: random.Random
    strangers: Iterator[Person]

    def deed(self) -> str | None:
        """One of them; None: nobody fits."""
        deeds: tuple[tuple[Callable[[], str | None], int], ...] = (
            (self.asks_for_the_general_guide, 4),
            (self.asks_how_to_choose, 3),
            (self.sales_calls, 4),
            (self.sales_gives_back, 1),
            (self.sales_converts, 1),
            (self.a_deal_moves_on, 3),
        )
        return self.chance.choices([one for one, _ in deeds], [weight for _, weight in deeds])[0]()

    # ------------------------------------------------------------ marketing

    def asks_for_the_general_guide(self) -> str | None:
        """A stranger, not ready for sales."""
        person = next(self.strangers, None)
        if person is None or self.cast.contact(person.email) is not None:
            return None
        values = {
            "firstname": person.first,
            "lastname": person.last,
            "company": person.company,
            "country": person.country,
            "city": person.city,
            "jobtitle": person.title,
            "lifecyclestage": "lead",
            "lead_source": self.chance.choice(("Web", "Web", "Partner Referral", "Purchased List")),
        }
        form = {"form": GENERAL, "list": GENERAL, "source": "ORGANIC_SEARCH"}
        key = self.cast.hubspot.act("submit_form", email=person.email, values=values, **form)["key"]
        self._score(key, self.chance.randrange(8, 42))
        return "a stranger asks for the general guide; marketing nurtures"

    def asks_how_to_choose(self) -> str | None:
        """Somebody in nurturing takes the second offer: fit and interest meet."""
        lists = self.cast.lists()
        waiting = set(lists[GENERAL]) - set(lists[CHOOSING])
        known = {email(row) for row in self.cast.rows("Lead").values()}
        found = self._one(
            self.cast.contacts(),
            lambda key, row: key in waiting and row.get("lifecyclestage") == "lead" and email(row) not in known,
        )
        if found is None:
            return None
        self.cast.hubspot.act("submit_form", key=found[0], form=CHOOSING, list=CHOOSING, source="EMAIL_MARKETING")
        self._score(found[0], self.chance.randrange(55, 96))
        owners = sorted(self.cast.owners())
        ours = {"lifecyclestage": "marketingqualifiedlead", "hubspot_owner_id": self.chance.choice(owners)}
        self.cast.edit_contact(found[0], ours)
        return "somebody asks how to choose a maker: fit and interest meet, sales gets them"

    def _score(self, key: str, score: int) -> None:
        self.cast.hubspot.act("calculate", object="contacts", key=key, values={"hubspotscore": str(score)})

    # ------------------------------------------------------------ sales

    def sales_calls(self) -> str | None:
        """The newest lead that nobody called yet."""
        found = self._newest(lambda row: row.get("Status") == NEW)
        if found is None:
            return None
        values = {"Subject": "First call", "Status": "Completed", "TaskSubtype": "Call"}
        self.cast.salesforce.act("log_task", who=found[0], values=values)
        self.cast.edit_person(("Lead", found[0]), {"Status": WORKED})
        return "sales calls a new lead: the clock stops"

    def sales_gives_back(self) -> str | None:
        """With the reason."""
        found = self._newest(lambda row: row.get("Status") == WORKED)
        if found is None:
            return None
        said = {"Status": BACK, "Rejection_Reason__c": self.chance.choice(REASONS)}
        self.cast.edit_person(("Lead", found[0]), said)
        return "sales gives a lead back, and says why"

    def sales_converts(self) -> str | None:
        """Into a contact, an account and an opportunity with an amount."""
        found = self._newest(lambda row: row.get("Status") == WORKED and row.get("Company"))
        if found is None:
            return None
        company = str(found[1]["Company"])
        accounts, deals = self.cast.rows("Account").items(), self.cast.rows("Opportunity").values()
        names = {str(row["Name"]) for row in deals}
        name = next(name for at in range(1, 1000) if (name := f"{company}: order {at}") not in names)
        known = next((key for key, row in accounts if row["Name"] == company), None)
        made = self.cast.salesforce.act("convert", key=found[0], opportunity=name, account=known)
        values = {"Amount": self.chance.randrange(70, 200) * 100, "CurrencyIsoCode": CURRENCY}
        self.cast.edit_person(("Opportunity", made["opportunity"]), values)
        return "sales converts a lead: there is a deal"

    def a_deal_moves_on(self) -> str | None:
        """One step, or to its end."""
        found = self._one(self.cast.rows("Opportunity"), lambda key, row: not row["IsClosed"] and row.get("Amount"))
        if found is None:
            return None
        steps = ["Prospecting", *(name for name, _ in STEPS)]
        at = steps.index(found[1]["StageName"]) if found[1]["StageName"] in steps else len(steps) - 1
        if at + 1 < len(steps):
            self.cast.salesforce.act("set_stage", key=found[0], stage=steps[at + 1])
            return "a deal moves on by a stage"
        today = datetime.now(UTC).date().isoformat()
        if self.chance.random() < 0.65:
            self.cast.salesforce.act("set_stage", key=found[0], stage=WON, values={"CloseDate": today})
            return "sales wins a deal"
        values = {"CloseDate": today, "Loss_Reason__c": self.chance.choice(LOSS_REASONS)}
        self.cast.salesforce.act("set_stage", key=found[0], stage=LOST, values=values)
        return "sales loses a deal, and says why"

    def _newest(self, fits: Callable[[Row], object]) -> tuple[str, Row] | None:
        leads = [(key, row) for key, row in self.cast.rows("Lead").items() if row.get("Email") and fits(row)]
        return max(leads, key=lambda each: (str(each[1].get("CreatedDate")), each[0]), default=None)

    def _one(self, rows: dict[str, Row], fits: Callable[[str, Row], object]) -> tuple[str, Row] | None:
        fitting = sorted(key for key, row in rows.items() if fits(key, row))
        if not fitting:
            return None
        key = self.chance.choice(fitting)
        return key, rows[key]


def email(row: Row) -> str:
    """The address of a record of either system, in small letters."""
    return str(row.get("email") or row.get("Email") or "").strip().lower()
