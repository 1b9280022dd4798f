"""Figures on a terminal: the tables of a report, its numbers by name, and the records behind one of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from syncd.cli import show

if TYPE_CHECKING:
    from syncd.files import Files
    from syncd.funnel.tables import Table
    from syncd.ledger import Ledger

MOST_RECORDS = 10_000
"""Records that one command prints."""


def tables(kind: str, facts: dict[str, Any], name: str | None) -> None:
    """All tables of a report, or the one of that name."""
    from syncd.funnel.tables import tables_of

    for one in tables_of(kind, facts) if name is None else [_one(kind, facts, name)]:
        show.line()
        show.line(one.title)
        if one.rows:
            show.table(one.columns, [["" if cell is None else str(cell) for cell in row] for row in one.rows])
        else:
            show.line("nobody and nothing")


def csv(kind: str, facts: dict[str, Any], name: str | None) -> None:
    """One table as CSV; without a name the main one."""
    from syncd.view.sheet import as_csv

    one = _one(kind, facts, name)
    sys.stdout.write(as_csv(one.columns, one.rows))


def _one(kind: str, facts: dict[str, Any], name: str | None) -> Table:
    from syncd.core.toml import did_you_mean
    from syncd.funnel.tables import tables_of

    found = {one.name: one for one in tables_of(kind, facts)}
    if name is None:
        return next(iter(found.values()))
    if name not in found:
        mend = did_you_mean(name, found) or f"there are: {', '.join(found)}"
        raise typer.BadParameter(f"this report has no table '{name}' ({mend})")
    return found[name]


def names(facts: dict[str, Any], *, as_csv: bool) -> None:
    """Every number that can be opened, by the name that opens it."""
    from syncd.funnel.named import figures_of
    from syncd.view import sheet

    columns = ("figure", "value", "currency")
    rows = [(name, figure["value"], figure.get("currency")) for name, figure in figures_of(facts)]
    if as_csv:
        sys.stdout.write(sheet.as_csv(columns, rows))
    else:
        show.table(columns, [["" if cell is None else str(cell) for cell in row] for row in rows])


def opened(ledger: Ledger, files: Files, facts: dict[str, Any], name: str) -> dict[str, Any]:
    """A figure by its name, with all its records (10,000 at most)."""
    from syncd.core.toml import did_you_mean
    from syncd.funnel import reports
    from syncd.funnel.named import figures_of

    known = dict(figures_of(facts))
    if name not in known:
        mend = did_you_mean(name, known) or "--figures lists them"
        raise typer.BadParameter(f"there is no figure '{name}' here ({mend})")
    figure = known[name]
    link, found = figure["records"], list[dict[str, Any]]()
    while link is not None and len(found) < MOST_RECORDS:
        page = reports.records_behind(ledger, files, link, 1000)
        found += page["records"]
        link = page["next"]
    return {
        "figure": name, "value": figure["value"], "currency": figure.get("currency"), "link": figure["records"],
        "sum": sum(one["part"] for one in found), "whole": link is None, "records": found,
    }  # fmt: skip


def records(told: dict[str, Any], *, as_csv: bool) -> None:
    """The records of an opened figure as a table."""
    from syncd.core.money import plain
    from syncd.view import sheet

    currency = told["currency"]

    def part(one: dict[str, Any]) -> Any:
        return plain(one["part"], currency) if currency else one["part"]

    columns = ("system", "object", "key", "why", "at", "adds")
    rows = [(one["system"], one["object"], one["key"], one["why"], one["at"], part(one)) for one in told["records"]]
    if as_csv:
        sys.stdout.write(sheet.as_csv(columns, rows))
        return
    show.table(columns, [["" if cell is None else str(cell) for cell in row] for row in rows])
    total, value = (plain(told[name], currency) if currency else told[name] for name in ("sum", "value"))
    more = "" if told["whole"] else " (there are more)"
    show.line(
        f"{len(rows)} records{more}; they add up to {total}, the figure is {value}{f' {currency}' if currency else ''}"
    )
