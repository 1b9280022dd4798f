"""What happened before syncd was there is told in its own time; and who was two records is counted once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from loopworld import FUNNEL, make_loop

from syncd.core.funnel import Funnel, compile_funnel
from syncd.core.heir import inherit
from syncd.core.standing import Said, Standing, settle

NOW = 1_800_000_000_000
"""Friday, 15 January 2027, 08:00 UTC."""
HOUR, DAY = 3_600_000, 86_400_000
AGREED = NOW - 1_000


def funnel() -> Funnel:
    """The one of the loop's world."""
    found = compile_funnel(FUNNEL, "funnel.toml", None)[0]
    assert found is not None
    return found


def told(**more: Any) -> Said:
    """Somebody who lacks interest today, was qualified 100 days ago, and whom sales has had since the day after."""
    facts: dict[str, Any] = {
        "context": {"score": 10.0, "stage": "mql"},
        "stamp_ms": NOW,
        "since_ms": NOW - 100 * DAY,
        "linked_ms": NOW,
        "crm": {"stage": "sql"},
        "crm_ms": NOW,
        "routed": True,
        "moves": (NOW - 99 * DAY, NOW - 95 * DAY),
        "touches": (NOW - 97 * DAY,),
        "agreed_ms": AGREED,
    }
    return Said(**{**facts, **more})


def test_who_was_handed_over_by_hand_counts_from_then() -> None:
    """Marketing's own stamp says when they qualified, the CRM's own history when sales had them and took them on."""
    one = settle(funnel(), told(), None, NOW, 1)

    assert (one.state, one.qualified_ms, one.delivered_ms) == ("delivered", NOW - 100 * DAY, NOW - 99 * DAY)
    assert (one.touched_ms, one.accepted_ms) == (NOW - 97 * DAY, NOW - 95 * DAY)
    assert one.routing_s == 0
    assert one.clock == "met_late"


def test_a_rejection_is_as_old_as_the_crm_says() -> None:
    """Not as old as its last edit, which may be syncd's own."""
    one = settle(funnel(), told(crm={"stage": "lead"}), None, NOW, 1)

    assert (one.state, one.rejected_ms) == ("rejected", NOW - 95 * DAY)


def test_the_move_by_which_sales_got_a_lead_is_no_rejection() -> None:
    """The history may come later than the record: then the record's own stamp counts, and the rest begins now."""
    made = NOW - 40 * DAY
    had = Standing(state="delivered", version=1, qualified_ms=made, started_ms=made, delivered_ms=made + 500)
    facts = {"crm": {"stage": "lead"}, "handed": True, "since_ms": None, "linked_ms": made + 500}
    one = settle(funnel(), told(**facts, moves=(made,)), had, NOW, 1)

    assert (one.state, one.rejected_ms) == ("rejected", NOW)


def test_an_old_word_of_marketing_is_no_second_qualification() -> None:
    """Sales gave them back long ago, and nobody told marketing: that it still calls them qualified opens nothing again.
    Once it says so anew, it does."""
    ready = {"score": 60.0, "stage": "mql"}
    given_back: dict[str, Any] = {"crm": {"stage": "lead"}, "context": ready}
    stale = told(**given_back, times={"mql": NOW - 100 * DAY})
    first = settle(funnel(), stale, None, NOW, 1)
    again = settle(funnel(), stale, first, NOW + HOUR, 1)
    assert (first.state, again.state, again.round) == ("rejected", "rejected", 0)

    anew = settle(funnel(), told(**given_back, times={"mql": NOW - DAY}), again, NOW + 2 * HOUR, 1)
    assert (anew.state, anew.reopening, anew.round) == ("waiting", True, 1)


@pytest.mark.parametrize(
    "more",
    [{"since_ms": None}, {"moves": ()}, {"moves": (NOW - 200 * DAY,)}, {"moves": (NOW,)}, {"linked_ms": None}],
    ids=["no stamp", "no history", "sales had them before", "after there was a definition", "not in sales"],
)
def test_nobody_else_is_taken_for_handed_over(more: dict[str, Any]) -> None:
    """Each half of the proof is needed: marketing's stamp, and a move of sales' record between it and the definition."""
    assert settle(funnel(), told(**more), None, NOW, 1).state is None


def test_a_conversion_does_not_hide_when_they_were_called() -> None:
    """The contact is younger than the lead that it was; nobody is called before they are there."""
    said = told(moves=(NOW - 50 * DAY,), touches=(NOW - 98 * DAY,), converted=True, crm={})

    assert settle(funnel(), said, None, NOW, 1).delivered_ms == NOW - 98 * DAY


def test_who_qualified_first_is_whom_the_other_becomes() -> None:
    """The earliest hand-off stays, whichever record lives on."""
    early = Standing(state="delivered", qualified_ms=1, came=5, reached=1, source="web", entered={"lead": 1})
    late = Standing(
        state="rejected", qualified_ms=2, came=4, reached=3, campaign="guide", entered={"lead": 9, "mql": 9}
    )
    for one in (inherit(early, late), inherit(late, early)):
        assert (one.state, one.qualified_ms, one.came, one.reached) == ("delivered", 1, 4, 3)
        assert (one.source, one.campaign, one.entered) == ("web", "guide", {"lead": 1, "mql": 9})
    assert inherit(None, early) == early


def test_a_merged_person_is_counted_once(tmp_path: Path) -> None:
    """The record that lives on takes the place of both, and the sums are those of the rows."""
    loop = make_loop(tmp_path)

    def qualified() -> int:
        return sum(n for (figure, _, _, by, _), (n, _) in loop.counted().items() if (figure, by) == ("qualified", ""))

    ready = loop.person("ready@x.test", score=60, lifecyclestage="mql", source="web")
    double = loop.person("double@x.test", score=60, lifecyclestage="mql", source="web")
    loop.cycle(2)
    assert qualified() == 2

    loop.mk.merge("contacts", ready, double, by="ann")
    loop.cycle(3)
    assert loop.counted() == loop.recounted()
    assert qualified() == 1
    assert "handoff_sum" not in {issue.kind for issue in loop.ledger.inbox.issues(limit=10)}
