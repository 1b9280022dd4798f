"""The Salesforce sandbox: ids, and single records made, read, changed and deleted. Contract sections 6, 12, 13, 14."""

from __future__ import annotations

import random
from typing import Any

import pytest
from salesforce_org import Api

from connectors.salesforce.sandbox.ids import Mint, id18, normalise

RECORDED_IDS = (
    "00Dx0000000BV7zEAG",
    "003q000000KvQ1tAAF",
    "003q000000KvQ2DAAV",
    "003q000000KwKFhAAN",
    "a00D0000008pQRAIA2",
)


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
