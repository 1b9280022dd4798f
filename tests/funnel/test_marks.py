"""Marks: what the funnel says of people who have no partner, written on their own records, once, whatever happens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from killing import Killed, Killer, dying
from loopworld import FUNNEL, LOOP_PEOPLE, Loop, make_loop
from world import writes

from connectors.memory import Fault, Kind
from syncd.assembly import Mappings
from syncd.core.compile import compile_mapping
from syncd.core.funnel import compile_funnel
from syncd.ruling import retry
from syncd.run import Bench, Tally

MARKED = (
    LOOP_PEOPLE
    + """
[promote]
crm = 'qualified'
[fields.outcome]
marketing = "outcome"
crm = "funnel.outcome"
flow = "to_marketing"
[fields.reason]
marketing = "reason"
crm = "funnel.reason"
flow = "to_marketing"
blank = "clear"
"""
)
LISTED = '[nurture]\nlist = "Nurture"\n'


@cache
def compiled(funnel_text: str) -> Mappings:
    funnel, problems = compile_funnel(funnel_text, "funnel.toml", None)
    assert funnel is not None, problems
    mapping, problems = compile_mapping(MARKED, "people.toml", funnel)
    assert mapping is not None, [str(one) for one in problems]
    return Mappings({"people": mapping}, funnel, ())


@dataclass
class Marked(Loop):
    """People alone, with what the funnel says of them."""

    funnel_text: str = FUNNEL.split("[credit]")[0] + LISTED

    def mappings(self) -> Mappings:
        return compiled(self.funnel_text)

    def until_quiet(self, most: int = 12) -> list[Tally]:
        """Also what turned is written."""
        tallies = [self.once()]
        while writes(tallies[-1]) or tallies[-1].waiting or tallies[-1].again:
            assert len(tallies) < most, [one.as_json(0) for one in tallies]
            tallies.append(self.once())
        return tallies

    def said(self, key: str) -> tuple[Any, ...]:
        """Outcome, and whether they are in the list."""
        values = self.mk.values("contacts", key)
        return values["outcome"], bool(values["list.Nurture"])


def make(path: Path) -> Marked:
    path.mkdir(exist_ok=True)
    loop = make_loop(path)
    text = "text length=255"
    kind = loop.mk.kinds["contacts"]
    more = Kind.of("contacts", outcome=text, reason=text, **{"list.Nurture": "bool"}).attributes
    traits = replace(kind.traits, lists="list.")
    loop.mk.kinds["contacts"] = replace(kind, traits=traits, attributes={**kind.attributes, **more})
    return Marked(loop.path, loop.mk, loop.sf)


def test_who_falls_short_is_marked_once_and_a_quiet_cycle_writes_nothing(tmp_path: Path) -> None:
    """Cost follows what turned: nobody is written to, or decided, while nothing turns."""
    loop = make(tmp_path)
    short, over = loop.person("a@x.test", score=10), loop.person("b@x.test", score=60)
    loop.until_quiet()
    assert (loop.said(short), loop.said(over)) == (("nurture", True), ("handoff", False))
    assert loop.mk.values("contacts", short)["reason"] == "does not meet the rule"

    quiet = loop.once()
    assert (writes(quiet), quiet.moved, quiet.again) == (0, 0, 0)
    loop.mk.edit("contacts", short, {"score": 70}, by="web")
    loop.until_quiet()
    assert (loop.said(short), len(loop.leads())) == (("handoff", False), 2)
    assert loop.ledger.inbox.conflicts() == []


def test_whom_sales_has_got_is_not_nurtured_when_their_score_goes_by(tmp_path: Path) -> None:
    """Out of the list when they are handed over, and not in again before sales gives them back."""
    loop = make(tmp_path)
    key = loop.person("a@x.test", score=60)
    loop.until_quiet()
    loop.mk.edit("contacts", key, {"score": 10}, by="web")
    loop.until_quiet()
    assert loop.said(key) == ("nurture", False)

    (lead,) = loop.sf.keys("Lead")
    loop.sf.edit("Lead", lead, {"Status": "Closed"}, by="rep")
    loop.until_quiet()
    assert loop.said(key) == ("nurture", True)


def test_somebodys_own_edit_of_a_mark_stands_until_the_funnel_says_otherwise(tmp_path: Path) -> None:
    """As with any field that flows one way: no fight over it."""
    loop = make(tmp_path)
    key = loop.person("a@x.test", score=10)
    loop.until_quiet()
    loop.mk.edit("contacts", key, {"outcome": "mine"}, by="ann")
    loop.until_quiet()
    assert loop.said(key) == ("mine", True)
    loop.mk.edit("contacts", key, {"score": 70}, by="web")
    loop.until_quiet()
    assert loop.said(key) == ("handoff", False)


def test_a_refused_mark_is_an_issue_and_is_sent_again_when_somebody_says_so(tmp_path: Path) -> None:
    """Nothing that was refused is sent again unchanged by itself."""
    loop = make(tmp_path)
    key = loop.person("a@x.test", score=10)
    loop.mk.faults.standing.append(Fault("refused", "write", "contacts", times=2, code="NO"))
    loop.until_quiet()
    assert loop.said(key)[0] is None
    kinds = sorted(one.kind for one in loop.ledger.inbox.issues())
    assert kinds == ["list_refused", "refused"]
    assert writes(loop.once()) == 0

    run = loop.run()
    bench = Bench.lay(run, loop.mappings().by_name["people"])
    for issue in loop.ledger.inbox.issues():
        retry(run, bench, issue)
    loop.until_quiet()
    assert (loop.said(key), loop.ledger.inbox.issues()) == (("nurture", True), [])


def test_whoever_was_put_into_the_list_unheard_is_taken_out_of_it(tmp_path: Path) -> None:
    """No record tells who is in a list: a write that was not answered counts as neither done nor undone."""
    loop = make(tmp_path)
    key = loop.person("a@x.test", score=10)
    loop.mk.faults.standing.append(Fault("doubtful_after", "write", "contacts", times=2))
    loop.cycle(2)
    assert loop.said(key) == ("nurture", True)
    loop.mk.edit("contacts", key, {"score": 70}, by="web")
    loop.cycle()  # the funnel's word turns while the doubt lasts
    loop.pass_time(600)
    loop.until_quiet()
    assert loop.said(key) == ("handoff", False)


@pytest.mark.parametrize("part", range(2))
def test_a_kill_anywhere_leaves_everybody_marked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """A mark is kept before it is sent, and its doubt is resolved by looking."""

    def story(path: Path) -> tuple[Marked, str, str]:
        loop = make(path)
        short = loop.person("a@x.test", score=10)
        over = loop.person("b@x.test", score=60)
        loop.cycle()
        loop.mk.edit("contacts", over, {"score": 20}, by="web")
        return loop, short, over

    whole, short, over = story(tmp_path / "whole")
    counter = Killer(at=-1)
    with dying(counter, monkeypatch):
        whole.cycle()
    whole.until_quiet()
    assert (whole.said(short), len(whole.leads())) == (("nurture", True), 1)
    assert counter.points > 10
    for at in range(1 + part, counter.points + 1, 2):
        loop, short, over = story(tmp_path / str(at))
        with dying(Killer(at), monkeypatch), pytest.raises(Killed):
            loop.cycle()
        loop.restart()
        loop.pass_time(600)
        loop.until_quiet()
        assert (loop.said(short), loop.said(over)[0], len(loop.leads())) == (("nurture", True), whole.said(over)[0], 1)
        loop.ledger.close()
