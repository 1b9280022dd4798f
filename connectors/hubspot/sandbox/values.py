"""HubSpot's value model (contract section 3): what a property accepts, and what becomes of it.

Promise: pure. A raw JSON value and a property definition give the text that is stored, or the error HubSpot names.
Stored values are always non-empty text; empty is absence.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.hubspot.sandbox.switches import Switches

MAX_TEXT = 65_536
DAY_MS = 86_400_000
_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Invalid(Exception):
    """The value is not acceptable; `code` as in section 17.3."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Written:
    """What is stored, and the normalisation that the answer warns of, if any."""

    text: str
    warning: dict[str, Any] | None = None


def iso(ms: int) -> str:
    """UTC as Java's Instant prints it: the fraction disappears at zero milliseconds."""
    seconds, fraction = divmod(ms, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:03d}Z" if fraction else f"{text}Z"


def to_ms(text: str) -> int | None:
    """Epoch milliseconds of an ISO date or datetime (no zone: UTC), or of digits; None when it is neither."""
    try:
        if text.lstrip("-").isdigit():
            return int(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return math.floor(moment.timestamp() * 1000 + 0.5)


def as_text(raw: Any) -> str:
    """JSON numbers and truths are accepted as their text. Invalid for anything nested."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, (int, float)):
        return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    if isinstance(raw, str):
        return raw
    raise Invalid("INVALID_STRING", "Value must be a string")


def written(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    """What a non-empty raw text is stored as. `old` is the present value (for `;a` appends); `new_dates`: 2026-09."""
    kind: str = definition["type"]
    if kind == "enumeration" and definition["externalOptions"]:
        return Written(raw)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind](definition, raw, old, switches, new_dates)
    return _string(definition, raw, switches)


def _string(definition: dict[str, Any], raw: str, switches: Switches) -> Written:
    text = raw.strip() if switches.trim_strings else raw
    if len(text) > MAX_TEXT:
        raise Invalid("INVALID_STRING_LENGTH", f"The value is longer than {MAX_TEXT} characters")
    if definition["name"] == "email":
        text = text.strip().lower()
        if not _EMAIL.fullmatch(text):
            raise Invalid("INVALID_EMAIL", f"Email address {text} is invalid")
    if definition["name"] == "domain" and switches.domain_cleaned:
        text = re.sub(r"^(https?://)?(www\.)?", "", text.strip().lower()).partition("/")[0]
    return _ruled(definition, text)


def _ruled(definition: dict[str, Any], text: str) -> Written:
    """The account's validation rules (section 10); some of them change the value instead of refusing it."""
    for rule in definition.get("_rules", ()):
        kind, arguments = rule["ruleType"], rule.get("ruleArguments", [])
        first = arguments[0] if arguments else ""
        if rule.get("shouldApplyNormalization"):
            bend = {"FORMAT": first.lower(), "WHITESPACE": "trim"}.get(kind)
            text = BENDS[bend](text) if bend in BENDS else text
        elif (
            (kind == "REGEX" and not re.fullmatch(first, text))
            or (kind == "MIN_LENGTH" and len(text) < int(first))
            or (kind == "MAX_LENGTH" and len(text) > int(first))
            or (kind == "ALPHANUMERIC" and not text.isalnum())
        ):
            raise Invalid(f"INVALID_{kind}", f"The value does not fit the rule {kind} of this property")
    return Written(text)


def _number(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    text = raw.strip()
    if not _NUMBER.fullmatch(text):
        raise Invalid("INVALID_NUMBER", f"{raw} was not a valid number")
    if switches.number_as == "as_sent":
        return Written(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Invalid("INVALID_NUMBER", f"{raw} was not a valid number") from None
    plain = format(number, "f")
    return Written((plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0")


def _bool(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    if raw not in ("true", "false"):
        raise Invalid("INVALID_OPTION", f"{raw} was not one of the allowed options: [true, false]")
    return Written(raw)


def _enumeration(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    allowed = [option["value"] for option in definition["options"]]
    many = definition["fieldType"] == "checkbox"
    chosen = [part for part in raw.split(";") if part] if many else [raw]
    for value in chosen:
        if value not in allowed:
            raise Invalid("INVALID_OPTION", f"{value} was not one of the allowed options: [{', '.join(allowed)}]")
    if many and raw.startswith(";"):
        # A leading semicolon adds to what is there; that is how a naive echo goes wrong.
        chosen = [*(old.split(";") if old else []), *chosen]
    return Written(";".join(dict.fromkeys(chosen)))


def _date(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    name = definition["name"]
    if _DATE.fullmatch(raw) and to_ms(raw) is not None:
        return Written(raw)
    ms = to_ms(raw)
    if ms is None:
        raise Invalid("INVALID_DATE", f"{raw} was not a valid date")
    ms, seconds = _from_seconds(ms, raw)
    text = iso(ms - ms % DAY_MS)[:10]
    if ms % DAY_MS == 0 and not seconds and raw.lstrip("-").isdigit():
        return Written(text)
    if not new_dates and switches.old_dates == "reject":
        raise Invalid("INVALID_DATE", f"{raw} is at {iso(ms)[11:19]} UTC, not midnight!")
    return Written(text, _warning(name, raw, text))


def _datetime(definition: dict[str, Any], raw: str, old: str | None, switches: Switches, new_dates: bool) -> Written:
    ms = to_ms(raw)
    if ms is None:
        raise Invalid("INVALID_DATE", f"{raw} was not a valid date")
    ms, seconds = _from_seconds(ms, raw)
    if seconds and not new_dates and switches.old_dates == "reject":
        raise Invalid("INVALID_DATE", f"{raw} was not a valid timestamp")
    return Written(iso(ms), _warning(definition["name"], raw, iso(ms)) if seconds else None)


def _from_seconds(ms: int, raw: str) -> tuple[int, bool]:
    """Digits that can only be seconds are taken for seconds (10 digits: 2001 to 2286)."""
    seconds = raw.isdigit() and len(raw) == 10
    return (ms * 1000, True) if seconds else (ms, False)


def _warning(name: str, raw: str, text: str) -> dict[str, Any]:
    return {
        "category": "PROPERTY_VALUE_NORMALIZED",
        "context": {"propertyName": name, "rawValue": raw, "normalizedValue": text},
        "message": f"The value of {name} was normalized",
    }


_BY_TYPE: dict[str, Callable[[dict[str, Any], str, str | None, Switches, bool], Written]] = {
    "number": _number,
    "bool": _bool,
    "enumeration": _enumeration,
    "date": _date,
    "datetime": _datetime,
}


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _phone(text: str) -> str:
    """As a formatting workflow would: `+49 (30) 231-25 123` for any digits with a plus, groups otherwise."""
    digits = _digits(text)
    if text.strip().startswith("+") and len(digits) > 6:
        return f"+{digits[:2]} ({digits[2:4]}) {digits[4:7]}-{digits[7:]}"
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else text


BENDS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "trim": lambda text: " ".join(text.split()),
    "digits": lambda text: ("+" if text.strip().startswith("+") else "") + _digits(text),
    "phone": _phone,
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "nfd": lambda text: unicodedata.normalize("NFD", text),
    "truncate": lambda text: text[:20],
    "round": lambda text: str(round(float(text))) if _NUMBER.fullmatch(text) else text,
    "html": lambda text: f"<p>{text}</p>" if not text.startswith("<p>") else text,
}
"""Named ways in which an account bends what is written (switch `bend`, fault `bend`)."""


def bent(text: str, how: str) -> str:
    """The text as that bend leaves it; `truncate:12` gives a length of its own. KeyError for an unknown bend."""
    name, _, detail = how.partition(":")
    if name == "truncate" and detail:
        return text[: int(detail)]
    return BENDS[name](text)
