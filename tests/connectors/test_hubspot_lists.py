"""Lists, memberships, forms and campaigns of HubSpot, and looking companies up, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_account import Portal, one, update

from connectors.hubspot.connector import HubSpot
from syncd.connector import Page, Record
from syncd.errors import CursorLost

MEMBERS = "list_memberships"
NAMES = ["list", "list_name", "contact", "added_at"]


def new_list(portal: Portal, name: str, **more: str) -> str:
    return str(portal.control.act("list", name=name, **more)["key"])


def put(portal: Portal, name: str, *people: str) -> None:
    portal.control.act("list_add", list=name, keys=list(people))


def walk(hubspot: HubSpot, cursor: str | None = None, object: str = MEMBERS) -> tuple[list[Record], str]:
    """All that `changes` has, and where it ended."""
    records, last = [], Page([], cursor or "", False)
    for last in hubspot.changes(object, NAMES, cursor, lambda keys: {}):
        records += last.records
    assert last.done
    return records, last.cursor


def test_memberships_say_who_is_in_which_list_since_when(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the key is LIST:CONTACT; lists of other objects are left alone (12)."""
    first, second = portal.people(2, email="")
    guide, maker = new_list(portal, "General guide"), new_list(portal, "Choosing a maker")
    new_list(portal, "Firms", object="companies")
    put(portal, guide, first, second)
    put(portal, maker, second)

    records, _ = walk(hubspot)
    assert {record.key for record in records} == {f"{guide}:{first}", f"{guide}:{second}", f"{maker}:{second}"}
    found = next(record for record in records if record.key == f"{maker}:{second}")
    assert {name: found.attributes[name] for name in NAMES[:3]} == {
        "list": maker,
        "list_name": "Choosing a maker",
        "contact": second,
    }
    assert found.attributes["added_at"].endswith("Z")
    assert found.stamp_ms > 0


