"""Every type of value through both vendors' stand-ins, over the real connectors: it settles, or is refused in words.

What must hold of each value, from either side: the source keeps it; the other side says the same (as the field compares),
or an issue names the field; and once quiet, nothing is written, also when another field of the record moves.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.hubspot.sandbox.errors import Rejection
from syncd.core.model import Bad, Unmapped
from syncd.core.values import plain_text
from syncd.sandbox.wire import Refused
from tests.e2e.stage import World, compiled, world, writes

MAPPING = """
mapping   = "people"
marketing = { system = "hubspot",    object = "contacts" }
crm       = { system = "salesforce", object = "Contact" }
[match]
by = ["email"]
[scope]
marketing = 'email != ""'
crm       = 'email != ""'
[create]
crm       = 'true'
marketing = 'true'
[fields.email]
marketing = "email"
crm       = "Email"
type      = "email"
clash     = "crm"
[fields.last_name]
marketing = "lastname"
crm       = "LastName"
clash     = "crm"
on_create = { crm = '"[not given]"' }
"""
FIELD = """
[fields.{name}]
marketing = "{marketing}"
crm       = "{crm}"
clash     = "crm"
blank     = "clear"
{more}
"""
COLOURS = ("red", "green", "dark blue", "Ähre", "a,b", "x&y")
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "text": ('type = "text"', {"type": "string", "fieldType": "text"}, {"type": "string", "length": 255}),
    "long": (
        'type = "text"',
        {"type": "string", "fieldType": "html"},
        {"type": "textarea", "length": 32768, "filterable": False, "sortable": False},
    ),
    "amount": (
        'type = "number"\nscale = 2',
        {"type": "number", "fieldType": "number"},
        {"type": "currency", "precision": 18, "scale": 2},
    ),
    "number": (
        'type = "number"',
        {"type": "number", "fieldType": "number"},
        {"type": "double", "precision": 18, "scale": 8},
    ),
    "day": ('type = "date"', {"type": "date", "fieldType": "date"}, {"type": "date"}),
    "moment": ('type = "datetime"', {"type": "datetime", "fieldType": "date"}, {"type": "datetime"}),
    "several": (
        'type = "choices"',
        {"type": "enumeration", "fieldType": "checkbox"},
        {"type": "multipicklist", "length": 4099, "values": list(COLOURS)},
    ),
    "one": (
        'type = "choice"',
        {"type": "enumeration", "fieldType": "select"},
        {"type": "picklist", "length": 255, "values": list(COLOURS)},
    ),
    "yes": (
        'type = "bool"\nunset = false\nblank = "keep"',
        {"type": "enumeration", "fieldType": "booleancheckbox"},
        {"type": "boolean", "nillable": False, "defaulted": True, "default": False},
    ),
}
"""By field: what the mapping says, HubSpot's definition, Salesforce's field."""

NASTY_TEXTS = (
    "Ada", "  padded  ", "\u00a0padded\u00a0", "two\r\nlines", "old\rmac", "tab\there", "nul\x00inside", "bell\x07",
    "O'Brien \\' OR 1=1 --", "=1+1", "null", "NULL", "None", "undefined", "NaN", "-0", "0", "false", "1e5", "00042",
    "<p>Rich <b>text</b> &amp; more</p>", "&lt;escaped&gt;", "a;b;c", ";leading", '"quoted"', "{\"json\": 1}", "%20",
    "\u0639\u0628\u062f \u0627\u0644\u0644\u0647", "\u05e9\u05dc\u05d5\u05dd", "\u202eright to left", "Zoe\u0308",
    "\u00c5ngstr\u00f6m", "\U0001f469\u200d\U0001f4bb", "\U0001f1e9\U0001f1ea", "e\u0301" * 100, "x" * 255, "x" * 256,
    "\U0001f600" * 127, "\U0001f600" * 128, "\u200b", "\ufeffbom", "\u2028line", "\u4e2d\u6587\u540d\u5b57", "ß",
)  # fmt: skip
NASTY_NUMBERS = (
    "0", "-0", "0.1", "0.01", "0.005", "1.005", "-0.01", "2.675", "1234567.89", "99999999999999.99", "0.00000001",
    "123456789012345678", "1e3", "1E-7", "0.1234567890123", "9007199254740993", "-17.5", "1000000000000000000000",
)  # fmt: skip
NASTY_DAYS = ("2024-02-29", "1970-01-01", "1969-12-31", "1900-01-01", "2000-02-29", "2099-12-31", "1752-09-14")
NASTY_MOMENTS = (
    "2024-03-31T01:59:59Z", "2024-03-31T02:30:00+01:00", "2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00",
    "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999Z", "2024-11-03T01:30:00-04:00", "2038-01-19T03:14:08Z",
    "2024-02-29T12:00:00.500Z", "2024-06-30T23:59:59+14:00",
)  # fmt: skip


@pytest.fixture(scope="module")
def earth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both vendors with a field of each type, and the mapping that pairs them."""
    folder: Path = tmp_path_factory.mktemp("round-trips")
    mappings = folder / "mappings"
    mappings.mkdir()
    text = MAPPING
    with world(folder / "world") as made:
        for name, (more, definition, field) in KINDS.items():
            options = [{"label": one, "value": one} for one in COLOURS] if name in ("several", "one") else []
            if name == "yes":
                options = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
            known = {"name": f"rt_{name}", "label": name, "groupName": "contactinformation", "options": options}
            made.hubspot.act("property", "contacts", change="define", definition={**known, **definition})
            made.salesforce.act("field", "Contact", field=f"RT_{name}__c", set={"label": name, **field})
            said = FIELD.format(name=name, marketing=f"rt_{name}", crm=f"RT_{name}__c", more=more)
            text += said.replace('blank     = "clear"\n', "") if "blank" in more else said
        (mappings / "people.toml").write_text(text)
        made.configure(mappings=mappings)
        made.until_quiet()
        yield made


