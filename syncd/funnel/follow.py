"""Follows people and deals after each cycle: where they stand now, and what follows from it.

Promise: the cost follows what moved: facts by their revisions, links, issues and events by what stirred them, clocks by
when they turn. A batch, its sums and its marks are kept in one transaction, so that a kill repeats at most one batch, with
the same result. Nothing is written to any system, and no call leaves from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd import refers, rollups
from syncd.assembly import Mappings
from syncd.core.heir import inherit
from syncd.core.sale import settle_sale
from syncd.core.standing import Standing, settle
from syncd.funnel.derived import MARK
from syncd.funnel.gathering import Scope
from syncd.funnel.handoff import check_revenue, check_sum
from syncd.run import Bench, Run

BATCH = 500
"""People, or deals, whose standing is kept in one transaction."""
NEWS_S = 86_400.0
"""What was breached so long ago when it is first seen is told by reports only."""


def follow(run: Run, mappings: Mappings, benches: Sequence[Bench]) -> None:
    """Brings the closed loop up to date with the ledger."""
    bound = {bench.mapping.name: bench.mapping for bench in benches}
    scope = Scope.of(run.ledger, mappings, {**mappings.by_name, **bound})
    if scope is None:
        run.ledger.loop.drop_stirred([])
        return
    if scope.people.name not in bound:
        return  # this run did not read them
    kept = [scope.people.name, *([scope.deals.name] if scope.deals is not None else [])]
    run.ledger.loop.drop_stirred(kept)
    _index(run, scope)
    follower = _Follower(run, scope)
    follower.people()
    follower.deals()
    check_sum(run, scope)
    check_revenue(run, scope)


def catch_up(run: Run, mappings: Mappings, benches: Sequence[Bench]) -> None:
    """Follows what the run before this one had read, if it died: nothing is decided on where somebody stood before that.
    (After a plan, what it showed is what is sent.)"""
    before = run.ledger.books.runs(run.id, 1)
    if before and before[0].ended_at is None:
        follow(run, mappings, benches)


def _index(run: Run, scope: Scope) -> None:
    """Who is on which deal, where no roll-up keeps that index already."""
    wanted = {(object_, attribute) for object_, (_, attribute) in scope.deal_place().items()}
    refers.index(run, wanted - rollups.indexed(run))


class _Follower:
    def __init__(self, run: Run, scope: Scope) -> None:
        self.run, self.scope, self.ledger = run, scope, run.ledger
        self.version = version.version if (version := run.ledger.books.funnel()) else 1
        self.marketing = scope.objects(scope.people, "marketing")
        self.crm = scope.objects(scope.people, "crm")

    # ------------------------------------------------ people

    def people(self) -> None:
        """Everybody about whom something moved."""
        for object_ in (*self.marketing, *self.crm):
            self._moved(object_)
        while not self.run.stop():
            with self.ledger.transaction():
                stirred = self.ledger.loop.take_stirred(self.scope.people.name, BATCH)
                self._settle({(one.object, one.key) for one in stirred})
            if len(stirred) < BATCH:
                break
        now_ms = round(self.run.now() * 1000)
        for object_ in self.marketing:
            while not self.run.stop():
                with self.ledger.transaction():
                    due = self.ledger.loop.due(object_, now_ms, BATCH)
                    self._settle({(object_, key) for key in due})
                if len(due) < BATCH:
                    break

    def _moved(self, object_: int) -> None:
        facts, books = self.ledger.facts, self.ledger.books
        while (mark := books.decided(MARK, object_)) < facts.revision() and not self.run.stop():
            with self.ledger.transaction():
                moved = facts.moved(object_, mark, BATCH)
                self._settle({(object_, fact.key) for fact in moved})
                books.set_decided(MARK, object_, moved[-1].rev if len(moved) == BATCH else facts.revision())

    def _settle(self, records: set[tuple[int, str]]) -> None:
        """Settles the people that these records are; an object of 0 is any of them. Call it in a transaction."""
        now_ms = round(self.run.now() * 1000)
        for object_, keys in self._ours(records).items():
            said = self.scope.said(object_, self.marketing[object_], sorted(keys))
            heirs = self._heirs(object_, list(said))
            before = self.ledger.loop.standings(object_, [*said, *heirs])
            gone = {key: before.pop(key) for key in heirs if key in before}
            was = dict(before)
            for key, one in gone.items():
                was[heirs[key]] = inherit(was.get(heirs[key]), one)
            now = {
                key: settle(self.scope.funnel, one, was.get(key), now_ms, self.version)
                for key, one in said.items()
                if key not in heirs
            }
            self.ledger.loop.keep_standings(object_, now, before)
            self.ledger.loop.drop_standings(object_, gone)
            self._tell(object_, now, before)
            self._alarm(object_, now, was)
            self._deals_of(object_, list(said))

    def _heirs(self, object_: int, keys: Sequence[str]) -> dict[str, str]:
        """Those who live on as one of these people: the key that they had -> the one that they have."""
        facts = self.ledger.facts
        found = {key: into for into, old in facts.swallowed(object_, keys).items() for of, key in old if of == object_}
        for key, fact in facts.many(object_, keys).items():
            if fact.into is not None and (to := facts.lives_on(fact)) is not None and to[0] == object_:
                found[key] = to[1]
        return {key: into for key, into in found.items() if into in set(keys) and into not in found}

    def _ours(self, records: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
        """Marketing's people among them, or linked with them, or as whom they live on."""
        found: dict[int, set[str]] = {object_: set() for object_ in self.marketing}
        asked: dict[int, set[str]] = {object_: set() for object_ in (*self.marketing, *self.crm)}
        for object_, key in records:
            for one in asked if not object_ else [object_] if object_ in asked else []:
                asked[one].add(key)
        for object_, keys in asked.items():
            facts = self.ledger.facts.many(object_, sorted(keys))
            after = {to for fact in facts.values() if (to := self.ledger.facts.lives_on(fact)) is not None}
            if object_ in self.marketing:
                found[object_] |= set(facts)
                for other, key in after:
                    if other in found:
                        found[other].add(key)
                continue
            for of, their in ((object_, set(facts)), *((to, {key}) for to, key in after)):
                for _, _, other, other_key in self.ledger.links.across(self.scope.people.name, of, sorted(their)):
                    found[other].add(other_key)
        return found

    def _tell(self, object_: int, now: dict[str, Standing], before: dict[str, Standing]) -> None:
        """Whose record says what the funnel says is decided again, as soon as that is something else; and whoever was to be
        opened again, and waited for us to hear what sales said last."""
        derived = self.run.derived
        if derived is not None and self.ledger.books.decided(derived.mapping, object_):
            turned = [
                (object_, key) for key, one in now.items() if one.reopening or derived.turned(one, before.get(key))
            ]
            self.ledger.books.decide_again(derived.mapping, turned)

    def _alarm(self, object_: int, now: dict[str, Standing], before: dict[str, Standing]) -> None:
        """One alert when a clock turns, and one when it was met after all, of those about whom there was one."""
        clocks = {key: before[key].clock if key in before else None for key in now}
        late = ("due_soon", "breached")
        met = [key for key, one in now.items() if one.clock in ("met", "met_late") and clocks[key] in late]
        told = self.ledger.alerts.about(object_, met) if met else set()
        since_ms = (self.run.now() - NEWS_S) * 1000
        rows = []
        for key, one in now.items():
            turned = one.clock in late and one.clock != clocks[key]
            if clocks[key] is None and one.due_ms is not None and one.due_ms < since_ms:
                continue  # it was late long before anybody looked: that is history, and no alert
            if turned or key in told:
                said = {"state": one.clock, "before": clocks[key], "due_ms": one.due_ms}
                said |= {"owner": one.owner, "segment": one.segment}
                rows.append((object_, key, "follow_up", self.run.now(), said))
        if rows:
            self.ledger.alerts.alarm(rows)

    # ------------------------------------------------ deals

    def deals(self) -> None:
        """Every deal that moved."""
        facts, books = self.ledger.facts, self.ledger.books
        for object_ in self.scope.deal_place():
            while (mark := books.decided(MARK, object_)) < facts.revision() and not self.run.stop():
                with self.ledger.transaction():
                    moved = facts.moved(object_, mark, BATCH)
                    self._sell(object_, [fact.key for fact in moved])
                    books.set_decided(MARK, object_, moved[-1].rev if len(moved) == BATCH else facts.revision())
        if self.scope.deals is not None:
            with self.ledger.transaction():
                while len(self.ledger.loop.take_stirred(self.scope.deals.name, BATCH)) == BATCH:
                    pass

    def _deals_of(self, object_: int, keys: Sequence[str]) -> None:
        """The deals of these people: their touches may have moved."""
        place = self.scope.deal_place()
        if not place:
            return
        theirs = {key for _, _, _, key in self.ledger.links.across(self.scope.people.name, object_, keys)}
        if theirs:
            for deals, (_, attribute) in place.items():
                pointing = self.ledger.refers.pointing_to(deals, attribute, sorted(theirs))
                self._sell(deals, sorted({key for found in pointing.values() for key in found}))

    def _sell(self, object_: int, keys: Sequence[str]) -> None:
        facts = self.ledger.facts.many(object_, keys)
        before = self.ledger.loop.sales(object_, list(facts))
        sold = self.scope.sold(list(facts.values()))
        now = {key: settle_sale(self.scope.funnel, deal) for key, deal in sold.items()}
        self.ledger.loop.keep_sales(object_, now, before)
