"""Salesforce's other objects through the connector: accounts, campaigns, activities, histories; and ids in every form."""

from __future__ import annotations

import pytest
from salesforce_shop import Shop

from connectors.salesforce.ids import id18
from connectors.salesforce.sandbox import create
from syncd.connector import Effect
from syncd.sandbox.chassis import serve

DAY_S = 86_400


# ---------------------------------------------------------------- ids


def test_an_id_is_one_key_in_whatever_length_and_case(shop: Shop) -> None:
    """15 characters, 18, and 18 whose case a system on the way lost."""
    contact = shop.make("Contact")
    for spelling in (contact, contact[:15], contact.lower(), contact.upper()):
        assert id18(spelling) == contact
        assert set(shop.fetch("Contact", [], spelling)) == {contact}
    assert shop.update("Contact", contact.lower(), Title="T").key == contact
    assert id18("00300000003T2PGAA9") == "00300000003T2PGAA9", "an edited sample is left as it is"


@pytest.mark.parametrize("refuses", [True, False])
def test_one_bad_id_does_not_spoil_a_fetch(shop: Shop, refuses: bool) -> None:
    """Salesforce refuses the whole call and names nobody: the bad ones are looked for, the others are read."""
    shop.switch(foreign_id_malformed=refuses)
    contacts = shop.contacts(5)
    lead = shop.make("Lead")
    asked = [contacts[0], lead, "nonsense", contacts[1], "003000000000000AAB", *contacts[2:]]
    assert set(shop.fetch("Contact", ["LastName"], *asked)) == set(contacts)
    assert shop.fetch("Contact", ["LastName"], lead) == {}


def test_records_are_found_by_a_reference_in_any_form(shop: Shop) -> None:
    """And a value that is no id is nobody's, and spoils no look-up."""
    account = shop.make("Account")
    contact = shop.make("Contact", AccountId=account)
    found = list(shop.connector.find("Contact", [], "AccountId", [account[:15], account, "no id"]))
    assert sorted((one.value, one.record.key) for one in found) == sorted([(account[:15], contact), (account, contact)])
    assert list(shop.connector.find("Contact", [], "AccountId", ["no id"])) == []


# ---------------------------------------------------------------- merges, conversions


@pytest.mark.parametrize("object", ["Account", "Contact", "Lead"])
def test_a_chain_of_merges_is_told_hop_by_hop(shop: Shop, object: str) -> None:
    """Each loser leads to its winner; the feed tells the losers, fetch goes on to the one that lives."""
    one, two, three = (shop.make(object) for _ in range(3))
    told, cursor = shop.poll(object, [], None)
    shop.advance(300)
    shop.act("merge", object=object, key=two, losers=[one])
    shop.act("merge", object=object, key=three, losers=[two])

    told, _ = shop.poll(object, [], cursor)
    assert (told[one].state, told[one].into) == ("merged", (object, two))
    assert (told[two].state, told[two].into) == ("merged", (object, three))
    seen = shop.fetch(object, [], one)
    assert {key: record.state for key, record in seen.items()} == {one: "merged", two: "merged", three: "live"}
    assert shop.update(object, one, Description="x").kind == "gone"


def test_a_conversion_tells_what_it_made(shop: Shop) -> None:
    """The traits name the attributes; a lead converted without an opportunity has none."""
    conversions = shop.connector.traits.objects["Lead"].conversions
    assert set(conversions) == {"Contact", "Account", "Opportunity"}
    lead, plain = shop.make("Lead"), shop.make("Lead")
    made = shop.act("convert", key=lead, opportunity="Deal")
    shop.act("convert", key=plain)
    seen = shop.fetch("Lead", list(conversions.values()), lead, plain)
    assert (seen[lead].state, seen[lead].into) == ("converted", ("Contact", made["contact"]))
    assert {object: seen[lead].attributes[name] for object, name in conversions.items()} == {
        object: made[object.lower()] for object in conversions
    }
    assert seen[plain].attributes["ConvertedOpportunityId"] is None
    assert shop.update("Lead", lead, Title="T").kind == "gone"


