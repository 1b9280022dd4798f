"""The parts of the Salesforce connector that need no server: ids, queries, values, rows, what refusals mean."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from salesforce_scripted import key, lead, page

from connectors.salesforce.ids import id18, id_in
from connectors.salesforce.places import trusted_origin
from connectors.salesforce.refusals import classify, clean, daily, judge
from connectors.salesforce.replies import Reply, troubles_in, troubles_of
from connectors.salesforce.rows import Rows
from connectors.salesforce.soql import identifier, moment, one_of, portions, quoted, select, since
from connectors.salesforce.values import Stamps, Unfit, http_date, to_wire
from syncd.connector import Effect
from syncd.errors import AccessError, ConfigError, Fault, Transient
from syncd.http import Answer, BadAnswer

# ---------------------------------------------------------------- ids


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("00D5g000004SYNC", "00D5g000004SYNCEA4"),
        ("0" * 15, "0" * 15 + "AAA"),
    ],
)
def test_short_ids_become_long_ones(short: str, long: str) -> None:
    """H121: 15 characters are turned into 18 at the edge, so that one record never has two names."""
    assert id18(short) == long
    assert id18(long) == long


@pytest.mark.parametrize("text", ["", "123", "00Q5g000000001!", "../../../../../x", "00Q5g0000000001\n00"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """X17: an id can never lead to another place in a path."""
    with pytest.raises(ValueError, match="not a Salesforce id"):
        id18(text)


def test_a_message_that_names_two_records_names_none() -> None:
    """An existing record is only reported where it is the only one."""
    assert id_in("duplicates value on record with id: 001D000000IRFma") == "001D000000IRFmaIAH"
    assert id_in("record with id: 001D000000IRFma,001D000000IRFmb") is None


# ---------------------------------------------------------------- queries

_LITERAL = re.compile(r"'((?:[^'\\\x00-\x1f]|\\[nrtbf\"'\\_%]|\\u[0-9a-f]{4})*)'")


@given(st.text(max_size=40))
def test_no_value_leaves_its_quotes(text: str) -> None:
    """X16: whatever a value holds, the literal is one literal, and only escapes that SOQL knows are in it."""
    assert _LITERAL.fullmatch(quoted(text))


@pytest.mark.parametrize("name", ["Name, Id", "Id FROM User --", "", "a b", "x'", "é", "Owner.Name"])
def test_a_name_that_is_no_identifier_is_a_mistake_in_the_file(name: str) -> None:
    """X16: names come from a file that people write; what cannot be a field never reaches a query."""
    with pytest.raises(ConfigError):
        identifier(name)


def test_a_query_reads_as_salesforce_writes_it() -> None:
    """Order, limit and moments have the form of contract section 4."""
    query = select("Lead", ["Id", "Email"], since("SystemModstamp", 1_700_000_000_999, inclusive=True), order=("Id",))
    assert query.text == "SELECT Id,Email FROM Lead WHERE SystemModstamp >= 2023-11-14T22:13:20Z ORDER BY Id"
    assert moment(1_700_000_000_999) == moment(1_700_000_000_000), "H073: rounded down, never up"
    assert one_of("Email", ["o'b\\x"]) == "Email IN ('o\\'b\\\\x')"


@given(st.lists(st.text(max_size=300), max_size=60), st.integers(1, 20))
def test_values_are_cut_into_queries_without_loss(values: list[str], most: int) -> None:
    """Every value that can be asked for is asked for once, in lists that fit."""
    parts = list(portions(values, most, 100))
    assert [value for part in parts for value in part] == values
    assert all(0 < len(part) <= most for part in parts)


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("value", "wire"), [(None, None), ("x", "x"), (0, 0), (1.5, 1.5), (False, False), (["a", "b"], "a;b"), ([], None)]
)
def test_values_have_one_form_on_the_wire(value: object, wire: object) -> None:
    """Blank is null, a list is joined by semicolons, nought and false stay what they are (H159)."""
    assert to_wire(value) == wire  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [["a;b"], float("nan"), float("inf")])
def test_values_without_a_faithful_form_are_not_sent(value: object) -> None:
    """H152, H158: a choice would fall into two, and JSON would turn NaN into null, which clears."""
    with pytest.raises(Unfit):
        to_wire(value)  # type: ignore[arg-type]


def test_stamps_are_read_in_every_form_and_must_have_a_zone() -> None:
    """Contract section 14: `+0000` without a colon, `Z`, and offsets mean instants."""
    stamps = Stamps()
    assert stamps["2024-01-01T00:00:00.000+0000"] == 1_704_067_200_000
    assert stamps["2024-01-01T01:00:00+01:00"] == stamps["2024-01-01T00:00:00Z"] == 1_704_067_200_000
    with pytest.raises(ValueError, match="zone"):
        stamps["2024-01-01T00:00:00"]
    assert http_date(1_704_189_600_999) == "Tue, 02 Jan 2024 10:00:00 GMT"


# ---------------------------------------------------------------- rows


def _records(*rows: dict[str, object], attributes: tuple[str, ...] = ("Email",)) -> list[object]:
    reader = Rows("Lead", attributes)
    decoded = reader.page.decode(msgspec.json.encode(page(*rows)))
    return list(reader.records(decoded.records, "0055g00000AAAAAAA5"))


def test_a_row_becomes_a_record_with_what_was_asked_and_nothing_else() -> None:
    """Attributes hold what was asked for; system fields stand in the record's own places."""
    (record,) = _records(lead(1, Email=None, LastModifiedById="0055g00000AAAAAAA5"))
    assert (record.key, record.stamp_ms, record.state) == (key(1), 1_795_255_200_000, "live")  # type: ignore[attr-defined]
    assert record.attributes == {"Email": None}  # type: ignore[attr-defined]
    assert record.ours  # type: ignore[attr-defined]


