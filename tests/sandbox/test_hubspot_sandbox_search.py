"""The HubSpot sandbox: search and its lagging index (contract section 5)."""

from __future__ import annotations

from typing import Any

import pytest
from portal_calls import CONTACTS, NOW_MS, Portal, body

from connectors.hubspot.sandbox import populate
from syncd.sandbox.company import people


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


def ids(portal: Portal, *filters: dict[str, Any], **more: Any) -> list[str]:
    answer = portal.search(*filters, **more)
    assert answer.status == 200, answer.body
    return [one["id"] for one in body(answer)["results"]]


# ---------------------------------------------------------------- the lag


def test_a_create_is_not_found_until_the_index_catches_up(portal: Portal) -> None:
    """Search by e-mail right after a create finds nothing: the classic way to a duplicate."""
    key = portal.contact(email="a@example.test")
    at_once = ids(portal, where("email", "EQ", "a@example.test"))
    portal.advance(5)

    assert at_once == []
    assert ids(portal, where("email", "EQ", "A@Example.test")) == [key]


def test_the_index_shows_old_values_until_it_catches_up(portal: Portal) -> None:
    """Values from search may be stale; a read by id is not."""
    key = portal.contact(email="a@example.test", city="Rome")
    portal.advance(5)
    portal.patch(key, city="Oslo")
    stale = body(portal.search(properties=["city"]))["results"][0]
    portal.advance(5)
    fresh = body(portal.search(properties=["city"]))["results"][0]

    assert (stale["properties"]["city"], fresh["properties"]["city"]) == ("Rome", "Oslo")
    assert stale["updatedAt"] < fresh["updatedAt"]
    assert portal.read(key, "city")["city"] == "Oslo"


def test_an_archived_record_stays_findable_until_the_index_catches_up(portal: Portal) -> None:
    """Archived records are never found, once the index knows."""
    key = portal.contact(email="a@example.test")
    portal.advance(5)
    portal.call("DELETE", f"{CONTACTS}/{key}")
    before = ids(portal)
    portal.advance(5)

    assert (before, ids(portal)) == ([key], [])


def test_records_lag_each_by_itself_so_an_older_change_may_appear_later(portal: Portal) -> None:
    """A low-water mark without overlap loses the late one."""
    slow, quick = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    portal.advance(5)
    portal.app.act({"do": "lag", "object": "contacts", "key": slow, "lag_ms": 60_000})
    portal.app.act({"do": "touch", "object": "contacts", "key": slow})
    portal.advance(1)
    portal.app.act({"do": "touch", "object": "contacts", "key": quick})
    portal.advance(5)
    since = where("lastmodifieddate", "GTE", str(NOW_MS + 1000))
    early = ids(portal, since)
    portal.advance(60)

    assert (early, ids(portal, since)) == ([quick], [slow, quick])


def test_a_late_old_state_never_replaces_a_newer_one(portal: Portal) -> None:
    """Lags differ; order within one record is kept."""
    key = portal.contact(email="a@example.test", city="1")
    portal.app.act({"do": "lag", "object": "contacts", "key": key, "lag_ms": 30_000})
    portal.patch(key, city="2")
    portal.app.act({"do": "lag", "object": "contacts", "key": key, "lag_ms": 1_000})
    portal.patch(key, city="3")
    portal.advance(2)
    first = body(portal.search(properties=["city"]))["results"][0]["properties"]["city"]
    portal.advance(60)

    assert first == "3"
    assert body(portal.search(properties=["city"]))["results"][0]["properties"]["city"] == "3"


def test_reads_by_id_may_be_made_to_lag_as_well(portal: Portal) -> None:
    """That a read follows a write is an assumption: switch `read_lag`, fault `stale_read`."""
    key = portal.contact(email="a@example.test", city="Rome")
    portal.advance(5)
    portal.patch(key, city="Oslo")
    portal.app.faults.add({"kind": "stale_read", "method": "GET", "times": 1})
    stale = portal.read(key, "city")["city"]
    portal.app.switch({"read_lag": True})

    assert stale == "Rome"
    assert portal.read(key, "city")["city"] == "Rome"
    assert portal.get(f"{CONTACTS}/{portal.contact(email='b@example.test')}").status == 404