NUMBERS_GIVEN = itertools.count(1)


def address() -> str:
    return f"round{next(NUMBERS_GIVEN)}@example.com"


def settle(earth: World, side: str, name: str, values: list[Any]) -> None:
    """Puts each value on a record of its own, lets it cross, and holds all of it against what must be true."""
    there: dict[str, Any] = {}
    for value in values:
        mail = address()
        try:
            if side == "marketing":
                earth.hubspot.act("create", "contacts", values={"email": mail, "lastname": "R", f"rt_{name}": value})
            else:
                earth.salesforce.act(
                    "create", "Contact", values={"Email": mail, "LastName": "R", f"RT_{name}__c": value}
                )
        except (Refused, Rejection):  # what the system itself does not take is no value of it
            continue
        there[mail] = value
    assert len(there) >= len(values) * 0.6, f"the system took only {list(there.values())!r}"
    before = said(earth, side, name)
    earth.until_quiet()
    judge(earth, side, name, there, before)

    for key, row in earth.live("contacts").items():
        if row.get("email") in there:
            earth.hubspot.act("edit", "contacts", key, values={"lastname": "Moved"})
    earth.pass_time(2)
    earth.until_quiet()
    judge(earth, side, name, there, before)
    assert writes(earth.once()) == 0, "not quiet"


def judge(earth: World, side: str, name: str, there: dict[str, Any], before: dict[str, Any]) -> None:
    field = compiled(earth.folder.parent / "mappings").by_name["people"].field(name)
    marketing, crm = said(earth, "marketing", name), said(earth, "crm", name)
    excused = {issue.key for issue in earth.ledger.inbox.issues(limit=100_000) if issue.field == name}
    keys = {row.get("email"): key for key, row in earth.live("contacts").items()}
    others = {row.get("Email"): key for key, row in earth.live("Contact").items()}
    for mail in there:
        assert mail in marketing, f"{there[mail]!r} of {name} kept its record from marketing"
        assert mail in crm, f"{there[mail]!r} of {name} kept its record from the CRM"
        own = marketing if side == "marketing" else crm
        assert own[mail] == before[mail], f"{name}: the source's own {before[mail]!r} became {own[mail]!r}"
        if keys[mail] in excused or others[mail] in excused:
            continue
        if bent(earth, others[mail], name):
            continue
        left, right = field.canonical("marketing", marketing[mail]), field.canonical("crm", crm[mail])
        assert not isinstance(left, (Bad, Unmapped)), f"{name}: {marketing[mail]!r} cannot be read, and nobody was told"
        assert left == right, f"{name}: {marketing[mail]!r} on marketing, {crm[mail]!r} in the CRM"
        if field.type == "text":
            assert plain_text(marketing[mail]) == plain_text(crm[mail])


def bent(earth: World, person: str, name: str) -> bool:
    """The CRM kept another value than was written (a line of text has no line ends), and the journal says so."""
    object_ = earth.ledger.facts.object_id("salesforce", "Contact")
    entries = earth.ledger.journal.page(object=object_, key=person, limit=1000)
    return any(entry.kind == "bent" and entry.said.startswith(f"{name}:") for entry in entries)


