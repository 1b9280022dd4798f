"""The values a store is made of: one record, one mark of its history, one line of each of its logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from syncd.connector import Key


@dataclass(frozen=True, slots=True)
class Mark:
    """One value that an attribute had: when it came, and who wrote it."""

    value: Any
    at_ms: int
    by: str


@dataclass(slots=True)
class Item:
    """One record as the store keeps it. `values` names every attribute of its kind; None is blank."""

    object: str
    key: Key
    values: dict[str, Any]
    created_ms: int
    stamp_ms: int
    by: str
    state: Literal["live", "gone", "merged", "converted", "purged"] = "live"
    into: tuple[str, Key] | None = None
    hidden: bool = False
    """Out of our credentials' sight: no read shows it."""
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    """Each attribute's values, newest first."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change log: that something about the record changed, not what."""

    seq: int
    object: str
    key: Key
    at_ms: int
    stamp_ms: int
    """The record's stamp after it."""


@dataclass(frozen=True, slots=True)
class Write:
    """One effect that was applied, as it arrived through the connector. `values` as they were sent."""

    at_ms: int
    object: str
    op: Literal["create", "update", "archive"]
    key: Key
    ref: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a remote would count it: the connector's method, and how many records it was about."""

    at_ms: int
    method: str
    object: str | None
    count: int