def test_a_system_field_can_be_asked_for_as_an_attribute() -> None:
    """A mapping may well map IsConverted or Id; it is selected once and told twice."""
    (record,) = _records(lead(1, Email="a@b.c"), attributes=("IsConverted", "Id", "Email"))
    assert record.attributes == {"IsConverted": False, "Id": key(1), "Email": "a@b.c"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fields", "state", "into"),
    [
        ({"IsDeleted": True}, "gone", None),
        ({"IsDeleted": True, "MasterRecordId": key(9)}, "merged", ("Lead", key(9))),
        (
            {"IsConverted": True, "ConvertedContactId": "0035g00000AAAAA"},
            "converted",
            ("Contact", "0035g00000AAAAAAA5"),
        ),
        ({"IsConverted": True}, "converted", None),
        ({"IsDeleted": True, "IsConverted": True, "ConvertedContactId": "0035g00000AAAAA"}, "gone", None),
    ],
)
def test_a_row_tells_what_became_of_its_record(fields: dict[str, object], state: str, into: object) -> None:
    """H124, H129: deleted, merged and converted are three different things."""
    (record,) = _records(lead(1, Email="x", **fields))
    assert (record.state, record.into) == (state, into)  # type: ignore[attr-defined]


@pytest.mark.parametrize("broken", [{"Id": "x"}, {"SystemModstamp": "yesterday"}])
def test_a_row_without_a_true_id_or_stamp_is_no_record(broken: dict[str, object]) -> None:
    """H043: garbage is refused whole, and quoted nowhere."""
    with pytest.raises(BadAnswer) as caught:
        _records(lead(1, Email="secret@example.test", **broken))
    assert "secret" not in str(caught.value)


def test_a_page_that_lacks_an_asked_attribute_is_refused() -> None:
    """Absent is not blank: a page that leaves out what was asked must not be taken for empty values."""
    with pytest.raises(msgspec.ValidationError):
        _records(lead(1))


