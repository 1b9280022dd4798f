"""The weekly digest for the meeting of both departments: as text and as HTML, from the same lines.

Promise: names of campaigns and reasons are text in both; nothing of them is markup. What is unknown says so. No person is
named: counts, sums, and what they are broken down by.
"""

from __future__ import annotations

from html import escape
from typing import Any

from syncd.core.money import plain

Section = tuple[str, list[tuple[str, str]]]
MOST_LINES = 10
"""Sources, campaigns and reasons that are told, the largest first."""
STYLE = "font-family:sans-serif;line-height:1.4;color:#1f2328;background:#fff;max-width:44rem;margin:1rem auto;padding:0 1rem"
_CELL = "text-align:left;vertical-align:top;padding:.15rem 1rem .15rem 0;border-bottom:1px solid #d0d7de"


def digest(facts: dict[str, Any]) -> dict[str, Any]:
    """`{"html", "text", "lines": [(section, what, value)]}` of what `reports.weekly` gathered."""
    title = f"Week {facts['week']['name'] or facts['week']['since']}"
    makers = (_leads, _stages, _handoffs, _agreement, _activity, _revenue, _lost, _campaigns, _goals)
    text = [title, "=" * len(title)]
    html = [f"<h1>{escape(title)}</h1>"]
    told: list[tuple[str, str, str]] = []
    for maker in makers:
        name, lines = maker(facts)
        told += [(name, label.strip(), value) for label, value in lines]
        text += ["", name, "-" * len(name), *(f"{label}: {value}" for label, value in lines)]
        rows = "".join(
            f'<tr><th scope="row" style="{_CELL};font-weight:normal">{escape(label)}</th>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for label, value in lines
        )
        html.append(f'<h2>{escape(name)}</h2><table style="border-collapse:collapse">{rows}</table>')
    body = "\n".join(html)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"></head><body style="{STYLE}">{body}</body></html>'
    )
    return {"html": page, "text": "\n".join(text) + "\n", "lines": told}


def _number(figure: dict[str, Any], before: dict[str, Any] | None = None) -> str:
    value = figure["value"]
    if value is None:
        return "unknown"
    was = None if before is None else before["value"]
    return f"{value}" if was is None else f"{value} ({value - was:+d} to the week before)"


def _money(figure: dict[str, Any]) -> str:
    if figure["value"] is None or not figure["currency"]:
        return "unknown"
    return f"{plain(figure['value'], figure['currency'])} {figure['currency']}"


def _share(part: float | None) -> str:
    return "unknown" if part is None else f"{int(part * 100 + 1e-9)} %"


def _hours(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds / 3600:.1f} h"


def _leads(facts: dict[str, Any]) -> Section:
    passed = facts["funnel"]
    rows = sorted(passed["rows"], key=lambda row: -(row["reached"][0]["value"] or 0) if row["reached"] else 0)
    lines = [(row["name"] or "unknown source", _number(row["reached"][0])) for row in rows if row["reached"]]
    whole = passed["total"]["reached"]
    return "Who came in, by source", [("all", _number(whole[0]) if whole else "unknown"), *lines[:MOST_LINES]]


def _stages(facts: dict[str, Any]) -> Section:
    passed = facts["funnel"]["total"]
    lines = []
    for stage, reached, rate in zip(facts["funnel"]["stages"], passed["reached"], passed["rates"], strict=False):
        of = "" if rate is None else f" ({_share(rate)} of the stage before)"
        lines.append((stage["stage"], f"{_number(reached)}{of}"))
    return "How far they got until now", lines


def _handoffs(facts: dict[str, Any]) -> Section:
    now, before = facts["handoffs"], facts["handoffs_before"]
    lines = [("qualified", _number(now["qualified"], before["qualified"]))]
    lines += [
        (state.replace("_", " "), _number(now[state])) for state in ("delivered", "waiting", "rejected", "out_of_scope")
    ]
    lines += [(f"blocked: {reason.replace('_', ' ')}", _number(figure)) for reason, figure in now["blocked"].items()]
    return "Hand-offs", [*lines, ("adds up", "yes" if now["balanced"] else "NO")]


