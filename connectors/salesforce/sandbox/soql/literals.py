"""What a literal means for a field of a type: a value to compare with, or a span of days. Contract section 4.3."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.fields import NUMBERS, TEXTS, Field
from connectors.salesforce.sandbox.ids import normalise
from connectors.salesforce.sandbox.instants import read_date, read_time
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import Literal


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` on and before `end`, in the field's stored form."""

    start: Any
    end: Any


def meaning(field: Field, literal: Literal, text: str, now_s: int) -> Any:
    """The literal in the field's stored form; a Span for relative dates; None for null. Refused when types differ."""
    if literal.kind == "null":
        return False if field.type == "boolean" else None
    if field.type in ("date", "datetime"):
        return _moment(field, literal, text, now_s)
    if field.type == "boolean":
        if literal.kind != "boolean":
            raise _mismatch(field, literal, text, quoted=False)
        return literal.text == "TRUE"
    if field.type in NUMBERS:
        if literal.kind != "number":
            raise _mismatch(field, literal, text, quoted=False)
        return float(literal.text)
    if literal.kind != "string":
        raise _mismatch(field, literal, text, quoted=True)
    if field.type in ("id", "reference"):
        return _key(literal, text)
    return literal.text.replace("\\_", "_").replace("\\%", "%")


def pattern(literal: Literal) -> str:
    """A LIKE literal as a regular expression over folded text."""
    out: list[str] = []
    chars = iter(literal.text.casefold())
    for char in chars:
        if char == "\\":
            out.append(re.escape(next(chars, "\\")))
        else:
            out.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
    return "".join(out)


def _key(literal: Literal, text: str) -> str:
    key = normalise(literal.text)
    if key is None and literal.text:
        raise picture(text, literal.at, f"invalid ID field: {literal.text}", "INVALID_QUERY_FILTER_OPERATOR")
    return key or ""


def _moment(field: Field, literal: Literal, text: str, now_s: int) -> Any:
    is_date = field.type == "date"
    if literal.kind == "relative":
        start, end = _days(literal, datetime.fromtimestamp(now_s, UTC).date())
        if is_date:
            return Span(start.isoformat(), end.isoformat())
        return Span(_midnight_s(start), _midnight_s(end))
    if literal.kind == "date" and is_date and (day := read_date(literal.text)):
        return day
    if literal.kind == "datetime" and not is_date and (stamp_s := read_time(literal.text)) is not None:
        # Stored stamps are whole seconds: a literal between two of them lies after the earlier one.
        return stamp_s + (0.5 if _has_fraction(literal.text) else 0)
    raise _mismatch(field, literal, text, quoted=False)


def _has_fraction(text: str) -> bool:
    fraction = text.partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    return bool(digits.strip("0"))


def _mismatch(field: Field, literal: Literal, text: str, quoted: bool) -> Refusal:
    kind = {"datetime": "dateTime", "reference": "id", **dict.fromkeys(TEXTS, "string")}.get(field.type, field.type)
    how = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    return picture(
        text,
        literal.at,
        f"value of filter criterion for field '{field.name}' must be of type {kind} and {how}",
        "INVALID_FIELD",
    )


def _midnight_s(day: date) -> int:
    return calendar.timegm(day.timetuple())


def _days(literal: Literal, today: date) -> tuple[date, date]:
    """The half-open span of days of a relative literal. Weeks begin on Sunday; the zone is UTC."""
    name, count = literal.text, literal.count
    day = timedelta(days=1)
    fixed = {
        "TODAY": (0, 1),
        "YESTERDAY": (-1, 0),
        "TOMORROW": (1, 2),
        "LAST_90_DAYS": (-90, 1),
        "NEXT_90_DAYS": (1, 91),
    }
    if name in fixed:
        first, last = fixed[name]
        return today + first * day, today + last * day
    if name.endswith("_AGO"):
        unit = name.split("_")[1].removesuffix("S")
        return _unit(today, unit, -count), _unit(today, unit, 1 - count)
    when, _, unit = name.rpartition("_")
    unit = unit.removesuffix("S")
    if when == "LAST_N":
        return _unit(today, unit, -count), today + day if unit == "DAY" else _unit(today, unit, 0)
    if when == "NEXT_N":
        return _unit(today, unit, 1), _unit(today, unit, 1 + count)
    shift = {"THIS": 0, "LAST": -1, "NEXT": 1}[when]
    return _unit(today, unit, shift), _unit(today, unit, shift + 1)


def _unit(today: date, unit: str, shift: int) -> date:
    """The first day of the unit that lies `shift` units from today's."""
    if unit == "DAY":
        return today + timedelta(days=shift)
    if unit == "WEEK":
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=shift)
    step = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    months = (today.year * 12 + today.month - 1) // step * step + shift * step
    return date(months // 12, months % 12 + 1, 1)
