"""Values: each type reads totally, compares what is the same as the same, and writes what reads back."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_of_values import KINDS

from syncd.core import places, values
from syncd.core.model import Bad, Unmapped
from syncd.core.values import Kind

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=60),
    st.text(alphabet="0123456789+-.eE():T Z;ab\u0301\u200b\ud800\x00", max_size=30),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@given(raw=ANYTHING)
@settings(max_examples=150, deadline=None)
def test_reading_is_total_hashable_and_what_is_written_reads_the_same(kind: Kind, raw: Any) -> None:
    """Whatever a system says, reading it raises nothing, and a written value compares as the one it came from."""
    value = kind.read(raw)
    hash(value)
    if value is None or isinstance(value, (Bad, Unmapped)):
        return
    kind.see(value)
    written = kind.write(value, raw)
    if not isinstance(written, Bad):
        assert kind.read(written) == value


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_blank_has_one_form(kind: Kind) -> None:
    """ "", spaces and null are the same blank (Salesforce makes null of all of them), unless blank has a meaning."""
    blanks = {kind.read(raw) for raw in (None, "", "  ")}

    assert blanks == ({False} if kind is KINDS["bool, blank is false"] else {None})


@pytest.mark.parametrize(
    ("name", "one", "same"),
    [
        ("text", " Ada\u00a0", "Ada"),
        ("text", "Zoe\u0308", "Zo\u00eb"),
        ("text", "a\r\nb", "a\nb"),
        ("text", "a\x00b", "ab"),
        ("text", 12.0, "12"),
        ("text", True, "true"),
        ("email", " Ada@Example.COM", "ada@example.com"),
        ("email", "\u200bada@example.com", "ada@example.com"),
        ("phone", "+49 (30) 901-820", "+4930901820"),
        ("phone", "0049 30 901820", "004930901820"),
        ("phone in Germany", "030 / 901820", "+49 30 901820"),
        ("phone in Germany", "0049 30 901820", "+49 30 901820"),
        ("phone", "(555) 01-00", "5550100"),
        ("country", "USA", "United States"),
        ("country", "de", "Germany"),
        ("country", "Deutschland", "Deutschland"),
        ("country", "Korea, Republic of", "South Korea"),
        ("number", "12.50", 12.5),
        ("number", "1e3", 1000),
        ("number", -0.0, 0),
        ("number with 2 decimals", "0.333333", 0.33),
        ("number with 2 decimals", "2.675", "2.68"),
        ("bool", "TRUE", True),
        ("bool", 0, "false"),
        ("date", 1709164800000, "2024-02-29"),
        ("date", "1709164800000", "2024-02-29T00:00:00Z"),
        ("date", "-86400000", "1969-12-31"),
        ("datetime", "2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00.999Z"),
        ("datetime", 1709164800123, "2024-02-29T00:00:00.000+0000"),
        ("choices", ";b;a;a", ["a", "b"]),
    ],
)
def test_two_spellings_of_one_value_compare_as_the_same(name: str, one: Any, same: Any) -> None:
    """What a system bends without meaning anything by it is no change."""
    kind = KINDS[name]

    assert kind.read(one) == kind.read(same)
    assert kind.read(one) is not None


@pytest.mark.parametrize(
    ("name", "one", "another"),
    [
        ("text", "ada", "Ada"),
        ("text", "a  b", "a b"),
        ("phone", "+1 212 555 0123 ext. 45", "+1 212 555 0123"),
        ("phone", "n/a", None),
        ("phone in Germany", "123", "+49123"),
        ("number", 0, None),
        ("number", "0.1", 0.1000001),
        ("bool", False, None),
        ("choice", "Hot", "hot"),
        ("choices", "a", "a;b"),
    ],
)
def test_different_values_stay_different(name: str, one: Any, another: Any) -> None:
    """Zero, false and "n/a" are values, and no blank; case means something in text."""
    kind = KINDS[name]

    assert kind.read(one) != kind.read(another)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("text", "half \ud800"),
        ("text", ["a"]),
        pytest.param("text", "x" * (values.MAX_TEXT_CHARS + 1), id="a text too long"),
        ("email", "not an address"),
        ("email", "a@b@c"),
        ("number", "1,234.50"),
        ("number", "NaN"),
        ("number", float("inf")),
        ("number", "1e21"),
        pytest.param("number", 10**5000, id="a number of 5000 digits"),
        ("number", "\u0663"),
        ("number", True),
        ("bool", "yes"),
        ("bool", 2),
        ("date", "2024-02-29T10:00:00Z"),
        ("date", "2024-02-29T00:00:00+05:00"),
        ("date", "2024-02-29T05:00:00+05:00"),
        ("date", "2024-02-30"),
        ("date", "29.02.2024"),
        ("date", "1066-10-14"),
        ("datetime", 1709164800),
        ("datetime", "2024-02-29T10:00:00"),
        ("datetime", "2024-02-29"),
        ("datetime", 10**30),
        ("choices", [";"]),
    ],
)
def test_what_does_not_read_is_bad_and_its_reason_shows_no_value(name: str, raw: Any) -> None:
    """Trouble with a value is told apart from blank, and the reason may stand in a log."""
    value = KINDS[name].read(raw)

    assert isinstance(value, Bad)
    assert not isinstance(raw, str) or raw[:20] not in value.why


def test_dates_never_shift_with_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dates are dates: no time zone passes through."""
    import time

    for zone in ("America/Los_Angeles", "Pacific/Kiritimati"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert KINDS["date"].read(1709164800000) == "2024-02-29"
        assert KINDS["datetime"].write(1709164800000, None) == "2024-02-29T00:00:00Z"
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "units", "kept"),
    [
        ("abcdef", 3, "abc"),
        ("ab cdef", 3, "ab"),
        ("\U0001f600\U0001f600", 3, "\U0001f600"),
        ("e\u0301\u0308x", 2, "e\u0301"),
        ("ae\u0308\u0301x", 3, "a"),
        ("a\U0001f469\u200d\U0001f4bb", 5, "a"),
        ("short", 10, "short"),
    ],
)
def test_cutting_counts_utf16_units_and_keeps_characters_whole(text: str, units: int, kept: str) -> None:
    """Never longer than either system may count it, and never half a character."""
    assert values.cut(text, units) == kept


