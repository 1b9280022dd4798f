"""A storm: people work on both sides in the middle of everything, calls fail, the process dies; then all heals.

Seeded and in memory, so that the seed of a failure is its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from world import World, writes

from connectors.memory import MemoryConnector, Refusal, Store
from syncd.errors import AccessError, Transient
from syncd.ledger.store import Store as LedgerStore

ROUNDS = 8
TWO_WAY = {
    "email": ("email", {"Lead": "Email", "Contact": "Email"}),
    "last_name": ("lastname", {"Lead": "LastName", "Contact": "LastName"}),
    "phone": ("phone", {"Lead": "Phone", "Contact": "HomePhone"}),
    "title": ("jobtitle", {"Lead": "Title", "Contact": "Title"}),
}
FAULTS = ("doubtful_before", "doubtful_after", "late", "moved", "refused", "transient", "quota")


class Killed(BaseException):
    """The process is gone. Nothing may catch it."""


@dataclass(frozen=True)
class Edit:
    """A person's word: which value, where, and how many edits went before it."""

    at: int
    side: str
    object: str
    key: str
    field: str
    value: str | None


@dataclass
class Storm:
    """One seed's weather."""

    seed: int
    world: World
    random: random.Random = field(init=False)
    edits: list[Edit] = field(default_factory=list)
    merged: set[tuple[str, str]] = field(default_factory=set)
    restored: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0
    blowing: bool = False

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        mk, sf, chance = self.world.mk, self.world.sf, self.random
        sf.claim("Lead", becomes={"Contact": {"Phone": "HomePhone"}})
        mk.claim("contacts", merge_makes_new=chance.random() < 0.5, answers_values=chance.random() < 0.5)
        for name in ("Lead", "Contact"):
            # Without either, an edit between a look and its write is covered unseen: no engine can promise more.
            condition = chance.random() < 0.8
            sf.claim(name, answers_values=chance.random() < 0.3, precondition=condition, history=not condition)
        for store, name in ((mk, "contacts"), (sf, "Lead"), (sf, "Contact")):
            manners = store.manners(name)
            manners.page = chance.choice([1, 2, 100])
            manners.unordered = chance.random() < 0.3
            manners.repeats = chance.random() < 0.3
            manners.empty_pages = chance.random() < 0.3
            manners.lag_ms = chance.choice([0, 0, 5_000, 100_000])

    # ------------------------------------------------ people

    def token(self) -> int:
        self.count += 1
        return self.count

    def word(self, name: str) -> str:
        number = self.token()
        return {"email": f"p{number}@x.test", "phone": f"+49 30 {1000000 + number}"}.get(name, f"{name} {number}")

    def act(self) -> None:
        """Somebody does something, somewhere. What a system does not allow does not happen."""
        deeds: list[tuple[float, Callable[[], None]]] = [
            (6, self.edits_contact), (6, self.edits_person), (2, self.arrives), (1, self.is_typed_in),
            (0.5, self.opts_out), (0.6, self.is_rated), (0.5, self.converts), (0.4, self.deletes), (0.4, self.restores),
            (0.3, self.merges), (1, self.touches),
        ]  # fmt: skip
        (deed,) = self.random.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])
        with suppress(Refusal, IndexError, ValueError):
            deed()

    def edits_contact(self) -> None:
        name = self.random.choice([*TWO_WAY, "last_name", "phone"])
        value = None if name == "phone" and self.random.random() < 0.2 else self.word(name)
        self.edit("contacts", self.random.choice(self.world.mk.keys("contacts")), name, value)

    def edits_person(self) -> None:
        form = self.random.choice(["Lead", "Lead", "Contact"])
        name = self.random.choice([*TWO_WAY, "last_name", "phone"])
        value = None if name == "phone" and self.random.random() < 0.2 else self.word(name)
        self.edit(form, self.random.choice(self.world.sf.keys(form)), name, value)

    def edit(self, object: str, key: str, name: str, value: str | None) -> None:
        store, attribute = self.place(object, name)
        if store.values(object, key)[attribute] != value:
            store.edit(object, key, {attribute: value}, by="somebody")
            self.edits.append(Edit(self.token(), "mk" if object == "contacts" else "sf", object, key, name, value))

    def place(self, object: str, name: str) -> tuple[Store, str]:
        ours, theirs = TWO_WAY[name]
        return (self.world.mk, ours) if object == "contacts" else (self.world.sf, theirs[object])

    def arrives(self) -> None:
        score = self.random.choice([10, 60, 90])
        given = {"lastname": self.word("last_name"), "phone": self.word("phone"), "jobtitle": self.word("title")}
        self.world.mk.create(
            "contacts", {"email": self.word("email"), "score": score, "lifecyclestage": "mql", **given}, by="somebody"
        )

    def is_typed_in(self) -> None:
        form = self.random.choice(["Lead", "Contact"])
        self.world.sf.create(form, {"Email": self.word("email"), "LastName": self.word("last_name")}, by="somebody")

    def is_known_to_both(self) -> None:
        email = self.word("email")
        self.world.mk.create(
            "contacts", {"email": email, "lastname": self.word("last_name"), "score": 90}, by="somebody"
        )
        form = self.random.choice(["Lead", "Contact"])
        self.world.sf.create(form, {"Email": email.upper(), "LastName": self.word("last_name")}, by="somebody")

    def opts_out(self) -> None:
        key = self.random.choice(self.world.mk.keys("contacts"))
        self.world.mk.edit("contacts", key, {"optout": self.random.random() < 0.7}, by="somebody")

    def is_rated(self) -> None:
        key = self.random.choice(self.world.sf.keys("Lead"))
        self.world.sf.edit("Lead", key, {"Rating": self.word("rating")}, by="somebody")

    def converts(self) -> None:
        key = self.random.choice(self.world.sf.keys("Lead"))
        self.world.sf.convert("Lead", key, by="somebody")

    def deletes(self) -> None:
        store, object = self.random.choice([(self.world.mk, "contacts"), (self.world.sf, "Lead")])
        store.delete(object, self.random.choice(store.keys(object)), by="somebody")

    def restores(self) -> None:
        store, object = self.random.choice([(self.world.mk, "contacts"), (self.world.sf, "Lead")])
        key = self.random.choice(store.keys(object, "gone"))
        store.restore(object, key, by="somebody")
        self.restored.add((object, key))

    def merges(self) -> None:
        store, object = self.random.choice([(self.world.mk, "contacts"), (self.world.sf, "Lead")])
        winner, loser = self.random.sample(store.keys(object), 2)
        survivor = store.merge(object, winner, loser, by="somebody")
        # What the other one said is given up by whoever merges; so is who of two partners was meant.
        self.merged |= {(object, winner), (object, loser), (object, survivor)}

    def touches(self) -> None:
        store, object = self.random.choice([(self.world.mk, "contacts"), (self.world.sf, "Lead")])
        store.touch(object, self.random.choice(store.keys(object)), by="automation")

    # ------------------------------------------------ weather

    def point(self, _: str) -> None:
        """A moment in the middle of a cycle: somebody may act, the process may die."""
        if not self.blowing:
            return
        dice = self.random.random()
        if dice < 0.10:
            self.act()
        elif dice < 0.13:
            raise Killed

    def trouble(self) -> None:
        store = self.random.choice([self.world.mk, self.world.sf])
        kind = self.random.choice(FAULTS)
        more: dict[str, Any] = {"late_ms": self.random.choice([10_000, 90_000, 250_000])} if kind == "late" else {}
        more |= {"again": True, "code": "LOCKED"} if kind == "refused" else {}
        store.fault(kind, times=self.random.choice([1, 2, 5]), after=self.random.choice([0, 0, 1, 3]), **more)
        if self.random.random() < 0.3:
            store.fault("meanwhile", run=lambda *_: self.act())

    def blow(self) -> None:
        for _ in range(4):
            self.arrives()
        for _ in range(3):
            self.is_known_to_both()
        self.is_typed_in()
        for _ in range(ROUNDS):
            for _ in range(self.random.choice([0, 1, 2, 4])):
                self.act()
            if self.random.random() < 0.6:
                self.trouble()
            self.blowing = True
            try:
                self.world.once()
            except Killed:
                self.world.restart()
                self.world.pass_time(self.random.choice([1, 60, 400]))
            except (Transient, AccessError):
                self.world.pass_time(60)
            self.blowing = False

    def heal(self) -> None:
        for store in (self.world.mk, self.world.sf):
            store.faults.standing.clear()
            for name in store.kinds:
                store.manners(name).lag_ms = 0
        self.world.pass_time(7 * 3600)
        for _ in range(30):
            tally = self.world.once()
            self.world.pass_time(self.world.timing.late_s)
            if not writes(tally) and not (tally.waiting or tally.again or tally.skipped):
                break
        else:
            raise AssertionError(f"never at rest: {tally.as_json(0)}")
        self.world.pass_time(7 * 3600)
        for _ in range(3):
            self.world.once()
        assert writes(self.world.once()) == 0, "not quiet"


@contextmanager
def weather(storm: Storm, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every commit and every call is a moment in which something may happen."""
    commit = LedgerStore.transaction
    write, fetch, find, changes = (getattr(MemoryConnector, name) for name in ("write", "fetch", "find", "changes"))

    @contextmanager
    def transaction(self: LedgerStore) -> Iterator[Any]:
        outermost = not self._depth
        with commit(self) as connection:
            yield connection
            if outermost and storm.blowing and storm.random.random() < 0.02:
                raise Killed
        if outermost and storm.blowing and storm.random.random() < 0.02:
            raise Killed

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def between(self: Any, *a: Any, **k: Any) -> Any:
            storm.point("before")
            answer = list(call(self, *a, **k))
            storm.point("after")
            return iter(answer)

        return between

    with monkeypatch.context() as patch:
        patch.setattr(LedgerStore, "transaction", transaction)
        for name, call in (("write", write), ("fetch", fetch), ("find", find)):
            patch.setattr(MemoryConnector, name, around(call))

        def pages(self: Any, *a: Any, **k: Any) -> Iterator[Any]:
            for page in changes(self, *a, **k):
                storm.point("page")
                yield page

        patch.setattr(MemoryConnector, "changes", pages)
        yield
