"""Tables: what is written as CSV is read back cell by cell and runs nowhere; what is read as CSV is rows or refused."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce.sandbox.bulk_csv import DELIMITERS, LINE_ENDINGS, BadFile, parsed, spoilt
from syncd.view.sheet import FORMULA, as_csv
from tests.fuzz.damage import seeds, tries

CELL: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=12),
    st.sampled_from(
        ["=1+1", " =x", "-1.50", "- 1", "+49 30", "@x", "\t=x", "a\r\nb", '"', ",", "|cmd", "-", "", "\x00"]
    ),
)
GOOD = 'Id,Name,City\r\n1,"Ann, or ""A""",Berlin\r\n2,"two\nlines",\r\n'
PIECES = (b'"', b",", b"\n", b"\r\n", b"\x00", b"\xff\xfe", b'""', b"\xef\xbb\xbf", b"a" * 200_000, b" ", b";")


@given(columns=st.lists(st.text(max_size=8), min_size=1, max_size=4), data=st.data())
@tries(150)
def test_every_cell_is_read_back_and_none_is_a_formula(columns: list[str], data: st.DataObject) -> None:
    """Whatever a table holds: as many rows and cells as it had, and nothing that a spreadsheet runs."""
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(columns), max_size=len(columns)), max_size=4))
    found = list(csv.reader(io.StringIO(as_csv(columns, rows), newline="")))

    assert [len(cells) for cells in found if cells] == [len(columns)] * (1 + len(rows))
    for cell in (cell for cells in found for cell in cells):
        begins = cell.lstrip(" ").startswith(FORMULA)
        assert not begins or cell.removeprefix("-").replace(".", "", 1).isdigit(), cell


def test_damaged_tables_are_read_or_refused() -> None:
    """Pieces cut out, doubled, put in: rows of text, or one clear refusal."""
    whole = GOOD.encode()
    for chance in seeds(400):
        data = whole
        for _ in range(chance.randrange(1, 5)):
            start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
            data = data[:start] + chance.choice((*PIECES, data[start:end] * 2, b"")) + data[min(end, start + 4) :]
        try:
            sheet = parsed(data, chance.choice(sorted(DELIMITERS)), chance.choice(sorted(LINE_ENDINGS)))
        except BadFile:
            continue
        for row in sheet.rows:
            assert all(isinstance(cell, str) for cell in row)
            spoilt(row, len(sheet.header))
