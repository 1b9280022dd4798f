"""Records: find somebody by e-mail, another match value, or a record's key.

Promise: only who is named exactly is found: there is no browsing through people.
"""

from __future__ import annotations

from typing import Any

from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Bad, Unmapped
from syncd.view.records import link as link_shape
from syncd.view.records import place
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.table import Column, Table, cell

MOST_FOUND = 50
SHORTEST = 2


def search(asked: Asked) -> View:
    """Filter: q (an e-mail, another match value, or a record's key)."""
    wanted = (asked.filter("q") or "").strip()
    found = _find(asked, wanted) if len(wanted) >= SHORTEST else []
    columns = (Column("record"), Column("mapping"), Column("found by"), Column("linked with"))
    rows = []
    for record, mapping, rule, partner in found:
        rows.append(
            (
                asked.names.cell(record),
                cell(mapping),
                cell(rule),
                cell("no partner") if partner is None else asked.names.cell(partner),
            )
        )
    empty = f"Nobody and nothing is known by “{wanted}”." if wanted else "Say whom you look for."
    table = Table("found", "Found", columns, rows, empty)
    recent = [] if wanted else [link_shape(asked.ledger, one) for one in asked.ledger.links.newest(10)]
    examples = Table(
        "recent",
        "Linked last",
        (Column("mapping"), Column("marketing"), Column("sales"), Column("how")),
        [
            (
                cell(one["mapping"]),
                asked.names.cell(one["marketing"]),
                asked.names.cell(one["crm"]),
                cell(one["how"], text=one["how"].replace("crm", "sales")),
            )
            for one in recent
        ],
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


def field_anchor(name: str) -> str:
    """A field's place on its mapping's page."""
    return f"field-{name}"


def owner_of(asked: Asked, system: str, key: str) -> str | None:
    """An owner's address, by the system's own directory."""
    connected = asked.systems().get(system)
    directory = connected.connector.traits.owners if connected else None
    if directory is None:
        return None
    fact = asked.ledger.facts.get(asked.ledger.facts.object_id(system, directory.object), key)
    return None if fact is None else words.shown(fact.attributes.get(directory.email)) or None