# ---------------------------------------------------------------- errors in any form


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b'[{"message":"m","errorCode":"A"},{"message":"n","errorCode":"B","fields":["F"]}]', ["A", "B"]),
        (b'{"success":false,"errors":[{"statusCode":"C","message":"x","fields":[]}]}', ["C"]),
        (b'{"error":"x"}', ["UNNAMED"]),
        (b"<html>maintenance</html>", []),
        (b'"text"', []),
        (b"", []),
        (b'[1,null,{"errorCode":7,"message":7,"fields":"F"}]', ["UNNAMED"]),
    ],
)
def test_errors_are_read_whatever_their_form(body: bytes, codes: list[str]) -> None:
    """Contract section 3: arrays, objects, bare text, web pages; reading them never fails."""
    assert [trouble.code for trouble in troubles_in(body)] == codes


def _effect(op: str = "update", **attributes: object) -> Effect:
    return Effect("r1", op, key(1) if op != "create" else None, attributes)  # type: ignore[arg-type]


def _judged(said: object, status: int = 0, effect: Effect | None = None) -> object:
    return judge(effect or _effect(), "Lead", troubles_of(said), status)


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ENTITY_IS_DELETED", "entity is deleted", 404, "gone"),
        ("ENTITY_IS_DELETED", "entity is deleted", 0, "gone"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, "gone"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 0, "gone"),
        ("INVALID_CROSS_REFERENCE_KEY", "Owner ID: this ID value isn't valid", 400, "refused"),
        ("INVALID_CROSS_REFERENCE_KEY", "Record Type ID: this ID value isn't valid for the user: 012", 0, "refused"),
        ("NOT_FOUND", "The requested resource does not exist", 404, "gone"),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, "gone"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", 400, "refused"),
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred.", 0, "doubtful"),
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred.", 500, "doubtful"),
        ("SERVER_UNAVAILABLE", "busy", 503, "doubtful"),
        ("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", "", 412, "moved"),
    ],
)
def test_a_refusal_is_what_the_code_and_the_place_say(code: str, message: str, status: int, kind: str) -> None:
    """Contract section 12: INVALID_CROSS_REFERENCE_KEY is two errors; 5xx and UNKNOWN_EXCEPTION are never a no."""
    outcome = _judged([{"errorCode": code, "message": message, "fields": []}], status)
    assert outcome.kind == kind  # type: ignore[attr-defined]
    assert outcome.code == code  # type: ignore[attr-defined]


def test_a_412_without_a_body_is_moved() -> None:
    """A failed condition may come without a word."""
    assert judge(_effect(), "Lead", Reply(412, b"").troubles, 412).kind == "moved"


def test_an_answer_that_names_no_error_is_doubtful() -> None:
    """D.4.12: only a named refusal is a refusal."""
    assert judge(_effect(), "Lead", [], 0).kind == "doubtful"


def test_nothing_can_be_gone_that_was_to_be_made() -> None:
    """A create with a bad look-up is refused; there is no record yet that could be gone."""
    said = [{"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}]
    assert _judged(said, effect=_effect("create")).kind == "refused"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "message", "again"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: caused by: UNABLE_TO_LOCK_ROW", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: caused by: NullPointerException", False),
        ("STRING_TOO_LONG", "Last Name: data value too large: x (max length=80)", False),
    ],
)
def test_a_refusal_by_circumstance_may_succeed_later(code: str, message: str, again: bool) -> None:
    """A lock, also inside the customer's own code, is no verdict on the value."""
    outcome = _judged([{"statusCode": code, "message": message}])
    assert (outcome.kind, outcome.again) == ("refused", again)  # type: ignore[attr-defined]


def test_a_duplicate_value_names_the_record_that_has_it() -> None:
    """H007, H121: the id in the message has 15 characters; the outcome's has 18."""
    message = f"duplicate value found: Syncd_Key__c duplicates value on record with id: {key(7)[:15]}"
    outcome = _judged([{"statusCode": "DUPLICATE_VALUE", "message": message, "fields": []}], effect=_effect("create"))
    assert (outcome.kind, outcome.existing, outcome.culprits) == ("refused", key(7), ("Syncd_Key__c",))  # type: ignore[attr-defined]


