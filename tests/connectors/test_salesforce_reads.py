"""How the Salesforce connector reads by key and by value, and what it says of itself: scripted."""

from __future__ import annotations

from typing import Any

import pytest
from salesforce_described import STAMP, described
from salesforce_scripted import Asked, Say, Scripted, key, lead, page, refusal

from syncd.errors import AccessError, QuotaExhausted
from syncd.http import BadAnswer

# ---------------------------------------------------------------- reading by key


def test_fetch_tells_live_gone_merged_and_missing_apart() -> None:
    """A null of the retrieve is unknown; only queryAll's row is evidence; the survivor of a merge comes along."""
    scripted = described()
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
    scripted = described()
    scripted.on("POST", "/composite/sobjects/Lead", lambda asked: [None] * len(asked.body["ids"]))

    def merged(asked: Asked) -> dict[str, Any]:
        number = next(n for n in (1, 2, 3) if key(n) in asked.soql)
        return page(lead(number, IsDeleted=True, MasterRecordId=key(number % 3 + 1)))

    scripted.on("GET", "/queryAll", merged)
    records = list(scripted.connect().fetch("Lead", [], [key(1)]))
    assert [record.key for record in records] == [key(1), key(2), key(3)]


def test_a_record_that_was_not_asked_for_is_never_taken_for_one_that_was() -> None:
    """H026: the ids of an answer are checked against the question."""
    scripted = described()
    scripted.on("POST", "/composite/sobjects/Lead", [lead(2, Email="x")])
    with pytest.raises(BadAnswer):
        list(scripted.connect().fetch("Lead", ["Email"], [key(1)]))


def test_many_keys_are_fetched_two_thousand_at_a_time() -> None:
    """Contract 6.3; the nulls of a batch are asked for a thousand at a time."""
    scripted = described()
    scripted.on("POST", "/composite/sobjects/Lead", lambda asked: [None] * len(asked.body["ids"]))
    empty = {"compositeResponse": [{"body": page(), "httpStatusCode": 200, "referenceId": "q"}]}
    scripted.on("POST", "/composite$", empty)
    assert list(scripted.connect().fetch("Lead", [], [key(n) for n in range(2500)])) == []
    assert [len(call.body["ids"]) for call in scripted.calls("sobjects/Lead")] == [2000, 500]
    assert len(scripted.calls("composite$")) + len(scripted.calls("queryAll")) == 3


def test_an_attribute_we_may_not_see_is_left_out_and_the_rest_still_read() -> None:
    """H040: unreadable is not blank; the attribute is absent, and the next reads do not stumble again."""
    scripted = described()

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
    scripted = described()
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
    scripted = described()
    scripted.on("GET", "/query/?$", page(lead(1, Email="a@b.c"), following="/services/data/v67.0/query/0r8x-1"))
    scripted.on("GET", "/query/0r8x-1$", page(lead(2, Email="a@b.c")))
    found = list(scripted.connect().find("Lead", [], "Email", ["a@b.c"]))
    assert [each.record.key for each in found] == [key(1), key(2)]
    scripted.on("GET", "/query/0r8x-1$", page(following="/services/data/v67.0/query/0r8x-1"))
    with pytest.raises(BadAnswer):
        list(scripted.connect().find("Lead", [], "Email", ["a@b.c"]))


def test_find_escapes_what_people_type() -> None:
    """X16: quotes and backslashes stay inside the literal."""
    scripted = described()
    scripted.on("GET", "/query", page())
    list(scripted.connect().find("Lead", [], "LastName", ["O'Brien\\' OR Name LIKE '%"]))
    assert scripted.calls()[0].soql.endswith("IN ('O\\'Brien\\\\\\' OR Name LIKE \\'%')")


def test_find_tells_converted_leads_with_their_state() -> None:
    """Design 3: keys and match values are looked up in both forms, converted leads included."""
    scripted = described()
    contact = "0035g00000AAAAAAA5"
    scripted.on("GET", "/query", page(lead(1, Email="a@b.c", IsConverted=True, ConvertedContactId=contact)))
    (found,) = scripted.connect().find("Lead", ["Email"], "Email", ["a@b.c"])
    assert (found.record.state, found.record.into) == ("converted", ("Contact", contact))


def test_a_long_search_goes_in_the_body_five_queries_a_call() -> None:
    """Contract 3: an address over 16,384 bytes is refused; 25 parts, of which 5 queries."""
    scripted = described()

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
    scripted = described()
    schema = scripted.connect().describe("Lead")
    required = [each.name for each in schema.attributes.values() if each.required]
    assert required == ["LastName"]
    status, score = schema.attributes["Status"], schema.attributes["Score__c"]
    assert (status.type, status.restricted, status.options) == ("choice", True, ("Open",))
    assert (score.type, score.calculated, score.creatable, score.length) == ("number", True, False, 0)
    assert schema.attributes["Syncd_Key__c"].unique


def test_an_object_we_may_not_see_is_for_a_person() -> None:
    """H040: and the message names the object, not a person."""
    scripted = described()
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
    scripted = described()
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
    scripted = described()
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
