"""References of HubSpot's records: associations read and written as attributes, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_account import Portal, one, update

from connectors.hubspot.connector import HubSpot
from syncd.connector import Effect
from syncd.errors import Transient

COMPANIES = "associations.companies"
ALL = "associations.companies.all"


def company(portal: Portal, name: str = "Acme", **values: str) -> str:
    return str(portal.control.act("create", object="companies", values={"name": name, **values})["key"])


def deal(portal: Portal, name: str = "Deal", **values: str) -> str:
    values = {"dealname": name, "dealstage": "qualifiedtobuy", **values}
    return str(portal.control.act("create", object="deals", values=values)["key"])


def tie(portal: Portal, contact: str, to: str, *types: int, end: str = "companies") -> None:
    portal.control.act("associate", object="contacts", key=contact, to_object=end, to_key=to, types=list(types))


def types(portal: Portal, contact: str) -> dict[str, list[int]]:
    """The contact's companies with the type ids of each, as the sandbox holds them."""
    return {
        row["to_id"]: row["types"]
        for row in portal.app.portal.associations.to_state()
        if row["from"] == "contacts" and row["from_id"] == contact and row["to"] == "companies"
    }  # type: ignore[misc]


def read(hubspot: HubSpot, key: str, *names: str, object: str = "contacts") -> dict[str, Any]:
    (record,) = hubspot.fetch(object, names, [key])
    return record.attributes


@pytest.fixture
def person(portal: Portal) -> str:
    return portal.people(1, email="")[0]


def label(portal: Portal, name: str = "Billing") -> int:
    """A label of the account's own between contacts and companies; its type id."""
    made = portal.app.portal.associations.label("contacts", "companies", name)
    return made[0].id


# ---------------------------------------------------------------- reading


def test_references_are_described_with_what_they_refer_to(hubspot: HubSpot) -> None:
    """Rule: the primary is a reference, all of them are references; both name the object at the other end (8)."""
    contacts = hubspot.describe("contacts").attributes
    deals = hubspot.describe("deals").attributes

    assert (contacts[COMPANIES].type, contacts[COMPANIES].refers) == ("reference", ("companies",))
    assert (contacts[ALL].type, contacts[ALL].refers) == ("references", ("companies",))
    assert (deals["associations.contacts"].type, deals["associations.contacts"].refers) == ("references", ("contacts",))
    assert hubspot.traits.objects["contacts"].unstamped == ("associations.",)


