"""Query results in pages: a locator remembers which rows, and where the next page begins.

Promise: a page ends where the server likes; only `done` tells the end. Locators that were never given out, or are too
old, are refused. Contract sections 4.1 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.soql.results import Result
from connectors.salesforce.sandbox.store import Row

MAX_PAGE = 2_000
MIN_PAGE = 200
SMALL_PAGE_SHARE = 0.2


@dataclass
class _Cursor:
    result: Result
    with_deleted: bool
    size: int
    made_ms: int
    offsets: set[int] = field(default_factory=set)


class Cursors:
    """All open locators of the org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._open: dict[str, _Cursor] = {}

    def first_page(self, result: Result, with_deleted: bool, size: int, version: str) -> dict[str, Any]:
        """The first page of a result."""
        if result.aggregates is not None:
            return {"totalSize": result.total, "done": True, "records": result.aggregates}
        heavy = sum(1 for column in result.columns if column.found.field.long_text and column.found.field.custom)
        cursor = _Cursor(result, with_deleted, MIN_PAGE if heavy >= 2 else size, self._org.clock.now_ms())
        return self._page("", cursor, 0, version)

    def next_page(self, locator: str, version: str) -> dict[str, Any]:
        """The page of a nextRecordsUrl's last part. Refused: INVALID_QUERY_LOCATOR."""
        name, _, offset = locator.partition("-")
        cursor = self._open.get(name)
        life_ms = self._org.switches.locator_life_s * 1000
        if cursor is None or not offset.isdigit() or int(offset) not in cursor.offsets:
            raise _invalid()
        if self._org.clock.now_ms() - cursor.made_ms > life_ms:
            del self._open[name]
            raise _invalid()
        if self._org.switches.locator_once:
            cursor.offsets.discard(int(offset))
        return self._page(name, cursor, int(offset), version)

    def forget_all(self) -> int:
        """Ends every cursor; how many there were."""
        count = len(self._open)
        self._open.clear()
        return count

    def _page(self, name: str, cursor: _Cursor, start: int, version: str) -> dict[str, Any]:
        rows = cursor.result.rows
        end = start + self._size(cursor.size)
        show = cursor.result.printer(version)
        body: dict[str, Any] = {"totalSize": cursor.result.total, "done": end >= len(rows)}
        if end < len(rows):
            if not name:
                name = self._org.mint.new("0r8")
                self._open[name] = cursor
            cursor.offsets.add(end)
            body["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{end}"
        body["records"] = [show(row) for row in self._live(cursor, rows[start:end])]
        return body

    def _size(self, asked: int) -> int:
        chance = self._org.chance
        asked = min(asked, self._org.switches.page_rows)
        if asked < MIN_PAGE:
            return asked
        if self._org.switches.random_pages and chance.random() < SMALL_PAGE_SHARE:
            return chance.randint(MIN_PAGE, asked)
        return asked

    def _live(self, cursor: _Cursor, rows: list[Row]) -> list[Row]:
        """The rows as they are at page time: a cursor remembers ids only (unverified, hence a switch)."""
        if not self._org.switches.locator_live:
            return rows
        held = self._org.table(cursor.result.scope.kind.name).rows
        now = (held.get(row["Id"]) for row in rows)
        return [
            row
            for row in now
            if row is not None
            and (cursor.with_deleted or not row.get("IsDeleted"))
            and row["Id"] not in self._org.hidden
        ]


def _invalid() -> Refusal:
    return Refusal.one("INVALID_QUERY_LOCATOR", "invalid query locator")
