"""Records as answers show them (contract section 3).

Promise: an answer holds the asked properties that are defined, the id and the two stamps, and nothing else. A name
that is unknown is silently missing; a value that is empty is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.hubspot.sandbox.index import Doc
from connectors.hubspot.sandbox.portal import PORTAL_ID, Portal, Table
from connectors.hubspot.sandbox.records import Record
from connectors.hubspot.sandbox.values import iso


def names(table: Table, wanted: Sequence[str] | None) -> list[str]:
    """The properties that an answer will show: asked (or default) and defined, plus id and stamps."""
    kind = table.kind
    asked = kind.defaults if not wanted else [*wanted, "hs_object_id", kind.created, kind.modified]
    return [
        name
        for name in dict.fromkeys(asked)
        if (definition := table.definitions.get(name)) is not None and not definition["archived"]
    ]


def show(
    portal: Portal,
    table: Table,
    record: Record,
    shown: Sequence[str],
    history: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A record with the properties `shown` (see `names`)."""
    values = record.values if values is None else values
    if portal.switches.cleared_reads_as == "empty":
        properties: dict[str, str | None] = {
            name: values.get(name, "" if name in record.changes else None) for name in shown
        }
    else:
        properties = {name: values.get(name) for name in shown}
    body: dict[str, Any] = {
        "id": record.id,
        "properties": properties,
        "createdAt": iso(record.created_ms),
        "updatedAt": values.get(table.kind.modified, iso(record.modified_ms)),
        "archived": record.archived_ms is not None,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{table.kind.type_id}/{record.id}",
    }
    if record.archived_ms is not None:
        body["archivedAt"] = iso(record.archived_ms)
    if history:
        body["propertiesWithHistory"] = {
            name: [version.to_json() for version in record.versions(name)]
            for name in history
            if name in table.definitions
        }
    return body


def show_doc(table: Table, doc: Doc, shown: Sequence[str]) -> dict[str, Any]:
    """A record as the search index remembers it."""
    return {
        "id": str(doc.id),
        "properties": {name: doc.values.get(name) for name in shown},
        "createdAt": iso(doc.created_ms),
        "updatedAt": iso(doc.modified_ms),
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{table.kind.type_id}/{doc.id}",
    }


def embedded(portal: Portal, table: Table, record: Record, ends: Sequence[str]) -> dict[str, Any]:
    """The `associations` of a GET: an id once for each type, named in the old way, at most a hundred."""
    found: dict[str, Any] = {}
    for end in ends:
        kind = portal.tables[end].kind
        results = []
        for end_id, types in portal.associations.of(table.kind.name, record.id, end):
            for one in types:
                suffix = "" if one.label == "Primary" else "_unlabeled" if len(types) > 1 else ""
                results.append({"id": end_id, "type": f"{table.kind.singular}_to_{kind.singular}{suffix}"})
        if results:
            found[end] = {"results": results[:100]}
    return found
