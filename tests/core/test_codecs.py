"""How a value of one side is written on the other: codecs, value maps, owners."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_of_values import KINDS

from syncd.core import choicemap, owners, values
from syncd.core.choicemap import ChoiceMap
from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Owners, Unmapped
from syncd.core.values import Kind

# ---------------------------------------------------------------- codecs


def pair(kind: Kind) -> tuple[Codec, Codec]:
    return values.codec(kind, kind), values.codec(kind, kind)


def test_a_value_that_means_the_same_is_left_as_it_stands() -> None:
    """Nobody's way of writing is forced on the other side."""
    _, crm = pair(KINDS["phone"])

    assert crm.render("+49 30 901820", "+49-30-901820") == "+49-30-901820"
    assert crm.render(" +49 30 901820 ", None) == "+49 30 901820"


@pytest.mark.parametrize(
    ("name", "raw", "seen"),
    [
        ("text", None, ""),
        ("email", " A@B.c ", "a@b.c"),
        ("country", "Germany", "DE"),
        ("country", "Atlantis", UNSEEN),
        ("number", "55", 55.0),
        ("number", "", UNSEEN),
        ("number", "NaN", UNSEEN),
        ("number with 2 decimals", "49.999", 49.999),
        ("text cut to 10", "more than ten characters", "more than ten characters"),
        ("bool", None, UNSEEN),
        ("bool, blank is false", None, False),
        ("date", "", UNSEEN),
        ("choices", "b;a", ["a", "b"]),
    ],
)
def test_expressions_see_blank_text_but_no_blank_number(name: str, raw: Any, seen: Any) -> None:
    """A blank number, date or truth is unknown, and unknown passes no gate."""
    marketing, _ = pair(KINDS[name])
    found = marketing.context(raw)

    assert found == seen
    assert type(found) is type(seen)


STAGES = ChoiceMap({"mql": "Open", "sql": "Working", "opportunity": "Working", "lead": "Closed"})


def test_both_sides_of_a_value_map_compare_in_the_crms_words() -> None:
    """A finer word of marketing's is no change against the CRM's coarser one."""
    marketing, crm = choicemap.codecs(values.choice(), STAGES)

    assert marketing.canonical("opportunity") == crm.canonical("Working") == "Working"
    assert marketing.canonical("sql") == crm.canonical(" Working ")


@pytest.mark.parametrize(
    ("current", "written"),
    [("opportunity", "opportunity"), ("sql", "sql"), ("lead", "sql"), (None, "sql"), ("?", "sql")],
)
def test_the_way_back_keeps_the_finer_word_or_takes_the_first_listed(current: Any, written: str) -> None:
    """SQL and opportunity both mean Working: what stands there stays."""
    marketing, _ = choicemap.codecs(values.choice(), STAGES)

    assert marketing.render("Working", current) == written


def test_words_that_are_not_listed_are_unmapped_on_both_sides() -> None:
    """They have no counterpart, and an expression sees marketing's own word only."""
    marketing, crm = choicemap.codecs(values.choice(), STAGES)

    assert isinstance(marketing.canonical("customer"), Unmapped)
    assert isinstance(crm.render("customer", "Open"), Unmapped)
    assert isinstance(marketing.render("Converted", "mql"), Unmapped)
    assert marketing.context("customer") == "customer"
    assert crm.context("Working") == "sql"
    assert crm.context("Converted") is UNSEEN
    assert crm.context(None) == ""


def test_a_spare_word_stands_for_all_others_and_never_travels_back() -> None:
    """CRM's "Trade Show" is marketing's "Other", which never overwrites "Trade Show"."""
    chosen = ChoiceMap({"Web": "Web", "Other": "Other"}, spare_marketing="Other")
    marketing, crm = choicemap.codecs(values.choice(), chosen)

    assert marketing.render("Trade Show", None) == "Other"
    assert marketing.canonical("Other") == crm.canonical("Trade Show")
    assert crm.render("Other", "Trade Show") == "Trade Show"
    assert crm.render("Web", "Trade Show") == "Web"


