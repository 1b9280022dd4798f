"""Fills a portal with people, as a portal that has lived for a while looks.

Promise: deterministic for the same people; everything is in the search index already, and nothing is pending.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.hubspot.sandbox.app import HubSpot
from connectors.hubspot.sandbox.records import Source
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
