"""Whatever a vendor answers: one of the documented errors, or records and outcomes in their own shape. No hang.

Both connectors speak to their sandboxes, and one answer on the way is damaged: values of another type, parts removed
or doubled, cursors and ids of anything, half a body, pages that are none, headers that lie.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from connectors.hubspot import Settings as HubSpotSettings
from connectors.hubspot import connect as connect_hubspot
from connectors.hubspot.sandbox import create as create_hubspot
from connectors.salesforce import Settings as SalesforceSettings
from connectors.salesforce import connect as connect_salesforce
from connectors.salesforce.sandbox import create as create_salesforce
from syncd.budget import Budget
from syncd.connector import Account, Connector, Context, Effect, Outcome, Page, Record, Schema
from syncd.errors import AccessError, CursorLost, Transient
from syncd.http import Answer, BadAnswer, Http, Timing
from syncd.sandbox.chassis import Request, Response, Server, serve
from tests.fuzz.damage import damaged, seeds

MOST_CALLS = 60
"""More than any operation here needs with all its tries: an answer that leads on and on is a hang."""
SLOW_S = 5.0
WORDS: tuple[Any, ...] = (
    *("../../x", "/services/data/v1/../..", "https://evil.example/next", "0", "-1", "NaN", "00Q000000000000AAA"),
    *("ERROR", "INVALID_FIELD", "UNABLE_TO_LOCK_ROW", "COMPLETE", "PENDING", [{"errorCode": "X", "message": None}]),
    *(10**400, float("1e308"), "2026-13-45T99:99:99Z", "1795000000000000000", {"next": {"after": "x", "link": "y"}}),
)
KEYS = ("id", "results", "paging", "errors", "records", "done", "nextRecordsUrl", "status", "properties", "next", "")
HEADERS: tuple[tuple[str, str], ...] = (
    *(("retry-after", each) for each in ("0", "-1", "1e9", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400)),
    *(("sforce-limit-info", each) for each in ("api-usage=1/0", "api-usage=x/y", "api-usage=5", "=", "api-usage=9/8")),
    *(("x-hubspot-ratelimit-daily", each) for each in ("x", "-1", "1e400")),
    *(("x-hubspot-ratelimit-daily-remaining", each) for each in ("x", "-5", "0", "9" * 400)),
    *(("content-type", each) for each in ("text/html", "application/json;charset=utf-7", "image/png", "")),
    *(("sforce-locator", each) for each in ("null", "../x", "a b", "")),
)


class Twisted:
    """A vendor's app of whose next answers one is damaged."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.rest()

    def rest(self) -> None:
        """Answers as they are."""
        self.asked, self.strike, self.chance = 0, -1, random.Random(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    def handle(self, request: Request) -> Response:
        self.asked += 1
        response: Response = self.app.handle(request)
        if self.asked - 1 != self.strike or "token" in request.path:
            return response
        return twisted(response, self.chance)


def twisted(response: Response, chance: random.Random) -> Response:
    """One answer, damaged."""
    body, kind = response.encoded()
    headers = dict(response.headers)
    status = response.status
    way = chance.randrange(10)
    if way == 0:
        body = body[: chance.randrange(len(body) + 1)]
    elif way == 1:
        name, value = chance.choice(HEADERS)
        headers[name] = value
        status = chance.choice((status, status, 429, 503, 403, 400, 207))
    elif way == 2:
        status = chance.choice((200, 201, 202, 204, 207, 300, 400, 401, 403, 404, 409, 412, 414, 429, 431, 500, 503))
    elif way == 3 and "json" not in kind:
        at = chance.randrange(len(body) + 1)
        body = body[:at] + chance.choice((b'"', b"\n", b",", b"\x00", b"\xff\xfe", b'""')) + body[at:]
    else:
        try:
            said = json.loads(body)
        except ValueError:
            lines = body.split(b"\n")
            chance.shuffle(lines)
            body = b"\n".join(lines)
        else:
            body = json.dumps(damaged(said, chance, more=WORDS, keys=KEYS)).encode()
            if chance.random() < 0.2 and (places := [at for at, one in enumerate(body) if one == ord("{")]):
                # A key that stands twice: the last one wins, or it is refused.
                at = chance.choice(places) + 1
                twice = chance.choice(KEYS)
                body = (
                    body[:at]
                    + f'"{twice}": 1, "{twice}": null'.encode()
                    + (b", " if body[at : at + 1] != b"}" else b"")
                    + body[at:]
                )
            if chance.random() < 0.2:
                status = chance.choice((200, 207, 400, 404, 409, 500))
    headers.setdefault("content-type", kind or "application/json")
    return Response(status, body, headers)


class Bench:
    """One vendor with a connector to it; sleeping costs nothing."""

    def __init__(self, name: str, app: Twisted, server: Server, object_: str, names: list[str], email: str) -> None:
        self.name, self.app, self.server = name, app, server
        self.object, self.names, self.email = object_, names, email
        self.keys: list[str] = []
        self.slept_s = 0.0

    def connect(self) -> Connector:
        timing = Timing(timeout_s=5.0, retry_s=0.01, retry_max_s=0.05, lag_s=1.0, overlap_s=5.0, tries=3)

        def sleep(seconds: float) -> None:
            assert seconds < 3_600, "an answer makes us sleep for ever"
            self.slept_s += seconds

        def now() -> float:
            return time.monotonic() + self.slept_s

        def open_http(**given: Any) -> Http:
            return Http(timing=timing, budget=Budget(), now=now, sleep=sleep, random=lambda: 0.5, **given)

        context = Context(self.name, open_http, timing, secret=lambda ref, name: str(ref), now=now)
        if self.name == "hubspot":
            many = {"calls_per_10s": 1_000_000, "searches_per_s": 1_000_000}
            url = self.server.url
            return connect_hubspot(HubSpotSettings(base_url=url, token="sandbox-hubspot-token", **many), context)
        given = {"login_url": self.server.url, "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return connect_salesforce(SalesforceSettings.model_validate(given), context)


@pytest.fixture(params=["hubspot", "salesforce"], scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "hubspot":
        app = Twisted(create_hubspot(seed=7))
        app.switch({"limits": "off", "recalculation_ms": 0, "search_lag_ms": 0})
        names, object_, email = ["email", "lastname", "associations.companies"], "contacts", "email"
    else:
        app = Twisted(create_salesforce(seed=7))
        names, object_, email = ["Email", "LastName", "AccountId"], "Contact", "Email"
    with serve(app) as server:
        made = Bench(request.param, app, server, object_, names, email)
        for number in range(12):
            values = {made.email: f"person{number}@example.test", names[1]: f"Name {number}"}
            made.keys.append(str(app.act({"do": "create", "object": object_, "values": values})["key"]))
        yield made


def operations(bench: Bench, cursor: str) -> dict[str, Callable[[Connector], Any]]:
    """Everything that the interface asks, each drained and judged by the interface's own words."""
    object_, names, keys = bench.object, bench.names, bench.keys

    def pages(connector: Connector, since: str | None) -> None:
        for page in connector.changes(object_, names, since, lambda keys: {}):
            assert isinstance(page, Page)
            assert isinstance(page.cursor, str)
            json.loads(page.cursor)
            records(page.records)

    def records(found: Any) -> None:
        for record in found:
            assert isinstance(record, Record)
            assert isinstance(record.key, str)
            assert record.key
            assert isinstance(record.stamp_ms, int)
            assert abs(record.stamp_ms) < 1 << 63
            assert all(isinstance(name, str) for name in record.attributes)
            msgspec.json.encode(record.attributes)

    def outcomes(connector: Connector, *effects: Effect) -> None:
        found = list(connector.write(object_, effects))
        assert sorted(one.ref for one in found) == sorted(one.ref for one in effects)
        assert all(isinstance(one, Outcome) for one in found)
        assert all(one.key is None or (isinstance(one.key, str) and one.key) for one in found)

    def new(ref: str) -> Effect:
        name = f"new{ref}{time.perf_counter_ns()}"
        return Effect(ref, "create", None, {bench.email: f"{name}@example.test", names[1]: name}, unique=name)

    def identify(connector: Connector) -> None:
        account = connector.identify()
        assert isinstance(account, Account)
        assert account.id
        assert isinstance(account.id, str)

    def describe(connector: Connector) -> None:
        schema = connector.describe(object_)
        assert isinstance(schema, Schema)
        assert all(isinstance(one.length, int) and isinstance(one.label, str) for one in schema.attributes.values())

    owners = bench.connect().traits.owners
    assert owners is not None
    return {
        "identify": identify,
        "describe": describe,
        "all": lambda connector: pages(connector, None),
        "changes": lambda connector: pages(connector, cursor),
        "fetch": lambda connector: records(connector.fetch(object_, names, keys)),
        "history": lambda connector: records(connector.fetch(object_, names[:2], keys, history=True)),
        "find": lambda connector: records(
            one.record for one in connector.find(object_, names, bench.email, ["person1@example.test", "x@y.test"])
        ),
        "owners": lambda connector: records(
            record
            for page in connector.changes(owners.object, [owners.email, owners.active], None, lambda keys: {})
            for record in page.records
        ),
        "create": lambda connector: outcomes(connector, new("a"), new("b")),
        "update": lambda connector: outcomes(
            connector, *(Effect(key, "update", key, {names[1]: "Byron"}) for key in keys[:3])
        ),
    }


OPERATIONS = ("identify", "describe", "all", "changes", "fetch", "history", "find", "owners", "create", "update")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_answer_of_a_vendor_gets_through_as_a_crash(bench: Bench, operation: str) -> None:
    """The interface's errors, or what the interface promises."""
    bench.app.rest()
    connector = bench.connect()
    *_, last = connector.changes(bench.object, bench.names, None, lambda keys: {})
    work = operations(bench, last.cursor)[operation]
    before = bench.app.asked
    work(connector)
    needed = bench.app.asked - before
    connector.close()
    allowed = (
        (AccessError, Transient, CursorLost) if operation in ("all", "changes", "owners") else (AccessError, Transient)
    )
    for chance in seeds(25):
        connector = bench.connect()
        bench.app.rest()
        if chance.random() < 0.5:
            connector.identify()  # what it learns once is learnt; else this is damaged, too
        bench.app.asked, bench.app.strike, bench.app.chance = 0, chance.randrange(needed + 1), chance
        start = time.process_time()
        try:
            work(connector)
        except allowed:
            pass
        except Exception as error:
            error.add_note(f"seed {chance.named}, {bench.name} {operation}, answer {bench.app.strike}")  # type: ignore[attr-defined]
            raise
        finally:
            connector.close()
        assert bench.app.asked < MOST_CALLS
        assert time.process_time() - start < SLOW_S


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b"\xff\xfe", b'["\xc3"]', b"[" * 5_000, b'{"a": "\\ud800"}'])
def test_a_body_in_no_known_writing_is_a_bad_answer(body: bytes) -> None:
    """Bytes that are no UTF-8 used to raise out of the decoder, past everybody who expects a bad answer."""
    with pytest.raises(BadAnswer):
        Answer(200, {}, body, "GET /x").json()
