"""The Salesforce sandbox: single records, values, upserts, preconditions. Contract sections 6, 12, 13, 14."""

from __future__ import annotations

import random
import re
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from salesforce_org import NOW_MS, STILL, Api

from connectors.salesforce.sandbox.acts import ACTS
from connectors.salesforce.sandbox.app import FAULTS
from connectors.salesforce.sandbox.ids import Mint, id18, normalise

RECORDED_IDS = (
    "00Dx0000000BV7zEAG",
    "003q000000KvQ1tAAF",
    "003q000000KvQ2DAAV",
    "003q000000KwKFhAAN",
    "a00D0000008pQRAIA2",
)


@pytest.fixture
def org() -> Api:
    return Api()


def http_date(offset_s: float = 0) -> dict[str, str]:
    """An If-Unmodified-Since header so many seconds from now."""
    return {"if_unmodified_since": formatdate(NOW_MS // 1000 + offset_s, usegmt=True)}


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize("known", RECORDED_IDS)
def test_ids_carry_the_vendors_checksum(known: str) -> None:
    """15 characters decide the last three (ids from recorded answers); a wrong checksum is no id."""
    assert id18(known[:15]) == known
    assert normalise(known[:15]) == normalise(known) == known
    assert normalise(known[:-1] + ("A" if known[-1] != "A" else "B")) is None
    assert normalise("x") is normalise(5) is normalise("00Q5g00000/4C92") is None


def test_new_ids_are_unique_well_formed_and_not_quite_in_order_of_time() -> None:
    """Ids are no clock: an engine that sorts by them is to notice."""
    mint = Mint(random.Random(1))
    made = [mint.new("00Q") for _ in range(5000)]
    assert len(set(made)) == 5000
    assert all(normalise(key) == key for key in made)
    assert made != sorted(made)


def test_urls_take_ids_of_either_length_and_answers_carry_eighteen(org: Api) -> None:
    """Section 13; messages print 15."""
    key = org.make(Syncd_Key__c="k")
    for form in (key, key[:15]):
        assert org.call("GET", f"sobjects/Lead/{form}/").body["Id"] == key
    assert org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", "Syncd_Key__c": "K"}).message == (
        f"duplicate value found: Syncd_Key__c duplicates value on record with id: {key[:15]}"
    )


# ---------------------------------------------------------------- create, read, update, delete


def test_a_create_answers_with_id_and_location(org: Api) -> None:
    """201, `{"id","success","errors"}`; stamps are whole seconds, all alike, and the writer is the integration user."""
    reply = org.call("POST", "sobjects/Lead/", {"LastName": "Smith", "FirstName": "Ann", "Company": "C"})
    assert (reply.status, reply.body["success"], reply.body["errors"]) == (201, True, [])
    assert reply.headers["Location"] == f"/services/data/v67.0/sobjects/Lead/{reply.body['id']}"
    row = org.read(reply.body["id"])
    assert (row["Name"], row["Status"], row["IsConverted"]) == ("Ann Smith", "Open - Not Contacted", False)
    assert row["CreatedDate"] == row["LastModifiedDate"] == row["SystemModstamp"] == "2026-11-21T00:00:00.000+0000"
    assert row["OwnerId"] == row["LastModifiedById"] == org.app.org.cast.integration


def test_an_update_bumps_all_stamps_even_when_nothing_differs(org: Api) -> None:
    """204 without a body, and no new stamp in it."""
    key = org.make(Phone="1")
    org.advance(5)
    reply = org.patch(key, Phone="1")
    assert (reply.status, reply.body) == (204, None)
    row = org.read(key)
    assert row["LastModifiedDate"] == row["SystemModstamp"] == "2026-11-21T00:00:05.000+0000" != row["CreatedDate"]


def test_fields_are_selected_and_unknown_ones_refused(org: Api) -> None:
    """`fields=`; a field that does not exist is an error and never a null."""
    key = org.make()
    assert org.call("GET", f"sobjects/Lead/{key}?fields=Id,Phone").body == {
        "attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{key}"},
        "Id": key,
        "Phone": None,
    }
    assert org.call("GET", f"sobjects/Lead/{key}?fields=Id,phone").codes == ["INVALID_FIELD"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("GET", "sobjects/Lead/00Q5g00000ZZZZZ", None, 404, "NOT_FOUND", "The requested resource does not exist"),
        (
            "PATCH",
            "sobjects/Lead/00Q5g00000ZZZZZ",
            {},
            404,
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
        (
            "DELETE",
            "sobjects/Lead/00Q5g00000ZZZZZ",
            None,
            404,
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference",
        ),
        ("GET", "sobjects/Lead/garbage", None, 404, "NOT_FOUND", "Provided external ID field does not exist"),
        ("PATCH", "sobjects/Lead/0035g00000ZZZZZ", {}, 400, "MALFORMED_ID", "id value of incorrect type"),
        ("GET", "sobjects/Nope", None, 404, "NOT_FOUND", "The requested resource does not exist"),
        ("GET", "sobjects/lead", None, 404, "NOT_FOUND", ""),
        (
            "PATCH",
            "sobjects/Lead",
            {},
            405,
            "METHOD_NOT_ALLOWED",
            "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST",
        ),
        ("PUT", "sobjects/Lead/00Q5g00000ZZZZZ", {}, 405, "METHOD_NOT_ALLOWED", "PUT"),
        ("POST", "actions/standard/convertLead", {"inputs": []}, 404, "NOT_FOUND", ""),
        ("GET", "nothing/here", None, 404, "NOT_FOUND", ""),
        ("POST", "sobjects/User", {}, 400, "INVALID_TYPE_FOR_OPERATION", "User"),
    ],
)
def test_paths_that_lead_nowhere(
    org: Api, method: str, path: str, body: Any, status: int, code: str, words: str
) -> None:
    """The many ways of not being there, told apart as the vendor does."""
    reply = org.call(method, path, body)
    assert (reply.status, reply.codes) == (status, [code])
    assert words in reply.message


