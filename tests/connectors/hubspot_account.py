"""A portal of the HubSpot sandbox with a connector to it, for the tests of the connector."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.hubspot import Settings, connect
from connectors.hubspot.connector import HubSpot
from connectors.hubspot.sandbox import HubSpot as Sandbox
from syncd.connector import Context, Effect, Outcome, Page, Record
from syncd.http import Budget, Http, Timing
from syncd.sandbox.control import Control

TIMING = Timing(timeout_s=5, retry_s=0.001, retry_max_s=0.02, overlap_s=120, lag_s=30, tries=3)
TOKEN = {"token": "sandbox-hubspot-token"}
OAUTH = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}
NAMES = ["email", "firstname", "city"]


@dataclass
class Ledger:
    """Holds the stamps of what was read, as the real one does."""

    stamps: dict[str, int] = field(default_factory=dict)

    def keep(self, records: Sequence[Record]) -> None:
        self.stamps.update((record.key, record.stamp_ms) for record in records if record.state == "live")

    def held(self, keys: Sequence[str]) -> Mapping[str, int]:
        return {key: self.stamps[key] for key in keys if key in self.stamps}


@dataclass
class Portal:
    """One portal, its people, and our connector to it. `now_s` is our own clock; the portal's moves with `wait`."""

    app: Sandbox
    control: Control
    url: str
    ledger: Ledger = field(default_factory=Ledger)
    now_s: float = 5_000.0
    saved: dict[str, str] = field(default_factory=dict)
    made: list[HubSpot] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)
    http: list[Http] = field(default_factory=list)

    def connector(self, **settings: Any) -> HubSpot:
        ways = settings if {"token", "client_id"} & settings.keys() else TOKEN | settings
        many = {"calls_per_10s": 1_000_000, "searches_per_s": 1_000_000}
        context = Context("hubspot", self._open, TIMING, self._secret, self.saved.__setitem__, lambda: self.now_s)
        connector = connect(Settings(base_url=self.url, **(many | ways)), context)
        self.made.append(connector)
        return connector

    def _open(self, **given: Any) -> Http:
        opened = partial(
            Http,
            timing=TIMING,
            budget=self.budget,
            now=time.monotonic,
            sleep=time.sleep,
            random=random.Random(7).random,
        )
        self.http.append(opened(**given))
        return self.http[-1]

    @staticmethod
    def _secret(reference: Any, name: str) -> str:
        return str(reference)

    def wait(self, seconds: float) -> None:
        """Time passes for everybody; the index catches up."""
        self.control.advance(seconds)
        self.now_s += seconds

    def people(self, count: int, lag: bool = False, **values: str) -> list[str]:
        """Contacts made by a person, at one moment."""
        made = self.control.act_all(
            [
                {
                    "do": "create",
                    "object": "contacts",
                    "values": {"email": f"person{n}@example.test", "firstname": f"Name {n}", "city": "Old Town"}
                    | values,
                }
                for n in range(count)
            ]
        )
        if not lag:
            self.wait(20)
        return [one["key"] for one in made]

    def edit(self, key: str, **values: str) -> None:
        self.control.act("edit", object="contacts", key=key, values=values)

    def value(self, key: str, name: str) -> Any:
        return self.control.records("contacts")[key]["values"].get(name)

    def calls(self, work: Callable[[], Any]) -> list[tuple[str, str, int]]:
        """(method, last part of the path, status) of every request that some work made."""
        before = max((entry["n"] for entry in self.control.log()), default=0)
        work()
        return [
            (entry["method"], entry["path"].rsplit("/", 1)[-1], entry["status"])
            for entry in self.control.log(since=before)
        ]

    def poll(self, connector: HubSpot, cursor: str | None, names: Sequence[str] = NAMES) -> tuple[list[Record], str]:
        """All that `changes` has, kept; and where it ended."""
        records, last = [], Page([], cursor or "", False)
        for last in connector.changes("contacts", names, cursor, self.ledger.held):
            records += last.records
            self.ledger.keep(last.records)
        assert last.done
        return records, last.cursor


def keys(records: Sequence[Record], state: str = "live") -> set[str]:
    """The keys of the records in a state."""
    return {record.key for record in records if record.state == state}


def one(outcomes: Any) -> Outcome:
    """The only outcome."""
    (outcome,) = outcomes
    return outcome


def update(key: str, ref: str = "r1", **attributes: Any) -> Effect:
    """An update of a contact."""
    return Effect(ref, "update", key, attributes)
