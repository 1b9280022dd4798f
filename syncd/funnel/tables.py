"""Reports as tables: each report is one table or several, of names of columns and rows.

Promise: unknown is None. Amounts are written in whole units with their digits, beside their currency; a part of a whole
is cut and never rounded up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from syncd.core.money import plain


class Table(NamedTuple):
    """One table of a report. The first one of a report is its main one."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def tables_of(report: str, facts: dict[str, Any]) -> list[Table]:
    """The report's tables."""
    return list(_MAKERS[report](facts))


def _value(figure: dict[str, Any]) -> Any:
    return figure["value"]


def _amount(figure: dict[str, Any]) -> str | None:
    return None if figure["value"] is None else plain(figure["value"], figure["currency"] or "")


def percent(part: float | None) -> str | None:
    """`87.5 %`, cut."""
    return None if part is None else f"{int(part * 1000 + 1e-9) / 10:.1f} %"


def _hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 3600:.1f}"


def _handoff(facts: dict[str, Any]) -> Iterator[Table]:
    columns = ("system", "object", "key", "state", "reason", "qualified_at", "delivered_at", "version")
    rows = [tuple(row[column] for column in columns) for row in facts["records"]]
    yield Table("gap", "Who is not delivered, and why", columns, rows)
    states = [(name, _value(facts[name])) for name in ("delivered", "waiting")]
    states += [(f"blocked: {reason}", _value(figure)) for reason, figure in facts["blocked"].items()]
    states += [(name.replace("_", " "), _value(facts[name])) for name in ("rejected", "out_of_scope", "qualified")]
    states += [(f"{name}'s count", _value(facts[name])) for name in ("marketing", "sales")]
    yield Table("balance", "Where they are", ("state", "people"), states)


def _funnel(facts: dict[str, Any]) -> Iterator[Table]:
    by, cohort = facts["by"], facts["cohort"]
    lead = tuple(name for name in (cohort and "came in", by) if name)
    rows: list[tuple[Any, ...]] = []
    for row in [*facts["rows"], facts["total"]]:
        whose = [] if not cohort else [row["cohort"] or "all"]
        whose += [] if not by else ["all" if row is facts["total"] else row["name"] or "unknown"]
        for stage, reached, rate, days in zip(facts["stages"], row["reached"], row["rates"], row["days"], strict=True):
            stay = None if days is None else f"{days:.1f}"
            rows.append((*whose, stage["stage"], stage["owner"], _value(reached), percent(rate), stay))
    columns = (*lead, "stage", "whose job", "people", "of the stage before", "days to the next")
    yield Table("funnel", "Stage by stage", columns, rows)


def _revenue(facts: dict[str, Any]) -> Iterator[Table]:
    models = tuple(facts["models"])
    columns = ("source", "campaign", "currency", *models, "touches", "assists")
    rows: list[tuple[Any, ...]] = [
        (
            row["source"] or "unknown", row["campaign"] or "none", row["currency"],
            *(_amount(row["amounts"][model]) for model in models), _value(row["touches"]), _value(row["assists"]),
        )
        for row in facts["rows"]
    ]  # fmt: skip
    rows += [
        ("not attributed", row["cause"].replace("_", " "), row["amount"]["currency"],
         *(_amount(row["amount"]) for _ in models), None, None)
        for row in facts["unattributed"]
    ]  # fmt: skip
    for won in facts["won"]:
        if won["value"] is not None:
            sums = {one["model"]: one for one in facts["sums"] if one["won"]["currency"] == won["currency"]}
            total = [
                plain(sums[model]["credited"]["value"] + sums[model]["unattributed"]["value"], won["currency"])
                for model in models
            ]
            differs = [plain(sums[model]["difference"], won["currency"]) for model in models]
            rows.append(("sum", None, won["currency"], *total, None, None))
            rows.append(("closed-won in the CRM", None, won["currency"], *(_amount(won) for _ in models), None, None))
            rows.append(("difference", None, won["currency"], *differs, None, None))
    yield Table("credit", "Who gets credit for what was won, under each model", columns, rows)
    lost = [
        (row["reason"] or "no reason", _value(row["deals"]), _amount(row["amount"]), row["amount"]["currency"])
        for row in facts["lost"]
    ]
    yield Table("lost", "Lost, and why", ("reason", "deals", "amount", "currency"), lost)
    if facts["undated"]:
        undated = [(_value(one), one["currency"]) for one in facts["undated"]]
        yield Table("undated", "Won, in no period: the deal says no close day", ("deals", "currency"), undated)