def said(earth: World, side: str, name: str) -> dict[str, Any]:
    """What each record of a side says, by e-mail."""
    if side == "marketing":
        return {row["email"]: row.get(f"rt_{name}") for row in earth.live("contacts").values() if row.get("email")}
    return {row["Email"]: row.get(f"RT_{name}__c") for row in earth.live("Contact").values() if row["Email"]}


SIDES = pytest.mark.parametrize("side", ["marketing", "crm"])


@SIDES
@pytest.mark.parametrize("name", ["text", "long"])
def test_nasty_texts_settle_or_are_refused_in_words(earth: World, side: str, name: str) -> None:
    """Spaces, line ends, controls, rich text, other scripts, 255 and 256 characters, and what looks like something else."""
    settle(earth, side, name, list(NASTY_TEXTS))


@SIDES
@pytest.mark.parametrize("name", ["amount", "number"])
def test_nasty_numbers_settle_or_are_refused_in_words(earth: World, side: str, name: str) -> None:
    """Cents, binary fractions, minus zero, and what has more digits than a number carries."""
    values: list[Any] = [float(one) for one in NASTY_NUMBERS] if side == "crm" else list(NASTY_NUMBERS)
    settle(earth, side, name, values)


@SIDES
def test_nasty_days_settle(earth: World, side: str) -> None:
    """Leap days, the days around 1970, and years far away: a date has no time zone, whatever the zone of a server."""
    settle(earth, side, "day", list(NASTY_DAYS))


@SIDES
def test_nasty_moments_settle(earth: World, side: str) -> None:
    """Zones, both hours of a changing clock, parts of a second."""
    settle(earth, side, "moment", list(NASTY_MOMENTS))


@SIDES
def test_choices_settle_in_any_order(earth: World, side: str) -> None:
    """A set is a set: the order in which a system keeps it is nobody's edit."""
    settle(earth, side, "several", ["red;green", "green;red", "dark blue", ";".join(COLOURS), ";".join(COLOURS[::-1])])
    settle(earth, side, "one", list(COLOURS))
    settle(earth, side, "yes", ["true", "false"] if side == "marketing" else [True, False])


TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)
NUMBERS = st.decimals(-(10**15), 10**15, allow_nan=False, places=4).map(str)
DAYS = st.dates().filter(lambda one: one.year >= 1753).map(str)
MOMENTS = st.datetimes().filter(lambda one: 1753 <= one.year < 4000).map(lambda one: f"{one.isoformat()}Z")
CHOICES = st.lists(st.sampled_from(COLOURS), max_size=6).map(";".join)
ANY = {"text": TEXTS, "number": NUMBERS, "day": DAYS, "moment": MOMENTS, "several": CHOICES}


@SIDES
@pytest.mark.parametrize("name", list(ANY))
def test_any_value_settles_or_is_refused_in_words(earth: World, side: str, name: str) -> None:
    """Drawn by hypothesis, a batch of records at a time."""

    @given(values=st.lists(ANY[name], min_size=10, max_size=25))
    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def crosses(values: list[Any]) -> None:
        given = [float(one) for one in values] if name == "number" and side == "crm" else values
        settle(earth, side, name, given)

    crosses()


@SIDES
def test_edits_and_clears_cross_as_they_are(earth: World, side: str) -> None:
    """A value that replaces another, and a blank that clears it, where the field says so."""
    mail = address()
    start = {"email": mail, "lastname": "R", "rt_text": "before", "rt_number": "1.5", "rt_several": "red"}
    earth.hubspot.act("create", "contacts", values=start)
    earth.until_quiet()
    (contact,) = [key for key, row in earth.live("contacts").items() if row.get("email") == mail]
    (person,) = [key for key, row in earth.live("Contact").items() if row["Email"] == mail]
    for text, number, several in (
        ("after", "2.5", "green;red"),
        (string.ascii_letters, "-3", "dark blue"),
        ("", "", ""),
    ):
        if side == "marketing":
            earth.edit_contact(contact, rt_text=text, rt_number=number, rt_several=several)
        else:
            numbered = float(number) if number else None
            earth.edit_person("Contact", person, RT_text__c=text, RT_number__c=numbered, RT_several__c=several)
        earth.until_quiet()
        for name, value in (("text", text), ("number", number), ("several", several)):
            field = compiled(earth.folder.parent / "mappings").by_name["people"].field(name)
            wanted = field.canonical("marketing", value)
            assert field.canonical("marketing", said(earth, "marketing", name)[mail]) == wanted
            assert field.canonical("crm", said(earth, "crm", name)[mail]) == wanted
