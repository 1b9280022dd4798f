"""What the shipped mapping of people means, written down a second time from `mappings/people.toml` (and `town.DATES`) and `docs/mapping.md`.

Promise: nothing of `syncd.core` is used, so a mistake there cannot excuse itself. It says which attributes belong
together, when two values are the same, and which side wins; it does not say when anything is written (`acceptor`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

OBJECTS = ("contacts", "Lead", "Contact")
FORMS = ("Lead", "Contact")
SYSTEM = {"contacts": "hubspot", "Lead": "salesforce", "Contact": "salesforce"}
KEY = {"contacts": "syncd_key", "Lead": "Syncd_Key__c", "Contact": "Syncd_Key__c"}
NOT_GIVEN = "[not given]"

UNMAPPED = "\0unmapped"
"""A value that the other side has no word for: it travels nowhere, and stands."""

STAGES = {
    "marketingqualifiedlead": "Open - Not Contacted",
    "salesqualifiedlead": "Working - Contacted",
    "opportunity": "Working - Contacted",
    "lead": "Closed - Not Converted",
}
REASONS = {
    "no_budget": "No budget",
    "no_need": "No need",
    "bad_timing": "Bad timing",
    "wrong_contact": "Wrong contact",
    "unreachable": "Unreachable",
}
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
COUNTRIES = {
    "germany": "DE", "de": "DE", "france": "FR", "fr": "FR", "spain": "ES", "united states": "US",
    "usa": "US", "us": "US", "united states of america": "US",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One field. `flow`: both, to_crm, to_marketing. `wins`: the side whose edit stands when both moved."""

    name: str
    contacts: str
    lead: str | None
    contact: str | None
    kind: str = "text"
    flow: str = "both"
    wins: str = "crm"
    blank: str = "keep"
    made: str | None = None
    """What a create carries when there is no value."""

    def attribute(self, object: str) -> str | None:
        """Its name on that object; None: it is not there."""
        return {"contacts": self.contacts, "Lead": self.lead, "Contact": self.contact}[object]

    def may_write(self, object: str) -> bool:
        """Whether the field flows to that object's side."""
        return self.flow == "both" or (self.flow == "to_marketing") == (object == "contacts")


RULES = (
    Rule("email", "email", "Email", "Email", "email"),
    Rule("first_name", "firstname", "FirstName", "FirstName"),
    Rule("last_name", "lastname", "LastName", "LastName", made=NOT_GIVEN),
    Rule("company_name", "company", "Company", None, made=NOT_GIVEN),
    Rule("job_title", "jobtitle", "Title", "Title"),
    Rule("phone", "phone", "Phone", "Phone", "phone"),
    Rule("mobile", "mobilephone", "MobilePhone", "MobilePhone", "phone"),
    Rule("country", "country", "Country", "MailingCountry", "country"),
    Rule("city", "city", "City", "MailingCity"),
    Rule("owner", "hubspot_owner_id", "OwnerId", "OwnerId", "owner"),
    Rule("stage", "lifecyclestage", "Status", None, "stage"),
    Rule("rejection_reason", "crm_rejection_reason", "Rejection_Reason__c", None, "reason", "to_marketing", blank="clear"),
    Rule("rating", "crm_rating", "Rating", None, "rating", "to_marketing", blank="clear"),
    Rule("lead_source", "lead_source", "LeadSource", "LeadSource", "source"),
    Rule("follow_up_on", "follow_up_on", "Follow_Up_On__c", "Follow_Up_On__c", "day"),
    Rule("called_at", "called_at", "Called_At__c", "Called_At__c", "moment"),
    Rule("original_source", "hs_analytics_source", "Original_Source__c", "Original_Source__c", "cut", "to_crm"),
    Rule("score", "hubspotscore", "Marketing_Score__c", "Marketing_Score__c", "number", "to_crm"),
    Rule("opt_out", "hs_email_optout", "HasOptedOutOfEmail", "HasOptedOutOfEmail", "consent", "to_crm"),
    Rule("crm_opt_out", "crm_email_optout", "HasOptedOutOfEmail", "HasOptedOutOfEmail", "consent", "to_marketing"),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}


def written_by(object: str, attribute: str) -> Rule | None:
    """The field that may be written into that attribute of that object."""
    return next((rule for rule in RULES if rule.attribute(object) == attribute and rule.may_write(object)), None)