def _agreement(facts: dict[str, Any]) -> Iterator[Table]:
    states = tuple(facts["states"])
    columns = (
        facts["by"], *(state.replace("_", " ") for state in states),
        "kept", "attempts kept", "sync h", "routing h", "rep h",
    )  # fmt: skip
    rows = []
    for name, row in [*((row["name"] or "nobody", row) for row in facts["rows"]), ("all", facts)]:
        counts = [_value(row["states"][state]) for state in states]
        hours = [_hours(took) for took in row["delays"].values()]
        rows.append((name, *counts, percent(row["kept"]), percent(row["attempts_kept"]), *hours))
    yield Table("sales", "Sales: the first touch in time, and where the time went", columns, rows)
    yield Table("marketing", "Marketing: qualified leads owed", _OWED, _quota(facts["marketing"]))
    open_ = [
        (one["system"], one["object"], one["key"], one["state"].replace("_", " "), one["due_at"], one["owner"],
         one["segment"], one["attempts"])
        for one in facts["records"]
    ]  # fmt: skip
    waiting = ("system", "object", "key", "state", "due", "owner", "segment", "attempts")
    yield Table("open", "Who waits for a first touch", waiting, open_)


_OWED = ("period", "by", "name", "owed", "owed by now", "qualified", "kept")


def _quota(periods: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for one in periods:
        period = one["period"]["name"] or f"{one['period']['since']} to {one['period']['until']}"
        rows.append((period, "all", None, one["owed"], one["expected"], _value(one["qualified"]), _yes(one["kept"])))
        rows += [
            (period, row["by"], row["name"], row["owed"], None, _value(row["qualified"]), _yes(row["kept"]))
            for row in one["by"]
        ]
    return rows


def _yes(kept: bool | None) -> str | None:
    return None if kept is None else "yes" if kept else "no"


def _goals(facts: dict[str, Any]) -> Iterator[Table]:
    currency = facts["currency"]
    means = {
        "goal": "agreed",
        "won": "so far, by close day",
        "expected": "what an even pace would have brought by now",
        "forecast": "at the end of the period, if the pace stays",
        "average": "of a deal won in the look-back time",
        "customers_needed": "goal / average",
        "leads_needed": "customers needed / rate",
        "customers_missing": "(goal - won) / average",
        "leads_missing": "customers missing / rate",
    }
    rows: list[tuple[Any, ...]] = []
    for name, said in means.items():
        value = facts[name]
        money = isinstance(value, dict)
        rows.append((name.replace("_", " "), _amount(value) if money else value, currency if money else None, said))
    rows.insert(5, ("rate", percent(facts["rate"]), None, "deals won for each lead handed over, in the look-back time"))
    rows.append(("leads qualified", _value(facts["leads"]), None, "in this period"))
    rows.append(("leads expected", facts["leads_expected"], None, "leads needed x the part of the period that is over"))
    rows.append(("period over", percent(facts["elapsed"]), None, None))
    yield Table("goal", "From the goal to the leads", ("what", "value", "currency", "means"), rows)
    parts = [
        (
            one["won"]["currency"], _amount(one["won"]), one["rate"],
            "not counted: it has no rate" if one["counts"]["value"] is None else _amount(one["counts"]),
        )
        for one in facts["parts"]
    ]  # fmt: skip
    if any(one["won"]["currency"] != currency for one in facts["parts"]):
        columns = ("currency", "won", "rate", f"counts in {currency}")
        yield Table("currencies", "What each currency adds to what was won", columns, parts)
    yield Table("quota", "Marketing: qualified leads owed", _OWED, _quota([facts["quota"]]))


def _campaigns(facts: dict[str, Any]) -> Iterator[Table]:
    names = ("people", "qualified", "rejected", "calls", "wasted_calls", "assists")
    rows = []
    for row in facts["rows"]:
        won = "; ".join(f"{_amount(one)} {one['currency']}" for one in row["won"])
        rows.append((row["campaign"] or "none", *(_value(row[name]) for name in names), won))
    columns = ("campaign", *(name.replace("_", " ") for name in names), f"won ({facts['model']})")
    yield Table("campaigns", "What each campaign brought, and what it cost sales", columns, rows)


def _weekly(facts: dict[str, Any]) -> Iterator[Table]:
    yield Table("digest", "The weekly digest", ("section", "what", "value"), list(facts["lines"]))


_MAKERS: dict[str, Callable[[dict[str, Any]], Iterator[Table]]] = {
    "handoff": _handoff,
    "funnel": _funnel,
    "revenue": _revenue,
    "agreement": _agreement,
    "goals": _goals,
    "campaigns": _campaigns,
    "weekly": _weekly,
}
