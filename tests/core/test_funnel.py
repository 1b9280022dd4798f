"""The funnel file: what both departments agreed, checked and versioned."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from syncd.core.funnel import compile_funnel
from syncd.core.problem import Problem

ROOT = Path(__file__).parents[2]
GOOD = "[qualified]\nwhen = 'score >= 50 && stage == \"mql\"'\n"


def problems_of(text: str, names: frozenset[str] | None = None) -> list[Problem]:
    funnel, problems = compile_funnel(text, "funnel.toml", names)
    assert (funnel is None) == bool(problems)
    return problems


def test_the_shipped_funnel_compiles_with_its_stages_in_order() -> None:
    """Six steps from stranger to customer, each with its owner."""
    text = (ROOT / "mappings/funnel.toml").read_text()
    funnel, problems = compile_funnel(text, "mappings/funnel.toml", None)

    assert problems == []
    assert funnel is not None
    assert [stage.name for stage in funnel.stages][:3] == ["subscriber", "lead", "marketingqualifiedlead"]
    assert {stage.owner for stage in funnel.stages} == {"marketing", "sales"}
    assert funnel.digest == hashlib.sha256(text.encode()).hexdigest()
    assert funnel.qualified.place == "mappings/funnel.toml:12:2"


def test_qualified_holds_for_who_meets_it() -> None:
    """The rule stands alone, too: over any record's context."""
    funnel, _ = compile_funnel(GOOD, "funnel.toml", frozenset({"score", "stage"}))
    assert funnel is not None

    assert funnel.qualified.holds({"score": 50.0, "stage": "mql"}) is True
    assert funnel.qualified.holds({"score": 49.0, "stage": "mql"}) is False
    assert funnel.qualified.holds({"stage": "mql"}) is not True
    assert funnel.qualified.names == {"score", "stage"}


def test_a_rule_over_names_of_unknown_type_holds_only_for_true() -> None:
    """A number is not "true", even where the types are not known."""
    funnel, _ = compile_funnel("[qualified]\nwhen = 'score'", "funnel.toml", None)
    assert funnel is not None

    assert funnel.qualified.holds({"score": True}) is True
    assert funnel.qualified.holds({"score": 55.0}) is False


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "1:1", "'qualified' is missing"),
        ("[qualified]\n", "1:2", "'when' is missing in [qualified]"),
        ("[qualified]\nwhen = 'score >='", "2:17", "it ends too early"),
        ("[qualified]\nwhen = '\"x\"'", "2:9", "gives text, but true or false is needed"),
        (GOOD + "[stages]\nmql = { owner = 'both' }", "4:17", "must be one of: marketing, sales"),
        (GOOD + "[stages]\nmql = { onwer = 'sales' }", "4:1", "'owner' is missing"),
        (GOOD + "[quota]", "3:2", "'quota' is not a key that is known here"),
        (GOOD + "x", "3:2", "this is not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, place: str, what: str) -> None:
    """The agreement is checked like a mapping."""
    problems = problems_of(text)

    assert f"{problems[0].line}:{problems[0].column}" == place
    assert what in problems[0].what


def test_unknown_field_names_are_told_when_the_fields_are_known() -> None:
    """With the mapping's names at hand a slip is seen without a mapping that uses it."""
    assert problems_of(GOOD) == []
    problems = problems_of(GOOD, frozenset({"scores", "stage"}))

    assert [problem.what for problem in problems] == ["there is no field 'score'"]
    assert problems[0].mend == "did you mean 'scores'?"
