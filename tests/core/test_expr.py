"""Expressions: checked before use, total in use, and never true when something is not known."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.expr import MAX_EXPRESSION_CHARS, Expression, Flaw, Gate, Language, Unknown, names_in

LANGUAGE = Language(
    {
        "email": "text",
        "stage": "text",
        "score": "number",
        "opt_out": "truth",
        "born": "moment",
        "tags": "texts",
        "odd": "any",
        "qualified": "truth",
    }
)


def compiled(text: str) -> Expression:
    expression, flaws = LANGUAGE.compile(text)
    assert expression is not None, flaws
    return expression


def flaws_of(text: str) -> list[Flaw]:
    expression, flaws = LANGUAGE.compile(text)
    assert expression is None
    return flaws


def gate(text: str, **definitions: Gate) -> Gate:
    expression = compiled(text)
    return Gate(text, "f.toml:1:1", expression.names, expression, definitions)


RECORD: dict[str, Any] = {
    "email": "ada@example.com",
    "stage": "lead",
    "score": 50.0,
    "opt_out": False,
    "born": datetime(2000, 1, 1, tzinfo=UTC),
    "tags": ["a", "b"],
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("score >= 50", True),
        ("score > 50", False),
        ("score == 50", True),
        ("score != 49.5", True),
        ("score in [50, 60]", True),
        ('stage in ["lead", "customer"]', True),
        ("!opt_out", True),
        ('"a" in tags', True),
        ('tags.exists(tag, tag == "b")', True),
        ('born < timestamp("2001-01-01T00:00:00Z")', True),
        ('email.endsWith("@example.com") && size(email) > 3', True),
        ('email.matches("^[a-z]+@")', True),
        ("true", True),
    ],
)
def test_a_gate_says_what_it_means(text: str, met: bool) -> None:
    """Whole numbers compare with numbers, and text, lists and dates do what CEL says."""
    assert gate(text).holds(RECORD) is met


@pytest.mark.parametrize(
    ("text", "column", "what", "mend"),
    [
        ('score > "a"', 7, "'>' does not go with a number and text", "quotes"),
        ('score == "50"', 7, "'==' does not go with a number and text", "quotes"),
        ("stage == 3", 7, "'==' does not go with text and a number", "quotes"),
        ("scor > 1", 1, "there is no field 'scor'", "did you mean 'score'?"),
        ("nonsense > 1", 1, "there is no field 'nonsense'", "known here: born, email"),
        ("now() > born", 4, "there is no function 'now'", "docs/mapping.md"),
        ("email == null", 7, "'==' cannot compare with null", 'email == ""'.replace("email ", "")),
        ("score + 1 > 2", 7, "needs numbers of one kind", "1.0"),
        ("score >", 8, "it ends too early", "&&"),
        ("opt_out and score > 1", 9, "mismatched input 'and'", "'and' is &&"),
        ("score", 1, "gives a number, but true or false is needed", ""),
        ('email.matches("(")', 15, "not a regular expression", ""),
        ("  ", 1, "empty", ""),
        ("(" * 40 + "true" + ")" * 40, 1, "nested too deeply", ""),
        ("true" + " && true" * MAX_EXPRESSION_CHARS, 1, "longer than 2,000 characters", ""),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(text: str, column: int, what: str, mend: str) -> None:
    """An admin reads one plain sentence, the column, and what to write instead."""
    flaw = flaws_of(text)[0]

    assert (flaw.line, flaw.column) == (1, column)
    assert what in flaw.what
    assert mend in flaw.mend


def test_all_unknown_names_are_reported_at_once() -> None:
    """Nobody mends one name to learn of the next."""
    flaws = flaws_of("scor > 1 &&\n emai == ''")

    assert [(flaw.line, flaw.column) for flaw in flaws] == [(1, 1), (2, 2)]


def test_one_slip_of_the_pen_is_one_flaw() -> None:
    """The parser stumbles several times over one wrong letter; the first place tells."""
    assert [(flaw.line, flaw.column) for flaw in flaws_of("\u00e9 == 1 && score > 1")] == [(1, 1)]


@pytest.mark.parametrize(
    ("text", "record", "why"),
    [
        ("score >= 50", {}, "'score' has no value"),
        ('email != ""', {}, "'email' has no value"),
        ("!opt_out", {}, "'opt_out' has no value"),
        ("score >= 50", {"score": "50"}, "'score' has a value of another type"),
        ("score >= 50", {"score": None}, "'score' has a value of another type"),
        ("1 / (size(tags) - 2) == 1", RECORD, "it divides by zero"),
        ('tags[7] == "x"', RECORD, "it asks for an entry that the list does not have"),
        ("email.matches(stage)", {"email": "a", "stage": "("}, "its pattern for matches() is not a regular expression"),
    ],
)
def test_error_and_missing_are_unknown_and_unknown_is_not_true(text: str, record: dict[str, Any], why: str) -> None:
    """A missing key gives an error value that the engine does not raise: it must never count as passed."""
    met = gate(text).holds(record)

    assert met == Unknown(why)
    assert not met


def test_what_is_missing_does_not_matter_where_the_rest_decides() -> None:
    """False and anything is false; true or anything is true."""
    assert gate("false && score > 1").holds({}) is False
    assert gate("true || score > 1").holds({}) is True


def test_a_gate_can_use_a_definition_and_says_why_it_is_not_known() -> None:
    """`qualified` is a rule of its own, judged on the same record."""
    inner = gate('stage == "lead" && score >= 50')
    outer = gate('qualified && email != ""', qualified=inner)

    assert outer.holds(RECORD) is True
    assert outer.holds({**RECORD, "score": 3.0}) is False
    assert outer.holds({"email": "a", "stage": "lead"}) == Unknown(
        "whether it is qualified is not known: 'score' has no value"
    )
    assert outer.holds({"email": "a", "qualified": True}) != True  # noqa: E712 - a record cannot bring its own


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("score > 1 && email == stage", {"score", "email", "stage"}),
        ("email == 'score' || \"stage\" == email", {"email"}),
        ("email.size() > 1 // score", {"email"}),
        ("tags.exists(t, t == stage)", {"tags", "stage"}),
        ("email == '''score''' && r'\\' != stage", {"email", "stage"}),
    ],
)
def test_the_names_of_an_expression_are_found(text: str, names: set[str]) -> None:
    """Every attribute that a gate needs is asked for; a word within quotes is none."""
    assert names_in(text) & LANGUAGE.names.keys() == names


def test_a_hostile_expression_ends_soon() -> None:
    """The engine's budget ends nested loops, and patterns run in linear time."""
    words = "[" + ",".join(['"a"'] * 150) + "]"
    slow = gate(f"{words}.all(x, {words}.all(y, x == y))")
    began = time.process_time()

    assert slow.holds({}) == Unknown("it takes too long")
    assert gate('email.matches("^(a+)+$")').holds({"email": "a" * 50_000 + "!"}) is False
    assert time.process_time() - began < 0.5


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.none(), max_size=2)
)


@given(record=st.dictionaries(st.sampled_from(["email", "score", "opt_out", "tags", "odd"]), ODD))
@settings(max_examples=200, deadline=None)
def test_no_record_makes_a_gate_raise(record: dict[str, Any]) -> None:
    """Half a character, a huge number, a list of nothing: unknown at worst."""
    met = gate('email != "" && score >= 50 && !opt_out && "x" in tags && odd == 3').holds(record)

    assert met is True or met is False or isinstance(met, Unknown)


@given(text=st.text(alphabet="()[]&|!=<>.\"'ax1 \n\\email score", max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_compiler_raise(text: str) -> None:
    """Whatever stands in the file is an expression or a list of flaws."""
    expression, flaws = LANGUAGE.compile(text)

    assert (expression is None) == bool(flaws)
