"""What the Salesforce connector makes of every answer to a write, and how it reads by key and by value: scripted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from salesforce_scripted import Asked, Say, Scripted, key, lead, page, refusal

from connectors.salesforce import Salesforce
from syncd.connector import Effect, Outcome
from syncd.errors import AccessError, Fault, QuotaExhausted, Transient
from syncd.http import BadAnswer

STAMP_MS = 1_795_255_200_000
STAMP = "2026-11-21T10:00:00.000+0000"
DESCRIBE = {
    "fields": [
        {"name": "Id", "type": "id", "nillable": False, "defaultedOnCreate": True, "length": 18},
        {"name": "LastName", "type": "string", "length": 80, "createable": True, "updateable": True, "nillable": False},
        {
            "name": "Status",
            "type": "picklist",
            "createable": True,
            "updateable": True,
            "nillable": False,
            "defaultedOnCreate": True,
            "restrictedPicklist": True,
            "picklistValues": [{"value": "Open", "active": True}, {"value": "Old", "active": False}],
        },
        {"name": "Score__c", "type": "double", "calculated": True, "label": "Score"},
        {
            "name": "Syncd_Key__c",
            "type": "string",
            "externalId": True,
            "unique": True,
            "createable": True,
            "updateable": True,
        },
    ]
}


def _scripted() -> Scripted:
    """An org that honours conditions and has the key field."""
    scripted = Scripted()
    scripted.on("GET", "/describe", DESCRIBE)
    scripted.on("POST", "/composite$", _probe_or(lambda part: (204, None)))
    return scripted


def _probe_or(answer: Any, probe: int = 412) -> Any:
    """A composite endpoint that answers the probe with `probe` and each other part by `answer`."""

    def say(asked: Asked) -> dict[str, Any]:
        parts = []
        for part in asked.body["compositeRequest"]:
            status, body = (probe, None) if part["method"] == "GET" else answer(part)
            parts.append({"body": body, "httpStatusCode": status, "referenceId": part["referenceId"]})
        return {"compositeResponse": parts[::-1]}  # never to be matched by position

    return say


def _update(number: int, expect_ms: int | None = STAMP_MS, **attributes: Any) -> Effect:
    return Effect(f"u{number}", "update", key(number), attributes or {"LastName": "B"}, expect_ms=expect_ms)


def _create(number: int, **attributes: Any) -> Effect:
    return Effect(f"c{number}", "create", None, {"LastName": "A"} | attributes, unique=f"hubspot:1:{number}")


def _write(connector: Salesforce, effects: Iterable[Effect], object: str = "Lead") -> dict[str, Outcome]:
    effects = list(effects)
    outcomes = list(connector.write(object, effects))
    assert sorted(each.ref for each in outcomes) == sorted(each.ref for each in effects), "each once"
    return {each.ref: each for each in outcomes}


def _done(asked: Asked) -> list[dict[str, Any]]:
    rows = asked.body["records"]
    return [{"id": row.get("id", key(900 + at)), "success": True, "errors": []} for at, row in enumerate(rows)]


# ---------------------------------------------------------------- creates


def test_creates_go_in_one_call_with_the_key_and_without_assignment_rules() -> None:
    """Contract 7 and 20 no. 5: 200 a call, the unique key in the body, Sforce-Auto-Assign off."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects$", _done)
    outcomes = _write(scripted.connect(), [_create(n, Rating=None, Tags__c=["a", "b"]) for n in range(200)])
    (call,) = scripted.calls("sobjects$")
    assert call.headers["Sforce-Auto-Assign"] == "FALSE"
    assert call.body["allOrNone"] is False
    assert call.body["records"][7] == {
        "attributes": {"type": "Lead"},
        "LastName": "A",
        "Rating": None,
        "Tags__c": "a;b",
        "Syncd_Key__c": "hubspot:1:7",
    }
    assert (outcomes["c7"].kind, outcomes["c7"].key) == ("sent", key(907))


