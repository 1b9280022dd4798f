"""Rows for people: cells with a link and a tone, the same rows as CSV.

Promise: what a page shows and what its CSV holds are the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from syncd.view import sheet
from syncd.web.words import shown

Kind = Literal["text", "number", "time", "code"]
Tone = Literal["", "good", "warn", "bad", "quiet"]


class Line(NamedTuple):
    """A line of a list of facts: what about, and what is so."""

    what: str
    value: Any
    kind: Kind = "text"


class Column(NamedTuple):
    """`hint`: what the column means, where its name does not say it."""

    name: str
    kind: Kind = "text"
    hint: str = ""


class Cell(NamedTuple):
    """`value`: what a CSV gets, and what is shown unless `text` says it for people."""

    value: Any
    link: str | None = None
    tone: Tone = ""
    text: str | None = None
    below: str = ""
    """A second, smaller line for people."""


class Act(NamedTuple):
    """A button: the deed, what it says, what it says to who cannot see the row, and its form."""

    kind: str
    words: str
    whole: str
    form: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """`empty`: the sentence in place of no rows. `total`: how many there are where not all are shown."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str
    total: int | None = None
    about: str = ""
    anchors: Sequence[str] = ()
    """By row: its place in the page, for links that point at it."""
    acts: Sequence[Act | None] = ()
    """By row: the button for who may operate; no part of the CSV."""
    every: Iterable[Sequence[Cell]] | None = None
    """For a CSV of a long table: all rows, read while they are written; `rows` is empty then."""


def cell(value: Any, link: str | None = None, tone: Tone = "", text: str | None = None, below: str = "") -> Cell:
    """A cell; None is shown as unknown."""
    return Cell(value, link, tone, text, below)


def csv_parts(table: Table) -> Iterator[str]:
    """As CSV with a header line, a part at a time; see `syncd.view.sheet`."""
    rows = ([_plain(one.value) for one in row] for row in (table.rows if table.every is None else table.every))
    return sheet.parts([column.name for column in table.columns], rows)


def _plain(value: Any) -> Any:
    """Numbers as they are, everything else as people see it."""
    return value if isinstance(value, int | float) else shown(value)
