"""What each object looked like when its system described it last, and what it looked like when a person last agreed.

Promise: a description that did not change costs one small write an interval, and is decoded once a process. It does not
judge what a change means: `core.drift` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import xxhash

from syncd.ledger.store import Store


class Attribute(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """As much of an attribute as a mapping depends on. Lengths in characters; 0: not limited."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    creatable: bool = True
    updatable: bool = True
    required: bool = False
    instead: tuple[str, ...] = ()
    unique: bool = False
    restricted: bool = False
    options: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()


class Schema(msgspec.Struct, frozen=True):
    """An object as it was described, by attribute name."""

    object: str
    attributes: dict[str, Attribute]

    @classmethod
    def of(cls, schema: Any) -> Schema:
        """The part of a connector's schema that is kept."""
        kept = (msgspec.convert(each, Attribute, from_attributes=True) for each in schema.attributes.values())
        return cls(schema.object, {each.name: each for each in sorted(kept, key=lambda each: each.name)})


class Description(msgspec.Struct, frozen=True):
    """`lost`: why the object cannot be described any more; empty: it can. `now` is what it looked like last, `was` what
    somebody agreed with (at first: the same)."""

    at: float
    lost: str
    now: Schema
    was: Schema


class Described:
    """The described table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._decoded: dict[int, Schema] = {}
        """By hash of its text."""

    def get(self, object: int) -> Description | None:
        """What is known of an object; None: it was never described."""
        row = self._store.row("SELECT at, lost, now_hash, was_hash FROM described WHERE object = ?", (object,))
        if row is None:
            return None
        at, lost, now, was = row
        return Description(at, lost, self._schema(object, "now", now), self._schema(object, "was", was))

    def at(self, object: int) -> float | None:
        """When it was described last; None: never."""
        row = self._store.row("SELECT at FROM described WHERE object = ?", (object,))
        return float(row[0]) if row else None

    def keep(self, object: int, schema: Schema, at: float) -> bool:
        """Keeps a description; returns whether it is another one than before."""
        text = msgspec.json.encode(schema)
        hash_ = _hash(text)
        row = self._store.row("SELECT now_hash FROM described WHERE object = ?", (object,))
        with self._store.transaction() as t:
            if row is not None and row[0] == hash_:
                t.execute("UPDATE described SET at = ?, lost = '' WHERE object = ?", (at, object))
                return False
            t.execute(
                "INSERT INTO described (object, at, now_hash, now, was_hash, was) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (object) DO UPDATE SET at = excluded.at, lost = '', now_hash = excluded.now_hash,"
                " now = excluded.now",
                (object, at, hash_, text, hash_, text),
            )
        return row is not None

    def lose(self, object: int, name: str, why: str, at: float) -> None:
        """The object cannot be described any more, or never could."""
        empty = msgspec.json.encode(Schema(name, {}))
        hash_ = _hash(empty)
        with self._store.transaction() as t:
            t.execute(
                "INSERT INTO described (object, at, lost, now_hash, now, was_hash, was) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (object) DO UPDATE SET at = excluded.at, lost = excluded.lost",
                (object, at, why, hash_, empty, hash_, empty),
            )

    def stale(self, object: int, before: float) -> None:
        """It is to be described again at the next look, unless it was described since `before`."""
        with self._store.transaction() as t:
            t.execute("UPDATE described SET at = 0 WHERE object = ? AND at < ?", (object, before))

    def agree(self, object: int, attributes: Sequence[str] | None = None) -> None:
        """Somebody agrees with what these attributes look like now (None: all of them)."""
        known = self.get(object)
        if known is None or known.was == known.now:
            return
        agreed = dict(known.now.attributes)
        if attributes is not None:
            agreed = _with(known.was.attributes, known.now.attributes, attributes)
        text = msgspec.json.encode(Schema(known.now.object, agreed))
        with self._store.transaction() as t:
            t.execute("UPDATE described SET was_hash = ?, was = ? WHERE object = ?", (_hash(text), text, object))

    def _schema(self, object: int, which: str, hash_: int) -> Schema:
        found = self._decoded.get(hash_)
        if found is None:
            row = self._store.row(f"SELECT {which} FROM described WHERE object = ?", (object,))
            assert row is not None
            found = self._decoded[hash_] = msgspec.json.decode(row[0], type=Schema)
        return found


def _with(was: Mapping[str, Attribute], now: Mapping[str, Attribute], names: Sequence[str]) -> dict[str, Attribute]:
    rest = {name: each for name, each in was.items() if name not in names}
    return dict(sorted({**rest, **{name: now[name] for name in names if name in now}}.items()))


def _hash(text: bytes) -> int:
    return xxhash.xxh3_64_intdigest(text) - 0x8000000000000000
