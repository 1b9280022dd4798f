"""What Salesforce's refusals mean: for a whole call (`classify`), and for one effect (`judge`).

Promise: only what is surely not applied is called refused, moved or gone; everything else is doubtful. No outcome
carries a person's value. Source: contract section 12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from connectors.salesforce.ids import id18, id_in, is_id
from connectors.salesforce.replies import Trouble, troubles_in
from syncd.connector import Effect, Outcome
from syncd.http import EXPIRED, Answer, Daily, Verdict, by_status

MAX_MESSAGE = 300
"""Characters of a message that are kept."""

# ---------------------------------------------------------------- a whole call


def classify(answer: Answer) -> Verdict:
    """The verdict on an answer of the API, for `Http`."""
    if 200 <= answer.status < 300:
        return by_status(answer)
    troubles = troubles_in(answer.body)
    code = troubles[0].code if troubles else ""
    message = troubles[0].message if troubles else ""
    if answer.status == 401 or (answer.status == 403 and b"Bad_OAuth_Token" in answer.body[:200]):
        return _session(code, message)
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "totalrequests" in message.lower():
            return Verdict("daily", code, "Wait: the org's calls of the last 24 hours are used up, by whomever.")
        return Verdict("throttled", code)
    if code in _UNDONE:
        return Verdict("transient", code, executed=False)
    if answer.status == 403:
        return Verdict("access", code or "status 403", _REMEDIES.get(code, _GRANT))
    if answer.status == 410:
        return Verdict("access", "this version of the API is retired", "Set `version` to a newer one.")
    if answer.status == 420:
        return Verdict("transient", "status 420")
    verdict = by_status(answer)
    return Verdict("transient", code or verdict.message) if verdict.kind == "transient" else verdict


def _session(code: str, message: str) -> Verdict:
    """A session that is over, or one that a fresh token would not mend (contract section 2.2)."""
    said = message.lower()
    if "not valid for use with the rest api" in said:
        return Verdict("access", code, "Add the scope `api` (Manage user data via APIs) to the external client app.")
    if "agent" in said:
        return Verdict("access", code, "The app must be attached to an agent to use this resource.")
    return EXPIRED


_UNDONE = frozenset({"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "API_CURRENTLY_DISABLED"})
_GRANT = "Give the integration user the permissions that the mapping needs (and API Enabled)."
_REMEDIES = {"API_DISABLED_FOR_ORG": "This org's edition, or the user's profile, has no API access."}
_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


def daily(answer: Answer) -> Daily | None:
    """The org's daily calls, as the Sforce-Limit-Info header of any answer tells."""
    said = _USAGE.search(answer.headers.get("Sforce-Limit-Info") or "")
    if said is None or (whole := Daily.of(said[2], said[1])) is None or whole.limit is None:
        return None
    return Daily(whole.limit, max(0, whole.limit - whole.remaining))


# ---------------------------------------------------------------- one effect

_GONE = frozenset({"ENTITY_IS_DELETED"})
_MOVED = frozenset({"ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", "PRECONDITION_FAILED"})
_UNKNOWN = frozenset({"UNKNOWN_EXCEPTION", "UNNAMED"})
_AGAIN = frozenset(
    {
        "UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_RECORD", "RECORD_LOCKED", "ENTITY_IS_LOCKED", "STORAGE_LIMIT_EXCEEDED",
        "TOO_MANY_APEX_REQUESTS", "QUERY_TIMEOUT", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "LIMIT_EXCEEDED",
        "API_CURRENTLY_DISABLED", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "PROCESSING_HALTED",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_SESSION_ID", "BATCH_PROCESSING_HALTED",
    }
)  # fmt: skip
_CODE_OF_CUSTOMER = frozenset({"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"})
_PASSING = ("UNABLE_TO_LOCK_ROW", "cpu time limit", "Apex CPU", "Too many SOQL", "exclusive access")

Kind = Literal["refused", "moved", "gone", "doubtful"]


def judge(effect: Effect, object: str, troubles: Sequence[Trouble], status: int = 0) -> Outcome:
    """What became of an effect that was not answered with success.

    `status`: that of the composite part; 0 inside collections, where there is none.
    """
    kinds = {_kind(effect, object, trouble, status) for trouble in troubles}
    kind: Kind = "doubtful"
    if status < 500 and troubles and "doubtful" not in kinds:
        kind = next(each for each in _ORDER if each in kinds)
    first = next((each for each in troubles if _kind(effect, object, each, status) == kind), next(iter(troubles), None))
    return Outcome(
        ref=effect.ref,
        kind=kind,
        key=effect.key,
        code=first.code if first else f"HTTP_{status}",
        message=clean((each.message for each in troubles), effect),
        culprits=tuple(dict.fromkeys(name for each in troubles for name in _culprits(each, effect))),
        existing=next(filter(None, (_existing(each, object) for each in troubles)), None),
        again=kind == "refused" and bool(troubles) and all(map(_may_pass, troubles)),
    )


_ORDER: tuple[Kind, ...] = ("gone", "moved", "refused", "doubtful")