def test_a_purged_record_is_missing_and_a_restored_one_lives(shop: Shop) -> None:
    """Gone only on evidence: what was removed for good yields nothing."""
    deleted, purged, restored = (shop.make("Account") for _ in range(3))
    for key in (deleted, purged, restored):
        shop.act("delete", object="Account", key=key)
    shop.act("purge", object="Account", key=purged)
    shop.act("restore", object="Account", key=restored)
    seen = shop.fetch("Account", [], deleted, purged, restored)
    assert {key: record.state for key, record in seen.items()} == {deleted: "gone", restored: "live"}


# ---------------------------------------------------------------- campaigns


def test_who_is_a_member_already_is_found(shop: Shop) -> None:
    """The refusal names nobody; the one that is there comes with the outcome, converted people included."""
    campaign, other = shop.make("Campaign"), shop.make("Campaign", Name="Other")
    lead, contact, fresh = shop.make("Lead"), shop.make("Contact"), shop.make("Contact")
    by_lead = shop.act("add_member", campaign=campaign, who=lead)["key"]
    by_contact = shop.act("add_member", campaign=campaign, who=contact)["key"]
    shop.act("add_member", campaign=other, who=fresh)
    converted = shop.act("convert", key=shop.make("Lead"))["contact"]
    shop.act("add_member", campaign=campaign, who=converted)

    pairs = [("LeadId", lead), ("ContactId", contact[:15]), ("ContactId", fresh)]
    effects = [
        Effect(str(at), "create", None, {"CampaignId": campaign, name: key, "Status": "Sent"})
        for at, (name, key) in enumerate(pairs)
    ]
    before = len(shop.calls())
    first, second, third = shop.write("CampaignMember", *effects)

    assert (first.kind, first.existing, first.culprits) == ("refused", by_lead, ("CampaignId", "LeadId"))
    assert (second.kind, second.existing) == ("refused", by_contact)
    assert third.kind == "sent"
    assert len(shop.calls()) - before == 2, "the write, and one look for all"


def test_links_of_a_member_are_made_only_once(shop: Shop) -> None:
    """A description says so: creatable, not updatable."""
    described = shop.connector.describe("CampaignMember").attributes
    for name in ("CampaignId", "LeadId", "ContactId"):
        assert (described[name].creatable, described[name].updatable) == (True, False)
    assert described["LeadId"].refers == ("Lead",)
    assert (described["HasResponded"].creatable, described["Status"].updatable) == (False, True)


# ---------------------------------------------------------------- activities, histories


@pytest.mark.parametrize("by_id", [True, False])
def test_archived_activities_are_still_read(shop: Shop, by_id: bool) -> None:
    """`query` hides them: the feed, a fetch by id and a look-up ask queryAll, and none takes them for deleted."""
    shop.switch(archived_by_id=by_id)
    lead = shop.make("Lead")
    event = shop.act("log_event", who=lead)["key"]
    task = shop.act("log_task", who=lead, values={"Status": "Completed"})["key"]
    shop.advance(400 * DAY_S)
    fresh = shop.act("log_task", who=lead)["key"]
    assert shop.act("archive", object="Task")["keys"] == [task]
    assert shop.act("archive", object="Event")["keys"] == [event]

    for object, key in (("Task", task), ("Event", event)):
        assert shop.poll(object, ["WhoId"], None)[0][key].state == "live"
        assert shop.fetch(object, ["WhoId"], key)[key].state == "live"
    shop.act("delete", object="Task", key=fresh)
    found = list(shop.connector.find("Task", ["Subject"], "WhoId", [lead]))
    assert [one.record.key for one in found] == [task]