def test_an_org_without_a_unique_key_field_gets_no_key_and_the_trait_says_so() -> None:
    """H007: an external id that is not unique protects from nothing; the claim is taken back."""
    scripted = _scripted()
    fields = [field | ({"unique": False} if field["name"] == "Syncd_Key__c" else {}) for field in DESCRIBE["fields"]]
    scripted.on("GET", "/describe", {"fields": fields})
    scripted.on("POST", "/composite/sobjects$", _done)
    connector = scripted.connect()
    assert connector.traits.objects["Lead"].key == "Syncd_Key__c"
    _write(connector, [_create(1)])
    assert "Syncd_Key__c" not in scripted.calls("sobjects$")[0].body["records"][0]
    assert connector.traits.objects["Lead"].key is None


def test_every_record_of_a_batch_has_its_own_fate() -> None:
    """H008, H009: 200 says nothing; each element is read, in order."""
    scripted = _scripted()
    duplicate = f"duplicate value found: Syncd_Key__c duplicates value on record with id: {key(5)[:15]}"
    answer = [
        {"id": key(1), "success": True, "errors": []},
        {"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": duplicate, "fields": []}]},
        {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable", "fields": []}]},
        {"success": False, "errors": [{"statusCode": "UNKNOWN_EXCEPTION", "message": "ErrorId 1", "fields": []}]},
        {"id": key(4), "success": "perhaps"},
    ]
    scripted.on("POST", "/composite/sobjects$", answer)
    outcomes = _write(scripted.connect(), map(_create, range(6)))
    kinds = [(outcomes[f"c{n}"].kind, outcomes[f"c{n}"].again) for n in range(6)]
    assert kinds == [
        ("sent", False),
        ("refused", False),
        ("refused", True),
        ("doubtful", False),
        ("doubtful", False),
        ("doubtful", False),  # H011: the answer is shorter than the request
    ]
    assert outcomes["c1"].existing == key(5)


@pytest.mark.parametrize(
    "answer",
    [
        Say(lost=True),
        Say(b"", 200),
        Say(b"<html>", 200, {"Content-Type": "text/html"}),
        Say(b'[{"id":"00', 200),
        Say({"surprise": 1}, 200),
        Say([{"id": key(1), "success": True}] * 9, 200),
        Say(refusal("UNKNOWN_EXCEPTION", "An unexpected error occurred."), 500),
        Say(b"<html>", 503, {"Content-Type": "text/html"}),
        Say(b"", 502),
    ],
)
def test_a_write_without_a_clear_answer_is_doubtful_and_never_repeated(answer: Say) -> None:
    """H002, H014, H015, H024: one request each, and nobody claims to know."""
    for effects, method in (([_create(1), _create(2)], "POST"), ([_update(1, None), _update(2, None)], "PATCH")):
        scripted = _scripted()
        scripted.on(method, "/composite/sobjects$", answer)
        outcomes = _write(scripted.connect(), effects)
        assert {each.kind for each in outcomes.values()} == {"doubtful"}
        assert len(scripted.calls("sobjects$")) == 1


@pytest.mark.parametrize("answer", [Say(lost=True), Say(b'{"compositeResponse":[', 200), Say(b"", 500)])
def test_a_conditional_write_without_an_answer_is_doubtful_too(answer: Say) -> None:
    """The same through composite."""
    scripted = _scripted()
    probe = {"compositeResponse": [{"body": None, "httpStatusCode": 412, "referenceId": "p0"}]}
    scripted.on("POST", "/composite$", probe, answer)
    outcomes = _write(scripted.connect(), [_update(1)])
    assert outcomes["u1"].kind == "doubtful"
    assert len(scripted.calls("composite$")) == 2


def test_an_answer_about_another_record_proves_nothing() -> None:
    """H026: an echoed id that is not the asked one makes doubtful."""
    scripted = _scripted()
    scripted.on("PATCH", "/composite/sobjects$", [{"id": key(2), "success": True, "errors": []}])
    assert _write(scripted.connect(), [_update(1, None)])["u1"].kind == "doubtful"