@pytest.mark.parametrize(
    ("values", "code", "fields", "words"),
    [
        ({"LastName": "", "Company": None}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"], "[LastName, Company]"),
        ({"Status": None}, "REQUIRED_FIELD_MISSING", ["Status"], "[Status]"),
        ({"Nope": 1}, "INVALID_FIELD", None, "No such column 'Nope' on sobject of type Lead"),
        ({"lastname": "x"}, "INVALID_FIELD", None, "No such column 'lastname'"),
        ({"Id": "00Q5g00000ZZZZZ"}, "INVALID_FIELD", ["Id"], "The Id field should not be specified"),
        (
            {"IsConverted": True, "Name": "x"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["IsConverted", "Name"],
            "IsConverted, Name",
        ),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"], "Last Name: data value too large: xxx"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"], "(max length=80)"),
        ({"Email": "no mail"}, "INVALID_EMAIL_ADDRESS", ["Email"], "Email: invalid email address: no mail"),
        ({"Email": "a@b"}, "INVALID_EMAIL_ADDRESS", ["Email"], ""),
        (
            {"Status": "open"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["Status"],
            "bad value for restricted picklist field: open",
        ),
        ({"Marketing_Score__c": 1e21}, "NUMBER_OUTSIDE_VALID_RANGE", ["Marketing_Score__c"], "outside of valid range"),
        (
            {"Marketing_Score__c": "5"},
            "JSON_PARSER_ERROR",
            None,
            "Cannot deserialize instance of double from VALUE_STRING value 5",
        ),
        (
            {"Phone": 5},
            "JSON_PARSER_ERROR",
            None,
            "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5",
        ),
        ({"Phone": ["5"]}, "JSON_PARSER_ERROR", None, "START_ARRAY"),
        ({"HasOptedOutOfEmail": "true"}, "JSON_PARSER_ERROR", None, "instance of boolean"),
        (
            {"HasOptedOutOfEmail": None},
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            ["HasOptedOutOfEmail"],
            "value not of required type",
        ),
        ({"NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR", None, "instance of int"),
        ({"OwnerId": "x"}, "MALFORMED_ID", ["OwnerId"], "Owner ID: id value of incorrect type: x"),
        ({"OwnerId": "0035g00000ZZZZZ"}, "MALFORMED_ID", ["OwnerId"], "id value of incorrect type"),
        ({"OwnerId": "0055g00000ZZZZZ"}, "INVALID_CROSS_REFERENCE_KEY", [], "invalid cross reference id"),
    ],
)
def test_values_that_are_refused(
    org: Api, values: dict[str, Any], code: str, fields: list[str] | None, words: str
) -> None:
    """With 400, the vendor's code, text and fields."""
    reply = org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", **values})
    assert (reply.status, reply.codes, reply.body[0].get("fields")) == (400, [code], fields)
    assert words in reply.message
    assert not org.state()


def test_several_bad_values_are_named_together(org: Api) -> None:
    """One element for each; nothing is saved."""
    key = org.make(Phone="1")
    reply = org.patch(key, Phone="2", Email="bad", Status="bad")
    assert reply.codes == ["INVALID_EMAIL_ADDRESS", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert org.read(key)["Phone"] == "1"


def test_owners_must_be_there_and_active(org: Api) -> None:
    """INACTIVE_OWNER_OR_USER; a Contact cannot be a queue's, a Lead can. An untouched inactive owner is no hindrance."""
    left, queue = org.user("left@acme.example"), org.app.org.cast.queue
    key = org.make(OwnerId=queue)
    reply = org.patch(key, OwnerId=left)
    assert reply.codes == ["INACTIVE_OWNER_OR_USER"]
    assert left[:15] in reply.message
    assert org.call("POST", "sobjects/Contact", {"LastName": "L", "OwnerId": queue}).codes == ["MALFORMED_ID"]
    rep = org.user("rep1@acme.example")
    org.patch(key, OwnerId=rep)
    org.act("edit", object="User", key=rep, values={"IsActive": False}, by="admin@acme.example")
    assert org.patch(key, Phone="1").status == 204


def test_a_body_must_be_json(org: Api) -> None:
    """JSON_PARSER_ERROR with line and column; NaN is none of JSON; another media type is 415."""
    reply = org.call("POST", "sobjects/Lead", b'{"LastName": ')
    assert reply.codes == ["JSON_PARSER_ERROR"]
    assert "[line:1, column:" in reply.message
    assert org.call("POST", "sobjects/Lead", b'{"Marketing_Score__c": NaN}').codes == ["JSON_PARSER_ERROR"]
    assert org.call("POST", "sobjects/Lead", b"[]").codes == ["JSON_PARSER_ERROR"]
    assert org.call("POST", "sobjects/Lead", b"a=1", content_type="application/x-www-form-urlencoded").status == 415


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("switch", "field", "sent", "bent", "plain"),
    [
        ("trim_text", "City", "  Bonn ", "Bonn", "  Bonn "),
        ("blank_to_null", "City", "", None, ""),
        ("crlf", "Description", "a\nb", "a\r\nb", "a\nb"),
        ("round_numbers", "Marketing_Score__c", 2.5, 3.0, 2.5),
        ("lower_email", "Email", "A@b.example", "a@b.example", "A@b.example"),
    ],
)
def test_values_bend_as_the_switch_says(switch: str, field: str, sent: Any, bent: Any, plain: Any) -> None:
    """Unverified habits of the vendor, in both positions."""
    for position, expected in ((True, bent), (False, plain)):
        org = Api(**{switch: position})
        assert org.read(org.make(**{field: sent}))[field] == expected


def test_a_null_truth_value_is_refused_or_false() -> None:
    """Unverified which."""
    org = Api(null_boolean_refused=False)
    key = org.make(HasOptedOutOfEmail=True)
    assert org.patch(key, HasOptedOutOfEmail=None).status == 204
    assert org.read(key)["HasOptedOutOfEmail"] is False


def test_length_counts_as_the_switch_says() -> None:
    """An emoji is one character, or two."""
    forty = "😀" * 40
    assert Api().call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", "City": forty}).codes == [
        "STRING_TOO_LONG"
    ]
    assert Api(length_in_utf16=False).make(City=forty)


def test_null_clears_and_absence_leaves_alone(org: Api) -> None:
    """Section 14."""
    key = org.make(Phone="1", City="Bonn")
    org.patch(key, Phone=None)
    assert (org.read(key)["Phone"], org.read(key)["City"]) == (None, "Bonn")


def test_dates_and_times_are_kept_to_the_second_in_utc(org: Api) -> None:
    """Offsets are converted, fractions cut; a date has no zone and does not move."""
    org.act("field", object="Lead", field="At__c", set={"type": "datetime"})
    org.act("field", object="Lead", field="On__c", set={"type": "date"})
    key = org.make(At__c="2026-01-01T01:30:00.999+02:00", On__c="2026-01-01")
    assert (org.read(key)["At__c"], org.read(key)["On__c"]) == ("2025-12-31T23:30:00.000+0000", "2026-01-01")
    for bad in ({"At__c": "2026-01-01"}, {"At__c": "2026-01-01T01:30:00"}, {"On__c": "2026-02-30"}, {"On__c": 5}):
        assert org.patch(key, **bad).codes == ["JSON_PARSER_ERROR"]


def test_a_formula_moves_and_no_stamp_does(org: Api) -> None:
    """Section 5.1: the value is computed on read."""
    key = org.make(Marketing_Score__c=40)
    before = org.read(key)
    org.app.switch({"score_band_from": 30})
    org.app.switch({"session_life_s": 10**9})
    org.advance(3 * 86_400)
    after = org.read(key)
    assert (before["Score_Band__c"], after["Score_Band__c"]) == ("low", "high")
    assert (before["Age_Days__c"], after["Age_Days__c"]) == (0.0, 3.0)
    assert before["SystemModstamp"] == after["SystemModstamp"]
    assert org.patch(key, Age_Days__c=1).codes == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


# ---------------------------------------------------------------- uniqueness and external ids


def test_upsert_creates_then_updates(org: Api) -> None:
    """201 then 200, both with `created`; the key is found whatever its case."""
    values = {"LastName": "L", "Company": "C"}
    made = org.call("PATCH", "sobjects/Lead/Syncd_Key__c/hs%3A1%2Fa%20b", values)
    assert (made.status, made.body["created"]) == (201, True)
    again = org.call("PATCH", "sobjects/Lead/Syncd_Key__c/HS%3A1%2FA%20B", {"Phone": "1"})
    assert (again.status, again.body) == (200, {"id": made.body["id"], "success": True, "errors": [], "created": False})
    assert org.read(made.body["id"])["Syncd_Key__c"] == "hs:1/a b"
    assert org.call("GET", "sobjects/Lead/Syncd_Key__c/hs%3A1%2Fa%20b").body["Phone"] == "1"
    assert org.call("DELETE", "sobjects/Lead/Syncd_Key__c/hs%3A1%2Fa%20b").status == 204


def test_upsert_refuses_what_cannot_be_a_key(org: Api) -> None:
    """404 for a field that is no external id, and for updateOnly without a match; the key must not be in the body."""
    values = {"LastName": "L", "Company": "C"}
    reply = org.call("PATCH", "sobjects/Lead/Company/x", values)
    assert (reply.status, reply.message) == (
        404,
        "Provided external ID field does not exist or is not accessible: Company",
    )
    assert org.call("PATCH", "sobjects/Lead/Syncd_Key__c/x?updateOnly=true", values).status == 404
    assert org.call("PATCH", "sobjects/Lead/Syncd_Key__c/x", {**values, "Syncd_Key__c": "x"}).codes == ["INVALID_FIELD"]
    org.app.switch({"external_key_in_body_refused": False})
    assert org.call("PATCH", "sobjects/Lead/Syncd_Key__c/x", {**values, "Syncd_Key__c": "x"}).status == 201


def test_an_external_id_need_not_be_unique(org: Api) -> None:
    """300 with the addresses of all matches, and nothing written."""
    org.act("field", object="Lead", field="Syncd_Key__c", set={"unique": False})
    keys = {org.make(Syncd_Key__c="twin"), org.make(Syncd_Key__c="Twin")}
    reply = org.call("PATCH", "sobjects/Lead/Syncd_Key__c/twin", {"Phone": "1"})
    assert reply.status == 300
    assert {url.rpartition("/")[2] for url in reply.body} == keys
    assert org.call("GET", "sobjects/Lead/Syncd_Key__c/twin").status == 300
    assert all(row["Phone"] is None for row in org.state().values())
    describe = org.call("GET", "sobjects/Lead/describe").body
    assert next(one for one in describe["fields"] if one["name"] == "Syncd_Key__c")["unique"] is False


@pytest.mark.parametrize("held", [True, False])
def test_the_recycle_bin_holds_unique_values_or_not(held: bool) -> None:
    """Unverified which."""
    org = Api(bin_holds_unique=held)
    org.act("delete", object="Lead", key=org.make(Syncd_Key__c="k"))
    reply = org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", "Syncd_Key__c": "k"})
    assert reply.status == (400 if held else 201)


def test_a_hidden_holder_of_a_unique_value_is_not_named(org: Api) -> None:
    """Sharing hides the record, not the conflict."""
    org.act("hide", object="Lead", key=org.make(Syncd_Key__c="k"))
    reply = org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", "Syncd_Key__c": "k"})
    assert reply.message == "duplicate value found: <unknown> duplicates value on record with id: <unknown>"


def test_a_parent_is_set_by_its_external_id(org: Api) -> None:
    """Zero matches are an error; no parent is made."""
    account = org.make("Account", Name="Acme", Erp_Number__c="A-1")
    contact = org.make("Contact", Account={"Erp_Number__c": "a-1"})
    assert org.read(contact, "Contact")["AccountId"] == account
    reply = org.patch(contact, "Contact", Account={"Erp_Number__c": "A-2"})
    assert reply.codes == ["INVALID_FIELD"]
    assert "not found for field Erp_Number__c in entity Account" in reply.message
    org.make("Account", Name="Other", Erp_Number__c="A-1")
    assert org.patch(contact, "Contact", Account={"Erp_Number__c": "A-1"}).codes == ["DUPLICATE_EXTERNAL_ID"]
    assert org.patch(contact, "Contact", Account=None).status == 204
    assert org.read(contact, "Contact")["AccountId"] is None


# ---------------------------------------------------------------- preconditions


def test_if_unmodified_since_compares_whole_seconds(org: Api) -> None:
    """412 when changed after that second; two edits within one second cannot be told apart; an unreadable date is 400."""
    key = org.make()
    assert org.patch(key, _headers=http_date(0), Phone="1").status == 204
    assert org.patch(key, _headers=http_date(0), Phone="2").status == 204
    reply = org.patch(key, _headers=http_date(-1), Phone="3")
    assert (reply.status, reply.body) == (412, None)
    assert org.read(key)["Phone"] == "2"
    assert org.patch(key, _headers={"if_unmodified_since": "yesterday"}, Phone="3").status == 400
    assert org.call("GET", f"sobjects/Lead/{key}", **http_date(-1)).status == 412
    assert org.call("GET", f"sobjects/Lead/{key}", if_modified_since=http_date(0)["if_unmodified_since"]).status == 304
    assert org.call("DELETE", f"sobjects/Lead/{key}", **http_date(-1)).status == 204


@pytest.mark.parametrize(("field", "status"), [("SystemModstamp", 412), ("LastModifiedDate", 204)])
def test_a_touch_counts_as_a_modification_or_not(field: str, status: int) -> None:
    """Unverified: which stamp the condition looks at."""
    org = Api(precondition_field=field, body_of_412=True)
    key = org.make()
    org.advance(10)
    org.act("touch", object="Lead", key=key)
    reply = org.patch(key, _headers=http_date(5), Phone="1")
    assert reply.status == status
    if status == 412:
        assert reply.codes == ["MATCH_PRECONDITION_FAILED"]


# ---------------------------------------------------------------- rules


def test_assignment_rules_re_own_on_create_and_update() -> None:
    """On by default; `Sforce-Auto-Assign: FALSE` turns them off for the call; Contacts are not assigned."""
    org = Api(assignment_rules=True)
    queue, rep = org.app.org.cast.queue, org.user("rep2@acme.example")
    key = org.make(OwnerId=rep)
    assert org.read(key)["OwnerId"] == queue
    off = {"sforce_auto_assign": "FALSE"}
    org.patch(key, _headers=off, OwnerId=rep)
    assert org.read(key)["OwnerId"] == rep
    org.patch(key, Phone="1")
    assert org.read(key)["OwnerId"] == queue
    contact = org.make("Contact", OwnerId=rep)
    assert org.read(contact, "Contact")["OwnerId"] == rep
    org.app.switch({"assignments": [{"object": "Lead", "when": "Country = 'Spain'", "owner": "rep3@acme.example"}]})
    org.patch(key, Country="Spain")
    assert org.read(key)["OwnerId"] == org.user("rep3@acme.example")


def test_validation_rules_fire_on_every_save() -> None:
    """Also when the guilty field is not touched; several give several errors; a person's import can go past them."""
    rule = {"object": "Lead", "error_when": "Phone = null", "message": "Phone, please", "field": "Phone"}
    org = Api()
    key = org.make()
    org.app.switch({"validation_rules": [rule, {**rule, "message": "Really", "field": ""}]})
    reply = org.patch(key, City="Bonn")
    assert reply.codes == ["FIELD_CUSTOM_VALIDATION_EXCEPTION"] * 2
    assert [one["fields"] for one in reply.body] == [["Phone"], []]
    assert org.patch(key, City="Bonn", Phone="1").status == 204
    assert org.act("create", object="Lead", values={"LastName": "L", "Company": "C"}, force=True)["key"]


def test_duplicate_rules_alert_or_block() -> None:
    """`duplicateResut` is misspelt; the header passes an alert and never a block; Leads match Contacts."""
    org = Api(duplicate_rule="alert")
    contact = org.make("Contact", Email="a@b.example")
    body = {"LastName": "L", "Company": "C", "Email": "A@B.example"}
    reply = org.call("POST", "sobjects/Lead", body)
    assert (reply.status, reply.codes) == (400, ["DUPLICATES_DETECTED"])
    result = reply.body[0]["duplicateResut"]
    assert result["allowSave"] is True
    (match,) = result["matchResults"]
    assert (match["entityType"], match["matchRecords"][0]["record"]["Id"]) == ("Contact", contact)
    allow = {"sforce_duplicate_rule_header": "allowSave=true; includeRecordDetails=false"}
    assert org.call("POST", "sobjects/Lead", body, **allow).status == 201
    org.app.switch({"duplicate_rule": "block"})
    assert org.call("POST", "sobjects/Lead", body, **allow).body[0]["duplicateResut"]["allowSave"] is False


def test_flows_change_other_fields_in_the_same_save() -> None:
    """Automation after a write: same stamp, same writer."""
    flow = {
        "object": "Lead",
        "on": "create",
        "when": "LeadSource = null",
        "set": {"LeadSource": "Web", "Rating": "Warm"},
    }
    org = Api(automations=[flow])
    assert org.read(org.make())["LeadSource"] == "Web"
    assert org.read(org.make(LeadSource="Other"))["Rating"] is None


def test_a_write_may_be_acknowledged_and_leave_no_trace() -> None:
    """Accepted and ignored; people's edits of that field work."""
    org = Api(ignored_fields=["Lead.Rating"])
    key = org.make(Rating="Hot")
    assert org.patch(key, Rating="Warm", Phone="1").status == 204
    assert (org.read(key)["Rating"], org.read(key)["Phone"]) == (None, "1")
    org.act("edit", object="Lead", key=key, values={"Rating": "Cold"})
    assert org.read(key)["Rating"] == "Cold"


@pytest.mark.parametrize(
    ("how", "sent", "kept"), [("upper", "Bonn", "BONN"), ("digits", "+49 (0)1", "+4901"), ("cut:3", "Bonn", "Bon")]
)
def test_an_org_cleans_values_its_own_way(how: str, sent: str, kept: str) -> None:
    """What was written and what is stored differ: seen, not believed."""
    org = Api(bends=[{"object": "Lead", "field": "City", "how": how}])
    assert org.read(org.make(City=sent))["City"] == kept


@pytest.mark.parametrize("unique", [True, False])
def test_two_upserts_of_a_new_key_may_race(org: Api, unique: bool) -> None:
    """A unique field turns the second into DUPLICATE_VALUE; without it there are two records."""
    org.act("field", object="Lead", field="Syncd_Key__c", set={"unique": unique})
    org.fault("upsert_race", times=1)
    reply = org.call("PATCH", "sobjects/Lead/Syncd_Key__c/k", {"LastName": "L", "Company": "C"})
    assert reply.status == (400 if unique else 201)
    assert len(org.state()) == (1 if unique else 2)
    again = org.call("PATCH", "sobjects/Lead/Syncd_Key__c/k", {"Phone": "1"})
    assert again.status == (200 if unique else 300)


def test_what_an_administrator_changes_shows_at_once(org: Api) -> None:
    """A hidden field is absent from describe and unknown to queries and writes; a dropped one is gone for all."""
    key = org.make(Phone="1")
    before = org.call("GET", "sobjects/Lead/describe")
    since = {"if_modified_since": before.headers["Last-Modified"]}
    assert org.call("GET", "sobjects/Lead/describe", **since).status == 304
    org.advance(60)
    org.act("field", object="Lead", field="Phone", set={"hidden": True})
    after = org.call("GET", "sobjects/Lead/describe", **since)
    assert {one["name"] for one in before.body["fields"]} - {one["name"] for one in after.body["fields"]} == {"Phone"}
    assert org.query("SELECT Phone FROM Lead").codes == ["INVALID_FIELD"]
    assert org.patch(key, Phone="2").codes == ["INVALID_FIELD"]
    assert org.state()[key]["Phone"] == "1"
    org.act("field", object="Lead", field="City", set={"updateable": False})
    assert org.patch(key, City="Bonn").codes == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    org.act("drop_field", object="Lead", field="City")
    assert "City" not in org.state()[key]
    org.act(
        "field",
        object="Lead",
        field="Tier__c",
        set={"type": "picklist", "values": ["A"], "inactive": ["B"], "restricted": True},
    )
    assert org.patch(key, Tier__c="A").status == 204
    assert org.patch(key, Tier__c="B").codes == ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]