def test_the_primary_and_all_are_read_and_nobody_is_none(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: a reference is a key or None; a list is sorted, and none is None."""
    assert read(hubspot, person, COMPANIES, ALL, "city") == {COMPANIES: None, ALL: None, "city": "Old Town"}
    second, first = company(portal), company(portal)
    tie(portal, person, second, 279)
    tie(portal, person, first, 1)

    assert read(hubspot, person, COMPANIES, ALL) == {COMPANIES: first, ALL: sorted((first, second))}
    assert read(hubspot, first, "associations.contacts", object="companies") == {"associations.contacts": [person]}


def test_references_alone_cost_a_call_for_a_thousand(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the sweep of what moves no stamp asks nothing but associations."""
    people = portal.people(120, email="")
    tie(portal, people[7], company(portal), 1)

    seen: list[Any] = []
    calls = portal.calls(lambda: seen.extend(hubspot.fetch("contacts", [COMPANIES], people)))
    assert calls == [("POST", "read", 200)]
    assert len(seen) == 120
    assert [record.key for record in seen if record.attributes[COMPANIES]] == [people[7]]


def test_a_walk_reads_associations_by_the_thousand(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: references cost a walk one call in ten beside its pages, and one call for what changed later."""
    people = portal.people(230, email="")
    cursor = ""

    def walk() -> None:
        nonlocal cursor
        _, cursor = portal.poll(hubspot, None, ["city", COMPANIES])

    paths = [last for _, last, _ in portal.calls(walk)]
    assert paths == ["search", "contacts", "contacts", "contacts", "read"]
    assert portal.calls(lambda: portal.poll(hubspot, cursor, ["city", COMPANIES]))[0][1] == "search"
    tie(portal, people[0], company(portal), 1)
    portal.edit(people[0], city="New Town")
    portal.wait(20)
    seen: list[Any] = []
    calls = portal.calls(lambda: seen.extend(portal.poll(hubspot, cursor, ["city", COMPANIES])[0]))
    assert [path for _, path, _ in calls].count("read") == 2
    assert [record.key for record in seen if record.attributes[COMPANIES]] == [people[0]]


def test_long_lists_of_associations_are_read_to_their_end(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: five hundred a page, paged for each record by itself (8)."""
    firm = company(portal)
    store = portal.app.portal.associations
    people = portal.people(620, email="")
    for person in people:
        store.add("contacts", person, "companies", firm, {279})

    found = read(hubspot, firm, "associations.contacts", object="companies")
    assert found == {"associations.contacts": sorted(people)}


@pytest.mark.parametrize("no_associations", ["absent", "error"])
@pytest.mark.parametrize("version", ["2026-09", "v3"])
def test_nobody_is_none_whichever_way_it_is_told(portal: Portal, version: str, no_associations: str) -> None:
    """Rule: ids without associations are absent, or reported as an error: both mean nobody (8)."""
    portal.control.switches(no_associations=no_associations)
    hubspot = portal.connector(version=version)
    alone, tied = portal.people(2, email="")
    firm = company(portal)
    tie(portal, tied, firm, 1)

    found = {record.key: record.attributes for record in hubspot.fetch("contacts", [COMPANIES], [alone, tied])}
    assert found == {alone: {COMPANIES: None}, tied: {COMPANIES: firm}}


def test_associations_that_are_refused_are_trouble_not_nobody(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: failed is not blank."""
    portal.control.faults(kind="status", status=500, path="/associations/", times=10)

    with pytest.raises(Transient):
        list(hubspot.fetch("contacts", [COMPANIES], [person]))


def test_a_merged_company_leads_to_the_one_it_lives_on_as(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: an association follows a merge to the third id, and no stamp of the contact moves for it (6)."""
    left, right = company(portal), company(portal)
    tie(portal, person, left, 1)
    survivor = portal.control.act("merge", object="companies", key=left, **{"with": right})["key"]

    assert read(hubspot, person, COMPANIES) == {COMPANIES: survivor}
    states = {record.key: record.state for record in hubspot.fetch("companies", ["name"], [left])}
    assert (states[left], states[survivor]) == ("merged", "live")


# ---------------------------------------------------------------- writing


def test_setting_the_primary_keeps_every_other_company_and_label(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: the former primary stays, unlabelled; labels that the account gave stay on both (the replace trap, 8)."""
    old, new = company(portal), company(portal)
    billing = label(portal)
    tie(portal, person, old, 1, billing)
    tie(portal, person, new, 279, billing)

    outcome = one(hubspot.write("contacts", [update(person, **{COMPANIES: new})]))
    assert (outcome.kind, outcome.attributes) == ("sent", {COMPANIES: new})
    assert types(portal, person) == {old: [billing, 279], new: [1, billing, 279]}
    assert read(hubspot, person, COMPANIES) == {COMPANIES: new}


def test_clearing_the_primary_takes_only_the_label(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: None is nobody as primary, not nobody at all."""
    firm = company(portal)
    billing = label(portal)
    tie(portal, person, firm, 1, billing)

    assert one(hubspot.write("contacts", [update(person, **{COMPANIES: None})])).kind == "sent"
    assert types(portal, person) == {firm: [billing, 279]}


def test_a_list_adds_and_removes_and_keeps_the_labels_of_the_rest(
    portal: Portal, hubspot: HubSpot, person: str
) -> None:
    """Rule: missing ones come with the default type, others go, the kept ones keep their labels."""
    kept, gone, new = (company(portal) for _ in range(3))
    billing = label(portal)
    tie(portal, person, kept, 1, billing)
    tie(portal, person, gone, 279)

    outcome = one(hubspot.write("contacts", [update(person, **{ALL: sorted([kept, new])})]))
    assert (outcome.kind, outcome.attributes) == ("sent", {ALL: sorted([kept, new])})
    assert types(portal, person) == {kept: [1, billing, 279], new: [279]}
    assert one(hubspot.write("contacts", [update(person, **{ALL: None})])).kind == "sent"
    assert types(portal, person) == {}


def test_what_is_so_already_is_not_written(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: a look says what there is to do; here nothing."""
    firm = company(portal)
    tie(portal, person, firm, 1)

    effects = [update(person, **{COMPANIES: firm, ALL: [firm]})]
    calls = portal.calls(lambda: one(hubspot.write("contacts", effects)))
    assert [path for _, path, _ in calls] == ["read", "read"]


def test_properties_and_references_come_back_as_one_outcome(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: one effect, one outcome, with the values of both parts."""
    firm = company(portal)

    outcome = one(hubspot.write("contacts", [update(person, city="New Town", **{COMPANIES: firm})]))
    assert outcome.kind == "sent"
    assert outcome.attributes == {"city": "New Town", COMPANIES: firm}
    assert outcome.stamp_ms is not None


def test_a_create_carries_its_associations(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: made and associated in one call, so that nothing is left half done."""
    firm = company(portal)
    made: list[Any] = []
    values = {"dealname": "First", "pipeline.dealstage": "7001/70012", COMPANIES: firm}
    effect = Effect("r1", "create", None, values, unique="syncd:1")
    calls = portal.calls(lambda: made.extend(hubspot.write("deals", [effect])))

    assert [path for _, path, _ in calls if path != "deals"] == ["create"]
    assert made[0].kind == "sent"
    assert made[0].attributes["pipeline.dealstage"] == "7001/70012"
    assert read(hubspot, made[0].key, COMPANIES, "dealstage", object="deals") == {COMPANIES: firm, "dealstage": "70012"}


def test_a_company_and_a_contact_with_one_id_are_two(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: ids are an object's own. In one entry, the types of both would lead to the wrong one."""
    portal.app.portal.tables["companies"].next_id = int(person)
    firm = company(portal)
    assert firm == person
    values = {
        "dealname": "First",
        "pipeline.dealstage": "7001/70012",
        COMPANIES: firm,
        "associations.contacts": [person],
    }

    (made,) = hubspot.write("deals", [Effect("r1", "create", None, values)])

    assert made.kind == "sent"
    told = read(hubspot, str(made.key), COMPANIES, "associations.contacts", object="deals")
    assert told == {COMPANIES: firm, "associations.contacts": [person]}


def test_a_create_with_nobody_to_be_associated_with_is_refused_by_name(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the reference is to blame, and the others of the batch are written."""
    lost = company(portal)
    portal.control.act("purge", object="companies", key=lost)
    effects = [
        Effect("r1", "create", None, {"email": "a@example.test", COMPANIES: lost}),
        Effect("r2", "create", None, {"email": "b@example.test"}),
    ]

    first, second = sorted(hubspot.write("contacts", effects), key=lambda outcome: outcome.ref)
    assert (first.kind, first.culprits, first.code) == ("refused", (COMPANIES,), "INVALID_ASSOCIATION")
    assert second.kind == "sent"


def test_an_association_that_is_refused_names_itself_alone(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: one archived company refuses its contact, not the other one (8)."""
    left, right = portal.people(2, email="")
    gone, firm = company(portal), company(portal)
    portal.control.act("delete", object="companies", key=gone)
    effects = [update(left, "r1", city="X", **{COMPANIES: gone}), update(right, "r2", **{COMPANIES: firm})]

    outcomes = {outcome.ref: outcome for outcome in hubspot.write("contacts", effects)}
    assert (outcomes["r1"].kind, outcomes["r1"].culprits) == ("refused", (COMPANIES,))
    assert outcomes["r2"].kind == "sent"
    assert types(portal, right) == {firm: [1, 279]}


def test_a_record_that_is_gone_is_not_associated(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: HubSpot would associate what a merged-away contact lives on as; we say gone, and write nothing."""
    left, right, deleted = portal.people(3, email="")
    firm = company(portal)
    survivor = portal.control.act("merge", object="contacts", key=left, **{"with": right})["key"]
    portal.control.act("delete", object="contacts", key=deleted)

    effects = [update(key, f"r{key}", **{COMPANIES: firm}) for key in (left, deleted)]
    assert [outcome.kind for outcome in hubspot.write("contacts", effects)] == ["gone", "gone"]
    assert types(portal, survivor) == {}


def test_an_unanswered_association_is_doubtful_and_not_sent_again(
    portal: Portal, hubspot: HubSpot, person: str
) -> None:
    """Rule: the write's fate is unknown; it may have arrived."""
    firm = company(portal)
    portal.control.faults(kind="reset_after", path="/associations/.*/batch/create", times=1)

    outcome = one(hubspot.write("contacts", [update(person, city="X", **{COMPANIES: firm})]))
    assert outcome.kind == "doubtful"
    assert types(portal, person) == {firm: [1, 279]}
    creates = [entry for entry in portal.control.log() if entry["path"].endswith("/batch/create")]
    assert len([entry for entry in creates if "associations" in entry["path"]]) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "short_answer"}, "doubtful"),
        ({"kind": "partial_batch"}, "doubtful"),
        ({"kind": "partial_batch", "category": "VALIDATION_ERROR"}, "refused"),
    ],
)
def test_each_record_of_a_batch_of_associations_is_told_apart(
    portal: Portal, hubspot: HubSpot, fault: dict[str, Any], kind: str
) -> None:
    """Rule: what an answer does not show is doubtful, what an error names is refused; the others are sent."""
    people = portal.people(3, email="")
    firm = company(portal)
    portal.control.faults(**fault, path="/associations/.*/batch/create", times=1, indexes=[1])

    effects = [update(key, f"r{at}", **{COMPANIES: firm}) for at, key in enumerate(people)]
    outcomes = {outcome.ref: outcome.kind for outcome in hubspot.write("contacts", effects)}
    assert outcomes == {"r0": "sent", "r1": kind, "r2": "sent"}


def test_associations_are_written_whichever_way_the_account_answers(portal: Portal) -> None:
    """Rule: old paths, numbers for ids, labels added or replaced, the first company primary by itself."""
    for version in ("2026-09", "v3"):
        hubspot = portal.connector(version=version)
        for switches in ({"batch_labels": "add", "to_object_id": "integer"}, {"first_becomes_primary": True}):
            portal.control.switches(**{"batch_labels": "replace", "first_becomes_primary": False} | switches)
            (person,) = portal.people(1, email="")
            first, second = company(portal), company(portal)
            billing = label(portal, f"Billing {version} {len(switches)}")
            tie(portal, person, first, 279, billing)
            for value in (second, first, None):
                assert one(hubspot.write("contacts", [update(person, **{COMPANIES: value})])).kind == "sent"
                assert read(hubspot, person, COMPANIES) == {COMPANIES: value}
            assert types(portal, person) == {first: sorted([279, billing]), second: [279]}


def test_an_association_that_was_not_sent_may_be_tried_again(portal: Portal, hubspot: HubSpot, person: str) -> None:
    """Rule: turned away as too fast after the properties went: refused by circumstance, nothing raised."""
    portal.control.faults(kind="rate_limit", path="/associations/", times=50)

    outcome = one(hubspot.write("contacts", [update(person, city="X", **{COMPANIES: company(portal)})]))
    assert (outcome.kind, outcome.again) == ("refused", True)
    assert portal.value(person, "city") == "X"
    with pytest.raises(Transient):
        list(hubspot.write("contacts", [update(person, **{ALL: None, COMPANIES: None})]))


def test_the_parent_of_a_company_is_one(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: type 14 leads from a child to its parent, and a child has one (8)."""
    child, mother, other = (company(portal) for _ in range(3))
    name = "associations.companies.parent"

    for parent in (mother, other):
        assert one(hubspot.write("companies", [update(child, **{name: parent})])).kind == "sent"
        assert read(hubspot, child, name, object="companies") == {name: parent}
    assert read(hubspot, mother, name, object="companies") == {name: None}


# ---------------------------------------------------------------- pipeline and stage


def test_pipeline_and_stage_are_one_choice(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: `PIPELINE/STAGE`, with the account's pipelines as options; a write sets both properties (7, 11)."""
    key = deal(portal)
    attributes = hubspot.describe("deals").attributes
    both = attributes["pipeline.dealstage"]
    assert (both.type, both.restricted) == ("choice", True)
    assert {"default/closedwon", "7001/70014"} < set(both.options)
    assert attributes["pipeline"].options == ("default", "7001")
    assert "70011" in attributes["dealstage"].options

    assert read(hubspot, key, "pipeline.dealstage", object="deals") == {"pipeline.dealstage": "default/qualifiedtobuy"}
    outcome = one(hubspot.write("deals", [update(key, **{"pipeline.dealstage": "7001/70013"})]))
    assert (outcome.kind, outcome.attributes) == ("sent", {"pipeline.dealstage": "7001/70013"})
    found = read(hubspot, key, "pipeline.dealstage", "pipeline", "hs_is_closed_won", object="deals")
    assert found == {"pipeline.dealstage": "7001/70013", "pipeline": "7001", "hs_is_closed_won": "true"}


def test_a_stage_that_is_none_is_blamed_under_our_name(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: culprits have the names that the effect used."""
    key = deal(portal)

    outcome = one(hubspot.write("deals", [update(key, **{"pipeline.dealstage": "7001/closedwon"})]))
    assert (outcome.kind, outcome.code, outcome.culprits) == ("refused", "INVALID_OPTION", ("pipeline.dealstage",))
    outcome = one(hubspot.write("deals", [update(key, **{"pipeline.dealstage": "closedwon"})]))
    assert (outcome.kind, outcome.code) == ("refused", "UNSENDABLE")


def test_the_history_of_pipeline_and_stage_is_one(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: at each moment what held then, and whether we wrote it."""
    key = deal(portal)
    portal.wait(5)
    hubspot.write("deals", [update(key, **{"pipeline.dealstage": "7001/70012"})])
    portal.wait(5)
    portal.control.act("edit", object="deals", key=key, values={"dealstage": "70014"})

    (record,) = hubspot.fetch("deals", ["pipeline.dealstage"], [key], history=True)
    assert record.history is not None
    told = [(entry.value, entry.ours) for entry in record.history["pipeline.dealstage"]]
    assert told == [("7001/70014", False), ("7001/70012", True), ("default/qualifiedtobuy", False)]
