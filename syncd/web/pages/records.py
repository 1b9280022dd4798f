"""Records: find somebody by e-mail, name of a match rule or key, and read their whole story across both systems.

Promise: the story is what `syncd why` tells, with every value, rule and event in one line of time. Only who is named
exactly is found: there is no browsing through people.
"""

from __future__ import annotations

from typing import Any

from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Bad, Unmapped
from syncd.view.records import link as link_shape
from syncd.view.records import place
from syncd.view.why import why
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.render import record_link
from syncd.web.table import Cell, Column, Table, Tone, cell

MOST_FOUND = 50
SHORTEST = 2
VERDICTS: dict[str, Tone] = {"agree": "good", "clash": "warn", "hold": "warn", "bad": "bad"}


def search(asked: Asked) -> View:
    """Filter: q (an e-mail, another match value, or a record's key)."""
    wanted = (asked.filter("q") or "").strip()
    found = _find(asked, wanted) if len(wanted) >= SHORTEST else []
    columns = (Column("record", "code"), Column("mapping"), Column("found by"), Column("linked with", "code"))
    rows = []
    for record, mapping, rule, partner in found:
        rows.append(
            (
                cell(f"{record['system']} {record['object']} {record['key']}", record_link(**record)),
                cell(mapping),
                cell(rule),
                cell("no partner") if partner is None else _name(partner),
            )
        )
    empty = f"Nobody and nothing is known by “{wanted}”." if wanted else "Say whom you look for."
    table = Table("found", "Found", columns, rows, empty)
    recent = [] if wanted else [link_shape(asked.ledger, one) for one in asked.ledger.links.newest(10)]
    examples = Table(
        "recent",
        "Linked last",
        (Column("mapping"), Column("marketing", "code"), Column("sales", "code"), Column("how")),
        [(cell(one["mapping"]), _name(one["marketing"]), _name(one["crm"]), cell(one["how"])) for one in recent],
        "Nobody is linked yet.",
    )
    return View("records.html", "Records", {"wanted": wanted}, (table, examples))


Found = tuple[dict[str, Any], str, str, dict[str, Any] | None]


def _find(asked: Asked, wanted: str) -> list[Found]:
    """(record, mapping, found by, partner) of who holds that match value or has that key."""
    ledger = asked.ledger
    found: dict[tuple[str, int, str], Found] = {}
    for mapping in asked.files.mappings.by_name.values():
        forms = [
            (side, ledger.facts.object_id(mapping.end(side).system, form))
            for side in SIDES
            for form in mapping.end(side).forms
        ]
        objects = [number for _, number in forms if number]
        by_value = [
            (candidate.object, candidate.key, rule.name)
            for rule in mapping.match
            if len(rule.fields) == 1
            for candidate in ledger.links.candidates(
                mapping.name, rule.name, objects, _values(mapping, rule.fields[0], wanted)
            )
        ]
        by_key = [(number, wanted, "its key") for number in objects if ledger.facts.get(number, wanted) is not None]
        for number, key, rule in (*by_key, *by_value):
            found.setdefault(
                (mapping.name, number, key),
                (place(ledger, number, key), mapping.name, rule, _partner(asked, mapping, number, key)),
            )
    return list(found.values())[:MOST_FOUND]


def _values(mapping: Compiled, name: str, wanted: str) -> list[str]:
    """How a field's value is kept to be matched by, as either side writes it."""
    field = mapping.field(name)
    if field.reference is not None:
        return []
    values = {wanted}
    for side in SIDES:
        value = field.canonical(side, wanted)
        if not isinstance(value, Bad | Unmapped) and value is not None:
            values.add(str(value))
    return sorted(values)


def _partner(asked: Asked, mapping: Compiled, number: int, key: str) -> dict[str, Any] | None:
    link = asked.ledger.links.of_records(mapping.name, number, [key]).get(key)
    whole = asked.ledger.links.get(link) if link is not None else None
    if whole is None:
        return None
    end = whole.crm if (whole.marketing.object, whole.marketing.key) == (number, key) else whole.marketing
    return place(asked.ledger, end.object, end.key)