# ---------------------------------------------------------------- describe


def test_describe_has_every_key_that_the_vendor_documents(org: Api) -> None:
    """The key names of a Field, and what a sync reads of them."""
    fields = {one["name"]: one for one in org.call("GET", "sobjects/Lead/describe").body["fields"]}
    key = fields["Syncd_Key__c"]
    assert (key["externalId"], key["unique"], key["idLookup"], key["caseSensitive"], key["length"]) == (
        True,
        True,
        True,
        False,
        255,
    )
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert fields["Status"]["restrictedPicklist"]
    assert [one["value"] for one in fields["Status"]["picklistValues"] if one["defaultValue"]] == [
        "Open - Not Contacted"
    ]
    required = {
        name
        for name, one in fields.items()
        if one["createable"] and not one["nillable"] and not one["defaultedOnCreate"]
    }
    assert required == {"LastName", "Company"}
    assert fields["Age_Days__c"]["calculated"]
    assert not fields["Age_Days__c"]["createable"]
    assert not fields["Description"]["filterable"]
    listed = {one["name"]: one for one in org.call("GET", "sobjects").body["sobjects"]}
    assert (listed["Lead"]["keyPrefix"], listed["Lead"]["mergeable"], listed["User"]["createable"]) == (
        "00Q",
        True,
        False,
    )
    assert {
        "Lead",
        "Contact",
        "Account",
        "Opportunity",
        "User",
        "LeadStatus",
        "Organization",
        "Campaign",
        "Task",
    } <= set(listed)