@dataclass(frozen=True)
class Words:
    """When two values mean the same. `owners`: a user's number in either system -> e-mail, if active in both."""

    owners: Mapping[str, str]

    def canon(self, rule: Rule, object: str, raw: Any) -> Any:
        """The one form that both sides' spellings have in common; None: blank; UNMAPPED: no counterpart."""
        return _KINDS[rule.kind](self, object, raw)

    def same(self, rule: Rule, one: str, left: Any, two: str, right: Any) -> bool:
        """Whether a value on one object says what another value says on another object."""
        a, b = self.canon(rule, one, left), self.canon(rule, two, right)
        return bool(a == b != UNMAPPED)


def text(raw: Any) -> str | None:
    """Without outer spaces, line ends and control characters made equal, composed."""
    if raw is None:
        return None
    found = unicodedata.normalize("NFC", str(raw)).replace("\r\n", "\n").replace("\r", "\n")
    found = "".join(one if unicodedata.category(one) != "Cc" or one == "\n" else " " for one in found)
    return re.sub(r"[ \t]+", " ", found).strip() or None


def _text(words: Words, object: str, raw: Any) -> Any:
    found = text(raw)
    return None if found == NOT_GIVEN else found


def _email(words: Words, object: str, raw: Any) -> Any:
    found = text(raw)
    return found.lower() if found else None


def _phone(words: Words, object: str, raw: Any) -> Any:
    found = text(raw)
    return re.sub(r"\D", "", found) or None if found else None


def _country(words: Words, object: str, raw: Any) -> Any:
    found = text(raw)
    return COUNTRIES.get(found.lower(), UNMAPPED) if found else None


def _owner(words: Words, object: str, raw: Any) -> Any:
    return words.owners.get(str(raw), UNMAPPED) if raw else None


def _stage(words: Words, object: str, raw: Any) -> Any:
    if not raw:
        return None
    if object == "contacts":
        return STAGES.get(raw, UNMAPPED)
    return raw if raw in STAGES.values() else UNMAPPED


def _reason(words: Words, object: str, raw: Any) -> Any:
    if not raw:
        return None
    return REASONS.get(raw, UNMAPPED) if object == "contacts" else raw


def _rating(words: Words, object: str, raw: Any) -> Any:
    return raw or None


def _source(words: Words, object: str, raw: Any) -> Any:
    if not raw:
        return None
    return raw if raw in SOURCES else "Other"


def _cut(words: Words, object: str, raw: Any) -> Any:
    found = text(raw)
    return found[:40].strip() if found else None


def _number(words: Words, object: str, raw: Any) -> Any:
    if raw in (None, ""):
        return None
    try:
        return int(Decimal(str(raw)).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        return UNMAPPED


def _day(words: Words, object: str, raw: Any) -> Any:
    return str(raw)[:10] if raw else None


def _moment(words: Words, object: str, raw: Any) -> Any:
    return datetime.fromisoformat(str(raw).replace("+0000", "+00:00")).timestamp() if raw else None


def _consent(words: Words, object: str, raw: Any) -> Any:
    return raw in (True, "true")


_KINDS: Mapping[str, Callable[[Words, str, Any], Any]] = {
    "text": _text, "email": _email, "phone": _phone, "country": _country, "owner": _owner, "stage": _stage,
    "reason": _reason, "rating": _rating, "source": _source, "cut": _cut, "number": _number, "consent": _consent,
    "day": _day, "moment": _moment,
}  # fmt: skip


def in_scope(object: str, values: Mapping[str, Any]) -> bool:
    """Whether a record takes part: it has an e-mail address."""
    return text(values.get(BY_NAME["email"].attribute(object) or "")) is not None


def qualified(contact: Mapping[str, Any]) -> bool:
    """`funnel.toml`, read by a person: unknown is not true."""
    score = contact.get("hubspotscore")
    try:
        high = score not in (None, "") and Decimal(str(score)) >= 50
    except InvalidOperation:
        high = False
    fit = contact.get("lifecyclestage") in ("marketingqualifiedlead", "salesqualifiedlead")
    out = contact.get("hs_email_optout") == "true" or contact.get("crm_email_optout") == "true"
    return bool(fit and high and not out)
