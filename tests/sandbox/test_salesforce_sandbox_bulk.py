"""The Salesforce sandbox: Bulk API 2.0. Contract section 9."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from salesforce_org import Api, Reply


def started(org: Api, text: str, operation: str = "insert", **more: Any) -> str:
    """An ingest job with its upload complete; its id."""
    body = {"object": "Lead", "operation": operation, "contentType": "CSV", "lineEnding": "LF", **more}
    job = org.call("POST", "jobs/ingest", body)
    assert (job.status, job.body["state"]) == (200, "Open")
    assert not job.body["contentUrl"].startswith("/")
    put = org.call("PUT", f"/{job.body['contentUrl']}", text.encode(), content_type="text/csv; charset=UTF-8")
    assert (put.status, put.body) == (201, None)
    moved = org.call("PATCH", f"jobs/ingest/{job.body['id']}/", {"state": "UploadComplete"})
    assert moved.body["state"] == "UploadComplete"
    return str(job.body["id"])


def finished(org: Api, job: str) -> dict[str, Any]:
    """The job once its time has come."""
    org.advance(5)
    return dict(org.call("GET", f"jobs/ingest/{job}").body)


def table(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/csv"
    return list(csv.DictReader(io.StringIO(reply.body or "", newline="")))


def results(org: Api, job: str, which: str) -> list[dict[str, str]]:
    return table(org.call("GET", f"jobs/ingest/{job}/{which}"))


def test_states_move_with_time_and_rows_fail_one_by_one(org: Api) -> None:
    """UploadComplete, InProgress, JobComplete, although a row failed; results carry your columns in any order."""
    job = started(org, 'LastName,Company,Syncd_Key__c\nA,C,k1\nB,"C, ""D""\nE",k2\nC,,k3\nD,C,K1\n')
    assert org.call("GET", f"jobs/ingest/{job}").body["state"] == "UploadComplete"
    org.advance(0.5)
    assert org.call("GET", f"jobs/ingest/{job}").body["state"] == "InProgress"
    assert org.state() == {}
    told = finished(org, job)
    assert (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"]) == ("JobComplete", 4, 2)
    assert (told["jobType"], told["apiVersion"]) == ("V2Ingest", 67.0)
    done = {row["LastName"]: row for row in results(org, job, "successfulResults")}
    assert set(done) == {"A", "B"}
    assert done["A"]["sf__Created"] == "true"
    assert org.state()[done["B"]["sf__Id"]]["Company"] == 'C, "D" E'
    failed = {row["LastName"]: row for row in results(org, job, "failedResults")}
    assert failed["C"]["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"
    assert failed["C"]["sf__Id"] == ""
    assert failed["D"]["sf__Error"].startswith("DUPLICATE_VALUE:duplicate value found: Syncd_Key__c")
    for spelling in ("unprocessedrecords", "unprocessedRecords"):
        assert results(org, job, spelling) == []


def test_an_empty_cell_leaves_alone_and_na_clears(org: Api) -> None:
    """Section 9.1; ids of either length; booleans and numbers as text."""
    key = org.make(Phone="1", City="Bonn", Rating="Hot")
    job = started(
        org,
        f"Id,Phone,City,Rating,HasOptedOutOfEmail,Marketing_Score__c\n{key[:15]},,#N/A,Cold,TRUE,7\n",
        operation="update",
    )
    assert finished(org, job)["numberRecordsFailed"] == 0
    row = org.read(key)
    assert (row["Phone"], row["City"], row["Rating"]) == ("1", None, "Cold")
    assert (row["HasOptedOutOfEmail"], row["Marketing_Score__c"]) == (True, 7.0)


def test_upserts_and_deletes(org: Api) -> None:
    """By external id; sf__Created tells which; hardDelete leaves nothing."""
    key = org.make(Syncd_Key__c="k1")
    job = started(
        org,
        "Syncd_Key__c,LastName,Company\nK1,New,C\nk2,Other,C\n,None,C\n",
        operation="upsert",
        externalIdFieldName="Syncd_Key__c",
    )
    finished(org, job)
    done = {row["LastName"]: row for row in results(org, job, "successfulResults")}
    assert (done["New"]["sf__Id"], done["New"]["sf__Created"]) == (key, "false")
    assert done["Other"]["sf__Created"] == "true"
    assert "MISSING_ARGUMENT" in results(org, job, "failedResults")[0]["sf__Error"]
    finished(org, started(org, f"Id\n{key}\n", operation="delete"))
    assert org.state()[key]["IsDeleted"]
    finished(org, started(org, f"Id\n{done['Other']['sf__Id']}\n", operation="hardDelete"))
    assert set(org.state()) == {key}


def test_parents_are_named_by_column(org: Api) -> None:
    """`Account.Erp_Number__c` as a header."""
    account = org.make("Account", Name="A", Erp_Number__c="7")
    job = started(org, "LastName,Account.Erp_Number__c\nL,7\nM,8\n", object="Contact")
    finished(org, job)
    (row,) = org.state("Contact").values()
    assert row["AccountId"] == account
    assert "not found" in results(org, job, "failedResults")[0]["sf__Error"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lastname,Company\nA,C\n", "Field name not found : lastname"),
        ("LastName,Nope\nA,C\n", "InvalidBatch : Field name not found : Nope"),
        ("LastName,Company\r\nA,C\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("", "empty"),
        ("LastName,LastName\nA,B\n", "more than once"),
    ],
)
def test_a_bad_file_fails_the_job(org: Api, text: str, words: str) -> None:
    """With errorMessage, and nothing written."""
    told = finished(org, started(org, text))
    assert told["state"] == "Failed"
    assert words in told["errorMessage"]
    assert org.state() == {}


def test_a_space_beside_a_quote_spoils_the_row(org: Api) -> None:
    """No trimming either: other spaces are values."""
    job = started(org, 'LastName,Company\nA, "C"\nB,C,D\nC, D\n')
    told = finished(org, job)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (3, 2)


def test_a_job_is_uploaded_once_and_closed_before_it_is_deleted(org: Api) -> None:
    """States that do not follow each other are refused."""
    job = org.call("POST", "jobs/ingest", {"object": "Lead", "operation": "insert"}).body["id"]
    path = f"jobs/ingest/{job}"
    assert org.call("PATCH", path, {"state": "UploadComplete"}).codes == ["INVALIDJOBSTATE"]
    assert org.call("PUT", f"{path}/batches", b"LastName\nA\n", content_type="text/csv").status == 201
    assert org.call("PUT", f"{path}/batches", b"LastName\nA\n", content_type="text/csv").status == 400
    assert org.call("DELETE", path).status == 400
    assert org.call("PATCH", path, {"state": "Aborted"}).body["state"] == "Aborted"
    assert org.call("PATCH", path, {"state": "UploadComplete"}).status == 400
    assert len(org.call("GET", "jobs/ingest").body["records"]) == 1
    assert org.call("DELETE", path).status == 204
    assert org.call("GET", path).status == 404
    for body in ({"object": "Nope", "operation": "insert"}, {"object": "Lead", "operation": "fly"}):
        assert org.call("POST", "jobs/ingest", body).codes == ["INVALIDJOB"]
    upsert = {"object": "Lead", "operation": "upsert", "externalIdFieldName": "Company"}
    assert org.call("POST", "jobs/ingest", upsert).codes == ["INVALIDJOB"]


def test_an_aborted_job_keeps_what_it_has_done(org: Api) -> None:
    """Batches of 10,000 rows: the first is committed, the rest is unprocessed."""
    job = started(org, "LastName,Company\n" + "A,C\n" * 10_050)
    org.advance(0.5)
    org.advance(0.5)
    assert org.call("PATCH", f"jobs/ingest/{job}", {"state": "Aborted"}).body["state"] == "Aborted"
    org.advance(60)
    assert len(org.state()) == 10_000
    assert len(results(org, job, "unprocessedrecords")) == 50


def test_faults_of_the_closing_request_strike_rows(org: Api) -> None:
    """A lock on the n-th row, in the words of section 9.1."""
    org.fault("lock_row", path="/jobs/ingest/", method="PATCH", times=1, records=[2])
    job = started(org, "LastName,Company\nA,C\nB,C\n")
    finished(org, job)
    (failed,) = results(org, job, "failedResults")
    assert failed["LastName"] == "B"
    assert failed["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access")


def test_assignment_rules_are_not_run_unless_named() -> None:
    """assignmentRuleId, not the header."""
    org = Api(assignment_rules=True)
    finished(org, started(org, "LastName,Company\nA,C\n"))
    finished(org, started(org, "LastName,Company\nB,C\n", assignmentRuleId="01Q5g0000004SYNC"))
    owners = {row["LastName"]: row["OwnerId"] for row in org.state().values()}
    assert owners == {"A": org.app.org.cast.integration, "B": org.app.org.cast.queue}


# ---------------------------------------------------------------- query jobs


def asked(org: Api, text: str, **more: Any) -> str:
    job = org.call("POST", "jobs/query", {"operation": "query", "query": text, **more})
    assert (job.status, job.body["state"]) == (200, "UploadComplete")
    return str(job.body["id"])


def test_query_results_come_in_pages_until_the_locator_says_null(org: Api) -> None:
    """Datetimes with Z, null and blank alike, booleans as words; pages can be read again."""
    for number in range(5):
        org.make(LastName=f"L{number}", Marketing_Score__c=number)
    job = asked(
        org,
        "SELECT Id, lastname, Owner.Email, CreatedDate, Phone, IsConverted, Marketing_Score__c FROM Lead ORDER BY LastName",
    )
    path = f"jobs/query/{job}/results"
    assert org.call("GET", path).codes == ["INVALIDJOBSTATE"]
    org.advance(1)
    assert org.call("GET", f"jobs/query/{job}").body["state"] == "JobComplete"
    first = org.call("GET", f"{path}?maxRecords=3")
    assert first.headers["Sforce-NumberOfRecords"] == "3"
    locator = first.headers["Sforce-Locator"]
    second = org.call("GET", f"{path}?maxRecords=3&locator={locator}")
    assert (second.headers["Sforce-Locator"], second.headers["Sforce-NumberOfRecords"]) == ("null", "2")
    rows = table(first) + table(second)
    assert [row["LastName"] for row in rows] == [f"L{number}" for number in range(5)]
    assert rows[0]["CreatedDate"] == "2026-11-21T00:00:00.000Z"
    assert (rows[0]["Phone"], rows[0]["IsConverted"], rows[1]["Marketing_Score__c"]) == ("", "false", "1.0")
    assert rows[0]["Owner.Email"] == "integration@acme.example"
    assert org.call("GET", f"{path}?maxRecords=3&locator={locator}").body == second.body
    assert org.call("GET", f"{path}?locator=nonsense").codes == ["INVALID_QUERY_LOCATOR"]
    assert org.call("GET", f"/services/data/v66.0/{path}").status == 409


def test_a_bulk_query_cannot_do_everything(org: Api) -> None:
    """No aggregates, GROUP BY or OFFSET; a bad statement is refused at once; an aborted job stays aborted."""
    for text in ("SELECT COUNT() FROM Lead", "SELECT Id FROM Lead OFFSET 5", "SELECT Rating FROM Lead GROUP BY Rating"):
        assert org.call("POST", "jobs/query", {"operation": "query", "query": text}).status == 400
    assert org.call("POST", "jobs/query", {"operation": "query", "query": "SELECT FROM"}).codes == ["MALFORMED_QUERY"]
    assert org.call("POST", "jobs/query", {"operation": "fly", "query": "x"}).codes == ["INVALIDJOB"]
    job = asked(org, "SELECT Id FROM Lead")
    assert org.call("PATCH", f"jobs/query/{job}", {"state": "Aborted"}).body["state"] == "Aborted"
    org.advance(10)
    assert org.call("GET", f"jobs/query/{job}").body["state"] == "Aborted"
    assert org.call("DELETE", f"jobs/query/{job}").status == 204


def test_query_all_reads_the_bin_and_jobs_end_after_a_week(org: Api) -> None:
    """Seven days; the schema may change between the asking and the running."""
    org.act("delete", object="Lead", key=org.make())
    job = asked(org, "SELECT Id FROM Lead", operation="queryAll")
    bad = asked(org, "SELECT Phone FROM Lead")
    org.act("field", object="Lead", field="Phone", set={"hidden": True})
    org.app.switch({"session_life_s": 10**9})
    org.advance(1)
    assert len(table(org.call("GET", f"jobs/query/{job}/results"))) == 1
    told = org.call("GET", f"jobs/query/{bad}").body
    assert (told["state"], told["errorMessage"][:13]) == ("Failed", "INVALID_FIELD")
    org.advance(7 * 86_400)
    assert org.call("GET", f"jobs/query/{job}").status == 404
