"""Tables as CSV that a spreadsheet cannot be made to run: the one writer behind commands, pages and digests.

Promise: RFC 4180, with a line of names. Text that a spreadsheet would take for a formula is told to be text by an
apostrophe; numbers stay numbers, also where they are written as text (`-12.50`). Unknown is an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
"""What a cell may not begin with, spaces aside: spreadsheets run it."""
LINES = 500
"""Lines of a part."""


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table as text."""
    return "".join(parts(columns, rows))


def parts(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The same, some hundred lines at a time, so that a table of any length passes through."""
    lines = iter(rows)
    ahead: list[Sequence[Any]] = [columns]
    while ahead:
        out = io.StringIO()
        csv.writer(out).writerows([harmless(value) for value in row] for row in ahead)
        yield out.getvalue()
        ahead = list(islice(lines, LINES))


def harmless(value: Any) -> str:
    """A value as a spreadsheet may see it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if isinstance(value, int | float) or _is_number(text):
        return text
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").replace(".", "", 1).isdigit()
