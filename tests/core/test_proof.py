"""The proof on load: it accepts what settles, and shows the value that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sketch import field_of, problems_of

from syncd.core.mapping import Codec, Field
from syncd.core.proof import _SAMPLES, prove, show
from syncd.core.values import codec, plain_text, text

ENDS = 'marketing = "it"\ncrm = "It__c"\n'


@pytest.mark.parametrize("flow", ["both", "to_crm", "to_marketing"])
@pytest.mark.parametrize("type_", sorted(_SAMPLES))
def test_every_type_settles_on_its_nasty_values(type_: str, flow: str) -> None:
    """Case, spaces, decomposed letters, long text, zero, formulas, emoji: each type is proved as it ships."""
    assert prove(field_of(f'{ENDS}type = "{type_}"\nflow = "{flow}"')) is None


@pytest.mark.parametrize(
    "lines",
    [
        'values = { a = "A", b = "A", c = "C" }',
        'values = { a = "b", b = "a" }',
        'values = { a = "A" }\nother = "B"',
        'values = { a = "A", b = "B" }\nother = { marketing = "b", crm = "C" }',
        'type = "choices"\nvalues = { a = "A", b = "A" }',
        'type = "number"\nscale = 1',
        'type = "country"\nas = { marketing = "alpha2", crm = "alpha3" }',
        'type = "bool"\nunset = true',
        'type = "datetime"\ngrain = "1m"',
        'flow = "to_crm"\ntruncate = 3',
        'type = "phone"\nregion = "US"',
    ],
)
def test_options_that_lose_nothing_by_agreement_are_accepted(lines: str) -> None:
    """Coarser words and rounding are what the admin asked for."""
    assert prove(field_of(ENDS + lines)) is None


@pytest.mark.parametrize(
    ("lines", "counterexample", "mend"),
    [
        ('values = { "Hot " = "hot" }', "'Hot ' becomes 'Hot' as soon as a system trims it", "outer spaces"),
        ('values = { hot = " Hot" }', "' Hot' becomes 'Hot' as soon as a system trims it", "outer spaces"),
        ('values = { lead = "" }', "it would come back as nothing", "leave it out"),
        ('type = "choices"\nvalues = { a = "x;y" }', "'x;y' holds a semicolon", "rename"),
        ("truncate = 40", "a text of 41 characters would be cut to 40", 'flow = "to_crm"'),
    ],
)
def test_a_file_that_could_lose_values_is_refused_with_the_counterexample(
    lines: str, counterexample: str, mend: str
) -> None:
    """The admin sees the value that shows it, and what to write instead."""
    problems = problems_of(f"[fields.it]\n{ENDS}{lines}")

    assert any(counterexample in problem.what and mend in problem.mend for problem in problems), problems


def broken(read: Callable[[Any], Any], write: Callable[[Any], Any], flow: str = "both", **changed: Any) -> Field:
    """A text field whose marketing side reads as usual, and whose CRM side has this reading and writing."""
    sound = field_of(f'{ENDS}flow = "{flow}"')
    here = codec(text(), text())

    def render(source: Any, current: Any) -> Any:
        wanted = plain_text(source)
        return wanted if wanted is None or not isinstance(wanted, str) else write(wanted)

    return replace(sound, codecs=(here, Codec(read, render, here.context)), **changed)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (broken(plain_text, lambda value: value + "!"), "never settle"),
        (broken(plain_text, str.lower), "never settle"),
        (broken(lambda raw: raw, lambda value: value, "to_crm"), "never settle"),
        (broken(plain_text, lambda value: "" if value == "0" else value), "'0' of marketing is written as a blank"),
        (broken(lambda raw: str(plain_text(raw)).lower(), lambda value: value), "never settle"),
    ],
    ids=[
        "grows",
        "lower-cases without comparing so",
        "does not forgive trimming",
        "loses zero",
        "one side ignores case",
    ],
)
def test_a_codec_that_ping_pongs_or_loses_is_seen(field: Field, said: str) -> None:
    """Each sabotaged codec is caught: the proof can fail."""
    counterexample = prove(field)

    assert counterexample is not None
    assert said in counterexample.what
    assert counterexample.mend


def test_a_two_way_cut_is_seen_by_trying_too() -> None:
    """Cutting compares as equal, so it takes the way back to show the loss: "the next edit there"."""
    cut = text(10)
    sides = (codec(cut, cut), codec(cut, cut))
    field = replace(field_of(ENDS), codecs=sides)
    counterexample = prove(field)

    assert counterexample is not None
    assert "would bring" in counterexample.what
    assert prove(replace(field, flow="to_crm")) is None


def test_samples_are_shown_short_and_escaped() -> None:
    """A counter-example fits on a line and does nothing to the terminal."""
    assert show("a\x1b[31m") == "'a\\x1b[31m'"
    assert show("x" * 400).endswith("(400 characters)")
    assert len(show("x" * 400)) < 60