def test_one_record_that_cannot_be_parsed_does_not_sink_the_others() -> None:
    """A wrong JSON type refuses the whole call without a name; halving finds the culprit, and nothing is written twice."""
    scripted = _scripted()
    written: list[str] = []

    def answer(asked: Asked) -> Say:
        if any(row.get("Score__c") == "x" for row in asked.body["records"]):
            return Say(refusal("JSON_PARSER_ERROR", "Cannot deserialize instance of double"), 400)
        written.extend(row["id"] for row in asked.body["records"])
        return Say(_done(asked))

    scripted.on("PATCH", "/composite/sobjects$", answer)
    effects = [_update(n, None, LastName="B", **({"Score__c": "x"} if n == 5 else {})) for n in range(9)]
    outcomes = _write(scripted.connect(), effects)
    assert [n for n in range(9) if outcomes[f"u{n}"].kind != "sent"] == [5]
    assert (outcomes["u5"].kind, outcomes["u5"].code) == ("refused", "JSON_PARSER_ERROR")
    assert sorted(written) == sorted(key(n) for n in range(9) if n != 5)


def test_a_call_that_is_refused_by_name_is_not_cut_into_pieces() -> None:
    """A field that is gone refuses everybody: one call, not four hundred."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects$", refusal("INVALID_FIELD", "No such column 'City'"), status=400)
    outcomes = _write(scripted.connect(), [_create(n, City="x") for n in range(200)])
    assert {(each.kind, each.culprits) for each in outcomes.values()} == {("refused", ("City",))}
    assert len(scripted.calls("sobjects$")) == 1


def test_what_has_no_faithful_form_is_refused_without_a_call() -> None:
    """H158: and the other effects of the batch go."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects$", _done)
    effects = [_create(1, Tags__c=["a;b"]), _create(2, Score__c=float("nan")), _create(3)]
    outcomes = _write(scripted.connect(), effects)
    assert [(outcomes[f"c{n}"].kind, outcomes[f"c{n}"].culprits) for n in (1, 2, 3)] == [
        ("refused", ("Tags__c",)),
        ("refused", ("Score__c",)),
        ("sent", ()),
    ]
    assert len(scripted.calls("sobjects$")[0].body["records"]) == 1


# ---------------------------------------------------------------- conditional updates


