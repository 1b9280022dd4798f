"""Each vendor turned hostile, under the real connectors and the real engine.

Whatever it answers, a cycle ends in time with trouble of that system alone: no exception of ours, no token sent
elsewhere, nothing read from the other side lost. And when it is honest again, everything comes right.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hostile import BODIES, bent
from story import Story, story

from syncd import trail
from syncd.sandbox.chassis import Request, Response

SOAK = bool(os.environ.get("SYNCD_SOAK"))
SEEDS = range(2000) if SOAK else range(24)
VENDORS = ("hubspot", "salesforce")
LONGEST_S = 20.0
"""How long two cycles may take at a hostile vendor, in real seconds, on a busy machine."""


class Canary(ThreadingHTTPServer):
    """Another host. Whoever calls it has been led astray."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                canary.seen.append(f"{self.command} {self.path} {self.headers}")
                self.send_response(200)
                self.end_headers()

            do_POST = do_PATCH = do_GET

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story(tmp_path_factory.mktemp("hostile")) as one:
        yield one


@pytest.fixture
def canary() -> Iterator[Canary]:
    server = Canary()
    yield server
    server.shutdown()
    server.server_close()


def suffer(told: Story, vendor: str, answer: Callable[[Request], Response | None]) -> list[str]:
    """Two cycles while a vendor answers so; then it is honest again, and all comes right. Why it was left alone."""
    world = told.world
    side, other = getattr(world, vendor), world.salesforce if vendor == "hubspot" else world.hubspot
    side.app.before = answer
    began_s = time.monotonic()
    reasons: list[str] = []
    for _ in range(2):
        tally = world.try_once()
        reasons.append(tally.skipped if tally else "")
    assert time.monotonic() - began_s < LONGEST_S
    assert other.records("Lead" if vendor == "hubspot" else "contacts"), "the other side is there"
    side.app.reset()
    world.pass_time(120)
    world.until_quiet(14)
    world.pass_time(120)
    world.until_quiet(14)
    return reasons


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_answers_with_something_wrong_in_them_do_no_harm(told: Story, seed: int) -> None:
    """X17, H011, H015, H043: any value, any shape, any body, to reads and writes alike: trouble of theirs, never an exception of ours."""
    told.begin()
    chance = random.Random(seed)
    vendor = VENDORS[seed % 2]
    app = getattr(told.world, vendor).app
    share = chance.choice([0.05, 0.2, 0.5])

    def answer(request: Request) -> Response | None:
        if chance.random() >= share:
            return None
        return bent(chance.randrange(10**9), app.app.handle(request))

    world = told.world
    getattr(world, vendor).app.before = answer
    began_s = time.monotonic()
    for _ in range(2):
        try:
            world.try_once()
        except Exception as error:
            if type(error).__name__ != "WrongAccount":  # it says that it is another account: that stops everything
                raise
    assert time.monotonic() - began_s < LONGEST_S


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("body", sorted(BODIES))
def test_a_body_that_is_none_is_trouble_of_that_system(told: Story, vendor: str, body: str) -> None:
    """H039, H043: never an empty page, never a change; said in one sentence without what the body holds."""
    told.begin()

    def answer(request: Request) -> Response | None:
        if "oauth2" in request.path or "details" in request.path:
            return None
        return Response(200, BODIES[body], {"content-type": "application/json"})

    before = told.world.ledger.links.count("people")
    assert all(suffer(told, vendor, answer))
    assert told.world.ledger.links.count("people") >= before
    told.check()


def page_of(request: Request, app: Any, change: Callable[[dict[str, Any]], None]) -> Response:
    """The vendor's own answer, changed."""
    response: Response = app.handle(request)
    try:
        said = json.loads(response.encoded()[0])
    except ValueError:
        return response
    if response.status == 200 and isinstance(said, dict) and ("results" in said or "records" in said):
        change(said)
        return Response(200, said, response.headers)
    return response