def _name(record: dict[str, Any]) -> Cell:
    at = (record["system"], record["object"], record["key"])
    return cell(" ".join(map(str, at)), record_link(*at))


# ---------------------------------------------------------------- one record


def story(asked: Asked) -> View:
    """Everything that is known of a record: its partner, every field with its rule, and what happened, newest first."""
    at = (asked.path["system"], asked.path["object"], asked.path["key"])
    facts = why(asked.ledger, asked.files.mappings, asked.systems(), at, None)
    tables = [_fields(one) for one in facts["mappings"]]
    lives_on = facts["lives_on_as"]
    for one in facts["mappings"]:
        for awaited in one["waits_for"]:
            awaited["known_as"] = "created only afterwards" if awaited["create"] else "filled in afterwards"
        if one["link"]:
            one["link"]["partner"]["link"] = record_link(**one["link"]["partner"])
    return View(
        "story.html",
        f"{at[1]} {at[2]}",
        {"why": facts, "lives_on": None if lives_on is None else {**lives_on, "link": record_link(**lives_on)}},
        (*tables, _timeline(facts)),
    )


def _fields(one: dict[str, Any]) -> Table:
    """Both sides' values, whether they agree, and by which rule."""
    columns = (
        *(Column("field"), Column("marketing"), Column("sales"), Column("when both last agreed")),
        *(Column("verdict"), Column("why"), Column("rule", "code")),
    )
    rows = []
    for name, field in one["fields"].items():
        verdict = str(field.get("verdict", ""))
        base = field.get("base", {})
        rows.append(
            (
                cell(name),
                *(cell(words.shown(field.get(side)) if side in field else "") for side in SIDES),
                cell(_base(field, base)),
                cell(verdict, tone=VERDICTS.get(verdict, "")),
                cell(field.get("reason", "")),
                cell(field["rule"].rpartition("/")[2], f"/mappings/{one['mapping']}#{field_anchor(name)}"),
            )
        )
    return Table(f"fields-{one['mapping']}", f"Fields, by {one['mapping']}", columns, rows, "No field is mapped.")


def field_anchor(name: str) -> str:
    """A field's place on its mapping's page."""
    return f"field-{name}"


def _base(field: dict[str, Any], base: dict[str, Any]) -> str:
    if not base:
        return ""
    if all(base[side] == field.get(side) for side in base):
        return "as now"
    told = ["not known" if value == {"unknown": True} else words.shown(value) or "blank" for value in base.values()]
    return told[0] if len(set(told)) == 1 else " | ".join(told)


def _timeline(facts: dict[str, Any]) -> Table:
    """Events that watches saw and the journal's entries, newest first."""
    lines: list[tuple[str, str, str, Cell, str]] = []
    for one in facts["mappings"]:
        for event in one["events"]:
            said = ", ".join(f"{name}: {words.shown(value)}" for name, value in event["values"].items())
            lines.append((event["at"], "seen", event["watch"], _name(event["record"]), said))
    for entry in facts["history"]:
        record = cell("") if entry["record"] is None else _name(entry["record"])
        lines.append((entry["at"], "done", entry["kind"], record, entry["said"]))
    seen: set[tuple[Any, ...]] = set()
    rows = []
    for at, by, kind, record, said in sorted(lines, key=lambda line: line[0], reverse=True):
        if (at, kind, record, said) in seen:
            continue
        seen.add((at, kind, record, said))
        rows.append((cell(at), cell(by, tone="quiet"), cell(kind), record, cell(said)))
    columns = (Column("at", "time"), Column("by"), Column("what"), Column("record", "code"), Column("said"))
    return Table("story", "What happened", columns, rows, "Nothing happened yet that was kept.")
