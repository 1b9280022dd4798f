"""simple-salesforce against the Salesforce sandbox: an independent client as referee. Contract section 18.

It insists on https and salesforce.com, so its session is told to speak http to the sandbox; nothing else is changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from connectors.salesforce.sandbox import create, populate
from syncd.sandbox.chassis import Server, serve
from syncd.sandbox.company import people


class PlainSession(requests.Session):
    """Speaks http where the client says https."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.trust_env = False
        self._host = host

    def request(self, method: str, url: str, *rest: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(url)
        if parts.netloc == self._host:
            url = urlunsplit(parts._replace(scheme="http"))
        given.setdefault("timeout", 10)
        return super().request(method, url, *rest, **given)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = create(seed=5)
    populate(app, people(1, 450), contact_every=3)
    with serve(app) as running:
        running.control.switches(assignment_rules=False, bulk_queue_s=0.0, bulk_batch_s=0.0, bulk_query_s=0.0)
        yield running


@pytest.fixture(autouse=True)
def _calm(server: Server) -> Iterator[None]:
    yield
    server.control.clear_faults()


def log_in(server: Server) -> str:
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    answer = requests.post(f"{server.url}/services/oauth2/token", data=form, timeout=10)
    return str(answer.json()["access_token"])


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    host = urlsplit(server.url).netloc
    with PlainSession(host) as session:
        yield Salesforce(
            session_id=log_in(server), instance_url=server.url, version="67.0", session=session, object_pairs_hook=None
        )


def test_it_reads_in_pages(client: Any, server: Server) -> None:
    """query, query_more behind query_all_iter, COUNT, queryAll."""
    server.control.switches(page_rows=120)
    rows = list(client.query_all_iter("SELECT Id, Name, Owner.Email FROM Lead ORDER BY SystemModstamp, Id"))
    server.control.switches(page_rows=2000)
    assert len({row["Id"] for row in rows}) == 300
    assert all(row["Owner"]["Email"].endswith("@acme.example") for row in rows)
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 150
    assert client.query_all("SELECT Id FROM Contact", include_deleted=True)["done"]


def test_it_writes_single_records(client: Any) -> None:
    """create, get, get_by_custom_id, update, upsert, delete; status codes as it expects them."""
    made = client.Lead.create({"LastName": "Smith", "Company": "Acme", "Syncd_Key__c": "one"})
    assert made["success"]
    assert client.Lead.get(made["id"])["Name"] == "Smith"
    assert client.Lead.get_by_custom_id("Syncd_Key__c", "one")["Id"] == made["id"]
    assert client.Lead.update(made["id"], {"Phone": "1"}) == 204
    assert client.Lead.upsert("Syncd_Key__c/one", {"Phone": "2"}) == 200
    assert client.Lead.upsert("Syncd_Key__c/two", {"LastName": "L", "Company": "C"}) == 201
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get(made["id"])


def test_it_describes(client: Any) -> None:
    """describe global, describe, metadata, limits with the use parsed from the header."""
    assert "Lead" in {one["name"] for one in client.describe()["sobjects"]}
    assert {one["name"] for one in client.Lead.describe()["fields"]} >= {"LastName", "Syncd_Key__c"}
    assert client.Lead.metadata()["objectDescribe"]["keyPrefix"] == "00Q"
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000
    assert client.api_usage["api-usage"].used > 0


def test_it_replicates(client: Any, server: Server) -> None:
    """updated and deleted, with zones in the URL."""
    made = client.Lead.create({"LastName": "Gone", "Company": "C"})["id"]
    client.Lead.delete(made)
    server.control.advance(240)
    now = datetime.fromtimestamp(server.control.clock() / 1000, UTC)
    gone = client.Lead.deleted(now - timedelta(minutes=10), now)
    assert made in {one["id"] for one in gone["deletedRecords"]}
    assert made not in client.Lead.updated(now - timedelta(minutes=10), now)["ids"]


def test_it_understands_the_refusals(client: Any, server: Server) -> None:
    """Its own exception classes: 300, 400, 403, 404, 412, 503."""
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Lead.create({"LastName": "L"})
    assert "REQUIRED_FIELD_MISSING" in str(refused.value.content)
    with pytest.raises(SalesforceMalformedRequest):
        client.query("SELECT Nope FROM Lead")
    with pytest.raises(SalesforceResourceNotFound):
        client.Nope.get("00Q5g00000ZZZZZ")
    client.Account.create({"Name": "A", "Erp_Number__c": "twin"})
    client.Account.create({"Name": "B", "Erp_Number__c": "twin"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Account.upsert("Erp_Number__c/twin", {"Name": "C"})
    server.control.faults(kind="daily_limit", times=1)
    with pytest.raises(SalesforceRefusedRequest):
        client.query("SELECT Id FROM Lead LIMIT 1")
    server.control.faults(kind="maintenance", times=1)
    with pytest.raises(SalesforceGeneralError):
        client.query("SELECT Id FROM Lead LIMIT 1")


def test_it_logs_in_again_when_the_session_expires(client: Any, server: Server) -> None:
    """401 INVALID_SESSION_ID: refreshed through its hook, an error without."""
    server.control.faults(kind="expire_token", times=1)
    client._salesforce_login_partial = lambda: (log_in(server), urlsplit(server.url).netloc)
    assert client.query("SELECT Id FROM Lead LIMIT 1")["totalSize"] == 1
    client._salesforce_login_partial = None
    server.control.faults(kind="expire_token", times=1)
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead LIMIT 1")


def test_it_uses_collections_and_composite(client: Any) -> None:
    """Through its general call."""
    records = [{"attributes": {"type": "Lead"}, "LastName": f"Col {number}", "Company": "C"} for number in range(3)]
    made = client.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": records})
    assert [one["success"] for one in made] == [True] * 3
    part = {
        "method": "GET",
        "url": f"/services/data/v67.0/sobjects/Lead/{made[0]['id']}?fields=Name",
        "referenceId": "a",
    }
    answered = client.restful("composite", method="POST", json={"compositeRequest": [part]})
    assert answered["compositeResponse"][0]["body"]["Name"] == "Col 0"


def test_it_does_bulk(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """bulk2: insert, failed rows, query with its own paging."""
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda seconds: None)
    rows = [{"LastName": f"Bulk {number}", "Company": "C" if number else ""} for number in range(4)]
    (told,) = client.bulk2.Lead.insert(records=rows)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (4, 1)
    failed = list(csv.DictReader(io.StringIO(client.bulk2.Lead.get_failed_records(told["job_id"]), newline="")))
    assert failed[0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING")
    assert client.bulk2.Lead.get_unprocessed_records(told["job_id"]).strip()
    pages = list(client.bulk2.Lead.query("SELECT Id, LastName FROM Lead WHERE LastName LIKE 'Bulk%'", max_records=2))
    found = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    assert sorted(row["LastName"] for row in found) == ["Bulk 1", "Bulk 2", "Bulk 3"]
    assert len(pages) == 2


# ---------------------------------------------------------------- the whole revenue model


def test_the_client_works_a_deal_from_the_account_to_the_history(client: Any, server: Server) -> None:
    """Account, contact, opportunity, role, task, event, campaign and member: made, read back, queried and deleted."""
    account = client.Account.create({"Name": "Whole Ltd", "Type": "Customer", "AnnualRevenue": 1200})["id"]
    contact = client.Contact.create({"LastName": "Whole", "AccountId": account})["id"]
    deal = client.Opportunity.create(
        {"Name": "Whole", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2027-01-31", "Amount": 10.5}
    )["id"]
    role = client.OpportunityContactRole.create({"OpportunityId": deal, "ContactId": contact, "IsPrimary": True})["id"]
    client.Opportunity.update(deal, {"StageName": "Closed Lost", "Loss_Reason__c": "Price"})
    assert client.Opportunity.get(deal)["IsClosed"] is True
    task = client.Task.create({"WhoId": contact, "WhatId": deal, "Subject": "Call", "Status": "Completed"})["id"]
    assert client.Task.get(task)["CompletedDateTime"]
    event = client.Event.create({"WhoId": contact, "StartDateTime": "2026-01-02T10:00:00Z", "DurationInMinutes": 30})
    assert client.Event.get(event["id"])["EndDateTime"] == "2026-01-02T10:30:00.000+0000"
    campaign = client.Campaign.create({"Name": "Whole fair"})["id"]
    member = client.CampaignMember.create({"CampaignId": campaign, "ContactId": contact, "Status": "Responded"})["id"]
    assert client.CampaignMember.get(member)["HasResponded"] is True
    with pytest.raises(SalesforceMalformedRequest, match="Already a campaign member"):
        client.CampaignMember.create({"CampaignId": campaign, "ContactId": contact})

    stages = client.query_all(f"SELECT StageName, Amount FROM OpportunityHistory WHERE OpportunityId = '{deal}'")
    assert {row["StageName"] for row in stages["records"]} == {"Prospecting", "Closed Lost"}
    roles = client.query(f"SELECT Opportunity.Name, Contact.Name FROM OpportunityContactRole WHERE Id = '{role}'")
    assert roles["records"][0]["Opportunity"]["Name"] == "Whole"
    labels = client.query(f"SELECT Label FROM CampaignMemberStatus WHERE CampaignId = '{campaign}' ORDER BY SortOrder")
    assert [row["Label"] for row in labels["records"]] == ["Sent", "Responded"]
    client.Account.delete(account)
    with pytest.raises(SalesforceResourceNotFound):
        client.Opportunity.get(deal)
    gone = client.query_all(f"SELECT IsDeleted FROM Opportunity WHERE Id = '{deal}'", include_deleted=True)
    assert gone["records"][0]["IsDeleted"] is True


def test_the_client_finds_archived_activities_only_with_the_deleted(client: Any, server: Server) -> None:
    """queryAll is the way to them."""
    task = client.Task.create({"Subject": "Old", "Status": "Completed"})["id"]
    server.control.act("archive", object="Task", key=task)
    text = f"SELECT Id FROM Task WHERE Id = '{task}'"
    assert client.query_all(text)["totalSize"] == 0
    assert client.query_all(text, include_deleted=True)["totalSize"] == 1


@pytest.mark.parametrize("name", ["Account", "Opportunity", "OpportunityContactRole", "Campaign", "CampaignMember",
    "CampaignMemberStatus", "Task", "Event", "OpportunityHistory", "LeadHistory", "RecordType", "CurrencyType"])  # fmt: skip
def test_the_client_reads_every_description(client: Any, name: str) -> None:
    """What is referred to exists, and a picklist's default is one of its values."""
    described = getattr(client, name).describe()
    known = {one["name"] for one in client.describe()["sobjects"]}
    for field in described["fields"]:
        assert set(field["referenceTo"]) <= known
    assert described["name"] == name
