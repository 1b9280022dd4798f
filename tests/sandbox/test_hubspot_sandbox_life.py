"""The HubSpot sandbox: what becomes of a record with time: lists, histories, lifecycle, automation. Source: the contract."""

from __future__ import annotations

import pytest
from portal_calls import CONTACTS, OLD_CONTACTS, Portal, body, codes

DEALS = "/crm/objects/2026-09/deals"


# ---------------------------------------------------------------- lists and history


def test_a_list_goes_by_id_in_pages_and_never_shows_archived_among_live(portal: Portal) -> None:
    """Section 4.1: no total; `after` continues; `paging` is absent on the last page."""
    keys = [portal.contact(email=f"p{at}@example.test") for at in range(5)]
    portal.call("DELETE", f"{CONTACTS}/{keys[1]}")
    first = body(portal.get(f"{CONTACTS}?limit=2"))
    second = body(portal.get(f"{CONTACTS}?limit=2&after={first['paging']['next']['after']}"))
    gone = body(portal.get(f"{CONTACTS}?archived=true"))

    assert [one["id"] for one in first["results"]] == [keys[0], keys[2]]
    assert [one["id"] for one in second["results"]] == keys[3:]
    assert "paging" not in second
    assert [one["id"] for one in gone["results"]] == [keys[1]]
    assert "archivedAt" in gone["results"][0]
    assert "/crm/v3/" in first["paging"]["next"]["link"]


def test_a_page_over_the_maximum_is_refused_or_cut(portal: Portal) -> None:
    """Section 22: 100 a page, 50 with history; what happens above is unverified."""
    assert portal.get(f"{CONTACTS}?limit=101").status == 400
    assert portal.get(f"{CONTACTS}?limit=51&propertiesWithHistory=email").status == 400
    portal.app.switch({"list_limit_over": "clamp"})
    assert portal.get(f"{CONTACTS}?limit=101").status == 200


def test_history_tells_who_wrote_newest_first(portal: Portal) -> None:
    """Section 3: history is the only judge of our own writes against a person's."""
    key = portal.contact(email="a@example.test", city="Rome")
    portal.advance(1)
    portal.patch(key, city="Oslo")
    portal.advance(1)
    portal.app.act({"do": "edit", "object": "contacts", "key": key, "values": {"city": "Bern"}, "by": "77"})
    entries = body(portal.get(f"{CONTACTS}/{key}?propertiesWithHistory=city"))["propertiesWithHistory"]["city"]

    assert [(one["value"], one["sourceType"], one["sourceId"]) for one in entries] == [
        ("Bern", "CRM_UI", "userId:77"),
        ("Oslo", "INTEGRATION", "9001"),
        ("Rome", "CRM_UI", entries[2]["sourceId"]),
    ]
    assert entries[0]["updatedByUserId"] == 77
    assert entries[0]["timestamp"] == "2026-11-21T00:00:02.123Z"


def test_history_keeps_only_so_many_versions(portal: Portal) -> None:
    """Section 21: history is no audit log."""
    portal.app.switch({"history_contacts": 3})
    key = portal.contact(email="a@example.test", city="0")
    for number in range(1, 6):
        portal.patch(key, city=str(number))
    history = portal.app.act({"do": "history", "object": "contacts", "key": key, "property": "city"})["history"]

    assert [one["value"] for one in history["city"]] == ["5", "4", "3"]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_write_of_the_same_value_bumps_the_stamp_or_not(portal: Portal, bumps: bool) -> None:
    """Section 24: unverified, so both must be survived; likewise whether history grows."""
    portal.app.switch({"noop_bumps": bumps, "noop_adds_history": bumps})
    key = portal.contact(email="a@example.test", city="Rome")
    portal.advance(1)
    portal.patch(key, city="Rome")
    entries = portal.app.act({"do": "history", "object": "contacts", "key": key, "property": "city"})["history"]["city"]

    assert portal.read(key)["lastmodifieddate"].startswith("2026-11-21T00:00:01" if bumps else "2026-11-21T00:00:00")
    assert len(entries) == (2 if bumps else 1)


def test_hubspot_recalculates_after_a_write_and_bumps_the_stamp_again(portal: Portal) -> None:
    """Section 21: rows come back with nothing changed."""
    portal.app.switch({"recalculation_ms": 2000})
    key = portal.contact(email="a@example.test")
    portal.patch(key, city="Rome")
    portal.advance(1)
    before = portal.read(key)["lastmodifieddate"]
    portal.advance(60)

    assert before == "2026-11-21T00:00:00.123Z"
    assert portal.read(key)["lastmodifieddate"] == "2026-11-21T00:00:02.123Z"


def test_the_other_modified_property_of_contacts_is_not_maintained(portal: Portal) -> None:
    """Section 5: filtering contacts on hs_lastmodifieddate misses changes."""
    key = portal.contact(email="a@example.test")
    portal.advance(9)
    portal.patch(key, city="Rome")
    read = portal.read(key, "hs_lastmodifieddate")

    assert read["hs_lastmodifieddate"] < read["lastmodifieddate"]


# ---------------------------------------------------------------- lifecycle


def test_a_stage_set_back_is_accepted_and_ignored(portal: Portal) -> None:
    """Section 14: 2xx, and the answer shows the old stage; a person may move it back all the same."""
    key = portal.contact(email="a@example.test", lifecyclestage="customer")
    answer = portal.patch(key, lifecyclestage="lead", city="Rome")
    read = portal.read(key, "lifecyclestage", "city")
    portal.app.act({"do": "edit", "object": "contacts", "key": key, "values": {"lifecyclestage": "lead"}})

    assert (answer.status, body(answer)["properties"]["lifecyclestage"]) == (200, "customer")
    assert (read["lifecyclestage"], read["city"]) == ("customer", "Rome")
    assert portal.read(key, "lifecyclestage")["lifecyclestage"] == "lead"


