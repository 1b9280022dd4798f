"""The Salesforce sandbox: what a field takes and shows, and how an object describes itself. Contract section 14."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from salesforce_org import STILL, Api

from connectors.salesforce.sandbox.acts import ACTS
from connectors.salesforce.sandbox.app import FAULTS
from connectors.salesforce.sandbox.ids import id18

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
