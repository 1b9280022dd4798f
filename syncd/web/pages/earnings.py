"""What it brought: revenue and credit, campaigns, goals."""

from __future__ import annotations

from typing import Any

from syncd.funnel import reports
from syncd.web import filters, phrases, trend, words
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.table import Column, Table, cell

MODELS = {
    "first": "first touch",
    "last": "last touch",
    "linear": "linear",
    "position": "position-based",
}
"""Credit models, as people call them."""
MOST_BARS = 10


def revenue(asked: Asked) -> View:
    """What was won, and who gets credit. Filters: since, to, until, model."""
    told = reports.revenue(asked.ledger, asked.files, asked.now, **filters.given(asked, "since", "until", "model"))
    model = MODELS.get(told["model"], told["model"])
    credited = (
        (
            figures.name(row["source"]),
            figures.name(row["campaign"]),
            *(figures.amount(row["amounts"][one]) for one in told["models"]),
            cell(row["currency"]),
            figures.figure(row["touches"]),
            figures.figure(row["assists"]),
        )
        for row in told["rows"]
    )
    credit = Table(
        "credit",
        "Credit by source and campaign, under each model",
        (
            *(Column("source"), Column("campaign")),
            *(Column(MODELS.get(one, one), "number") for one in told["models"]),
            *(Column("currency"), Column("touches", "number"), Column("assists", "number")),
        ),
        asked.shown(credited),
        "No won deal of this period has a touch to credit. The table of what is not attributed says why, deal by deal.",
        len(told["rows"]),
        every=asked.all(credited),
        about=f"Touches: those that {model} credits. Assists: won deals that it helped with, whoever gets the credit.",
    )
    unattributed = Table(
        "unattributed",
        "Not attributed, and why",
        (Column("cause"), Column("deals", "number"), Column("amount", "number"), Column("currency")),
        [
            (
                cell(one["cause"], text=phrases.cause(one["cause"])),
                figures.figure(one["deals"]),
                figures.amount(one["amount"]),
                cell(one["amount"]["currency"]),
            )
            for one in told["unattributed"]
        ],
        "All of it is attributed.",
    )
    lost = Table(
        "lost",
        "Lost, and why",
        (Column("reason"), Column("deals", "number"), Column("amount", "number"), Column("currency")),
        [
            (
                figures.name(one["reason"]),
                figures.figure(one["deals"]),
                figures.amount(one["amount"]),
                cell(one["amount"]["currency"]),
            )
            for one in told["lost"]
        ],
        "No deal was lost in this period.",
    )
    models = [(name, MODELS.get(name, name)) for name in told["models"]]
    facts = {
        "told": told,
        "period": told["period"],
        "model": model,
        "undated": [figures.figure(one) for one in told["undated"]],
        "won": [figures.money(one) for one in told["won"]],
        "deals": figures.figure(told["deals"]),
        "charts": _charts(told),
        "differs": [one for one in told["difference"] if one["value"]],
        "trend": trend.won(asked),
        "filters": filters.offered(
            asked, told["period"], [filters.Pick("model", "Credit model", models, told["model"])], dimensions=False
        ),
    }
    return View("revenue.html", "Revenue and credit", facts, (credit, _sums(told), unattributed, lost))


def _sums(told: dict[str, Any]) -> Table:
    """Beside what the CRM says was won: credited and not attributed, under each model, and the difference."""
    columns = (
        *(Column("model"), Column("won in the CRM", "number"), Column("credited", "number")),
        *(Column("not attributed", "number"), Column("difference", "number"), Column("currency")),
    )
    rows = []
    for one in told["sums"]:
        currency = one["won"]["currency"]
        difference = {"value": one["difference"], "currency": currency, "records": None}
        rows.append(
            (
                cell(one["model"], text=MODELS.get(one["model"], one["model"])),
                *(figures.amount(one[part]) for part in ("won", "credited", "unattributed")),
                figures.amount(difference)._replace(tone="bad" if one["difference"] else "good"),
                cell(currency),
            )
        )
    return Table("sums", "It adds up, under each model", columns, rows, "No deal was won in this period.")


def _charts(told: dict[str, Any]) -> list[dict[str, Any]]:
    """By currency, which are never drawn on one scale: who gets credit, the largest first, and what nobody gets."""
    charts: dict[str, list[dict[str, Any]]] = {}
    for row in told["rows"]:
        name = " · ".join(words.spoken(row[part] or "") or f"no {part}" for part in ("source", "campaign"))
        charts.setdefault(row["amount"]["currency"], []).append({**row["amount"], "name": name, "kind": "1"})
    for one in told["unattributed"]:
        name = f"Not attributed: {phrases.cause(one['cause']).lower()}"
        charts.setdefault(one["amount"]["currency"], []).append({**one["amount"], "name": name, "kind": "5"})
    drawn = []
    for currency, bars in charts.items():
        bars = [
            {**bar, "text": words.money(bar["value"], currency), "link": figures.behind(bar["records"])}
            for bar in bars
            if bar["value"]
        ]
        most = max((bar["value"] for bar in bars), default=0)
        drawn.append({"currency": currency, "bars": bars[:MOST_BARS], "most": most, "more": len(bars) - MOST_BARS})
    return [chart for chart in drawn if chart["bars"]]


