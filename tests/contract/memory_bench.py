"""The contract's bench over the reference connector, and the small worlds that it is tested on."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.memory import Kind, MemoryConnector, Refusal, Store
from syncd.connector import Connector, Key, Neutral, ObjectTraits
from syncd.contract import Bench, Pointer, Subject

LEAD = Subject(
    "Lead",
    text="Company",
    second="City",
    base={"LastName": "Contract"},
    email="Email",
    samples={"Score": 12.5, "OptOut": True, "Rating": "Hot", "Since": "2026-11-21", "Seen": "2026-11-21T10:00:00Z"},
    choices=("Topics", ("Price", "Support")),
    restricted="Rating",
    forward=("Stage", "lead", "customer"),
    along=("Stage", "lead", "customer", "Since", "2026-12-24"),
    reference=Pointer("AccountId", "Account", "Name"),
    references=Pointer("Partners.Id", "Account", "Name"),
)


def world(**claims: Any) -> Store:
    """A store with Leads that become Contacts; `claims` are traits and settings of the Lead, or manners of its feed."""
    traits = ObjectTraits(
        feed="log",
        deletions="feed",
        merges=True,
        precondition=True,
        history=True,
        answers_values=True,
        key="Syncd_Key",
        forms=("Contact",),
        read_batch=7,
        history_batch=5,
        find_batch=6,
        create_batch=8,
        update_batch=9,
        archive_batch=8,
        unstamped=("Partners.",),
        moves_along={"Stage": ("Since",)},
    )
    lead = Kind.of(
        "Lead",
        traits=traits,
        Email="text lower length=80",
        LastName="text required length=80",
        Company="text length=255",
        City="text length=255",
        Score="number",
        OptOut="bool",
        Since="date",
        Seen="datetime",
        Rating="choice restricted (Hot, Warm, Cold)",
        Topics="choices restricted (Price, Support, Other)",
        Stage="choice (lead, customer)",
        Syncd_Key="text unique length=255",
        AccountId="reference (Account)",
        **{"Partners.Id": "references (Account)"},
    ).having(forward={"Stage": ("lead", "customer")}, along={"Stage": ("Since", "2026-11-22")})
    contact = Kind.of(
        "Contact",
        Email="text lower length=80",
        LastName="text required length=80",
        Company="text length=255",
        City="text length=255",
        Syncd_Key="text unique length=255",
    )
    store = Store.of(lead, contact, Kind.of("Account", Name="text required length=255", Line="text length=255"))
    manners = store.manners("Lead")
    manners.page = 4
    for name in list(claims):
        if hasattr(manners, name):
            setattr(manners, name, claims.pop(name))
    store.claim("Lead", **claims)
    return store


class MemoryBench(Bench):
    """Everything that a store can do, which is everything but tokens and secrets."""

    def __init__(self, store: Store, kind: type[MemoryConnector] = MemoryConnector) -> None:
        self.store = store
        self.kind = kind
        self.lag_ms = max(store.manners(name).lag_ms for name in store.kinds)

    def create(self, object: str, rows: Sequence[Mapping[str, Neutral]]) -> list[Key]:
        return [self.store.create(object, row) for row in rows]

    def edit(self, object: str, key: Key, values: Mapping[str, Neutral]) -> None:
        self.store.edit(object, key, values)

    def edit_together(self, object: str, keys: Sequence[Key], values: Mapping[str, Neutral]) -> None:
        if self.store.step_ms:
            self.store.advance(self.store.kinds[object].traits.grain_ms)
        self.store.step_ms = 0
        for key in keys:
            self.store.edit(object, key, values)

    def delete(self, object: str, key: Key) -> None:
        self.store.delete(object, key)

    def restore(self, object: str, key: Key) -> None:
        self.store.restore(object, key)

    def purge(self, object: str, key: Key) -> None:
        self.store.purge(object, key)

    def merge(self, object: str, winner: Key, loser: Key) -> Key:
        return self.store.merge(object, winner, loser)

    def convert(self, object: str, key: Key) -> tuple[str, Key]:
        return self.store.convert(object, key)

    def hide(self, object: str, key: Key) -> None:
        self.store.hide(object, key)

    def hide_attribute(self, object: str, name: str) -> None:
        self.store.claim(object, unreadable=frozenset({name}))

    def live(self, object: str) -> set[Key]:
        return {key for key in self.store.keys(object) if not self.store.item(object, key).hidden}

    def writes(self) -> int:
        return sum(call.method == "write" for call in self.store.calls)

    def now_ms(self) -> int:
        return self.store.now_ms

    def connect(self) -> Connector:
        return self.kind(self.store)

    def advance(self, seconds: float) -> None:
        self.store.advance(round(seconds * 1000))

    def lag(self, seconds: float) -> None:
        for name in self.store.kinds:
            self.store.manners(name).lag_ms = round(seconds * 1000)

    def lose_answer(self, *, applied: bool) -> None:
        self.store.fault("doubtful_after" if applied else "doubtful_before", times=None)

    def refuse_writes(self, after: int) -> None:
        self.store.fault("transient", method="write", after=after, times=None)

    def calm(self) -> None:
        for name in self.store.kinds:
            self.store.claim(name, unreadable=frozenset())
        self.store.faults.standing.clear()
        self.store.step_ms = 1
        self.lag(self.lag_ms / 1000)

    def settle(self) -> None:
        longest = max(self.store.manners(name).lag_ms for name in self.store.kinds)
        self.store.advance(longest)

    def clean(self, object: str, keys: Sequence[Key]) -> None:
        for key in keys:
            with contextlib.suppress(Refusal):
                self.store.delete(object, key)
            self.store.purge(object, key)
