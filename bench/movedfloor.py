"""The floor of a moved record: what must at least be durable between an edit and its settling, in bare SQLite.

The fact is rewritten; the intent is kept before its call leaves; the answer's fact, both bases and a journal line are
kept after it. Three commits for a whole batch, every statement by row number, nothing decided, nothing checked: no
engine that keeps its word can cost less on this machine.
"""

from __future__ import annotations

import sqlite3
import time
from hashlib import sha256
from pathlib import Path

import orjson

ROUNDS = 6
ATTRIBUTES = 18
_DOCUMENT = orjson.dumps({f"attribute_{n}": f"a value of {n}" for n in range(ATTRIBUTES)})
_CHANGES = orjson.dumps(
    [{"field": "title", "attribute": "Title", "before": "a", "after": "b", "why": "marketing moved"}]
)

_TABLES = """
CREATE TABLE fact (id INTEGER PRIMARY KEY, object INTEGER, key TEXT, hash INTEGER, doc BLOB, UNIQUE (object, key));
CREATE TABLE link (id INTEGER PRIMARY KEY, marketing INTEGER, crm INTEGER, base_marketing BLOB, base_crm BLOB);
CREATE UNIQUE INDEX link_marketing ON link (marketing);
CREATE UNIQUE INDEX link_crm ON link (crm);
CREATE TABLE intent (id INTEGER PRIMARY KEY, link INTEGER, state TEXT, body BLOB);
CREATE TABLE journal (seq INTEGER PRIMARY KEY, object INTEGER, key TEXT, said TEXT, doc BLOB, hash BLOB);
CREATE INDEX journal_record ON journal (object, key);
"""


def cost_us(records: int, every: int, ledger: Path) -> float:
    """CPU microseconds a moved record, where one in `every` of `records` a side moves: the median of some rounds."""
    store = _filled(records, ledger)
    spent = []
    for first in range(ROUNDS):
        moved = range(first, records, every)
        begun = time.process_time()
        _settle(store, [f"{number:020}" for number in moved])
        spent.append((time.process_time() - begun) / len(moved) * 1e6)
    store.close()
    return sorted(spent)[ROUNDS // 2]


def _filled(records: int, ledger: Path) -> sqlite3.Connection:
    store = sqlite3.connect(ledger, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.execute("PRAGMA wal_autocheckpoint = 4000")
    store.execute("PRAGMA cache_size = -8192")
    store.executescript(_TABLES)
    store.execute("BEGIN")
    for object_ in (0, 1):
        rows = ((object_, f"{number:020}", _DOCUMENT) for number in range(records))
        store.executemany("INSERT INTO fact (object, key, hash, doc) VALUES (?, ?, 0, ?)", rows)
    ends = ((number + 1, records + number + 1, _DOCUMENT, _DOCUMENT) for number in range(records))
    store.executemany("INSERT INTO link (marketing, crm, base_marketing, base_crm) VALUES (?, ?, ?, ?)", ends)
    lines = ((f"{number:020}", _CHANGES, sha256(_CHANGES).digest()) for number in range(records))
    store.executemany("INSERT INTO journal (object, key, said, doc, hash) VALUES (0, ?, 'linked', ?, ?)", lines)
    store.execute("COMMIT")
    return store


def _settle(store: sqlite3.Connection, keys: list[str]) -> None:
    """One batch, from facts to settled."""
    store.execute("BEGIN IMMEDIATE")
    found = store.execute(
        "SELECT f.id FROM json_each(?) j CROSS JOIN fact f ON f.object = 0 AND f.key = j.value",
        (orjson.dumps(keys).decode(),),
    ).fetchall()
    store.executemany("UPDATE fact SET hash = hash + 1, doc = ? WHERE id = ?", [(_DOCUMENT, id_) for (id_,) in found])
    store.execute("COMMIT")
    store.execute("BEGIN IMMEDIATE")
    rows = store.execute(
        "SELECT l.id, c.id, c.key, m.doc, c.doc, l.base_marketing, l.base_crm FROM json_each(?) j"
        " CROSS JOIN link l ON l.marketing = j.value CROSS JOIN fact m ON m.id = l.marketing"
        " CROSS JOIN fact c ON c.id = l.crm",
        (orjson.dumps([id_ for (id_,) in found]).decode(),),
    ).fetchall()
    store.executemany(
        "INSERT INTO intent (link, state, body) VALUES (?, 'sent', ?)", [(link, _CHANGES) for link, *_ in rows]
    )
    store.execute("COMMIT")
    store.execute("BEGIN IMMEDIATE")
    store.executemany("UPDATE fact SET hash = hash + 1, doc = ? WHERE id = ?", [(_DOCUMENT, row[1]) for row in rows])
    bases = [(_DOCUMENT, _DOCUMENT, row[0]) for row in rows]
    store.executemany("UPDATE link SET base_marketing = ?, base_crm = ? WHERE id = ?", bases)
    lines = [(row[2], _CHANGES, sha256(_CHANGES).digest()) for row in rows]
    store.executemany("INSERT INTO journal (object, key, said, doc, hash) VALUES (1, ?, 'update', ?, ?)", lines)
    store.execute("DELETE FROM intent")
    store.execute("COMMIT")
