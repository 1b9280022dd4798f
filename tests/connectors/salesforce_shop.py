"""A small org for the tests of deals, campaigns and activities: a connector to the sandbox on one virtual clock, and
what sales people do in a word each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce import Salesforce, Settings, connect
from syncd.budget import Budget
from syncd.connector import Context, Effect, Neutral, Outcome, Record
from syncd.http import Http, Timing
from syncd.sandbox.chassis import Server

ROLES = "OpportunityContactRoles.ContactId"


@dataclass
class Shop:
    """The org, and a connector to it. Sleeping costs nothing."""

    server: Server
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.act = self.server.control.act
        self.switch = self.server.control.switches
        self.advance = self.server.control.advance
        self._slept_s = 0.0
        self.connector = self.connect(**self.settings)

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

    def now(self) -> float:
        return self.server.app.clock.now_ms() / 1000 + 3600

    # ------------------------------------------------------------ people

    def make(self, object: str, **values: Any) -> str:
        """A record that a person makes; its id."""
        base = {
            "Lead": {"LastName": "L", "Company": "C"},
            "Contact": {"LastName": "L"},
            "Account": {"Name": "A"},
            "Campaign": {"Name": "Fair"},
            "Opportunity": {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-31"},
        }.get(object, {})
        return str(self.act("create", object=object, values={**base, **values})["key"])

    def contacts(self, count: int) -> list[str]:
        """Contacts, by id in order."""
        return sorted(self.make("Contact") for _ in range(count))

    def raw(self, object: str) -> dict[str, dict[str, Any]]:
        """Records as they are in the org, deleted ones included."""
        found: dict[str, dict[str, Any]] = self.server.control.records(object)
        return found

    def live(self, object: str) -> list[dict[str, Any]]:
        """The live ones."""
        return [row for row in self.raw(object).values() if not row.get("IsDeleted")]

    # ------------------------------------------------------------ the connector

    def poll(self, object: str, attributes: Sequence[str], cursor: str | None) -> tuple[dict[str, Record], str]:
        """Everything the feed tells, last word per record, and where to go on."""
        pages = list(self.connector.changes(object, attributes, cursor, lambda keys: {}))
        assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
        return {record.key: record for page in pages for record in page.records}, pages[-1].cursor

    def fetch(self, object: str, attributes: Sequence[str], *keys: str) -> dict[str, Record]:
        return {record.key: record for record in self.connector.fetch(object, attributes, keys)}

    def write(self, object: str, *effects: Effect) -> list[Outcome]:
        """Outcomes in the order of the effects."""
        by_ref = {outcome.ref: outcome for outcome in self.connector.write(object, effects)}
        assert set(by_ref) == {effect.ref for effect in effects}
        return [by_ref[effect.ref] for effect in effects]

    def update(self, object: str, key: str, expect_ms: int | None = None, **attributes: Neutral) -> Outcome:
        (outcome,) = self.write(object, Effect("u", "update", key, attributes, expect_ms=expect_ms))
        return outcome

    def calls(self) -> list[dict[str, Any]]:
        """Requests of the API so far, logins aside."""
        return [entry for entry in self.server.control.log() if "/services/data" in entry["path"]]