def test_a_conditional_update_carries_its_condition_and_is_matched_by_reference() -> None:
    """Contract 6.4: whole seconds, one header for each part; H010: answers come in any order."""
    scripted = _scripted()

    def answer(part: dict[str, Any]) -> tuple[int, Any]:
        gone = refusal("ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return {key(1): (412, None), key(2): (404, gone)}.get(part["url"].rpartition("/")[2], (204, None))

    scripted.on("POST", "/composite$", _probe_or(answer))
    outcomes = _write(scripted.connect(), map(_update, range(4)))
    assert [outcomes[f"u{n}"].kind for n in range(4)] == ["sent", "moved", "gone", "sent"]
    probe, write = scripted.calls("composite$")
    assert all(part["method"] == "GET" for part in probe.body["compositeRequest"])
    part = write.body["compositeRequest"][3]
    assert part["url"] == f"/services/data/v67.0/sobjects/Lead/{key(3)}"
    assert part["httpHeaders"] == {
        "Sforce-Auto-Assign": "FALSE",
        "If-Unmodified-Since": "Sat, 21 Nov 2026 10:00:00 GMT",
    }
    assert part["body"] == {"LastName": "B"}


def test_the_probe_is_made_once_and_reads_only() -> None:
    """One call in the life of a connector, before the first conditional write."""
    scripted = _scripted()
    connector = scripted.connect()
    for _ in range(3):
        _write(connector, [_update(1)])
    reads = [call for call in scripted.calls("composite$") if call.body["compositeRequest"][0]["method"] == "GET"]
    assert len(reads) == 1
    assert reads[0].body["compositeRequest"][0]["httpHeaders"]["If-Unmodified-Since"].endswith("1990 00:00:00 GMT")


def test_an_account_without_conditions_is_looked_at_before_writing() -> None:
    """Design 3, rule 3: where the probe shows that conditions are ignored the claim falls, and a look takes their place."""
    scripted = _scripted()
    scripted.on("POST", "/composite$", _probe_or(lambda part: pytest.fail("a condition nobody honours"), probe=200))
    newer = "2026-11-21T10:00:01.000+0000"
    scripted.on("POST", "/composite/sobjects/Lead", [lead(1, STAMP), lead(2, newer), None])
    scripted.on("PATCH", "/composite/sobjects$", _done)
    connector = scripted.connect()
    assert connector.traits.objects["Lead"].precondition
    outcomes = _write(connector, [_update(1), _update(2), _update(3)])
    assert [outcomes[f"u{n}"].kind for n in (1, 2, 3)] == ["sent", "moved", "sent"]
    assert "looked" in outcomes["u1"].message
    lead_traits = connector.traits.objects["Lead"]
    assert (lead_traits.precondition, lead_traits.update_batch) == (False, 200)


def test_a_probe_on_records_that_are_gone_decides_nothing() -> None:
    """404 says nothing about conditions: the next write asks again."""
    scripted = _scripted()
    gone = refusal("NOT_FOUND", "The requested resource does not exist")
    scripted.on("POST", "/composite$", _probe_or(lambda part: (404, gone), probe=404))
    connector = scripted.connect()
    assert _write(connector, [_update(1)])["u1"].kind == "gone"
    scripted.on("POST", "/composite$", _probe_or(lambda part: (204, None)))
    assert _write(connector, [_update(2)])["u2"].kind == "sent"
    assert connector.traits.objects["Lead"].precondition


def test_updates_without_conditions_go_two_hundred_at_a_time() -> None:
    """Contract D.4.7: composites only where a condition is worth it."""
    scripted = _scripted()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    _write(scripted.connect(), [_update(n, None) for n in range(200)])
    assert [len(call.body["records"]) for call in scripted.calls()] == [200]


def test_a_batch_names_a_record_once() -> None:
    """H012: the same record twice would refuse the call, or let the second pass on a stale condition."""
    scripted = _scripted()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    first, second = _update(1, None), Effect("again", "update", key(1)[:15], {"LastName": "C"})
    outcomes = _write(scripted.connect(), [first, second])
    assert (outcomes["u1"].kind, outcomes["again"].kind, outcomes["again"].again) == ("sent", "refused", True)


def test_clear_first_is_a_call_of_its_own_and_a_stop_between_is_doubtful() -> None:
    """The record is cleared before it is set; what fails in between was half applied, so only a look can tell."""
    effect = Effect("e", "update", key(1), {"Status": "Open"}, expect_ms=STAMP_MS, clear_first=("Status",))
    scripted = _scripted()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    assert _write(scripted.connect(), [effect])["e"].kind == "sent"
    clear, setting = scripted.calls("composite")[1:]
    assert clear.body["compositeRequest"][0]["body"] == {"Status": None}
    assert "If-Unmodified-Since" in clear.body["compositeRequest"][0]["httpHeaders"]
    assert setting.body["records"][0]["Status"] == "Open"
    scripted = _scripted()
    no = [{"success": False, "errors": [{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No"}]}]
    scripted.on("PATCH", "/composite/sobjects$", no)
    assert _write(scripted.connect(), [effect])["e"].kind == "doubtful"
    scripted = _scripted()
    scripted.on("POST", "/composite$", _probe_or(lambda part: (412, None)))
    assert _write(scripted.connect(), [effect])["e"].kind == "moved"
    assert not scripted.calls("sobjects$"), "what was not cleared is not set"


def test_a_value_that_looks_like_a_reference_is_never_put_into_a_composite_call() -> None:
    """Contract 8: `@{e0.id}` in the body of a part is replaced by the server; people type what they like."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", [lead(1, STAMP)])
    scripted.on("PATCH", "/composite/sobjects$", _done)
    outcomes = _write(scripted.connect(), [_update(1, LastName="@{e1.id}"), _update(2)])
    assert {each.kind for each in outcomes.values()} == {"sent"}
    sent = [call for call in scripted.calls("composite$") if "@{" in str(call.body)]
    assert sent == []
    assert scripted.calls("sobjects$")[0].body["records"][0]["LastName"] == "@{e1.id}"


# ---------------------------------------------------------------- archive


def test_deletes_are_looked_at_before_because_they_have_no_condition() -> None:
    """D.4.14: DELETE takes no If-Unmodified-Since."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", [lead(1, STAMP), lead(2, "2026-11-21T10:00:05.000+0000")])
    deleted = [
        {"id": key(1), "success": True, "errors": []},
        {
            "id": key(3),
            "success": False,
            "errors": [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}],
        },
    ]
    scripted.on("DELETE", "/composite/sobjects$", deleted)
    effects = [Effect(f"d{n}", "archive", key(n), {}, expect_ms=None if n == 3 else STAMP_MS) for n in (1, 2, 3)]
    outcomes = _write(scripted.connect(), effects)
    assert [outcomes[f"d{n}"].kind for n in (1, 2, 3)] == ["sent", "moved", "gone"]
    (call,) = scripted.calls("sobjects$")
    assert call.query == {"ids": [f"{key(1)},{key(3)}"], "allOrNone": ["false"]}


# ---------------------------------------------------------------- trouble before and between calls


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Say(refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 403), QuotaExhausted),
        (Say(refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), 403), Transient),
        (Say(refusal("INSUFFICIENT_ACCESS", "no"), 403), AccessError),
        (Say(b"", 410), AccessError),
    ],
)
def test_what_surely_was_not_carried_out_is_raised(answer: Say, error: type[Exception]) -> None:
    """The engine then knows that nothing left: intents stay ready."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects$", answer)
    with pytest.raises(error):
        list(scripted.connect().write("Lead", [_create(1)]))


def test_a_crowd_is_waited_out_and_the_write_repeated() -> None:
    """Concurrency limits are seconds: refused, not carried out, so the very same call may go again."""
    scripted = _scripted()
    crowd = Say(refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), 403)
    scripted.on("POST", "/composite/sobjects$", crowd, _done)
    assert _write(scripted.connect(), [_create(1)])["c1"].kind == "sent"
    assert sum(scripted.slept) > 0


def test_trouble_after_the_first_call_refuses_the_rest_for_now() -> None:
    """Each effect is answered once: what earlier calls did is not forgotten because a later one could not leave."""
    scripted = _scripted()
    full = Say(refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 403)
    scripted.on("PATCH", "/composite/sobjects$", _done, full)
    outcomes = _write(scripted.connect(), [_update(n, None) for n in range(250)])
    assert outcomes["u0"].kind == "sent"
    assert (outcomes["u249"].kind, outcomes["u249"].again, outcomes["u249"].code) == ("refused", True, "NOT_SENT")


def test_effects_of_two_kinds_are_our_own_fault() -> None:
    """`write` takes effects of one op."""
    with pytest.raises(Fault):
        list(_scripted().connect().write("Lead", [_create(1), _update(1)]))


def test_a_key_that_is_none_never_reaches_a_path() -> None:
    """X17: refused without a call."""
    scripted = _scripted()
    outcomes = _write(scripted.connect(), [Effect("x", "update", "../../limits", {"LastName": "B"})])
    assert outcomes["x"].kind == "refused"
    assert not scripted.calls("limits|composite")


# ---------------------------------------------------------------- reading by key


def test_fetch_tells_live_gone_merged_and_missing_apart() -> None:
    """A null of the retrieve is unknown; only queryAll's row is evidence; the survivor of a merge comes along."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", [lead(1, Email="1"), None, None, None], [lead(9, Email="9")])
    rows = [lead(2, Email="2", IsDeleted=True), lead(3, Email="3", IsDeleted=True, MasterRecordId=key(9))]
    scripted.on("GET", "/queryAll", page(*rows))
    records = list(scripted.connect().fetch("Lead", ["Email"], [key(n) for n in (1, 2, 3, 4)]))
    told = {record.key: (record.state, record.into) for record in records}
    assert told == {
        key(1): ("live", None),
        key(2): ("gone", None),
        key(3): ("merged", ("Lead", key(9))),
        key(9): ("live", None),
    }


