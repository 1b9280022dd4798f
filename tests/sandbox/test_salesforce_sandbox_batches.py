"""The Salesforce sandbox: collections, composite, batch. Contract sections 6.3, 7, 8."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
from salesforce_org import DATA, NOW_MS, Api

LEAD = {"attributes": {"type": "Lead"}, "LastName": "L", "Company": "C"}
CONTACT = {"attributes": {"type": "Contact"}, "LastName": "L"}
MISSING = "00Q5g00000ZZZZZ"


def create(org: Api, *records: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    reply = org.call("POST", "composite/sobjects", {"records": list(records), **more})
    assert reply.status == 200, reply.body
    results: list[dict[str, Any]] = reply.body
    return results


def update(org: Api, *records: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    given = [{"attributes": {"type": "Lead"}, **record} for record in records]
    reply = org.call("PATCH", "composite/sobjects", {"records": given, **more})
    assert reply.status == 200, reply.body
    results: list[dict[str, Any]] = reply.body
    return results


def composite(org: Api, *requests: tuple[Any, ...], **more: Any) -> list[dict[str, Any]]:
    """(referenceId, method, path, body[, headers]) each; the answers in order."""
    given = [
        {
            "referenceId": request[0],
            "method": request[1],
            "url": f"{DATA}/{request[2]}",
            **({"body": request[3]} if request[3] is not None else {}),
            **({"httpHeaders": request[4]} if len(request) > 4 else {}),
        }
        for request in requests
    ]
    reply = org.call("POST", "composite", {"compositeRequest": given, **more})
    assert reply.status == 200, reply.body
    answers: list[dict[str, Any]] = reply.body["compositeResponse"]
    return answers


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    return [None if one["success"] else one["errors"][0]["statusCode"] for one in results]


# ---------------------------------------------------------------- collections


def test_results_come_in_order_and_the_status_says_nothing(org: Api) -> None:
    """200 whatever happened; `statusCode` instead of `errorCode`; the good ones are saved."""
    results = create(org, LEAD, {**LEAD, "LastName": "x" * 81}, {**LEAD, "Nope": 1}, LEAD)
    assert codes(results) == [None, "STRING_TOO_LONG", "INVALID_FIELD", None]
    assert set(results[0]) == {"id", "success", "errors"}
    assert set(results[1]) == {"success", "errors"}
    assert results[1]["errors"][0]["fields"] == ["LastName"]
    assert set(org.state()) == {results[0]["id"], results[3]["id"]}


def test_all_or_none_rolls_back_and_names_the_guilty(org: Api) -> None:
    """Only the guilty record carries the real code."""
    results = create(org, LEAD, {**LEAD, "LastName": ""}, LEAD, allOrNone=True)
    assert codes(results) == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert org.state() == {}
    key = org.make(Phone="1", Syncd_Key__c="k")
    update(org, {"id": key, "Phone": "2", "Syncd_Key__c": "other"}, {"id": MISSING}, allOrNone=True)
    assert org.read(key)["Phone"] == "1"
    assert org.call("GET", "sobjects/Lead/Syncd_Key__c/k").status == 200, "the index is rolled back, too"
    assert org.call("GET", "sobjects/Lead/Syncd_Key__c/other").status == 404


def test_updates_say_what_became_of_each(org: Api) -> None:
    """Gone, deleted, converted, malformed: each its own code; the others go through."""
    live, deleted, converted = org.make(), org.make(), org.make()
    org.act("delete", object="Lead", key=deleted)
    org.act("convert", key=converted)
    keys = [live[:15], deleted, converted, MISSING, "nonsense", "0035g00000ZZZZZ"]
    results = update(org, *({"id": key, "Phone": "1"} for key in keys), {"Phone": "1"})
    assert codes(results) == [
        None,
        "ENTITY_IS_DELETED",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
    ]
    assert results[0]["id"] == live


def test_the_same_record_twice_is_refused(org: Api) -> None:
    """By id and by external id: coalesce before sending."""
    key = org.make()
    assert codes(update(org, {"id": key, "Phone": "1"}, {"Id": key[:15], "Phone": "2"})) == ["DUPLICATE_VALUE"] * 2
    twice = [{**LEAD, "Syncd_Key__c": "a"}, {**LEAD, "Syncd_Key__c": "A"}, {**LEAD, "Syncd_Key__c": "b"}, LEAD]
    reply = org.call("PATCH", "composite/sobjects/Lead/Syncd_Key__c", {"records": twice})
    assert codes(reply.body) == ["DUPLICATE_VALUE", "DUPLICATE_VALUE", None, "MISSING_ARGUMENT"]
    assert reply.body[2]["created"] is True
    again = org.call("PATCH", "composite/sobjects/Lead/Syncd_Key__c", {"records": [{**LEAD, "Syncd_Key__c": "B"}]})
    assert again.body[0] == {"id": reply.body[2]["id"], "success": True, "errors": [], "created": False}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": [LEAD] * 201}, "EXCEEDED_ID_LIMIT"),
        ({"records": [LEAD, CONTACT] * 6}, "LIMIT_EXCEEDED"),
        ({"records": [{"LastName": "L"}]}, "INVALID_TYPE"),
        ({"records": [{"attributes": {"type": "Nope"}}]}, "INVALID_TYPE"),
        ({"records": "x"}, "JSON_PARSER_ERROR"),
        ({"records": [LEAD], "allOrNone": "yes"}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_malformed_collection_changes_nothing(org: Api, body: dict[str, Any], code: str) -> None:
    """Over 200 records, more than ten runs of types, no type: 400 for the whole."""
    reply = org.call("POST", "composite/sobjects", body)
    assert (reply.status, reply.codes) == (400, [code])
    assert org.state() == org.state("Contact") == {}


def test_ten_runs_of_types_are_allowed(org: Api) -> None:
    """Runs are counted, not types."""
    assert codes(create(org, *[LEAD, CONTACT] * 5)) == [None] * 10


@pytest.mark.parametrize("whole", [True, False])
def test_a_value_of_the_wrong_json_type_fails_the_batch_or_its_record(whole: bool) -> None:
    """Unverified which."""
    org = Api(parser_error_fails_batch=whole)
    reply = org.call("POST", "composite/sobjects", {"records": [LEAD, {**LEAD, "Phone": 5}]})
    assert reply.status == (400 if whole else 200)
    assert len(org.state()) == (0 if whole else 1)
    if whole:
        assert reply.codes == ["JSON_PARSER_ERROR"]
    else:
        assert codes(reply.body) == [None, "JSON_PARSER_ERROR"]


def test_deletes_by_ids(org: Api) -> None:
    """`ids=` with `allOrNone`; a repeated delete is ENTITY_IS_DELETED."""
    keys = [org.make(), org.make()]
    path = f"composite/sobjects?ids={keys[0]},{MISSING},{keys[1]}"
    assert codes(org.call("DELETE", f"{path}&allOrNone=true").body)[1] == "INVALID_CROSS_REFERENCE_KEY"
    assert not any(row["IsDeleted"] for row in org.state().values())
    assert codes(org.call("DELETE", path).body) == [None, "INVALID_CROSS_REFERENCE_KEY", None]
    assert codes(org.call("DELETE", path).body)[0] == "ENTITY_IS_DELETED"
    assert org.call("DELETE", "composite/sobjects").status == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_retrieve_answers_in_order_with_holes(org: Api, method: str) -> None:
    """null for missing, deleted and hidden; a bad field spoils the whole."""
    one, two, deleted, hidden = (org.make(Phone=str(number)) for number in range(4))
    org.act("delete", object="Lead", key=deleted)
    org.act("hide", object="Lead", key=hidden)
    keys = [two, deleted, MISSING, hidden, one[:15]]

    def retrieve(*fields: str) -> Any:
        if method == "POST":
            return org.call("POST", "composite/sobjects/Lead", {"ids": keys, "fields": list(fields)})
        return org.call("GET", f"composite/sobjects/Lead?ids={','.join(keys)}&fields={','.join(fields)}")

    found = retrieve("Id", "Phone").body
    assert [row and (row["Id"], row["Phone"]) for row in found] == [(two, "1"), None, None, None, (one, "0")]
    assert found[0]["attributes"]["url"] == f"{DATA}/sobjects/Lead/{two}"
    assert retrieve("Id", "Nope").codes == ["INVALID_FIELD"]


def test_hidden_records_are_as_good_as_gone(org: Api) -> None:
    """Sharing: reads find nothing, writes say invalid cross reference id; shown again, they are there."""
    key = org.make()
    org.act("hide", object="Lead", key=key)
    assert org.rows("SELECT Id FROM Lead") == []
    assert org.call("GET", f"sobjects/Lead/{key}").status == 404
    assert org.patch(key, Phone="1").codes == ["INVALID_CROSS_REFERENCE_KEY"]
    account = org.make("Account", Name="A")
    org.act("hide", object="Account", key=account)
    reply = org.call("POST", "sobjects/Contact", {"LastName": "L", "AccountId": account})
    assert reply.codes == ["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"]
    org.act("show", object="Lead", key=key)
    assert org.patch(key, Phone="1").status == 204


# ---------------------------------------------------------------- composite


def test_sub_requests_refer_to_earlier_answers(org: Api) -> None:
    """`@{ref.id}` in path and body; a create tells its Location."""
    answers = composite(
        org,
        ("acc", "POST", "sobjects/Account", {"Name": "Acme"}),
        ("con", "POST", "sobjects/Contact", {"LastName": "L", "AccountId": "@{acc.id}"}),
        ("look", "GET", "sobjects/Contact/@{con.id}?fields=AccountId", None),
        ("find", "GET", "query?q=SELECT+Id+FROM+Contact+WHERE+Id+=+'@{con.id}'", None),
        ("then", "PATCH", "sobjects/Contact/@{find.records[0].Id}", {"Phone": "1"}),
    )
    assert [one["httpStatusCode"] for one in answers] == [201, 201, 200, 200, 204]
    assert [one["referenceId"] for one in answers] == ["acc", "con", "look", "find", "then"]
    assert answers[2]["body"]["AccountId"] == answers[0]["body"]["id"]
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    assert answers[4]["body"] is None


def test_without_all_or_none_the_rest_goes_on(org: Api) -> None:
    """A failed sub-request carries the usual error array; who refers to it is halted."""
    answers = composite(
        org,
        ("bad", "POST", "sobjects/Lead", {"LastName": "L"}),
        ("child", "GET", "sobjects/Lead/@{bad.id}", None),
        ("good", "POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}),
    )
    assert [one["httpStatusCode"] for one in answers] == [400, 400, 201]
    assert answers[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answers[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert len(org.state()) == 1


def test_with_all_or_none_everything_is_taken_back(org: Api) -> None:
    """All others become 400 PROCESSING_HALTED."""
    answers = composite(
        org,
        ("one", "POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}),
        ("two", "POST", "sobjects/Lead", {"LastName": "L"}),
        ("three", "POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}),
        allOrNone=True,
    )
    assert [one["body"][0]["errorCode"] for one in answers] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]
    assert org.state() == {}


@pytest.mark.parametrize("honoured", [True, False])
def test_conditions_of_sub_requests_are_honoured_or_not(honoured: bool) -> None:
    """Inferred from the documents, hence a switch. Conditions of the outer request hold for nothing."""
    org = Api(composite_preconditions=honoured)
    key = org.make()
    old = {"If-Unmodified-Since": formatdate(NOW_MS // 1000 - 60, usegmt=True)}
    now = {"If-Unmodified-Since": formatdate(NOW_MS // 1000, usegmt=True)}
    answers = composite(
        org,
        ("w1", "PATCH", f"sobjects/Lead/{key}", {"Phone": "1"}, old),
        ("r1", "GET", f"sobjects/Lead/{key}?fields=Phone,SystemModstamp", None),
        ("w2", "PATCH", f"sobjects/Lead/{key}", {"City": "Bonn"}, now),
    )
    assert [one["httpStatusCode"] for one in answers] == [412 if honoured else 204, 200, 204]
    assert answers[0]["body"] is None
    assert answers[1]["body"]["Phone"] == (None if honoured else "1")


@pytest.mark.parametrize(
    "requests",
    [
        [("a", "GET", "limits", None)] * 26,
        [(f"q{n}", "GET", "query?q=SELECT+Id+FROM+Lead", None) for n in range(6)],
        [("a", "GET", "limits", None), ("a", "GET", "limits", None)],
        [("1a", "GET", "limits", None)],
    ],
)
def test_composite_has_limits(org: Api, requests: list[tuple[Any, ...]]) -> None:
    """25 sub-requests, at most five of them queries or collections; reference ids are unique names."""
    given = [{"referenceId": r, "method": m, "url": f"{DATA}/{p}"} for r, m, p, _ in requests]
    assert org.call("POST", "composite", {"compositeRequest": given}).status == 400


def test_headers_of_the_call_hold_for_its_parts() -> None:
    """Sforce-Auto-Assign on the outside counts inside."""
    org = Api(assignment_rules=True)
    request = {
        "referenceId": "a",
        "method": "POST",
        "url": f"{DATA}/sobjects/Lead",
        "body": {"LastName": "L", "Company": "C"},
    }
    org.call("POST", "composite", {"compositeRequest": [request]}, sforce_auto_assign="FALSE")
    (row,) = org.state().values()
    assert row["OwnerId"] == org.app.org.cast.integration


def test_composite_is_one_call_and_batch_is_many() -> None:
    """Unverified for batch: a switch."""
    org = Api()
    parts = [{"method": "GET", "url": "v67.0/limits"}] * 4
    before = org.app.site.meters.used()
    composite(org, *((f"r{n}", "GET", "limits", None) for n in range(4)))
    assert org.app.site.meters.used() == before + 1
    org.call("POST", "composite/batch", {"batchRequests": parts})
    assert org.app.site.meters.used() == before + 5
    org.app.switch({"batch_counts_each": False})
    org.call("POST", "composite/batch", {"batchRequests": parts})
    assert org.app.site.meters.used() == before + 6


def test_a_batch_can_halt_on_an_error(org: Api) -> None:
    """Skipped parts say 412 BATCH_PROCESSING_HALTED."""
    parts = [
        {"method": "POST", "url": "v67.0/sobjects/Lead", "richInput": {"LastName": "L"}},
        {"method": "POST", "url": "v67.0/sobjects/Lead", "richInput": {"LastName": "L", "Company": "C"}},
    ]
    reply = org.call("POST", "composite/batch", {"batchRequests": parts})
    assert reply.body["hasErrors"]
    assert [one["statusCode"] for one in reply.body["results"]] == [400, 201]
    reply = org.call("POST", "composite/batch", {"batchRequests": parts, "haltOnError": True})
    assert [one["statusCode"] for one in reply.body["results"]] == [400, 412]
    assert reply.body["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


# ---------------------------------------------------------------- faults that strike records


def test_locks_strike_the_nth_record(org: Api) -> None:
    """UNABLE_TO_LOCK_ROW for one record of a batch; sent again, it goes through."""
    keys = [org.make() for _ in range(4)]
    org.fault("lock_row", path="/composite/sobjects", times=1, records=[2, 4])
    results = update(org, *({"id": key, "Phone": "1"} for key in keys))
    assert codes(results) == [None, "UNABLE_TO_LOCK_ROW", None, "UNABLE_TO_LOCK_ROW"]
    assert keys[1][:15] in results[1]["errors"][0]["message"]
    assert codes(update(org, {"id": keys[1], "Phone": "1"})) == [None]


def test_a_batch_fails_in_part(org: Api) -> None:
    """`partial_batch`: which records, with which code; also over the parts of a composite."""
    org.fault("partial_batch", times=1, every=2, code="FIELD_INTEGRITY_EXCEPTION", message="no", fields=["City"])
    results = create(org, LEAD, LEAD, LEAD, LEAD)
    assert codes(results) == [None, "FIELD_INTEGRITY_EXCEPTION"] * 2
    org.fault("partial_batch", times=1)
    answers = composite(org, *((f"w{n}", "POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}) for n in range(3)))
    assert [one["httpStatusCode"] for one in answers] == [201, 400, 201]


def test_an_answer_can_be_short_or_lie_about_the_outcome(org: Api) -> None:
    """Missing results, and UNKNOWN_EXCEPTION after (or before) the commit: nobody knows, one has to look."""
    org.fault("missing_results", times=1, count=2)
    assert len(create(org, LEAD, LEAD, LEAD)) == 1
    assert len(org.state()) == 3
    org.fault("unknown_exception", times=1)
    reply = org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C"})
    assert (reply.status, reply.codes) == (500, ["UNKNOWN_EXCEPTION"])
    assert len(org.state()) == 4
    org.fault("unknown_exception", times=1, applied=False)
    assert org.call("POST", "sobjects/Lead", {"LastName": "L", "Company": "C"}).status == 500
    assert len(org.state()) == 4
