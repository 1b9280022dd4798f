"""The contract's bench over the HubSpot-style sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from sandbox_bench import Pauses, SandboxBench, context

from connectors.hubspot import Settings, connect
from connectors.hubspot.sandbox import create
from syncd.connector import Connector, Key, Neutral
from syncd.contract import Pointer, Subject
from syncd.sandbox.chassis import Server, serve

SECRETS = {
    "token": "sandbox-hubspot-token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh",
}

CONTACT = Subject(
    "contacts",
    text="company",
    second="city",
    email="email",
    samples={"crm_email_optout": True, "crm_rating": "Hot", "contract_number": 12.5, "contract_date": "2026-11-21"},
    choices=("contract_topics", ("price", "support")),
    restricted="crm_rating",
    forward=("lifecyclestage", "lead", "customer"),
    reference=Pointer("associations.companies", "companies", "name"),
    references=Pointer("associations.companies.all", "companies", "name"),
    crowd=205,  # the list shows 100 a page, a search 200
)

COMPANY = Subject(
    "companies",
    text="name",
    second="city",
    reference=Pointer("associations.companies.parent", "companies", "name"),
    references=Pointer("associations.contacts", "contacts", "lastname"),
    crowd=205,
)

DEAL = Subject(
    "deals",
    text="dealname",
    second="description",
    base={"pipeline.dealstage": "default/qualifiedtobuy"},
    samples={"amount": 1200.5, "deal_currency_code": "USD", "pipeline.dealstage": "7001/70012"},
    restricted="pipeline.dealstage",
    along=("pipeline.dealstage", "default/qualifiedtobuy", "default/closedwon", "closedate", "2027-12-24T00:00:00Z"),
    reference=Pointer("associations.companies", "companies", "name"),
    references=Pointer("associations.contacts", "contacts", "lastname"),
    crowd=205,
)


def define(server: Server) -> None:
    """Properties of further types, so that they can be tested."""
    options = [
        {"label": name.title(), "value": name, "displayOrder": 0, "hidden": False} for name in ("price", "support")
    ]
    for name, type_, field in (
        ("contract_topics", "enumeration", "checkbox"),
        ("contract_number", "number", "number"),
        ("contract_date", "date", "date"),
    ):
        definition: dict[str, Any] = {"name": name, "label": name, "type": type_, "fieldType": field}
        definition |= {"groupName": "contactinformation"} | ({"options": options} if type_ == "enumeration" else {})
        server.control.act("property", object="contacts", change="define", definition=definition)


def connection(server: Server, pauses: Pauses, *, oauth: bool = True) -> Connector:
    """A connector to the sandbox."""
    names = ("client_id", "client_secret", "refresh_token") if oauth else ("token",)
    settings = Settings(base_url=server.url, **{name: {"env": name} for name in names})
    return connect(settings, context(server, SECRETS, pauses))


class HubSpotBench(SandboxBench):
    """HubSpot's people, time and network."""

    write_paths = r"/batch/(labels/)?(create|update|archive|upsert)$"
    token_paths = "/oauth/"
    too_fast: ClassVar[Mapping[str, Any]] = {"kind": "rate_limit"}

    _hidden: tuple[str, str] | None = None

    def value(self, value: Neutral) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        return ";".join(value) if isinstance(value, list) else "" if value is None else value

    def values(self, values: Mapping[str, Neutral]) -> dict[str, Any]:
        """A person sets pipeline and stage apart."""
        told = super().values(values)
        if both := told.pop("pipeline.dealstage", None):
            told["pipeline"], told["dealstage"] = both.split("/")
        return told

    def live(self, object: str) -> set[Key]:
        records = self.control.records(object).items()
        return {key for key, record in records if not record["archived"] and not record["hidden"]}

    def hide_attribute(self, object: str, name: str) -> None:
        self._hidden = (object, name)
        self.control.act("property", object=object, change="archive", name=name)

    def lag(self, seconds: float) -> None:
        self.control.switches(search_lag_ms=round(seconds * 1000))

    def expire_token(self) -> None:
        self.control.faults(kind="expire_token", times=1)

    def calm(self) -> None:
        super().calm()
        self.control.switches(search_lag_ms=5000)
        if self._hidden is not None:
            object, name = self._hidden
            self._hidden = None
            # Nobody can bring a property back by the API's own means.
            self.server.app.portal.tables[object].definitions[name]["archived"] = False


@contextmanager
def portal(**switches: Any) -> Iterator[Server]:
    """A portal with a few residents. Its limits are off: they are tested elsewhere."""
    with serve(create(seed=7)) as server:
        server.control.switches(limits="off", **switches)
        define(server)
        for object, name in (("contacts", "lastname"), ("companies", "name")):
            rows = [{"city": f"Town {count}", name: f"Resident {count}"} for count in range(3)]
            server.control.act_all([{"do": "create", "object": object, "values": row} for row in rows])
        for count in range(3):
            deal = {"dealname": f"Resident {count}", "dealstage": "qualifiedtobuy"}
            server.control.act("create", object="deals", values=deal)
        yield server


def bench_of(server: Server, *, oauth: bool = True) -> HubSpotBench:
    """The bench of a portal; `bench.connect()` makes a connector to it."""
    pauses = Pauses()
    return HubSpotBench(server, lambda: connection(server, pauses, oauth=oauth), list(SECRETS.values()))
