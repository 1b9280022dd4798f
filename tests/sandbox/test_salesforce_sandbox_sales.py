"""The Salesforce sandbox: opportunities, roles, campaigns, activities, histories, and what administrators change.
Contract sections 5.1, 10, 15, 16."""

from __future__ import annotations

import pytest
from salesforce_org import NOW_MS, Api

from connectors.salesforce.sandbox import load, populate, populate_deals
from connectors.salesforce.sandbox.instants import rest_time
from syncd.sandbox.business import deals, firms
from syncd.sandbox.company import people
from syncd.sandbox.wire import Refused

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-31"}
DAY_S = 86_400


@pytest.fixture
def org() -> Api:
    return Api(session_life_s=10**9)


def deal(org: Api, **values: object) -> str:
    return org.make("Opportunity", **{**DEAL, **values})


# ---------------------------------------------------------------- opportunities


def test_a_stage_brings_what_follows_from_it(org: Api) -> None:
    """Closed, won, probability and forecast come with it; what the same save says itself stands."""
    key = deal(org)
    names = ("IsClosed", "IsWon", "Probability", "ForecastCategory", "ForecastCategoryName")
    seen = [tuple(org.read(key, "Opportunity")[name] for name in names)]
    for values in (
        {"StageName": "Negotiation/Review"},
        {"StageName": "Value Proposition", "Probability": 33, "ForecastCategoryName": "Best Case"},
        {"Amount": 5},
        {"StageName": "Closed Won"},
        {"StageName": "Closed Lost"},
    ):
        assert org.patch(key, "Opportunity", **values).status == 204
        seen.append(tuple(org.read(key, "Opportunity")[name] for name in names))
    assert seen == [
        (False, False, 10.0, "Pipeline", "Pipeline"),
        (False, False, 90.0, "Forecast", "Commit"),
        (False, False, 33.0, "BestCase", "Best Case"),
        (False, False, 33.0, "BestCase", "Best Case"),
        (True, True, 100.0, "Closed", "Closed"),
        (True, False, 0.0, "Omitted", "Omitted"),
    ]
    for barred in ("IsClosed", "ForecastCategory", "ExpectedRevenue"):
        assert org.patch(key, "Opportunity", **{barred: True}).codes == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


