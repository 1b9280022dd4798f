"""The floor: the same pages over one keep-alive connection, decoded, hashed, upserted into SQLite at FULL. Nothing else.

No cursor, no lookup, no links, no errors: what any engine must at least do to hold the records durably.
"""

from __future__ import annotations

import http.client
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import orjson
import xxhash


class _Row(msgspec.Struct):
    id: str
    updatedAt: str
    properties: dict[str, str | None]


class _Paging(msgspec.Struct):
    next: dict[str, str]


class _Contacts(msgspec.Struct):
    results: list[_Row]
    paging: _Paging | None = None


class _Leads(msgspec.Struct):
    done: bool
    records: list[dict[str, Any]]
    nextRecordsUrl: str = ""


COMMIT_RECORDS = 10_000


def pull(port: int, ledger: Path, contact_names: list[str], lead_names: list[str]) -> int:
    """Reads everything of both vendors into a fresh file; returns how many records."""
    wire = http.client.HTTPConnection("127.0.0.1", port)
    store = sqlite3.connect(ledger, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute("CREATE TABLE record (key TEXT PRIMARY KEY, hash INTEGER, stamp TEXT, doc BLOB)")
    upsert = "INSERT INTO record VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, doc = excluded.doc"
    dumps, digest = orjson.dumps, xxhash.xxh3_64_intdigest
    rows: list[tuple[Any, ...]] = []
    total = 0

    def keep(most: int) -> None:
        nonlocal total
        if len(rows) > most:
            store.execute("BEGIN")
            store.executemany(upsert, rows)
            store.execute("COMMIT")
            total += len(rows)
            rows.clear()

    def get(path: str) -> bytes:
        wire.request("GET", path)
        return wire.getresponse().read()

    contacts = msgspec.json.Decoder(_Contacts)
    after = ""
    while True:
        page = contacts.decode(
            get(f"/crm/objects/2026-09/contacts?limit=100&properties={','.join(contact_names)}&after={after}")
        )
        for row in page.results:
            said = row.properties
            document = dumps({name: said[name] for name in contact_names if name in said})
            rows.append((row.id, digest(document) - (1 << 63), row.updatedAt, document))
        keep(COMMIT_RECORDS)
        if page.paging is None:
            break
        after = page.paging.next["after"]
    leads = msgspec.json.Decoder(_Leads)
    soql = f"SELECT Id, SystemModstamp, {', '.join(lead_names)} FROM Lead ORDER BY SystemModstamp, Id"
    path = f"/services/data/v67.0/queryAll?q={quote(soql)}"
    while True:
        batch = leads.decode(get(path))
        for lead in batch.records:
            document = dumps({name: lead[name] for name in lead_names})
            rows.append((lead["Id"], digest(document) - (1 << 63), lead["SystemModstamp"], document))
        keep(COMMIT_RECORDS)
        if batch.done:
            break
        path = batch.nextRecordsUrl
    keep(0)
    store.close()
    return total
