"""The Salesforce sandbox: what people do, deletions, merges, conversions, replication. Contract sections 5, 15, 16."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from salesforce_org import NOW_MS, Api, Reply

from connectors.salesforce.sandbox import create, populate
from connectors.salesforce.sandbox.instants import rest_time
from syncd.sandbox.company import REPS, people
from syncd.sandbox.wire import Refused


def replicated(org: Api, which: str, start_s: int, end_s: int, object: str = "Lead") -> Reply:
    """`updated` or `deleted` between two offsets from the beginning of the test."""
    start, end = (quote(rest_time(NOW_MS // 1000 + at).replace("+0000", "+00:00")) for at in (start_s, end_s))
    return org.call("GET", f"sobjects/{object}/{which}/?start={start}&end={end}")


# ---------------------------------------------------------------- people


def test_people_edit_as_themselves(org: Api) -> None:
    """The stamps are theirs; uniqueness and the org's rules hold for them, rights of the API do not."""
    key = org.make(Phone="1", Syncd_Key__c="k")
    org.advance(3)
    org.act("edit", object="Lead", key=key[:15], values={"Phone": "2"}, by="rep2@acme.example")
    row = org.read(key)
    assert (row["Phone"], row["LastModifiedById"]) == ("2", org.user("rep2@acme.example"))
    assert row["SystemModstamp"].startswith("2026-11-21T00:00:03")
    org.act("clear", object="Lead", key=key, fields=["Phone"])
    assert org.read(key)["Phone"] is None
    with pytest.raises(Refused, match="DUPLICATE_VALUE"):
        org.act("create", object="Lead", values={"LastName": "L", "Company": "C", "Syncd_Key__c": "K"})
    with pytest.raises(Refused, match="nobody is called"):
        org.act("edit", object="Lead", key=key, values={}, by="stranger")
    with pytest.raises(Refused, match="needs the key"):
        org.act("edit", object="Lead", key="00Q5g00000ZZZZZ", values={})
    with pytest.raises(Refused, match="known are"):
        org.act("fly")
    org.act("edit", object="Lead", key=key, values={"EmailBouncedReason": "550", "OwnerId": REPS[4]}, by="automation")
    assert org.read(key)["OwnerId"] == org.user("rep5@acme.example")
    assert org.read(key)["LastModifiedById"] == org.app.org.cast.automation


def test_many_are_edited_by_condition_and_all_or_none(org: Api) -> None:
    """`where` is SOQL; one refusal takes back the whole action."""
    keys = [org.make(City="Bonn", LastName=f"L{number}") for number in range(3)] + [org.make(City="Rome")]
    done = org.act("edit", object="Lead", where="City = 'bonn'", values={"Rating": "Hot"})
    assert sorted(done["keys"]) == sorted(keys[:3])
    assert len(org.act("touch", object="Lead", all=True)["keys"]) == 4
    org.app.switch({"validation_rules": [{"object": "Lead", "error_when": "LastName = 'L2'", "message": "no"}]})
    with pytest.raises(Refused, match="FIELD_CUSTOM_VALIDATION_EXCEPTION"):
        org.act("edit", object="Lead", where="City = 'Bonn'", values={"Rating": "Cold"})
    assert {row["Rating"] for row in org.state().values()} == {"Hot", None}


def test_a_touch_moves_system_modstamp_only(org: Api) -> None:
    """Mass touches without a change: an engine has to compare contents."""
    key = org.make(Phone="1")
    org.advance(60)
    org.act("touch", object="Lead", key=key)
    row = org.read(key)
    assert row["SystemModstamp"] > row["LastModifiedDate"]
    assert row["LastModifiedById"] == org.app.org.cast.integration


