"""The HubSpot sandbox: who is who, and who is merged, deleted or forgotten. Source: the contract."""

from __future__ import annotations

import pytest
from portal_calls import CONTACTS, OLD_CONTACTS, Portal, body, codes

# ---------------------------------------------------------------- identity


def test_an_id_that_is_missing_and_one_that_is_no_number_fail_differently(portal: Portal) -> None:
    """Section 17.4: no category for the one; two spaces in the other."""
    missing, text = portal.get(f"{CONTACTS}/999"), portal.get(f"{CONTACTS}/abc")

    assert (missing.status, sorted(body(missing))) == (404, ["correlationId", "message", "status"])
    assert body(text)["message"] == "Object not found.  objectId are usually numeric."
    assert body(text)["context"] == {"id": ["abc"]}


def test_a_contact_is_found_by_any_unique_property_and_by_no_other(portal: Portal) -> None:
    """Section 4.2: idProperty works for e-mail and unique properties; case does not matter."""
    key = portal.contact(email="a+b@example.test", syncd_key="salesforce:1:Lead:00Q/x")

    assert body(portal.get(f"{CONTACTS}/A+b@example.test?idProperty=email"))["id"] == key
    assert body(portal.get(f"{CONTACTS}/salesforce:1:Lead:00q%2Fx?idProperty=syncd_key"))["id"] == key
    assert portal.get(f"{CONTACTS}/Ann?idProperty=firstname").status == 400


def test_a_look_up_by_email_that_finds_nothing_answers_html_on_old_paths(portal: Portal) -> None:
    """Section 17.4: a 404 need not be JSON."""
    old = portal.get(f"{OLD_CONTACTS}/x@example.test?idProperty=email")
    new = portal.get(f"{CONTACTS}/x@example.test?idProperty=email")
    portal.app.switch({"email_miss_html": False})

    assert (old.status, str(old.body)[:6]) == (404, "<html>")
    assert body(new)["message"] == "resource not found"
    assert isinstance(portal.get(f"{OLD_CONTACTS}/x@example.test?idProperty=email").body, dict)


def test_an_email_that_is_taken_is_a_conflict_that_names_the_holder(portal: Portal) -> None:
    """Section 17.5: the id stands only in the text; an update into a taken address conflicts too (switch)."""
    first = portal.contact(email="a@example.test")
    second = portal.contact(email="b@example.test")
    created = portal.post(CONTACTS, {"properties": {"email": "A@example.test"}})
    moved = portal.patch(second, email="a@example.test")
    portal.app.switch({"email_taken_on_update": 400})

    assert (created.status, body(created)["category"]) == (409, "CONFLICT")
    assert body(created)["message"] == f"Contact already exists. Existing ID: {first}"
    assert (moved.status, body(moved)["message"]) == (409, body(created)["message"])
    assert portal.patch(second, email="a@example.test").status == 400


def test_a_unique_property_refuses_a_second_holder(portal: Portal) -> None:
    """The key for creates works because a second create with it is refused; the status is a switch."""
    portal.contact(email="a@example.test", syncd_key="K1")
    refused = portal.post(CONTACTS, {"properties": {"email": "b@example.test", "syncd_key": "k1"}})
    portal.app.switch({"unique_conflict_status": 409})

    assert (refused.status, codes(refused)) == (400, ["CONFLICTING_UNIQUE_VALUE"])
    assert portal.post(CONTACTS, {"properties": {"syncd_key": "K1"}}).status == 409


def test_an_archived_contact_gives_its_address_free_or_not(portal: Portal) -> None:
    """Section 17.5: the id in a conflict may be an archived one (switch)."""
    portal.app.act({"do": "delete", "object": "contacts", "key": portal.contact(email="a@example.test")})
    portal.app.switch({"archived_holds_email": True})
    held = portal.contact(email="b@example.test")
    portal.call("DELETE", f"{CONTACTS}/{held}")

    assert portal.post(CONTACTS, {"properties": {"email": "a@example.test"}}).status == 201
    assert body(portal.post(CONTACTS, {"properties": {"email": "b@example.test"}}))["message"].endswith(held)


# ---------------------------------------------------------------- merge, delete, forget


@pytest.mark.parametrize("mode", ["new", "primary"])
def test_a_merge_gives_one_record_that_both_ids_lead_to(portal: Portal, mode: str) -> None:
    """Section 6: a third id (or the primary's, by switch); addresses add up; the furthest stage is kept."""
    portal.app.switch({"merge_id": mode})
    first = portal.contact(email="a@example.test", city="Rome", lifecyclestage="lead")
    second = portal.contact(email="b@example.test", city="Oslo", phone="1", lifecyclestage="customer")
    answer = portal.post(f"{CONTACTS}/merge", {"primaryObjectId": first, "objectIdToMerge": second})
    key = body(answer)["id"]
    read = portal.read(key, "city", "phone", "lifecyclestage", "email", "hs_additional_emails", "hs_merged_object_ids")

    assert (key == first) == (mode == "primary")
    assert [read[name] for name in ("city", "phone", "lifecyclestage")] == ["Rome", "1", "customer"]
    assert (read["email"], read["hs_additional_emails"]) == ("a@example.test", "b@example.test")
    assert read["hs_merged_object_ids"] == (second if mode == "primary" else f"{first};{second}")
    assert [body(portal.get(f"{CONTACTS}/{old}"))["id"] for old in (first, second)] == [key, key]
    assert portal.patch(second, city="Bern").status == 200
    assert portal.read(key, "city")["city"] == "Bern"
    assert [one["id"] for one in body(portal.get(CONTACTS))["results"]] == [key]
    assert body(portal.get(f"{CONTACTS}?archived=true"))["results"] == []


