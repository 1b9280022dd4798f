"""What a difference is: every cause of one has its own name, and drift is what is left."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.compile import compile_mapping
from syncd.core.mapping import Mapping
from syncd.core.merge import pairs
from syncd.core.parity import STANDINGS, Seen, judge

TEXT = """
mapping = "p"
marketing = { system = "m", object = "contacts" }
crm = { system = "c", object = "Lead" }
[match]
by = ["email"]
[scope]
crm = 'email != "out@example.test"'
[fields.email]
marketing = "email"
crm = "Email"
type = "email"
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
"""


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    made, problems = compile_mapping(TEXT, "p.toml", None)
    assert made is not None, problems
    return made


def standing(mapping: Mapping, marketing: Seen, crm: Seen, *, under_way: bool = False) -> str:
    """How the name stands."""
    judged = judge(
        mapping, pairs(mapping, "contacts", "Lead"), {"marketing": marketing, "crm": crm}, under_way=under_way
    )
    return next(one.standing for one in judged if one.field == "name")


def end(form: str, attribute: str, said: Any, kept: Any, base: Any, *, newer: bool = False) -> Seen:
    mail = {"email" if form == "contacts" else "Email": "a@example.test"}
    now = None if said is GONE else {**mail, attribute: said}
    return Seen(form, now, 2 if newer else 1, {**mail, attribute: kept}, 1, {f"name:{attribute}": base})


GONE = object()


def m(said: Any, kept: Any = "Ada", base: Any = "Ada", *, newer: bool = False) -> Seen:
    return end("contacts", "name", said, kept, base, newer=newer)


def c(said: Any, kept: Any = "Ada", base: Any = "Ada", *, newer: bool = False) -> Seen:
    return end("Lead", "Name", said, kept, base, newer=newer)


@pytest.mark.parametrize(
    ("marketing", "crm", "under_way", "expected"),
    [
        (m("Ada"), c("Ada"), False, "agree"),
        (m("Ada"), c("Ada"), True, "agree"),
        (m("Bob", "Bob"), c("Ada"), True, "in_flight"),
        (m("Bob", newer=True), c("Ada"), False, "in_flight"),
        (m("Bob"), c("Ada"), False, "drift"),
        (m("Bob", "Bob"), c("Ada"), False, "drift"),
        (m("Bob", "Bob", "Bob"), c("Ada"), False, "by_rule"),
        (m(None, None), c("Ada"), False, "by_rule"),
        (m(GONE), c("Ada"), False, "unreadable"),
        (m("Ada"), c(GONE), False, "unreadable"),
    ],
)
def test_each_cause_of_a_difference_has_its_name(
    mapping: Mapping, marketing: Seen, crm: Seen, under_way: bool, expected: str
) -> None:
    """A planned write and a newer stamp are in flight; a missed change and a write that nobody planned are drift."""
    assert standing(mapping, marketing, crm, under_way=under_way) == expected
    assert expected in STANDINGS


def test_a_record_out_of_scope_differs_by_rule(mapping: Mapping) -> None:
    """Writing stops there by agreement: that is no drift."""
    out = Seen(
        "Lead", {"Email": "out@example.test", "Name": "Ada"}, 1, {"Email": "out@example.test", "Name": "Ada"}, 1, {}
    )
    assert standing(mapping, m("Bob", "Bob"), out) == "by_rule"
