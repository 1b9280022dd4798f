"""Parity: how far both sides agree, as it was compared, and what the rest is."""

from __future__ import annotations

from collections import Counter

from syncd.parity import share
from syncd.view.moment import iso
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.table import Column, Table, cell

PARTS = ("agree", "by_rule", "in_flight", "drift", "unreadable")


def page(asked: Asked) -> View:
    """Filter: mapping."""
    mapping = asked.filter("mapping")
    rows = asked.ledger.books.parity(mapping, asked.limit())
    figures = []
    for run, name, at, whole, *numbers in rows:
        counts = dict(zip(PARTS, numbers, strict=True))
        figures.append(
            {"run": run, "mapping": name, "at": iso(at), "whole": bool(whole), **counts,
             "agreement": share(Counter(counts)), "total": sum(numbers)}
        )  # fmt: skip
    newest: dict[str, dict[str, object]] = {}
    for figure in figures:
        newest.setdefault(str(figure["mapping"]), figure)
    facts = {"newest": newest, "parts": PARTS, "mapping": mapping or "", "names": asked.ledger.books.mapping_names()}
    return View("parity.html", "Parity", facts, (_table(figures),))


def _table(figures: list[dict[str, object]]) -> Table:
    columns = (
        *(Column("at", "time"), Column("mapping"), Column("of"), Column("agreement", "number")),
        Column("agree", "number"),
        Column("by rule", "number", "they differ because a rule says so"),
        Column("in flight", "number", "a write is on its way"),
        Column("drift", "number", "they differ and nothing explains it"),
        Column("unreadable", "number"),
    )
    rows = []
    for one in figures:
        agreement = one["agreement"]
        assert agreement is None or isinstance(agreement, float)
        rows.append(
            (
                cell(one["at"], f"/runs/{one['run']}"),
                cell(one["mapping"]),
                cell("all pairs" if one["whole"] else "a sample"),
                cell(agreement, text=words.share(agreement)),
                *(cell(one[part], tone="bad" if part == "drift" and one[part] else "") for part in PARTS),
            )
        )
    empty = "No comparison was made yet: the daemon makes one each week, `syncd parity` makes one now."
    return Table("parity", "Comparisons", columns, rows, empty)