def test_fetch_follows_a_chain_of_merges_but_not_for_ever() -> None:
    """H127: A into B into C between two polls; and a circle ends."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", lambda asked: [None] * len(asked.body["ids"]))

    def merged(asked: Asked) -> dict[str, Any]:
        number = next(n for n in (1, 2, 3) if key(n) in asked.soql)
        return page(lead(number, IsDeleted=True, MasterRecordId=key(number % 3 + 1)))

    scripted.on("GET", "/queryAll", merged)
    records = list(scripted.connect().fetch("Lead", [], [key(1)]))
    assert [record.key for record in records] == [key(1), key(2), key(3)]


def test_a_record_that_was_not_asked_for_is_never_taken_for_one_that_was() -> None:
    """H026: the ids of an answer are checked against the question."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", [lead(2, Email="x")])
    with pytest.raises(BadAnswer):
        list(scripted.connect().fetch("Lead", ["Email"], [key(1)]))


def test_many_keys_are_fetched_two_thousand_at_a_time() -> None:
    """Contract 6.3; the nulls of a batch are asked for a thousand at a time."""
    scripted = _scripted()
    scripted.on("POST", "/composite/sobjects/Lead", lambda asked: [None] * len(asked.body["ids"]))
    empty = {"compositeResponse": [{"body": page(), "httpStatusCode": 200, "referenceId": "q"}]}
    scripted.on("POST", "/composite$", empty)
    assert list(scripted.connect().fetch("Lead", [], [key(n) for n in range(2500)])) == []
    assert [len(call.body["ids"]) for call in scripted.calls("sobjects/Lead")] == [2000, 500]
    assert len(scripted.calls("composite$")) + len(scripted.calls("queryAll")) == 3