def test_a_late_commit_shows_after_its_stamp(org: Api) -> None:
    """Section 5.2: a long transaction surfaces a row older than what was already read; until then the record is locked
    and latestDateCovered stops before it."""
    key = org.make(Phone="1")
    org.advance(120)
    org.act("edit", object="Lead", key=key, values={"Phone": "2"}, commit_after_s=300)
    made = org.act(
        "create", object="Lead", values={"LastName": "L", "Company": "C", "Syncd_Key__c": "k"}, commit_after_s=300
    )
    org.advance(200)
    assert org.read(key)["Phone"] == "1"
    assert org.call("GET", f"sobjects/Lead/{made['key']}").status == 404
    assert org.patch(key, Phone="3").codes == ["UNABLE_TO_LOCK_ROW"]
    assert org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C", "Syncd_Key__c": "k"}).codes == [
        "DUPLICATE_VALUE"
    ]
    covered = replicated(org, "updated", 0, 300).body
    assert covered["latestDateCovered"] == rest_time(NOW_MS // 1000 + 120)
    org.advance(101)
    row = org.read(key)
    assert (row["Phone"], row["SystemModstamp"]) == ("2", rest_time(NOW_MS // 1000 + 120))
    assert org.patch(key, Phone="3").status == 204
    org.app.switch({"commit_lag_s": 10})
    org.act("edit", object="Lead", key=key, values={"Phone": "4"})
    assert org.read(key)["Phone"] == "3"


# ---------------------------------------------------------------- deletions


def test_the_recycle_bin_keeps_a_record_for_fifteen_days(org: Api) -> None:
    """Soft-deleted: 404 for reads, ENTITY_IS_DELETED for writes, there for queryAll; then gone for good."""
    org.app.switch({"session_life_s": 10**9})
    key = org.make()
    org.act("delete", object="Lead", key=key)
    assert org.call("GET", f"sobjects/Lead/{key}").codes == ["NOT_FOUND"]
    assert (org.patch(key, Phone="1").status, org.patch(key, Phone="1").codes) == (404, ["ENTITY_IS_DELETED"])
    assert org.call("DELETE", f"sobjects/Lead/{key}").codes == ["ENTITY_IS_DELETED"]
    org.advance(15 * 86_400 - 10)
    assert len(org.rows("SELECT Id FROM Lead", "queryAll")) == 1
    org.advance(20)
    assert org.rows("SELECT Id FROM Lead", "queryAll") == []
    assert org.patch(key, Phone="1").codes == ["INVALID_CROSS_REFERENCE_KEY"]


@pytest.mark.parametrize("moves", [True, False])
def test_a_restored_record_is_itself_again(moves: bool) -> None:
    """Whether its stamp moves is unverified; the bin's expiry forgets it."""
    org = Api(undelete_moves_stamp=moves, session_life_s=10**9)
    key = org.make(Phone="1")
    org.advance(10)
    org.act("delete", object="Lead", key=key)
    org.advance(10)
    org.act("restore", object="Lead", key=key)
    row = org.read(key)
    assert (row["Phone"], row["IsDeleted"]) == ("1", False)
    assert row["SystemModstamp"] == rest_time(NOW_MS // 1000 + (20 if moves else 10))
    org.advance(20 * 86_400)
    assert org.read(key)["Id"] == key


def test_a_restore_is_refused_when_its_key_was_taken(org: Api) -> None:
    """Uniqueness holds."""
    old = org.make(Syncd_Key__c="k")
    org.act("delete", object="Lead", key=old)
    org.make(Syncd_Key__c="k")
    with pytest.raises(Refused, match="DUPLICATE_VALUE"):
        org.act("restore", object="Lead", key=old)


def test_deletes_and_restores_cascade(org: Api) -> None:
    """An Account takes its Contacts and Opportunities along, and back; what was deleted before stays."""
    account = org.make("Account", Name="A")
    contacts = [org.make("Contact", AccountId=account) for _ in range(2)]
    org.act("delete", object="Contact", key=contacts[0])
    org.advance(5)
    assert org.call("DELETE", f"sobjects/Account/{account}").status == 204
    assert all(row["IsDeleted"] for row in org.state("Contact").values())
    org.act("restore", object="Account", key=account)
    assert [org.state("Contact")[key]["IsDeleted"] for key in contacts] == [True, False]


def test_a_purge_leaves_nothing(org: Api) -> None:
    """From the bin or hard; the delete log forgets it, or not."""
    one, two = org.make(), org.make()
    org.act("delete", object="Lead", key=one)
    org.act("purge", object="Lead", keys=[one, two])
    assert org.state() == {}
    org.advance(180)
    assert replicated(org, "deleted", -60, 120).body["deletedRecords"] == []
    org.app.switch({"purge_clears_delete_log": False})
    assert {one["id"] for one in replicated(org, "deleted", -60, 120).body["deletedRecords"]} == {one, two}
    org.act("delete", object="Lead", key=org.make())
    assert org.act("empty_bin") == {"purged": 1}


# ---------------------------------------------------------------- replication


def test_updated_and_deleted_work_in_whole_minutes(org: Api) -> None:
    """By SystemModstamp, start and end cut to the minute; losers of merges are plain deletes there."""
    org.advance(30)
    one = org.make()
    org.advance(60)
    two = org.make()
    org.act("delete", object="Lead", key=one)
    org.advance(300)
    reply = replicated(org, "updated", 59, 150).body
    assert reply == {"ids": [two], "latestDateCovered": rest_time(NOW_MS // 1000 + 120)}
    reply = replicated(org, "deleted", 60, 150).body
    assert reply["deletedRecords"] == [{"id": one, "deletedDate": rest_time(NOW_MS // 1000 + 90)}]
    assert reply["earliestDateAvailable"] < reply["latestDateCovered"]


def test_coverage_stops_before_the_lag(org: Api) -> None:
    """The next start is latestDateCovered and not the asked end."""
    org.advance(600)
    org.make()
    covered = replicated(org, "updated", 0, 6000).body
    assert covered == {"ids": [], "latestDateCovered": rest_time(NOW_MS // 1000 + 540)}
    org.advance(120)
    assert len(replicated(org, "updated", 540, 6000).body["ids"]) == 1


@pytest.mark.parametrize(("start_s", "end_s"), [(0, 30), (0, -120), (-31 * 86_400, 0)])
def test_bad_windows_are_refused(org: Api, start_s: int, end_s: int) -> None:
    """INVALID_REPLICATION_DATE: shorter than a minute, backwards, or too long ago."""
    assert replicated(org, "updated", start_s, end_s).codes == ["INVALID_REPLICATION_DATE"]


def test_deletes_are_known_for_fifteen_days_or_since_the_bin_was_emptied(org: Api) -> None:
    """earliestDateAvailable tells when the log begins; objects without replication have none."""
    assert replicated(org, "deleted", -16 * 86_400, 0).codes == ["INVALID_REPLICATION_DATE"]
    org.act("empty_bin")
    org.advance(600)
    assert replicated(org, "deleted", -86_400, 300).body["earliestDateAvailable"] == rest_time(NOW_MS // 1000)
    assert replicated(org, "updated", 0, 300, "LeadStatus").status == 404
    assert org.call("GET", "sobjects/Lead/updated/?start=yesterday&end=today").status == 400


# ---------------------------------------------------------------- merge


@pytest.mark.parametrize("moves", [True, False])
def test_a_merge_bins_the_losers_with_their_winner(moves: bool) -> None:
    """MasterRecordId through queryAll only; children move over (with or without a new stamp); blanks are filled."""
    org = Api(reparent_moves_stamp=moves)
    winner, loser = org.make("Contact", LastName="W"), org.make("Contact", LastName="L", Phone="1", Syncd_Key__c="k")
    task = org.make("Task", WhoId=loser)
    org.advance(10)
    org.act("merge", object="Contact", key=winner, losers=[loser], values={"Title": "CEO"})
    rows = org.rows("SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE MasterRecordId != null", "queryAll")
    assert rows == [{"Id": loser, "IsDeleted": True, "MasterRecordId": winner}]
    row = org.read(winner, "Contact")
    assert (row["LastName"], row["Phone"], row["Title"], row["Syncd_Key__c"]) == ("W", "1", "CEO", "k")
    assert row["SystemModstamp"] == rest_time(NOW_MS // 1000 + 10)
    moved = org.read(task, "Task")
    assert moved["WhoId"] == winner
    assert (moved["SystemModstamp"] == rest_time(NOW_MS // 1000 + 10)) is moves


def test_merges_chain_and_have_limits(org: Api) -> None:
    """Loser of an earlier winner; at most two losers; never with itself, with what is gone, or converted."""
    one, two, three, four = (org.make(LastName=f"L{number}") for number in range(4))
    org.act("merge", object="Lead", key=two, **{"with": one})
    org.act("merge", object="Lead", key=three, losers=[two], fill=False)
    state = org.state()
    assert (state[one]["MasterRecordId"], state[two]["MasterRecordId"]) == (two, three)
    for losers in ([], [three], [one], [four] * 3):
        with pytest.raises(Refused):
            org.act("merge", object="Lead", key=three, losers=losers)
    org.act("convert", key=four)
    with pytest.raises(Refused, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        org.act("merge", object="Lead", key=three, losers=[four])
    assert not org.state()[four]["IsDeleted"]


# ---------------------------------------------------------------- conversion


def test_a_conversion_makes_contact_account_and_opportunity(org: Api) -> None:
    """The Lead stays, read-only, with the three ids and a date; standard fields go over, custom ones do not."""
    key = org.make(FirstName="Ann", Email="a@b.example", Country="Spain", Syncd_Key__c="k", HasOptedOutOfEmail=True)
    org.advance(5)
    made = org.act("convert", key=key, opportunity=True, by="rep4@acme.example")
    lead = org.read(key)
    assert (lead["IsConverted"], lead["Status"], lead["ConvertedDate"]) == (True, "Closed - Converted", "2026-11-21")
    assert lead["ConvertedContactId"] == made["contact"]
    assert lead["ConvertedAccountId"] == made["account"]
    assert lead["ConvertedOpportunityId"] == made["opportunity"]
    assert lead["SystemModstamp"] == rest_time(NOW_MS // 1000 + 5)
    contact = org.read(made["contact"], "Contact")
    assert (contact["Name"], contact["MailingCountry"], contact["AccountId"]) == ("Ann L", "Spain", made["account"])
    assert contact["HasOptedOutOfEmail"] is True
    assert contact["Syncd_Key__c"] is None
    assert org.read(made["account"], "Account")["Name"] == "C"
    assert org.read(made["opportunity"], "Opportunity")["StageName"] == "Prospecting"
    assert len(org.state("OpportunityContactRole")) == 1
    assert org.patch(key, Phone="1").codes == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    assert org.query(f"SELECT Id FROM Lead WHERE Id = '{key}'").body["totalSize"] == 1, "still found by queries"
    with pytest.raises(Refused, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        org.act("convert", key=key)
    assert org.call("DELETE", f"sobjects/Lead/{key}").status == 204


def test_custom_fields_go_over_where_they_are_mapped(org: Api) -> None:
    """The org's conversion settings."""
    org.app.switch({"convert_mapping": {"Syncd_Key__c": "Syncd_Key__c", "Marketing_Score__c": "Marketing_Score__c"}})
    made = org.act("convert", key=org.make(Syncd_Key__c="k", Marketing_Score__c=7))
    contact = org.read(made["contact"], "Contact")
    assert (contact["Syncd_Key__c"], contact["Marketing_Score__c"], made["opportunity"]) == ("k", 7.0, None)


def test_into_an_existing_contact_only_blanks_are_filled(org: Api) -> None:
    """Its account comes with it; LeadSource only when asked to be overwritten."""
    account = org.make("Account", Name="A")
    contact = org.make("Contact", AccountId=account, Phone="old", LeadSource="Web")
    key = org.make(Phone="new", MobilePhone="2", LeadSource="Other")
    made = org.act("convert", key=key, contact=contact, overwrite_source=True)
    assert (made["contact"], made["account"]) == (contact, account)
    row = org.read(contact, "Contact")
    assert (row["Phone"], row["MobilePhone"], row["LeadSource"]) == ("old", "2", "Other")


def test_a_conversion_is_all_or_nothing(org: Api) -> None:
    """A contact that is refused leaves no account behind; an unconverted status is none."""
    org.app.switch({"convert_mapping": {"Syncd_Key__c": "Syncd_Key__c"}})
    org.make("Contact", Syncd_Key__c="k")
    key = org.make(Syncd_Key__c="k")
    with pytest.raises(Refused, match="DUPLICATE_VALUE"):
        org.act("convert", key=key)
    assert org.state("Account") == {}
    with pytest.raises(Refused, match="INVALID_STATUS"):
        org.act("convert", key=org.make(), status="Working - Contacted")


def test_activities_and_campaigns_follow_the_person(org: Api) -> None:
    """Tasks go to the contact; members keep the lead and gain the contact; a second member is refused."""
    campaign, key = org.make("Campaign", Name="Fair"), org.make()
    member = org.make("CampaignMember", CampaignId=campaign, LeadId=key, Status="Responded")
    body = {"CampaignId": campaign, "LeadId": key}
    assert org.call("POST", "sobjects/CampaignMember", body).message == "Already a campaign member."
    assert org.patch(member, "CampaignMember", LeadId=None).codes == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    task = org.make("Task", WhoId=key, Subject="Call")
    contact = org.act("convert", key=key)["contact"]
    row = org.read(member, "CampaignMember")
    assert (row["LeadId"], row["ContactId"], row["HasResponded"]) == (key, contact, True)
    assert org.read(task, "Task")["WhoId"] == contact


def test_soap_converts_merges_and_undeletes(org: Api) -> None:
    """What REST lacks; the OAuth token is the session; login is refused; errors are inside a 200, faults are 500."""
    key, other = org.make(), org.make()
    converted = soap(
        org,
        f"<convertLead><leadConverts><convertedStatus>Closed - Converted</convertedStatus>"
        f"<doNotCreateOpportunity>true</doNotCreateOpportunity><leadId>{key}</leadId></leadConverts></convertLead>",
    )
    assert "<success>true</success>" in converted.body
    assert org.state()[key]["ConvertedContactId"] in converted.body
    org.act("delete", object="Lead", key=other)
    assert "<success>true</success>" in soap(org, f"<undelete><ids>{other}</ids></undelete>").body
    loser = org.make()
    merged = soap(
        org,
        f"<merge><request><masterRecord><type>Lead</type><Id>{other}</Id><Phone>5</Phone></masterRecord>"
        f"<recordToMergeIds>{loser}</recordToMergeIds></request></merge>",
    )
    assert "<mergedRecordIds>" in merged.body
    assert (org.state()[loser]["MasterRecordId"], org.state()[other]["Phone"]) == (other, "5")
    failed = soap(org, f"<merge><request><masterRecord><Id>{other}</Id></masterRecord></request></merge>")
    assert "INVALID_MERGE_RECORD" in failed.body
    assert "INVALID_LOGIN" in soap(org, "<login><username>a</username></login>", version="64.0").body
    assert soap(org, "<query/>").status == 500
    org.token = "stale"
    assert "INVALID_SESSION_ID" in soap(org, f"<undelete><ids>{other}</ids></undelete>").body


def soap(org: Api, call: str, version: str = "67.0") -> Reply:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">'
        f"<e:Header><SessionHeader><sessionId>{org.token}</sessionId></SessionHeader></e:Header>"
        f"<e:Body>{call}</e:Body></e:Envelope>"
    )
    return org.call("POST", f"/services/Soap/u/{version}", envelope.encode(), content_type="text/xml", soapaction="x")


def test_a_back_end_job_may_touch_what_we_wrote() -> None:
    """After our own write the stamp moves again, with nothing changed: no edit of anybody's."""
    org = Api(touch_after_s=30.0)
    key = org.make(Phone="1")
    org.advance(60)
    row = org.read(key)
    assert (row["SystemModstamp"], row["LastModifiedDate"]) == tuple(rest_time(NOW_MS // 1000 + at) for at in (30, 0))


def test_lead_history_tells_who_got_it_when(org: Api) -> None:
    """Tracked fields only; an owner change writes names and ids."""
    key, rep = org.make(), org.user("rep1@acme.example")
    org.advance(60)
    org.patch(key, OwnerId=rep, Phone="1")
    rows = org.rows(
        f"SELECT Field, OldValue, NewValue FROM LeadHistory WHERE LeadId = '{key}' ORDER BY CreatedDate, Id"
    )
    assert rows[0] == {"Field": "created", "OldValue": None, "NewValue": None}
    assert {(row["OldValue"], row["NewValue"]) for row in rows[1:]} == {
        ("Syncd Integration", "Amara Okafor"),
        (org.app.org.cast.integration, rep),
    }
    assert org.call("POST", "sobjects/LeadHistory", {}).status == 400


# ---------------------------------------------------------------- size


def test_a_hundred_thousand_leads_are_workable() -> None:
    """First page of a stamp range, next page from the locator, look-ups by key: none reads the whole table."""
    app = create(seed=1)
    few = list(people(1, 500))
    assert populate(app, (few[number % 500] for number in range(100_000))) == {
        "Lead": 100_000,
        "Contact": 0,
        "Account": 0,
    }
    org = Api()
    org.app, org.token = app, app.site.sessions.new(app.org.cast.integration, "test")
    app.switch({"random_pages": False})
    owners = {row["Email"] for row in app.org.table("User").rows.values() if row["Id"] in _owners(org)}
    assert owners == set(REPS)
    window = "SystemModstamp >= 2020-01-01T00:00:00Z AND SystemModstamp < 2040-01-01T00:00:00Z"
    text = f"SELECT Id, SystemModstamp, Email, Owner.Email FROM Lead WHERE {window} ORDER BY SystemModstamp ASC, Id ASC"
    first, first_s = _timed(lambda: org.query(text))
    assert (first.body["totalSize"], len(first.body["records"])) == (100_000, 2000)
    second, next_s = _timed(lambda: org.call("GET", first.body["nextRecordsUrl"]))
    assert second.body["records"][0]["SystemModstamp"] >= first.body["records"][-1]["SystemModstamp"]
    keys = "','".join(row["Id"] for row in first.body["records"][:400])
    found, look_s = _timed(lambda: org.query(f"SELECT Id, Email FROM Lead WHERE Id IN ('{keys}')"))
    assert found.body["totalSize"] == 400
    # Generous: what is protected is the order of growth, on a machine that may be busy.
    assert first_s < 1.5
    assert next_s < 0.5
    assert look_s < 0.5


def _owners(org: Api) -> set[str]:
    return {row["OwnerId"] for row in org.app.org.table("Lead").rows.values()}


def _timed(do) -> tuple[Reply, float]:  # type: ignore[no-untyped-def]
    begin = time.perf_counter()
    reply = do()
    return reply, time.perf_counter() - begin
