"""What it brought: revenue and credit, campaigns, goals."""

from __future__ import annotations

from typing import Any

from syncd.funnel import reports
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.table import Column, Table, cell

MODELS = {
    "first": "first touch",
    "last": "last touch",
    "linear": "linear",
    "position": "position-based",
    "first_touch": "first touch",
    "last_touch": "last touch",
}


def revenue(asked: Asked) -> View:
    """What was won, and who gets credit. Filters: since, until, model."""
    given = figures.filters_of(asked, "since", "until", "model")
    told = reports.revenue(asked.ledger, asked.files, asked.now, **given)
    most = max((row["amount"]["value"] or 0 for row in told["rows"]), default=0)
    credit = Table(
        "credit",
        f"Credit, by {MODELS.get(told['model'], told['model'])}",
        (
            *(Column("source"), Column("campaign"), Column("won", "number")),
            *(Column("touches", "number"), Column("assists", "number", "won deals that it took part in")),
        ),
        [
            (
                figures.name(row["source"]),
                figures.name(row["campaign"]),
                figures.money(row["amount"]),
                cell(row["touches"]),
                cell(row["assists"]),
            )
            for row in told["rows"]
        ],
        "No deal was won in this period that a touch led to.",
    )
    unattributed = Table(
        "unattributed",
        "Not attributed, and why",
        (Column("cause"), Column("amount", "number"), Column("deals", "number")),
        [
            (cell(one["cause"]), figures.money(one["amount"]), figures.figure(one["deals"]))
            for one in told["unattributed"]
        ],
        "All of it is attributed.",
    )
    lost = Table(
        "lost",
        "Lost, and why",
        (Column("reason"), Column("deals", "number"), Column("amount", "number")),
        [
            (figures.name(one["reason"]), figures.figure(one["deals"]), figures.money(one["amount"]))
            for one in told["lost"]
        ],
        "No deal was lost in this period.",
    )
    bars = [
        {"name": " · ".join((row["source"] or figures.NAMELESS, row["campaign"] or "no campaign")),
         "value": row["amount"]["value"] or 0, "text": words.money(row["amount"]["value"], row["amount"]["currency"])}
        for row in told["rows"][:10]
        if row["amount"]["value"]
    ]  # fmt: skip
    facts = {
        "told": told,
        "period": told["period"],
        "won": [figures.money(one) for one in told["won"]],
        "deals": figures.figure(told["deals"]),
        "models": [(name, MODELS.get(name, name)) for name in told["models"]],
        "bars": bars,
        "most": most,
        "differs": [one for one in told["difference"] if one["value"]],
    }
    return View("revenue.html", "Revenue and credit", facts, (credit, unattributed, lost))


def campaigns(asked: Asked) -> View:
    """What each campaign brought, and what it cost sales. Filters: since, until, model."""
    given = figures.filters_of(asked, "since", "until", "model")
    told = reports.campaigns(asked.ledger, asked.files, asked.now, **given)
    table = Table(
        "campaigns",
        "Campaigns",
        (
            *(Column("campaign"), Column("people", "number"), Column("qualified", "number")),
            *(Column("given back", "number", "sales rejected them"), Column("calls", "number")),
            *(Column("wasted calls", "number", "with those given back"), Column("assists", "number")),
            Column("won", "number"),
        ),
        [
            (
                figures.name(row["campaign"]),
                *(figures.figure(row[name]) for name in ("people", "qualified", "rejected", "calls", "wasted_calls")),
                figures.figure(row["assists"]),
                figures.moneys(row["won"]),
            )
            for row in told["rows"]
        ],
        "No campaign brought anybody in this period.",
    )
    return View("campaigns.html", "Campaigns", {"told": told, "period": told["period"]}, (table,))


def goals(asked: Asked) -> View:
    """From the revenue goal to the leads it takes. Filter: since."""
    told = reports.goals(asked.ledger, asked.files, asked.now, **figures.filters_of(asked, "since"))
    steps: list[tuple[str, Any, str]] = [
        ("the goal", figures.money(told["goal"]), "agreed, in mappings/funnel.toml"),
        ("won so far", figures.money(told["won"]), "deals won in this period"),
        ("expected by now", figures.money(told["expected"]), "the goal, by how much of the period is over"),
        ("forecast", figures.money(told["forecast"]), "if it goes on like this"),
        ("an average deal", figures.money(told["average"]), "of what was won lately"),
        ("hand-offs that become customers", figures.share(told["rate"]), "of those handed over lately"),
        ("customers needed", cell(told["customers_needed"]), "the goal ÷ an average deal"),
        ("leads needed", cell(told["leads_needed"]), "customers needed ÷ that rate"),
        ("customers missing", cell(told["customers_missing"]), "still to be won"),
        ("leads missing", cell(told["leads_missing"]), "still to be qualified"),
    ]
    table = Table(
        "arithmetic",
        "From the goal to the leads",
        (Column("what"), Column("value", "number"), Column("how")),
        [(cell(what), value, cell(how, tone="quiet")) for what, value, how in steps],
        "No goal is agreed.",
    )
    quota = told["quota"]
    owed = Table(
        "quota",
        "Qualified leads against what marketing owes",
        (Column("by"), Column("name"), Column("owed", "number"), Column("qualified", "number")),
        [
            (cell(row.get("by", "")), figures.name(row["name"]), cell(row["owed"]), figures.figure(row["qualified"]))
            for row in quota["by"]
        ],
        "No quota by source or segment is agreed.",
    )
    facts = {"told": told, "period": told["period"], "quota": quota, "link": figures.behind}
    return View("goals.html", "Goals", facts, (table, owed))
