"""Mappings as they are in force, validated, in words; read-only, for they are edited as files."""

from __future__ import annotations

from typing import Any

from syncd.core.mapping import Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES
from syncd.core.watch import Watch
from syncd.web import phrases
from syncd.web.page import Asked, NotFound, View
from syncd.web.pages.history import VERSIONS, told
from syncd.web.pages.records import field_anchor
from syncd.web.table import Cell, Column, Line, Table, cell

_SOURCE = "goes one way"
"""Who wins where only one side is ever written to."""


def page(asked: Asked) -> View:
    """Every mapping and watch: what it pairs, whether its file is valid."""
    rows = []
    for name, one in asked.files.mappings.every().items():
        version = asked.ledger.books.mapping(name)
        valid = name not in asked.files.broken
        ends = [f"{end.system} {' / '.join(end.forms)}" for end in one.ends]
        rows.append(
            (
                cell(name, f"/mappings/{name}"),
                cell(one.kind),
                cell(" ⇄ ".join(ends)),
                cell(len(one.fields)),
                cell(version.version if version else None, text=None if version else "not run yet"),
                cell("valid" if valid else "its file has errors", tone="good" if valid else "bad"),
            )
        )
    rows += [
        (cell(name), cell("file"), cell(""), cell(""), cell(""), cell("its file has errors", tone="bad"))
        for name in asked.files.broken
        if name not in asked.files.mappings.every() and name != "funnel"
    ]
    columns = (
        *(Column("mapping"), Column("kind"), Column("keeps the same"), Column("fields", "number")),
        *(Column("version", "number"), Column("file")),
    )
    broken = {name: [str(one) for one in problems] for name, problems in asked.files.broken.items()}
    instead = {name: asked.files.instead(name) for name in broken}
    table = Table("mappings", "Mappings", columns, rows, "There is no mapping: `syncd init` writes the first ones.")
    return View("mappings.html", "Mappings", {"broken": broken, "instead": instead}, (table,))


def one(asked: Asked) -> View:
    """One mapping: its gates and fields in words, its text, its history."""
    name = asked.path["name"]
    found = asked.files.mappings.every().get(name)
    if found is None:
        raise NotFound(f"There is no mapping '{name}'.")
    facts: dict[str, Any] = {
        "one": found,
        "gates": _gates(found) if isinstance(found, Compiled) else [],
        "match": [rule.name for rule in found.match] if isinstance(found, Compiled) else [],
        "text": found.text,
        "versions": told(asked.ledger.books.versions(name, VERSIONS)),
        "broken": [str(problem) for problem in asked.files.broken.get(name, ())],
    }
    return View("mapping.html", name, facts, (_fields(found),))


def _gates(one: Compiled) -> list[Line]:
    """The rules over whole records: what about, and the rule."""
    lines: list[Line] = []
    for side, at in (("marketing", "in marketing"), ("crm", "in sales")):
        scope, create, update = one.scope[side], one.create[side], one.update[side]  # type: ignore[index]
        lines.append(Line(f"A record takes part {at}", scope.text if scope else "always", "code" if scope else "text"))
        lines.append(
            Line(f"A partner is created {at}", create.text if create else "never", "code" if create else "text")
        )
        if update is not None:
            lines.append(Line(f"A record is updated {at}", update.text, "code"))
        gone = one.gone[side]  # type: ignore[index]
        lines.append(Line(f"When a record is gone {at}", phrases.GONE.get(gone, gone)))
    return lines


def _fields(one: Compiled | Watch) -> Table:
    if isinstance(one, Watch):
        seen = [(cell(field.name), cell(field.type), cell(field.attribute)) for field in one.fields]
        looks = (Column("field"), Column("type"), Column("attribute", "code"))
        return Table("fields", "What it looks at", looks, seen, "It looks at nothing.")
    columns = (
        *(Column("field"), Column("type"), Column("marketing", "code"), Column("sales", "code"), Column("flow")),
        *(Column("both changed", "text", "who wins"), Column("first meeting", "text", "who wins")),
        *(Column("a blank", "text", "on one side"), Column("line", "number")),
    )
    rows = []
    for field in one.fields:
        names = [", ".join(dict.fromkeys(field.names[side].values())) for side in SIDES]
        rows.append(
            (
                cell(field.name),
                cell(field.type),
                *map(cell, names),
                cell(field.flow, text=phrases.FLOWS.get(field.flow, field.flow)),
                *_wins(field),
                cell(field.place.rpartition("/")[2], text=field.place.split(":")[-2]),
            )
        )
    anchors = [field_anchor(field.name) for field in one.fields]
    return Table("fields", "Fields", columns, rows, "No field is mapped.", anchors=anchors)


def _wins(field: Field) -> tuple[Cell, Cell, Cell]:
    """Who wins, and what a blank does. One that goes one way never clashes (consent holds all the same),
    one that goes nowhere wins nothing."""
    if field.flow == "none":
        return cell(""), cell(""), cell("")
    both = field.flow == "both" or field.clash == "stricter"
    return (
        cell(field.clash if both else "", text=phrases.WINS.get(field.clash, field.clash) if both else _SOURCE),
        cell(field.meet, text=phrases.WINS.get(field.meet, field.meet)),
        cell(field.blank, text=phrases.BLANKS.get(field.blank, field.blank)),
    )