def test_a_chain_of_merges_leads_to_the_end(portal: Portal) -> None:
    """Section 6: old ids resolve through any number of merges."""
    keys = [portal.contact(email=f"{name}@example.test") for name in "abc"]
    one = portal.app.act({"do": "merge", "object": "contacts", "key": keys[0], "with": keys[1]})["key"]
    two = portal.app.act({"do": "merge", "object": "contacts", "key": keys[2], "with": one})["key"]

    assert {body(portal.get(f"{CONTACTS}/{key}"))["id"] for key in (*keys, one, two)} == {two}
    assert portal.read(two, "hs_additional_emails")["hs_additional_emails"] == "a@example.test;b@example.test"


def test_an_additional_address_is_unique_too_and_a_conflict_may_cite_a_merged_id(portal: Portal) -> None:
    """Section 17.5: the cited id may be a merged-away one; it must be read again before use."""
    first, second = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    refused = portal.post(CONTACTS, {"properties": {"email": "b@example.test"}})
    own = portal.patch(key, email="b@example.test")
    portal.app.switch({"own_additional_email": "swap"})
    portal.patch(key, email="b@example.test")

    assert body(refused)["message"].endswith(second)
    assert own.status == 409
    assert portal.read(key, "email", "hs_additional_emails")["hs_additional_emails"] == "a@example.test"
    assert body(portal.get(f"{CONTACTS}/a@example.test?idProperty=email"))["id"] == key


def test_an_archived_contact_is_gone_from_reads_until_a_person_restores_it(portal: Portal) -> None:
    """Section 4.5: 404 without archived=true; deleting twice and an unknown id are 204 (switch); same id after."""
    key = portal.contact(email="a@example.test")
    statuses = [portal.call("DELETE", f"{CONTACTS}/{one}").status for one in (key, key, "999")]
    seen = [portal.get(f"{CONTACTS}/{key}{query}").status for query in ("", "?archived=true")]
    patched = portal.patch(key, city="Rome").status
    portal.app.act({"do": "restore", "object": "contacts", "key": key})
    portal.app.act({"do": "delete", "object": "contacts", "key": portal.contact(email="b@example.test")})
    archived = str(int(key) + 1)
    hidden = portal.get(f"{CONTACTS}/{archived}").status
    portal.app.switch({"unknown_delete": 404, "archived_get": 200})

    assert (hidden, body(portal.get(f"{CONTACTS}/{archived}"))["archived"]) == (404, True)
    assert portal.patch(archived, city="x").status == 404
    assert (statuses, seen, patched) == ([204, 204, 204], [404, 200], 404)
    assert portal.get(f"{CONTACTS}/{key}").status == 200
    assert portal.call("DELETE", f"{CONTACTS}/999").status == 404


def test_a_forgotten_person_is_gone_and_cannot_be_created_again(portal: Portal) -> None:
    """Section 6: a sync must not resurrect who was deleted for privacy (switch)."""
    key = portal.contact(email="a@example.test")
    gone = portal.post(f"{CONTACTS}/gdpr-delete", {"objectId": "A@example.test", "idProperty": "email"})
    portal.post(f"{CONTACTS}/gdpr-delete", {"objectId": "never@example.test", "idProperty": "email"})
    again = [portal.post(CONTACTS, {"properties": {"email": f"{one}@example.test"}}).status for one in ("a", "never")]
    portal.app.switch({"gdpr_blocks_email": False})

    assert (gone.status, again) == (204, [400, 400])
    assert [portal.get(f"{CONTACTS}/{key}{query}").status for query in ("", "?archived=true")] == [404, 404]
    assert portal.post(CONTACTS, {"properties": {"email": "a@example.test"}}).status == 201


def test_a_hidden_record_is_out_of_sight_but_unchanged(portal: Portal) -> None:
    """A lost permission looks like a deletion, and must not be taken for one."""
    key = portal.contact(email="a@example.test")
    portal.app.act({"do": "hide", "object": "contacts", "key": key})
    unseen = portal.get(f"{CONTACTS}/{key}").status, len(body(portal.get(CONTACTS))["results"])
    portal.app.act({"do": "show", "object": "contacts", "all": True})

    assert unseen == (404, 0)
    assert portal.read(key)["lastmodifieddate"] == "2026-11-21T00:00:00.123Z"
