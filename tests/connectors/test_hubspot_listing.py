"""Putting contacts into HubSpot's static lists, against the sandbox (contract section 12)."""

from __future__ import annotations

from hubspot_account import Portal, one, update

from connectors.hubspot.connector import HubSpot


def members(portal: Portal, name: str) -> set[str]:
    """Who is in the list of that name."""
    return {key for each in portal.app.portal.lists.live() if each.name == name for key in each.members}


def test_a_list_is_made_filled_and_emptied_and_nobody_else_is_touched(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: true puts in, false takes out; to repeat either changes nothing; a whole batch is one call."""
    first, second, by_hand = portal.people(3, email="")
    into = [update(first, "r1", **{"list.Nurture": True}), update(second, "r2", **{"list.Nurture": True})]
    calls = portal.calls(lambda: list(hubspot.write("contacts", into)))
    assert [(method, status) for method, _, status in calls] == [("GET", 404), ("POST", 200), ("PUT", 200)]
    assert members(portal, "Nurture") == {first, second}

    portal.control.act("list_add", list="Nurture", keys=[by_hand])
    for _ in range(2):
        assert one(hubspot.write("contacts", [update(first, **{"list.Nurture": False})])).kind == "sent"
    assert members(portal, "Nurture") == {second, by_hand}
    assert one(hubspot.write("contacts", [update(first, **{"list.Other": False})])).kind == "sent"
    assert members(portal, "Other") == set()


def test_properties_and_lists_travel_in_one_effect(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: one outcome for both; what was written is shown."""
    (key,) = portal.people(1, email="")
    outcome = one(hubspot.write("contacts", [update(key, city="New Town", **{"list.Nurture": True})]))
    assert outcome.kind == "sent"
    assert outcome.attributes == {"city": "New Town", "list.Nurture": True}
    assert (portal.value(key, "city"), members(portal, "Nurture")) == ("New Town", {key})


def test_who_is_not_there_is_gone_and_a_list_that_fills_itself_refuses(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the others of the batch are put in; a refusal names the list."""
    (key,) = portal.people(1, email="")
    there, missing = hubspot.write(
        "contacts", [update(key, "r1", **{"list.Nurture": True}), update("999999", "r2", **{"list.Nurture": True})]
    )
    assert (there.kind, missing.kind) == ("sent", "gone")
    portal.control.act("list", name="Everybody", processing="DYNAMIC")
    outcome = one(hubspot.write("contacts", [update(key, **{"list.Everybody": True})]))
    assert (outcome.kind, outcome.culprits) == ("refused", ("list.Everybody",))


def test_a_right_that_only_lists_need_stops_nothing_else(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: without the scope the list is refused, and contacts are written."""
    (key,) = portal.people(1, email="")
    portal.control.faults(
        {"kind": "status", "path": "/crm/lists/", "options": {"status": 403, "body": {"message": "no"}}}
    )
    told = {each.ref: each.kind for each in hubspot.write(
        "contacts", [update(key, "r1", **{"list.Nurture": True}), update(key, "r2", city="New Town")]
    )}  # fmt: skip
    assert told == {"r1": "refused", "r2": "sent"}
