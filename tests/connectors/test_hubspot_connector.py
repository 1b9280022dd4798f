"""HubSpot's tokens, limits and troubles, as the whole connector meets them in the sandbox."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hubspot_account import NAMES, OAUTH, Portal, keys, one, update

from connectors.hubspot.connector import HubSpot
from syncd.connector import Effect
from syncd.errors import AccessError, QuotaExhausted, SyncdError, Transient
from syncd.http import Budget


def test_eight_threads_with_an_expired_token_cause_one_refresh(portal: Portal) -> None:
    """Rule: single flight (H038)."""
    connector = portal.connector(**OAUTH)
    connector.identify()
    portal.control.advance(3600)

    def work() -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: connector.describe("contacts"), range(16)))

    calls = portal.calls(work)
    assert [name for _, name, _ in calls].count("token") == 1
    assert {status for _, name, status in calls if name == "contacts"} <= {200, 401}


def test_a_token_is_renewed_before_it_ends(portal: Portal) -> None:
    """Rule: five minutes early; a 401 is no dependable signal (section 2.2)."""
    connector = portal.connector(**OAUTH)
    assert [name for _, name, _ in portal.calls(lambda: connector.describe("contacts"))] == ["token", "contacts"]
    portal.wait(1400)
    assert [name for _, name, _ in portal.calls(lambda: connector.describe("contacts"))] == ["contacts"]
    portal.wait(200)

    calls = portal.calls(lambda: connector.describe("contacts"))
    assert [name for _, name, _ in calls] == ["token", "contacts"]
    assert {status for _, _, status in calls} == {200}


def test_a_rotated_refresh_token_is_kept_before_it_is_used(portal: Portal) -> None:
    """Rule: a crash after the refresh must not lock us out (H037)."""
    portal.control.switches(refresh_token="rotate")
    connector = portal.connector(**OAUTH)
    connector.describe("contacts")
    first = portal.saved["refresh_token"]
    portal.wait(3600)
    connector.describe("contacts")

    assert portal.saved["refresh_token"] != first
    assert portal.connector(**(OAUTH | {"refresh_token": portal.saved["refresh_token"]})).identify().id == "4242001"


def test_an_uninstalled_app_is_a_matter_for_a_person(portal: Portal) -> None:
    """Rule: no refresh loop; the remedy is said (H036)."""
    connector = portal.connector(**OAUTH)
    connector.identify()
    portal.control.act("revoke", token="all")

    with pytest.raises(AccessError, match="BAD_REFRESH_TOKEN") as caught:
        connector.describe("contacts")
    assert "install the app" in caught.value.remedy


@pytest.mark.parametrize("garbage_token", ["expired", "invalid"])
def test_a_wrong_static_token_is_a_matter_for_a_person(portal: Portal, garbage_token: str) -> None:
    """Rule: "expired" proves nothing; one call, no loop, no token in the message (section 2.3)."""
    portal.control.switches(garbage_token=garbage_token)
    connector = portal.connector(token="pat-na1-canary")

    def work() -> None:
        with pytest.raises(AccessError) as caught:
            connector.identify()
        assert "canary" not in str(caught.value) + repr(caught.value) + repr(connector)

    assert len(portal.calls(work)) == 1


@pytest.mark.parametrize("shape", ["errors", "context"])
def test_a_missing_scope_is_named(portal: Portal, hubspot: HubSpot, shape: str) -> None:
    """Rule: the person is told what to grant (section 2.3)."""
    portal.control.switches(missing_scopes=["crm.objects.contacts.read"], missing_scopes_shape=shape)

    with pytest.raises(AccessError, match=r"crm\.objects\.contacts\.read"):
        list(hubspot.fetch("contacts", NAMES, ["1"]))


def test_a_redirect_is_refused(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the token stays with one origin; a read says so, a write is doubtful (X01)."""
    (made,) = portal.people(1)
    hubspot.describe("contacts")
    portal.control.faults(kind="redirect", location="http://127.0.0.1:1/steal")

    with pytest.raises(Transient, match="redirect"):
        list(hubspot.fetch("contacts", NAMES, [made]))
    assert one(hubspot.write("contacts", [update(made, city="x")])).kind == "doubtful"


def test_the_reserve_of_the_day_is_kept(portal: Portal) -> None:
    """Rule: HubSpot's own figure counts what others use; the reserve is not touched (H029)."""
    portal.control.switches(limits="on", daily_limit=100)
    portal.budget = Budget(reserve=0.9)
    connector = portal.connector()
    for _ in range(10):
        connector.describe("contacts")
    with pytest.raises(QuotaExhausted):
        connector.describe("contacts")

    assert portal.http[-1].calls == 10
    connector.identify()


def test_no_person_stands_in_any_error(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: messages and outcomes hold names of attributes, codes and ids only (X06)."""
    (made,) = portal.people(1)
    told: list[str] = []
    for effect in (
        update(made, email="Canary Person"),
        update(made, hubspot_owner_id="canary"),
        update(made, crm_rating="canary"),
        Effect("r", "create", None, {"email": "person0@example.test", "firstname": "canary"}),
    ):
        told.append(repr(hubspot.write("contacts", [effect])))
    portal.control.faults(kind="status", status=400, body={"message": "Canary is bad", "category": "Canary here"})
    for read in (
        lambda: list(hubspot.find("contacts", NAMES, "email", ["canary@example.test"])),
        lambda: list(hubspot.fetch("contacts", NAMES, [made])),
        lambda: list(hubspot.changes("contacts", NAMES, None, portal.ledger.held)),
    ):
        with pytest.raises(SyncdError) as caught:
            read()
        told.append(str(caught.value))

    assert "refused" in " ".join(told)
    assert "canary" not in " ".join(told).lower()
    assert "person0" not in " ".join(told)


def test_reads_survive_every_passing_trouble(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: a drop, a 502 page, garbage and a 429 are read over (H034, H043)."""
    made = portal.people(230)
    for fault in (
        {"kind": "reset_before"},
        {"kind": "truncate"},
        {"kind": "garbage"},
        {"kind": "status", "status": 502, "html": "<h1>Bad gateway</h1>"},
        {"kind": "rate_limit", "policy": "SECONDLY", "path": "/search"},
        {"kind": "rate_limit"},
    ):
        portal.control.faults(nth=2, **fault)
        records, _ = portal.poll(hubspot, None)
        assert keys(records) == set(made), fault
        portal.control.clear_faults()