def test_an_attribute_we_may_not_see_is_left_out_and_the_rest_still_read() -> None:
    """H040: unreadable is not blank; the attribute is absent, and the next reads do not stumble again."""
    scripted = _scripted()

    def answer(asked: Asked) -> Say:
        if "Hidden__c" in asked.soql:
            return Say(refusal("INVALID_FIELD", "No such column 'Hidden__c' on entity 'Lead'"), 400)
        return Say(page(lead(1, LastName="B")))

    scripted.on("GET", "/query", answer)
    connector = scripted.connect()
    for _ in range(2):
        (found,) = connector.find("Lead", ["LastName", "Hidden__c"], "LastName", ["b"])
        assert found.record.attributes == {"LastName": "B"}
    assert len(scripted.calls("query")) == 3
    with pytest.raises(AccessError):
        list(connector.find("Lead", [], "Hidden__c", ["x"]))


# ---------------------------------------------------------------- reading by value


def test_find_matches_without_regard_to_case_and_gives_back_the_asked_value() -> None:
    """H114, H119: whoever asked recognises the answer; blanks match nothing and cost nothing."""
    scripted = _scripted()
    scripted.on("GET", "/query", page(lead(1, Email="Ada@Example.TEST"), lead(2, Email="ada@example.test")))
    connector = scripted.connect()
    found = list(connector.find("Lead", [], "Email", ["ADA@example.test", " ada@example.test", "", "  "]))
    assert sorted((each.value, each.record.key) for each in found) == [
        (" ada@example.test", key(1)),
        (" ada@example.test", key(2)),
        ("ADA@example.test", key(1)),
        ("ADA@example.test", key(2)),
    ]
    assert all(each.record.attributes == {} for each in found), "what was not asked for is not told"
    assert not list(connector.find("Lead", [], "Email", ["", " "]))
    assert len(scripted.calls()) == 1


def test_find_reads_every_page_however_small() -> None:
    """Contract 4.2: only `done` tells the end."""
    scripted = _scripted()
    scripted.on("GET", "/query/?$", page(lead(1, Email="a@b.c"), following="/services/data/v67.0/query/0r8x-1"))
    scripted.on("GET", "/query/0r8x-1$", page(lead(2, Email="a@b.c")))
    found = list(scripted.connect().find("Lead", [], "Email", ["a@b.c"]))
    assert [each.record.key for each in found] == [key(1), key(2)]
    scripted.on("GET", "/query/0r8x-1$", page(following="/services/data/v67.0/query/0r8x-1"))
    with pytest.raises(BadAnswer):
        list(scripted.connect().find("Lead", [], "Email", ["a@b.c"]))


def test_find_escapes_what_people_type() -> None:
    """X16: quotes and backslashes stay inside the literal."""
    scripted = _scripted()
    scripted.on("GET", "/query", page())
    list(scripted.connect().find("Lead", [], "LastName", ["O'Brien\\' OR Name LIKE '%"]))
    assert scripted.calls()[0].soql.endswith("IN ('O\\'Brien\\\\\\' OR Name LIKE \\'%')")


def test_find_tells_converted_leads_with_their_state() -> None:
    """Design 3: keys and match values are looked up in both forms, converted leads included."""
    scripted = _scripted()
    contact = "0035g00000AAAAAAA5"
    scripted.on("GET", "/query", page(lead(1, Email="a@b.c", IsConverted=True, ConvertedContactId=contact)))
    (found,) = scripted.connect().find("Lead", ["Email"], "Email", ["a@b.c"])
    assert (found.record.state, found.record.into) == ("converted", ("Contact", contact))


