"""The HubSpot sandbox: batches (contract section 4.6) and associations (section 8)."""

from __future__ import annotations

from typing import Any

import pytest
from portal_calls import CONTACTS, OLD_CONTACTS, Portal, body, codes

BATCH = f"{CONTACTS}/batch"
V4 = "/crm/v4/objects/contacts"
OLD_BATCH = f"{OLD_CONTACTS}/batch"
PAIR = "/crm/associations/2026-09/contacts/companies"


def inputs(*properties: dict[str, Any], trace: bool = True) -> dict[str, Any]:
    """Creates, with trace ids t0, t1, ... if asked for."""
    return {
        "inputs": [
            {"properties": one, **({"objectWriteTraceId": f"t{at}"} if trace else {})}
            for at, one in enumerate(properties)
        ]
    }


def updates(values: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Updates by id, with the id as trace id."""
    return {"inputs": [{"id": key, "properties": one, "objectWriteTraceId": f"t-{key}"} for key, one in values.items()]}


# ---------------------------------------------------------------- create


def test_without_trace_ids_one_bad_input_refuses_the_whole_batch(portal: Portal) -> None:
    """Nothing is written; a conflict does not tell whose."""
    portal.contact(email="a@example.test")
    bad = portal.post(f"{BATCH}/create", inputs({"email": "x@example.test"}, {"nonsense": "1"}, trace=False))
    taken = portal.post(
        f"{BATCH}/create", inputs({"email": "x@example.test"}, {"email": "a@example.test"}, trace=False)
    )

    assert (bad.status, codes(bad)) == (400, ["PROPERTY_DOESNT_EXIST"])
    assert (taken.status, body(taken)["message"]) == (409, "Contact already exists")
    assert portal.get(f"{CONTACTS}/x@example.test?idProperty=email").status == 404


def test_with_trace_ids_the_good_ones_are_written_and_each_bad_one_is_named(portal: Portal) -> None:
    """The conflict's id is in `context.existingId`; 207 on old versions, a plain 201 on 2026-09 (switch)."""
    taken = portal.contact(email="a@example.test")
    sent = inputs(
        {"email": "x@example.test"}, {"email": "a@example.test"}, {"email": "y@example.test", "nonsense": "1"}
    )
    answer = portal.post(f"{BATCH}/create", sent)
    (conflict, invalid) = body(answer)["errors"]
    (made,) = body(answer)["results"]
    old = portal.post(f"{OLD_BATCH}/create", inputs({"nonsense": "1"}))
    portal.app.switch({"multi_status": "207"})
    new = portal.post(f"{BATCH}/create", inputs({"nonsense": "1"}))

    assert (answer.status, body(answer)["numErrors"]) == (201, 2)
    assert (made["objectWriteTraceId"], made["properties"]["email"]) == ("t0", "x@example.test")
    assert conflict["context"] == {"objectWriteTraceId": ["t1"], "existingId": [taken]}
    assert (conflict["category"], conflict["message"]) == ("CONFLICT", "Contact already exists")
    assert invalid["context"]["objectWriteTraceId"] == ["t2"]
    assert invalid["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert (old.status, new.status) == (207, 207)


def test_two_inputs_of_one_batch_cannot_take_the_same_unique_value(portal: Portal) -> None:
    """Uniqueness holds within a batch as well."""
    answer = portal.post(f"{BATCH}/create", inputs({"email": "x@example.test"}, {"email": "X@example.test"}))
    keys = portal.post(f"{BATCH}/create", inputs({"syncd_key": "1"}, {"syncd_key": "1"}))

    assert [one["context"] for one in body(answer)["errors"]] == [{"objectWriteTraceId": ["t1"]}]
    assert body(keys)["errors"][0]["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    assert len(body(portal.get(CONTACTS))["results"]) == 2


def test_trace_ids_that_repeat_count_as_none(portal: Portal) -> None:
    """They must be distinct."""
    sent = {"inputs": [{"properties": {"nonsense": "1"}, "objectWriteTraceId": "same"} for _ in range(2)]}

    assert portal.post(f"{BATCH}/create", sent).status == 400


def test_a_batch_has_between_one_and_a_hundred_inputs(portal: Portal) -> None:
    """100 inputs, 50 for reads with history."""
    many = [{"id": str(at)} for at in range(101)]

    assert portal.post(f"{BATCH}/create", {"inputs": []}).status == 400
    assert portal.post(f"{BATCH}/read", {"inputs": many}).status == 400
    assert portal.post(f"{BATCH}/read", {"inputs": many[:51], "propertiesWithHistory": ["email"]}).status == 400
    assert portal.post(f"{BATCH}/read", {"inputs": many[:50], "propertiesWithHistory": ["email"]}).status == 200


def test_results_come_in_another_order(portal: Portal) -> None:
    """A client that matches by position binds ids to the wrong people; the shuffle is a switch."""
    sent = inputs(*({"email": f"p{at}@example.test"} for at in range(20)))
    traces = [one["objectWriteTraceId"] for one in body(portal.post(f"{BATCH}/create", sent))["results"]]
    portal.app.switch({"shuffle_results": False})
    sent = inputs(*({"email": f"q{at}@example.test"} for at in range(20)))
    straight = [one["objectWriteTraceId"] for one in body(portal.post(f"{BATCH}/create", sent))["results"]]

    assert traces != straight
    assert sorted(traces) == sorted(straight)


# ---------------------------------------------------------------- read


def test_a_read_gathers_what_it_does_not_find_in_one_error(portal: Portal) -> None:
    """Archived, purged and unknown look the same; archived ones are read with archived=true."""
    key, gone = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    portal.call("DELETE", f"{CONTACTS}/{gone}")
    sent = {"inputs": [{"id": key}, {"id": gone}, {"id": "999"}], "properties": ["email", "nonsense"]}
    answer = portal.post(f"{OLD_BATCH}/read", sent)
    archived = body(portal.post(f"{BATCH}/read?archived=true", sent))["results"]

    assert answer.status == 207
    assert body(answer)["errors"][0]["context"]["ids"] == [gone, "999"]
    assert body(answer)["errors"][0]["message"].startswith("Could not get some CONTACT objects")
    assert [one["id"] for one in body(answer)["results"]] == [key]
    assert "nonsense" not in body(answer)["results"][0]["properties"]
    assert [one["id"] for one in archived] == [gone]


@pytest.mark.parametrize(("how", "found", "errors"), [("missing", 0, 1), ("resolve", 1, 0), ("drop", 0, 0)])
def test_a_merged_away_id_in_a_batch_read_is_missing_resolved_or_dropped(
    portal: Portal, how: str, found: int, errors: int
) -> None:
    """Not documented: a client must not take it for a deletion in any case."""
    portal.app.switch({"merged_batch_read": how})
    first, second = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    answer = body(portal.post(f"{BATCH}/read", {"inputs": [{"id": first}]}))

    assert [one["id"] for one in answer["results"]] == [key] * found
    assert len(answer.get("errors", [])) == errors


def test_a_read_by_email_matches_additional_addresses(portal: Portal) -> None:
    """The id property stands for the whole batch; what is not found is listed as it was asked."""
    first, second = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    sent = {"inputs": [{"id": "B@example.test"}, {"id": "c@example.test"}], "idProperty": "email"}
    answer = body(portal.post(f"{BATCH}/read", sent))

    assert [one["id"] for one in answer["results"]] == [key]
    assert answer["errors"][0]["context"]["ids"] == ["c@example.test"]


def test_repeated_ids_refuse_a_batch(portal: Portal) -> None:
    """Whether that holds for reads is a switch."""
    key = portal.contact(email="a@example.test")
    twice = {"inputs": [{"id": key, "properties": {"city": "x"}, "objectWriteTraceId": f"t{at}"} for at in range(2)]}
    written, read = portal.post(f"{BATCH}/update", twice), portal.post(f"{BATCH}/read", twice)
    portal.app.switch({"duplicate_ids_in_read": "dedupe"})

    assert body(written)["message"] == f"Duplicate IDs found in batch input: [{key}]. IDs must be unique"
    assert body(read)["context"] == {"ids": [key]}
    assert len(body(portal.post(f"{BATCH}/read", twice))["results"]) == 1


# ---------------------------------------------------------------- update, upsert, archive


def test_an_update_drops_merged_ids_in_silence_and_reports_unknown_ones(portal: Portal) -> None:
    """Section 4.6: compare the ids that came back with those that were sent."""
    first, second = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    live = portal.contact(email="c@example.test")
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    sent = updates({first: {"city": "x"}, live: {"city": "y"}})
    silent = portal.post(f"{BATCH}/update", sent)
    mixed = portal.post(f"{OLD_BATCH}/update", updates({"999": {"city": "z"}, live: {"city": "z"}}))

    assert (silent.status, [one["id"] for one in body(silent)["results"]]) == (200, [live])
    assert "errors" not in body(silent)
    assert portal.read(key, "city")["city"] is None
    assert (mixed.status, body(mixed)["errors"][0]["context"]["ids"]) == (207, ["999"])
    assert portal.read(live, "city")["city"] == "z"


@pytest.mark.parametrize(
    ("path", "how", "partial"),
    [
        (BATCH, "old_versions", False),
        (OLD_BATCH, "old_versions", True),
        (BATCH, "always", True),
        (OLD_BATCH, "never", False),
    ],
)
def test_whether_updates_honour_trace_ids_is_unverified(portal: Portal, path: str, how: str, partial: bool) -> None:
    """Section 24: a client must survive both, and look at the body rather than the status."""
    portal.app.switch({"trace_on_update": how})
    good, bad = portal.contact(email="a@example.test"), portal.contact(email="b@example.test")
    answer = portal.post(f"{path}/update", updates({good: {"city": "x"}, bad: {"nonsense": "1"}}))

    assert (answer.status < 300) == partial
    assert portal.read(good, "city")["city"] == ("x" if partial else None)
    if partial:
        assert body(answer)["results"][0]["objectWriteTraceId"] == f"t-{good}"
        assert body(answer)["errors"][0]["context"]["objectWriteTraceId"] == [f"t-{bad}"]


def test_contacts_are_updated_by_record_id_only(portal: Portal) -> None:
    """The contacts guide says so; the specification does not (switch)."""
    key = portal.contact(email="a@example.test")
    sent = {"inputs": [{"id": "a@example.test", "idProperty": "email", "properties": {"city": "x"}}]}
    refused = portal.post(f"{BATCH}/update", sent)
    portal.app.switch({"contacts_update_by_property": "accept"})

    assert refused.status == 400
    assert body(portal.post(f"{BATCH}/update", sent))["results"][0]["id"] == key


def test_an_upsert_creates_once_and_updates_afterwards(portal: Portal) -> None:
    """Idempotent by the unique property; `new` tells which it was."""
    sent = {"inputs": [{"id": "K1", "idProperty": "syncd_key", "properties": {"email": "a@example.test"}}]}
    first, second = (body(portal.post(f"{BATCH}/upsert", sent))["results"][0] for _ in range(2))

    assert (first["new"], second["new"], first["id"] == second["id"]) == (True, False, True)
    assert (first["properties"]["syncd_key"], second["properties"]["syncd_key"]) == ("K1", "K1")


def test_an_upsert_by_a_property_that_is_not_unique_is_refused(portal: Portal) -> None:
    """Section 4.6, for deals word for word."""
    sent = {"inputs": [{"id": "D", "idProperty": "dealname", "properties": {"amount": "1"}}]}
    answer = portal.post("/crm/objects/2026-09/deals/batch/upsert", sent)

    assert body(answer)["message"] == "Unable to perform update/upsert by non-unique 0-3 property dealname"


@pytest.mark.parametrize("partial", [False, True])
def test_an_upsert_by_email_may_be_all_or_nothing_even_with_trace_ids(portal: Portal, partial: bool) -> None:
    """The documentation's sentence is ambiguous."""
    portal.app.switch({"upsert_by_email_partial": partial, "trace_on_update": "always"})
    sent = [
        {"id": f"{at}@example.test", "idProperty": "email", "properties": one, "objectWriteTraceId": f"t{at}"}
        for at, one in enumerate([{"city": "x"}, {"nonsense": "1"}])
    ]

    assert portal.post(f"{OLD_BATCH}/upsert", {"inputs": sent}).status == (207 if partial else 400)
    assert len(body(portal.get(CONTACTS))["results"]) == (1 if partial else 0)


def test_an_archive_ignores_what_it_does_not_know(portal: Portal) -> None:
    """204 without a body; reporting unknown ids is the other position."""
    key = portal.contact(email="a@example.test")
    answer = portal.post(f"{BATCH}/archive", {"inputs": [{"id": key}, {"id": "999"}]})
    portal.app.switch({"archive_unknown": 207})

    assert (answer.status, answer.body) == (204, None)
    assert portal.get(f"{CONTACTS}/{key}").status == 404
    assert body(portal.post(f"{OLD_BATCH}/archive", {"inputs": [{"id": "999"}]}))["numErrors"] == 1


def test_faults_fail_some_inputs_or_leave_some_out_of_the_answer(portal: Portal) -> None:
    """Partial success is told truthfully; a short answer applied what it does not mention."""
    portal.app.faults.add({"kind": "partial_batch", "path": "create", "times": 1, "indexes": [1], "category": "X"})
    sent = inputs({"email": "a@example.test"}, {"email": "b@example.test"})
    part = body(portal.post(f"{BATCH}/create", sent))
    portal.app.faults.add({"kind": "short_answer", "path": "create", "times": 1, "indexes": [0]})
    short = body(portal.post(f"{BATCH}/create", inputs({"email": "c@example.test"})))

    assert [one["objectWriteTraceId"] for one in part["results"]] == ["t0"]
    assert part["errors"][0]["category"] == "X"
    assert (short["results"], "errors" in short) == ([], False)
    assert portal.get(f"{CONTACTS}/c@example.test?idProperty=email").status == 200


# ---------------------------------------------------------------- associations


@pytest.fixture
def company(portal: Portal) -> str:
    made = portal.app.act({"do": "create", "object": "companies", "values": {"domain": "https://www.Acme.example/x"}})
    return str(made["key"])


def test_associations_are_one_fact_seen_from_both_ends(portal: Portal, company: str) -> None:
    """A primary implies the default type; the way back has type ids of its own."""
    key = portal.contact(email="a@example.test")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    sent = {"inputs": [{"from": {"id": key}, "to": {"id": company}, "types": types}]}
    made = body(portal.post(f"{PAIR}/batch/create", sent))["results"][0]
    there = body(portal.post(f"{PAIR}/batch/read", {"inputs": [{"id": key}]}))["results"][0]["to"][0]
    back = body(portal.get(f"/crm/v4/objects/companies/{company}/associations/contacts"))["results"][0]
    portal.call("DELETE", f"{CONTACTS}/{key}/associations/companies/{company}")

    assert (made["labels"], made["fromObjectTypeId"]) == (["Primary"], "0-1")
    assert (there["toObjectId"], [one["typeId"] for one in there["associationTypes"]]) == (company, [1, 279])
    assert (back["toObjectId"], [one["typeId"] for one in back["associationTypes"]]) == (int(key), [2, 280])
    assert body(portal.get(f"{V4}/{key}/associations/companies"))["results"] == []
    assert portal.read(key)["lastmodifieddate"] == "2026-11-21T00:00:00.123Z"


def test_an_association_needs_a_type_of_the_right_direction_and_two_live_ends(portal: Portal, company: str) -> None:
    """Direction matters; labels replace one another; the company side's ids are not the contact side's."""
    key = portal.contact(email="a@example.test")
    put = f"{CONTACTS}/{key}/associations/companies/{company}"
    wrong = portal.call("PUT", put, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 280}])
    missing = portal.call("PUT", f"{CONTACTS}/{key}/associations/default/companies/999")
    label = body(portal.post(f"{PAIR}/labels", {"label": "Billing", "name": "billing"}))["results"][0]["typeId"]
    portal.call("PUT", put, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}])
    portal.call("PUT", put, [{"associationCategory": "USER_DEFINED", "associationTypeId": label}])
    left = body(portal.get(f"{V4}/{key}/associations/companies"))["results"][0]["associationTypes"]

    assert (wrong.status, missing.status) == (400, 404)
    assert [one["typeId"] for one in left] == [label, 279]


