"""Reading, finding and describing in HubSpot, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_account import NAMES, OAUTH, Portal, keys, one, update

from connectors.hubspot import Settings
from connectors.hubspot.connector import HubSpot
from syncd.connector import Effect


def test_the_portal_is_named(hubspot: HubSpot) -> None:
    """Rule: the account's id is the portal's, which the ledger pins (section 15)."""
    found = hubspot.identify()

    assert found.id == "4242001"
    assert found.time_zone == "Europe/Berlin"


def test_oauth_learns_the_id_of_our_app(portal: Portal) -> None:
    """Rule: who we are in histories is asked once, where HubSpot tells."""
    connector = portal.connector(**OAUTH)

    assert connector.identify().writer == "9002"
    assert portal.calls(connector.identify) == [("GET", "details", 200)]


def test_properties_are_described_as_our_token_may_write_them(hubspot: HubSpot) -> None:
    """Rule: writable is what `readOnlyValue` says; choices and unique values are told (section 10)."""
    attributes = hubspot.describe("contacts").attributes

    assert (attributes["email"].type, attributes["email"].unique, attributes["email"].updatable) == ("text", True, True)
    assert (attributes["hubspotscore"].type, attributes["hubspotscore"].updatable) == ("number", False)
    assert attributes["hubspotscore"].calculated
    assert not attributes["hs_email_optout"].updatable
    assert attributes["syncd_key"].unique
    assert attributes["crm_rating"].options == ("Hot", "Warm", "Cold")
    assert attributes["crm_rating"].restricted
    assert not attributes["hubspot_owner_id"].restricted


def test_the_key_is_a_trait_only_where_it_is_unique(portal: Portal) -> None:
    """Rule: an honest trait; asked once, when first looked at."""
    connector = portal.connector()

    assert portal.calls(lambda: connector.traits.objects["contacts"]) == [("GET", "contacts", 200)]
    assert connector.traits.objects["contacts"].key == "syncd_key"
    assert portal.calls(lambda: connector.traits.objects["contacts"]) == []
    assert portal.connector(key="lead_source").traits.objects["contacts"].key is None
    assert portal.connector(key="nowhere").traits.objects["contacts"].key is None


@pytest.mark.parametrize("settings", [{}, {"token": "t", "client_id": "x"}, {"client_id": "x"}, {"token": "t", "x": 1}])
def test_settings_need_exactly_one_way_in(settings: dict[str, Any]) -> None:
    """Rule: a file that could mean two things is refused."""
    with pytest.raises(ValueError, match=r"token|Extra"):
        Settings(**settings)


def test_what_is_fetched_lives_or_is_told_what_became_of_it(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: live, archived, merged and unknown are four things; only evidence makes a record gone (H063)."""
    for merged_batch_read in ("missing", "resolve", "drop"):
        portal.control.switches(merged_batch_read=merged_batch_read)
        live, gone, left, right, purged = portal.people(5, email="")
        portal.control.act("delete", object="contacts", key=gone)
        portal.control.act("purge", object="contacts", key=purged)
        survivor = portal.control.act("merge", object="contacts", key=left, **{"with": right})["key"]

        asked = [live, gone, left, right, purged, "999999999999", "not-a-number", live]
        records = list(hubspot.fetch("contacts", ["firstname"], asked))
        assert keys(records, "live") == {live, survivor}
        assert keys(records, "gone") == {gone}
        assert {r.key: r.into for r in records if r.state == "merged"} == dict.fromkeys(
            (left, right), ("contacts", survivor)
        )


