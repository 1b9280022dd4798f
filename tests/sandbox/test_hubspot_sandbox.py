"""The HubSpot sandbox: single records, the value model, lifecycle, merges and deletion. Source: the contract."""

from __future__ import annotations

import pytest
from portal_calls import CONTACTS, NOW_MS, OLD_CONTACTS, Portal, body, codes

DEALS = "/crm/objects/2026-09/deals"


@pytest.fixture
def portal() -> Portal:
    return Portal()


# ---------------------------------------------------------------- create, read, write


def test_a_create_answers_with_what_the_account_added(portal: Portal) -> None:
    """Section 7: the first read-back differs from what was written; e-mail is lower-cased."""
    answer = portal.post(CONTACTS, {"properties": {"email": "Ann@Example.test", "firstname": " Ann "}})
    shown = body(answer)["properties"]

    assert answer.status == 201
    assert shown["email"] == "ann@example.test"
    assert shown["firstname"] == " Ann "
    assert (shown["lifecyclestage"], shown["hs_object_source"], shown["hs_object_source_id"]) == (
        "lead",
        "INTEGRATION",
        "9001",
    )
    assert shown["hs_v2_date_entered_lead"] == "2026-11-21T00:00:00.123Z"


def test_reads_show_defaults_null_for_empty_and_drop_unknown_names(portal: Portal) -> None:
    """Section 3: an unknown name is silently missing on reads, an empty property is null."""
    key = portal.contact(email="a@example.test")
    bare = body(portal.get(f"{CONTACTS}/{key}"))
    asked = body(portal.get(f"{CONTACTS}/{key}?properties=city,nonsense&properties=phone"))

    assert sorted(bare["properties"]) == [
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    ]
    assert asked["properties"] == {
        "city": None,
        "phone": None,
        "hs_object_id": key,
        "createdate": "2026-11-21T00:00:00.123Z",
        "lastmodifieddate": "2026-11-21T00:00:00.123Z",
    }
    assert (asked["archived"], asked["updatedAt"]) == (False, "2026-11-21T00:00:00.123Z")


def test_times_lose_their_fraction_at_zero_milliseconds(portal: Portal) -> None:
    """Section 3: Java prints an Instant; a parser that wants a fraction fails once in a thousand."""
    portal.app.clock.freeze(NOW_MS - 123)
    key = portal.contact(email="a@example.test")

    assert portal.read(key)["createdate"] == "2026-11-21T00:00:00Z"


def test_every_version_reads_and_writes_the_same_store(portal: Portal) -> None:
    """Section 1.3: all path families lead to one store; plural names and type ids both work."""
    key = portal.contact(email="a@example.test")
    for path in (OLD_CONTACTS, "/crm/v3/objects/0-1", "/crm/objects/2026-03/contacts", "/crm/objects/2025-09/0-1"):
        assert body(portal.get(f"{path}/{key}"))["id"] == key, path
    refused = portal.get("/crm/objects/2026-09/people/1")

    assert (refused.status, body(refused)["message"]) == (400, "Unable to infer object type from: people")
    assert portal.get("/crm/objects/2024-01/contacts").status == 404


def test_a_patch_answers_with_the_changed_properties_only(portal: Portal) -> None:
    """Section 4.4: the answer of a write is not a full read; `patch_answer=full` is the other position."""
    key = portal.contact(email="a@example.test", city="Rome")
    shown = body(portal.patch(key, firstname="Ann"))["properties"]
    portal.app.switch({"patch_answer": "full"})
    full = body(portal.patch(key, firstname="Anna"))["properties"]

    assert sorted(shown) == ["createdate", "firstname", "hs_object_id", "lastmodifieddate"]
    assert full["city"] == "Rome"


def test_clearing_is_an_empty_string_and_null_is_a_switch(portal: Portal) -> None:
    """Section 3: `""` clears; JSON null is undocumented: refused, taken as clear, or ignored."""
    key = portal.contact(email="a@example.test", city="Rome", phone="1")
    portal.patch(key, city="")
    refused = portal.patch(key, phone=None)
    portal.app.switch({"json_null": "ignore"})
    ignored = portal.patch(key, phone=None)
    kept = portal.read(key, "phone")["phone"]
    portal.app.switch({"json_null": "clear", "cleared_reads_as": "empty"})
    portal.patch(key, phone=None)

    assert (refused.status, ignored.status, kept) == (400, 200, "1")
    assert portal.read(key, "city", "phone", "state")["phone"] == ""
    assert portal.read(key, "state")["state"] is None


def test_writes_refuse_what_is_unknown_read_only_or_malformed_and_name_each(portal: Portal) -> None:
    """Section 17.3: one refusal names every bad property, in both shapes at once; nothing is written."""
    key = portal.contact(email="a@example.test")
    answer = portal.patch(
        key,
        city="Rome",
        nonsense="1",
        hubspotscore="5",
        hs_email_optout="true",
        crm_rating="hot",
        email="not an address",
        hubspot_owner_id="44",
        crm_email_optout="yes",
    )

    assert answer.status == 400
    assert codes(answer) == [
        "PROPERTY_DOESNT_EXIST",
        "READ_ONLY_VALUE",
        "READ_ONLY_VALUE",
        "INVALID_OPTION",
        "INVALID_EMAIL",
        "INVALID_OWNER_ID",
        "INVALID_OPTION",
    ]
    assert body(answer)["errors"][0]["context"]["propertyName"] == ["nonsense"]
    assert 'Property values were not valid: [{"isValid":false' in body(answer)["message"]
    assert portal.read(key, "city")["city"] is None