def test_a_long_search_goes_in_the_body_five_queries_a_call() -> None:
    """Contract 3: an address over 16,384 bytes is refused; 25 parts, of which 5 queries."""
    scripted = _scripted()

    def answer(asked: Asked) -> dict[str, Any]:
        parts = [
            {"body": page(), "httpStatusCode": 200, "referenceId": part["referenceId"]}
            for part in asked.body["compositeRequest"]
        ]
        return {"compositeResponse": parts}

    scripted.on("POST", "/composite$", answer)
    connector = scripted.connect()
    list(connector.find("Lead", [], "Email", [f"person{n}@example.test" for n in range(1000)]))
    list(connector.find("Lead", [], "Email", [f"person{n}@example.test" for n in range(6500)]))
    assert [len(call.body["compositeRequest"]) for call in scripted.calls()] == [1, 5, 2]


# ---------------------------------------------------------------- describe, traits, limits


def test_a_description_says_what_a_create_needs_and_what_may_drift() -> None:
    """Contract 10: required = createable, not nillable, not defaulted; inactive choices are no options."""
    scripted = _scripted()
    schema = scripted.connect().describe("Lead")
    required = [each.name for each in schema.attributes.values() if each.required]
    assert required == ["LastName"]
    status, score = schema.attributes["Status"], schema.attributes["Score__c"]
    assert (status.type, status.restricted, status.options) == ("choice", True, ("Open",))
    assert (score.type, score.calculated, score.creatable, score.length) == ("number", True, False, 0)
    assert schema.attributes["Syncd_Key__c"].unique


def test_an_object_we_may_not_see_is_for_a_person() -> None:
    """H040: and the message names the object, not a person."""
    scripted = _scripted()
    scripted.on(
        "GET", "/sobjects/Secret__c/describe", refusal("NOT_FOUND", "The requested resource does not exist"), status=404
    )
    with pytest.raises(AccessError, match="Secret__c"):
        scripted.connect().describe("Secret__c")


def test_the_traits_are_those_of_each_object() -> None:
    """What the engine plans by: batches, forms, grain, owners."""
    traits = Scripted().connect().traits
    lead_traits, contact, user = (traits.objects[name] for name in ("Lead", "Contact", "User"))
    assert (lead_traits.feed, lead_traits.deletions, lead_traits.merges) == ("since", "feed", True)
    assert (lead_traits.forms, contact.forms) == (("Contact",), ())
    assert (lead_traits.create_batch, lead_traits.update_batch, lead_traits.find_batch) == (200, 25, 1000)
    assert (lead_traits.grain_ms, lead_traits.read_batch, lead_traits.history) == (1000, 2000, False)
    assert user.key is None
    assert traits.owners is not None
    assert (traits.owners.object, traits.owners.email, traits.owners.active) == ("User", "Email", "IsActive")


def test_a_user_has_neither_a_bin_nor_a_master() -> None:
    """Users are never deleted; asking them for IsDeleted would be refused."""
    scripted = _scripted()
    row = {
        "Id": "0055g00000AAAAAAA5",
        "SystemModstamp": STAMP,
        "LastModifiedById": None,
        "Email": "x",
        "IsActive": True,
    }
    scripted.on("GET", "/query", page(row))
    (found,) = scripted.connect().find("User", ["Email", "IsActive"], "Email", ["x"])
    assert found.record.attributes == {"Email": "x", "IsActive": True}
    assert "IsDeleted" not in scripted.calls()[0].soql


def test_the_orgs_daily_figure_reaches_the_budget() -> None:
    """H029: read from every answer; when others used the day up we stop before the vendor stops us."""
    scripted = _scripted()
    scripted.on("GET", "/query", page(), headers={"Sforce-Limit-Info": "api-usage=15000/15000"})
    connector = scripted.connect()
    list(connector.find("Lead", [], "Email", ["a@b.c"]))
    with pytest.raises(QuotaExhausted):
        list(connector.find("Lead", [], "Email", ["a@b.c"]))
    assert len(scripted.calls()) == 1


def test_closing_twice_is_harmless() -> None:
    """So says the interface; before and after use."""
    connector = Scripted().connect()
    connector.close()
    connector.close()
