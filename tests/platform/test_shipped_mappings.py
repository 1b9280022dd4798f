"""The mappings that ship, together: a plan tells them parents first."""

from __future__ import annotations

from pathlib import Path

from syncd.assembly import load_mappings

MAPPINGS = Path(__file__).parents[2] / "mappings"


def test_a_plan_of_the_shipped_mappings_tells_parents_before_children() -> None:
    """Effects are shown in the order in which they are sent: companies, people and lists before what points to them."""
    found = load_mappings(MAPPINGS)
    assert found.problems == ()
    names = list(found.every())
    assert names.index("companies") < names.index("people") < names.index("deals")
    assert max(names.index("people"), names.index("campaigns-lists")) < names.index("campaigns")
    assert set(names[: len(found.by_name)]) == set(found.by_name)