def test_the_demo_worlds_people_are_there(org: Api) -> None:
    """Six reps, one who left, a queue, the integration user; converted statuses; the organisation."""
    users = org.rows("SELECT Email, IsActive FROM User WHERE Email LIKE 'rep%' OR Email = 'left@acme.example'")
    assert sorted((row["Email"], row["IsActive"]) for row in users) == [
        ("left@acme.example", False),
        *((f"rep{number}@acme.example", True) for number in range(1, 7)),
    ]
    assert org.rows("SELECT Name FROM Group WHERE Type = 'Queue'") == [{"Name": "Inbound Leads"}]
    statuses = org.rows("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")
    assert statuses == [{"ApiName": "Closed - Converted"}]
    assert org.rows("SELECT Id, IsSandbox FROM Organization") == [{"Id": "00D5g000004SYNCEA4", "IsSandbox": False}]
    org.app.switch({"org_id": id18("00D5g000009OTHR"), "is_sandbox": True})
    assert org.rows("SELECT Id, IsSandbox FROM Organization")[0]["Id"] == id18("00D5g000009OTHR")


def test_no_switch_takes_nonsense(org: Api) -> None:
    """Unknown names and other types are refused; all defaults are told."""
    for wrong in ({"nope": 1}, {"page_rows": "2"}, {"trim_text": 1}):
        with pytest.raises(Exception, match="switch"):
            org.app.switch(wrong)
    assert org.app.switch({})["trim_text"] is True
    assert STILL.keys() <= org.app.switch({}).keys()


