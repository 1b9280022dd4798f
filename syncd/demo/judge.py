"""Do both sides really say the same? The sandboxes' own states, compared by rules written down here a second time.

Promise: nothing of the engine is used, so that a mistake there cannot excuse itself; people are paired by their e-mail
address, never by what the ledger believes. It knows the shipped mappings and funnel, and nothing else. Companies are
judged in `judge_companies`, deals and whoever points to whom in `judge_deals`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from syncd.demo import judge_companies
from syncd.demo.company import Cast
from syncd.demo.judge_deals import deal_differences, member_differences
from syncd.demo.judging import Difference, Owners, digits, owner_differs, owners, plain, same_text

Row = dict[str, Any]

STAGES = {
    "marketingqualifiedlead": "Open - Not Contacted",
    "salesqualifiedlead": "Working - Contacted",
    "opportunity": "Working - Contacted",
    "lead": "Closed - Not Converted",
}
REASONS = {
    "No budget": "no_budget",
    "No need": "no_need",
    "Bad timing": "bad_timing",
    "Wrong contact": "wrong_contact",
    "Unreachable": "unreachable",
}
SOURCES = {"Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"}
PLAIN = {
    "first_name": ("firstname", {"Lead": "FirstName", "Contact": "FirstName"}),
    "last_name": ("lastname", {"Lead": "LastName", "Contact": "LastName"}),
    "company_name": ("company", {"Lead": "Company"}),
    "job_title": ("jobtitle", {"Lead": "Title", "Contact": "Title"}),
    "city": ("city", {"Lead": "City", "Contact": "MailingCity"}),
    "country": ("country", {"Lead": "Country", "Contact": "MailingCountry"}),
}
PHONES = {"phone": ("phone", "Phone"), "mobile": ("mobilephone", "MobilePhone")}
QUALIFIED_STAGES = ("marketingqualifiedlead", "salesqualifiedlead")
QUALIFIED_SCORE = 50


def differences(cast: Cast) -> list[Difference]:
    """Everything in which the two systems do not agree though they should; empty: converged."""
    known = owners(cast)
    companies, wrong = judge_companies.company_pairs(cast)
    everybody = {at: contact for contact, at, _, _ in cast.pairs()}
    persons = {key: contact for (object_, key), contact in everybody.items() if object_ == "Contact"}
    return [
        *people(cast),
        *wrong,
        *judge_companies.company_differences(cast, companies, known),
        *deal_differences(cast, companies, persons, known),
        *member_differences(cast, {key: contact for (_, key), contact in everybody.items()}),
    ]


def people(cast: Cast) -> list[Difference]:
    """The same, of people alone."""
    contacts = cast.contacts()
    persons = {(object_, key): row for object_ in ("Lead", "Contact") for key, row in cast.rows(object_).items()}
    known = owners(cast)
    found = _twice(contacts, persons)
    by_email: dict[str, tuple[str, str]] = {}
    for (object_, key), row in persons.items():  # a Contact comes later, and goes before a Lead
        if row.get("Email"):
            by_email[plain(row["Email"])] = (object_, key)
    met: set[tuple[str, str]] = set()
    for contact, values in contacts.items():
        at = by_email.get(plain(values.get("email")))
        if at is None:
            if qualified(values):
                found.append(Difference("a qualified contact is not in sales", contact))
            continue
        met.add(at)
        names = _pair(values, at[0], persons[at], known)
        found += [Difference(f"{name} differs", contact, at[1]) for name in names]
    found += [
        Difference("is not in marketing", None, key) for email, (_, key) in by_email.items() if (_, key) not in met
    ]
    return found


def qualified(values: Row) -> bool:
    """What both departments agreed: fit, interest, consent."""
    return (
        bool(values.get("email"))
        and values.get("lifecyclestage") in QUALIFIED_STAGES
        and float(values.get("hubspotscore") or 0) >= QUALIFIED_SCORE
        and values.get("hs_email_optout") != "true"
        and values.get("crm_email_optout") != "true"
    )


def _twice(contacts: dict[str, Row], people: dict[tuple[str, str], Row]) -> list[Difference]:
    """People who stand twice in one system."""
    found = []
    for side, rows in (("marketing", contacts.values()), ("sales", people.values())):
        addresses = Counter(plain(row.get("email") or row.get("Email")) for row in rows)
        found += [
            Difference(f"somebody stands {n} times in {side}") for email, n in addresses.items() if email and n > 1
        ]
    return found


def _pair(values: Row, object_: str, row: Row, known: Owners) -> list[str]:
    """The fields in which one person differs between the two."""
    found = []
    for name, (property_, fields) in PLAIN.items():
        if object_ in fields and not same_text(values.get(property_), row.get(fields[object_])):
            found.append(name)
    for name, (property_, field) in PHONES.items():
        if digits(values.get(property_)) != digits(row.get(field)):
            found.append(name)
    if object_ == "Lead":
        found += _lead(values, row)
    if owner_differs(known, values, row):
        found.append("owner")
    source, theirs_source = values.get("lead_source") or "", row.get("LeadSource") or ""
    if source != (theirs_source if theirs_source in SOURCES or not theirs_source else "Other"):
        found.append("lead_source")
    if str(values.get("hs_analytics_source") or "")[:40] not in ("", row.get("Original_Source__c") or ""):
        found.append("original_source")
    if values.get("hubspotscore") and round(float(values["hubspotscore"])) != round(row.get("Marketing_Score__c") or 0):
        found.append("score")
    if values.get("hs_email_optout") == "true" and not row.get("HasOptedOutOfEmail"):
        found.append("opt_out")
    if row.get("HasOptedOutOfEmail") and values.get("crm_email_optout") != "true":
        found.append("crm_opt_out")
    return found


def _lead(values: Row, row: Row) -> list[str]:
    found = []
    stage = STAGES.get(str(values.get("lifecyclestage")))
    if stage is not None and stage != row.get("Status"):
        found.append("stage")
    if REASONS.get(str(row.get("Rejection_Reason__c")), "") != (values.get("crm_rejection_reason") or ""):
        found.append("rejection_reason")
    if (row.get("Rating") or "") != (values.get("crm_rating") or ""):
        found.append("rating")
    return found
