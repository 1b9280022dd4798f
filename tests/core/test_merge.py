"""The two tables of the design, case by case: marketing now and before, crm now and before -> verdict and effect."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.compile import compile_mapping
from syncd.core.mapping import Mapping
from syncd.core.merge import UNASKED, Verdict, base_key, merge, pairs

TEXT = """
mapping   = "people"
marketing = { system = "mk", object = "contacts" }
crm       = { system = "sf", object = "Lead", becomes = "Contact" }
[match]
by = ["email"]
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
clash = "crm"
[fields.name]
marketing = "name"
crm = "Name"
clash = "marketing"
[fields.title]
marketing = "title"
crm = "Title"
clash = "hold"
meet = "hold"
[fields.phone]
marketing = "phone"
crm = "Phone"
clash = "crm"
blank = "clear"
[fields.score]
marketing = "score"
crm = "Score"
type = "number"
flow = "to_crm"
clash = "marketing"
[fields.rating]
marketing = "rating"
crm = { Lead = "Rating" }
flow = "to_marketing"
clash = "crm"
[fields.opt_out]
marketing = "optout"
crm = "OptOut"
type = "bool"
flow = "to_crm"
clash = "stricter"
[fields.stage]
marketing = "stage"
crm = { Lead = "Status" }
type = "choice"
values = { mql = "Open", sql = "Working", opportunity = "Working" }
other = "keep"
clash = "crm"
"""


def compiled() -> Mapping:
    mapping, problems = compile_mapping(TEXT, "people.toml", None)
    assert mapping is not None, [str(problem) for problem in problems]
    return mapping


MAPPING = compiled()
LEAD = {pair.field.name: pair for pair in pairs(MAPPING, "contacts", "Lead")}


def decide(field: str, m: Any, c: Any, base_m: Any = UNASKED, base_c: Any = UNASKED) -> Verdict | None:
    """The verdict on one field; UNASKED for what was not read, or has no base."""
    pair = LEAD[field]
    sides = [(pair.marketing, m), (pair.crm, c), (pair.marketing_base, base_m), (pair.crm_base, base_c)]
    marketing, crm, marketing_base, crm_base = ({n: v} if v is not UNASKED else {} for n, v in sides)
    found = merge((pair,), marketing, crm, marketing_base, crm_base)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("field", "m", "c", "base_m", "base_c", "kind", "to", "after"),
    [
        # nothing moved: no verdict at all, even where both sides differ
        ("name", "A", "A", "A", "A", None, None, None),
        ("name", "A", "B", "A", "B", None, None, None),
        # one side moved
        ("name", "New", "A", "A", "A", "marketing", "crm", "New"),
        ("name", "A", "New", "A", "A", "crm", "marketing", "New"),
        # both moved to the same: the false conflict
        ("name", "New", "New", "A", "A", "agree", None, None),
        ("email", "NEW@x.test", "new@x.test", "a@x.test", "a@x.test", "agree", None, None),
        # both moved, and differ: the field's rule
        ("name", "M", "C", "A", "A", "clash", "crm", "M"),
        ("email", "m@x.test", "c@x.test", "a@x.test", "a@x.test", "clash", "marketing", "c@x.test"),
        ("title", "M", "C", "A", "A", "clash", None, None),
        # a change of form only is no edit
        ("email", " A@x.test ", "b@x.test", "a@x.test", "b@x.test", "stand", None, None),
        # blanks
        ("name", None, "A", "A", "A", "stand", None, None),
        ("phone", None, "+49", "+49", "+49", "marketing", "crm", None),
        # one way: the source's move wins, an edit against the flow stands
        ("score", "90", 80, "80", 80, "marketing", "crm", 90),
        ("score", "80", 5, "80", 80, "stand", None, None),
        ("score", "90", 5, "80", 80, "marketing", "crm", 90),
        ("rating", "Hot", "Cold", "Hot", "Hot", "crm", "marketing", "Cold"),
        # consent only gets stricter
        ("opt_out", "true", False, "false", False, "marketing", "crm", True),
        ("opt_out", "false", True, "true", True, "stand", None, None),
        # n:1 keeps the finer value
        ("stage", "opportunity", "Working", "mql", "Open", "agree", None, None),
        ("stage", "mql", "Working", "mql", "Open", "crm", "marketing", "sql"),
        # values without counterpart leave the other side alone
        ("stage", "evangelist", "Open", "mql", "Open", "stand", None, None),
        # first meetings
        ("name", "A", "A", UNASKED, UNASKED, "agree", None, None),
        ("name", "A", None, UNASKED, UNASKED, "meet", "crm", "A"),
        ("name", None, "A", UNASKED, UNASKED, "meet", "marketing", "A"),
        ("name", "M", "C", UNASKED, UNASKED, "meet", "crm", "M"),
        ("title", "M", "C", UNASKED, UNASKED, "meet", None, None),
        ("score", None, 5, UNASKED, UNASKED, "meet", None, None),
        ("score", "9", 5, UNASKED, UNASKED, "meet", "crm", 9),
        ("stage", "evangelist", "Open", UNASKED, UNASKED, "meet", None, None),
        ("opt_out", "false", True, UNASKED, UNASKED, "meet", None, None),
        ("opt_out", "true", False, UNASKED, UNASKED, "meet", "crm", True),
        # one base known is no base
        ("name", "M", "C", "M", UNASKED, "meet", "crm", "M"),
        # unread is not blank
        ("name", UNASKED, "C", "A", "A", None, None, None),
        ("name", "M", UNASKED, "A", "A", None, None, None),
    ],
)
def test_the_table(
    field: str, m: Any, c: Any, base_m: Any, base_c: Any, kind: str | None, to: str | None, after: Any
) -> None:
    """Every row of the table, and what each rule of a field makes of it."""
    verdict = decide(field, m, c, base_m, base_c)
    assert (verdict.kind if verdict else None) == kind
    if verdict is not None:
        assert verdict.to == to
        assert verdict.after == after


def test_a_held_clash_settles_nothing_and_asks_a_person() -> None:
    """What waits for a person stays as it is."""
    verdict = decide("title", "M", "C", "A", "A")
    assert verdict is not None
    assert (verdict.settles, verdict.issue) == (False, "clash")


def test_the_overridden_side_is_named_as_the_loser() -> None:
    """Its value is to be kept; a side that did not move loses nothing."""
    clash, calm = decide("name", "M", "C", "A", "A"), decide("name", "New", "A", "A", "A")
    assert clash is not None
    assert clash.lost == "crm"
    assert calm is not None
    assert calm.lost is None


def test_a_value_that_never_crossed_is_kept_when_it_is_overridden() -> None:
    """Its write was refused, and a person knows; the other side's next edit replaces the only place where it stands."""
    over = decide("name", "A2", "B", "A2", "A")
    assert over is not None
    assert (over.kind, over.to, over.after, over.lost) == ("crm", "marketing", "B", "marketing")
    agreed = decide("name", "A", "B", "A", "A")
    assert agreed is not None
    assert agreed.lost is None


def test_a_form_without_the_attribute_has_no_such_field() -> None:
    """A Contact has no Status: the field is unasked there, never blank."""
    names = {pair.field.name for pair in pairs(MAPPING, "contacts", "Contact")}
    assert "stage" not in names
    assert "rating" not in names
    assert "email" in names


def test_a_base_belongs_to_field_and_attribute() -> None:
    """Decision note 0030: a re-mapped field has no base."""
    assert base_key("phone", "Phone") != base_key("phone", "HomePhone")