def test_a_contact_is_associated_by_its_domain_without_being_asked(portal: Portal, company: str) -> None:
    """Section 7: associations that you never wrote will appear (switch: off, associate, create)."""
    known = portal.contact(email="a@acme.example")
    portal.app.switch({"auto_associate": "create"})
    created = portal.contact(email="b@other.example")
    portal.app.switch({"auto_associate": "off"})
    alone = portal.contact(email="c@acme.example")
    sent = {"inputs": [{"id": key} for key in (known, created, alone)]}
    read = {one["from"]["id"]: one["to"] for one in body(portal.post(f"{PAIR}/batch/read", sent))["results"]}

    assert read[known][0]["toObjectId"] == company
    assert set(read) == {known, created}


def test_ids_without_associations_are_absent_or_reported(portal: Portal) -> None:
    """Section 8: unverified."""
    key = portal.contact(email="a@example.test")
    absent = body(portal.post(f"{PAIR}/batch/read", {"inputs": [{"id": key}]}))
    portal.app.switch({"no_associations": "error"})
    told = body(portal.post(f"{PAIR}/batch/read", {"inputs": [{"id": key}]}))

    assert (absent["results"], "errors" in absent) == ([], False)
    assert told["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_a_merge_takes_the_associations_along(portal: Portal, company: str) -> None:
    """The survivor has those of both; the first one's primary stays the only primary."""
    other = portal.app.act({"do": "create", "object": "companies", "values": {"name": "Other"}})["key"]
    first, second = portal.contact(email="a@acme.example"), portal.contact(email="b@example.test")
    portal.app.act({"do": "associate", "object": "contacts", "key": second, "to_object": "companies", "to_key": other})
    key = portal.app.act({"do": "merge", "object": "contacts", "key": first, "with": second})["key"]
    found = body(portal.get(f"{V4}/{key}/associations/companies"))["results"]

    assert {str(one["toObjectId"]): len(one["associationTypes"]) for one in found} == {company: 2, other: 1}


def test_a_list_of_associations_is_not_promised_on_the_newest_version(portal: Portal, company: str) -> None:
    """Section 24: missing in the specification, present in the documentation; ids are numbers or text by version."""
    key = portal.contact(email="a@acme.example")
    missing = portal.get(f"{CONTACTS}/{key}/associations/companies").status
    portal.app.switch({"association_list": "served"})
    new = body(portal.get(f"{CONTACTS}/{key}/associations/companies"))["results"][0]["toObjectId"]
    portal.app.switch({"to_object_id": "integer"})
    number = body(portal.get(f"{CONTACTS}/{key}/associations/companies"))["results"][0]["toObjectId"]

    assert (missing, new, number) == (404, company, int(company))


def test_an_association_may_bump_the_stamp(portal: Portal, company: str) -> None:
    """Section 24: unverified for every object; the harder case is that it does not."""
    portal.app.switch({"association_bumps_modified": True})
    key = portal.contact(email="a@example.test")
    portal.advance(1)
    portal.call("PUT", f"{CONTACTS}/{key}/associations/default/companies/{company}")

    assert portal.read(key)["lastmodifieddate"] == "2026-11-21T00:00:01.123Z"
