"""HubSpot's values, error bodies and histories, without a server."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.hubspot.errors import Trouble, classify, daily, refusal
from connectors.hubspot.paths import Paths
from connectors.hubspot.wire import LONG_ROWS, ROWS, history, merged_into, properties_of, records, stamp_ms, to_wire
from syncd.http import Answer, BadAnswer


def answer(status: int, body: Any, **headers: str) -> Answer:
    """An answer with a JSON body, or with text as it is."""
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, headers, raw, "POST /x")


def trouble(**body: Any) -> Trouble:
    """An error body."""
    return msgspec.convert(body, Trouble)


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1500, "1500"),
        (5.0, "5"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (-2.5, "-2.5"),
        ("a;b", "a;b"),
        ("0049 30", "0049 30"),
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a;b"),
        (["", "a", "", "b"], "a;b"),
    ],
)
def test_a_value_is_written_as_hubspot_stores_it(value: Any, text: str) -> None:
    """Rule: empty text clears, numbers are plain decimals, choices never begin with a semicolon (section 3)."""
    assert to_wire(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_not_written(value: float) -> None:
    """Rule: what JSON cannot say is refused before it leaves."""
    with pytest.raises(ValueError, match="number"):
        to_wire(value)


def test_a_leading_semicolon_is_taken_off_choices_only() -> None:
    """Rule: it would append to a list of choices; in a text it is the person's own (section 21.9)."""
    sent = properties_of({"interests": ";a;b", "note": "; see above"}, frozenset({"interests"}))

    assert sent == {"interests": "a;b", "note": "; see above"}


@pytest.mark.parametrize(
    "text", ["2026-11-21T10:00:00.123Z", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.1Z", "1970-01-01T00:00:00Z"]
)
def test_stamps_are_exact_with_and_without_a_fraction(text: str) -> None:
    """Rule: the fraction is missing when it is zero; no millisecond is lost (section 3)."""
    said = datetime.fromisoformat(text)

    assert stamp_ms(text) == (said - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution * 1000)


def test_every_millisecond_survives() -> None:
    """Rule: floating point does not round a stamp to its neighbour."""
    for ms in range(1000):
        assert stamp_ms(f"2099-12-31T23:59:59.{ms:03d}Z") == 4102444799000 + ms


def test_epoch_milliseconds_are_understood_and_nonsense_is_not() -> None:
    """Rule: input form of dates is read too; anything else is a bad answer, without the text."""
    assert stamp_ms("1795219200000") == 1795219200000
    for text in ("", "yesterday", "-5", "2026-11-21T10:00:00"):
        with pytest.raises(BadAnswer):
            stamp_ms(text)


# ---------------------------------------------------------------- records


PAGE = {
    "results": [
        {
            "id": "101",
            "properties": {
                "email": "ada@example.test",
                "city": "",
                "phone": None,
                "lastmodifieddate": "2026-11-21T10:00:00.123Z",
                "hs_merged_object_ids": "7;8;101",
            },
            "createdAt": "2026-11-20T09:00:00Z",
            "updatedAt": "2026-11-21T10:00:00Z",
            "archived": False,
        }
    ],
    "paging": {"next": {"after": "102", "link": "https://elsewhere.test/"}},
}


def test_a_record_holds_what_was_asked_and_known() -> None:
    """Rule: absent = unknown, None = blank, and nothing unasked is kept (sections 3 and 21.10)."""
    rows = ROWS.decode(json.dumps(PAGE)).results
    (record,) = records(rows, ["email", "city", "phone", "renamed_away"], "lastmodifieddate")

    assert record.attributes == {"email": "ada@example.test", "city": None, "phone": None}
    assert (record.key, record.state) == ("101", "live")
    assert record.stamp_ms % 1000 == 123  # the object's own property, not updatedAt
    assert merged_into(rows[0]) == ["7", "8"]


def test_history_is_newest_first_and_knows_our_own_lines() -> None:
    """Rule: ours is an integration with our app's id; without an id, any integration (section 21.4)."""

    def line(value: str, at: int, source: str, source_id: str) -> dict[str, str]:
        stamp = f"2026-11-21T10:00:0{at}Z"
        return {"value": value, "timestamp": stamp, "sourceType": source, "sourceId": source_id}

    row = {
        "id": "1",
        "properties": {},
        "propertiesWithHistory": {
            "city": [
                line("", 3, "CRM_UI", "userId:77"),
                line("a", 1, "INTEGRATION", "9001"),
                line("b", 2, "INTEGRATION", "1"),
            ]
        },
    }
    (read,) = LONG_ROWS.decode(json.dumps({"results": [row]})).results

    told = history(read, ["city", "unasked"], "9001")["city"]
    assert [(entry.value, entry.ours) for entry in told] == [(None, False), ("b", False), ("a", True)]
    told = history(read, ["city"], "")["city"]
    assert [entry.ours for entry in told] == [False, True, True]


def test_reading_costs_little() -> None:
    """Rule: at most 5 microseconds a record beyond decoding, at twenty attributes (twice that for a busy machine)."""
    names = [f"property_{n}" for n in range(20)]
    properties = dict.fromkeys(names, "some value") | {"lastmodifieddate": "2026-11-21T10:00:00.123Z"}
    page = {"results": [{"id": str(n), "properties": properties, "updatedAt": ""} for n in range(100)]}
    rows = ROWS.decode(json.dumps(page)).results
    best = min(_timed(lambda: records(rows, names, "lastmodifieddate")) for _ in range(20))

    assert best / 100 < 10e-6


def _timed(work: Any) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


# ---------------------------------------------------------------- what answers mean


def limit(policy: str, **more: Any) -> dict[str, Any]:
    """A 429 body."""
    return {"status": "error", "errorType": "RATE_LIMIT", "policyName": policy, **more}


@pytest.mark.parametrize(
    ("status", "body", "kind", "meter", "executed"),
    [
        (200, {}, "ok", None, True),
        (201, {}, "ok", None, True),
        (207, {}, "ok", None, True),
        (400, {}, "error", None, True),
        (404, "<html></html>", "error", None, True),
        (409, {}, "error", None, True),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, "expired", None, True),
        (401, {"category": "INVALID_AUTHENTICATION"}, "expired", None, True),
        (403, {"category": "MISSING_SCOPES"}, "access", None, True),
        (403, "", "access", None, True),
        (423, {}, "transient", None, False),
        (477, {}, "transient", None, False),
        (429, limit("TEN_SECONDLY_ROLLING"), "throttled", "burst", True),
        (429, limit("SECONDLY"), "throttled", "search", True),
        (429, limit("DAILY"), "daily", None, True),
        (429, {"message": "You have reached your daily limit."}, "daily", None, True),
        (429, {"message": "You have reached your secondly limit."}, "throttled", "search", True),
        (429, {"message": "You have reached your ten_secondly_rolling limit."}, "throttled", "burst", True),
        (429, "<html>", "throttled", None, True),
        (500, {}, "transient", None, True),
        (500, {"category": "RATE_LIMITS"}, "throttled", None, True),
        (502, "<html>", "transient", None, True),
        (524, "", "transient", None, True),
    ],
)
def test_an_answer_is_classed(status: int, body: Any, kind: str, meter: str | None, executed: bool) -> None:
    """Rule: status first, then the policy, then the text; nothing is assumed to be JSON (sections 16, 17)."""
    verdict = classify(answer(status, body))

    assert (verdict.kind, verdict.meter, verdict.executed) == (kind, meter, executed)


