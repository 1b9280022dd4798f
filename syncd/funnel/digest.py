"""The weekly digest for the meeting of both departments: as text and as HTML, from the same lines.

Promise: names of campaigns and reasons are text in both; nothing of them is markup. What is unknown says so.
"""

from __future__ import annotations

from html import escape
from typing import Any

from syncd.core.money import plain

Section = tuple[str, list[tuple[str, str]]]


def digest(facts: dict[str, Any]) -> dict[str, str]:
    """`{"html", "text"}` of what `reports.weekly` gathered."""
    title = f"Week {facts['week']['name'] or facts['week']['since']}"
    sections = [_handoffs(facts), _follow_up(facts), _revenue(facts), _campaigns(facts), _goals(facts)]
    text = [title, "=" * len(title)]
    html = [f"<h1>{escape(title)}</h1>"]
    for name, lines in sections:
        text += ["", name, "-" * len(name), *(f"{label}: {value}" for label, value in lines)]
        rows = "".join(
            f'<tr><th scope="row">{escape(label)}</th><td>{escape(value)}</td></tr>' for label, value in lines
        )
        html.append(f"<h2>{escape(name)}</h2><table>{rows}</table>")
    body = "\n".join(html)
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head><body>{body}</body></html>'
    return {"html": page, "text": "\n".join(text) + "\n"}


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
    return "unknown" if part is None else f"{part:.0%}"


def _handoffs(facts: dict[str, Any]) -> Section:
    now, before = facts["handoffs"], facts["handoffs_before"]
    lines = [("qualified", _number(now["qualified"], before["qualified"]))]
    lines += [
        (state.replace("_", " "), _number(now[state])) for state in ("delivered", "waiting", "rejected", "out_of_scope")
    ]
    lines += [(f"blocked: {reason}", _number(figure)) for reason, figure in now["blocked"].items()]
    return "Hand-offs", [*lines, ("adds up", "yes" if now["balanced"] else "NO")]


def _follow_up(facts: dict[str, Any]) -> Section:
    now, before = facts["follow_up"], facts["follow_up_before"]
    lines = [("first touch in time", f"{_share(now['kept'])} (week before: {_share(before['kept'])})")]
    lines += [(state.replace("_", " "), _number(figure)) for state, figure in now["states"].items()]
    return "Follow-up", lines


def _revenue(facts: dict[str, Any]) -> Section:
    won = facts["revenue"]
    lines = [("won", _money(one)) for one in won["won"]] or [("won", "nothing")]
    lines += [(f"{row['campaign'] or row['source'] or 'unknown'}", _money(row["amount"])) for row in won["rows"][:10]]
    lines += [
        (f"not attributed: {row['cause'].replace('_', ' ')}", _money(row["amount"])) for row in won["unattributed"]
    ]
    lines += [(f"lost: {row['reason'] or 'no reason'}", _money(row["amount"])) for row in won["lost"]]
    return f"Revenue (credit: {won['model']})", lines


def _campaigns(facts: dict[str, Any]) -> Section:
    rows = facts["campaigns"]["rows"][:10]
    return "Campaigns", [
        (
            row["campaign"] or "none",
            f"{_number(row['people'])} people, {_number(row['qualified'])} qualified, {_number(row['rejected'])} given back",
        )
        for row in rows
    ]


def _goals(facts: dict[str, Any]) -> Section:
    goal = facts["goals"]
    quota = goal["quota"]
    return "Goal", [
        ("goal", _money(goal["goal"])),
        ("won so far", _money(goal["won"])),
        ("an even pace", _money(goal["expected"])),
        ("forecast", _money(goal["forecast"])),
        (
            "customers still needed",
            str(goal["customers_missing"]) if goal["customers_missing"] is not None else "unknown",
        ),
        ("leads still needed", str(goal["leads_missing"]) if goal["leads_missing"] is not None else "unknown"),
        (
            "qualified leads owed",
            f"{_number(quota['qualified'])} of {quota['owed'] if quota['owed'] is not None else 'unknown'}",
        ),
    ]
