"""Fills an org with the demo company's people, accounts and opportunities.

Promise: quick (100,000 Leads in a few seconds), spread over the past, everything as a careful import would have left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.salesforce.sandbox.derived import derive
from connectors.salesforce.sandbox.history import track_opportunity
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row
from syncd.sandbox.business import Deal, Firm
from syncd.sandbox.company import REPS, Person

if TYPE_CHECKING:
    from connectors.salesforce.sandbox.app import SalesforceSandbox

_STATUS = {
    "subscriber": "Open - Not Contacted",
    "lead": "Open - Not Contacted",
    "marketingqualifiedlead": "Open - Not Contacted",
    "salesqualifiedlead": "Working - Contacted",
    "opportunity": "Working - Contacted",
    "customer": "Working - Contacted",
}
_DAY_S = 86_400


def populate(
    app: SalesforceSandbox,
    people: Iterable[Person],
    *,
    contact_every: int = 0,
    over_days: int = 90,
    firms: Mapping[str, Firm] | None = None,
) -> dict[str, int]:
    """Adds people: Leads, and every `contact_every`-th (0: none) a Contact with an Account, which Contacts of one company
    share. Their stamps are spread over the last `over_days` days, never later than an hour ago. `firms`: what is known
    of the companies, by domain. Returns how many of each object."""
    org = app.org
    accounts: dict[str, Row] = {}
    owners = [key for key, row in org.table("User").rows.items() if row["Email"] in REPS]
    tables: dict[str, list[Row]] = {"Lead": [], "Contact": [], "Account": []}
    latest_s = org.now_s() - 3_600
    for number, person in enumerate(people, 1):
        stamp_s = latest_s - int(org.chance.random() * over_days * _DAY_S)
        base = _base(org, stamp_s, owners[number % len(owners)])
        if contact_every and number % contact_every == 0:
            account = accounts.get(person.domain)
            if account is None:
                account = {**base, "Id": org.mint.new("001"), "Name": person.company, "BillingCountry": person.country}
                account |= _account((firms or {}).get(person.domain))
                accounts[person.domain] = account
                tables["Account"].append(account)
            tables["Contact"].append({**base, **_contact(org, person), "AccountId": account["Id"]})
        else:
            tables["Lead"].append({**base, **_lead(org, person)})
    for name, rows in tables.items():
        org.table(name).load(rows)
    return {name: len(rows) for name, rows in tables.items()}


def populate_deals(app: SalesforceSandbox, deals: Iterable[Deal], *, days_ago: int = 30) -> list[str]:
    """Adds an Opportunity for each deal whose company is an Account, found by its name, with a role for each of its
    people who is a Contact of it. Returns the ids in order."""
    org = app.org
    accounts = {row["Name"]: key for key, row in org.table("Account").rows.items()}
    contacts = {
        str(row.get("Email")).lower(): (key, row.get("AccountId")) for key, row in org.table("Contact").rows.items()
    }
    owners = [key for key, row in org.table("User").rows.items() if row["Email"] in REPS]
    opportunities: list[Row] = []
    roles: list[Row] = []
    for number, deal in enumerate(deals):
        if (account := accounts.get(deal.firm.name)) is None:
            continue
        base = _base(org, org.now_s() - days_ago * _DAY_S, owners[number % len(owners)])
        opportunity = {**base, "Id": org.mint.new("006"), "AccountId": account, **_opportunity(deal, org.now_s())}
        derive(org, "Opportunity", opportunity, opportunity)
        opportunities.append(opportunity)
        stamps = {name: value for name, value in base.items() if name != "OwnerId"}
        for person in deal.people:
            contact, at = contacts.get(person.email.lower(), ("", None))
            if at == account:
                role = {"OpportunityId": opportunity["Id"], "ContactId": contact, "Role": "Decision Maker"}
                roles.append({**stamps, "Id": org.mint.new("00K"), **role, "IsPrimary": person is deal.people[0]})
    org.table("Opportunity").load(opportunities)
    org.table("OpportunityContactRole").load(roles)
    for opportunity in opportunities:
        track_opportunity(org, opportunity["OwnerId"], None, opportunity)
    return [row["Id"] for row in opportunities]


def _account(firm: Firm | None) -> Row:
    if firm is None:
        return {}
    return {
        "Website": f"https://www.{firm.domain}",
        "Phone": firm.phone,
        "BillingCity": firm.city,
        "Industry": firm.industry,
        "NumberOfEmployees": firm.employees,
        "AnnualRevenue": float(firm.revenue),
        "Type": firm.kind,
    }


def _opportunity(deal: Deal, now_s: int) -> Row:
    closes = datetime.fromtimestamp(now_s, UTC).date() + timedelta(days=deal.closes_in_days)
    row: Row = {
        "Name": deal.name,
        "StageName": deal.stage,
        "Pipeline__c": deal.pipeline,
        "Amount": float(deal.amount),
        "CurrencyIsoCode": deal.currency,
        "CloseDate": closes.isoformat(),
        "LeadSource": deal.source,
        "Loss_Reason__c": deal.reason,
    }
    return {name: value for name, value in row.items() if value}


def _base(org: Org, stamp_s: int, owner: str) -> Row:
    stamps = {"CreatedDate": stamp_s, "LastModifiedDate": stamp_s, "SystemModstamp": stamp_s}
    return {**stamps, "CreatedById": owner, "LastModifiedById": owner, "OwnerId": owner, "IsDeleted": False}


def _shared(person: Person) -> Row:
    row: Row = {
        "LastName": person.last,
        "FirstName": person.first,
        "Name": f"{person.first} {person.last}",
        "Email": person.email,
        "Phone": person.phone,
        "MobilePhone": person.mobile,
        "Title": person.title,
        "LeadSource": person.source,
        "HasOptedOutOfEmail": person.opted_out,
        "Marketing_Score__c": float(person.score),
    }
    return {name: value for name, value in row.items() if value not in ("", None)}


def _lead(org: Org, person: Person) -> Row:
    status = _STATUS.get(person.stage, "Open - Not Contacted")
    place = {"Company": person.company, "City": person.city, "Country": person.country}
    return {"Id": org.mint.new("00Q"), **_shared(person), **place, "Status": status, "IsConverted": False}


def _contact(org: Org, person: Person) -> Row:
    place = {"MailingCity": person.city, "MailingCountry": person.country}
    return {"Id": org.mint.new("003"), **_shared(person), **place}