@given(text=st.text(max_size=40), units=st.integers(1, 20))
def test_cut_text_fits_and_cuts_to_itself(text: str, units: int) -> None:
    """A cut text that comes back is the same text."""
    short = values.cut(values.clean(text), units)

    assert len(short.encode("utf-16-le", "surrogatepass")) <= 2 * units
    assert values.cut(short, units) == short


@given(text=st.text(max_size=40))
def test_clean_is_idempotent_and_nfc(text: str) -> None:
    """Cleaning what is clean changes nothing."""
    once = values.clean(text)

    assert values.clean(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(("number", "written"), [("12.50", 12.5), ("12.0", 12), ("-0", 0), (Decimal("0.1"), 0.1)])
def test_numbers_are_written_as_plain_numbers(number: Any, written: Any) -> None:
    """An integer stays one, and a fraction reads back exactly."""
    kind = KINDS["number"]
    made = kind.write(kind.read(number), number)

    assert made == written
    assert type(made) is type(written)


def test_a_number_that_cannot_travel_unchanged_is_not_written() -> None:
    """A binary fraction that reads back differently would creep with each round trip."""
    kind = KINDS["number"]

    assert isinstance(kind.write(kind.read("0.123456789012345678"), None), Bad)


@pytest.mark.parametrize(("form", "written"), [("name", "United States"), ("alpha2", "US"), ("alpha3", "USA")])
def test_a_country_is_written_in_the_sides_own_form(form: Any, written: str) -> None:
    """`as` says how."""
    kind = places.country(form)

    assert kind.write(kind.read("u.s.a."), "u.s.a.") == written


@pytest.mark.parametrize("form", ["name", "alpha2", "alpha3"])
def test_every_country_reads_back_from_every_form(form: Any) -> None:
    """No name that we write is one that we do not know, or another country's."""
    import pycountry

    kind = places.country(form)
    for country in pycountry.countries:
        assert kind.read(kind.write(country.alpha_2, None)) == country.alpha_2


@pytest.mark.parametrize(
    ("code", "name"), [("KR", "South Korea"), ("RU", "Russia"), ("VN", "Vietnam"), ("DE", "Germany")]
)
def test_countries_are_written_by_the_name_that_people_use(code: str, name: str) -> None:
    """The standard's "Korea, Republic of" is on nobody's picklist."""
    assert KINDS["country"].write(code, None) == name


def test_an_unknown_country_is_unmapped_and_hidden_when_printed() -> None:
    """Nothing is guessed, and a person's value never shows."""
    value = KINDS["country"].read("Atlantis")

    assert value == Unmapped("Atlantis")
    assert "Atlantis" not in repr(value)
