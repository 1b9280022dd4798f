"""Do both sides say the same of deals, of who points to whom, and of what became of the deals?

Promise: as `judge`: nothing of the engine is used. Deals are paired by their name, which the demo never gives twice; who
belongs to whom is told by the companies' and people's own pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.demo.company import Cast
from syncd.demo.judging import Difference, Owners, owner_differs, plain, same_text

Row = dict[str, Any]

STAGES = {
    "default/appointmentscheduled": ("New Business", "Prospecting"),
    "default/qualifiedtobuy": ("New Business", "Qualification"),
    "default/presentationscheduled": ("New Business", "Needs Analysis", "Value Proposition"),
    "default/decisionmakerboughtin": (
        *("New Business", "Proposal/Price Quote"),
        *("Id. Decision Makers", "Perception Analysis"),
    ),
    "default/contractsent": ("New Business", "Negotiation/Review"),
    "default/closedwon": ("New Business", "Closed Won"),
    "default/closedlost": ("New Business", "Closed Lost"),
    "7001/70011": ("Renewals", "Qualification", "Prospecting", "Needs Analysis", "Value Proposition"),
    "7001/70012": (
        *("Renewals", "Negotiation/Review"),
        *("Id. Decision Makers", "Perception Analysis", "Proposal/Price Quote"),
    ),
    "7001/70013": ("Renewals", "Closed Won"),
    "7001/70014": ("Renewals", "Closed Lost"),
}
"""HubSpot's pipeline and stage: the CRM's pipeline, then its stages that mean the same."""
FORECASTS = {
    "Omitted": "OMIT",
    "Pipeline": "PIPELINE",
    "Best Case": "BEST_CASE",
    "Most Likely": "BEST_CASE",
    "Commit": "COMMIT",
    "Closed": "CLOSED",
}
SOURCES = {"Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"}
CONTACT_COMPANY, DEAL_COMPANY = 1, 5
"""Type ids of the primary company, from a contact and from a deal."""
Ties = dict[tuple[str, str], dict[str, dict[str, set[int]]]]


def deal_differences(
    cast: Cast, companies: Mapping[str, str], people: Mapping[str, str], owners: Owners
) -> list[Difference]:
    """`companies`: account -> company; `people`: Contact in sales -> contact in marketing, of all that are paired."""
    deals, opportunities, ties = cast.hubs("deals"), cast.rows("Opportunity"), cast.ties()
    roles = _roles(cast, opportunities)
    by_name = {plain(row.get("dealname")): key for key, row in deals.items()}
    found, met = [], set()
    if len(by_name) < len(deals):
        found.append(Difference("two deals of marketing have one name"))
    for key, row in opportunities.items():
        deal = by_name.get(plain(row.get("Name")))
        if deal is None:
            found.append(Difference("an opportunity is not in marketing", None, key))
            continue
        met.add(deal)
        names = _deal(deals[deal], row, owners)
        if _primary(ties, ("deals", "companies"), deal, DEAL_COMPANY) != companies.get(row.get("AccountId") or ""):
            names.append("company")
        here = set(ties.get(("deals", "contacts"), {}).get(deal, {}))
        there = {people[one] for one in roles.get(key, ()) if one in people}
        if there != here & set(people.values()):
            names.append("contacts")
        found += [Difference(f"deal {name} differs", deal, key) for name in names]
    known = set(companies.values())
    for deal, row in deals.items():
        company = _primary(ties, ("deals", "companies"), deal, DEAL_COMPANY)
        if deal not in met and row.get("pipeline") == "7001" and company in known:
            found.append(Difference("a renewal is not in sales", deal))
    return [*found, *_employers(cast, ties, companies, people), *_outcomes(cast, roles, companies, people)]


def _primary(ties: Ties, pair: tuple[str, str], key: str, label: int) -> str | None:
    return next((end for end, types in ties.get(pair, {}).get(key, {}).items() if label in types), None)


def _roles(cast: Cast, opportunities: Mapping[str, Row]) -> dict[str, set[str]]:
    """Who plays a role in each opportunity."""
    found: dict[str, set[str]] = {}
    contacts = cast.rows("Contact")
    for row in cast.rows("OpportunityContactRole").values():
        if row["OpportunityId"] in opportunities and row["ContactId"] in contacts:
            found.setdefault(row["OpportunityId"], set()).add(row["ContactId"])
    return found


def _deal(values: Row, row: Row, owners: Owners) -> list[str]:
    """The fields in which one deal differs between the two."""
    found = []
    pipeline, *stages = STAGES[f"{values.get('pipeline')}/{values.get('dealstage')}"]
    if row.get("Pipeline__c") != pipeline or row.get("StageName") not in stages:
        found.append("stage")
    if FORECASTS.get(str(row.get("ForecastCategoryName"))) != values.get("hs_manual_forecast_category"):
        found.append("forecast")
    if round(float(values.get("amount") or 0), 2) != round(row.get("Amount") or 0, 2):
        found.append("amount")
    if values.get("deal_currency_code") and values["deal_currency_code"] != row.get("CurrencyIsoCode"):
        found.append("currency")
    if str(values.get("closedate") or "")[:10] != str(row.get("CloseDate") or "")[:10]:
        found.append("close_date")
    if not same_text(values.get("closed_lost_reason"), row.get("Loss_Reason__c")):
        found.append("lost_reason")
    if not same_text(values.get("closed_won_reason"), row.get("Win_Reason__c")):
        found.append("won_reason")
    if not same_text(values.get("description"), row.get("Description")):
        found.append("description")
    source, theirs = values.get("lead_source") or "", row.get("LeadSource") or ""
    if source != (theirs if theirs in SOURCES or not theirs else "Other"):
        found.append("lead_source")
    if str(values.get("hs_analytics_source") or "")[:40] not in ("", row.get("Primary_Source__c") or ""):
        found.append("primary_source")
    if owner_differs(owners, values, row):
        found.append("owner")
    return found


def _employers(cast: Cast, ties: Ties, companies: Mapping[str, str], people: Mapping[str, str]) -> list[Difference]:
    """A contact of an account belongs to that account's company."""
    return [
        Difference("company of a person differs", people[key], key)
        for key, row in cast.rows("Contact").items()
        if key in people and row.get("AccountId") in companies
        if _primary(ties, ("contacts", "companies"), people[key], CONTACT_COMPANY) != companies[row["AccountId"]]
    ]


