"""The HubSpot sandbox: tokens, limits, owners, properties, account, people and switches (sections 2, 9-11, 15-17)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from portal_calls import CONTACTS, NOW_MS, Portal, body, codes

from connectors import hubspot
from connectors.hubspot.sandbox import create, populate
from connectors.hubspot.sandbox.switches import Switches
from syncd.sandbox.chassis import Refused, Response
from syncd.sandbox.company import people

PROPERTIES = "/crm/properties/2026-09/contacts"
FORM = {"grant_type": "refresh_token", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def token(portal: Portal, path: str = "/oauth/2026-09/token", **fields: str) -> Response:
    form = urlencode({**FORM, "refresh_token": "sandbox-refresh", **fields}).encode()
    return portal.call("POST", path, form, **{"content-type": "application/x-www-form-urlencoded"})


# ---------------------------------------------------------------- tokens


def test_no_token_and_garbage_fail_differently(portal: Portal) -> None:
    """Section 2.3: garbage looks expired since 1970 (switch), so a refresh need not help."""
    none = portal.call("GET", CONTACTS, authorization="")
    portal.token = "garbage"
    garbage = portal.get(CONTACTS)
    portal.app.switch({"garbage_token": "invalid"})

    assert (none.status, body(none)["category"]) == (401, "INVALID_AUTHENTICATION")
    assert (garbage.status, body(garbage)["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body(garbage)["context"]["expire time"] == ["1970-01-01T00:00:00Z"]
    assert body(portal.get(CONTACTS))["category"] == "INVALID_AUTHENTICATION"


def test_an_access_token_lives_half_an_hour(portal: Portal) -> None:
    """Section 2.2, by the virtual clock."""
    granted = body(token(portal))
    portal.token = granted["access_token"]
    portal.advance(1799)
    alive = portal.get(CONTACTS).status
    portal.advance(43)
    dead = portal.get(CONTACTS)

    assert (granted["expires_in"], granted["token_type"], granted["hub_id"]) == (1800, "bearer", 4242001)
    assert alive == 200
    assert body(dead)["message"] == "The OAuth token used to make this call expired 42 second(s) ago."


@pytest.mark.parametrize(
    ("how", "same", "old_works"), [("new", False, 200), ("same", True, 200), ("rotate", False, 400)]
)
def test_a_refresh_may_bring_another_refresh_token(portal: Portal, how: str, same: bool, old_works: int) -> None:
    """Unverified: store whatever comes back."""
    portal.app.switch({"refresh_token": how})
    fresh = body(token(portal))["refresh_token"]

    assert (fresh == "sandbox-refresh") == same
    assert token(portal, refresh_token=fresh).status == 200
    assert token(portal).status == old_works


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"client_id": "x"}, "BAD_CLIENT_ID"),
        ({"client_secret": "x"}, "BAD_CLIENT_SECRET"),
        ({"refresh_token": "x"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "authorization_code", "code": "x"}, "BAD_AUTH_CODE"),
        ({"grant_type": "authorization_code", "code": "sandbox-code"}, "BAD_REDIRECT_URI"),
    ],
)
def test_the_token_endpoint_refuses_in_a_shape_of_its_own(portal: Portal, fields: dict[str, str], status: str) -> None:
    """Section 2.2."""
    answer = token(portal, **fields)

    assert (answer.status, body(answer)["status"]) == (400, status)
    assert body(answer)["error_description"] == body(answer)["message"]


def test_tokens_are_introspected_and_revoked_in_every_version(portal: Portal) -> None:
    """v1 has look-ups, later versions introspect; both say whose token it is."""
    access = body(token(portal, "/oauth/v1/token"))
    look_up = body(portal.get(f"/oauth/v1/access-tokens/{access['access_token']}"))
    client = {key: FORM[key] for key in ("client_id", "client_secret")}

    def introspect(text: str) -> dict[str, Any]:
        form = urlencode({**client, "token": text}).encode()
        answer = portal.call("POST", "/oauth/v3/token/introspect", form)
        return body(answer)

    active = introspect(access["access_token"])
    portal.app.act({"do": "revoke", "token": "all"})

    assert "hub_id" not in access
    assert (look_up["hub_id"], look_up["app_id"]) == (4242001, 9002)
    assert (active["active"], active["hub_id"], active["expires_in"]) == (True, 4242001, 1800)
    assert introspect(access["access_token"]) == {"active": False}
    assert body(token(portal))["status"] == "BAD_REFRESH_TOKEN"
    assert portal.get(CONTACTS).status == 401


def test_an_app_token_and_a_missing_scope_open_no_records(portal: Portal) -> None:
    """Section 2.3: 403 names the scopes, in one of two shapes."""
    portal.app.switch({"missing_scopes": ["crm.objects.contacts.write"]})
    refused = portal.post(CONTACTS, {"properties": {"email": "a@example.test"}})
    read, searched = portal.get(CONTACTS).status, portal.search().status
    portal.app.switch({"missing_scopes_shape": "context"})
    older = portal.call("DELETE", f"{CONTACTS}/1")
    portal.token = body(token(portal, grant_type="client_credentials"))["access_token"]

    assert (refused.status, body(refused)["category"]) == (403, "MISSING_SCOPES")
    assert body(refused)["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert (read, searched) == (200, 200)
    assert body(older)["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert portal.get(CONTACTS).status == 403


# ---------------------------------------------------------------- limits and faults


def test_each_policy_refuses_by_its_own_window() -> None:
    """Section 16: ten-secondly per app with headers, search per second without; refused calls cost nothing."""
    portal = Portal(limits="on", ten_secondly_limit=3)
    answers = [portal.get(CONTACTS) for _ in range(4)]
    searches = [portal.search().status for _ in range(6)]
    portal.advance(1)
    again = portal.search()
    portal.advance(9)

    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert [one.headers["X-HubSpot-RateLimit-Remaining"] for one in answers[:3]] == ["2", "1", "0"]
    assert answers[0].headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624999"
    assert (body(answers[3])["policyName"], body(answers[3])["errorType"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT")
    assert "Retry-After" not in answers[3].headers
    assert searches == [200] * 5 + [429]
    assert (again.status, "X-HubSpot-RateLimit-Max" in again.headers) == (200, False)
    assert portal.get(CONTACTS).status == 200


def test_the_daily_allowance_is_shared_and_comes_back_at_the_accounts_midnight() -> None:
    """Section 16: other apps use it up; midnight is the account's (Berlin: 23:00 UTC in winter)."""
    portal = Portal(limits="on", rate_limit_shape="category", retry_after_s=7)
    portal.app.act({"do": "usage", "calls": 624_999})
    first, second = portal.get(CONTACTS), portal.get(CONTACTS)
    usage = portal.app.limits.resets_at_ms(NOW_MS)
    portal.advance(23 * 3600 - 1)
    before = portal.get(CONTACTS).status
    portal.advance(1)
    row = body(portal.get("/account-info/2026-09/api-usage/daily/private-apps"))["results"][0]

    assert (first.status, second.status, body(second)["policyName"]) == (200, 429, "DAILY")
    assert (body(second)["category"], second.headers["Retry-After"]) == ("RATE_LIMITS", "7")
    assert usage == NOW_MS - 123 + 23 * 3_600_000
    assert before == 429
    assert (row["usageLimit"], row["currentUsage"]) == (625_000, 1)