def _rule(*matches: tuple[str, str], spelled: str = "duplicateResut") -> list[dict[str, object]]:
    records = [{"record": {"attributes": {"type": kind}, "Id": each}} for kind, each in matches]
    result = {"matchResults": [{"entityType": "Lead", "matchRecords": records}]}
    return [{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", spelled: result}]


@pytest.mark.parametrize("spelled", ["duplicateResut", "duplicateResult"])
def test_a_duplicate_rule_names_a_record_only_when_it_is_the_only_one(spelled: str) -> None:
    """H146: one match of the same object is reported, several or another object's are not; their spelling is odd."""
    one, two = ("Lead", key(1)), ("Lead", key(2))
    assert _judged(_rule(one, spelled=spelled)).existing == key(1)  # type: ignore[attr-defined]
    assert _judged(_rule(one, two, spelled=spelled)).existing is None  # type: ignore[attr-defined]
    assert _judged(_rule(("Contact", "0035g00000AAAAAAA5"), spelled=spelled)).existing is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "culprits"),
    [
        ({"statusCode": "STRING_TOO_LONG", "message": "x", "fields": ["LastName"]}, ("LastName",)),
        ({"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName, Company]"},
         ("LastName", "Company")),
        ({"statusCode": "INVALID_FIELD", "message": "No such column 'Rating' on sobject of type Lead"}, ("Rating",)),
        ({"statusCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "message": "Unable to create/update fields: Rating. Please"},
         ("Rating",)),
        ({"statusCode": "INSUFFICIENT_ACCESS_OR_READONLY", "message": "insufficient access rights"}, ()),
    ],
)  # fmt: skip
def test_the_attributes_that_a_refusal_names_are_told(said: dict[str, object], culprits: tuple[str, ...]) -> None:
    """H148: only the named field is held, so the names must be right."""
    assert _judged([said], effect=_effect(Rating="Hot", City="X")).culprits == culprits  # type: ignore[attr-defined]


PEOPLE = ["Grace Hopper", "grace@example.test", "+1 (555) 010-0199", "Largo O'Brien"]


@pytest.mark.parametrize(
    "message",
    [
        "Last Name: data value too large: Grace Hopper (max length=80)",
        "Status: bad value for restricted picklist field: Grace Hopper",
        "Email: invalid email address: grace@example.test",
        "Cannot deserialize instance of date from VALUE_STRING value Grace Hopper or request may be missing",
        "The lead 'Grace Hopper' with +1 (555) 010-0199 exists",
        "We know GRACE HOPPER already; ask Largo O'Brien",
    ],
)
def test_no_persons_value_stands_in_a_message(message: str) -> None:
    """People's values never reach a log: neither what we sent nor what Salesforce quotes."""
    effect = _effect(LastName="Grace Hopper", Email="grace@example.test", Manager__c="Largo O'Brien")
    said = clean([message], effect)
    assert not [value for value in PEOPLE if value.lower() in said.lower()]
    assert len(said) > 10, "the words around the value stay"


def test_ids_and_field_names_stay_in_messages() -> None:
    """A person has to find the record and the field."""
    message = f"duplicate value found: Syncd_Key__c duplicates value on record with id: {key(7)[:15]}"
    assert clean([message], _effect()) == message


def test_control_characters_do_not_survive() -> None:
    """X14, X15: no line break and no terminal escape comes through a message."""
    assert clean(["a\x1b[31mb\nc\u202ed"]) == "a [31mb c d"


# ---------------------------------------------------------------- whole calls


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"[]", "ok"),
        (401, b'[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]', "expired"),
        (401, b"", "expired"),
        (401, b'[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]',
         "access"),
        (403, b"Bad_OAuth_Token", "expired"),
        (403, b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]', "daily"),
        (403, b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"ConcurrentPerOrgLongTxn Limit exceeded."}]',
         "throttled"),
        (403, b'[{"errorCode":"INSUFFICIENT_ACCESS","message":""}]', "access"),
        (410, b"", "access"), (420, b"", "transient"), (500, b"", "transient"), (502, b"<html>", "transient"),
        (503, b"<html>", "transient"), (400, b'[{"errorCode":"INVALID_FIELD"}]', "error"), (404, b"", "error"),
        (412, b"", "error"),
    ],
)  # fmt: skip
def test_a_whole_answer_is_classed_by_what_to_do_next(status: int, body: bytes, kind: str) -> None:
    """Contract sections 2.2, 3, 11: the day's end and a moment's crowd have one code and two messages; some sessions
    no fresh token mends."""
    assert classify(Answer(status, {}, body)).kind == kind


