"""Reports as tables: names of columns, and rows.

Promise: unknown is None. Amounts are written in whole units with their digits, beside their currency.
"""

from __future__ import annotations

from typing import Any

from syncd.core.money import plain

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def table_of(report: str, facts: dict[str, Any]) -> Table:
    """The report's main table."""
    makers = {
        "handoff": _handoff,
        "funnel": _funnel,
        "revenue": _revenue,
        "agreement": _agreement,
        "goals": _goals,
        "campaigns": _campaigns,
    }
    return makers[report](facts)


def _value(figure: dict[str, Any]) -> Any:
    return figure["value"]


def _amount(figure: dict[str, Any]) -> str | None:
    return None if figure["value"] is None else plain(figure["value"], figure["currency"] or "")


def _percent(part: float | None) -> str | None:
    return None if part is None else f"{part * 100:.1f} %"


def _handoff(facts: dict[str, Any]) -> Table:
    columns = ("system", "object", "key", "state", "reason", "qualified_at", "delivered_at", "version")
    return columns, [tuple(row[column] for column in columns) for row in facts["records"]]


def _funnel(facts: dict[str, Any]) -> Table:
    stages = [stage["stage"] for stage in facts["stages"]]
    columns = [facts["by"] or "", *(part for stage in stages for part in (stage, f"{stage} %", f"{stage} days"))]
    rows = []
    for name, row in [*((row["name"] or "unknown", row) for row in facts["rows"]), ("total", facts["total"])]:
        cells: list[Any] = [name]
        for reached, rate, days in zip(row["reached"], row["rates"], row["days"], strict=True):
            cells += [_value(reached), _percent(rate), None if days is None else f"{days:.1f}"]
        rows.append(tuple(cells))
    return tuple(columns), rows


def _revenue(facts: dict[str, Any]) -> Table:
    rows: list[tuple[Any, ...]] = [
        (
            row["source"],
            row["campaign"],
            _amount(row["amount"]),
            row["amount"]["currency"],
            row["touches"],
            row["assists"],
        )
        for row in facts["rows"]
    ]
    rows += [
        ("not attributed", row["cause"], _amount(row["amount"]), row["amount"]["currency"], None, None)
        for row in facts["unattributed"]
    ]
    rows += [("total won", None, _amount(one), one["currency"], None, None) for one in facts["won"]]
    rows += [
        ("lost", row["reason"], _amount(row["amount"]), row["amount"]["currency"], None, None) for row in facts["lost"]
    ]
    return ("source", "campaign", "amount", "currency", "touches", "assists"), rows


def _agreement(facts: dict[str, Any]) -> Table:
    states = tuple(facts["states"])
    columns = (facts["by"], *states, "kept", "attempts kept", "sync h", "routing h", "rep h")
    rows = []
    for name, row in [*((row["name"] or "nobody", row) for row in facts["rows"]), ("total", facts)]:
        hours = [None if took is None else f"{took / 3600:.1f}" for took in row["delays"].values()]
        counts = [_value(row["states"][state]) for state in states]
        rows.append((name, *counts, _percent(row["kept"]), _percent(row["attempts_kept"]), *hours))
    return columns, rows


def _goals(facts: dict[str, Any]) -> Table:
    rows: list[tuple[Any, ...]] = [
        (name.replace("_", " "), _amount(facts[name]), facts["currency"])
        for name in ("goal", "won", "expected", "forecast", "average")
    ]
    rows += [
        (name.replace("_", " "), facts[name], None)
        for name in ("customers_needed", "leads_needed", "customers_missing", "leads_missing")
    ]
    quota = facts["quota"]
    rows += [("qualified leads owed", quota["owed"], None), ("qualified leads", _value(quota["qualified"]), None)]
    for row in quota["by"]:
        said = f"qualified leads of {row['by']} {row['name']}"
        rows += [(f"{said}, owed", row["owed"], None), (said, _value(row["qualified"]), None)]
    return ("what", "value", "currency"), rows


def _campaigns(facts: dict[str, Any]) -> Table:
    names = ("people", "qualified", "rejected", "calls", "wasted_calls", "assists")
    rows = []
    for row in facts["rows"]:
        won = "; ".join(f"{_amount(one)} {one['currency']}" for one in row["won"])
        rows.append((row["campaign"], *(_value(row[name]) for name in names), won))
    return ("campaign", *names, "won"), rows