def test_search_may_look_like_an_internal_error_and_may_be_free_of_the_daily_count() -> None:
    """Section 5: one old report of a 500 that is a rate limit; whether search counts daily is unverified."""
    portal = Portal(limits="on", search_per_s=1, rate_limit_shape="disguised", search_counts_daily=False)
    first, second = portal.search(), portal.search()
    portal.app.switch({"search_counts_daily": True})
    portal.advance(1)
    portal.search()

    assert (first.status, second.status, body(second)["category"]) == (200, 500, "RATE_LIMITS")
    assert portal.app.limits.used_today == 1


@pytest.mark.parametrize(("tier", "most"), [("starter", "100"), ("enterprise", "190"), ("addon", "250")])
def test_the_tier_sets_the_limits(tier: str, most: str) -> None:
    """Section 16; association endpoints have a meter of their own."""
    portal = Portal(limits="on", tier=tier, association_limit=1)
    labels = "/crm/associations/2026-09/contacts/companies/labels"

    assert portal.get(CONTACTS).headers["X-HubSpot-RateLimit-Max"] == most
    assert [portal.get(labels).status for _ in range(2)] == [200, 429]


def test_oauth_answers_carry_no_daily_headers() -> None:
    """Section 16."""
    portal = Portal(limits="on")
    portal.token = body(token(portal))["access_token"]
    headers = portal.get(CONTACTS).headers

    assert "X-HubSpot-RateLimit-Max" in headers
    assert not any("Daily" in name for name in headers)


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"kind": "rate_limit", "policy": "DAILY"}, 429),
        ({"kind": "locked"}, 423),
        ({"kind": "moving", "retry_after_s": 3600}, 477),
        ({"kind": "expire_token"}, 401),
    ],
)
def test_vendor_faults_refuse_without_applying(portal: Portal, rule: dict[str, Any], status: int) -> None:
    """Section 17.2: each with its own body; the next call is served again."""
    portal.app.faults.add({**rule, "times": 1})
    answer = portal.post(CONTACTS, {"properties": {"email": "a@example.test"}})

    assert answer.status == status
    assert answer.headers.get("Retry-After") == ("3600" if status == 477 else None)
    assert portal.post(CONTACTS, {"properties": {"email": "a@example.test"}}).status == 201


