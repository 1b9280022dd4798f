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


def test_a_mismatch_is_an_issue_in_the_next_cycle_and_closes_by_itself(loop: Loop) -> None:
    """The sum is checked in every cycle, also where nobody moved."""
    loop.person("one@x.test", score=60)
    loop.cycle(2)
    for table in ("cell", "cell_month"):
        with loop.ledger.transaction():
            loop.ledger.store.rows(f"UPDATE {table} SET n = n + 1 WHERE figure = 'state' AND by = ''")
        loop.cycle()
        assert [(one.kind, one.mapping) for one in loop.ledger.inbox.issues()] == [("handoff_sum", "people")]

        with loop.ledger.transaction():
            loop.ledger.store.rows(f"UPDATE {table} SET n = n - 1 WHERE figure = 'state' AND by = ''")
        loop.cycle()
        assert loop.ledger.inbox.issues() == []


@pytest.mark.parametrize(
    ("plant", "mend", "said"),
    [
        ("UPDATE sale_tally SET amount = amount + 1", "UPDATE sale_tally SET amount = amount - 1", "rows"),
        (
            "UPDATE cell_month SET amount = amount - 1 WHERE figure = 'credit:linear'",
            "UPDATE cell_month SET amount = amount + 1 WHERE figure = 'credit:linear'",
            "the model linear",
        ),
        (
            "UPDATE cell_month SET amount = amount + 1 WHERE figure = 'cause'",
            "UPDATE cell_month SET amount = amount - 1 WHERE figure = 'cause'",
            "the model first, the model last, the model linear, the model position",
        ),
    ],
)
def test_a_cent_that_is_nowhere_is_an_issue(loop: Loop, plant: str, mend: str, said: str) -> None:
    """What was won is what is credited and what is not attributed, under every model and in every cycle."""
    key = loop.person("ada@x.test", score=60, source="web")
    loop.cycle(2)
    _, contact = loop.sf.convert("Lead", loop.lead(key), made={}, by="rep")
    loop.form(key, "General guide", loop.at - DAY)
    for name, who in (("Big", [contact]), ("None", None)):
        values = {"Name": name, "Stage": "won", "Amount": 10.01, "Closed": "2027-01-15", "Roles": who}
        loop.sf.create("Opportunity", values, by="rep")
    loop.cycle(3)
    assert loop.ledger.inbox.issues() == []
    with loop.ledger.transaction():
        loop.ledger.store.rows(plant)
    loop.cycle()
    (issue,) = loop.ledger.inbox.issues()
    assert (issue.kind, issue.mapping) == ("revenue_sum", "deals")
    assert said in issue.reason
    with loop.ledger.transaction():
        loop.ledger.store.rows(mend)
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
