"""Scarce calls: what goes first, what waits, and what is never touched, with the real connectors at both sandboxes."""

from __future__ import annotations

import time

import pytest
from stage import World

from syncd.sandbox.chassis import Request, Response

DAY_S = 86_400.0


def allow(world: World, per_day: int, used: int) -> None:
    """Salesforce may be called so often a day, and was today."""
    file = world.folder / "syncd.toml"
    text = file.read_text().replace(
        'connector     = "connectors.salesforce"',
        f'connector     = "connectors.salesforce"\nbudget = {{ per_day = {per_day}, urgent = 0.5 }}',
    )
    file.write_text(text)
    day = time.strftime("%Y-%m-%d", time.gmtime(world.time.now_s))
    world.ledger.books.add_calls("salesforce", day, "all", used)


def test_in_the_urgent_share_only_hand_offs_and_opt_outs_go(world: World) -> None:
    """I23, H034: an ordinary edit waits for the next day without troubling anybody; a hand-off and an opt-out do not."""
    ada, adas = world.linked("ada@example.com", city="Berlin")
    bob, bobs = world.linked("bob@example.com")
    allow(world, 400, 250)
    world.edit_contact(ada, city="Paris")
    world.hubspot.act("calculate", "contacts", bob, values={"hs_email_optout": "true"})
    world.edit_contact(bob, firstname="Bob")
    world.contact("new@example.com", firstname="New", company="New Inc")
    world.pass_time(2)
    for _ in range(3):
        tally = world.once()
        assert not tally.skipped

    assert world.sf("Lead", bobs)["HasOptedOutOfEmail"] is True
    assert "new@example.com" in {row["Email"] for row in world.live("Lead").values()}
    assert world.sf("Lead", adas)["City"] == "Berlin"

    world.pass_time(DAY_S)
    world.until_quiet(14)
    assert world.sf("Lead", adas)["City"] == "Paris"


def test_when_even_the_urgent_share_is_used_up_nothing_goes_and_nothing_is_lost(world: World) -> None:
    """The day after, everything is there."""
    ada, adas = world.linked("ada@example.com", city="Berlin")
    allow(world, 400, 400)
    world.edit_contact(ada, city="Paris")
    before = len(world.salesforce.server.control.log())
    for _ in range(3):
        world.try_once()
    asked = [entry["path"] for entry in world.salesforce.server.control.log()[before:]]
    assert not [path for path in asked if "oauth2" not in path and "/query" not in path], "more than who it is"

    world.pass_time(DAY_S)
    world.until_quiet(14)
    assert world.sf("Lead", adas)["City"] == "Paris"


@pytest.mark.parametrize("vendor", ["hubspot", "salesforce"])
def test_the_vendors_reserve_is_touched_by_token_and_status_calls_only(world: World, vendor: str) -> None:
    """I23, H029: others used the account up; each of our cycles then asks who it is, and nothing else, until the
    vendor itself says that there is room."""
    ada, adas = world.linked("ada@example.com", city="Berlin")
    world.edit_contact(ada, city="Paris")
    side = getattr(world, vendor)
    low = True

    def after(request: Request, response: Response) -> None:
        if low:
            response.headers |= {"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": "150"}
            response.headers |= {"Sforce-Limit-Info": "api-usage=850/1000"}

    side.app.after = after
    before = len(side.server.control.log())
    for _ in range(4):
        world.try_once()
        world.pass_time(1000)
    status = ("/details", "/oauth2/", "/query", "/limits")
    touched = [entry for entry in side.server.control.log()[before:] if not any(s in entry["path"] for s in status)]
    assert touched == []
    assert len(side.server.control.log()[before:]) <= 12

    low = False
    side.app.reset()
    world.pass_time(1000)
    world.until_quiet(14)
    assert world.sf("Lead", adas)["City"] == "Paris"


def test_in_a_storm_of_429_what_is_urgent_gets_through_first(world: World) -> None:
    """H034: nine of ten calls are refused for a while. Hand-offs and opt-outs arrive before ordinary edits do."""
    ada, adas = world.linked("ada@example.com", city="Berlin")
    bob, bobs = world.linked("bob@example.com")
    world.edit_contact(ada, city="Paris")
    world.hubspot.act("calculate", "contacts", bob, values={"hs_email_optout": "true"})
    world.edit_contact(bob, city="Rome")
    world.contact("new@example.com", firstname="New", company="New Inc")
    world.pass_time(2)
    order: list[str] = []
    count = 0

    def before(request: Request) -> Response | None:
        nonlocal count
        count += 1
        if count % 3:
            said = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]
            return Response(429, said, {"Retry-After": "1"})
        return None

    def after(request: Request, response: Response) -> None:
        body = request.body.decode()
        if response.status < 300 and request.method in ("POST", "PATCH") and "composite" in request.path:
            for name, mark in (("hand-off", "New Inc"), ("opt-out", "HasOptedOutOfEmail"), ("edit", "Paris")):
                if mark in body and '"ids"' not in body and name not in order and "SELECT" not in body:
                    order.append(name)

    world.salesforce.app.before, world.salesforce.app.after = before, after
    for _ in range(6):
        world.try_once()
    world.salesforce.app.reset()
    world.pass_time(120)
    world.until_quiet(14)

    assert sorted(order[:2]) == ["hand-off", "opt-out"]
    assert world.sf("Lead", adas)["City"] == "Paris"
    assert world.sf("Lead", bobs)["HasOptedOutOfEmail"] is True
