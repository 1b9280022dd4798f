"""The closed loop is kept by differences, and comes to what it comes to from scratch, whatever happened in what order."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopworld import FUNNEL, Loop, make_loop

from syncd.core.sale import settle_sale
from syncd.core.standing import Standing, settle
from syncd.funnel.gathering import Scope
from syncd.ledger.sums import EVER

STEPS = 60
DAY = 86_400.0


class Life:
    """Somebody's working day at random: each step is one thing that people, or systems, do."""

    def __init__(self, loop: Loop, seed: int) -> None:
        self.loop, self.chance, self.n = loop, random.Random(seed), 0
        self.erased: set[str] = set()
        self.steps: list[Callable[[], None]] = [
            *[self.come] * 4, *[self.score] * 3, *[self.form] * 3, self.late_form, *[self.call] * 2, self.answer,
            *[self.convert] * 2, *[self.sell] * 3, self.edit_deal, self.reopen, self.merge, self.vanish, self.agree_anew,
            self.forget, self.wait,
        ]  # fmt: skip

    def step(self) -> str:
        """Does one thing; tells which."""
        chosen = self.chance.choice(self.steps)
        chosen()
        return chosen.__name__

    def _one(self, store: Any, object: str) -> str | None:
        keys = store.keys(object)
        return self.chance.choice(sorted(keys)) if keys else None

    def come(self) -> None:
        self.n += 1
        values = {"score": self.chance.choice([10, 60, 80]), "source": self.chance.choice(["web", "fair", None])}
        self.loop.person(f"p{self.n}@x.test", **values)

    def score(self) -> None:
        if key := self._one(self.loop.mk, "contacts"):
            self.loop.mk.edit("contacts", key, {"score": self.chance.choice([5, 55, 90])}, by="ann")

    def form(self) -> None:
        if key := self._one(self.loop.mk, "contacts"):
            self.loop.form(key, self.chance.choice(["General guide", "Choosing"]), self.loop.at)

    def late_form(self) -> None:
        """A touch of a month ago is heard of today."""
        if key := self._one(self.loop.mk, "contacts"):
            self.loop.form(key, "Heard of late", self.loop.at - self.chance.choice([1, 30, 200]) * DAY)

    def call(self) -> None:
        if key := self._one(self.loop.sf, self.chance.choice(["Lead", "Contact"])):
            self.loop.call(key, self.loop.at - self.chance.choice([0, 3600, 3 * DAY]))

    def answer(self) -> None:
        if key := self._one(self.loop.sf, "Lead"):
            said = self.chance.choice(["Closed", "Working", "Open"])
            values = {"Status": said, "Rating": self.chance.choice(["no budget", "never", "holiday"])}
            self.loop.sf.edit("Lead", key, values, by="rep")

    def convert(self) -> None:
        if key := self._one(self.loop.sf, "Lead"):
            self.loop.sf.convert("Lead", key, made={}, by="rep")

    def sell(self) -> None:
        roles = [key for key in self.loop.sf.keys("Contact") if self.chance.random() < 0.4]
        self.n += 1
        values = {
            "Name": f"D{self.n}", "Stage": self.chance.choice(["won", "lost", "talk"]), "Amount": self.n * 10.05,
            "Closed": self.chance.choice(["2027-01-20", "2027-02-03", None]), "Why": "price", "Roles": sorted(roles),
        }  # fmt: skip
        self.loop.sf.create("Opportunity", values, by="rep")

    def edit_deal(self) -> None:
        if key := self._one(self.loop.sf, "Opportunity"):
            roles = [who for who in self.loop.sf.keys("Contact") if self.chance.random() < 0.5]
            self.loop.sf.edit(
                "Opportunity", key, {"Amount": self.chance.choice([1.01, 99.99, None]), "Roles": roles}, by="rep"
            )

    def reopen(self) -> None:
        if key := self._one(self.loop.sf, "Opportunity"):
            self.loop.sf.edit("Opportunity", key, {"Stage": self.chance.choice(["talk", "won"])}, by="rep")

    def merge(self) -> None:
        keys = sorted(self.loop.mk.keys("contacts"))
        if len(keys) > 3:
            winner, loser = self.chance.sample(keys, 2)
            self.loop.mk.merge("contacts", winner, loser, by="ann")

    def vanish(self) -> None:
        if (key := self._one(self.loop.mk, "contacts")) and self.chance.random() < 0.3:
            self.loop.mk.delete("contacts", key, by="ann")

    def agree_anew(self) -> None:
        least = self.chance.choice([40, 50, 70])
        self.loop.funnel_text = FUNNEL.replace("score >= 50", f"score >= {least}")

    def forget(self) -> None:
        """`syncd forget`, as far as the ledger is concerned."""
        if (key := self._one(self.loop.mk, "contacts")) and self.chance.random() < 0.5:
            ledger = self.loop.ledger
            places = ledger.erasure.belonging([(ledger.facts.object_id("mk", "contacts"), key)])
            ledger.erasure.erase(places, self.loop.at)
            self.erased |= {of for _, of in places}

    def wait(self) -> None:
        self.loop.pass_time(self.chance.choice([1, 5, 40]) * DAY)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_loop_is_what_it_is_from_scratch(tmp_path: Path, seed: int) -> None:
    """Late touches, merges, reopened deals, changed amounts, new definitions, forgotten people: after each cycle every sum
    is that of the rows, every month that of its days, every deal what it comes to if settled anew, and everybody stands
    where looking at them again would put them."""
    loop = make_loop(tmp_path)
    life = Life(loop, seed)
    told: list[str] = []
    for _ in range(STEPS):
        told += [life.step() for _ in range(life.chance.choice([1, 3]))]
        loop.cycle()
        if life.chance.random() < 0.35:
            loop.cycle(2)
            judge(loop, life, told)
    loop.cycle(3)
    judge(loop, life, told)
    kinds = {one.kind for one in loop.ledger.inbox.issues()}
    assert not {kind for kind in kinds if kind.endswith("_sum")}, (kinds, told)


