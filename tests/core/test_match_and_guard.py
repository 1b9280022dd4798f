"""Who an unlinked record is, and when a plan is too large: both from counters and candidates alone."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.guard import Counters, FieldCount, Limit, reasons
from syncd.core.match import Held, pick

ME = Held(1, "me", 0, None)
TWIN = Held(1, "twin", 0, None)
LEAD = Held(2, "lead", 0, None)
OTHER_LEAD = Held(2, "lead2", 0, None)
CONTACT = Held(3, "contact", 1, None)
OTHER_CONTACT = Held(3, "contact2", 1, None)
TAKEN = Held(2, "lead", 0, 7)


@pytest.mark.parametrize(
    ("own", "across", "kind", "partner"),
    [
        ([ME], [], "none", None),
        ([ME], [LEAD], "one", LEAD),
        ([ME], [LEAD, OTHER_LEAD], "several", None),
        ([ME], [LEAD, CONTACT], "one", CONTACT),
        ([ME], [LEAD, OTHER_LEAD, CONTACT], "one", CONTACT),
        ([ME], [CONTACT, OTHER_CONTACT], "several", None),
        ([ME], [TAKEN], "taken", TAKEN),
        ([ME, TWIN], [LEAD], "several", LEAD),
        ([ME, TWIN], [], "several", None),
        ([ME, Held(1, "later", 1, None)], [LEAD], "shadow", None),
    ],
)
def test_a_partner_is_never_the_first_one_found(
    own: list[Held], across: list[Held], kind: str, partner: Held | None
) -> None:
    """One candidate, or none, or a person; of a record's forms the later one has precedence."""
    choice = pick(own, across, (1, "me"))
    assert choice.kind == kind
    if kind in ("one", "taken"):
        assert choice.partner == partner


LIMITS = {"creates": Limit(per_cycle=10, per_day=100, share=0.1), "clears": Limit(per_cycle=0, per_day=5, share=0.0)}


@pytest.mark.parametrize(
    ("planned", "today", "links", "held"),
    [
        ({"creates": 10}, {}, 0, False),
        ({"creates": 11}, {}, 0, True),
        ({"creates": 20}, {}, 200, False),
        ({"creates": 21}, {}, 200, True),
        ({"creates": 5}, {"creates": 95}, 1000, False),
        ({"creates": 6}, {"creates": 95}, 1000, True),
        ({"clears": 1}, {}, 1000, True),
        ({}, {"creates": 1000}, 0, False),
    ],
)
def test_a_plan_is_held_beyond_both_limits_of_a_cycle_or_that_of_a_day(
    planned: dict[str, int], today: dict[str, int], links: int, held: bool
) -> None:
    """At the limit it opens, one more and it is held; nothing planned is never held."""
    assert bool(reasons(Counters(planned, today, lambda: links, first=False), LIMITS)) is held


def test_a_first_plan_is_held_whatever_its_size() -> None:
    """A person looks at it once."""
    assert reasons(Counters({"creates": 1}, {}, lambda: 0, first=True), LIMITS)
    assert not reasons(Counters({"creates": 0}, {}, lambda: 0, first=True), LIMITS)


# ---------------------------------------------------------------- one field, one value, an edit, everything at once

FIELD_LIMITS = {
    "field": Limit(per_cycle=100, per_day=150, share=0.1),
    "same_value": Limit(per_cycle=50, per_day=10_000, share=0.05),
    "identity": Limit(per_cycle=10, per_day=100, share=0.01),
    "edited": Limit(per_cycle=30, per_day=10_000, share=0.02),
    "moved": Limit(per_cycle=500, per_day=10_000, share=0.5),
}


def held(*, links: int = 1000, edited: bool = False, moved: int = 0, **field: Any) -> list[str]:
    """The reasons against a plan of as many updates as its one field has."""
    one = FieldCount(**{"side": "crm", "field": "phone", "updates": 0, "today": 0, "same": 0, **field})
    planned = {"creates": 0, "updates": one.updates, "clears": 0, "deletes": 0}
    return reasons(
        Counters(planned, {}, lambda: links, False, [one], frozenset({"email"}), edited, moved), FIELD_LIMITS
    )


@pytest.mark.parametrize(
    ("field", "edge"),
    [
        ({"updates": 100}, {"updates": 101}),
        ({"updates": 50, "today": 100}, {"updates": 51, "today": 100}),
        ({"updates": 60, "same": 50}, {"updates": 60, "same": 51}),
        ({"field": "email", "updates": 10}, {"field": "email", "updates": 11}),
        ({"updates": 30, "edited": True}, {"updates": 31, "edited": True}),
        ({"updates": 1, "moved": 500}, {"updates": 1, "moved": 501}),
    ],
)
def test_a_plan_is_held_one_beyond_each_limit_and_not_at_it(field: dict[str, Any], edge: dict[str, Any]) -> None:
    """No guard is off by one: one field, one value, who records are, an edited file, everything moved."""
    assert not held(**field)
    assert len(held(**edge)) == 1


def test_a_share_of_the_links_is_allowed_too_and_links_are_counted_only_when_asked_for() -> None:
    """A large mapping may do more at once; counting its links costs, and is not done for a small plan."""
    assert not held(updates=101, links=2000)

    def never() -> int:
        raise AssertionError("counted")

    one = FieldCount("crm", "phone", 5, 0, 5)
    assert not reasons(Counters({"updates": 5}, {}, never, False, [one]), FIELD_LIMITS)
