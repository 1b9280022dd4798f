"""What HubSpot's error answers mean (contract sections 2.3, 16 and 17).

Promise: every field of an error body may be missing, be HTML, or have its older shape, and no text of HubSpot's that
may quote a person's value gets into a message. It decides what an answer means, never what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from syncd.errors import Transient
from syncd.http import ERROR, OK, UNREADABLE, Answer, Daily, Verdict

LOCK_WAIT_S = 2.0
"""The least wait that HubSpot documents after 423."""

BURST_WAIT_S = 10.0
"""The longest that a rolling window of ten seconds can hold us back."""

SEARCH_WAIT_S = 1.0


class Detail(msgspec.Struct, rename={"in_": "in"}):
    """One entry of `errors[]`."""

    message: str | None = None
    code: str | None = None
    in_: str | None = None
    context: dict[str, Any] | None = None


class Trouble(msgspec.Struct):
    """An error body, or one entry of a batch's `errors`."""

    category: str | None = None
    message: str | None = None
    context: dict[str, Any] | None = None
    errors: list[Detail] | None = None
    policyName: str | None = None
    status: Any = None
    subCategory: Any = None

    @property
    def of_associations(self) -> bool:
        """Whether it is about what the record was to be associated with."""
        return str(self.subCategory or "").startswith("crm.associations")

    def values(self, name: str) -> list[str]:
        """What `context` lists under a name, here or in the entries of `errors`."""
        contexts = [self.context, *(detail.context for detail in self.errors or ())]
        return [text for context in contexts if context for text in _texts(context.get(name))]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one input was refused: HubSpot's code, our words for it, the attributes named, the record in the way."""

    code: str
    message: str
    culprits: tuple[str, ...] = ()
    existing: str | None = None


_TROUBLE = msgspec.json.Decoder(Trouble)
_EMBEDDED = msgspec.json.Decoder(list[dict[str, Any]])
_NONE = Trouble()

_EXISTING = re.compile(r"Existing ID: *(\d+)|\b(\d+) already has|already exists[^0-9]*(\d+)\.?$")
_NAME = re.compile(r"[a-z0-9_]{1,200}")
_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")

PASSING = frozenset({"RATE_LIMITS", "RATE_LIMIT", "LOCKED"})
"""Codes of refusals by circumstance: the same may be taken later."""

UNKNOWN = frozenset({"INTERNAL_ERROR", "SERVER_ERROR", "TIMEOUT"})
"""Codes that do not say whether anything was carried out."""

ASSOCIATION = "INVALID_ASSOCIATION"
"""Our code for whatever is wrong with what a record was to be associated with."""

_SAID = {
    ASSOCIATION: "what it is to be associated with is archived, deleted or never was",
    "PROPERTY_DOESNT_EXIST": "the property does not exist",
    "READ_ONLY_VALUE": "the property is calculated or read-only",
    "INVALID_OPTION": "the value is not one of the property's options",
    "INVALID_EMAIL": "the value is no e-mail address",
    "INVALID_INTEGER": "the value is no whole number",
    "INVALID_LONG": "the value is no whole number",
    "INVALID_NUMBER": "the value is no number",
    "INVALID_DATE": "the value is no date at midnight UTC",
    "INVALID_OWNER_ID": "no such owner, or one who left",
    "MISSING_REQUIRED_PROPERTY": "a required property has no value",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": "a property that is required because of another has no value",
    "CONFLICT": "another record already holds a value that must be unique",
    "CONFLICTING_UNIQUE_VALUE": "another record already holds a value that must be unique",
    "OBJECT_NOT_FOUND": "the record is archived, deleted or merged away",
    "OBJECT_ALREADY_EXISTS": "it already exists",
}


def trouble_of(answer: Answer) -> Trouble:
    """The body of an error answer; an empty Trouble if it is none."""
    try:
        return _TROUBLE.decode(answer.body)
    except UNREADABLE:
        return _NONE


def classify(answer: Answer) -> Verdict:
    """What the client does about an answer. Status first, then the policy, then the text (section 16)."""
    status = answer.status
    if 200 <= status < 300:
        return OK
    if status == 401:
        category = trouble_of(answer).category
        expired = category == "EXPIRED_AUTHENTICATION"
        return Verdict("expired", "the token has expired" if expired else "the token is not accepted")
    if status == 403:
        return _forbidden(trouble_of(answer))
    if status == 423:
        return Verdict("transient", "locked by many writes", after_s=LOCK_WAIT_S, executed=False)
    if status == 429:
        return _throttled(trouble_of(answer), "association" if "/associations/" in answer.what else "burst")
    if status == 477:
        return Verdict("transient", "the account is being moved to another data centre", executed=False)
    if status == 500 and trouble_of(answer).category == "RATE_LIMITS":
        return Verdict("throttled", "too many requests", after_s=SEARCH_WAIT_S)
    if status == 408 or status >= 500:
        return Verdict("transient", f"status {status}")
    return ERROR


