"""A world where leads are converted: people are Leads or Contacts, with companies and deals beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kin import COMPANIES, DEALS, PEOPLE, Kin, make_kin

from connectors.memory import Kind

ROLES = "OpportunityContactRoles.ContactId"
LEADS = PEOPLE.replace('object = "Contact" }', 'object = "Lead", becomes = "Contact" }').replace(
    'crm = "AccountId"', 'crm = { Contact = "AccountId" }'
)
CAUTIOUS = COMPANIES.replace("crm = 'name != \"\"'", "crm = 'false'")
"""Accounts are made by sales alone."""
CAUTIOUS_DEALS = DEALS.replace("crm = 'name != \"\"'", "crm = 'false'").replace(
    'link = "people"', 'link = "people"\nrefers = { crm = "Contact" }'
)


def make_selling(tmp_path: Path, *texts: str) -> Kin:
    """Marketing's associations move no stamp; a Lead knows what it was converted to."""
    kin = make_kin(tmp_path, *(texts or (CAUTIOUS_DEALS, LEADS, CAUTIOUS)))
    traits = replace(
        kin.sf.kinds["Contact"].traits,
        forms=("Contact",),
        conversions={"Account": "ConvertedAccountId", "Opportunity": "ConvertedOpportunityId"},
    )
    text = "text length=255"
    kin.sf.kinds["Lead"] = Kind.of(
        "Lead",
        traits=traits,
        Email=text,
        Name=text,
        Syncd_Key="text unique",
        ConvertedAccountId="reference (Account)",
        ConvertedOpportunityId="reference (Opportunity)",
    )
    kin.sf.items["Lead"] = {}
    return kin


def convert(
    kin: Kin, lead: str, account: str | None = None, deal: str | None = "Big deal", name: str = "Acme Inc"
) -> tuple[str, str | None, str]:
    """Sales converts a lead: (account, opportunity, contact). `account`: one that exists; `deal` None: without one."""
    sf = kin.sf
    with sf.locked():
        account = account or sf.create("Account", {"Name": name}, by="rep")
        made = {"Account": account}
        opportunity = None
        if deal is not None:
            opportunity = made["Opportunity"] = sf.create("Opportunity", {"Name": deal, "AccountId": account}, by="rep")
        _, contact = sf.convert("Lead", lead, made=made, by="rep")
        sf.edit("Contact", contact, {"AccountId": account}, by="rep")
        if opportunity is not None:
            sf.edit("Opportunity", opportunity, {ROLES: [contact]}, by="rep")
    return account, opportunity, contact


def pairs(kin: Kin, mapping: str) -> list[tuple[str, str]]:
    links = kin.ledger.links.page(mapping, 0, 100)
    return sorted((link.marketing.key, link.crm.key) for link in links if link.state in ("live", "converted"))