def test_histories_are_read_by_when_their_rows_were_made(shop: Shop) -> None:
    """They have no SystemModstamp, are never changed, and nothing is written to them."""
    deal = shop.make("Opportunity")
    told, cursor = shop.poll("OpportunityHistory", ["OpportunityId", "StageName"], None)
    assert [record.attributes["StageName"] for record in told.values()] == ["Prospecting"]
    shop.advance(600)
    shop.act("set_stage", key=deal, stage="Closed Won")
    told, cursor = shop.poll("OpportunityHistory", ["OpportunityId", "StageName"], cursor)
    newest = max(told.values(), key=lambda record: record.stamp_ms)
    assert newest.attributes == {"OpportunityId": deal, "StageName": "Closed Won"}
    for _ in range(3):
        shop.advance(600)
        told, cursor = shop.poll("OpportunityHistory", ["OpportunityId"], cursor)
    assert told == {}
    traits = shop.connector.traits.objects["OpportunityHistory"]
    assert (traits.key, traits.deletions) == (None, "reconcile")


# ---------------------------------------------------------------- refusals, rules


@pytest.mark.parametrize("lists", [True, False])
def test_a_poison_record_names_its_culprits(shop: Shop, lists: bool) -> None:
    """By the field list, or by the label in the text; values never. The others go through."""
    shop.switch(errors_list_fields=lists)
    shop.act("add_rule", object="Opportunity", error_when="Amount > 1000", message="Ask your manager.", field="Amount")
    shop.act("require_field", object="Opportunity", field="LeadSource")
    base = {"StageName": "Prospecting", "CloseDate": "2027-01-31", "LeadSource": "Web"}
    bad = [
        {"Name": "D", **base, "Loss_Reason__c": "Whim"},
        {"Name": "D" * 121, **base},
        {"Name": "D", **base, "Amount": 5000},
        {"Name": "D", "StageName": "Prospecting", "CloseDate": "2027-01-31"},
        {"Name": "D", **base, "OwnerId": id18("0055g00000ZZZZZ")},
        {"Name": "Fine", **base},
    ]
    outcomes = shop.write("Opportunity", *(Effect(str(at), "create", None, row) for at, row in enumerate(bad)))
    assert [(each.code, each.culprits) for each in outcomes[:4]] == [
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("Loss_Reason__c",)),
        ("STRING_TOO_LONG", ("Name",)),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", ("Amount",)),
        ("REQUIRED_FIELD_MISSING", ("LeadSource",)),
    ]
    assert [each.kind for each in outcomes] == ["refused"] * 5 + ["sent"]
    assert outcomes[2].message == "Ask your manager."
    assert not any("Whim" in each.message or "DDD" in each.message for each in outcomes)
    schema = shop.connector.describe("Opportunity").attributes
    assert schema["LeadSource"].required
    assert schema["Loss_Reason__c"].restricted


def test_an_owner_who_has_left_is_refused(shop: Shop) -> None:
    """Users are never deleted, only deactivated."""
    users = {row["Email"]: key for key, row in shop.raw("User").items()}
    deal = shop.make("Opportunity")
    shop.act("deactivate_user", user="rep2@acme.example")
    outcome = shop.update("Opportunity", deal, OwnerId=users["rep2@acme.example"])
    assert (outcome.kind, outcome.code) == ("refused", "INACTIVE_OWNER_OR_USER")
    (found,) = shop.connector.find("User", ["IsActive"], "Email", ["rep2@acme.example"])
    assert found.record.attributes == {"IsActive": False}
    shop.act("activate_user", user="rep2@acme.example")
    assert shop.update("Opportunity", deal, OwnerId=users["rep2@acme.example"]).kind == "sent"


@pytest.mark.parametrize("many", [True, False])
def test_an_org_has_one_currency_or_several(many: bool) -> None:
    """Where it has one, there is no such field, and records are read without it."""
    with serve(create(seed=6)) as server:
        shop = Shop(server)
        shop.switch(multi_currency=many)
        deal = shop.make("Opportunity", Amount=1234.56)
        described = shop.connector.describe("Opportunity").attributes
        assert ("CurrencyIsoCode" in described) is many
        attributes = shop.fetch("Opportunity", ["Amount", "CurrencyIsoCode"], deal)[deal].attributes
        assert attributes == {"Amount": 1234.56, **({"CurrencyIsoCode": "EUR"} if many else {})}