def test_codes_are_the_vendors() -> None:
    """Every error code in the sandbox's source is one that the vendor's own lists or documents know."""
    folder = Path(__file__).parents[2] / "connectors" / "salesforce" / "sandbox"
    text = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    used = set(re.findall(r'(?:Refusal\.one|Problem|Bad|picture)\(\s*\[?(?:Problem\()?"([A-Z_]+)"', text))
    assert len(used) > 30
    assert used <= set(KNOWN_CODES.split())


KNOWN_CODES = """
ALL_OR_NONE_OPERATION_ROLLED_BACK API_VERSION_MISMATCH BATCH_PROCESSING_HALTED CANNOT_UPDATE_CONVERTED_LEAD
DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID DUPLICATE_VALUE ENTITY_IS_DELETED EXCEEDED_ID_LIMIT
FIELD_CUSTOM_VALIDATION_EXCEPTION INACTIVE_OWNER_OR_USER INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE
INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY INVALIDJOB INVALIDJOBSTATE INVALID_CROSS_REFERENCE_KEY
INVALID_EMAIL_ADDRESS INVALID_FIELD INVALID_FIELD_FOR_INSERT_UPDATE INVALID_INPUT INVALID_MERGE_RECORD
INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_QUERY_FILTER_OPERATOR INVALID_QUERY_LOCATOR
INVALID_REPLICATION_DATE INVALID_SESSION_ID INVALID_STATUS INVALID_TYPE INVALID_TYPE_FOR_OPERATION
INVALID_TYPE_ON_FIELD_IN_RECORD JSON_PARSER_ERROR LIMIT_EXCEEDED MALFORMED_ID MALFORMED_QUERY
MATCH_PRECONDITION_FAILED METHOD_NOT_ALLOWED MISSING_ARGUMENT NOT_FOUND NUMBER_OUTSIDE_VALID_RANGE
PROCESSING_HALTED QUERY_TIMEOUT REQUEST_LIMIT_EXCEEDED REQUIRED_FIELD_MISSING SERVER_UNAVAILABLE
STRING_TOO_LONG TOO_MANY_ENUM_VALUE UNABLE_TO_LOCK_ROW UNDELETE_FAILED UNKNOWN_EXCEPTION
UNSUPPORTED_API_VERSION UNSUPPORTED_MEDIA_TYPE
"""


def test_the_readme_names_everything_that_can_be_set_done_and_broken() -> None:
    """Switches, acts and faults are told, and nothing is told that is not there."""
    readme = (Path(__file__).parents[2] / "connectors" / "salesforce" / "sandbox" / "README.md").read_text()
    told = set(re.findall(r"`([a-z][a-z_0-9]*)`", readme))
    there = {*Api().app.switch({}), *ACTS, *FAULTS}
    assert there - told == set()
    options = """account all applied by calls code commit_after_s contact count every field fields fill force host key
    keys length losers message object opportunity owner overwrite_source records set status token values where with
    inactive unique updateable hidden deleted automation api who what role primary campaign label responded default
    stage user to type required value error_when as_given refused"""
    assert told - there <= set(options.split())
