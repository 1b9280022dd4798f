"""Behind a figure: the records that it counts, and in words which they are.

Promise: every number of the closed loop opens here; what a link holds is somebody's text, so that only what is known of
it is told and obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from syncd.funnel import reports
from syncd.web import phrases, words
from syncd.web.page import Asked, Row, View
from syncd.web.pages import figures, loop
from syncd.web.table import Cell, Column, Table, cell


def page(asked: Asked) -> View:
    """The records behind a figure. Filter: link."""
    link = asked.filter("link") or ""
    of, _, text = link.partition("?")
    deals, query = of == "deals", dict(parse_qsl(text))
    parts = (deals and "credit" in query) or query.get("part") == "calls"
    told = reports.records_behind(asked.ledger, asked.files, link, min(asked.limit(), 1000))

    def row(one: dict[str, Any]) -> Row:
        return (
            asked.names.cell(one),
            cell(one["why"] or "", text=_why(one["why"] or "")),
            cell(one["at"], text=None if one["at"] else "not yet"),
            *((figures.amount(one["amount"]), cell(one["amount"]["currency"])) if deals and one["amount"] else ()),
            *((_part(one, query),) if parts else ()),
        )

    def every() -> Iterator[Row]:
        page = told
        while True:
            yield from map(row, page["records"])
            if page["next"] is None:
                return
            page = reports.records_behind(asked.ledger, asked.files, page["next"], 1000)

    columns = (
        *(Column("deal" if deals else "who"), Column("where it stands")),
        Column("closed" if deals else "qualified", "time"),
        *((Column("amount", "number"), Column("currency")) if deals else ()),
        *((Column("adds to the figure", "number"),) if parts else ()),
    )
    empty = "No record is behind this figure any more: it was counted anew since the link was made."
    shown = [] if asked.whole else [row(one) for one in told["records"]]
    table = Table("records", "Records", columns, shown, empty, every=asked.all(every()))
    facts = {"what": described(asked, of, query), "following": figures.behind(told["next"])}
    return View("behind.html", "Behind the figure", facts, (table,))


def _part(one: dict[str, Any], query: Mapping[str, str]) -> Cell:
    """What a record adds to a figure that counts no records: a share of an amount, touches, calls."""
    if query.get("part") in ("touches", "calls"):
        return cell(one["part"])
    return figures.amount({"value": one["part"], "currency": (one["amount"] or {}).get("currency"), "records": None})


def _why(text: str) -> str:
    """`rejected: bad_timing` -> `given back by sales: bad timing`."""
    head, colon, rest = text.partition(": ")
    if head in phrases.STATES:
        return phrases.state(head) + (f": {phrases.reason(rest)}" if colon else "")
    return phrases.cause(text)


def described(asked: Asked, of: str, query: Mapping[str, str]) -> str:
    """Which records a link means, as a sentence."""
    if of not in ("people", "deals"):
        return "This link opens nothing: it is not one of a figure."
    parts = ["Deals" if of == "deals" else "People"]
    verb = _verb_of_deals(query) if of == "deals" else _verb_of_people(asked, query)
    if verb:
        parts.append(verb)
    for name in ("source", "campaign", "segment", "owner"):
        if name in query:
            parts.append(f"with {name} “{words.shown(query[name]) or figures.NAMELESS}”")
    if "credit" in query:
        parts.append(
            "that gave credit for an assist" if query["credit"] == "assist" else f"by {query['credit']} credit"
        )
    if query.get("closed") == "0":
        parts.append("that say no closing day")
    if "cause" in query:
        parts.append(f"because: {phrases.cause(query['cause']).lower()}")
    if "currency" in query:
        parts.append(f"in {words.shown(query['currency'])}")
    if _is_day(query.get("since")) and _is_day(query.get("until")):
        when = "closed" if of == "deals" else "who qualified" if query.get("day") == "qualified" else "who came"
        parts.append(f"{'and ' if verb and of == 'people' else ''}{when} {words.during(query)}")
    return " ".join(parts) + "."


def _verb_of_deals(query: Mapping[str, str]) -> str:
    verb = query.get("state", "")
    return f"{verb}, reason “{words.spoken(query['reason'])}”" if verb and query.get("reason") else verb


def _verb_of_people(asked: Asked, query: Mapping[str, str]) -> str:
    agreed = asked.files.mappings.funnel
    if "reached" in query and query["reached"].isdecimal() and agreed and int(query["reached"]) < len(agreed.stages):
        return f"who reached the stage {agreed.stages[int(query['reached'])].called}, or a later one,"
    if "outcome" in query:
        return f"judged “{phrases.outcome(query['outcome'])}”"
    if "clock" in query:
        return f"whose follow-up is {loop.CLOCKS.get(query['clock'], (words.shown(query['clock']), ''))[0]}"
    if "state" in query:
        why = f" ({phrases.reason(query['reason'])})" if query.get("reason") else ""
        return f"who are {phrases.state(query['state'])}{why}"
    if query.get("handed") == "1":
        return "whom sales got"
    if query.get("handed") == "0":
        return "who did not get to sales"
    told = query.get("day") == "qualified" and _is_day(query.get("since")) and _is_day(query.get("until"))
    return "who once qualified" if query.get("qualifies") == "1" and not told else ""


def _is_day(text: str | None) -> bool:
    try:
        date.fromisoformat(text or "")
    except ValueError:
        return False
    return True
