"""How values are written for people: numbers, money, shares, durations, moments; unknown as unknown.

Promise: nothing is rounded to look better than it is: 99.996 % is not 100 %. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from syncd.core.money import plain
from syncd.events import printable

UNKNOWN = "unknown"
LONGEST = 200


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
    return f"{'-' if value < 0 else ''}{currency or ''} {grouped}{point}{rest}".strip()


def share(value: float | None) -> str:
    """0.1234 -> `12.3 %`, cut and never rounded up."""
    return UNKNOWN if value is None else f"{int(value * 1000 + 1e-9) / 10:.1f} %"


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


def moment(value: Any) -> str:
    """ISO text or epoch seconds -> `2026-11-22 08:15`, in UTC."""
    if value is None:
        return "never"
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M")
    return str(value)[:16].replace("T", " ")


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