def campaigns(asked: Asked) -> View:
    """What each campaign brought, and what it cost sales. Filters: since, to, until, model."""
    told = reports.campaigns(asked.ledger, asked.files, asked.now, **filters.given(asked, "since", "until", "model"))
    table = Table(
        "campaigns",
        "Campaigns",
        (
            *(Column("campaign"), Column("people", "number", "whom it brought")),
            *(Column("qualified", "number"), Column("given back", "number", "by sales")),
            *(Column("calls", "number", "sales' attempts"), Column("wasted calls", "number", "with those given back")),
            *(Column("assists", "number", "won deals it helped with"), Column("won", "number", "its credit")),
        ),
        [
            (
                figures.name(row["campaign"]),
                *(figures.figure(row[name]) for name in ("people", "qualified", "rejected", "calls")),
                figures.figure(row["wasted_calls"], "warn" if row["wasted_calls"]["value"] else ""),
                figures.figure(row["assists"]),
                figures.moneys(row["won"]),
            )
            for row in told["rows"]
        ],
        "No campaign brought anybody in this period: choose a longer one above.",
    )
    models = list(MODELS.items())
    facts = {
        "told": told,
        "period": told["period"],
        "bars": _calls(told["rows"]),
        "filters": filters.offered(
            asked, told["period"], [filters.Pick("model", "Credit model", models, told["model"])], dimensions=False
        ),
    }
    return View("campaigns.html", "Campaigns", facts, (table,))


def _calls(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Sales' calls by campaign, the wasted ones told apart; None where nobody called."""
    bars: list[dict[str, Any]] = [
        {
            "name": words.spoken(row["campaign"] or figures.NAMELESS),
            "all": row["calls"]["value"] or 0,
            "wasted": row["wasted_calls"]["value"] or 0,
        }
        for row in rows
    ]
    bars = sorted((bar for bar in bars if bar["all"]), key=lambda bar: -bar["all"])[:MOST_BARS]
    return {"bars": bars, "most": bars[0]["all"]} if bars else None


def goals(asked: Asked) -> View:
    """From the revenue goal to the leads it takes. Filter: since."""
    told = reports.goals(asked.ledger, asked.files, asked.now, **filters.given(asked, "since"))
    currency, agreed = told["currency"], asked.files.mappings.funnel
    target = agreed.target if agreed else None
    lately = f"the last {words.duration(target.look_back_ms / 1000)}" if target else ""
    average = figures.money(told["average"])._replace(link=figures.behind(told["averaged"]["records"]))
    rate = figures.share(told["rate"])._replace(link=figures.behind(told["rated"]["records"]))
    steps: list[tuple[str, Any, str]] = [
        ("The goal", figures.money(told["goal"]), "agreed, in mappings/funnel.toml"),
        ("Won so far", figures.money(told["won"]), f"deals won {words.during(told['period'])}"),
        ("Expected by now", figures.money(told["expected"]), "the goal × how much of the period is over"),
        ("Forecast", figures.money(told["forecast"]), "what was won ÷ how much of the period is over"),
        ("An average deal", average, f"of what was won in {lately}"),
        ("Hand-offs that become customers", rate, f"of those handed over in {lately}"),
        ("Customers needed", cell(told["customers_needed"]), "the goal ÷ an average deal"),
        ("Leads needed", cell(told["leads_needed"]), "customers needed ÷ that rate"),
        ("Customers missing", cell(told["customers_missing"]), "still to be won"),
        ("Leads missing", cell(told["leads_missing"]), "still to be qualified"),
    ]
    table = Table(
        "arithmetic",
        "From the goal to the leads",
        (Column("what"), Column("value", "number"), Column("how it is reckoned")),
        [(cell(what), value, cell(how, tone="quiet")) for what, value, how in steps] if target else [],
        "No goal is agreed.",
    )
    quota = told["quota"]
    owed = Table(
        "quota",
        f"By source and segment, in {words.period(quota['period'])}",
        (Column("by"), Column("name"), Column("owed", "number"), Column("qualified", "number")),
        [
            (cell(row.get("by", "")), figures.name(row["name"]), cell(row["owed"]), figures.figure(row["qualified"]))
            for row in quota["by"]
        ],
        "No quota by source or segment is agreed: [agreement.marketing] by_source and by_segment in mappings/funnel.toml.",
    )
    kind = target.period if target else agreed.agreement.period if agreed else "month"
    facts = {
        "told": told,
        "period": told["period"],
        "filters": filters.of_goal(asked, kind, told["period"]),
        "quota": quota,
        "link": figures.behind,
        "qualified_trend": trend.qualified(asked),
        "won_trend": trend.won(asked, currency),
    }
    return View("goals.html", "Goals", facts, (table, owed))