@pytest.mark.parametrize(("shape", "has_text", "has_list"), [("text", True, False), ("structured", False, True)])
def test_property_errors_also_come_in_one_shape_alone(
    portal: Portal, shape: str, has_text: bool, has_list: bool
) -> None:
    """Section 17.3: a client must read either shape."""
    portal.app.switch({"property_error_shape": shape})
    answer = body(portal.post(CONTACTS, {"properties": {"nonsense": "1"}}))

    assert ("isValid" in answer["message"], "errors" in answer) == (has_text, has_list)


def test_an_owner_is_an_active_owner_id_and_not_a_user_id(portal: Portal) -> None:
    """Section 9: user ids and archived owners are refused."""
    key = portal.contact(email="a@example.test")

    assert portal.patch(key, hubspot_owner_id="41").status == 200
    assert codes(portal.patch(key, hubspot_owner_id="9001")) == ["INVALID_OWNER_ID"]
    portal.app.switch({"owner_check": False})
    assert portal.patch(key, hubspot_owner_id="9001").status == 200


def test_numbers_choices_and_appends_are_stored_in_hubspots_form(portal: Portal) -> None:
    """Section 3: numbers come back trimmed (switch), `;a` appends to a multi-checkbox, JSON scalars are taken."""
    portal.app.act(
        {
            "do": "property",
            "change": "define",
            "object": "contacts",
            "definition": {
                "name": "Hobbies",
                "label": "Hobbies",
                "type": "enumeration",
                "fieldType": "checkbox",
                "groupName": "information",
                "options": [{"value": value} for value in "abc"],
            },
        }
    )
    number = {"name": "seats", "label": "Seats", "type": "number", "fieldType": "number", "groupName": "information"}
    portal.app.act({"do": "property", "change": "define", "object": "contacts", "definition": number})
    key = portal.contact(email="a@example.test")
    portal.patch(key, hobbies="b;a", seats="1500.00", crm_email_optout=True)
    portal.patch(key, hobbies=";c;a")
    read = portal.read(key, "hobbies", "seats", "crm_email_optout")
    portal.app.switch({"number_as": "as_sent"})
    portal.patch(key, hobbies="c", seats="7.50")

    assert (read["hobbies"], read["seats"], read["crm_email_optout"]) == ("b;a;c", "1500", "true")
    assert portal.read(key, "hobbies")["hobbies"] == "c"
    assert portal.read(key, "seats")["seats"] == "7.50"
    assert codes(portal.patch(key, seats="1,000")) == ["INVALID_NUMBER"]


def test_dates_that_are_not_midnight_are_normalised_with_a_warning_or_refused_by_version(portal: Portal) -> None:
    """Section 1.4: 2026-09 normalises and says so, older versions refuse (switch)."""
    date = {"name": "renewal", "label": "R", "type": "date", "fieldType": "date", "groupName": "information"}
    portal.app.act({"do": "property", "change": "define", "object": "contacts", "definition": date})
    key = portal.contact(email="a@example.test")
    plain = portal.patch(key, renewal=str(NOW_MS - 123))
    bent = portal.patch(key, renewal="2026-05-04T10:00:00Z")
    old = {"properties": {"renewal": "2026-06-01T10:00:00Z"}}
    refused = portal.call("PATCH", f"{OLD_CONTACTS}/{key}", old)
    portal.app.switch({"old_dates": "normalise"})
    accepted = portal.call("PATCH", f"{OLD_CONTACTS}/{key}", old)

    assert body(plain)["properties"]["renewal"] == "2026-11-21"
    assert "warnings" not in body(plain)
    assert body(bent)["warnings"][0]["context"]["normalizedValue"] == "2026-05-04"
    assert codes(refused) == ["INVALID_DATE"]
    assert accepted.status == 200


def test_rules_of_the_account_bend_or_refuse_values(portal: Portal) -> None:
    """Section 10: a rule with normalisation changes the value written; others refuse it."""
    upper = [{"ruleType": "FORMAT", "ruleArguments": ["UPPER"], "shouldApplyNormalization": True}]
    short = [{"ruleType": "MAX_LENGTH", "ruleArguments": ["3"]}]
    for name, rules in (("city", upper), ("state", short)):
        portal.app.act({"do": "property", "change": "rules", "object": "contacts", "name": name, "rules": rules})
    key = portal.contact(email="a@example.test")

    assert body(portal.patch(key, city="Rome"))["properties"]["city"] == "ROME"
    assert codes(portal.patch(key, state="Ohio")) == ["INVALID_MAX_LENGTH"]
    assert body(portal.get("/crm/property-validations/2026-09/0-1/city"))["results"] == upper


def test_requests_that_are_no_json_or_the_wrong_method_are_refused(portal: Portal) -> None:
    """Section 17.2: malformed JSON tells line and column; 405 and 415 exist."""
    broken = portal.call("POST", CONTACTS, b'{"properties": {')

    assert (broken.status, body(broken)["message"][:45]) == (400, "Invalid input JSON on line 1, column 17: Expe")
    assert portal.call("POST", CONTACTS, b"{}", **{"content-type": "text/plain"}).status == 415
    assert portal.call("DELETE", CONTACTS).status == 405
    assert portal.post(CONTACTS, {"properties": {}}).status == 400
    assert portal.get(f"{CONTACTS}?properties={'x' * 17_000}").status == 414


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