# ---------------------------------------------------------------- owners, properties, pipelines, account


def test_owners_are_paged_filtered_and_the_deactivated_are_apart(portal: Portal) -> None:
    """Section 9: records keep pointing at archived owners, whose userId is null."""
    first = body(portal.get("/crm/owners/2026-09?limit=2"))
    rest = body(portal.get(f"/crm/owners/2026-09/?after={first['paging']['next']['after']}"))
    (gone,) = body(portal.get("/crm/v3/owners?archived=true"))["results"]
    (found,) = body(portal.get("/crm/owners/2026-09?email=rep2@acme.example"))["results"]
    portal.app.act({"do": "owner", "key": "41"})

    assert [one["id"] for one in first["results"] + rest["results"]] == ["41", "42", "43", "45", "46", "47"]
    assert (gone["id"], gone["userId"], gone["userIdIncludingInactive"]) == ("44", None, 9004)
    assert found["id"] == "42"
    assert body(portal.get("/crm/owners/2026-09/9002?idProperty=userId"))["id"] == "42"
    assert portal.get("/crm/owners/2026-09/41").status == 404
    assert portal.get("/crm/owners/2026-09/41?archived=true").status == 200
    assert portal.get("/crm/owners/2026-09?limit=501").status == 400


def test_property_definitions_tell_what_may_be_written(portal: Portal) -> None:
    """Section 10: readOnlyValue is the truth, not `calculated`."""
    found = {one["name"]: one for one in body(portal.get(PROPERTIES))["results"]}

    assert found["syncd_key"]["hasUniqueValue"] is True
    assert found["hubspotscore"]["modificationMetadata"]["readOnlyValue"] is True
    assert (found["hs_email_optout"]["calculated"], found["hs_email_optout"]["type"]) == (False, "bool")
    assert found["hs_email_optout"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["hubspot_owner_id"]["externalOptions"] is True
    assert [one["value"] for one in found["crm_rating"]["options"]] == ["Hot", "Warm", "Cold"]
    assert not any(name.startswith("_") for one in found.values() for name in one)


def test_a_property_lives_is_archived_and_returns_with_its_values(portal: Portal) -> None:
    """Section 10: a deleted property reads as absent and refuses writes; creating it again revives it."""
    made = {"name": "tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "information"}
    created = portal.post(PROPERTIES, made)
    key = portal.contact(email="a@example.test", tier="gold")
    again = portal.post(PROPERTIES, made)
    gone = portal.call("DELETE", f"{PROPERTIES}/tier").status
    absent = "tier" in portal.read(key, "tier")
    refused = portal.patch(key, tier="x")
    portal.post(PROPERTIES, made)

    assert (created.status, again.status, gone) == (201, 409, 204)
    assert body(again)["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert (absent, codes(refused)) == (False, ["PROPERTY_DOESNT_EXIST"])
    assert portal.read(key, "tier")["tier"] == "gold"
    assert portal.call("DELETE", f"{PROPERTIES}/email").status == 400


def test_patching_options_replaces_the_whole_list(portal: Portal) -> None:
    """Section 10: send all the options that shall remain."""
    answer = portal.call("PATCH", f"{PROPERTIES}/crm_rating", {"options": [{"label": "Hot", "value": "Hot"}]})
    unknown = portal.get(f"{PROPERTIES}/nonsense")

    assert [one["value"] for one in body(answer)["options"]] == ["Hot"]
    assert (unknown.status, body(unknown)["category"]) == (404, "OBJECT_NOT_FOUND")
    assert portal.call("PATCH", f"{PROPERTIES}/email", {"label": "Mail"}).status == 400


def test_the_account_is_pinned_by_its_details_and_pipelines_are_listed(portal: Portal) -> None:
    """Section 15, 11: metadata values are strings."""
    details = body(portal.get("/account-info/v3/details"))
    deals, _ = body(portal.get("/crm/pipelines/2026-09/deals"))["results"]

    assert (details["portalId"], details["timeZone"], details["utcOffset"]) == (4242001, "Europe/Berlin", "+01:00")
    assert deals["stages"][0]["metadata"] == {"isClosed": "false", "probability": "0.2"}
    assert body(portal.get("/crm/v3/pipelines/contacts"))["results"][0]["stages"][1]["id"] == "lead"


# ---------------------------------------------------------------- people, switches, populating


def test_a_person_obeys_uniqueness_and_cannot_set_what_hubspot_computes(portal: Portal) -> None:
    """The UI has no privilege over the data; automation has."""
    key = portal.contact(email="a@example.test")
    with pytest.raises(Refused, match="already exists"):
        portal.contact(email="a@example.test")
    with pytest.raises(Refused, match="READ_ONLY_VALUE"):
        portal.app.act({"do": "edit", "object": "contacts", "key": key, "values": {"hubspotscore": "9"}})
    portal.app.act({"do": "calculate", "object": "contacts", "key": key, "values": {"hubspotscore": "9"}})
    portal.app.act(
        {"do": "edit", "object": "contacts", "key": key, "values": {"hs_email_optout": "true"}, "by": "automation"}
    )

    assert portal.read(key, "hubspotscore", "hs_email_optout")["hubspotscore"] == "9"
    assert portal.app.act({"do": "clear", "object": "contacts", "key": key, "properties": ["email"]})["changed"]


def test_a_restore_is_refused_when_the_address_was_taken_meanwhile(portal: Portal) -> None:
    """Two live contacts never share an address."""
    key = portal.contact(email="a@example.test")
    portal.app.act({"do": "delete", "object": "contacts", "key": key})
    portal.contact(email="a@example.test")

    with pytest.raises(Refused, match="taken"):
        portal.app.act({"do": "restore", "object": "contacts", "key": key})


@pytest.mark.parametrize("action", [{"do": "convert"}, {"do": "edit", "object": "contacts", "key": "1"}, {}])
def test_actions_that_make_no_sense_are_refused(portal: Portal, action: dict[str, Any]) -> None:
    """A mistyped action must not pass for done."""
    with pytest.raises(Refused):
        portal.app.act(action)


@pytest.mark.parametrize("change", [{"nonsense": 1}, {"merge_id": "old"}, {"search_lag_ms": "5"}, {"noop_bumps": 1}])
def test_switches_take_only_what_they_know(portal: Portal, change: dict[str, Any]) -> None:
    """A mistyped switch must not leave a test in the wrong position."""
    with pytest.raises(Refused):
        portal.app.switch({**change, "limits": "on"})

    assert portal.app.switch({})["limits"] == "off"


def test_the_state_holds_every_record_and_merge(portal: Portal) -> None:
    """Tests and the demo look at the truth, not at an answer."""
    first, second = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    state = portal.app.state("contacts")
    record = state["objects"]["contacts"][key]

    assert list(state["objects"]) == ["contacts"]
    assert state["merged"]["contacts"] == {first: key, second: key}
    assert (record["values"]["email"], record["archived"], record["merged"]) == (
        "a@example.test",
        False,
        [first, second],
    )
    assert record["versions"] > 0
    assert "associations" in portal.app.state(None)


def test_a_populated_portal_is_the_same_each_time_and_at_rest() -> None:
    """The demo begins from a known company: nothing pending, everything in the index."""
    portal, other = Portal(), create(seed=3)
    other.clock.freeze(NOW_MS)
    keys = populate(portal.app, people(7, 50), key="k")
    populate(other, people(7, 50), key="k")
    before = portal.app.state("contacts")["objects"]
    portal.advance(3600)

    assert before == other.state("contacts")["objects"]
    assert portal.app.state("contacts")["objects"] == before
    assert body(portal.search())["total"] == 50
    assert portal.read(keys[3], "syncd_key")["syncd_key"] == "k3"


def test_every_switch_says_its_default_and_no_closed_set_is_a_single_position() -> None:
    """A switch with one position is no switch."""
    choices = [one.metadata["choices"] for one in Switches.__dataclass_fields__.values() if "choices" in one.metadata]

    assert len(choices) > 20
    assert all(len(set(positions)) > 1 for positions in choices)


def test_the_readme_names_every_switch_and_act(portal: Portal) -> None:
    """The list that people read is complete, or it is worse than none."""
    readme = (Path(hubspot.__file__).parent / "README.md").read_text()
    acts = portal.app._acts.known

    missing = [name for name in (*Switches().to_json(), *acts) if f"`{name}`" not in readme]

    assert missing == []
