"""docs/closed-loop.md defines every figure that is kept, and no other; each with a formula, its fields and its limits."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.core import funnelfile

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/closed-loop.md").read_text()
ROWS = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| `")]
RECKONED = {"quota", "goal"}
"""Made of other figures when they are read."""


def kept() -> set[str]:
    """Every figure that the arithmetic puts into a cell."""
    text = "".join((ROOT / "syncd/core" / name).read_text() for name in ("standing.py", "sale.py"))
    named = re.findall(r"yield f?\"([a-z]+)[\":]", text)
    return {*named, "assist"}


def test_every_figure_is_defined_and_no_other() -> None:
    """A number that nobody can look up is a number that nobody believes."""
    defined = [row[0].strip().strip("`") for row in ROWS]

    assert len(kept()) > 8
    assert sorted(defined) == sorted(kept() | RECKONED)


def test_a_definition_says_what_how_and_of_what() -> None:
    """One sentence, a formula, source fields; limits where there are any."""
    for name, sentence, formula, fields, *_ in ROWS:
        assert sentence.strip().endswith("."), name
        assert sentence.strip().count(". ") == 0, name
        assert formula.strip(), name
        assert fields.strip(), name


def test_every_table_that_is_named_is_one_of_the_funnel_file() -> None:
    """Where a definition points to, there is something."""
    known = set(funnelfile.FunnelFile.model_fields)
    named = {name.split(".")[0] for name in re.findall(r"`\[([a-z.]+)\]", TEXT)}
    assert named <= known
