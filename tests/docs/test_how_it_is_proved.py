"""docs/proof.md and docs/kill-table.md: what they say of the tests is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
for _folder in ("tests/bugs", "tests/simulation"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.append(str(ROOT / _folder))

from bugs import BREAKS, BUGS  # noqa: E402
from hazards import TOP  # noqa: E402
from plant import SEEDS  # noqa: E402

PROOF = (ROOT / "docs" / "proof.md").read_text()
KILLS = (ROOT / "docs" / "kill-table.md").read_text()


def rows(page: str, first: str) -> list[list[str]]:
    """The cells of the rows of a table whose first cell looks like that."""
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line] for line in lines]
    return [cells for cells in found if re.fullmatch(first, cells[0])]


def test_the_kill_table_lists_exactly_the_planted_bugs() -> None:
    """In their order, each with what it breaks; and each was caught, within the bound."""
    found = rows(KILLS, r"(?!bug$)[^-].*")

    assert [cells[0] for cells in found] == [bug.name for bug in BUGS]
    for bug, (_, breaks, number, caught, seed) in zip(BUGS, found, strict=True):
        assert (breaks, number) == (BREAKS[bug.hazard], bug.hazard)
        assert "survived" not in caught, bug.name
        assert caught.startswith("simulation: ") == seed.isdigit()
        assert not seed.isdigit() or 1 <= int(seed) <= SEEDS


def test_every_hazard_of_the_thirty_is_told_with_its_counters() -> None:
    """The page's table is the campaign's."""
    told = rows(PROOF, r"\d+")

    assert len(told) == len(TOP) == 30
    for (_, name, counters, rare), hazard in zip(told, TOP, strict=True):
        assert (name, counters, rare) == (hazard.name, ", ".join(hazard.counters), ", ".join(hazard.rare))


def test_every_invariant_is_told_with_who_judges_it() -> None:
    """I1 to I25, and every test that is named exists."""
    told = rows(PROOF, r"I\d+")
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), flags=re.MULTILINE)
    }

    assert [cells[0] for cells in told] == [f"I{n}" for n in range(1, 26)]
    assert all(cells[2] for cells in told)
    assert set(re.findall(r"`(test_\w+)`", PROOF)) <= known, set(re.findall(r"`(test_\w+)`", PROOF)) - known
    assert set(re.findall(r"`(test_\w+)`", KILLS)) <= known
