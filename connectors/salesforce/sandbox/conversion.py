"""A Lead becomes a Contact: account and contact found or made, an opportunity if wanted, the Lead closed.

Promise: all or nothing; custom fields stay behind unless the switch `convert_mapping` carries them over. There is no
REST call for it: people do it, and SOAP. Contract section 16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.history import track_conversion
from connectors.salesforce.sandbox.instants import day_of
from connectors.salesforce.sandbox.objects import LEAD_STATUSES
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.saving import Actor, commit, create, stamp, update, writable_row
from connectors.salesforce.sandbox.store import Row

_TO_CONTACT: Mapping[str, str] = {
    "Salutation": "Salutation",
    "FirstName": "FirstName",
    "LastName": "LastName",
    "Title": "Title",
    "Email": "Email",
    "Phone": "Phone",
    "MobilePhone": "MobilePhone",
    "LeadSource": "LeadSource",
    "Description": "Description",
    "HasOptedOutOfEmail": "HasOptedOutOfEmail",
    "DoNotCall": "DoNotCall",
    "Street": "MailingStreet",
    "City": "MailingCity",
    "State": "MailingState",
    "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
}
_TO_ACCOUNT: Mapping[str, str] = {
    "Company": "Name",
    "Phone": "Phone",
    "Website": "Website",
    "Industry": "Industry",
    "AnnualRevenue": "AnnualRevenue",
    "NumberOfEmployees": "NumberOfEmployees",
    "Street": "BillingStreet",
    "City": "BillingCity",
    "State": "BillingState",
    "PostalCode": "BillingPostalCode",
    "Country": "BillingCountry",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a Lead is to be converted. Ids of what exists already; `opportunity` is a name, or empty for none."""

    lead: str
    account: str = ""
    contact: str = ""
    opportunity: str = ""
    status: str = "Closed - Converted"
    owner: str = ""
    overwrite_source: bool = False


def convert(org: Org, actor: Actor, wish: Wish) -> dict[str, str | None]:
    """Converts; `{"account", "contact", "opportunity"}`. Refusal, with nothing done."""
    lead = writable_row(org, actor, org.whole("Lead"), wish.lead)
    if lead.get("IsConverted"):
        raise Refusal.one("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, ())
    _check_status(org, wish.status)
    owner = wish.owner or lead["OwnerId"]
    if org.catalogue.object_of(owner) != "User":
        raise Refusal.one("INVALID_CROSS_REFERENCE_KEY", "lead is owned by a queue: an owner is required", 400, ())
    with org.store.transaction() as roll_back:
        try:
            return _carry_out(org, Actor(actor.user, api=False), wish, lead, owner)
        except Refusal:
            roll_back()
            raise


def _check_status(org: Org, status: str) -> None:
    found = [row for row in org.table("LeadStatus").rows.values() if row.get("MasterLabel") == status]
    if status not in LEAD_STATUSES or not any(row.get("IsConverted") for row in found):
        raise Refusal.one("INVALID_STATUS", f"invalid convertedStatus: {status}", 400, ())


def _carry_out(org: Org, actor: Actor, wish: Wish, lead: Row, owner: str) -> dict[str, str | None]:
    account = wish.account
    if wish.contact and not account:
        account = _existing(org, "Contact", wish.contact).get("AccountId", "")
    if account:
        _fill(org, actor, "Account", account, _carried(lead, _TO_ACCOUNT), False)
    else:
        account = create(org, actor, org.whole("Account"), {**_carried(lead, _TO_ACCOUNT), "OwnerId": owner})
    person = _carried(lead, _TO_CONTACT) | _carried(lead, org.switches.convert_mapping)
    if wish.contact:
        _fill(org, actor, "Contact", wish.contact, {**person, "AccountId": account}, wish.overwrite_source)
    contact = wish.contact or create(
        org, actor, org.whole("Contact"), {**person, "AccountId": account, "OwnerId": owner}
    )
    opportunity = _opportunity(org, actor, wish, lead, account, contact, owner) if wish.opportunity else None
    _close(org, actor, wish, lead, account, contact, opportunity)
    _move_activities(org, wish.lead, contact)
    return {"account": account, "contact": contact, "opportunity": opportunity}


def _carried(lead: Row, mapping: Mapping[str, str]) -> dict[str, Any]:
    return {there: lead[here] for here, there in mapping.items() if here in lead}


def _existing(org: Org, object_name: str, key: str) -> Row:
    row = org.table(object_name).rows.get(key)
    if row is None or row.get("IsDeleted"):
        raise Refusal.one("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 400, ())
    return row


def _fill(
    org: Org, actor: Actor, object_name: str, key: str, values: Mapping[str, Any], overwrite_source: bool
) -> None:
    """Into something that exists only its blank fields are filled."""
    row = _existing(org, object_name, key)
    changes = {
        name: value for name, value in values.items() if name not in row or (name == "LeadSource" and overwrite_source)
    }
    if changes:
        update(org, actor, org.whole(object_name), key, changes)


def _opportunity(org: Org, actor: Actor, wish: Wish, lead: Row, account: str, contact: str, owner: str) -> str:
    today = date.fromisoformat(day_of(org.now_s()))
    values = {
        "Name": wish.opportunity,
        "AccountId": account,
        "StageName": "Prospecting",
        "CloseDate": (today + timedelta(days=90)).isoformat(),
        "OwnerId": owner,
        **_carried(lead, {"LeadSource": "LeadSource"}),
    }
    key = create(org, actor, org.whole("Opportunity"), values)
    role = {"OpportunityId": key, "ContactId": contact, "IsPrimary": org.switches.conversion_role_primary}
    create(org, actor, org.whole("OpportunityContactRole"), role)
    return key


def _close(org: Org, actor: Actor, wish: Wish, lead: Row, account: str, contact: str, opportunity: str | None) -> None:
    closed: Row = {
        **lead,
        "IsConverted": True,
        "IsUnreadByOwner": False,
        "Status": wish.status,
        "ConvertedDate": day_of(org.now_s()),
        "ConvertedAccountId": account,
        "ConvertedContactId": contact,
    }
    if opportunity:
        closed["ConvertedOpportunityId"] = opportunity
    stamp(org, closed, actor.user)
    commit(org, actor, "Lead", closed)
    track_conversion(org, actor.user, closed)


def _move_activities(org: Org, lead: str, contact: str) -> None:
    """Tasks and events go over to the contact; campaign members gain it and keep the lead. Whether their stamps move
    is unverified: a switch."""
    moves = {"SystemModstamp": org.now_s()} if org.switches.conversion_moves_stamp else {}
    for name, field, new in (
        ("Task", "WhoId", "WhoId"),
        ("Event", "WhoId", "WhoId"),
        ("CampaignMember", "LeadId", "ContactId"),
    ):
        table = org.table(name)
        for key in list(table.find(field, lead)):
            org.store.put(name, {**table.rows[key], new: contact, **moves})