def judge(loop: Loop, life: Life, told: list[str]) -> None:
    """Everything from scratch, beside what is kept."""
    ledger, sums = loop.ledger, loop.ledger.loop.sums
    assert loop.counted() == loop.recounted(), told
    for figure in ("outcome", "reached", "qualified", "state", "clock", "won", "credit:linear"):
        assert sums.of(figure, 0, EVER) == sums.of(figure, 0, EVER, months=False), (figure, told)
    mappings = loop.mappings()
    scope = Scope.of(ledger, mappings, mappings.by_name)
    version = ledger.books.funnel()
    assert scope is not None
    assert version is not None
    now_ms = round((loop.at - 60) * 1000)
    for object_, form in scope.objects(scope.people, "marketing").items():
        said = scope.said(object_, form, [fact.key for fact in ledger.facts.walk(object_) if fact.into is None])
        kept = ledger.loop.standings(object_, list(said))
        again = {key: settle(scope.funnel, one, kept[key], now_ms, version.version) for key, one in said.items()}
        if "agree_anew" not in told:  # a new definition judges whom something moves from then on, and nobody before
            assert again == kept, told
        assert {key: _lasting(one) for key, one in again.items()} == {
            key: _lasting(one) for key, one in kept.items()
        }, told
    for object_ in scope.deal_place():
        facts = [
            fact for fact in ledger.facts.walk(object_) if not life.erased & set(fact.attributes.get("Roles") or ())
        ]
        again_sold = {key: settle_sale(scope.funnel, deal) for key, deal in scope.sold(facts).items()}
        assert again_sold == ledger.loop.sales(object_, list(again_sold)), told


def _lasting(one: Standing) -> Any:
    """What no definition changes."""
    return one.reached, one.came, one.source, one.owner, one.qualified, one.attempts, one.touched_ms, one.delivered_ms
