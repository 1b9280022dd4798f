"""Rows for people: cells with a link and a tone, the same rows as CSV.

Promise: a CSV opens in a spreadsheet without running anything: text that begins like a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from syncd.web.words import shown

Kind = Literal["text", "number", "time", "code"]
Tone = Literal["", "good", "warn", "bad", "quiet"]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")


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


def cell(value: Any, link: str | None = None, tone: Tone = "", text: str | None = None) -> Cell:
    """A cell; None is shown as unknown."""
    return Cell(value, link, tone, text)


def as_csv(table: Table) -> str:
    """With a header line; by the rules of RFC 4180."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([harmless(column.name) for column in table.columns])
    for row in table.rows:
        writer.writerow([harmless(one.value) for one in row])
    return out.getvalue()


def harmless(value: Any) -> str:
    """A value as a spreadsheet may see it. Numbers stay numbers; text never becomes a formula."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = shown(value)
        return f"'{text}" if text.startswith(FORMULA) else text
    return str(value)
