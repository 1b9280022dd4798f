"""What a parsed statement is made of. Plain values; nothing here knows the schema."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps through parents: `Owner.Email`."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """COUNT(), COUNT(f), COUNT_DISTINCT, MIN, MAX, SUM, AVG."""

    name: str
    path: Path | None
    at: int


@dataclass(frozen=True, slots=True)
class AllFields:
    """FIELDS(ALL | STANDARD | CUSTOM)."""

    which: str
    at: int


@dataclass(frozen=True, slots=True)
class Column:
    """One item of the SELECT list."""

    what: Path | Aggregate | AllFields
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, number, boolean, null, date, datetime, relative. `count` is the n of LAST_N_DAYS:n."""

    kind: str
    text: str
    at: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Compare:
    """`op`: = != < <= > >= LIKE."""

    path: Path
    op: str
    value: Literal
    at: int


@dataclass(frozen=True, slots=True)
class Among:
    """IN, NOT IN, INCLUDES, EXCLUDES over literals."""

    path: Path
    op: str
    values: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """[NOT] IN (SELECT field FROM ...)."""

    path: Path
    negated: bool
    query: Query
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """NOT condition."""

    item: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """AND over several."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """OR over several."""

    items: tuple[Condition, ...]


Condition = Compare | Among | SemiJoin | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT statement. `text` is what it was parsed from, for pictures in errors."""

    text: str
    columns: tuple[Column, ...]
    object: str
    object_at: int
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
