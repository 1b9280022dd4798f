"""What we agreed: definitions and mappings as they are in force, and every version before, with what changed."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES
from syncd.core.watch import Watch
from syncd.ledger.books import Version
from syncd.view.moment import iso
from syncd.web.page import Asked, NotFound, View
from syncd.web.pages.records import field_anchor
from syncd.web.table import Column, Table, cell

MOST_DIFF = 400
"""Lines of a difference that are shown."""
VERSIONS = 50


def definitions(asked: Asked) -> View:
    """The funnel: stages and owners, the rule of hand-off, and the file's history."""
    funnel = asked.files.mappings.funnel
    history = _history(asked.ledger.books.funnels(VERSIONS))
    stages = Table(
        "stages",
        "Stages, in order",
        (Column("step", "number"), Column("stage"), Column("whose job"), Column("means")),
        [
            (cell(at), cell(stage.name), cell(stage.owner, tone="quiet"), cell(stage.means))
            for at, stage in enumerate(funnel.stages if funnel else (), start=1)
        ],
        "No stages are agreed: write them into mappings/funnel.toml.",
    )
    broken = [str(one) for one in asked.files.broken.get("funnel", ())]
    facts = {
        "funnel": funnel,
        "text": funnel.text if funnel else "",
        "versions": history,
        "version": history[0]["version"] if history and funnel and history[0]["digest"] == funnel.digest else None,
        "broken": broken,
    }
    return View("definitions.html", "Definitions", facts, (stages,))


def mappings(asked: Asked) -> View:
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


def mapping(asked: Asked) -> View:
    """One mapping: its gates and fields in words, its text, its history."""
    name = asked.path["name"]
    one = asked.files.mappings.every().get(name)
    if one is None:
        raise NotFound(f"There is no mapping '{name}'.")
    facts: dict[str, Any] = {
        "one": one,
        "gates": _gates(one) if isinstance(one, Compiled) else [],
        "match": [rule.name for rule in one.match] if isinstance(one, Compiled) else [],
        "text": one.text,
        "versions": _history(asked.ledger.books.versions(name, VERSIONS)),
        "broken": [str(problem) for problem in asked.files.broken.get(name, ())],
    }
    return View("mapping.html", name, facts, (_fields(one),))


def _gates(one: Compiled) -> list[tuple[str, str]]:
    """The rules over whole records, in words."""
    told = []
    for side, at in (("marketing", "in marketing"), ("crm", "in sales")):
        scope, create, update = one.scope[side], one.create[side], one.update[side]  # type: ignore[index]
        told.append((f"A record takes part {at}", scope.text if scope else "always"))
        told.append((f"A partner is created {at}", create.text if create else "never"))
        if update is not None:
            told.append((f"A record is updated {at}", update.text))
        told.append((f"When a record is gone {at}", one.gone[side]))  # type: ignore[index]
    return told


def _fields(one: Compiled | Watch) -> Table:
    if isinstance(one, Watch):
        seen = [(cell(field.name), cell(field.type), cell(field.attribute)) for field in one.fields]
        looks = (Column("field"), Column("type"), Column("attribute", "code"))
        return Table("fields", "What it looks at", looks, seen, "It looks at nothing.")
    columns = (
        *(Column("field"), Column("type"), Column("marketing", "code"), Column("sales", "code"), Column("flow")),
        *(Column("both changed", "text", "who wins a clash"), Column("first meeting"), Column("blank")),
        Column("line", "code"),
    )
    rows = []
    for field in one.fields:
        names = [", ".join(dict.fromkeys(field.names[side].values())) for side in SIDES]
        rows.append(
            (
                cell(field.name, f"#{field_anchor(field.name)}"),
                cell(field.type),
                *map(cell, names),
                cell(
                    {"both": "both ways", "to_crm": "to sales", "to_marketing": "to marketing"}.get(field.flow, "none")
                ),
                cell(field.clash),
                cell(field.meet),
                cell(field.blank),
                cell(field.place.rpartition("/")[2]),
            )
        )
    return Table("fields", "Fields", columns, rows, "No field is mapped.")


def _history(versions: list[Version]) -> list[dict[str, Any]]:
    """Versions, newest first, each with its difference from the one before."""
    told = []
    for at, version in enumerate(versions):
        before = versions[at + 1] if at + 1 < len(versions) else None
        lines = (
            list(unified_diff(before.text.splitlines(), version.text.splitlines(), lineterm="", n=2))[2:]
            if before is not None
            else []
        )
        told.append(
            {
                "version": version.version,
                "digest": version.digest,
                "since": iso(version.since),
                "approved_at": iso(version.approved_at),
                "diff": [(_kind(line), line) for line in lines[:MOST_DIFF]],
                "cut": len(lines) > MOST_DIFF,
                "first": before is None and version.version == 1,
            }
        )
    return told


def _kind(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
