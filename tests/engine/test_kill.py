"""Kill the process anywhere: at every commit of the ledger and at every call, before and after it is applied.

The story creates, updates and conflicts on both sides. After each kill a new process takes over; when it is quiet
there must be no duplicate, no lost edit, and nothing left to write.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import Killed, Killer, dying
from world import World, make, writes


def story(tmp_path: Path) -> World:
    """A linked pair with edits on both sides and a clash, and somebody new on each side."""
    world = make(tmp_path)
    ada = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80, "lifecyclestage": "mql"})
    bob = world.mk.create("contacts", {"email": "bob@x.test", "lastname": "Bob", "score": 80, "lifecyclestage": "mql"})
    world.until_quiet()
    by_email = {world.sf.values("Lead", k)["Email"]: k for k in world.sf.keys("Lead")}
    world.mk.edit("contacts", ada, {"phone": "+49 30 111111"}, by="ann")
    world.sf.edit("Lead", by_email["ada@x.test"], {"Rating": "Hot", "Status": "Working"}, by="rep")
    world.mk.edit("contacts", bob, {"lastname": "Bobby"}, by="ann")
    world.sf.edit("Lead", by_email["bob@x.test"], {"LastName": "Robert"}, by="rep")
    world.mk.create("contacts", {"email": "new@x.test", "lastname": "New", "score": 70, "lifecyclestage": "mql"})
    world.sf.create("Lead", {"Email": "sue@x.test", "LastName": "Sue", "Status": "Open", "Rating": "Cold"}, by="rep")
    world.mk.writes.clear()
    world.sf.writes.clear()
    return world


def judge(world: World) -> None:
    """What must be true whenever and wherever the process died."""
    people = sorted(c["email"] for c in world.contacts())
    assert people == ["ada@x.test", "bob@x.test", "new@x.test", "sue@x.test"]
    leads = {lead["Email"]: lead for lead in world.leads()}
    assert sorted(leads) == people
    assert len(world.leads()) == 4, "a duplicate in the CRM"
    contacts = {c["email"]: c for c in world.contacts()}
    assert leads["ada@x.test"]["Phone"] == "+49 30 111111"
    assert contacts["ada@x.test"]["crm_rating"] == "Hot"
    assert contacts["ada@x.test"]["lifecyclestage"] in ("sql", "opportunity")
    assert contacts["bob@x.test"]["lastname"] == leads["bob@x.test"]["LastName"] == "Robert"
    assert contacts["sue@x.test"]["crm_rating"] == "Cold"
    lost = [c.lost for c in world.ledger.inbox.conflicts() if c.field == "last_name"]
    assert "Bobby" in lost, "the edit that lost was not kept"
    assert world.ledger.links.count("people") == 4
    assert world.ledger.journal.verify()[1] is None
    assert world.ledger.store.integrity() == "ok"


def points_of_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    world = story(tmp_path)
    counter = Killer(at=-1)
    with dying(counter, monkeypatch):
        world.until_quiet()
    judge(world)
    return counter.points


def test_a_kill_anywhere_loses_nothing_and_duplicates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I6, I7, I8: at every commit and every call, before and after."""
    total = points_of_a_whole_run(tmp_path / "whole", monkeypatch)
    assert total > 40
    for at in range(1, total + 1):
        world = story(tmp_path / str(at))
        with dying(Killer(at), monkeypatch), pytest.raises(Killed):
            world.until_quiet()
        world.restart()
        world.until_quiet(most=12)
        judge(world)
        world.pass_time(world.timing.late_s)
        assert writes(world.once()) == 0, f"killed at point {at}: not quiet"


@pytest.mark.parametrize("apply", [True, False], ids=["applied", "lost"])
@pytest.mark.parametrize("side", ["mk", "sf"])
def test_an_answer_that_never_comes_is_looked_for(tmp_path: Path, side: str, apply: bool) -> None:
    """Doubt: whether or not the write was applied, it ends applied once."""
    world = story(tmp_path)
    kind = "doubtful_after" if apply else "doubtful_before"
    getattr(world, side).fault(kind, times=2)
    world.until_quiet(most=20)
    judge(world)
    assert writes(world.once()) == 0
