"""A figure opened: the records behind it, and what each of them adds to it.

Promise: all records behind a figure add up to it. A link is text that may stand in an address: what it holds is checked
here, and one that is none opens to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from syncd.core.sale import Sale
from syncd.core.standing import Standing
from syncd.funnel.figures import MOST, iso_ms
from syncd.ledger import Ledger
from syncd.ledger.loop import START, Place
from syncd.ledger.shares import START as FIRST_DEAL

NUMBERS: Final = frozenset({"reached", "qualifies", "handed", "undelivered", "running"})
"""The conditions that are numbers."""
QUIET: Final = frozenset({"day", "part"})
"""Of a link: what says nothing to people."""
MOST_LOOKED: Final = 20
"""Pages that are read to fill one: of the deals that a campaign touched, few get credit under some models."""

Opened = tuple[list[dict[str, Any]], str | None]


def open_link(ledger: Ledger, link: str, limit: int) -> dict[str, Any]:
    """The records behind a figure, at most so many; `next` opens the rest."""
    of, _, text = link.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    after = query.pop("after", "")
    limit = max(1, min(limit, MOST))
    try:
        since = date.fromisoformat(query["since"]).toordinal() if "since" in query else None
        until = date.fromisoformat(query["until"]).toordinal() if "until" in query else None
        where: dict[str, Any] = dict(query)
        for name in NUMBERS & query.keys():
            where[name] = int(query[name])
    except ValueError:
        return {"link": link, "title": "", "count": None, "records": [], "next": None}
    if query.get("closed") == "0":
        since, until = 0, 1
    if of == "people":
        records, place = _people(ledger, where, since, until, after, limit)
    elif of == "deals" and "credit" in query and "campaign" in query:
        records, place = _credited(ledger, query, since, until, after, limit)
    elif of == "deals":
        records, place = _deals(ledger, where, since, until, after, limit)
    else:
        records, place = [], None
    title = ", ".join(f"{name} {value}" for name, value in sorted(query.items()) if name not in QUIET)
    following = None if place is None else f"{of}?{urlencode(sorted({**query, 'after': place}.items()))}"
    return {"link": link, "title": title, "count": None, "records": records, "next": following}


def _people(
    ledger: Ledger, where: Mapping[str, Any], since: int | None, until: int | None, after: str, limit: int
) -> Opened:
    day = "qualified" if where.get("day") == "qualified" else "came"
    people = ledger.loop.people(where, since, until, day, _after(after), limit)
    calls = where.get("part") == "calls"
    place = ledger.loop.place(where, *people[-1]) if len(people) == limit else None
    return [_person(ledger, *one, calls=calls) for one in people], place and ":".join(map(str, place))


def _person(ledger: Ledger, object_: int, key: str, one: Standing, *, calls: bool) -> dict[str, Any]:
    return {
        **_place(ledger, object_, key),
        "why": (one.state and (f"{one.state}: {one.reason}" if one.reason else one.state)) or one.why,
        "at": iso_ms(one.qualified_ms),
        "amount": None,
        "part": one.attempts if calls else 1,
    }


def _deals(
    ledger: Ledger, where: Mapping[str, Any], since: int | None, until: int | None, after: str, limit: int
) -> Opened:
    deals = ledger.loop.deals(where, since, until, _after(after), limit)
    money = where.get("part") == "amount"
    place = ledger.loop.deal_place(where, *deals[-1]) if len(deals) == limit else None
    records = [_deal(ledger, *one, (one[2].amount or 0) if money else 1) for one in deals]
    return records, place and ":".join(map(str, place))


def _credited(
    ledger: Ledger, query: Mapping[str, str], since: int | None, until: int | None, after: str, limit: int
) -> Opened:
    """Deals of which a source and campaign got a share, with that share."""
    campaign, source, currency = query["campaign"], query.get("source"), query.get("currency")
    behind = FIRST_DEAL if (place := _after(after)) == START else (place[1], place[2], place[3])
    records: list[dict[str, Any]] = []
    for _ in range(MOST_LOOKED):
        room = limit - len(records)
        deals = ledger.shares.deals(campaign, source, since, until, behind, room)
        for object_, key, sale in deals:
            shares = [
                amount
                for of, to, amount in sale.shares.get(query["credit"], ())
                if to == campaign and source in (None, of) and currency in (None, sale.currency)
            ]
            if shares:
                part = len(shares) if query.get("part") == "touches" else sum(shares)
                records.append(_deal(ledger, object_, key, sale, part))
        if len(deals) < room:
            return records, None
        behind = (deals[-1][2].closed, deals[-1][0], deals[-1][1])
        if len(records) >= limit:
            break
    return records, ":".join(map(str, (0, *behind)))


def _deal(ledger: Ledger, object_: int, key: str, sale: Sale, part: int) -> dict[str, Any]:
    return {
        **_place(ledger, object_, key),
        "why": sale.cause or sale.reason or sale.state,
        "at": date.fromordinal(sale.closed).isoformat() if sale.closed else None,
        "amount": {"value": sale.amount, "currency": sale.currency},
        "part": part,
        "credit": sale.shares,
    }


def _after(text: str) -> Place:
    """The place that a page ended at; the start where the text is none."""
    strand, _, rest = text.partition(":")
    day, _, rest = rest.partition(":")
    object_, _, key = rest.partition(":")
    numbers = [int(one) for one in (strand, day.removeprefix("-"), object_) if one.isdecimal() and len(one) < 16]
    if len(numbers) < 3 or not key:
        return START
    return numbers[0], -numbers[1] if day.startswith("-") else numbers[1], numbers[2], key


def _place(ledger: Ledger, object_: int, key: str) -> dict[str, str]:
    system, name = ledger.facts.name_of(object_)
    return {"system": system, "object": name, "key": key}