def test_a_stage_goes_back_by_clearing_first(portal: Portal) -> None:
    """Section 14: clear, then set in a second request; the stage's times follow."""
    key = portal.contact(email="a@example.test", lifecyclestage="customer")
    portal.advance(60)
    portal.patch(key, lifecyclestage="")
    portal.patch(key, lifecyclestage="lead")
    times = ("hs_v2_date_exited_customer", "hs_v2_cumulative_time_in_customer", "hs_v2_date_entered_lead")
    read = portal.read(key, "lifecyclestage", *times)

    assert read["lifecyclestage"] == "lead"
    assert [read[name] for name in times] == ["2026-11-21T00:01:00.123Z", "60000", "2026-11-21T00:01:00.123Z"]


# ---------------------------------------------------------------- automation and other objects


def test_automation_answers_a_change_and_may_bend_or_swallow_writes(portal: Portal) -> None:
    """The account's own workflows fire on our writes; normalisers bend them; faults swallow them."""
    rule = {"object": "contacts", "when": {"property": "city", "value": "Rome"}, "set": {"country": "Italy"}}
    portal.app.switch({"automations": [rule], "bend": {"contacts": {"phone": "digits"}}})
    key = portal.contact(email="a@example.test")
    bent = body(portal.patch(key, city="Rome", phone="+39 06 1234"))["properties"]["phone"]
    portal.app.faults.add({"kind": "swallow", "properties": ["state"], "times": 1})
    swallowed = body(portal.patch(key, state="RM", zip="1"))["properties"]
    portal.advance(2)
    history = portal.app.act({"do": "history", "object": "contacts", "key": key, "property": "country"})["history"]

    assert bent == "+39061234"
    assert (swallowed["state"], swallowed["zip"]) == (None, "1")
    assert (history["country"][0]["value"], history["country"][0]["sourceType"]) == ("Italy", "AUTOMATION_PLATFORM")


def test_required_properties_bind_api_creates_by_version_but_not_people(portal: Portal) -> None:
    """Section 1.4: an upgrade of the version string can start failing on some accounts."""
    rule = {"object": "contacts", "property": "hs_lead_status", "value": "UNQUALIFIED", "requires": "city"}
    portal.app.switch({"required_at_create": {"contacts": ["lastname"]}, "conditional_required": [rule]})
    given = {"properties": {"email": "a@example.test"}}
    new = portal.post(CONTACTS, given)
    old = portal.post(OLD_CONTACTS, given)
    conditional = portal.patch(body(old)["id"], hs_lead_status="UNQUALIFIED")

    assert (codes(new), body(new)["message"]) == (
        ["MISSING_REQUIRED_PROPERTY"],
        "The property values provided are invalid",
    )
    assert old.status == 201
    assert codes(conditional) == ["MISSING_CONDITIONAL_REQUIRED_PROPERTY"]
    assert portal.contact(email="b@example.test")


@pytest.mark.parametrize("mode", ["new", "primary"])
def test_deals_need_their_stage_compute_and_merge(portal: Portal, mode: str) -> None:
    """Section 7: what differs by object is data; which id a merged deal has is unverified."""
    portal.app.switch({"deals_merge_id": mode})
    missing = portal.post(DEALS, {"properties": {"amount": "5"}})
    made = body(portal.post(DEALS, {"properties": {"dealname": "D", "dealstage": "qualifiedtobuy", "amount": "10"}}))
    other = body(portal.post(DEALS, {"properties": {"dealname": "E", "dealstage": "closedwon"}}))
    wrong = portal.call("PATCH", f"{DEALS}/{made['id']}", {"properties": {"dealstage": "sold"}})
    merged = portal.post(f"{DEALS}/merge", {"primaryObjectId": made["id"], "objectIdToMerge": other["id"]})

    assert (missing.status, body(missing)["context"]["properties"]) == (400, ["dealname", "dealstage"])
    assert made["properties"]["pipeline"] == "default"
    assert made["properties"]["hs_projected_amount"] == "4"
    assert other["properties"]["closedate"] == "2026-11-21T00:00:00.123Z"
    assert codes(wrong) == ["INVALID_OPTION"]
    assert (body(merged)["id"] == made["id"]) == (mode == "primary")
    assert set(body(merged)["properties"]) >= {"hs_lastmodifieddate", "dealname"}


def test_small_switches_stand_in_either_position(portal: Portal) -> None:
    """Each of these is unverified; a client must not depend on one position."""
    companies = "/crm/objects/2026-09/companies"
    domain = {"properties": {"domain": "https://www.Acme.example/home"}}
    cleaned = body(portal.post(companies, domain))["properties"]["domain"]
    portal.app.switch(
        {"domain_cleaned": False, "trim_strings": True, "empty_contact": "accept", "deal_close_sets_closedate": False}
    )
    portal.app.switch({"default_lifecyclestage": "subscriber", "contacts_hs_lastmodifieddate": "absent"})
    raw = body(portal.post(companies, domain))["properties"]["domain"]
    made = body(portal.post(CONTACTS, {"properties": {}}))["properties"]
    trimmed = body(portal.patch(made["hs_object_id"], city=" Rome "))["properties"]["city"]
    deal = body(portal.post(DEALS, {"properties": {"dealname": "E", "dealstage": "closedwon"}}))["properties"]

    assert (cleaned, raw, trimmed) == ("acme.example", "https://www.Acme.example/home", "Rome")
    assert made["lifecyclestage"] == "subscriber"
    assert "hs_lastmodifieddate" not in made
    assert "closedate" not in deal
