"""Values on their way in: JSON or CSV to the stored form, bent and refused as the vendor bends and refuses them.

Promise: nothing of the wrong type gets in, and every bend (trim, blank to null, new lines, rounding) is a switch.
A blank is None. Contract sections 9.1 and 14; messages: section 12.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.salesforce.sandbox.errors import Problem, Refusal
from connectors.salesforce.sandbox.fields import NUMBERS, Field
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.instants import read_date, read_time
from connectors.salesforce.sandbox.switches import Switches

MAX_CHOICES = 100
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}"
)


class WrongType(Refusal):
    """A JSON value of the wrong type: the parser gives up, before any record is looked at."""


class Bad(Exception):
    """A value that its field refuses; the save procedure gathers these."""

    def __init__(self, code: str, message: str, field: Field) -> None:
        super().__init__(code)
        self.problem = Problem(code, message, (field.name,))


def from_json(switches: Switches, field: Field, value: Any) -> Any:
    """A JSON value in stored form. WrongType, or Bad."""
    if field.type == "boolean":
        if value is None and not switches.null_boolean_refused:
            return False
        if value is None:
            raise Bad("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", field)
        return value if isinstance(value, bool) else _wrong("boolean", value)
    if value is None:
        return None
    if field.type in NUMBERS:
        return _number(switches, field, value)
    if not isinstance(value, str):
        _wrong({"date": "date", "datetime": "datetime"}.get(field.type, "string"), value)
    if field.type == "date":
        return (read_date(value) or _wrong("date", value)) if value else None
    if field.type == "datetime":
        stamp_s = read_time(value) if value else None
        return _wrong("datetime", value) if value and stamp_s is None else stamp_s
    return _text(switches, field, value)


def from_csv(switches: Switches, field: Field, cell: str) -> Any:
    """A CSV cell in stored form; the caller has dealt with empty cells. Bad only: other rows go on."""
    if cell == "#N/A":
        return False if field.type == "boolean" else None
    try:
        if field.type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[cell.lower()]
        if field.type in NUMBERS:
            return from_json(switches, field, _csv_number(field, cell))
        return from_json(switches, field, cell)
    except (KeyError, InvalidOperation, ValueError, WrongType):
        message = f"{field.label}: value not of required type: {cell}"
        raise Bad("INVALID_TYPE_ON_FIELD_IN_RECORD", message, field) from None


def _csv_number(field: Field, cell: str) -> Any:
    return int(cell) if field.type == "int" else float(Decimal(cell))


def _wrong(kind: str, value: Any) -> Any:
    token, text = _token(value)
    message = (
        f"Cannot deserialize instance of {kind} from {token} value {text} or request may be missing a required field"
    )
    raise WrongType([Problem("JSON_PARSER_ERROR", f"{message} at [line:1, column:2]")])


def _token(value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}", str(value).lower()
    if isinstance(value, int):
        return "VALUE_NUMBER_INT", str(value)
    if isinstance(value, float):
        return "VALUE_NUMBER_FLOAT", str(value)
    if isinstance(value, str):
        return "VALUE_STRING", value
    return ("START_ARRAY", "[") if isinstance(value, list) else ("START_OBJECT", "{")


def _number(switches: Switches, field: Field, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _wrong("int" if field.type == "int" else "double", value)
    if field.type == "int" and not isinstance(value, int):
        return _wrong("int", value)
    exact = Decimal(str(value))
    whole = field.precision - field.scale
    if whole and abs(exact) >= Decimal(10) ** whole:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise Bad("NUMBER_OUTSIDE_VALID_RANGE", message, field)
    if field.type == "int":
        return value
    if switches.round_numbers:
        exact = exact.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)
    return float(exact)


def _text(switches: Switches, field: Field, value: str) -> str | None:
    if switches.trim_text:
        value = value.strip()
    if field.type == "textarea" and switches.crlf:
        value = re.sub(r"\r\n|\r|\n", "\r\n", value)
    elif field.type != "textarea":
        value = re.sub(r"[\r\n]+", " ", value)
    if not value:
        return None if switches.blank_to_null else value
    if field.type == "reference":
        return _key(field, value)
    if field.type == "email":
        value = value.lower() if switches.lower_email else value
    if _length(switches, value) > field.length > 0:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise Bad("STRING_TOO_LONG", message, field)
    if field.type == "email" and not _EMAIL.fullmatch(value):
        raise Bad("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", field)
    if field.type in ("picklist", "multipicklist"):
        return _choice(field, value)
    return value


def _length(switches: Switches, value: str) -> int:
    return len(value.encode("utf-16-le")) // 2 if switches.length_in_utf16 else len(value)


def _key(field: Field, value: str) -> str:
    key = normalise(value)
    if key is None:
        raise Bad("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field)
    return key


def _choice(field: Field, value: str) -> str:
    chosen = value.split(";") if field.type == "multipicklist" else [value]
    if len(chosen) > MAX_CHOICES:
        raise Bad("TOO_MANY_ENUM_VALUE", f"{field.label}: too many values", field)
    if field.restricted:
        for one in chosen:
            if one not in field.values or one in field.inactive:
                message = f"{field.label}: bad value for restricted picklist field: {one}"
                raise Bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field)
    if field.type == "multipicklist":
        # The server keeps choices in its own order.
        known = [one for one in field.values if one in chosen]
        return ";".join(known + [one for one in chosen if one not in field.values])
    return value
