"""Fills a portal with people, companies and deals, as a portal that has lived for a while looks.

Promise: deterministic for the same people; everything is in the search index already, and nothing is pending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.hubspot.sandbox.app import HubSpot
from connectors.hubspot.sandbox.records import Source
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.business import NEW_BUSINESS, RENEWALS, Deal, Firm
from syncd.sandbox.company import Person

DAY_MS = 86_400_000
IMPORT = Source("IMPORT", "import:1", "Contacts import", 77)
FORMS = Source("FORM", "form:contact-us", "Contact us", None)
_ANALYTICS = {
    "Web": "ORGANIC_SEARCH",
    "Phone Inquiry": "OFFLINE",
    "Partner Referral": "REFERRALS",
    "Purchased List": "OFFLINE",
    "Other": "DIRECT_TRAFFIC",
}
INDUSTRIES = {
    "Manufacturing": "MACHINERY",
    "Electronics": "ELECTRICAL_ELECTRONIC_MANUFACTURING",
    "Chemicals": "CHEMICALS",
    "Consulting": "MANAGEMENT_CONSULTING",
    "Banking": "BANKING",
    "Biotechnology": "BIOTECHNOLOGY",
    "Education": "EDUCATION_MANAGEMENT",
}
"""The CRM's words for an industry -> HubSpot's. What is not here is left blank."""
STAGES = {
    (NEW_BUSINESS, "Prospecting"): ("default", "appointmentscheduled"),
    (NEW_BUSINESS, "Qualification"): ("default", "qualifiedtobuy"),
    (NEW_BUSINESS, "Needs Analysis"): ("default", "presentationscheduled"),
    (NEW_BUSINESS, "Proposal/Price Quote"): ("default", "decisionmakerboughtin"),
    (NEW_BUSINESS, "Negotiation/Review"): ("default", "contractsent"),
    (NEW_BUSINESS, "Closed Won"): ("default", "closedwon"),
    (NEW_BUSINESS, "Closed Lost"): ("default", "closedlost"),
    (RENEWALS, "Qualification"): ("7001", "70011"),
    (RENEWALS, "Negotiation/Review"): ("7001", "70012"),
    (RENEWALS, "Closed Won"): ("7001", "70013"),
    (RENEWALS, "Closed Lost"): ("7001", "70014"),
}
"""(pipeline, stage) in the CRM's words -> HubSpot's ids."""


def populate(app: HubSpot, people: Iterable[Person], *, days: float = 300.0, key: str | None = None) -> list[str]:
    """Creates a contact for each person, spread evenly over the last `days`; returns their ids in order.

    `key`: a prefix; with it each contact gets `syncd_key` = prefix + number, as if synced before.
    """
    people = list(people)
    table = app.portal.tables["contacts"]
    owners = [one.id for one in app.portal.owners.listed(False, None)]
    now_ms = app.clock.now_ms()
    step_ms = int(days * DAY_MS / max(1, len(people)))
    ids = []
    for at, person in enumerate(people):
        values = _values(person, owners[at % len(owners)])
        if key is not None:
            values["syncd_key"] = f"{key}{at}"
        source = FORMS if person.source == "Web" else IMPORT
        created_ms = now_ms - (len(people) - at) * step_ms
        ids.append(app.portal.create(table, values, source, at_ms=created_ms, lag=False).id)
    return ids


def populate_business(
    app: HubSpot, firms: Iterable[Firm], deals: Iterable[Deal], contacts: Mapping[str, str], *, days: float = 300.0
) -> tuple[dict[str, str], list[str]]:
    """Creates the companies and deals, and ties each contact (by address: id) to its company, each deal to its company
    and contacts. Returns the companies' ids by domain, and the deals' in order."""
    portal = app.portal
    owners = [one.id for one in portal.owners.listed(False, None)]
    at_ms = app.clock.now_ms() - int(days * DAY_MS)
    companies = {
        firm.domain: portal.create(
            portal.tables["companies"], _firm(firm, owners[at % len(owners)]), IMPORT, at_ms=at_ms, lag=False
        ).id
        for at, firm in enumerate(firms)
    }
    primary = portal.associations.primary("contacts", "companies")
    for email, contact in contacts.items():
        if (company := companies.get(email.rsplit("@", 1)[1])) is not None:
            portal.associations.add("contacts", contact, "companies", company, primary)
    made = []
    for at, deal in enumerate(deals):
        values = _deal(deal, owners[at % len(owners)], app.clock.now_ms())
        key = portal.create(portal.tables["deals"], values, IMPORT, at_ms=at_ms, lag=False).id
        made.append(key)
        if (company := companies.get(deal.firm.domain)) is not None:
            primary_of_deal = portal.associations.primary("deals", "companies")
            portal.associations.add("deals", key, "companies", company, primary_of_deal)
        for person in deal.people:
            if (contact_id := contacts.get(person.email.lower())) is not None:
                default = portal.associations.primary("deals", "contacts")
                portal.associations.add("deals", key, "contacts", contact_id, default)
    return companies, made


def _firm(firm: Firm, owner: str) -> dict[str, str]:
    values = {
        "name": firm.name,
        "domain": firm.domain,
        "phone": firm.phone,
        "city": firm.city,
        "country": firm.country,
        "industry": INDUSTRIES.get(firm.industry, ""),
        "numberofemployees": str(firm.employees),
        "annualrevenue": str(firm.revenue),
        "lifecyclestage": "customer" if firm.kind.startswith("Customer") else "lead",
        "hubspot_owner_id": owner,
    }
    return {name: value for name, value in values.items() if value}


def _deal(deal: Deal, owner: str, now_ms: int) -> dict[str, str]:
    pipeline, stage = STAGES[deal.pipeline, deal.stage]
    return {
        "dealname": deal.name,
        "pipeline": pipeline,
        "dealstage": stage,
        "amount": str(deal.amount),
        "deal_currency_code": deal.currency,
        "closedate": iso((now_ms // DAY_MS + deal.closes_in_days) * DAY_MS),
        "hubspot_owner_id": owner,
        "lead_source": deal.source,
        "hs_analytics_source": _ANALYTICS.get(deal.source, "OFFLINE"),
    }


def _values(person: Person, owner: str) -> dict[str, str]:
    values = {
        "email": person.email.lower(),
        "firstname": person.first,
        "lastname": person.last,
        "company": person.company,
        "phone": person.phone,
        "mobilephone": person.mobile,
        "country": person.country,
        "city": person.city,
        "jobtitle": person.title,
        "lifecyclestage": person.stage,
        "hs_lead_status": "OPEN" if person.stage == "salesqualifiedlead" else "",
        "hubspot_owner_id": owner if person.stage not in ("subscriber", "lead") else "",
        "hs_analytics_source": _ANALYTICS.get(person.source, "OFFLINE"),
        "hubspotscore": str(person.score),
        "hs_email_optout": "true" if person.opted_out else "",
        "lead_source": person.source,
    }
    return {name: value for name, value in values.items() if value}
