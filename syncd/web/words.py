"""How values are written for people: numbers, money, shares, durations, moments; unknown as unknown.

Promise: nothing is rounded to look better than it is: 99.996 % is not 100 %. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from syncd.core.money import plain
from syncd.events import printable

UNKNOWN = "unknown"
LONGEST = 200
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def number(value: float | int | None) -> str:
    """`1 234 567` with thin spaces; a share of a deal keeps two digits."""
    if value is None:
        return UNKNOWN
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u202f")


def money(value: int | None, currency: str | None) -> str:
    """Whole numbers of the smallest unit -> `EUR 1 234.50`."""
    if value is None:
        return UNKNOWN
    whole, point, rest = plain(abs(value), currency or "").partition(".")
    grouped = f"{int(whole):,}".replace(",", "\u202f")
    return f"{'-' if value < 0 else ''}{currency or ''}\u00a0{grouped}{point}{rest}".strip()


def share(value: float | None) -> str:
    """0.1234 -> `12.3 %`, cut and never rounded up."""
    return UNKNOWN if value is None else f"{int(value * 1000 + 1e-9) / 10:.1f}\u00a0%"


def duration(seconds: float | None) -> str:
    """The two largest units: `3 d 4 h`, `12 min`, `8 s`."""
    if seconds is None:
        return UNKNOWN
    left = round(abs(seconds))
    parts: list[str] = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
    return ("-" if seconds < 0 else "") + " ".join(parts[:2])


def worked(seconds: float | None) -> str:
    """Working time: `26 h 5 min`, never in days, for a day of work is not one of the clock."""
    if seconds is None or seconds < 3600:
        return duration(seconds)
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"


def at(value: Any) -> datetime | None:
    """ISO text or epoch seconds -> that moment; None for anything else, a bare day too."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    text = str(value)
    if len(text) < 16:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(value: Any, zone: tzinfo = UTC) -> str:
    """ISO text or epoch seconds -> `22 Nov 2026 08:15`, in that zone; a bare day has none."""
    if value is None:
        return "never"
    found = at(value)
    if found is not None:
        there = found.astimezone(zone)
        return f"{day(there.date())} {there:%H:%M}"
    try:
        return day(date.fromisoformat(str(value)))
    except ValueError:
        return str(value)


def day(value: date) -> str:
    """`22 Nov 2026`, never broken over two lines."""
    return f"{value.day}\u00a0{MONTHS[value.month - 1][:3]}\u00a0{value.year}"


def zone_name(zone: tzinfo, now: float) -> str:
    """`Europe/Berlin (UTC+01:00)`."""
    there = datetime.fromtimestamp(now, zone)
    offset = there.strftime("%z")
    name = str(zone)
    return "UTC" if name == "UTC" else f"{name} (UTC{offset[:3]}:{offset[3:]})"


def period(one: Mapping[str, Any]) -> str:
    """A report's period: `November 2026`, `the 4th quarter of 2026`, `1 to 14 Nov 2026`, `until 14 Nov 2026`."""
    since = date.fromisoformat(one["since"])
    last = date.fromisoformat(one["until"]) - timedelta(days=1)
    first = since.day == 1
    if first and last == _months_on(since, 1):
        return f"{MONTHS[since.month - 1]} {since.year}"
    if first and since.month % 3 == 1 and last == _months_on(since, 3):
        return f"quarter {(since.month + 2) // 3} of {since.year}"
    if first and since.month == 1 and last == _months_on(since, 12):
        return str(since.year)
    if since.year < 1000:
        return f"all time until {day(last)}"
    if last < since:
        return f"no day at all, before {day(since)}"
    if last == since:
        return day(since)
    begins = str(since.day) if (since.year, since.month) == (last.year, last.month) else day(since)
    return f"{begins} to {day(last)}"


def named(name: str) -> str:
    """A period's short name: `2026-01` -> `January 2026`, `2026-Q1` -> `quarter 1 of 2026`, `2026-W07` -> `week 7 of 2026`."""
    year, _, rest = name.partition("-")
    if rest.isdecimal() and 1 <= int(rest) <= 12:
        return f"{MONTHS[int(rest) - 1]} {year}"
    kind = {"Q": "quarter", "W": "week"}.get(rest[:1])
    return f"{kind} {rest[1:].lstrip('0')} of {year}" if kind else name


def during(one: Mapping[str, Any]) -> str:
    """The same in a sentence: `in November 2026`, `from 1 to 14 Nov 2026`, `on 3 Nov 2026`."""
    said = period(one)
    since, until = date.fromisoformat(one["since"]), date.fromisoformat(one["until"])
    if since.year < 1000 or until <= since:
        return f"in {said}"
    if until - since == timedelta(days=1):
        return f"on {said}"
    return f"from {said}" if " to " in said else f"in {said}"


def _months_on(since: date, months: int) -> date:
    """The last day of so many months."""
    at_ = since.month - 1 + months
    return date(since.year + at_ // 12, at_ % 12 + 1, 1) - timedelta(days=1)


def spoken(code: str) -> str:
    """`bad_timing` -> `bad timing`; what people wrote themselves stays as it is."""
    return code.replace("_", " ") if code.islower() or code.isupper() else code


def rough(value: int | None, currency: str | None) -> str:
    """An amount that is an estimate: without cents."""
    text = money(value, currency)
    return text.rpartition(".")[0] if "." in text else text


def shown(value: Any) -> str:
    """A value of a record. Blank is told from text; control characters are written as escapes; long text is cut."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = printable("; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def plural(count: int | None, one: str, many: str | None = None) -> str:
    """`1 issue`, `3 issues`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
