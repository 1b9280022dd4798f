"""Values: each type reads totally, compares what is the same as the same, and writes what reads back."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core import choicemap, owners, places, values
from syncd.core.choicemap import ChoiceMap
from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Bad, Owners, Unmapped
from syncd.core.values import Kind

KINDS: dict[str, Kind] = {
    "text": values.text(),
    "text cut to 10": values.text(10),
    "email": values.email(),
    "phone": places.phone(),
    "phone in Germany": places.phone("DE"),
    "country": places.country(),
    "country by code": places.country("alpha3"),
    "number": values.number(),
    "number with 2 decimals": values.number(2),
    "bool": values.truth(),
    "bool, blank is false": values.truth(False),
    "date": values.day(),
    "datetime": values.moment(),
    "choice": values.choice(),
    "choices": values.choices(),
}

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
