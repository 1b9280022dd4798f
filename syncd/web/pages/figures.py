"""Figures of the reports as cells: the number, the money, and the address of the records behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from syncd.core.money import plain
from syncd.web import words
from syncd.web.table import Cell, Tone, cell

Figure = Mapping[str, Any]
NAMELESS = "not known"
"""Where a source, campaign or owner stands empty."""
NONE_YET = "none yet"
"""A mean or a part of nothing."""


def behind(link: str | None) -> str | None:
    """Where the records behind a figure are listed."""
    return None if link is None else f"/behind?link={quote_plus(link)}"


def figure(one: Figure, tone: Tone = "") -> Cell:
    """A count."""
    return cell(one["value"], behind(one.get("records")), tone)


def money(one: Figure) -> Cell:
    """An amount; in a CSV without its currency, in whole units."""
    value, currency = one["value"], one.get("currency") or ""
    if value is None:
        return cell(None, behind(one.get("records")))
    return cell(plain(value, currency), behind(one.get("records")), text=words.money(value, currency))


def amount(one: Figure) -> Cell:
    """An amount beside a column of its currency."""
    value, currency = one["value"], one.get("currency") or ""
    if value is None:
        return cell(None, behind(one.get("records")))
    text = words.money(value, currency).removeprefix(currency).strip()
    return cell(plain(value, currency), behind(one.get("records")), text=text)


def moneys(several: Sequence[Figure]) -> Cell:
    """Amounts of several currencies: never added up."""
    if not several:
        return cell("0", text="nothing")
    if len(several) == 1:
        return money(several[0])
    text = " + ".join(words.money(one["value"], one.get("currency")) for one in several)
    return cell(text, text=text)


def share(value: float | None, *, known: bool = False) -> Cell:
    """A part of a whole, between 0 and 1. `known`: where there is none, it is of nothing yet, and not unknown."""
    return _missing(known) if value is None else cell(value, text=words.share(value))


def days(value: float | None, *, known: bool = False) -> Cell:
    """A time in days."""
    return _missing(known) if value is None else cell(round(value, 2), text=words.duration(value * 86_400))


def seconds(value: float | None, *, known: bool = False) -> Cell:
    """A time of work, in seconds."""
    return _missing(known) if value is None else cell(round(value), text=words.worked(value))


def _missing(known: bool) -> Cell:
    return cell(None, tone="quiet", text=NONE_YET) if known else cell(None)


def name(text: str | None, link: str | None = None) -> Cell:
    """A source, campaign, owner or reason."""
    return cell(text or NAMELESS, link if text else None, "" if text else "quiet", words.spoken(text or NAMELESS))
