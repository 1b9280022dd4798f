"""What the Salesforce connector makes of every answer to a write: scripted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from salesforce_described import DESCRIBE, STAMP, described, probe_or
from salesforce_scripted import Asked, Say, key, lead, refusal

from connectors.salesforce import Salesforce
from syncd.connector import Effect, Outcome
from syncd.errors import AccessError, Fault, QuotaExhausted, Transient

STAMP_MS = 1_795_255_200_000


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
    scripted = described()
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
    scripted = described()
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
    scripted = described()
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
        scripted = described()
        scripted.on(method, "/composite/sobjects$", answer)
        outcomes = _write(scripted.connect(), effects)
        assert {each.kind for each in outcomes.values()} == {"doubtful"}
        assert len(scripted.calls("sobjects$")) == 1


@pytest.mark.parametrize("answer", [Say(lost=True), Say(b'{"compositeResponse":[', 200), Say(b"", 500)])
def test_a_conditional_write_without_an_answer_is_doubtful_too(answer: Say) -> None:
    """The same through composite."""
    scripted = described()
    probe = {"compositeResponse": [{"body": None, "httpStatusCode": 412, "referenceId": "p0"}]}
    scripted.on("POST", "/composite$", probe, answer)
    outcomes = _write(scripted.connect(), [_update(1)])
    assert outcomes["u1"].kind == "doubtful"
    assert len(scripted.calls("composite$")) == 2


def test_an_answer_about_another_record_proves_nothing() -> None:
    """H026: an echoed id that is not the asked one makes doubtful."""
    scripted = described()
    scripted.on("PATCH", "/composite/sobjects$", [{"id": key(2), "success": True, "errors": []}])
    assert _write(scripted.connect(), [_update(1, None)])["u1"].kind == "doubtful"


def test_one_record_that_cannot_be_parsed_does_not_sink_the_others() -> None:
    """A wrong JSON type refuses the whole call without a name; halving finds the culprit, and nothing is written twice."""
    scripted = described()
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
    scripted = described()
    scripted.on("POST", "/composite/sobjects$", refusal("INVALID_FIELD", "No such column 'City'"), status=400)
    outcomes = _write(scripted.connect(), [_create(n, City="x") for n in range(200)])
    assert {(each.kind, each.culprits) for each in outcomes.values()} == {("refused", ("City",))}
    assert len(scripted.calls("sobjects$")) == 1


def test_what_has_no_faithful_form_is_refused_without_a_call() -> None:
    """H158: and the other effects of the batch go."""
    scripted = described()
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
    scripted = described()

    def answer(part: dict[str, Any]) -> tuple[int, Any]:
        gone = refusal("ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return {key(1): (412, None), key(2): (404, gone)}.get(part["url"].rpartition("/")[2], (204, None))

    scripted.on("POST", "/composite$", probe_or(answer))
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
    scripted = described()
    connector = scripted.connect()
    for _ in range(3):
        _write(connector, [_update(1)])
    reads = [call for call in scripted.calls("composite$") if call.body["compositeRequest"][0]["method"] == "GET"]
    assert len(reads) == 1
    assert reads[0].body["compositeRequest"][0]["httpHeaders"]["If-Unmodified-Since"].endswith("1990 00:00:00 GMT")


def test_an_account_without_conditions_is_looked_at_before_writing() -> None:
    """Design 3, rule 3: where the probe shows that conditions are ignored the claim falls, and a look takes their place."""
    scripted = described()
    scripted.on("POST", "/composite$", probe_or(lambda part: pytest.fail("a condition nobody honours"), probe=200))
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
    scripted = described()
    gone = refusal("NOT_FOUND", "The requested resource does not exist")
    scripted.on("POST", "/composite$", probe_or(lambda part: (404, gone), probe=404))
    connector = scripted.connect()
    assert _write(connector, [_update(1)])["u1"].kind == "gone"
    scripted.on("POST", "/composite$", probe_or(lambda part: (204, None)))
    assert _write(connector, [_update(2)])["u2"].kind == "sent"
    assert connector.traits.objects["Lead"].precondition


def test_updates_without_conditions_go_two_hundred_at_a_time() -> None:
    """Contract D.4.7: composites only where a condition is worth it."""
    scripted = described()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    _write(scripted.connect(), [_update(n, None) for n in range(200)])
    assert [len(call.body["records"]) for call in scripted.calls()] == [200]


def test_a_batch_names_a_record_once() -> None:
    """H012: the same record twice would refuse the call, or let the second pass on a stale condition."""
    scripted = described()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    first, second = _update(1, None), Effect("again", "update", key(1)[:15], {"LastName": "C"})
    outcomes = _write(scripted.connect(), [first, second])
    assert (outcomes["u1"].kind, outcomes["again"].kind, outcomes["again"].again) == ("sent", "refused", True)


def test_clear_first_is_a_call_of_its_own_and_a_stop_between_is_doubtful() -> None:
    """The record is cleared before it is set; what fails in between was half applied, so only a look can tell."""
    effect = Effect("e", "update", key(1), {"Status": "Open"}, expect_ms=STAMP_MS, clear_first=("Status",))
    scripted = described()
    scripted.on("PATCH", "/composite/sobjects$", _done)
    assert _write(scripted.connect(), [effect])["e"].kind == "sent"
    clear, setting = scripted.calls("composite")[1:]
    assert clear.body["compositeRequest"][0]["body"] == {"Status": None}
    assert "If-Unmodified-Since" in clear.body["compositeRequest"][0]["httpHeaders"]
    assert setting.body["records"][0]["Status"] == "Open"
    scripted = described()
    no = [{"success": False, "errors": [{"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No"}]}]
    scripted.on("PATCH", "/composite/sobjects$", no)
    assert _write(scripted.connect(), [effect])["e"].kind == "doubtful"
    scripted = described()
    scripted.on("POST", "/composite$", probe_or(lambda part: (412, None)))
    assert _write(scripted.connect(), [effect])["e"].kind == "moved"
    assert not scripted.calls("sobjects$"), "what was not cleared is not set"


def test_a_value_that_looks_like_a_reference_is_never_put_into_a_composite_call() -> None:
    """Contract 8: `@{e0.id}` in the body of a part is replaced by the server; people type what they like."""
    scripted = described()
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
    scripted = described()
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
    scripted = described()
    scripted.on("POST", "/composite/sobjects$", answer)
    with pytest.raises(error):
        list(scripted.connect().write("Lead", [_create(1)]))


def test_a_crowd_is_waited_out_and_the_write_repeated() -> None:
    """Concurrency limits are seconds: refused, not carried out, so the very same call may go again."""
    scripted = described()
    crowd = Say(refusal("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), 403)
    scripted.on("POST", "/composite/sobjects$", crowd, _done)
    assert _write(scripted.connect(), [_create(1)])["c1"].kind == "sent"
    assert sum(scripted.slept) > 0


def test_trouble_after_the_first_call_refuses_the_rest_for_now() -> None:
    """Each effect is answered once: what earlier calls did is not forgotten because a later one could not leave."""
    scripted = described()
    full = Say(refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 403)
    scripted.on("PATCH", "/composite/sobjects$", _done, full)
    outcomes = _write(scripted.connect(), [_update(n, None) for n in range(250)])
    assert outcomes["u0"].kind == "sent"
    assert (outcomes["u249"].kind, outcomes["u249"].again, outcomes["u249"].code) == ("refused", True, "NOT_SENT")


def test_effects_of_two_kinds_are_our_own_fault() -> None:
    """`write` takes effects of one op."""
    with pytest.raises(Fault):
        list(described().connect().write("Lead", [_create(1), _update(1)]))


def test_a_key_that_is_none_never_reaches_a_path() -> None:
    """X17: refused without a call."""
    scripted = described()
    outcomes = _write(scripted.connect(), [Effect("x", "update", "../../limits", {"LastName": "B"})])
    assert outcomes["x"].kind == "refused"
    assert not scripted.calls("limits|composite")
