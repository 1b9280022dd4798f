"""Figures of the reports as cells: the number, the money, and the address of the records behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from syncd.core.money import plain
from syncd.web import words
from syncd.web.page import Asked
from syncd.web.table import Cell, Tone, cell

Figure = Mapping[str, Any]
NAMELESS = "not known"
"""Where a source, campaign or owner stands empty."""


def filters_of(asked: Asked, *names: str) -> dict[str, str]:
    """The filters that a report takes, without days that are none."""
    found = {name: text for name in names if (text := asked.filter(name)) is not None}
    return {name: text for name, text in found.items() if name not in ("since", "until") or _is_day(text)}


def behind(link: str | None) -> str | None:
    """Where the records behind a figure are listed."""
    return None if link is None else "/behind?" + urlencode({"link": link})


def figure(one: Figure, tone: Tone = "") -> Cell:
    """A count."""
    return cell(one["value"], behind(one.get("records")), tone)


def money(one: Figure) -> Cell:
    """An amount; in a CSV without its currency, in whole units."""
    value, currency = one["value"], one.get("currency") or ""
    if value is None:
        return cell(None, behind(one.get("records")))
    return cell(plain(value, currency), behind(one.get("records")), text=words.money(value, currency))


def moneys(several: Sequence[Figure]) -> Cell:
    """Amounts of several currencies: never added up."""
    if not several:
        return cell("0", text="nothing")
    if len(several) == 1:
        return money(several[0])
    text = " + ".join(words.money(one["value"], one.get("currency")) for one in several)
    return cell(text, text=text)


def share(value: float | None) -> Cell:
    """A part of a whole, between 0 and 1."""
    return cell(value, text=words.share(value))


def days(value: float | None) -> Cell:
    """A time in days."""
    return cell(
        None if value is None else round(value, 2), text=words.duration(None if value is None else value * 86_400)
    )


def seconds(value: float | None) -> Cell:
    """A time in seconds."""
    return cell(None if value is None else round(value), text=words.duration(value))


def name(text: str | None) -> Cell:
    """A source, campaign, owner or reason."""
    return cell(text or NAMELESS, tone="" if text else "quiet")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
