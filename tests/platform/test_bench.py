"""The benchmark runs, at a size that says nothing about speed: no time is judged here, only that it counts rightly."""

from __future__ import annotations

from pathlib import Path

from bench import arrival, burst, calls, model, sweep
from bench.figure import Figure


def _of(figures: list[Figure], name: str) -> Figure:
    (found,) = (figure for figure in figures if figure.name == name)
    return found


def test_calls_are_those_of_the_formula(tmp_path: Path) -> None:
    """Creates and edits both ways cost what page and batch sizes make of them, and rest costs one call per object."""
    figures = calls.measure(400, tmp_path)
    assert _of(figures, "counted, of the formula").met
    assert _of(figures, "a cycle at rest: HubSpot").value == 1
    assert _of(figures, "a cycle at rest: Salesforce").value == 2


def test_a_backfill_of_the_whole_model_costs_the_sum_of_its_parts(tmp_path: Path) -> None:
    """People, companies and deals with their associations; then rest costs one call per object."""
    figures = model.measure(500, tmp_path)
    assert _of(figures, "counted, of the formula").met
    assert _of(figures, "a cycle at rest: HubSpot").value == 3
    assert _of(figures, "a cycle at rest: Salesforce").value == 4


def test_a_bulk_edit_of_one_stamp_is_read_completely(tmp_path: Path) -> None:
    """More records of one stamp than several pages hold."""
    figures = burst.measure(tmp_path, 2500)
    for side in ("HubSpot", "Salesforce"):
        assert _of(figures, f"{side}: read of 2,500 with one stamp").value == 2500
    assert _of(figures, "calls of the poll after that").value == 3


def test_edits_arrive_with_the_first_cycle_past_the_lag(tmp_path: Path) -> None:
    """And at quiet nothing is written."""
    figures = arrival.measure(tmp_path)
    assert [figure.name for figure in figures if figure.met is not True] == []


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    """A sweep writes the facts that moved, and no others; counted where SQLite says so."""
    figures = sweep.measure(1000, tmp_path)
    assert _of(figures, "writes for unchanged records").value == 0
    assert _of(figures, "writes when 1 % moved, beyond those moved").value == 0


def test_a_figure_says_whether_its_target_is_met() -> None:
    """`most` and `least` are judged, what has neither is only told."""
    assert Figure("x", "y", 1.0, most=1.0).met is True
    assert Figure("x", "y", 1.1, most=1.0).met is False
    assert Figure("x", "y", 0.9, least=1.0).met is False
    assert Figure("x", "y", 5.0).met is None
    assert "MISS" in Figure("x", "y", 1.1, most=1.0).line()
