"""What people call a record: its name as the mappings know it, beside the key that only systems know.

Promise: a name is read from the ledger's facts by the mapping's own fields (`name`; else `first_name` and `last_name`;
else what records recognise each other by, a record that is referred to by its own name); who was forgotten, or was never
seen, has none. It calls no system.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.assembly import Mappings
from syncd.core.mapping import Mapping as Compiled
from syncd.core.mapping import Reference
from syncd.core.model import SIDES, Side
from syncd.ledger import Ledger
from syncd.web import words
from syncd.web.render import record_link
from syncd.web.table import Cell, Tone, cell

WHOLE = "name"
PARTS = ("first_name", "last_name")
LONGEST = 60

Record = Mapping[str, Any]
"""A record's `system`, `object` and `key`."""


class Names:
    """Names of records, each looked up once. `asked`: False for a CSV, which tells keys only."""

    def __init__(self, ledger: Ledger, mappings: Mappings, *, asked: bool = True) -> None:
        self._ledger = ledger
        self._asked = asked
        self._mappings = mappings
        self._ends = {
            (mapping.end(side).system, form): (mapping, side)
            for mapping in mappings.by_name.values()
            for side in SIDES
            for form in mapping.end(side).forms
        }
        self._known: dict[tuple[str, str, str], str | None] = {}

    def of(self, record: Record) -> str | None:
        """What people call it; None where nothing is known."""
        if not self._asked:
            return None
        at = (record["system"], record["object"], str(record["key"]))
        if at not in self._known:
            self._known[at] = None  # whoever refers to itself is asked once
            self._known[at] = self._read(*at)
        return self._known[at]

    def _read(self, system: str, object_: str, key: str) -> str | None:
        end = self._ends.get((system, object_))
        number = self._ledger.facts.object_id(system, object_) if end else 0
        fact = self._ledger.facts.get(number, key) if number else None
        return None if end is None or fact is None else self._name(*end, object_, fact.attributes)

    def _name(self, mapping: Compiled, side: Side, form: str, attributes: Mapping[str, Any]) -> str | None:
        def said(field: str) -> str:
            one = next((each for each in mapping.fields if each.name == field), None)
            name = one.attribute(side, form) if one is not None else None
            value = attributes.get(name) if name is not None else None
            referred = self._referred(one.reference, side, value) if one is not None and one.reference else None
            return referred or words.shown(value)

        found = said(WHOLE) or " ".join(part for part in map(said, PARTS) if part)
        if not found:
            rules = ([text for name in rule.fields if (text := said(name))] for rule in mapping.match)
            found = " · ".join(next(filter(None, rules), []))
        return found[:LONGEST] or None

    def _referred(self, reference: Reference, side: Side, key: Any) -> str | None:
        """The name of the record that a single reference points to."""
        parent = self._mappings.by_name.get(reference.mapping)
        if parent is None or not isinstance(key, str):
            return None
        end = parent.end(side)
        forms = reference.refers.get(side) or end.forms
        names = (self.of({"system": end.system, "object": form, "key": key}) for form in forms)
        return next(filter(None, names), None)

    def cell(self, record: Record | None, tone: Tone = "") -> Cell:
        """A record as a cell: its name, its place below, a link to its story; in a CSV its place."""
        if record is None or record["key"] is None:
            return cell("")
        place = f"{record['system']} {record['object']} {record['key']}"
        name = self.of(record)
        link = record_link(record["system"], record["object"], str(record["key"]))
        return cell(place, link, tone) if name is None else cell(place, link, tone, name, place)
