"""Who is there before anything happens: the demo org's people, queue, statuses and stages.

Promise: the sales people have the addresses of `syncd.sandbox.company.REPS`, so that owners match those of the
other sandboxes; REST writes are the integration user's.
"""

from __future__ import annotations

from typing import Any

from connectors.salesforce.sandbox.field_makers import CURRENCIES, CURRENCY_FIELD
from connectors.salesforce.sandbox.objects import LEAD_STATUSES, PIPELINES, STAGES
from connectors.salesforce.sandbox.org import FOUNDED_AGO_S, ORG_ID, Cast, Org
from connectors.salesforce.sandbox.store import Row
from syncd.sandbox.company import LEFT_REP, LEFT_REP_NAME, REP_NAMES, REPS

QUEUE_NAME = "Inbound Leads"


def fill(org: Org) -> None:
    """Puts the cast into an empty org."""
    since_s = org.now_s() - FOUNDED_AGO_S
    admin = org.mint.new("005")
    org.cast = Cast(
        admin=admin,
        integration=_user(org, since_s, admin, ("Syncd", "Integration"), "integration@acme.example"),
        automation=_user(
            org, since_s, admin, ("Automated", "Process"), "autoproc@acme.example", UserType="AutomatedProcess"
        ),
        queue=org.mint.new("00G"),
    )
    _user(org, since_s, admin, ("Olga", "Brandt"), "admin@acme.example", key=admin)
    for name, email in zip(REP_NAMES, REPS, strict=True):
        _user(org, since_s, admin, name, email)
    _user(org, since_s, admin, LEFT_REP_NAME, LEFT_REP, IsActive=False)
    queue = {"Id": org.cast.queue, "Name": QUEUE_NAME, "DeveloperName": "Inbound_Leads", "Type": "Queue"}
    _put(org, "Group", since_s, admin, {**queue, "Email": "inbound@acme.example"})
    _statuses(org, since_s, admin)
    _record_types(org, since_s, admin)
    _currencies(org, since_s, admin)
    _organization(org, since_s, admin)


def _user(org: Org, since_s: int, admin: str, name: tuple[str, str], email: str, key: str = "", **more: Any) -> str:
    key = key or org.mint.new("005")
    row: Row = {
        "Id": key,
        "Username": email,
        "FirstName": name[0],
        "LastName": name[1],
        "Name": " ".join(name),
        "Email": email,
        "Alias": (name[0][:1] + name[1])[:8].lower(),
        "IsActive": True,
        "UserType": "Standard",
        "TimeZoneSidKey": "America/Los_Angeles",
        **more,
    }
    _put(org, "User", since_s, admin, row)
    return key


def _statuses(org: Org, since_s: int, admin: str) -> None:
    for place, label in enumerate(LEAD_STATUSES, 1):
        converted = label == "Closed - Converted"
        flags = {"SortOrder": place, "IsDefault": place == 1, "IsConverted": converted}
        row = {"Id": org.mint.new("01J"), "MasterLabel": label, "ApiName": label, **flags}
        _put(org, "LeadStatus", since_s, admin, row)
    for place, (label, probability, closed, won, forecast) in enumerate(STAGES, 1):
        flags = {"SortOrder": place, "IsActive": True, "IsClosed": closed, "IsWon": won}
        row = {"Id": org.mint.new("01j"), "MasterLabel": label, "ApiName": label, **flags}
        more = {"DefaultProbability": float(probability), "ForecastCategoryName": forecast}
        _put(org, "OpportunityStage", since_s, admin, {**row, **more})


def _record_types(org: Org, since_s: int, admin: str) -> None:
    """One for each pipeline; the first is what an Opportunity has that names none."""
    for name in PIPELINES:
        key = org.mint.new("012")
        row = {"Id": key, "Name": name, "DeveloperName": name.replace(" ", "_"), "IsActive": True}
        _put(org, "RecordType", since_s, admin, {**row, "SobjectType": "Opportunity"})
        org.cast.record_types.setdefault("Opportunity", key)


def _currencies(org: Org, since_s: int, admin: str) -> None:
    for place, (code, rate) in enumerate(CURRENCIES):
        row = {"Id": org.mint.new("01L"), "IsoCode": code, "ConversionRate": rate, "DecimalPlaces": 2}
        _put(org, "CurrencyType", since_s, admin, {**row, "IsActive": True, "IsCorporate": place == 0})


def _organization(org: Org, since_s: int, admin: str) -> None:
    row = {
        "Id": ORG_ID,
        "Name": "Acme Industrial GmbH",
        "IsSandbox": False,
        "InstanceName": "EU42",
        "OrganizationType": "Enterprise Edition",
        "TimeZoneSidKey": "Europe/Berlin",
        "DefaultLocaleSidKey": "en_GB",
        "LanguageLocaleKey": "en_US",
    }
    _put(org, "Organization", since_s, admin, row)


def _put(org: Org, name: str, since_s: int, admin: str, row: Row) -> None:
    stamps = {"CreatedDate": since_s, "LastModifiedDate": since_s, "SystemModstamp": since_s}
    org.store.put(name, {**row, **stamps, "CreatedById": admin, "LastModifiedById": admin})


def rename_org(org: Org) -> None:
    """Makes the Organization row say what the switches say."""
    table = org.table("Organization")
    (old,) = table.rows.values()
    if (old["Id"], old["IsSandbox"]) != (org.org_id, org.switches.is_sandbox):
        org.store.drop("Organization", old["Id"])
        org.store.put("Organization", {**old, "Id": org.org_id, "IsSandbox": org.switches.is_sandbox})


def show_currencies(org: Org) -> None:
    """Makes the schema say what the switch `multi_currency` says: an org with one currency has no such field."""
    for name in org.catalogue.names():
        field = org.whole(name).by_name.get(CURRENCY_FIELD)
        if field is not None and field.hidden is org.switches.multi_currency:
            org.catalogue.edit(name, CURRENCY_FIELD, {"hidden": not org.switches.multi_currency}, org.now_s())
