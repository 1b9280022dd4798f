"""Rows, indexed the way queries ask for them, and a memory of what to undo.

A row is a dict of stored values; a field that is blank is absent. Rows are replaced and never changed in place, so
whoever holds one holds a snapshot. Promise: the stamp index and the value indexes always agree with the rows.
It knows nothing of rules, rights or time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from connectors.salesforce.sandbox.fields import Field, ObjectType

Row = dict[str, Any]


def fold(field: Field, value: Any) -> Any:
    """The form in which two values of a field are compared: text without case, unless the field minds it."""
    if isinstance(value, str) and not (field.case_sensitive or field.type in ("id", "reference")):
        return value.casefold()
    return value


class Table:
    """All rows of one object, deleted ones included."""

    def __init__(self, kind: ObjectType) -> None:
        self.name = kind.name
        self.rows: dict[str, Row] = {}
        self.by_stamp: list[tuple[int, str]] = []
        self._fields: dict[str, Field] = {}
        self._values: dict[str, dict[Any, list[str]]] = {}
        self.reindex(kind)

    def reindex(self, kind: ObjectType) -> None:
        """Builds the value indexes anew, after the schema changed."""
        self._fields = {field.name: field for field in kind.fields if field.indexed}
        self._values = {name: {} for name in self._fields}
        for row in self.rows.values():
            self._index(row)

    def load(self, rows: Iterable[Row]) -> None:
        """Adds many new rows at once."""
        for row in rows:
            self.rows[row["Id"]] = row
            self.by_stamp.append((row["SystemModstamp"], row["Id"]))
            self._index(row)
        self.by_stamp.sort()

    def put(self, row: Row) -> None:
        """Adds a row, or replaces the one with its id."""
        key, stamp = row["Id"], row["SystemModstamp"]
        old = self.rows.get(key)
        if old is not None:
            self._unindex(old, row)
        if old is None or old["SystemModstamp"] != stamp:
            if old is not None:
                self._forget_stamp(old)
            insort(self.by_stamp, (stamp, key))
        self.rows[key] = row
        self._index(row, old)

    def put_many(self, rows: Iterable[Row]) -> None:
        """Replaces many rows at once: sorts the stamps anew instead of moving each."""
        for row in rows:
            old = self.rows[row["Id"]]
            self._unindex(old, row)
            self.rows[row["Id"]] = row
            self._index(row, old)
        self.by_stamp = sorted((row["SystemModstamp"], key) for key, row in self.rows.items())

    def drop(self, key: str) -> None:
        """Removes a row for good."""
        old = self.rows.pop(key)
        self._forget_stamp(old)
        self._unindex(old, {})

    def indexes(self, name: str) -> bool:
        """Whether a field has a value index."""
        return name in self._values

    def find(self, name: str, value: Any) -> list[str]:
        """Ids of the rows that hold a value in an indexed field."""
        return self._values[name].get(fold(self._fields[name], value), [])

    def stamped(self, start_s: int | None, end_s: int | None) -> list[tuple[int, str]]:
        """(SystemModstamp, id) in order, from `start_s` on and before `end_s`."""
        low = 0 if start_s is None else bisect_left(self.by_stamp, (start_s, ""))
        high = len(self.by_stamp) if end_s is None else bisect_left(self.by_stamp, (end_s, ""))
        return self.by_stamp[low:high]

    def _forget_stamp(self, row: Row) -> None:
        del self.by_stamp[bisect_left(self.by_stamp, (row["SystemModstamp"], row["Id"]))]

    def _index(self, row: Row, old: Row | None = None) -> None:
        for name, field in self._fields.items():
            value = row.get(name)
            if value is not None and (old is None or old.get(name) != value):
                self._values[name].setdefault(fold(field, value), []).append(row["Id"])

    def _unindex(self, old: Row, new: Row) -> None:
        for name, field in self._fields.items():
            value = old.get(name)
            if value is not None and new.get(name) != value:
                keys = self._values[name][fold(field, value)]
                keys.remove(old["Id"])
                if not keys:
                    del self._values[name][fold(field, value)]


class Store:
    """All tables, and transactions over them."""

    def __init__(self, kinds: Iterable[ObjectType]) -> None:
        self.tables = {kind.name: Table(kind) for kind in kinds}
        self._undo: list[Callable[[], None]] | None = None

    def table(self, name: str) -> Table:
        """One object's rows."""
        return self.tables[name]

    def put(self, name: str, row: Row) -> None:
        """Writes a row, so that an open transaction can take it back."""
        table = self.tables[name]
        if self._undo is not None:
            old = table.rows.get(row["Id"])
            self._undo.append((lambda: table.drop(row["Id"])) if old is None else (lambda: table.put(old)))
        table.put(row)

    def put_many(self, name: str, rows: list[Row]) -> None:
        """Replaces many rows, likewise."""
        table = self.tables[name]
        if self._undo is not None:
            old = [table.rows[row["Id"]] for row in rows]
            self._undo.append(lambda: table.put_many(old))
        table.put_many(rows)

    def drop(self, name: str, key: str) -> None:
        """Removes a row, likewise."""
        table = self.tables[name]
        if self._undo is not None:
            old = table.rows[key]
            self._undo.append(lambda: table.put(old))
        table.drop(key)

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Yields a function that takes back everything written since; transactions nest."""
        mine: list[Callable[[], None]] = []
        outer = self._undo
        self._undo = mine

        def roll_back() -> None:
            self._undo = None
            while mine:
                mine.pop()()
            self._undo = mine

        try:
            yield roll_back
        finally:
            self._undo = outer
            if outer is not None:
                outer.extend(mine)
