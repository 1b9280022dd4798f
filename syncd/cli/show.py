"""Facts on standard output: JSON for programs, tables for people.

Promise: a person's value never reaches a terminal raw: control and other invisible characters are written as escapes.
It decides nothing about what is shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

LONGEST = 60
"""Characters of one value in a table."""


def printable_lines(text: str) -> str:
    """Text of several lines, each of them harmless to a terminal."""
    return "\n".join(map(printable, text.split("\n")))


def printable(text: str) -> str:
    """One line, harmless to a terminal."""
    if text.isprintable():
        return text  # nearly always; the rest of `events` costs a quarter of a command's time to import
    from syncd import events

    return events.printable(text)


def counted(count: int, one: str, many: str) -> str:
    """`1 issue waits`, `2 issues wait`."""
    return f"{count} {one if count == 1 else many}"


def as_json(facts: Any, stream: TextIO | None = None) -> None:
    """One JSON value: indented on a terminal, one line elsewhere. Control characters are escaped by JSON itself."""
    import orjson

    stream = stream or sys.stdout
    option = orjson.OPT_INDENT_2 if stream.isatty() else 0
    text = orjson.dumps(facts, option=option | orjson.OPT_NON_STR_KEYS).decode()
    stream.write("\n".join(map(_harmless, text.split("\n"))) + "\n")


def _harmless(text: str) -> str:
    """JSON leaves 0x7f and the second control block as they are, and a terminal would obey them: escaped as well."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def as_json_stream(lists: Mapping[str, Iterable[Any]], tail: dict[str, Any], stream: TextIO | None = None) -> None:
    """`{NAME: [rows...], ..., **tail}`, written a row at a time: a plan of a million effects is never in memory."""
    import orjson

    stream = stream or sys.stdout
    for number, (name, rows) in enumerate(lists.items()):
        stream.write(f'{"," if number else "{"}"{name}":[')
        for at, row in enumerate(rows):
            stream.write((",\n" if at else "\n") + _harmless(orjson.dumps(row).decode()))
        stream.write("]")
    rest = _harmless(orjson.dumps(tail).decode())
    stream.write(("," + rest[1:] if tail else "}") + "\n")


def value(raw: Any) -> str:
    """One value for people: blank is told from text, long text is cut."""
    if raw is None:
        return "(blank)"
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    text = printable("; ".join(map(str, raw)) if isinstance(raw, list) else str(raw))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def when(at: float | None) -> str:
    """Epoch seconds as people read them, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at is not None else "never"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], stream: TextIO | None = None) -> None:
    """A table: as wide as the terminal, or in aligned columns where there is none."""
    stream = stream or sys.stdout
    shown = [[printable_lines(cell) for cell in row] for row in rows]
    if stream.isatty():
        _on_terminal(columns, shown, stream)
    else:
        for line in _aligned(columns, shown):
            stream.write(line + "\n")


def _on_terminal(columns: Sequence[str], rows: Sequence[Sequence[str]], stream: TextIO) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, highlight=False)
    for column in columns:
        grid.add_column(Text(column), overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    Console(file=stream, highlight=False, markup=False).print(grid)


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def line(text: str = "", stream: TextIO | None = None) -> None:
    """One line of facts."""
    (stream or sys.stdout).write(printable_lines(text) + "\n")