@pytest.mark.parametrize(
    "body",
    [
        {"category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}]},
        {"category": "MISSING_SCOPES", "context": {"requiredGranularScopes": ["crm.objects.deals.read"]}},
    ],
)
def test_missing_scopes_are_named_from_both_shapes(body: Any) -> None:
    """Rule: the person is told which scope to grant (section 2.3)."""
    verdict = classify(answer(403, body))

    assert "crm.objects.deals.read" in verdict.message
    assert "crm.objects.deals.read" in verdict.remedy


def test_the_daily_figure_is_read_where_it_is_shown() -> None:
    """Rule: searches and OAuth show none; rubbish is no figure."""
    shown = {"X-HubSpot-RateLimit-Daily": "625000", "X-HubSpot-RateLimit-Daily-Remaining": "1000"}

    figure = daily(answer(200, {}, **shown))
    assert figure is not None
    assert (figure.limit, figure.remaining) == (625000, 1000)
    assert daily(answer(200, {})) is None
    assert daily(answer(200, {}, **{"X-HubSpot-RateLimit-Daily-Remaining": "many"})) is None


EMBEDDED = json.dumps(
    [{"isValid": False, "message": "ada@ is invalid", "error": "INVALID_EMAIL", "name": "email", "portalId": 1}]
)


@pytest.mark.parametrize(
    ("body", "code", "culprits", "existing"),
    [
        (trouble(category="VALIDATION_ERROR", message=f"Property values were not valid: {EMBEDDED}"),
         "INVALID_EMAIL", ("email",), None),
        (trouble(category="VALIDATION_ERROR", message="Property values were not valid", errors=[
            {"message": "Ada was not one of the allowed options", "code": "INVALID_OPTION", "in": "crm_rating",
             "context": {"propertyName": ["crm_rating"]}}]),
         "INVALID_OPTION", ("crm_rating",), None),
        (trouble(category="VALIDATION_ERROR", errors=[{"code": "INVALID_DATE", "in": "closedate"}]),
         "INVALID_DATE", ("closedate",), None),
        (trouble(category="CONFLICT", message="Contact already exists. Existing ID: 77"), "CONFLICT", (), "77"),
        (trouble(category="CONFLICT", message="Contact already exists", context={"existingId": ["77"]}),
         "CONFLICT", (), "77"),
        (trouble(category="CONFLICT", message="Contact already exists"), "CONFLICT", (), None),
        (trouble(message="Property values were not valid: [{not json"), "REFUSED", (), None),
        (trouble(), "REFUSED", (), None),
        (trouble(category="ada@example.test said <b>"), "REFUSED", (), None),
        (trouble(errors=[{"code": "INVALID_EMAIL", "in": "Ada's Email!"}]), "INVALID_EMAIL", (), None),
    ],
)  # fmt: skip
def test_a_refusal_names_code_culprits_and_the_record_in_the_way(
    body: Trouble, code: str, culprits: tuple[str, ...], existing: str | None
) -> None:
    """Rule: every shape is read, and no text that may quote a person gets through (sections 17.3, 17.5)."""
    told = refusal(body)

    assert (told.code, told.culprits, told.existing) == (code, culprits, existing)
    assert "ada" not in repr(told).lower()


def test_a_path_holds_the_version_once() -> None:
    """Rule: an object's name or an id stays one segment (section 1.3)."""
    paths = Paths("2026-03")

    assert paths.objects("contacts", "batch", "read") == "/crm/objects/2026-03/contacts/batch/read"
    assert paths.objects("contacts", "1/../2") == "/crm/objects/2026-03/contacts/1%2F..%2F2"
    assert paths.oauth("token") == "/oauth/2026-03/token"
