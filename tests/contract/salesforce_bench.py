"""The contract's bench over the Salesforce-style sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sandbox_bench import Pauses, SandboxBench, context

from connectors.salesforce import Settings, connect
from connectors.salesforce.ids import id18
from connectors.salesforce.sandbox import create
from syncd.connector import Connector, Key, Neutral
from syncd.contract import Pointer, Subject
from syncd.sandbox.chassis import Server, serve

SECRETS = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
PAGE = 7
"""Rows of a page: the server may end one wherever it likes."""

LEAD = Subject(
    "Lead",
    text="Company",
    second="City",
    base={"LastName": "Contract"},
    email="Email",
    samples={
        "HasOptedOutOfEmail": True,
        "Rating": "Hot",
        "Marketing_Score__c": 12,
        "Contract_Date__c": "2026-11-21",
        "Contract_Time__c": "2026-11-21T10:00:00Z",
    },
    choices=("Contract_Topics__c", ("Price", "Support")),
    restricted="Rejection_Reason__c",
    missing=id18("00Q5g00000ZZZZZ"),
    crowd=20,
)

CONTACT = Subject(
    "Contact",
    text="Department",
    second="MailingCity",
    base={"LastName": "Contract"},
    email="Email",
    samples={"HasOptedOutOfEmail": True, "Marketing_Score__c": 12},
    reference=Pointer("AccountId", "Account", "Name"),
    missing=id18("0035g00000ZZZZZ"),
    crowd=20,
)


ACCOUNT = Subject(
    "Account",
    text="Name",
    second="BillingCity",
    samples={"AnnualRevenue": 1200, "NumberOfEmployees": 12, "Type": "Customer", "Industry": "Banking"},
    reference=Pointer("ParentId", "Account", "Name"),
    missing=id18("0015g00000ZZZZZ"),
    crowd=20,
)

OPPORTUNITY = Subject(
    "Opportunity",
    text="Name",
    second="Primary_Source__c",
    base={"StageName": "Prospecting", "CloseDate": "2026-12-31"},
    samples={"Amount": 1200.5, "Probability": 35, "CloseDate": "2027-01-31", "Pipeline__c": "Renewals"},
    restricted="Loss_Reason__c",
    reference=Pointer("AccountId", "Account", "Name"),
    references=Pointer("OpportunityContactRoles.ContactId", "Contact", "LastName"),
    missing=id18("0065g00000ZZZZZ"),
    crowd=20,
)


def connection(server: Server, pauses: Pauses) -> Connector:
    """A connector to the sandbox."""
    settings = Settings(login_url=server.url, client_id={"env": "ID"}, client_secret={"env": "SECRET"})
    return connect(settings, context(server, SECRETS, pauses))


class SalesforceBench(SandboxBench):
    """Salesforce's people, time and network."""

    write_paths = r"/composite/sobjects$|/composite$"
    write_methods = ("POST", "PATCH", "DELETE")
    token_paths = "/oauth2/token"
    too_fast: ClassVar[Mapping[str, Any]] = {"kind": "concurrent_limit"}
    _hidden: tuple[str, str] | None = None

    def live(self, object: str) -> set[Key]:
        state = self.control.state(object)
        gone = ("IsDeleted", "IsConverted")
        rows = state["objects"][object].items()
        return {key for key, row in rows if not any(row.get(name) for name in gone)} - set(state["hidden"])

    def merge(self, object: str, winner: Key, loser: Key) -> Key:
        return str(self.control.act("merge", object=object, key=winner, losers=[loser])["key"])

    def convert(self, object: str, key: Key) -> tuple[str, Key]:
        return "Contact", str(self.control.act("convert", key=key)["contact"])

    def writes(self) -> int:
        return sum(_is_write(each) for each in self._log())

    def hide_attribute(self, object: str, name: str) -> None:
        self._hidden = (object, name)
        self.control.act("field", object=object, field=name, set={"hidden": True})

    def lag(self, seconds: float) -> None:
        self.control.switches(commit_lag_s=seconds)

    def expire_token(self) -> None:
        self.control.faults(kind="expire_token", times=1)

    def calm(self) -> None:
        super().calm()
        self.control.switches(commit_lag_s=0.0)
        if self._hidden is not None:
            object, name = self._hidden
            self._hidden = None
            self.control.act("field", object=object, field=name, set={"hidden": False})

    def clean(self, object: str, keys: Sequence[Key]) -> None:
        # For good: a feed that reads the recycle bin would otherwise grow with every rule.
        there = set(self.control.records(object))
        if known := [key for key in keys if key in there]:
            self.control.act("purge", object=object, keys=known)


def _is_write(entry: Mapping[str, Any]) -> bool:
    """Composite carries reads as well as writes."""
    if entry["path"].endswith("/composite"):
        return any(part["method"] != "GET" for part in (entry["body"] or {}).get("compositeRequest", []))
    return entry["path"].endswith("/composite/sobjects")


@contextmanager
def org(**switches: Any) -> Iterator[Server]:
    """An org with a few residents, small pages, and fields of further types."""
    app = create(seed=7)
    app.site.cursors._size = lambda asked: PAGE  # type: ignore[method-assign]
    with serve(app) as server:
        server.control.switches(**switches)
        for field, properties in (
            ("Contract_Topics__c", {"type": "multipicklist", "values": ["Price", "Support"], "restricted": True}),
            ("Contract_Date__c", {"type": "date"}),
            ("Contract_Time__c", {"type": "datetime"}),
        ):
            server.control.act("field", object="Lead", field=field, set=properties)
        rows: list[dict[str, Neutral]] = [{"LastName": f"Resident {count}"} for count in range(3)]
        for object, more in (("Lead", {"Company": "Residents"}), ("Contact", {})):
            server.control.act_all([{"do": "create", "object": object, "values": {**row, **more}} for row in rows])
        deal = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        for count in range(3):
            server.control.act("create", object="Account", values={"Name": f"Resident {count}"})
            server.control.act("create", object="Opportunity", values={"Name": f"Resident {count}", **deal})
        yield server


def bench_of(server: Server) -> SalesforceBench:
    """The bench of an org; `bench.connect()` makes a connector to it."""
    pauses = Pauses()
    return SalesforceBench(server, lambda: connection(server, pauses), list(SECRETS.values()))