def _more(count: Iterator[int]) -> dict[str, Callable[[dict[str, Any]], None]]:
    return {
        "always the same next page": lambda said: said.update(
            paging={"next": {"after": "5"}}, done=False, nextRecordsUrl="/services/data/v66.0/query/01g-2000"
        ),
        "always another next page": lambda said: said.update(
            paging={"next": {"after": str(next(count))}},
            done=False,
            nextRecordsUrl=f"/services/data/v66.0/query/01g-{next(count)}",
        ),
        "empty pages without end": lambda said: said.update(
            results=[], records=[], total=7, paging={"next": {"after": str(next(count))}}, done=False,
            nextRecordsUrl=f"/services/data/v66.0/query/01g-{next(count)}",
        ),
        "more, and no next page": lambda said: said.update(total=10**9, done=False),
        "a next page that is an address": lambda said: said.update(
            paging={"next": {"after": "../../../oauth/v1/access-tokens/x\r\nX: y"}}, done=False,
            nextRecordsUrl="/services/data/v66.0/query/../sobjects/User",
        ),
        "a next page of a megabyte": lambda said: said.update(
            paging={"next": {"after": "9" * 1_000_000}}, done=False,
            nextRecordsUrl="/services/data/v66.0/query/" + "9" * 1_000_000,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("lie", sorted(_more(iter(range(9)))))
def test_pages_that_lie_about_more_are_followed_to_an_end(
    told: Story, vendor: str, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X02, H044: repeated, endless and empty pages end as trouble; what was read is kept, and no cursor is lost."""
    monkeypatch.setattr(trail, "MOST_PAGES", 40)
    told.begin()
    app = getattr(told.world, vendor).app.app
    change = _more(iter(range(10_000_000, 10**9)))[lie]
    asked = 0

    def answer(request: Request) -> Response | None:
        nonlocal asked
        asked += 1
        if request.method == "POST" and ("search" not in request.path and "composite" not in request.path):
            return None
        return page_of(request, app, change) if request.method == "GET" or "search" in request.path else None

    assert any(suffer(told, vendor, answer))
    assert asked < 1_500
    told.check()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_follows_a_redirect(told: Story, canary: Canary, vendor: str, status: int) -> None:
    """X01: another host gets nothing, from reads, writes or logins."""
    told.begin()
    suffer(told, vendor, lambda request: Response(status, None, {"location": f"{canary.url}{request.path}"}))
    assert canary.seen == []
    told.check()


@pytest.mark.parametrize("to", ["{url}/services/data/v66.0/query/01g-1", "//{host}/services/data/v66.0/query/01g-1",
                                "{url}@evil.example/query/01g-1", "\\\\{host}\\x", "/\\{host}/x"])  # fmt: skip
def test_no_token_follows_a_next_page_to_another_host(told: Story, canary: Canary, to: str) -> None:
    """X02: a page's address is followed within the org only."""
    told.begin()
    app = told.world.salesforce.app.app
    url = to.format(url=canary.url, host=canary.url.removeprefix("http://"))

    def answer(request: Request) -> Response | None:
        if request.method != "GET":
            return None
        return page_of(request, app, lambda said: said.update(done=False, nextRecordsUrl=url))

    suffer(told, "salesforce", answer)
    assert canary.seen == []
    told.check()


def test_no_token_goes_where_a_login_says_the_org_is(told: Story, canary: Canary) -> None:
    """X03: an instance elsewhere is refused, in words that name the setting to change."""
    told.begin()

    def answer(request: Request) -> Response | None:
        if "oauth2/token" not in request.path:
            return None
        said = {"access_token": "x", "instance_url": "https://evil.example", "token_type": "Bearer"}
        return Response(200, said)

    reasons = suffer(told, "salesforce", answer)
    assert any("not followed" in reason for reason in reasons)
    assert canary.seen == []
    told.check()
