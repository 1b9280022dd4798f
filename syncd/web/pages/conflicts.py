"""Conflicts: values that lost against the other side, by which rule, and the button that puts one back."""

from __future__ import annotations

from syncd.view.records import conflict as shape
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.render import record_link
from syncd.web.table import Column, Table, cell


def page(asked: Asked) -> View:
    """Filter: mapping."""
    mapping = asked.filter("mapping")
    limit = asked.limit()
    found = [shape(asked.ledger, one) for one in asked.ledger.inbox.conflicts(mapping=mapping, limit=limit + 1)]
    shown, more = found[:limit], len(found) > limit
    columns = (
        *(Column("conflict", "number"), Column("at", "time"), Column("mapping"), Column("record", "code")),
        *(Column("field"), Column("kept"), Column("lost"), Column("rule"), Column("state")),
    )
    rows = [
        (
            cell(one["id"]),
            cell(one["at"]),
            cell(one["mapping"], f"/mappings/{one['mapping']}"),
            cell(
                f"{one['system']} {one['object']} {one['key']}", record_link(one["system"], one["object"], one["key"])
            ),
            cell(one["field"]),
            cell(words.shown(one["kept"])),
            cell(words.shown(one["lost"])),
            cell(one["by"]),
            cell("restored" if one["restored"] else "lost", tone="quiet" if one["restored"] else ""),
        )
        for one in shown
    ]
    empty = "Nothing was lost: no value had to give way to the other side's."
    table = Table("conflicts", "Values that lost", columns, rows, empty)
    facts = {"conflicts": shown, "more": more, "limit": limit, "names": asked.ledger.books.mapping_names()}
    return View("conflicts.html", "Conflicts", {**facts, "mapping": mapping or ""}, (table,))