def _agreement(facts: dict[str, Any]) -> Section:
    now, before, quota = facts["follow_up"], facts["follow_up_before"], facts["goals"]["quota"]
    owed = "nothing agreed" if quota["owed"] is None else f"{quota['owed']}, {quota['expected']} by now"
    period = quota["period"]["name"] or "this period"
    lines = [
        (f"marketing: qualified leads in {period}", f"{_number(quota['qualified'])} (owed: {owed})"),
        ("sales: first touch in time", f"{_share(now['kept'])} (week before: {_share(before['kept'])})"),
        ("sales: enough attempts", _share(now["attempts_kept"])),
    ]
    lines += [(f"  {state.replace('_', ' ')}", _number(figure)) for state, figure in now["states"].items()]
    parts = (("sync", "sync_s"), ("routing", "routing_s"), ("rep", "rep_s"))
    lines += [(f"  mean {part} delay", _hours(now["delays"][name])) for part, name in parts]
    return "The agreement", lines


def _activity(facts: dict[str, Any]) -> Section:
    rows = facts["campaigns"]["rows"]

    def total(name: str) -> str:
        values = [row[name]["value"] for row in rows]
        return "unknown" if None in values else str(sum(values))

    calls = [
        ("attempts with people who qualified", total("calls")),
        ("of them wasted (given back)", total("wasted_calls")),
    ]
    return "Sales activity", calls


def _revenue(facts: dict[str, Any]) -> Section:
    won = facts["revenue"]
    lines = [("won", _money(one)) for one in won["won"]] or [("won", "nothing")]
    lines += [(_touched(row), _money(row["amount"])) for row in won["rows"][:MOST_LINES]]
    lines += [
        (f"not attributed: {row['cause'].replace('_', ' ')}", _money(row["amount"])) for row in won["unattributed"]
    ]
    return f"Revenue by source and campaign (credit: {won['model']})", lines


def _touched(row: dict[str, Any]) -> str:
    return ", ".join(one for one in (row["source"], row["campaign"]) if one) or "unknown"


def _lost(facts: dict[str, Any]) -> Section:
    rows = facts["revenue"]["lost"]
    lines = [(row["reason"] or "no reason", f"{_number(row['deals'])} deals, {_money(row['amount'])}") for row in rows]
    return "Lost, and why", lines or [("lost", "nothing")]


def _campaigns(facts: dict[str, Any]) -> Section:
    rows = sorted(facts["campaigns"]["rows"], key=lambda row: -(row["people"]["value"] or 0))[:MOST_LINES]
    lines = []
    for row in rows:
        told = [f"{_number(row['people'])} people", f"{_number(row['qualified'])} qualified"]
        told += [f"{_number(row['rejected'])} given back", *(f"{_money(one)} won" for one in row["won"])]
        lines.append((row["campaign"] or "none", ", ".join(told)))
    return "Campaigns", lines or [("campaigns", "nobody came in")]


def _goals(facts: dict[str, Any]) -> Section:
    goal = facts["goals"]

    def needed(name: str) -> str:
        return str(goal[name]) if goal[name] is not None else "unknown"

    lines = [
        ("goal", f"{_money(goal['goal'])} in {goal['period']['name'] or 'the period'}"),
        ("won so far", _money(goal["won"])),
        ("an even pace", _money(goal["expected"])),
        ("forecast", _money(goal["forecast"])),
        ("customers still needed", needed("customers_missing")),
        ("leads still needed", needed("leads_missing")),
    ]
    lines += [
        (f"not counted: no rate for {one['won']['currency']}", _money(one["won"]))
        for one in goal["parts"]
        if one["counts"]["value"] is None
    ]
    return "The goal", lines