def member_differences(cast: Cast, people: Mapping[str, str]) -> list[Difference]:
    """Whoever is in a list is once, and nobody else is, in the campaign of that name. `people`: Lead or Contact -> contact
    in marketing."""
    members: dict[str, list[str]] = {}
    for row in cast.rows("CampaignMember").values():
        members.setdefault(row["CampaignId"], []).append(row.get("ContactId") or row.get("LeadId") or "")
    lists, found = cast.lists(), []
    for key, campaign in cast.rows("Campaign").items():
        there = sorted(people.get(one, one) for one in members.get(key, ()))
        here = sorted(set(lists.get(campaign["Name"], ())) & set(people.values()))
        if there != here:
            found.append(Difference("who is in a campaign differs", None, key))
    return found


# ---------------------------------------------------------------- what became of them


def _outcomes(
    cast: Cast, roles: Mapping[str, set[str]], companies: Mapping[str, str], people: Mapping[str, str]
) -> list[Difference]:
    """Marketing knows of its people and companies what sales' own opportunities came to."""
    opportunities = cast.rows("Opportunity")
    of_people: dict[str, list[tuple[str, Row]]] = {}
    of_companies: dict[str, list[tuple[str, Row]]] = {}
    for key, row in opportunities.items():
        of_companies.setdefault(row.get("AccountId") or "", []).append((key, row))
        for contact in roles.get(key, ()):
            of_people.setdefault(contact, []).append((key, row))
    found = []
    for what, object_, pairs, theirs in (
        ("a person", "contacts", people, of_people),
        ("a company", "companies", companies, of_companies),
    ):
        values = cast.hubs(object_)
        for sales, marketing in pairs.items():
            told = _told(values.get(marketing, {}))
            expected = _expected(theirs.get(sales, []))
            found += [
                Difference(f"{name} of {what} differs", marketing, sales)
                for name in expected
                if told[name] != expected[name]
            ]
    return found


def _told(values: Row) -> Row:
    amount = values.get("crm_won_amount")
    return {
        "opportunity_stage": values.get("crm_opportunity_stage") or None,
        "last_outcome": values.get("crm_last_outcome") or None,
        "won_amount": round(float(amount), 2) if amount else None,
        "lost_reason": values.get("crm_lost_reason") or None,
    }


def _expected(rows: list[tuple[str, Row]]) -> Row:
    """Amounts of several currencies are not added: then nothing is expected of the sum."""
    newest = sorted(rows, key=lambda one: (str(one[1].get("CloseDate")), one[0]))
    won = [row for _, row in newest if row.get("IsWon")]
    lost = [row for _, row in newest if row.get("IsClosed") and not row.get("IsWon")]
    last = newest[-1][1] if newest else None
    expected: Row = {
        "opportunity_stage": f"{last['Pipeline__c']}/{last['StageName']}" if last else None,
        "last_outcome": None if last is None else "won" if last["IsWon"] else "lost" if last["IsClosed"] else "open",
        "lost_reason": (lost[-1].get("Loss_Reason__c") or None) if lost else None,
    }
    if len({row.get("CurrencyIsoCode") for row in won}) < 2:
        expected["won_amount"] = round(sum(row.get("Amount") or 0 for row in won), 2) if won else None
    return expected