def _kind(effect: Effect, object: str, trouble: Trouble, status: int) -> Kind:
    code = trouble.code
    if status == 412 or code in _MOVED:
        return "moved"
    if code in _UNKNOWN:
        return "doubtful"
    if effect.op == "create":
        return "refused"
    if code == "CANNOT_UPDATE_CONVERTED_LEAD":  # what refers to such a lead is refused by the same words
        return "gone" if object == "Lead" else "refused"
    if code in _GONE or (code == "NOT_FOUND" and status in (0, 404)):
        return "gone"
    if code == "INVALID_CROSS_REFERENCE_KEY":  # two errors: the record itself is gone, or a look-up in the body is bad
        itself = status == 404 if status else not trouble.fields and trouble.message.strip() == _ITSELF_GONE
        return "gone" if itself else "refused"
    return "refused"


_ITSELF_GONE = "invalid cross reference id"


def _may_pass(trouble: Trouble) -> bool:
    if trouble.code in _CODE_OF_CUSTOMER:
        return any(part in trouble.message for part in _PASSING)
    return trouble.code in _AGAIN


def _existing(trouble: Trouble, object: str) -> str | None:
    """The record that already is what was to be made, where there is exactly one."""
    if trouble.code == "DUPLICATE_VALUE":
        return id_in(trouble.message.partition("record with id")[2])
    if trouble.code == "DUPLICATES_DETECTED":
        same = {id18(key) for kind, key in trouble.matches if kind == object and is_id(key)}
        return same.pop() if len(same) == 1 and len(trouble.matches) == 1 else None
    return None


_IN_BRACKETS = re.compile(r"\[([\w, ]+)\]")
_AFTER = re.compile(r"(?:column|fields?|value found):? '?([\w, ]+)")


def _culprits(trouble: Trouble, effect: Effect) -> Iterable[str]:
    """The attributes that a refusal names: in its own list; or in its text, if we sent them or it says they lack; or by
    the id of the record that they refer to."""
    if trouble.fields:
        return trouble.fields
    if trouble.code == "REQUIRED_FIELD_MISSING" and (missing := _IN_BRACKETS.search(trouble.message)):
        return [name.strip() for name in missing[1].split(",")]
    if trouble.code == "DUPLICATE_VALUE":
        return [found[1].split(" ")[0]] if (found := _AFTER.search(trouble.message)) else []
    if trouble.code in REFERRING and (key := id_in(trouble.message)):
        return [name for name, held in references_in(effect).items() if held == key]
    named = set(re.findall(r"\w+", trouble.message)) if trouble.code.startswith(("INVALID_FIELD", "JSON_")) else set()
    return sorted(named & set(effect.attributes))


REFERRING = frozenset(
    {
        "INVALID_CROSS_REFERENCE_KEY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INACTIVE_OWNER_OR_USER",
        "CANNOT_UPDATE_CONVERTED_LEAD", "MALFORMED_ID", "TRANSFER_REQUIRES_READ",
    }
)  # fmt: skip
"""Codes about a record that the refused one was to refer to."""


def references_in(effect: Effect) -> dict[str, str]:
    """The attributes that an effect would set to the id of a record, with the id."""
    values = effect.attributes.items()
    return {
        name: id18(value) for name, value in values if isinstance(value, str) and is_id(value) and _has_prefix(value)
    }


def _has_prefix(key: str) -> bool:
    """Whether it looks like an id and not like a word: ids begin with a digit or two of them, words do not."""
    return any(char.isdigit() for char in key[:3]) and any(char.isdigit() for char in key[3:15])


# ---------------------------------------------------------------- words without people in them

_VALUE = "[value]"
_TAILS = (
    re.compile(r"(?<=data value too large: ).*?(?= \(max length|$)", re.S),
    re.compile(r"(?<=bad value for restricted picklist field: ).*", re.S),
    re.compile(r"(?<=invalid email address: ).*", re.S),
    re.compile(r"(?<=from VALUE_STRING value ).*?(?= or request| at \[|$)", re.S),
)
_QUOTED = re.compile(r"(['\"])(?P<text>.*?)\1", re.S)
_MAIL = re.compile(r"[^\s@<>'\"(),;:\[\]]+@[^\s@<>'\"(),;:\[\]]+")
_PHONE = re.compile(r"(?<![0-9A-Za-z+])\+?\d[\d ().\-/]{5,}\d(?![0-9A-Za-z])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_LEAST = 3
"""Characters of a sent value that are looked for: shorter ones would tear ordinary words apart."""


def clean(messages: Iterable[str], effect: Effect | None = None) -> str:
    """Salesforce's words with people's values taken out: what we sent, what is quoted, what looks like an address or
    a telephone number. Ids and field names stay."""
    text = "; ".join(dict.fromkeys(filter(None, messages)))[: MAX_MESSAGE * 8]
    for tail in _TAILS:
        text = tail.sub(_VALUE, text)
    names = set(effect.attributes) if effect else set()
    for value in sorted(_sent(effect), key=len, reverse=True) if effect else ():
        if value not in names:
            text = re.sub(re.escape(value), _VALUE, text, flags=re.IGNORECASE)
    text = _QUOTED.sub(lambda match: match[0] if match["text"] in names else _VALUE, text)
    text = _PHONE.sub(_VALUE, _MAIL.sub(_VALUE, text))
    return _CONTROL.sub(" ", text).strip()[:MAX_MESSAGE]


def _sent(effect: Effect) -> Iterable[str]:
    for value in (*effect.attributes.values(), effect.unique):
        for each in value if isinstance(value, list) else [value]:
            text = str(each).strip()
            if each is not None and not isinstance(each, bool) and len(text) >= _LEAST:
                yield text
