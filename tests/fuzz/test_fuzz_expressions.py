"""Expressions: whatever stands in a rule is checked or refused, and using it ends soon, whatever a record holds."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.expr import MAX_EXPRESSION_CHARS, Expression, Flaw, Language, Unknown
from tests.fuzz.damage import tries

LANGUAGE = Language(
    {"email": "text", "score": "number", "out": "truth", "tags": "texts", "since": "moment", "odd": "any"}
)
RECORD: dict[str, Any] = {
    "email": "ada@example.test",
    "score": 5.0,
    "out": False,
    "tags": ["a"] * 2_000,
    "since": datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC),
    "odd": "x" * 100_000,
}
SLOW_S = 3.0
TOKENS = (
    *("email", "score", "out", "tags", "since", "odd", "true", "null", "1", "1.0", '"x"', "r'\\d'", '"\\\\q"', "'"),
    *(
        "==",
        "!=",
        "<",
        "&&",
        "||",
        "!",
        "?",
        ":",
        "+",
        "-",
        "*",
        "/",
        "%",
        "in",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
    ),
    *(".matches(", ".all(", ".exists(", ".map(", ".filter(", ".size()", ".startsWith(", "has(", "t", "t,", "//", "\n"),
    *("duration(", "timestamp(", "int(", "string(", "\u00e9", "\U0001f600", "\x00", "99999999999999999999", "b'\\xff'"),
)


def compiled(text: str) -> tuple[Expression | None, list[Flaw]]:
    """As a file's rule is: refused with a place inside the text, or usable."""
    expression, flaws = LANGUAGE.compile(text, None)
    assert (expression is None) == bool(flaws), text
    assert all(flaw.line >= 1 and flaw.column >= 1 and flaw.what for flaw in flaws), flaws
    return expression, flaws


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "true" + ")" * 900,
        "[" * 500 + "]" * 500 + " == []",
        "!" * 1_900 + "true",
        "-" * 1_000 + "1 == 1",
        "true" + " && true" * 240,
        "1" * 1_900 + " == 1",
        "0x" + "f" * 1_000 + " == 1",
        '"' + "\u0301" * 1_000 + '" == email',
        '"\ud800" == email',
        "tags.all(a, tags.all(b, tags.all(c, tags.all(d, true))))",
        "tags.map(a, tags.map(b, tags)).size() > 0",
        "tags.map(a, tags.map(b, odd + odd)).size() > 0",
        "tags.map(x, odd).map(y, y + y).map(z, z + z).map(z, z + z).map(z, z + z).size() > 1",
        'odd.matches("(x+x+)+y")',
        'odd.matches("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^x]")',
        'email.matches("(a{1000}){1000}")',
        'email.matches("' + "(" * 900 + ")" * 900 + '")',
        "tags.exists(t, odd.contains(t))",
        'since + duration("1000000h") > since',
        "int(score * 1e300) == 1",
        "x" * (MAX_EXPRESSION_CHARS + 1),
    ],
    ids=lambda text: text[:24],
)
def test_a_bomb_is_refused_or_ends_soon(text: str) -> None:
    """Nesting, huge literals, loops in loops, patterns that other engines try for ever, texts that double."""
    start = time.process_time()
    expression, _ = compiled(text)
    if expression is not None:
        expression.value(RECORD)

    assert time.process_time() - start < SLOW_S


def test_joining_inside_a_loop_is_refused_with_its_place() -> None:
    """The engine counts steps, and not how long they make a value: five of these took half a minute."""
    expression, (flaw,) = compiled("score > 1.0 &&\n  tags.map(t, t + odd).size() > 0")

    assert expression is None
    assert (flaw.line, flaw.column) == (2, 17)
    assert compiled('tags.exists(t, t == "a+b") && email + "x" == "y"')[0] is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('true // .matches("\\q")', None),
        ("email == '.matches(\"\\\\\\\\q\")'", None),
        ('email.matches("\\\\q")', (1, 15)),
        ('out &&\nemail . matches ( "(" )', (2, 19)),
    ],
)
def test_a_pattern_is_looked_at_where_it_is_one(text: str, said: tuple[int, int] | None) -> None:
    """In a comment or in a text it is none; it used to raise there."""
    expression, flaws = compiled(text)

    assert [(flaw.line, flaw.column) for flaw in flaws] == ([] if said is None else [said])
    assert (expression is None) == (said is not None)


@given(tokens=st.lists(st.sampled_from(TOKENS), max_size=14))
@tries(400)
def test_any_row_of_words_is_checked_or_refused(tokens: list[str]) -> None:
    """What passes the check is used on a record at once."""
    expression, _ = compiled(" ".join(tokens) + " ")
    if expression is not None:
        value = expression.value(RECORD)
        assert not isinstance(value, Unknown) or value.why


@given(text=st.text(max_size=60))
@tries(200)
def test_any_text_is_checked_or_refused(text: str) -> None:
    """Half characters, controls, every script."""
    compiled(text)
