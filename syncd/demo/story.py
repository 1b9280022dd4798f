"""What the people of the demo's company do, one deed after the other.

Promise: the same seed tells the same story, each deed on somebody else. Whatever is done here is done through the
sandboxes' control channel, as people and the vendors' own automation do it; nothing goes through syncd.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from syncd.demo.company import Cast, Row


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
        accounts = self.cast.rows("Account").items()
        known = next((key for key, row in accounts if row["Name"] == pair[3].get("Company")), None)
        self.cast.salesforce.act("convert", key=pair[1][1], opportunity=True, account=known)
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
