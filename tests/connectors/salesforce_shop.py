"""A small org for the tests of deals, campaigns and activities: a connector to the sandbox on one virtual clock, and
what sales people do in a word each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from salesforce_served import Served

from syncd.connector import Effect, Neutral, Outcome, Record

ROLES = "OpportunityContactRoles.ContactId"


class Shop(Served):
    """The org, and a connector to it."""

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