def daily(answer: Answer) -> Daily | None:
    """HubSpot's own figure of the day, where an answer shows it (not on searches, not with OAuth)."""
    remaining = answer.headers.get("X-HubSpot-RateLimit-Daily-Remaining")
    if remaining is None:
        return None
    limit = answer.headers.get("X-HubSpot-RateLimit-Daily")
    return Daily.of(limit, remaining)


def refusal(trouble: Trouble) -> Refusal:
    """The code, culprits and existing record of one refusal, from any of its shapes (17.3, 17.5)."""
    codes: list[str] = []
    culprits: list[str] = []
    for code, name in _property_errors(trouble):
        codes.append(code)
        if name and _NAME.fullmatch(name) and name not in culprits:
            culprits.append(name)
    culprits += [name for name in trouble.values("properties") if _NAME.fullmatch(name) and name not in culprits]
    code = next(iter(codes), "") or (ASSOCIATION if trouble.of_associations else trouble.category) or "REFUSED"
    code = code if _CODE.fullmatch(code) else "REFUSED"
    said = _SAID.get(code) or code.lower().replace("_", " ")
    return Refusal(code, said, tuple(culprits), _existing(trouble))


def refuse_read(answer: Answer) -> Transient:
    """The error for a read that HubSpot does not understand: nothing a record can do about it."""
    told = refusal(trouble_of(answer))
    return Transient(
        f"{answer.what}: refused with status {answer.status} ({told.code})",
        remedy="check that the object and its properties still exist: syncd check --online",
    )


def _forbidden(trouble: Trouble) -> Verdict:
    scopes = sorted({scope for scope in trouble.values("requiredGranularScopes") if _CODE.fullmatch(scope)})
    if scopes:
        listed = ", ".join(scopes)
        return Verdict("access", f"the token lacks the scopes {listed}", f"grant {listed} to the app or key")
    if trouble.category == "MISSING_SCOPES":
        return Verdict("access", "the token lacks a scope", "compare the app's scopes with what the README lists")
    return Verdict("access", "forbidden", "check the app's scopes and that the account has this feature")


def _throttled(trouble: Trouble, meter: str) -> Verdict:
    policy = (trouble.policyName or "").upper()
    text = (trouble.message or "").lower()
    if policy == "DAILY" or (not policy and "daily" in text):
        return Verdict(
            "daily", "HubSpot's limit of calls a day is reached", "it starts again at the account's midnight"
        )
    if policy == "SECONDLY" or (not policy and "secondly limit" in text and "ten" not in text):
        return Verdict("throttled", "too many searches a second", after_s=SEARCH_WAIT_S, meter="search")
    if policy == "TEN_SECONDLY_ROLLING" or "ten_secondly" in text:
        return Verdict("throttled", "too many requests in ten seconds", after_s=BURST_WAIT_S, meter=meter)
    return Verdict("throttled", "too many requests")


def _property_errors(trouble: Trouble) -> Iterator[tuple[str, str]]:
    """(code, property) pairs, from `errors[]` and from the JSON inside the message; often both are there."""
    for detail in trouble.errors or ():
        names = _texts((detail.context or {}).get("propertyName")) or [detail.in_ or ""]
        for name in names:
            yield detail.code or "", name
    _, opening, rest = (trouble.message or "").partition("[{")
    if opening:
        try:
            embedded = _EMBEDDED.decode("[{" + rest)
        except UNREADABLE:
            return
        for entry in embedded:
            yield str(entry.get("error", "")), str(entry.get("name", ""))


def _existing(trouble: Trouble) -> str | None:
    for known in trouble.values("existingId"):
        if known.isdigit():
            return known
    for text in (trouble.message, *(detail.message for detail in trouble.errors or ())):
        if text and (found := _EXISTING.search(text)):
            return found[1] or found[2] or found[3]
    return None


def _texts(value: Any) -> list[str]:
    """A context's value as texts: documented as an array, seen as a bare one."""
    if value is None or isinstance(value, Mapping):
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
