"""Fills an org with the demo company's people.

Promise: quick (100,000 Leads in a few seconds), spread over the past, everything as a careful import would have left it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row
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
    app: SalesforceSandbox, people: Iterable[Person], *, contact_every: int = 0, over_days: int = 90
) -> dict[str, int]:
    """Adds people: Leads, and every `contact_every`-th (0: none) a Contact with an Account. Their stamps are spread over
    the last `over_days` days, never later than an hour ago. Returns how many of each object."""
    org = app.org
    owners = [key for key, row in org.table("User").rows.items() if row["Email"] in REPS]
    tables: dict[str, list[Row]] = {"Lead": [], "Contact": [], "Account": []}
    latest_s = org.now_s() - 3_600
    for number, person in enumerate(people, 1):
        stamp_s = latest_s - int(org.chance.random() * over_days * _DAY_S)
        base = _base(org, stamp_s, owners[number % len(owners)])
        if contact_every and number % contact_every == 0:
            account = {**base, "Id": org.mint.new("001"), "Name": person.company, "BillingCountry": person.country}
            tables["Account"].append(account)
            tables["Contact"].append({**base, **_contact(org, person), "AccountId": account["Id"]})
        else:
            tables["Lead"].append({**base, **_lead(org, person)})
    for name, rows in tables.items():
        org.table(name).load(rows)
    return {name: len(rows) for name, rows in tables.items()}


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
