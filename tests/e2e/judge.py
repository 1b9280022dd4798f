"""An independent judge of the end state: both vendors' own state, compared by rules written down here a second time.

Promise: nothing of `syncd.core` is used, so that a mistake there cannot excuse itself. People are paired by e-mail
address, never by what the ledger believes. It knows the shipped mapping (`mappings/people.toml`) and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from stage import World, writes

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
COUNTRIES = {"germany": "DE", "de": "DE", "france": "FR", "united states": "US", "usa": "US", "us": "US", "spain": "ES"}
PLAIN = {
    "first_name": ("firstname", "FirstName"),
    "last_name": ("lastname", "LastName"),
    "job_title": ("jobtitle", "Title"),
}
COUNTRY = {"Lead": "Country", "Contact": "MailingCountry"}
CITY = {"Lead": "City", "Contact": "MailingCity"}


def pairs(world: World) -> list[tuple[str, str, str]]:
    """(contact key, form, person key) of everybody who is on both sides: same e-mail; a Contact goes before a Lead."""
    people: dict[str, tuple[str, str]] = {}
    for form in ("Lead", "Contact"):
        for key, row in world.live(form).items():
            if row["Email"]:
                people[row["Email"].strip().lower()] = (form, key)
    found = []
    for key, values in world.live("contacts").items():
        partner = people.get(values.get("email", "").strip().lower())
        if partner:
            found.append((key, *partner))
    return found


def quiet(world: World) -> None:
    """Converges, and then rests."""
    world.until_quiet()
    assert writes(world.once()) == 0


def assert_settled(world: World, *, but: Iterable[tuple[str, str]] = (), twins: Iterable[str] = ()) -> None:
    """Every pair says the same in every field, nobody stands twice, and the ledger is whole.

    `but`: (e-mail, field) that may differ, each for a reason the test names. `twins`: addresses that people hold twice.
    """
    allowed = set(but)
    differing = {
        (world.hs(contact)["email"], name)
        for contact, form, person in pairs(world)
        for name in differences(world, contact, form, person)
    }
    assert differing == allowed, f"differ: {differing - allowed}; should differ: {allowed - differing}"
    assert_nobody_twice(world, twins)
    assert_ledger_whole(world)


def assert_nobody_twice(world: World, twins: Iterable[str] = ()) -> None:
    """No two live records of one form share an address or syncd's key."""
    for form, email, key in (
        ("contacts", "email", "syncd_key"),
        ("Lead", "Email", "Syncd_Key__c"),
        ("Contact", "Email", "Syncd_Key__c"),
    ):
        rows = world.live(form).values()
        addresses = Counter(row[email].strip().lower() for row in rows if row.get(email))
        doubled = {address for address, count in addresses.items() if count > 1} - set(twins)
        assert not doubled, f"{form} twice: {doubled}"
        keys = Counter(row[key].lower() for row in rows if row.get(key))
        assert all(count == 1 for count in keys.values()), f"{form}: a key twice: {keys}"


def assert_ledger_whole(world: World) -> None:
    """The file is sound, the journal's chain holds, and nothing is left half done."""
    assert world.ledger.store.integrity() == "ok"
    assert world.ledger.journal.verify()[1] is None
    lone = world.ledger.store.rows("SELECT link FROM link_side GROUP BY link HAVING count(*) != 2")
    assert not lone, f"links with one end: {lone}"


def differences(world: World, contact: str, form: str, person: str) -> set[str]:
    """The fields in which a contact and its lead or contact in the CRM do not say what the mapping would have them."""
    m, c = world.hs(contact), world.sf(form, person)
    found = {name for name, (ours, theirs) in PLAIN.items() if _text(m.get(ours)) != _text(c[theirs])}
    found |= {"phone"} if _digits(m.get("phone")) != _digits(c["Phone"]) else set()
    found |= {"mobile"} if _digits(m.get("mobilephone")) != _digits(c["MobilePhone"]) else set()
    found |= {"city"} if _text(m.get("city")) != _text(c[CITY[form]]) else set()
    found |= {"country"} if _country(m.get("country")) != _country(c[COUNTRY[form]]) else set()
    found |= {"lead_source"} if _source(m.get("lead_source")) != _source(c["LeadSource"]) else set()
    found |= {"score"} if _number(m.get("hubspotscore")) not in (None, c["Marketing_Score__c"]) else set()
    origin = (m.get("hs_analytics_source") or "")[:40]
    found |= {"original_source"} if origin and origin != c["Original_Source__c"] else set()
    found |= {"owner"} if not _same_owner(world, m.get("hubspot_owner_id"), c["OwnerId"]) else set()
    found |= {"opt_out"} if m.get("hs_email_optout") == "true" and not c["HasOptedOutOfEmail"] else set()
    found |= {"crm_opt_out"} if c["HasOptedOutOfEmail"] and m.get("crm_email_optout") != "true" else set()
    if form == "Lead":
        # "[not given]" stands where HubSpot has nothing and Salesforce insists.
        company = "" if c["Company"] == "[not given]" else _text(c["Company"])
        found |= {"company_name"} if _text(m.get("company")) != company else set()
        stage = STAGES.get(m.get("lifecyclestage") or "")
        known = stage is not None and c["Status"] in STAGES.values()
        found |= {"stage"} if known and stage != c["Status"] else set()
        found |= {"rating"} if (m.get("crm_rating") or None) != c["Rating"] else set()
        reason = REASONS.get(c["Rejection_Reason__c"] or "")
        found |= {"rejection_reason"} if (m.get("crm_rejection_reason") or None) != reason else set()
    return found


def _text(value: str | None) -> str:
    text = (value or "").strip()
    return "" if text == "[not given]" else text


def _digits(value: str | None) -> str:
    return "".join(letter for letter in value or "" if letter.isdigit())


def _country(value: str | None) -> str:
    text = (value or "").strip()
    return COUNTRIES.get(text.lower(), text)


def _source(value: str | None) -> str:
    """What sales writes freely arrives in HubSpot as "Other"."""
    return "" if not value else value if value in SOURCES else "Other"


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _same_owner(world: World, ours: str | None, theirs: str) -> bool:
    """Somebody who is no active user of both systems changes nothing on the other side."""
    mine = {key: one for key, one in world.hubspot.app.state(None)["owners"].items() if not one["archived"]}
    users = {key: row["Email"] for key, row in world.salesforce.records("User").items() if row["IsActive"]}
    known = {one["email"] for one in mine.values()} & set(users.values())
    left = mine[ours]["email"] if ours in mine else None
    right = users.get(theirs)
    return left not in known or right not in known or left == right