def test_every_move_of_a_deal_is_kept(org: Api) -> None:
    """Amount, probability, stage, close date, forecast; nothing else makes a row, and nobody writes one."""
    key = deal(org, Amount=100)
    org.advance(60)
    org.patch(key, "Opportunity", Description="d")
    org.patch(key, "Opportunity", Amount=250, CloseDate="2027-02-28")
    rows = org.rows(
        f"SELECT StageName, Amount, PrevAmount, PrevCloseDate, ExpectedRevenue, CreatedDate FROM OpportunityHistory "
        f"WHERE OpportunityId = '{key}' ORDER BY CreatedDate"
    )
    assert [(row["Amount"], row["PrevAmount"], row["PrevCloseDate"]) for row in rows] == [
        (100.0, None, None),
        (250.0, 100.0, "2027-01-31"),
    ]
    assert rows[1]["CreatedDate"] == rest_time(NOW_MS // 1000 + 60)
    assert org.call("POST", "sobjects/OpportunityHistory", {}).status == 400


def test_one_role_is_primary(org: Api) -> None:
    """Setting a second unsets the first; neither moves a stamp of the opportunity."""
    key, one, two = deal(org), org.make("Contact"), org.make("Contact")
    stamp = org.read(key, "Opportunity")["SystemModstamp"]
    first = org.act("add_role", opportunity=key, contact=one, role="Evaluator", primary=True)["key"]
    org.advance(60)
    second = org.act("add_role", opportunity=key, contact=two, primary=True)["key"]
    roles = org.state("OpportunityContactRole")
    assert (roles[first]["IsPrimary"], roles[second]["IsPrimary"]) == (False, True)
    assert roles[first]["SystemModstamp"] == rest_time(NOW_MS // 1000 + 60)
    assert org.read(key, "Opportunity")["SystemModstamp"] == stamp
    org.act("drop_role", opportunity=key, contact=one)
    with pytest.raises(Refused, match="plays no role"):
        org.act("drop_role", opportunity=key, contact=one)
    org.act("delete", object="Contact", key=two)
    assert not org.state("OpportunityContactRole")[second]["IsDeleted"], "a role may point to a deleted contact"
    org.act("purge", object="Contact", key=two)
    assert second not in org.state("OpportunityContactRole"), "and goes with one that is gone for good"
    assert org.act("empty_bin") == {"purged": 1}


def test_record_types_are_their_objects_own(org: Api) -> None:
    """The default is given; one of another object, or none at all, is refused with its own words."""
    types = {row["DeveloperName"]: key for key, row in org.state("RecordType").items()}
    key = deal(org)
    told = org.call("GET", "sobjects/Opportunity/describe").body["recordTypeInfos"]
    assert [(one["developerName"], one["defaultRecordTypeMapping"]) for one in told] == [
        ("New_Business", True),
        ("Renewals", False),
        ("Master", False),
    ]
    assert org.read(key, "Opportunity")["RecordTypeId"] == types["New_Business"]
    assert org.patch(key, "Opportunity", RecordTypeId=types["Renewals"], Pipeline__c="Renewals").status == 204
    org.app.org.table("RecordType").rows[types["Renewals"]]["SobjectType"] = "Account"
    reply = org.patch(key, "Opportunity", RecordTypeId=types["New_Business"])
    assert reply.status == 204
    reply = org.patch(key, "Opportunity", RecordTypeId=types["Renewals"])
    assert reply.codes == ["INVALID_CROSS_REFERENCE_KEY"]
    assert "isn't valid for the user" in reply.message


@pytest.mark.parametrize("many", [True, False])
def test_the_currency_of_a_record_is_there_or_not(many: bool) -> None:
    """An org with one currency has no such field; else a code is one of the org's."""
    org = Api(multi_currency=many)
    names = {field["name"] for field in org.call("GET", "sobjects/Opportunity/describe").body["fields"]}
    assert ("CurrencyIsoCode" in names) is many
    reply = org.call("POST", "sobjects/Opportunity", {**DEAL, "CurrencyIsoCode": "USD"})
    assert reply.status == (201 if many else 400)
    if many:
        assert org.read(reply.body["id"], "Opportunity")["CurrencyIsoCode"] == "USD"
        assert org.read(deal(org), "Opportunity")["CurrencyIsoCode"] == "EUR"
        codes = ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
        assert org.call("POST", "sobjects/Opportunity", {**DEAL, "CurrencyIsoCode": "XXX"}).codes == codes


# ---------------------------------------------------------------- campaigns


@pytest.mark.parametrize("unknown", ["default", "as_given", "refused"])
def test_statuses_are_each_campaigns_own(unknown: str) -> None:
    """Which count as a response, the campaign says; what becomes of an unknown one is unverified."""
    org = Api(unknown_member_status=unknown, session_life_s=10**9)
    fair, show = org.make("Campaign", Name="Fair"), org.make("Campaign", Name="Show")
    org.act("add_status", campaign="Fair", label="Visited", responded=True)
    one, two = org.make(), org.make()
    member = org.act("add_member", campaign="Fair", who=one)["key"]
    assert org.read(member, "CampaignMember")["Status"] == "Sent"
    org.advance(DAY_S)
    org.act("respond", campaign=fair, who=one, status="Visited")
    row = org.read(member, "CampaignMember")
    assert (row["Status"], row["HasResponded"], row["FirstRespondedDate"]) == ("Visited", True, "2026-11-22")

    reply = org.call("POST", "sobjects/CampaignMember", {"CampaignId": show, "LeadId": two, "Status": "Visited"})
    if unknown == "refused":
        assert reply.codes == ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
        return
    row = org.read(reply.body["id"], "CampaignMember")
    assert (row["Status"], row["HasResponded"]) == ("Sent" if unknown == "default" else "Visited", False)


def test_members_go_with_their_person(org: Api) -> None:
    """Deleted with a lead or contact; a converted lead's stays; after a merge nobody is twice in a campaign."""
    fair = org.make("Campaign", Name="Fair")
    lead, loser, winner = org.make(), org.make("Contact"), org.make("Contact")
    stays = org.act("add_member", campaign=fair, who=lead)["key"]
    twice = [org.act("add_member", campaign=fair, who=key)["key"] for key in (loser, winner)]
    org.act("convert", key=lead)
    org.act("delete", object="Lead", key=lead)
    org.act("merge", object="Contact", key=winner, losers=[loser])
    members = org.state("CampaignMember")
    assert [members[key]["IsDeleted"] for key in (stays, *twice)] == [False, True, False]
    org.act("delete", object="Contact", key=winner)
    assert org.state("CampaignMember")[twice[1]]["IsDeleted"]
    org.act("restore", object="Contact", key=winner)
    assert not org.state("CampaignMember")[twice[1]]["IsDeleted"]


# ---------------------------------------------------------------- activities


def test_a_finished_activity_is_the_last_of_whom_it_was_about(org: Api) -> None:
    """Section 5.1: LastActivityDate moves SystemModstamp of person, account and deal, and nothing else of them."""
    account = org.make("Account", Name="A")
    contact, key = org.make("Contact", AccountId=account), deal(org, AccountId=account)
    task = org.act("log_task", who=contact, what=key)["key"]
    assert org.read(contact, "Contact")["LastActivityDate"] is None
    org.advance(DAY_S)
    org.act("complete_task", key=task, by="rep3@acme.example")
    row = org.read(task, "Task")
    assert (row["IsClosed"], row["CompletedDateTime"]) == (True, rest_time(NOW_MS // 1000 + DAY_S))
    for object, hung in (("Contact", contact), ("Account", account), ("Opportunity", key)):
        row = org.read(hung, object)
        assert row["LastActivityDate"] == "2026-11-22"
        assert row["SystemModstamp"] > row["LastModifiedDate"]


def test_an_event_has_an_end(org: Api) -> None:
    """By its length, or the other way round; without a start it is none."""
    contact = org.make("Contact")
    start = "2026-11-21T09:00:00.000+0000"
    key = org.make("Event", WhoId=contact, StartDateTime=start, EndDateTime="2026-11-21T09:45:00Z")
    row = org.read(key, "Event")
    assert (row["DurationInMinutes"], row["ActivityDate"]) == (45, "2026-11-21")
    assert org.read(org.make("Event", StartDateTime=start), "Event")["EndDateTime"] == start.replace("09:", "10:")
    assert org.call("POST", "sobjects/Event", {}).codes == ["REQUIRED_FIELD_MISSING"]


@pytest.mark.parametrize("by_id", [True, False])
def test_old_activities_are_archived(by_id: bool) -> None:
    """Invisible to query, visible to queryAll; the archiving moves their stamp."""
    org = Api(archived_by_id=by_id, session_life_s=10**9)
    task = org.act("log_task", values={"Status": "Completed"})["key"]
    still_open = org.act("log_task")["key"]
    org.advance(366 * DAY_S)
    assert org.act("archive", object="Task")["keys"] == [task]
    assert org.act("archive", object="Task")["keys"] == []
    assert [row["Id"] for row in org.rows("SELECT Id FROM Task")] == [still_open]
    (row,) = org.rows(f"SELECT IsArchived, IsDeleted, SystemModstamp FROM Task WHERE Id = '{task}'", "queryAll")
    assert (row["IsArchived"], row["IsDeleted"]) == (True, False)
    assert row["SystemModstamp"] == rest_time(NOW_MS // 1000 + 366 * DAY_S)
    (found,) = org.call("POST", "composite/sobjects/Task", {"ids": [task], "fields": ["Id"]}).body
    assert (found is not None) is by_id
    org.act("archive", object="Task", key=still_open)
    assert org.rows("SELECT Id FROM Task") == []


@pytest.mark.parametrize("moves", [True, False])
def test_activities_go_over_at_a_conversion(moves: bool) -> None:
    """Whether their stamps move is unverified; so is whether the role is the primary one."""
    org = Api(conversion_moves_stamp=moves, conversion_role_primary=moves)
    lead = org.make()
    task, event = org.act("log_task", who=lead)["key"], org.act("log_event", who=lead)["key"]
    org.advance(60)
    contact = org.act("convert", key=lead, opportunity="Deal")["contact"]
    for object, key in (("Task", task), ("Event", event)):
        row = org.read(key, object)
        assert row["WhoId"] == contact
        assert (row["SystemModstamp"] > row["CreatedDate"]) is moves
    (role,) = org.state("OpportunityContactRole").values()
    assert (role["ContactId"], role["IsPrimary"]) == (contact, moves)


def test_children_go_over_at_a_merge_of_accounts(org: Api) -> None:
    """Contacts, opportunities, tasks and child accounts follow the winner."""
    winner, loser = org.make("Account", Name="W"), org.make("Account", Name="L")
    contact, key = org.make("Contact", AccountId=loser), deal(org, AccountId=loser)
    child, task = org.make("Account", Name="C", ParentId=loser), org.act("log_task", what=loser)["key"]
    org.act("merge", object="Account", key=winner, losers=[loser])
    assert org.read(contact, "Contact")["AccountId"] == winner
    assert org.read(key, "Opportunity")["AccountId"] == winner
    assert (org.read(child, "Account")["ParentId"], org.read(task, "Task")["WhatId"]) == (winner, winner)


# ---------------------------------------------------------------- users, schema, rules


def test_who_has_left_owns_no_more_records(org: Api) -> None:
    """Deactivated, never deleted; what they own stays theirs."""
    key = deal(org, OwnerId=org.user("rep2@acme.example"))
    org.act("deactivate_user", user="rep2@acme.example")
    assert org.read(key, "Opportunity")["OwnerId"] == org.user("rep2@acme.example")
    other = deal(org)
    codes = ["INACTIVE_OWNER_OR_USER"]
    assert org.patch(other, "Opportunity", OwnerId=org.user("rep2@acme.example")).codes == codes
    org.act("activate_user", user="rep2@acme.example")
    assert org.patch(other, "Opportunity", OwnerId=org.user("rep2@acme.example")).status == 204


def test_administrators_change_the_schema(org: Api) -> None:
    """A renamed field keeps its values and moves no stamp; a retyped one keeps what fits; required is required."""
    key = deal(org, Primary_Source__c="12", Loss_Reason__c="Price")
    stamp = org.read(key, "Opportunity")["SystemModstamp"]
    org.advance(60)
    org.act("rename_field", object="Opportunity", field="Primary_Source__c", to="Source__c")
    assert org.read(key, "Opportunity")["Source__c"] == "12"
    assert org.query("SELECT Primary_Source__c FROM Opportunity").codes == ["INVALID_FIELD"]
    org.act("retype_field", object="Opportunity", field="Source__c", type="double")
    assert org.read(key, "Opportunity")["Source__c"] == 12.0
    org.act("retype_field", object="Opportunity", field="Loss_Reason__c", type="boolean")
    assert org.read(key, "Opportunity")["Loss_Reason__c"] is False
    assert org.read(key, "Opportunity")["SystemModstamp"] == stamp
    org.act("require_field", object="Opportunity", field="LeadSource")
    assert org.call("POST", "sobjects/Opportunity", DEAL).codes == ["REQUIRED_FIELD_MISSING"]
    org.act("require_field", object="Opportunity", field="LeadSource", required=False)
    org.act("drop_field", object="Opportunity", field="Source__c")
    assert "Source__c" not in org.read(deal(org), "Opportunity")
    for action in (
        {"do": "rename_field", "field": "Nope__c", "to": "X__c"},
        {"do": "rename_field", "field": "Type", "to": "Name"},
        {"do": "add_value", "field": "Name", "value": "x"},
    ):
        with pytest.raises(Refused):
            org.app.act({"object": "Opportunity", **action})


def test_values_of_a_picklist_come_go_and_are_renamed(org: Api) -> None:
    """A renamed value touches every row that holds it: a mass of changes by stamp."""
    key = deal(org, Loss_Reason__c="Price")
    codes = ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert org.patch(key, "Opportunity", Loss_Reason__c="Fit").codes == codes
    org.act("add_value", object="Opportunity", field="Loss_Reason__c", value="Fit")
    assert org.patch(deal(org), "Opportunity", Loss_Reason__c="Fit").status == 204
    org.act("retire_value", object="Opportunity", field="Loss_Reason__c", value="Price")
    assert org.read(key, "Opportunity")["Loss_Reason__c"] == "Price"
    assert org.patch(deal(org), "Opportunity", Loss_Reason__c="Price").codes == codes
    org.advance(60)
    renamed = {"object": "Opportunity", "field": "Loss_Reason__c", "value": "Fit", "to": "No fit"}
    assert org.act("rename_value", **renamed)["touched"] == 1
    (row,) = org.rows("SELECT SystemModstamp, LastModifiedDate FROM Opportunity WHERE Loss_Reason__c = 'No fit'")
    assert row["SystemModstamp"] > row["LastModifiedDate"]


def test_a_validation_rule_poisons_a_record_until_it_is_dropped(org: Api) -> None:
    """It runs on every save, and on no other object's."""
    org.act("add_rule", object="Opportunity", error_when="Amount > 10", message="Too much.", field="Amount")
    assert org.call("POST", "sobjects/Opportunity", {**DEAL, "Amount": 11}).message == "Too much."
    assert deal(org, Amount=10)
    with pytest.raises(Refused):
        org.act("add_rule", object="Opportunity", error_when="nonsense", message="x")
    assert org.act("drop_rule", object="Opportunity", message="Too much.") == {"rules": 0}
    assert deal(org, Amount=11)


# ---------------------------------------------------------------- filling


def test_records_of_any_object_are_loaded_with_what_follows(org: Api) -> None:
    """Derived fields, histories, statuses; stamps in the past; an owner by address."""
    (account,) = load(org.app, "Account", [{"Name": "A", "OwnerId": "rep3@acme.example"}])
    (contact,) = load(org.app, "Contact", [{"LastName": "L", "AccountId": account}])
    created_s = NOW_MS // 1000 - 40 * DAY_S
    rows = [{**DEAL, "AccountId": account, "StageName": "Closed Won", "CreatedDate": created_s}]
    (key,) = load(org.app, "Opportunity", rows)
    load(org.app, "OpportunityContactRole", [{"OpportunityId": key, "ContactId": contact, "IsPrimary": True}])
    (campaign,) = load(org.app, "Campaign", [{"Name": "Fair"}])
    load(org.app, "CampaignMember", [{"CampaignId": campaign, "ContactId": contact, "Status": "Responded"}])
    done_s = created_s + DAY_S
    (task,) = load(org.app, "Task", [{"WhoId": contact, "Status": "Completed", "CompletedDateTime": done_s}])

    row = org.read(key, "Opportunity")
    assert (row["IsWon"], row["CreatedDate"], row["CurrencyIsoCode"]) == (True, rest_time(created_s), "EUR")
    assert org.read(account, "Account")["OwnerId"] == org.user("rep3@acme.example")
    (member,) = org.rows("SELECT HasResponded FROM CampaignMember")
    assert member == {"HasResponded": True}
    assert len(org.rows(f"SELECT Id FROM OpportunityHistory WHERE OpportunityId = '{key}'")) == 1
    assert org.read(task, "Task")["CompletedDateTime"] == rest_time(done_s)


def test_deals_that_were_there_before_have_a_first_step(org: Api) -> None:
    """As each save leaves one: a deal's history begins with the deal."""
    everybody = list(people(3, 30))
    populate(org.app, everybody, contact_every=1, firms=firms(3, everybody))
    made = populate_deals(org.app, deals(3, everybody, 5))
    assert made
    rows = org.rows("SELECT OpportunityId, StageName, CreatedDate FROM OpportunityHistory")
    assert sorted(row["OpportunityId"] for row in rows) == sorted(made)
    for row in rows:
        first = org.read(row["OpportunityId"], "Opportunity")
        assert (row["StageName"], row["CreatedDate"]) == (first["StageName"], first["CreatedDate"])