def test_hidden_records_are_not_found_at_once(portal: Portal) -> None:
    """Sight is permission, not data: it does not lag."""
    key = portal.contact(email="a@example.test")
    portal.advance(5)
    seen = ids(portal)
    portal.app.act({"do": "hide", "object": "contacts", "key": key})

    assert (seen, ids(portal)) == ([key], [])


# ---------------------------------------------------------------- the query language


@pytest.fixture
def filled(portal: Portal) -> dict[str, str]:
    people_of = {
        "ann": {"firstname": "Ann", "city": "Rome", "crm_rating": "Hot", "phone": "+39 06 123 4567"},
        "bob": {"firstname": "bob", "city": "New York", "crm_rating": "Cold", "lead_source": "Web"},
        "cat": {"firstname": "Cat"},
    }
    keys = {}
    for name, values in people_of.items():
        keys[name] = portal.contact(email=f"{name}@example.test", **values)
        portal.advance(10)
    return keys


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (where("firstname", "EQ", "ANN"), "ann"),
        (where("crm_rating", "EQ", "hot"), ""),
        (where("crm_rating", "EQ", "Hot"), "ann"),
        (where("city", "NEQ", "rome"), "bob"),
        (where("city", "HAS_PROPERTY"), "ann bob"),
        (where("city", "NOT_HAS_PROPERTY"), "cat"),
        (where("firstname", "IN", values=["ann", "bob"]), "ann bob"),
        (where("firstname", "IN", values=["Ann", "bob"]), "bob"),
        (where("crm_rating", "NOT_IN", values=["Hot"]), "bob"),
        (where("city", "CONTAINS_TOKEN", "york"), "bob"),
        (where("city", "CONTAINS_TOKEN", "yor*"), "bob"),
        (where("city", "CONTAINS_TOKEN", "yor"), ""),
        (where("city", "NOT_CONTAINS_TOKEN", "york"), "ann"),
        (where("phone", "EQ", "061234567"), "ann"),
        (where("email", "IN", values=["cat@example.test"]), "cat"),
        (where("createdate", "BETWEEN", str(NOW_MS), highValue=str(NOW_MS + 10_000)), "ann bob"),
        (where("createdate", "GT", "2026-11-21T00:00:10.123Z"), "cat"),
        (where("lastmodifieddate", "LT", NOW_MS + 20_000), "ann bob"),
        (where("lastmodifieddate", "LTE", str(NOW_MS)), "ann"),
    ],
)
def test_operators_match_as_documented(portal: Portal, filled: dict[str, str], one: dict[str, Any], found: str) -> None:
    """Case does not matter except in choices; text lists must be lower-case; empty values match no negation."""
    assert ids(portal, one) == [filled[name] for name in found.split()]


def test_groups_are_ored_and_filters_anded(portal: Portal, filled: dict[str, str]) -> None:
    """Top-level `filters` are one group."""
    groups = [
        {"filters": [where("city", "HAS_PROPERTY"), where("lead_source", "EQ", "Web")]},
        {"filters": [where("firstname", "EQ", "cat")]},
    ]

    assert ids(portal, filterGroups=groups) == [filled["bob"], filled["cat"]]
    assert ids(portal, where("city", "HAS_PROPERTY"), where("lead_source", "EQ", "Web")) == [filled["bob"]]
    assert ids(portal, query="york example") == []
    assert ids(portal, query="example BOB") == [filled["bob"]]


def test_sorts_take_either_form_and_only_one(portal: Portal, filled: dict[str, str]) -> None:
    """Oldest first by default; a record without the value comes last."""
    by_city = [{"propertyName": "city", "direction": "ASCENDING"}]

    assert ids(portal, sorts=["-createdate"]) == [filled[name] for name in ("cat", "bob", "ann")]
    assert ids(portal, sorts=by_city) == [filled[name] for name in ("bob", "ann", "cat")]
    assert portal.search(sorts=["city", "email"]).status == 400


def test_an_empty_value_matches_a_negation_only_by_switch(portal: Portal, filled: dict[str, str]) -> None:
    """Unverified; the harder case is that it does not."""
    portal.app.switch({"neq_finds_empty": True})

    assert ids(portal, where("city", "NEQ", "rome")) == [filled["bob"], filled["cat"]]


def test_an_additional_address_is_found_by_email(portal: Portal, filled: dict[str, str]) -> None:
    """A contact can be found by an address that is not its `email`."""
    key = portal.app.act({"do": "merge", "object": "contacts", "key": filled["ann"], "with": filled["bob"]})["key"]
    portal.advance(5)

    assert ids(portal, where("email", "EQ", "bob@example.test")) == [key]


