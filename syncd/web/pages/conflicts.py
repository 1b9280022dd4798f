"""Conflicts: values that lost against the other side, by which rule, and the button that puts one back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from syncd.ledger.inbox import Conflict
from syncd.view.records import conflict as shape
from syncd.web import phrases, words
from syncd.web.page import LIMIT, Asked, Row, View
from syncd.web.pages.records import field_anchor, owner_of
from syncd.web.table import Act, Cell, Column, Table, cell


def page(asked: Asked) -> View:
    """Filter: mapping."""
    mapping = asked.filter("mapping")
    limit = asked.limit()
    every = (shape(asked.ledger, one) for one in _listed(asked, mapping))
    found = [] if asked.whole else list(islice(every, limit + 1))
    shown, more = found[:limit], len(found) > limit
    columns = (
        *(Column("conflict", "number"), Column("at", "time"), Column("record"), Column("field"), Column("kept")),
        *(Column("lost"), Column("which rule", "text"), Column("state")),
    )

    def row(one: dict[str, Any]) -> Row:
        return (
            cell(one["id"]),
            cell(one["at"]),
            asked.names.cell(one),
            cell(
                one["field"],
                f"/mappings/{one['mapping']}#{field_anchor(one['field'])}",
                text=words.spoken(one["field"]),
            ),
            *(_value(asked, one, one[which]) for which in ("kept", "lost")),
            cell(one["by"], text=phrases.sides(one["by"])),
            cell("restored", tone="good", text="put back") if one["restored"] else cell("lost"),
        )

    acts = [
        None
        if one["restored"]
        else Act("restore", "Put back", f"Put back what {one['field']} was in conflict {one['id']}", {"id": one["id"]})
        for one in shown
    ]
    empty = "Nothing was lost: no value had to give way to the other side's."
    rows, all_ = list(map(row, shown)), asked.all(map(row, every))
    table = Table("conflicts", "Values that lost, newest first", columns, rows, empty, acts=acts, every=all_)
    facts = {"more": more, "limit": limit, "names": asked.ledger.books.mapping_names()}
    return View("conflicts.html", "Conflicts", {**facts, "mapping": mapping or ""}, (table,))


def _listed(asked: Asked, mapping: str | None) -> Iterator[Conflict]:
    """All of them, newest first, a page of the ledger at a time."""
    before = None
    while found := asked.ledger.inbox.conflicts(mapping=mapping, before=before, limit=LIMIT):
        yield from found
        before = found[-1].id


def _value(asked: Asked, one: dict[str, Any], value: Any) -> Cell:
    """A value; a stage by its title, an owner by the address that both sides know."""
    agreed, text, name = asked.files.mappings.funnel, words.shown(value), one["field"]
    mapping = asked.files.mappings.by_name.get(one["mapping"])
    field = next((each for each in mapping.fields if each.name == name), None) if mapping else None
    if field is not None and field.type == "owner" and value:
        return cell(text, text=owner_of(asked, one["system"], text) or text)
    called = agreed.called(text) if agreed is not None and name == agreed.about.stage else text
    return cell(text, text=called)
