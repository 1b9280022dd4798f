"""CSV as Bulk API 2.0 reads and writes it. Contract section 9.1.

Promise: no kindness: names case-exact, the declared line ending must be the file's, spaces around quotes spoil a row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
MAX_CELL_CHARS = 131_072


class BadFile(Exception):
    """The whole file is refused; the text is the job's errorMessage."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A parsed file: header and rows of text."""

    header: tuple[str, ...]
    rows: list[list[str]]


def parsed(data: bytes, delimiter: str, line_ending: str) -> Sheet:
    """Parses an upload. BadFile."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile("InvalidBatch : Failed to decode the content as UTF-8") from None
    first_line = text.partition("\n")[0]
    if text.count("\n") and first_line.endswith("\r") is not (line_ending == "CRLF"):
        message = f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        raise BadFile(message)
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARS))
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter]) if row]
    except csv.Error:
        raise BadFile("ClientInputError : Failed to parse the content as CSV") from None
    if not lines:
        raise BadFile("InvalidBatch : Failed to read request. The CSV file is empty")
    header = tuple(lines[0])
    if len(set(header)) < len(header):
        raise BadFile("InvalidBatch : Field name appears more than once in the header")
    return Sheet(header, lines[1:])


def spoilt(cells: Sequence[str], width: int) -> str | None:
    """Why a row cannot be read; None when it can."""
    if len(cells) != width:
        return f"The number of columns in the row ({len(cells)}) is not that of the header ({width})"
    for cell in cells:
        if cell != cell.strip() and cell.strip().startswith('"'):
            return "Found a space beside a quoted value"
        if len(cell) > MAX_CELL_CHARS:
            return f"A cell has more than {MAX_CELL_CHARS} characters"
    return None


def written(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str, line_ending: str) -> bytes:
    """A file of results: every cell quoted. Nothing at all where not even the header is known."""
    if not header:
        return b""
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=DELIMITERS[delimiter], lineterminator=LINE_ENDINGS[line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
