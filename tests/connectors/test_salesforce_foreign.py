"""Orgs that answer otherwise than our sandbox does, within what the contract leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from salesforce_scripted import ORG, TOKEN, Asked, Say, Scripted, key, page, refusal

from syncd.connector import Effect, Record
from syncd.errors import AccessError
from syncd.http import BadAnswer

STAMP = "2026-11-21T10:00:00.000+0000"
USER_FIELDS = ("Id", "SystemModstamp", "Email", "IsActive")
LEAD_FIELDS = ("Id", "SystemModstamp", "IsDeleted", "IsConverted", "ConvertedContactId", "Email")


def _strict(org: Scripted, object: str, known: tuple[str, ...], *rows: dict[str, Any]) -> None:
    """The org knows just these fields of an object, and refuses a query for any other."""

    def answer(asked: Asked) -> Say:
        names = asked.soql.partition("SELECT ")[2].partition(" FROM")[0].split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            return Say(refusal("INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{object}'"), 400)
        return Say(page(*({name: row[name] for name in names} for row in rows)))

    org.on("GET", "/query(All)?$", answer)
    org.on("GET", f"/{object}/describe$", {"fields": [{"name": name, "type": "string"} for name in known]})


def _records(org: Scripted, object: str, *attributes: str) -> list[Record]:
    pages = org.connect().changes(object, attributes, None, lambda keys: {})
    return [record for each in pages for record in each.records]


def test_users_are_read_where_their_last_writer_is_not_shown() -> None:
    """Nobody writes to users, so who wrote to them last is not asked: not every org shows it."""
    org = Scripted()
    user = {"Id": "0055g00000BBBBBAA5", "SystemModstamp": STAMP, "Email": "rep@example.test", "IsActive": True}
    _strict(org, "User", USER_FIELDS, user)
    (record,) = _records(org, "User", "Email", "IsActive")
    assert record.attributes == {"Email": "rep@example.test", "IsActive": True}
    assert not org.calls("describe")


def test_a_system_field_that_an_org_lacks_is_done_without() -> None:
    """Without LastModifiedById and MasterRecordId nothing counts as ours and a merged record as gone; reading goes
    on, after one look at the description."""
    org = Scripted()
    row: dict[str, Any] = {
        "Id": key(1), "SystemModstamp": STAMP, "IsDeleted": False, "IsConverted": False, "ConvertedContactId": None,
        "Email": "a@example.test",
    }  # fmt: skip
    _strict(org, "Lead", LEAD_FIELDS, row, row | {"Id": key(2), "IsDeleted": True})
    live, gone = _records(org, "Lead", "Email")
    assert (live.state, live.ours, live.attributes) == ("live", False, {"Email": "a@example.test"})
    assert gone.state == "gone"
    assert len(org.calls("describe")) == 1


def test_a_system_field_that_matters_is_not_done_without() -> None:
    """Whether a record is deleted has to be known: an org that hides it is not read at all."""
    org = Scripted()
    _strict(org, "Lead", tuple(name for name in LEAD_FIELDS if name != "IsDeleted"))
    with pytest.raises(AccessError):
        _records(org, "Lead", "Email")


def _login(org: Scripted, **changes: Any) -> None:
    said = {name: value for name, value in (TOKEN | changes).items() if value is not None}
    org.on("POST", "/services/oauth2/token", said)


def test_an_org_is_known_by_its_own_record_where_the_login_names_none() -> None:
    """The id of the account is pinned in the ledger; the Organization record tells it as well as the login answer."""
    org = Scripted()
    _login(org, id=None, access_token="opaque")
    org.on("GET", "/query$", page({"Id": ORG[:15], "Name": "Acme", "IsSandbox": None}))
    account = org.connect().identify()
    assert (account.id[:15], len(account.id), account.name, account.writer) == (ORG[:15], 18, "Acme", "")


def test_an_org_that_nothing_names_is_not_worked_with() -> None:
    """Without an id a wrong account could not be told from the right one."""
    org = Scripted()
    _login(org, id=None, access_token="opaque")
    org.on("GET", "/query$", refusal("INVALID_TYPE"), status=400)
    with pytest.raises(AccessError):
        org.connect().identify()


def test_an_org_that_does_not_understand_conditions_is_looked_at_instead() -> None:
    """A probe that is answered with 400 means no condition at all: else every update would be refused for ever."""
    org = Scripted()
    part = {"referenceId": "p0", "httpStatusCode": 400, "body": refusal("INVALID_HEADER")}
    org.on("POST", "/composite$", {"compositeResponse": [part]})
    org.on("POST", "/composite/sobjects/Lead$", [{"Id": key(1), "SystemModstamp": STAMP}])
    org.on("PATCH", "/composite/sobjects$", [{"id": key(1), "success": True, "errors": []}])
    (outcome,) = org.connect().write(
        "Lead", [Effect("r1", "update", key(1), {"City": "Bonn"}, None, 1_795_255_200_000)]
    )
    assert outcome.kind == "sent"
    assert [call.method for call in org.calls("composite")] == ["POST", "POST", "PATCH"]


def _leaves_out(org: Scripted, *seen: str) -> None:
    """The org leaves nulls out of its rows, and its description shows these fields."""
    row = {"Id": key(1), "SystemModstamp": STAMP, "IsDeleted": False, "IsConverted": False}
    org.on("GET", "/query(All)?$", page(row))
    org.on("POST", "/composite/sobjects/Lead$", [row, None])
    org.on("GET", "/Lead/describe$", {"fields": [{"name": name, "type": "string"} for name in seen]})


def test_an_attribute_that_rows_leave_out_is_blank_where_the_org_has_it() -> None:
    """That nulls are always told is only remembered: a row without an attribute is read with the description beside
    it, in feeds, by key and by value."""
    org = Scripted()
    _leaves_out(org, "Email", "City")
    (record,) = _records(org, "Lead", "Email", "City")
    assert record.attributes == {"Email": None, "City": None}
    (fetched,) = org.connect().fetch("Lead", ["Email"], [key(1)])
    assert fetched.attributes == {"Email": None}
    assert not list(org.connect().find("Lead", ["Email"], "City", ["Bonn"]))


def test_an_attribute_that_rows_leave_out_and_the_org_does_not_show_is_never_blank() -> None:
    """Unreadable and blank are different things: such an answer is refused, the cursor stays."""
    org = Scripted()
    _leaves_out(org, "Email")
    with pytest.raises(BadAnswer):
        _records(org, "Lead", "Email", "City")


def test_what_has_a_value_by_nature_is_not_required() -> None:
    """A description that says nothing of defaults does not make a box, an owner or a list with a default required."""
    org = Scripted()
    fields: list[dict[str, Any]] = [
        {"name": "LastName", "type": "string"},
        {"name": "HasOptedOutOfEmail", "type": "boolean"},
        {"name": "OwnerId", "type": "reference"},
        {"name": "Status", "type": "picklist", "picklistValues": [{"value": "Open", "defaultValue": True}]},
    ]
    org.on("GET", "/describe$", {"fields": [each | {"createable": True, "nillable": False} for each in fields]})
    schema = org.connect().describe("Lead").attributes
    assert [name for name, each in schema.items() if each.required] == ["LastName"]


def test_in_an_org_without_a_field_for_our_key_nobody_is_found_by_it() -> None:
    """A create without an answer is looked for by its key first: where there is no key that finds nothing, instead of
    stopping the whole side at every start."""
    org = Scripted()
    _strict(org, "Lead", LEAD_FIELDS)
    connector = org.connect()
    assert not list(connector.find("Lead", ["Email"], "Syncd_Key__c", ["hubspot:1:contacts:2"]))
    assert connector.traits.objects["Lead"].key is None
    assert len(org.calls("/query$")) == 1


def test_nobody_is_looked_for_by_a_field_that_cannot_be_seen() -> None:
    """Not found and not to be seen are different things."""
    org = Scripted()
    _strict(org, "Lead", LEAD_FIELDS)
    with pytest.raises(AccessError, match="Hidden__c"):
        list(org.connect().find("Lead", ["Email"], "Hidden__c", ["x"]))
