"""Edits of people that cross a write of ours, on either side, over real HTTP: none is lost, none is taken for an echo."""

from __future__ import annotations

from judge import assert_settled, quiet
from stage import World

from syncd.sandbox.chassis import Request, Response


def test_an_edit_between_our_read_and_our_write_survives_on_either_side(world: World) -> None:
    """H100: the CRM refuses by condition; marketing is looked at just before. The editor's value is not covered."""
    contact, lead = world.linked(city="Berlin", jobtitle="CTO")
    world.edit_contact(contact, city="Paris")
    world.edit_person("Lead", lead, Title="CEO")
    done: set[str] = set()

    def sales_types(request: Request) -> None:
        if "sf" not in done and b"PATCH" in request.body and lead.encode() in request.body:
            done.add("sf")
            world.edit_person("Lead", lead, City="Rome")

    def marketing_types(request: Request) -> None:
        if "hs" not in done and request.path.endswith("/batch/update"):
            done.add("hs")
            world.edit_contact(contact, jobtitle="CFO")

    world.salesforce.app.before = sales_types
    world.hubspot.app.before = marketing_types
    quiet(world)

    assert done == {"sf", "hs"}
    assert world.sf("Lead", lead)["City"] == world.hs(contact)["city"] == "Rome"
    assert ("city", "Paris") in world.lost()
    titles = {world.hs(contact)["jobtitle"], world.sf("Lead", lead)["Title"]}
    assert len(titles) == 1
    assert titles == {"CEO"}
    assert ("job_title", "CFO") in world.lost()
    assert_settled(world)


def test_an_edit_right_after_our_write_moves_on(world: World) -> None:
    """H094: what somebody types after our write is theirs, not our echo."""
    contact, lead = world.linked(city="Berlin", jobtitle="CTO")
    world.edit_contact(contact, city="Paris")
    world.edit_person("Lead", lead, Title="CEO")
    done: set[str] = set()

    def sales_types(request: Request, response: Response) -> None:
        if "sf" not in done and b"PATCH" in request.body and lead.encode() in request.body:
            done.add("sf")
            world.edit_person("Lead", lead, City="Rome")

    def marketing_types(request: Request, response: Response) -> None:
        if "hs" not in done and request.path.endswith("/batch/update"):
            done.add("hs")
            world.edit_contact(contact, jobtitle="CFO")

    world.salesforce.app.after = sales_types
    world.hubspot.app.after = marketing_types
    quiet(world)

    assert done == {"sf", "hs"}
    assert world.sf("Lead", lead)["City"] == world.hs(contact)["city"] == "Rome"
    assert world.sf("Lead", lead)["Title"] == world.hs(contact)["jobtitle"] == "CFO"
    assert_settled(world)


def test_an_edit_of_another_field_right_after_our_write_leaves_ours_in_peace(world: World) -> None:
    """The record was touched by somebody, the field was not: our write is our echo, wherever it was bent."""
    contact, lead = world.linked(city="Berlin")
    world.edit_contact(contact, city="  Paris ", phone="+49 (30) 1234567")
    done: set[str] = set()

    def sales_types(request: Request, response: Response) -> None:
        if "sf" not in done and b"PATCH" in request.body and lead.encode() in request.body:
            done.add("sf")
            world.edit_person("Lead", lead, Title="CFO")

    world.salesforce.app.after = sales_types
    quiet(world)
    assert done
    assert world.hs(contact)["jobtitle"] == "CFO"
    assert world.lost() == []
    assert_settled(world)
