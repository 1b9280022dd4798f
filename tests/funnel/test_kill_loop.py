"""Kill the process at every commit and call while people are handed over, given back and sold to: no sum goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import Killed, Killer, dying
from loopworld import Loop, make_loop

from syncd.ledger.loop import START

PARTS = 4


def story(path: Path) -> Loop:
    """Somebody to be handed over, somebody to be blocked, somebody who is called and converted with a deal, somebody who
    is given back; nothing of the second half is followed yet."""
    path.mkdir()
    loop = make_loop(path)
    ada, bob = loop.person("ada@x.test", score=60, source="web"), loop.person("bob@x.test", score=70)
    loop.cycle(2)
    loop.person("new@x.test", score=80)
    for _ in range(2):
        loop.sf.create("Lead", {"Email": "two@x.test", "LastName": "Y"}, by="rep")
    loop.person("two@x.test", score=60)
    loop.call(loop.lead(ada))
    loop.form(ada, "General guide", loop.at - 86_400)
    loop.sf.edit("Lead", loop.lead(bob), {"Status": "Closed", "Rating": "no budget"}, by="rep")
    _, contact = loop.sf.convert("Lead", loop.lead(ada), made={}, by="rep")
    values = {"Name": "Big", "Stage": "won", "Amount": 1000.01, "Closed": "2027-01-16", "Roles": [contact]}
    loop.sf.create("Opportunity", values, by="rep")
    loop.pass_time(60)
    return loop


def judge(loop: Loop) -> None:
    """What must be true wherever the process died."""
    assert loop.counted() == loop.recounted()
    states = sorted(
        str(one.state) for _, _, one in loop.ledger.loop.people({}, None, None, "came", START, 100) if one.state
    )
    assert states == ["blocked", "delivered", "delivered", "rejected"]
    credited = {key: pair for key, pair in loop.counted().items() if key[0] == "credit:linear"}
    assert [amount for _, amount in credited.values()] == [100_001]
    assert [one.kind for one in loop.ledger.inbox.issues()] == ["ambiguous"]
    assert loop.ledger.store.rows("SELECT * FROM stirred") == []


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_anywhere_leaves_every_sum_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    """A batch, its sums and its marks are one transaction."""
    whole = story(tmp_path / "whole")
    counter = Killer(at=-1)
    with dying(counter, monkeypatch):
        whole.cycle()
    whole.cycle(4)
    judge(whole)
    assert counter.points > 20
    for at in range(1 + part, counter.points + 1, PARTS):
        loop = story(tmp_path / str(at))
        with dying(Killer(at), monkeypatch), pytest.raises(Killed):
            loop.cycle()
        loop.restart()
        loop.pass_time(600)
        loop.cycle(4)
        judge(loop)
        loop.ledger.close()
