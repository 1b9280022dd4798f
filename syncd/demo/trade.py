"""What happens to the demo company's deals, companies and campaigns, one deed after the other.

Promise: as `story`, whose cast it plays with: the same seed tells the same, each deed on another record, and nothing goes
through syncd. Deeds come in two parts: what the second undoes, the first did.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from syncd.demo.company import Cast, Row
from syncd.sandbox.business import CAMPAIGNS, LOSS_REASONS, LOST, WIN_REASONS, WON

PRIMARY_OF_CONTACT = [1, 279]
"""Type ids that make a company a contact's primary one."""


@dataclass
class Trade:
    """The deeds, each on something else."""

    cast: Cast
    chance: random.Random
    _used: set[str] = field(default_factory=set)
    _buried: str | None = None
    """A contact that was deleted, and is to come back."""

    def first(self) -> Iterator[str]:
        """What people do; yields what was done."""
        yield from self._told(
            self.sales_wins,
            self.sales_loses,
            self.sales_moves_a_deal,
            self.marketing_moves_a_deal,
            self.marketing_opens_a_renewal,
            self.an_account_changes_hands,
            self.somebody_changes_company,
            self.marketing_merges_companies,
            self.sales_follows_up,
            self.an_answer_to_a_campaign,
            self.somebody_asks_for_a_guide,
            self.sales_deletes_a_lead,
            self.marketing_deletes_a_contact,
        )

    def second(self) -> Iterator[str]:
        """What is undone, and what follows once both systems have heard of the first part."""
        yield from self._told(self.marketing_restores_the_contact, self.sales_reopens, self.marketing_renames_a_company)

    def any_deed(self) -> str | None:
        """One small thing, for a company that goes on living."""
        deeds = (self.sales_moves_a_deal, self.sales_follows_up, self.somebody_asks_for_a_guide, self.sales_wins)
        return self.chance.choice(deeds)()

    def _told(self, *deeds: Callable[[], str | None]) -> Iterator[str]:
        for deed in deeds:
            if said := deed():
                yield said

    # ------------------------------------------------------------ who and what

    def _one(self, rows: dict[str, Row], fits: Callable[[str, Row], bool]) -> tuple[str, Row] | None:
        """One that nothing happened to yet."""
        fitting = sorted(key for key, row in rows.items() if key not in self._used and fits(key, row))
        if not fitting:
            return None
        key = self.chance.choice(fitting)
        self._used.add(key)
        return key, rows[key]

    def _deal(self, fits: Callable[[Row, Row], bool]) -> tuple[str, Row, str, Row] | None:
        """A deal that both systems have: (deal, its values, opportunity, its row)."""
        deals = {row.get("dealname"): key for key, row in self.cast.hubs("deals").items()}
        values = self.cast.hubs("deals")
        found = self._one(
            self.cast.rows("Opportunity"),
            lambda key, row: row["Name"] in deals and fits(values[deals[row["Name"]]], row),
        )
        if found is None:
            return None
        deal = deals[found[1]["Name"]]
        return deal, values[deal], *found

    def _sales(self, object: str, key: str, values: Row) -> None:
        self.cast.edit_person((object, key), values)

    def _marketing(self, object: str, key: str, values: Row) -> None:
        self.cast.hubspot.act("edit", object=object, key=key, values=values, by="Maria (marketing)")

    # ------------------------------------------------------------ deals

    def sales_wins(self) -> str | None:
        found = self._deal(lambda values, row: not row["IsClosed"])
        if found is None:
            return None
        amount = float(self.chance.randrange(50, 400) * 100)
        reason = WIN_REASONS[int(amount / 100) % len(WIN_REASONS)]
        self._sales("Opportunity", found[2], {"StageName": WON, "Amount": amount, "Win_Reason__c": reason})
        return "sales wins a deal, for another amount than it was to bring"

    def sales_loses(self) -> str | None:
        found = self._deal(lambda values, row: not row["IsClosed"])
        if found is None:
            return None
        reason = self.chance.choice(LOSS_REASONS)
        self._sales("Opportunity", found[2], {"StageName": LOST, "Loss_Reason__c": reason})
        return "sales loses a deal, and says why"

    def sales_moves_a_deal(self) -> str | None:
        found = self._deal(lambda values, row: not row["IsClosed"] and row["StageName"] != "Perception Analysis")
        if found is None:
            return None
        self._sales("Opportunity", found[2], {"StageName": "Perception Analysis"})
        return "sales moves a deal to a stage that is finer than marketing's"

    def marketing_moves_a_deal(self) -> str | None:
        found = self._deal(lambda values, row: not row["IsClosed"] and values.get("pipeline") == "default")
        if found is None:
            return None
        self._marketing("deals", found[0], {"dealstage": "contractsent", "pipeline": "default"})
        return "marketing sends a contract: its deal moves"

    def sales_reopens(self) -> str | None:
        found = self._deal(lambda values, row: row["IsClosed"] and not row["IsWon"])
        if found is None:
            return None
        self._sales("Opportunity", found[2], {"StageName": "Negotiation/Review", "Loss_Reason__c": None})
        return "sales opens a lost deal again: a step back"

    def marketing_opens_a_renewal(self) -> str | None:
        accounts = {str(row["Name"]): row for row in self.cast.rows("Account").values()}
        found = self._one(self.cast.hubs("companies"), lambda key, row: row.get("name") in accounts)
        if found is None:
            return None
        values = {
            "dealname": f"{found[1]['name']}: renewal of the year",
            "pipeline": "7001",
            "dealstage": "70011",
            "amount": "12000",
            "closedate": "2027-06-30T12:00:00Z",
        }
        deal = self.cast.hubspot.act("create", object="deals", values=values, by="Maria (marketing)")["key"]
        self.cast.hubspot.act("associate", object="deals", key=deal, to_object="companies", to_key=found[0])
        return "marketing opens a renewal for a customer"

    # ------------------------------------------------------------ companies

    def an_account_changes_hands(self) -> str | None:
        found = self._one(self.cast.rows("Account"), lambda key, row: row["OwnerId"] != "")
        if found is None:
            return None
        self._sales("Account", found[0], {"OwnerId": "rep3@acme.example"})
        return "an account changes hands"

    def somebody_changes_company(self) -> str | None:
        """Only an association changes: no property of the contact, and no stamp."""
        ties = self.cast.ties().get(("companies", "contacts"), {})
        accounts = {str(row["Name"]): key for key, row in self.cast.rows("Account").items()}
        known = {key for key, row in self.cast.hubs("companies").items() if row.get("name") in accounts}
        pairs = [pair for pair in self.cast.pairs() if pair[1][0] == "Contact" and pair[0] not in self._used]
        for contact, _, _, _ in pairs:
            others = sorted(key for key in known if contact not in ties.get(key, {}))
            if others:
                self._used.add(contact)
                to = {"to_object": "companies", "to_key": self.chance.choice(others)}
                self.cast.hubspot.act("associate", object="contacts", key=contact, **to, types=PRIMARY_OF_CONTACT)
                return "somebody changes company: only an association moves"
        return None

    def marketing_merges_companies(self) -> str | None:
        found = self._one(self.cast.hubs("companies"), lambda key, row: bool(row.get("domain")))
        if found is None:
            return None
        values = {"name": f"{found[1].get('name')} (old)", "domain": f"old-{found[1]['domain']}"}
        double = self.cast.hubspot.act("create", object="companies", values=values, by="Maria (marketing)")
        self.cast.hubspot.act("merge", object="companies", key=found[0], **{"with": double["key"]})
        return "marketing merges two companies that are one"

    def marketing_renames_a_company(self) -> str | None:
        found = self._one(self.cast.hubs("companies"), lambda key, row: bool(row.get("name")))
        if found is None:
            return None
        self._marketing("companies", found[0], {"city": f"{found[1].get('city', '')} (moved)".strip()})
        return "a company moves house"

    # ------------------------------------------------------------ activities and campaigns

    def sales_follows_up(self) -> str | None:
        lead = self._one(self.cast.rows("Lead"), lambda key, row: bool(row.get("Email")))
        if lead is None:
            return None
        self.cast.salesforce.act("log_task", who=lead[0], values={"Subject": "First call", "Status": "Completed"})
        deal = self._deal(lambda values, row: True)
        if deal is not None:
            self.cast.salesforce.act("log_event", what=deal[2], values={"Subject": "Demonstration"})
        return "sales calls a lead, and meets about a deal"

    def an_answer_to_a_campaign(self) -> str | None:
        found = self._one(self.cast.rows("CampaignMember"), lambda key, row: not row.get("HasResponded"))
        if found is None:
            return None
        who = found[1].get("ContactId") or found[1].get("LeadId")
        self.cast.salesforce.act("respond", campaign=found[1]["CampaignId"], who=who)
        return "somebody answers a campaign, and sales notes it"

    def somebody_asks_for_a_guide(self) -> str | None:
        members = set(self.cast.lists()[CAMPAIGNS[1]])
        known = {pair[0] for pair in self.cast.pairs()}
        found = self._one(self.cast.contacts(), lambda key, row: key in known and key not in members)
        if found is None:
            return None
        self.cast.hubspot.act("submit_form", key=found[0], form=CAMPAIGNS[1], list=CAMPAIGNS[1])
        self.cast.hubspot.act("click", key=found[0], email_name="Your guide")
        self.cast.hubspot.act("view", key=found[0], page="https://acme.example/prices")
        return "somebody sends a form, clicks in the mail and reads the prices"

    # ------------------------------------------------------------ deletes and restores

    def sales_deletes_a_lead(self) -> str | None:
        """Of somebody whom marketing would not hand over again: the contact stays, and nobody is made anew."""
        pairs = {
            at[1]: row
            for contact, at, values, row in self.cast.pairs()
            if at[0] == "Lead" and values.get("lifecyclestage") == "lead" and contact not in self._used
        }
        found = self._one(pairs, lambda key, row: row.get("Status") == "Closed - Not Converted")
        if found is None:
            return None
        self.cast.salesforce.act("delete", object="Lead", key=found[0])
        return "sales deletes a lead that leads nowhere"

    def marketing_deletes_a_contact(self) -> str | None:
        pairs = {contact: values for contact, at, values, _ in self.cast.pairs() if at[0] == "Lead"}
        found = self._one(pairs, lambda key, row: True)
        if found is None:
            return None
        self._buried = found[0]
        self.cast.hubspot.act("delete", object="contacts", key=found[0])
        return "marketing deletes a contact, by mistake"

    def marketing_restores_the_contact(self) -> str | None:
        if self._buried is None:
            return None
        self.cast.hubspot.act("restore", object="contacts", key=self._buried)
        self.cast.edit_contact(self._buried, {"jobtitle": "Back Again"})
        return "marketing restores the contact, and goes on working on it"