def test_a_look_at_lists_that_stood_still_is_one_call(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: idle is one call, however many lists and members there are; one that moved is read again."""
    people = portal.people(3, email="")
    for name in ("One", "Two", "Three"):
        put(portal, new_list(portal, name), *people[:2])
    _, cursor = walk(hubspot)

    assert [last for _, last, _ in portal.calls(lambda: walk(hubspot, cursor))] == ["search"]
    portal.wait(1)
    put(portal, "Two", people[2])
    records, cursor = walk(hubspot, cursor)
    assert {record.attributes["list_name"] for record in records} == {"Two"}
    assert len(records) == 3
    portal.control.act("list_remove", list="One", key=people[0])
    assert {record.attributes["list_name"] for record in walk(hubspot, cursor)[0]} == {"One"}


def test_lists_that_do_not_tell_are_read_each_time(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: standing still counts only on evidence."""
    portal.control.switches(lists_tell_members=False)
    put(portal, new_list(portal, "One"), *portal.people(2, email=""))

    _, cursor = walk(hubspot)
    assert len(walk(hubspot, cursor)[0]) == 2


def test_only_the_named_lists_are_read(portal: Portal) -> None:
    """Rule: `lists` in syncd.toml keeps an account with hundreds of lists cheap."""
    (person,) = portal.people(1, email="")
    put(portal, new_list(portal, "General guide"), person)
    put(portal, new_list(portal, "Everybody", processing="DYNAMIC"), person)

    records, _ = walk(portal.connector(lists=["General guide"]))
    assert [record.attributes["list_name"] for record in records] == ["General guide"]


def test_a_long_list_is_read_page_by_page_and_resumed(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: killed between two pages, the reading goes on where it was; nobody is skipped."""
    people = portal.people(520, email="")
    put(portal, new_list(portal, "Long"), *people)
    put(portal, new_list(portal, "Short"), people[0])
    pages = hubspot.changes(MEMBERS, NAMES, None, lambda keys: {})
    first = next(pages)

    assert not first.done
    records, cursor = walk(portal.connector(), first.cursor)
    assert len({record.key for record in (*first.records, *records)}) == 521
    assert walk(hubspot, cursor)[0] == []
    with pytest.raises(CursorLost):
        walk(hubspot, '{"nonsense":1}')


def test_a_membership_is_gone_where_its_list_does_not_show_it(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: gone on evidence: the whole list was read, or it was deleted; trouble is no evidence."""
    stays, left = portal.people(2, email="")
    guide, old = new_list(portal, "General guide"), new_list(portal, "Old")
    put(portal, guide, stays, left)
    put(portal, old, stays)
    portal.control.act("list_remove", list=guide, key=left)
    del portal.app.portal.lists.by_id[old]

    found = {
        record.key: record.state
        for record in hubspot.fetch(
            MEMBERS, NAMES, [f"{guide}:{stays}", f"{guide}:{left}", f"{old}:{stays}", "nonsense"]
        )
    }
    assert found == {f"{guide}:{stays}": "live", f"{guide}:{left}": "gone", f"{old}:{stays}": "gone"}


def test_lists_forms_and_campaigns_are_listed_and_found_by_name(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: read-only objects like the owners: described, walked, fetched, found, never written (12, 13)."""
    guide = new_list(portal, "General guide")
    for n in range(120):
        new_list(portal, f"List {n}")

    records, _ = walk(hubspot, object="lists")
    assert len(records) == 121
    for object, name in (("lists", "name"), ("forms", "name"), ("campaigns", "hs_name")):
        (hit,) = hubspot.find(object, [name], name, ["general guide", " "])
        assert hit.record.attributes == {name: "General guide"}
        (again,) = hubspot.fetch(object, [name], [hit.record.key])
        assert again.key == hit.record.key
        assert not any(each.creatable or each.updatable for each in hubspot.describe(object).attributes.values())
        outcome = one(hubspot.write(object, [update(hit.record.key, **{name: "Other"})]))
        assert (outcome.kind, outcome.code) == ("refused", "READ_ONLY")
        assert object in hubspot.traits.objects
    assert guide == next(record.key for record in records if record.key == guide)


# ---------------------------------------------------------------- companies and deals by value


def company(portal: Portal, **values: str) -> str:
    return str(portal.control.act("create", object="companies", values=values)["key"])


def find(hubspot: HubSpot, object: str, where: str, *values: str) -> dict[str, set[str]]:
    """Keys by the value that led to them."""
    found: dict[str, set[str]] = {}
    for hit in hubspot.find(object, [where], where, values):
        found.setdefault(hit.value, set()).add(hit.record.key)
    return found


def test_companies_are_found_by_domain_name_and_key(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: domains and names through the index, several of them if several fit; our key in the store of record (7)."""
    first = company(portal, name="Acme", domain="https://www.Acme.example/about", syncd_key="k:1")
    second = company(portal, name="Acme", domain="other.example")
    portal.wait(20)

    assert find(hubspot, "companies", "domain", "ACME.example", "nobody.example") == {"ACME.example": {first}}
    assert find(hubspot, "companies", "name", "acme") == {"acme": {first, second}}
    assert find(hubspot, "companies", "syncd_key", "K:1") == {"K:1": {first}}


def test_a_company_is_found_by_its_further_domains(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: a merge leaves the other's domain behind as an additional one; one search asks for both (7)."""
    left, right = company(portal, name="Acme", domain="acme.example"), company(portal, name="A", domain="a.example")
    survivor = portal.control.act("merge", object="companies", key=left, **{"with": right})["key"]
    portal.wait(20)

    found: dict[str, Any] = {}
    calls = portal.calls(lambda: found.update(find(hubspot, "companies", "domain", "A.example", "acme.example")))
    assert found == {"A.example": {survivor}, "acme.example": {survivor}}
    assert [last for _, last, _ in calls if last != "companies"] == ["search", "read"]


def test_deals_are_found_by_name_and_key(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: as companies are."""
    values = {"dealname": "Big One", "dealstage": "contractsent", "syncd_key": "k:9"}
    key = str(portal.control.act("create", object="deals", values=values)["key"])
    portal.wait(20)

    assert find(hubspot, "deals", "dealname", "big one") == {"big one": {key}}
    assert find(hubspot, "deals", "syncd_key", "k:9") == {"k:9": {key}}


def test_sensitive_properties_are_described_where_the_app_may_see_them(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: HubSpot hides them unless they are asked for, each degree in a call of its own (10)."""
    definition = {
        "name": "health",
        "label": "Health",
        "type": "string",
        "fieldType": "text",
        "groupName": "information",
    }
    portal.control.act("property", object="contacts", change="define", definition=definition)
    portal.control.act(
        "property", object="contacts", change="patch", name="health", definition={"dataSensitivity": "sensitive"}
    )

    assert "health" not in hubspot.describe("contacts").attributes
    assert "health" in portal.connector(sensitive=True).describe("contacts").attributes


def test_activities_hang_on_people_firms_and_deals(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: tasks, calls, meetings and notes are read like everything else, with what they hang on."""
    (person,) = portal.people(1, email="")
    for object in ("tasks", "calls", "meetings", "notes"):
        values = {"hs_timestamp": "2026-11-21T10:00:00Z"}
        key = str(portal.control.act("create", object=object, values=values)["key"])
        portal.control.act("associate", object=object, key=key, to_object="contacts", to_key=person)
        asked = ["hs_timestamp", "associations.contacts", "associations.deals"]

        (record,) = hubspot.fetch(object, asked, [key])
        assert record.attributes == {
            "hs_timestamp": "2026-11-21T10:00:00Z",
            "associations.contacts": [person],
            "associations.deals": None,
        }
