"""Stories that broke a promise once, as short as they were shrunk: bugs that the simulation found in the engine, and one that
it meets too seldom."""

from __future__ import annotations

from pathlib import Path

import departments
import pytest
from campaign import scene
from departments import Killed
from items import Act, Cycle, Item, Keep, Story, Trouble
from play import Player
from script import ADMINS
from tale import Step

PERSON = {"email": "p0@x.test", "score": 80, "stage": "marketingqualifiedlead", "last_name": "Ada", "form": "Contact"}
USED_UP = next(one for one in ADMINS if one.vendor == "hubspot" and "calls" in one.what)


def played(beginning: list[Item], story: list[Item], *, calm: bool = False) -> Player:
    """What became of it; no promise may be broken."""
    player = scene(Story(0, False, calm, beginning, [story]))
    assert not player.acceptor.violations, player.acceptor.violations[0]
    return player


def test_a_day_of_calls_that_others_used_up_is_over_some_time() -> None:
    """A daemon that was started when only the vendor's reserve was left believed that figure for ever."""
    player = played([Act("crm", 4, "create", value=PERSON)], [USED_UP, Cycle()])

    assert player.acceptor.happened["reserve"]
    assert len(player.acceptor.pairs()) == 1


def test_a_full_disk_is_no_vendors_trouble() -> None:
    """Whichever system was just being read was said to be in trouble, and left alone for a while."""
    people: list[Item] = [
        Act("crm", n, "create", value=PERSON | {"email": f"p{n}@x.test", "last_name": "x" * 70, "phone": "1" * 40})
        for n in range(30)
    ]
    player = played([], [Cycle(), Keep("full"), *people, Cycle(), Cycle()])

    assert player.acceptor.happened["the disk was full"]
    assert not [facts for name, facts in player.town.events if name == "system_trouble"]


def test_what_was_planned_on_an_older_sight_does_not_leave_beside_a_doubt() -> None:
    """One end's write was not answered, the other end's had yet to leave, and its source was edited: the old value left."""
    played(
        [Act("marketing", 0, "create", value=PERSON | {"phone": "+49 30 0000002"}), Act("crm", 0, "create", value=PERSON)],
        [
            Trouble("salesforce", "redirect", _redirect("/composite(/sobjects)?$")),
            Trouble("hubspot", "empty answer", {"kind": "status", "status": 200, "body": {}, "nth": 1, "times": 1, "path": "/batch/update$"}),
            Cycle(),
            Act("marketing", 0, "edit", "phone", "+49 (30) 0000037"),
        ],
    )  # fmt: skip


def test_who_stopped_qualifying_while_the_plan_was_held_is_not_made() -> None:
    """The gate is asked again on what is known when the plan is released."""
    someone = Act("marketing", 0, "create", value=PERSON)
    player = scene(
        Story(0, False, False, [someone], [[Cycle(), Act("marketing", 0, "edit", "score", 49), Cycle()]], careful=True)
    )

    assert not player.acceptor.violations, player.acceptor.violations[0]
    assert player.acceptor.happened["first plan held"]
    assert not player.acceptor.keys, "somebody was made"


COME, BACK, REST, QUALIFIED = ("come", 0.8, 0.9), ("answer", 0.0, 0.5), ("wait", 0.9, 0.0), ("move_on", 0.0, 0.9)
FOR_EVER = ("answer", 0.99, 0.5)
QUIET = ("cycle", 0)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            [COME, QUIET, BACK, REST, QUIET, QUALIFIED, FOR_EVER], id="for ever, as they are to be opened again"
        ),
        pytest.param(
            [COME, QUIET, BACK, REST, QUIET, QUALIFIED, QUIET, BACK, QUIET], id="closed as soon as it was opened"
        ),
        pytest.param([("come", 0.8, 0.5), QUIET], id="marketing still has them in a stage of its own"),
    ],
)
def test_sales_has_the_last_word_about_a_lead(tmp_path: Path, steps: list[Step]) -> None:
    """What sales said a moment ago was not heard yet, or was taken for something else."""
    tale = departments.tell(0, tmp_path, steps)

    assert not tale.broken, tale.broken


def test_what_a_run_read_and_did_not_follow_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales gave somebody back for ever, and syncd died before it knew where they stand: marketing's next word opens nothing."""
    loop = departments.make(tmp_path)
    key = loop.person("a@x.test", score=80, optout=False, lifecyclestage="mql")
    loop.cycle(2)
    lead = loop.lead(key)
    loop.sf.edit("Lead", lead, {"Status": "Closed", "Rating": departments.NEVER}, by="rep")

    def dies(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("syncd.cycle.follow", dies)
        with pytest.raises(Killed):
            loop.cycle()
    loop.restart()
    loop.mk.edit("contacts", key, {"lifecyclestage": "mql"}, by="ann")
    loop.cycle(2)

    assert loop.sf.values("Lead", lead)["Status"] == "Closed"
    loop.ledger.close()


def _redirect(path: str) -> dict[str, object]:
    return {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere", "nth": 1, "times": 2, "path": path}