def test_a_spare_word_of_the_crm_keeps_marketings_finer_word() -> None:
    """Every unlisted stage is "Something" to sales; what it was to marketing is not lost."""
    marketing, crm = choicemap.codecs(values.choice(), ChoiceMap({"a": "A"}, spare_crm="Something"))

    assert crm.render("rare", None) == "Something"
    assert marketing.render("Something", "rare") == "rare"
    assert isinstance(marketing.render("Something", None), Unmapped)


def test_several_words_of_the_crm_may_mean_the_same() -> None:
    """Sales' finer words are no change against marketing's coarser one, and stay where they stand."""
    chosen = ChoiceMap({"buying": "Quote", "won": "Won"}, alike={"Decision Makers": "Quote", "Analysis": "Quote"})
    marketing, crm = choicemap.codecs(values.choice(), chosen)

    assert marketing.canonical("buying") == crm.canonical("Analysis") == crm.canonical("Quote")
    assert marketing.render("Decision Makers", "won") == "buying"
    assert crm.render("buying", "Analysis") == "Analysis"
    assert crm.render("buying", "Won") == "Quote"
    assert crm.context("Analysis") == "buying"
    assert isinstance(crm.canonical("Nothing"), Unmapped)


def test_several_choices_map_one_by_one_and_keep_what_stands() -> None:
    """Of several choices each keeps its finer word; one unknown word holds the whole value."""
    chosen = ChoiceMap({"x1": "X", "x2": "X", "y": "Y"})
    marketing, crm = choicemap.codecs(values.choices(), chosen)

    assert crm.render("x2;y", None) == ["X", "Y"]
    assert marketing.render("Y;X", "x2") == ["x2", "y"]
    assert marketing.render("X", "x1;x2") == "x1;x2"
    assert isinstance(marketing.render("X;Z", None), Unmapped)
    assert isinstance(crm.canonical("X;Z"), Unmapped)
    assert crm.context("X;Y") == ["x1", "y"]


@given(
    forward=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("PQRS"), min_size=1),
    spare=st.booleans(),
    first=st.sampled_from("abcdefz"),
)
@settings(max_examples=200)
def test_any_value_map_settles_after_one_crossing(forward: dict[str, str], spare: bool, first: str) -> None:
    """Whatever is written across compares as equal there, and nothing more is written back."""
    chosen = ChoiceMap(forward, spare_crm="P" if spare else None, spare_marketing=next(iter(forward)))
    marketing, crm = choicemap.codecs(values.choice(), chosen)
    across = crm.render(first, None)
    if not isinstance(across, Unmapped):
        assert crm.canonical(across) == marketing.canonical(first)
        assert marketing.render(across, first) == first
    for word in "PQRSZ":
        back = marketing.render(word, None)
        if not isinstance(back, Unmapped):
            assert marketing.canonical(back) == crm.canonical(word)
            assert crm.render(back, word) == word


# ---------------------------------------------------------------- owners

MARKETING = Owners({"7": "Kim@Example.com", "8": "gone@example.com"}, {"kim@example.com": "7"})
CRM = Owners({"005A": "kim@example.com", "005B": "gone@example.com"}, {"kim@example.com": "005A"})


def test_owners_cross_by_their_email() -> None:
    """The same person is found by the address, however it is written."""
    marketing, crm = owners.codecs({"marketing": MARKETING, "crm": CRM})

    assert crm.render("7", None) == "005A"
    assert marketing.canonical("7") == crm.canonical("005A") == "kim@example.com"
    assert marketing.context(7) == "kim@example.com"


def test_a_queue_a_leaver_and_a_stranger_change_no_owner() -> None:
    """A missing or inactive user never takes a record away from anyone."""
    marketing, crm = owners.codecs({"marketing": MARKETING, "crm": CRM})

    assert isinstance(marketing.render("00G-queue", "7"), Unmapped)
    assert isinstance(crm.render("8", "005A"), Unmapped)
    assert crm.render("8", "005B") == "005B"
    assert marketing.context("99") is UNSEEN


def test_without_a_directory_every_owner_is_unmapped() -> None:
    """A mapping that is not bound yet writes no owner."""
    _, crm = owners.codecs({})

    assert isinstance(crm.render("7", None), Unmapped)
    assert crm.canonical(None) is None
    assert "kim" not in repr(MARKETING)
