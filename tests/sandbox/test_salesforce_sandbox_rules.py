"""The Salesforce sandbox: what stands in the way of a write: unique values, preconditions, rules of the org."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from salesforce_org import NOW_MS, Api


def http_date(offset_s: float = 0) -> dict[str, str]:
    """An If-Unmodified-Since header so many seconds from now."""
    return {"if_unmodified_since": formatdate(NOW_MS // 1000 + offset_s, usegmt=True)}


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