def test_a_query_may_ask_for_associated_ids(portal: Portal, filled: dict[str, str]) -> None:
    """The pseudo-property `associations.company`."""
    company = portal.app.act({"do": "create", "object": "companies", "values": {"name": "A"}})["key"]
    portal.app.act(
        {"do": "associate", "object": "contacts", "key": filled["cat"], "to_object": "companies", "to_key": company}
    )

    assert ids(portal, where("associations.company", "EQ", company)) == [filled["cat"]]


@pytest.mark.parametrize(
    "bad",
    [
        {"filters": [where("nonsense", "EQ", "1")]},
        {"filters": [where("city", "LIKE", "1")]},
        {"filters": [where("city", "EQ")]},
        {"filters": [where("city", "IN", values=[])]},
        {"filters": [where("lastmodifieddate", "GTE", "yesterday")]},
        {"filters": [where("city", "EQ", str(at)) for at in range(7)]},
        {"filterGroups": [{"filters": [where("city", "EQ", "1")]} for _ in range(6)]},
        {"filterGroups": [{"filters": [where("city", "EQ", "1")] * 5} for _ in range(4)]},
        {"limit": 201},
        {"limit": 0},
        {"after": "x"},
        {"properties": ["x" * 3000]},
    ],
)
def test_queries_beyond_the_rules_are_refused(portal: Portal, filled: dict[str, str], bad: dict[str, Any]) -> None:
    """5 groups, 6 filters each, 18 in all, 200 a page, 3,000 characters."""
    answer = portal.post(f"{CONTACTS}/search", bad)

    assert (answer.status, body(answer)["category"]) == (400, "VALIDATION_ERROR")


def test_what_the_character_cap_binds_on_is_a_switch(portal: Portal, filled: dict[str, str]) -> None:
    """The documentation says the body; a connector in production sends longer property lists."""
    portal.app.switch({"search_body_cap": "filters"})
    long = where("city", "EQ", "x" * 3000)

    assert portal.search(properties=["x" * 3000]).status == 200
    assert portal.search(long).status == 400
    portal.app.switch({"search_body_cap": "off"})
    assert portal.search(long).status == 200


# ---------------------------------------------------------------- paging


def test_pages_go_by_offset_and_end_at_ten_thousand(portal: Portal) -> None:
    """Further on is refused (or empty, by switch); rows move under the reader."""
    keys = populate(portal.app, people(1, 10_050))
    first = body(portal.search(limit=200))
    last = body(portal.search(limit=200, after="9800"))
    refused = portal.search(limit=200, after="9801")
    portal.app.switch({"search_beyond_reach": "empty"})
    beyond = body(portal.search(limit=200, after=10_000))

    assert (first["total"], first["paging"]["next"]["after"]) == (10_050, "200")
    assert [one["id"] for one in last["results"]] == keys[9800:10_000]
    assert last["paging"]["next"]["after"] == "10000"
    assert refused.status == 400
    assert (beyond["results"], "paging" in beyond) == ([], False)


def test_a_window_on_the_stamp_with_ids_as_cursor_reads_everything_once(portal: Portal) -> None:
    """The way past 10,000: a window, sorted by id, from the last id on; many records may share one stamp."""
    keys = populate(portal.app, people(1, 500))
    portal.app.act({"do": "touch", "object": "contacts", "keys": keys[:300]})
    portal.advance(5)
    seen: list[str] = []
    while True:
        low = where("hs_object_id", "GT", seen[-1] if seen else "0")
        page = ids(portal, where("lastmodifieddate", "GTE", NOW_MS), low, sorts=["hs_object_id"], limit=100)
        seen += page
        if not page:
            break

    assert seen == keys[:300]


def test_an_edit_while_reading_by_offset_moves_rows(portal: Portal) -> None:
    """Sorting by the modified date and paging by offset skips rows."""
    keys = populate(portal.app, people(1, 40))
    first = ids(portal, sorts=["lastmodifieddate"], limit=20)
    portal.app.act({"do": "touch", "object": "contacts", "keys": keys[:5]})
    portal.advance(5)
    second = ids(portal, sorts=["lastmodifieddate"], limit=20, after=20)

    assert first == keys[:20]
    assert set(keys[20:25]).isdisjoint([*first, *second])