def test_only_a_named_refusal_counts_as_not_carried_out() -> None:
    """D.4.12: a 503 may come after the deed; the maintenance code may not."""
    said = b'[{"errorCode":"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE","message":""}]'
    assert not classify(Answer(503, {}, said)).executed
    assert classify(Answer(503, {}, b"<html>")).executed


def test_the_orgs_own_count_is_read_from_any_answer() -> None:
    """H029: the daily limit is shared with everybody; per-app figures beside it are not mistaken for it."""
    header = {"Sforce-Limit-Info": "api-usage=25/5000; per-app-api-usage=17/250(appName=x)"}
    figure = daily(Answer(200, header, b""))
    assert figure is not None
    assert (figure.limit, figure.remaining) == (5000, 4975)
    assert daily(Answer(200, {"Sforce-Limit-Info": "per-app-api-usage=17/250(appName=x)"}, b"")) is None
    assert daily(Answer(200, {}, b"")) is None


@pytest.mark.parametrize(
    ("code", "kind"), [("INVALID_FIELD", AccessError), ("MALFORMED_QUERY", Fault), ("QUERY_TIMEOUT", Transient)]
)
def test_a_refused_read_raises_what_to_do_next_and_quotes_nothing(code: str, kind: type[Exception]) -> None:
    """The message of a query's error holds the query, and that holds people's addresses."""
    body = msgspec.json.encode([{"errorCode": code, "message": "Email IN ('grace@example.test')"}])
    error = Reply(400, body, "GET /query").refused()
    assert isinstance(error, kind)
    assert "grace" not in str(error)


# ---------------------------------------------------------------- where a token may go


@pytest.mark.parametrize(
    ("instance", "login", "trusted"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com", True),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com", True),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com", True),
        ("https://acme.example.org", "https://acme.example.org", True),
        ("https://acme.my.salesforce.mil", "https://login.salesforce.mil", True),
        ("http://127.0.0.1:9999", "http://127.0.0.1:8080", True),
        ("https://evil.example.org", "https://login.salesforce.com", False),
        ("https://my.salesforce.com.evil.org", "https://login.salesforce.com", False),
        ("https://evilmy.salesforce.com", "https://login.salesforce.com", False),
        ("http://acme.my.salesforce.com", "https://login.salesforce.com", False),
        ("https://acme.my.salesforce.com:8443", "https://login.salesforce.com", False),
        ("https://x@acme.my.salesforce.com", "https://login.salesforce.com", False),
        ("https://acme.my.salesforce.com@evil.org", "https://login.salesforce.com", False),
        ("https://acme.my.salesforce.com/redirect?to=", "https://login.salesforce.com", False),
        ("http://127.0.0.1:8080", "https://login.salesforce.com", False),
        ("https://169.254.169.254", "https://login.salesforce.com", False),
        ("https://[::1", "https://login.salesforce.com", False),
        ("", "https://login.salesforce.com", False),
    ],
)
def test_a_token_goes_only_where_an_org_can_be(instance: str, login: str, trusted: bool) -> None:
    """X03: the host in a login answer is followed only inside the allow-list."""
    assert (trusted_origin(instance, login, ["my.salesforce.mil"]) is not None) is trusted
