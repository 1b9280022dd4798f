"""Who an unlinked record is, and when a plan is too large: both from counters and candidates alone."""

from __future__ import annotations

import pytest

from syncd.core.guard import Counters, Limit, reasons
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
    assert bool(reasons(Counters(planned, today, links, first=False), LIMITS)) is held


def test_a_first_plan_is_held_whatever_its_size() -> None:
    """A person looks at it once."""
    assert reasons(Counters({"creates": 1}, {}, 0, first=True), LIMITS)
    assert not reasons(Counters({"creates": 0}, {}, 0, first=True), LIMITS)
