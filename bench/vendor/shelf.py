"""The records of one vendor: N numbered people, their stamps, and what was edited since. It knows no wire format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

BASE_MS = 1_790_000_000_000
"""The stamp of record 0."""
SPAN_MS = 200_000_000
"""The stamps of all records are spread over so long, in the order of their numbers."""


class Shelf:
    """Record `i` is the same person on both vendors. `grain_ms`: how fine stamps are."""

    def __init__(self, records: int, *, grain_ms: int) -> None:
        self.records = records
        self.grain_ms = grain_ms
        self.edits: dict[int, dict[str, Any]] = {}
        self.version = 0
        """Rises with every edit: what was rendered before is old."""
        self._stamps: dict[int, int] = {}
        self._newest = records - 1
        self._now_ms = BASE_MS + SPAN_MS + 60_000

    def tick(self) -> int:
        """The next second: the stamp of whatever happens now."""
        self._now_ms += 1000
        return self._now_ms

    def stamp_ms(self, i: int) -> int:
        edited = self._stamps.get(i)
        if edited is not None:
            return edited
        return BASE_MS + i * (SPAN_MS // self.grain_ms) // self.records * self.grain_ms

    def edit(self, i: int, values: Mapping[str, Any], stamp_ms: int) -> None:
        self.edits.setdefault(i, {}).update(values)
        self._stamps[i] = stamp_ms // self.grain_ms * self.grain_ms
        self._newest = i
        self.version += 1

    def newest(self) -> int:
        """The number of a record with the newest stamp."""
        return self._newest

    def since(self, since_ms: int, until_ms: int | None = None) -> Sequence[int]:
        """The numbers of records with a stamp in the range, both ends included, in the order of numbers."""
        if since_ms <= BASE_MS and until_ms is None:
            return range(self.records)
        start = max(0, (since_ms - BASE_MS) * self.records // SPAN_MS - 2) if since_ms > BASE_MS else 0
        near = {*range(min(start, self.records), self.records), *self._stamps}
        most_ms = 1 << 62 if until_ms is None else until_ms
        return sorted(i for i in near if since_ms <= self.stamp_ms(i) <= most_ms)

    def by_stamp(self, since_ms: int) -> Sequence[int]:
        """The same, oldest stamp first."""
        found = self.since(since_ms)
        return sorted(found, key=self.stamp_ms) if self._stamps else found


def iso(stamp_ms: int) -> str:
    """`2026-09-21T14:13:20.000Z`"""
    return datetime.fromtimestamp(stamp_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp_ms % 1000:03d}Z"