def test_a_record_merged_into_one_that_was_archived_since_is_still_merged(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the trail does not end at an archived survivor; its own fate is told when it is asked for (H124)."""
    left, right = portal.people(2, email="")
    survivor = portal.control.act("merge", object="contacts", key=left, **{"with": right})["key"]
    portal.control.act("delete", object="contacts", key=survivor)

    (record,) = hubspot.fetch("contacts", NAMES, [left])
    assert (record.key, record.state, record.into) == (left, "merged", ("contacts", survivor))
    assert [one.state for one in hubspot.fetch("contacts", NAMES, [survivor])] == ["gone"]


def test_hidden_records_are_missing_not_gone(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: what the token may not see any more is no deletion (H063)."""
    seen, hidden = portal.people(2)
    portal.control.act("hide", object="contacts", key=hidden)

    assert [record.key for record in hubspot.fetch("contacts", NAMES, [seen, hidden])] == [seen]


def test_history_tells_ours_from_theirs(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the judge of doubtful writes: newest first, with who wrote it (section 21.4)."""
    (made,) = portal.people(1)
    assert one(hubspot.write("contacts", [update(made, city="Ours")])).kind == "sent"
    portal.wait(1)
    portal.edit(made, city="Theirs")

    (record,) = hubspot.fetch("contacts", ["city"], [made], history=True)
    assert record.history is not None
    told = [(entry.value, entry.ours) for entry in record.history["city"]]
    assert told == [("Theirs", False), ("Ours", True), ("Old Town", False)]
    (record,) = portal.connector(app_id="1").fetch("contacts", ["city"], [made], history=True)
    assert record.history is not None
    assert not any(entry.ours for entry in record.history["city"])


def test_our_app_is_learned_from_what_we_create(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: from then on another integration's line is not taken for ours (section 7)."""
    assert hubspot.identify().writer == ""
    hubspot.write("contacts", [Effect("r1", "create", None, {"email": "new@example.test"})])

    assert hubspot.identify().writer == "9001"


def test_histories_are_read_fifty_at_a_time(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: more than fifty with history is refused by HubSpot (section 4.6)."""
    made = portal.people(120)

    calls = portal.calls(lambda: list(hubspot.fetch("contacts", ["city"], made, history=True)))
    assert calls == [("POST", "read", 200)] * 3


def test_contacts_are_found_by_any_of_their_addresses(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: primary and additional, in any case; blank matches nothing (H114, H115, H119)."""
    portal.people(2)
    left, right = portal.people(2, lag=True, email="", city="x")
    portal.edit(left, email="main@example.test")
    portal.edit(right, email="second@example.test")
    survivor = portal.control.act("merge", object="contacts", key=left, **{"with": right})["key"]

    asked = ["MAIN@example.test", "second@example.test", "person1@example.test", "no@example.test", "", "  "]
    found = {one.value: one.record.key for one in hubspot.find("contacts", ["city"], "email", asked)}
    assert found == {
        "MAIN@example.test": survivor,
        "second@example.test": survivor,
        "person1@example.test": found["person1@example.test"],
    }
    (record,) = (one.record for one in hubspot.find("contacts", ["city"], "email", ["main@example.test"]))
    assert record.attributes == {"city": "x"}


def test_our_key_is_found_without_the_index(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: what was written a moment ago is found by its unique key (H006)."""
    key = "salesforce:00D5g000004SYNCEAA:Lead:00Q5g00000AbCdEEAV"
    effect = Effect("r1", "create", None, {"email": "new@example.test"}, unique=key)
    made = one(hubspot.write("contacts", [effect]))

    (found,) = hubspot.find("contacts", ["email"], "syncd_key", [key])
    assert (found.value, found.record.key) == (key, made.key)


def test_other_values_are_found_through_the_index_and_checked(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the index leads to ids; the record itself must hold the value; many values are asked in parts."""
    made = portal.people(30)
    portal.edit(made[0], city="Moved away")

    found = sorted(one.record.key for one in hubspot.find("contacts", ["city"], "city", ["OLD TOWN", "", "Nowhere"]))
    assert found == sorted(made[1:])
    many = [f"Name {n}" for n in range(30)] + [f"{n} " + "x" * 100 for n in range(30)]
    assert {one.value for one in hubspot.find("contacts", ["city"], "firstname", many)} == set(many[:30])
