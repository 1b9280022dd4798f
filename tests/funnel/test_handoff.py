"""Hand-offs add up: everybody who ever met the definition is in one state, and the sums are those of the rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopworld import FUNNEL, Loop, make_loop

DAY = 86_400


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return make_loop(tmp_path)


def test_who_qualifies_is_delivered_and_the_rest_is_nurtured(loop: Loop) -> None:
    """Qualified counts from the record's own moment, whatever syncd does later."""
    ready = loop.person("ready@x.test", score=60, lifecyclestage="mql", source="web")
    cold = loop.person("cold@x.test", score=10, lifecyclestage="lead")
    made_ms = round(loop.at * 1000)
    loop.pass_time(300)
    loop.cycle(2)

    one, other = loop.standing(ready), loop.standing(cold)
    assert (one.outcome, one.state) == ("handoff", "delivered")
    assert one.qualified_ms == pytest.approx(made_ms, abs=10)
    assert (one.delivered_ms or 0) >= made_ms + 300_000
    assert (other.outcome, other.state) == ("nurture", None)
    assert loop.counted() == loop.recounted() != {}


def test_an_ambiguous_lead_is_blocked_until_it_is_resolved(loop: Loop) -> None:
    """The gap has a name for each record in it."""
    for _ in range(2):
        loop.sf.create("Lead", {"Email": "two@x.test", "LastName": "Y"}, by="rep")
    key = loop.person("two@x.test", score=60)
    loop.cycle(2)
    assert (loop.standing(key).state, loop.standing(key).reason) == ("blocked", "ambiguous")

    loop.sf.delete("Lead", loop.sf.keys("Lead")[0], by="rep")
    loop.cycle(3)
    assert loop.standing(key).state == "delivered"
    assert loop.counted() == loop.recounted()


def test_what_sales_gives_back_rests_and_may_be_taken_up_again(loop: Loop) -> None:
    """A rejected lead keeps its reason, leaves the hand-off stage on marketing's side, and rests for the agreed time."""
    key = loop.person("back@x.test", score=60, lifecyclestage="mql")
    loop.cycle(2)
    loop.sf.edit("Lead", loop.lead(key), {"Status": "Closed", "Rating": "no budget"}, by="rep")
    loop.cycle(3)
    given = loop.standing(key)
    assert (given.state, given.reason, given.outcome) == ("rejected", "no budget", "nurture")
    assert given.why == "sales gave them back: no budget"
    assert loop.mk.values("contacts", key)["lifecyclestage"] == "lead"

    loop.pass_time(11 * DAY)
    loop.cycle()
    assert loop.standing(key).outcome == "handoff"  # the rest is over; nobody else moved
    loop.mk.edit("contacts", key, {"lifecyclestage": "mql"}, by="ann")
    loop.cycle(3)
    again = loop.standing(key)
    assert (again.state, again.round) == ("delivered", 1)
    assert again.qualified_ms == given.qualified_ms
    assert (again.started_ms or 0) > (given.started_ms or 0)
    assert loop.counted() == loop.recounted()


def test_nobody_is_judged_by_a_later_version(loop: Loop) -> None:
    """A record keeps the version by which it qualified, and stays in the sum when the bar is raised."""
    key = loop.person("early@x.test", score=60)
    loop.cycle(2)
    loop.funnel_text = FUNNEL.replace("score >= 50", "score >= 90")
    later = loop.person("later@x.test", score=60)
    loop.cycle(2)

    assert (loop.standing(key).version, loop.standing(key).state) == (1, "delivered")
    assert loop.standing(key).outcome == "nurture"
    assert (loop.standing(later).version, loop.standing(later).state) == (2, None)
    assert loop.counted() == loop.recounted()


def test_a_deleted_person_leaves_the_sum_by_a_named_reason(loop: Loop) -> None:
    """Out of scope is a state, not a hole."""
    key = loop.person("gone@x.test", score=60)
    loop.cycle(2)
    loop.mk.delete("contacts", key, by="ann")
    loop.pass_time(7 * DAY)
    loop.cycle(2)

    assert (loop.standing(key).state, loop.standing(key).reason) == ("out_of_scope", "gone")
    assert loop.counted() == loop.recounted()


def test_a_mismatch_is_an_issue_and_closes_by_itself(loop: Loop) -> None:
    """The sum is checked whenever something of it changed."""
    loop.person("one@x.test", score=60)
    loop.cycle(2)
    with loop.ledger.transaction():
        loop.ledger.store.rows("UPDATE cell SET n = n + 1 WHERE figure = 'state' AND by = ''")
    loop.person("two@x.test", score=60)
    loop.cycle()
    assert [one.kind for one in loop.ledger.inbox.issues()] == ["handoff_sum"]

    with loop.ledger.transaction():
        loop.ledger.store.rows("UPDATE cell SET n = n - 1 WHERE figure = 'state' AND by = '' AND what = 'delivered'")
    loop.person("three@x.test", score=60)
    loop.cycle()
    assert loop.ledger.inbox.issues() == []


def test_a_cycle_in_which_nothing_moved_writes_nothing(loop: Loop) -> None:
    """The cost follows what changed."""
    loop.person("one@x.test", score=60)
    loop.cycle(4)
    before = loop.ledger.store.rows("SELECT * FROM standing")
    written: list[int] = []
    loop.ledger.store.on_commit = lambda: written.append(1)
    loop.cycle()
    idle = len(written)
    assert loop.ledger.store.rows("SELECT * FROM standing") == before
    assert loop.ledger.store.rows("SELECT * FROM stirred") == []
    assert idle < 25