# ---------------------------------------------------------------- headers


@pytest.mark.parametrize(("rules", "assigned"), [([], False), (["Lead"], True)])
def test_assignment_rules_run_only_where_they_are_wanted(rules: list[str], assigned: bool) -> None:
    """Off on every write; wanted ones run on creates, never on updates."""
    with serve(create(seed=6)) as server:
        shop = Shop(server, {"assignment_rules": rules})
        (outcome,) = shop.write("Lead", Effect("a", "create", None, {"LastName": "L", "Company": "C"}))
        queue = server.app.org.cast.queue
        assert (shop.raw("Lead")[str(outcome.key)]["OwnerId"] == queue) is assigned
        key = shop.make("Lead")
        stamp_ms = shop.fetch("Lead", [], key)[key].stamp_ms
        owner = shop.raw("Lead")[key]["OwnerId"]
        assert shop.update("Lead", key, expect_ms=stamp_ms, Title="T").kind == "sent"
        assert shop.update("Lead", key, Title="U").kind == "sent"
        assert shop.raw("Lead")[key]["OwnerId"] == owner


@pytest.mark.parametrize(
    ("rule", "alerts", "kind"),
    [("alert", "refuse", "refused"), ("alert", "pass", "sent"), ("block", "pass", "refused")],
)
def test_duplicate_alerts_are_heeded_unless_told_otherwise(rule: str, alerts: str, kind: str) -> None:
    """The header passes rules that alert, never those that block."""
    with serve(create(seed=6)) as server:
        shop = Shop(server, {"duplicate_alerts": alerts})
        shop.make("Lead", Email="a@x.example")
        shop.switch(duplicate_rule=rule)
        lead = {"LastName": "L", "Company": "C", "Email": "A@x.example"}
        (outcome,) = shop.write("Lead", Effect("a", "create", None, lead))
        assert outcome.kind == kind


def test_a_bad_reference_is_named_and_is_not_taken_for_the_record_itself(shop: Shop) -> None:
    """ "invalid cross reference id" is said of both; in collections no status tells them apart: a look does."""
    account, dead = shop.make("Account"), shop.make("Account")
    contact, gone = shop.make("Contact"), shop.make("Contact")
    shop.act("delete", object="Account", key=dead)
    for key in (gone, dead):
        shop.act("purge", object="Contact" if key == gone else "Account", key=key)
    one, two, three = shop.write(
        "Contact",
        Effect("1", "update", contact, {"AccountId": dead, "Title": "T"}),
        Effect("2", "update", gone, {"AccountId": account}),
        Effect("3", "update", shop.make("Contact"), {"AccountId": account}),
    )
    assert (one.kind, one.culprits) == ("refused", ("AccountId",))
    assert (two.kind, three.kind) == ("gone", "sent")
    (made,) = shop.write("Contact", Effect("4", "create", None, {"LastName": "L", "AccountId": dead}))
    assert (made.kind, made.culprits) == ("refused", ("AccountId",))
    users = {row["Email"]: key for key, row in shop.raw("User").items()}
    left = shop.update("Contact", contact, OwnerId=users["left@acme.example"], AccountId=account)
    assert left.culprits == ("OwnerId",), "the message names the id"


def test_who_refers_to_a_converted_lead_is_refused_not_gone(shop: Shop) -> None:
    """The words are those for the lead itself."""
    lead = shop.make("Lead")
    shop.act("convert", key=lead)
    task = shop.act("log_task")["key"]
    outcome = shop.update("Task", task, WhoId=lead)
    assert (outcome.kind, outcome.culprits) == ("refused", ("WhoId",))
    assert shop.update("Lead", lead, Title="T").kind == "gone"
