"""The HubSpot sandbox: single records made, read and written, and the value model. Source: the contract."""

from __future__ import annotations

import pytest
from portal_calls import CONTACTS, NOW_MS, OLD_CONTACTS, Portal, body, codes


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
