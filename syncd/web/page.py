"""What a page is: a question with filters in, facts and tables out.

Promise: a page is a plain function over the ledger; it knows no HTTP, so the same facts make HTML, CSV and tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from syncd.assembly import Connected
from syncd.files import Files
from syncd.ledger import Ledger
from syncd.web.naming import Names
from syncd.web.table import Cell, Table

LIMIT = 200
"""Rows of a table, unless the address says otherwise."""
MOST = 1_000
"""Rows of a table on a page, whatever the address says; a CSV holds all."""


Row = tuple[Cell, ...]


class NotFound(Exception):
    """There is no such thing. The message is shown."""


@dataclass(frozen=True)
class Asked:
    """What was asked for. `given`: filters of the address. `path`: what the address itself names."""

    ledger: Ledger
    files: Files
    now: float
    given: Mapping[str, str]
    path: Mapping[str, str]
    systems: Callable[[], dict[str, Connected]]
    whole: bool = False
    """A CSV: everything that fits the filters."""

    @cached_property
    def names(self) -> Names:
        """What people call records."""
        return Names(self.ledger, self.files.mappings, asked=not self.whole)

    def filter(self, name: str) -> str | None:
        """A filter of the address; None where it is absent or empty."""
        return self.given.get(name) or None

    def limit(self) -> int:
        """How many rows are asked for."""
        if self.whole:
            return MOST
        text = self.given.get("limit", "")
        return min(max(int(text), 1), MOST) if text.isdecimal() and len(text) < 9 else LIMIT

    def shown(self, rows: Iterable[Row]) -> list[Row]:
        """As many rows as are asked for; none for a CSV, which reads them itself."""
        return [] if self.whole else list(islice(rows, self.limit()))

    def all(self, rows: Iterable[Row]) -> Iterable[Row] | None:
        """Every row, for a CSV."""
        return rows if self.whole else None

    def count(self, name: str) -> int | None:
        """A filter that is a number; None where it is none."""
        text = self.given.get(name, "")
        return int(text) if text.isdecimal() and len(text) < 16 else None


@dataclass(frozen=True)
class View:
    """What a page shows. `facts`: what its template needs beside the tables."""

    template: str
    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()

    def table(self, name: str) -> Table | None:
        """One of its tables."""
        return next((one for one in self.tables if one.name == name), None)


Page = Callable[[Asked], View]
