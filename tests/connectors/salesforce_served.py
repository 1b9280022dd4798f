"""The Salesforce-style sandbox behind a real server, and a connector to it, on one virtual clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce import Salesforce, Settings, connect
from syncd.budget import Budget
from syncd.connector import Context, Effect, Outcome, Page, Record
from syncd.http import Http, Timing
from syncd.sandbox.chassis import Server

ATTRIBUTES = ["LastName", "Email", "Company", "City", "Marketing_Score__c"]


@dataclass
class Served:
    """A served org and a connector to it, on one virtual clock; ours is an hour ahead of the server's. Sleeping costs
    nothing. `settings`: of the system's table, beside those that every connector needs."""

    server: Server
    settings: Mapping[str, Any] = field(default_factory=dict)
    skew_s: float = 3600.0

    def __post_init__(self) -> None:
        self.act = self.server.control.act
        self.switch = self.server.control.switches
        self.advance = self.server.control.advance
        self._slept_s = 0.0
        self.connector = self.connect(**self.settings)

    def now(self) -> float:
        return self.server.app.clock.now_ms() / 1000 + self.skew_s

    def connect(self, **settings: Any) -> Salesforce:
        """One more connector."""
        timing = Timing(timeout_s=10.0, retry_s=0.01, retry_max_s=0.05, lag_s=30.0, overlap_s=120.0, tries=3)
        budget = Budget(now=self.now)

        def sleep(seconds: float) -> None:
            self._slept_s += seconds

        def open_http(**given: Any) -> Http:
            clock = lambda: time.monotonic() + self._slept_s  # noqa: E731
            return Http(timing=timing, budget=budget, now=clock, sleep=sleep, random=lambda: 0.5, **given)

        context = Context("crm", open_http, timing, secret=lambda ref, name: str(ref), now=self.now)
        given = {"login_url": self.server.url, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return connect(Settings.model_validate(given | settings), context)

    def calls(self, path: str = "/services/data") -> list[dict[str, Any]]:
        """Requests of the API so far, logins aside."""
        return [entry for entry in self.server.control.log() if path in entry["path"]]


class Org(Served):
    """What the tests of leads do with it, in a word each."""

    def faults(self, kind: str, **rule: Any) -> None:
        self.server.control.faults(kind=kind, **rule)

    def keys(self) -> set[str]:
        """Every lead there is."""
        return set(self.server.app.org.table("Lead").rows)

    def lead(self, name: str, **values: Any) -> str:
        """A lead that a person makes."""
        done = self.act("create", object="Lead", values={"LastName": name, "Company": "Acme", **values})
        return str(done["key"])

    def read(self, cursor: str | None = None, attributes: list[str] = ATTRIBUTES) -> tuple[dict[str, Record], str]:
        """Everything the feed tells, last word per record, and where to go on."""
        pages: list[Page] = list(self.connector.changes("Lead", attributes, cursor, lambda keys: {}))
        assert pages[-1].done
        return {record.key: record for page in pages for record in page.records}, pages[-1].cursor

    def fetch(self, *keys: str, object: str = "Lead") -> dict[str, Record]:
        return {record.key: record for record in self.connector.fetch(object, ["LastName", "Email"], list(keys))}

    def write(self, *effects: Effect, object: str = "Lead") -> list[Outcome]:
        """Outcomes in the order of the effects."""
        by_ref = {outcome.ref: outcome for outcome in self.connector.write(object, effects)}
        assert set(by_ref) == {effect.ref for effect in effects}
        return [by_ref[effect.ref] for effect in effects]

    def raw(self, key: str, object: str = "Lead") -> dict[str, Any]:
        """The record as it is in the org."""
        return self.server.control.records(object)[key]


def make(ref: str, name: str = "New", **attributes: Any) -> Effect:
    """A create of a lead."""
    return Effect(ref, "create", None, {"LastName": name, "Company": "Acme"} | attributes, unique=f"hubspot:1:{ref}")
