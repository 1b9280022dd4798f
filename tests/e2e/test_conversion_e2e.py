"""A conversion over real HTTP, with the shipped mappings: the company and the deal that marketing has are linked, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stage
from stage import World

SHIPPED = Path(__file__).parents[2] / "mappings"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with stage.world(tmp_path / "w") as made:
        made.configure(mappings=SHIPPED)
        yield made


def rest(world: World) -> None:
    """More cycles than anything here needs; the last one has nothing to do."""
    world.pass_time(1)
    for _ in range(6):
        tally = world.once()
    assert not stage.writes(tally)


def associate(world: World, one: tuple[str, str], other: tuple[str, str]) -> None:
    pair = {"object": one[0], "key": one[1], "to_object": other[0], "to_key": other[1]}
    world.hubspot.app.act({"do": "associate", "primary": other[0] == "companies", **pair})


def handed_over(world: World) -> dict[str, str]:
    """Somebody with a company and a deal in HubSpot, handed over as a lead; the keys of all."""
    made: dict[str, Any] = {"contact": world.contact("ada@example.com")}
    made["company"] = str(world.hubspot.act("create", "companies", values={"name": "Acme"}, by="ann")["key"])
    associate(world, ("contacts", made["contact"]), ("companies", made["company"]))
    rest(world)
    (made["lead"],) = world.live("Lead")
    # Only now: HubSpot makes an opportunity of whoever has a deal, and an opportunity is not handed over.
    deal = {"dealname": "Acme, 2027", "pipeline": "default", "dealstage": "appointmentscheduled"}
    made["deal"] = str(world.hubspot.act("create", "deals", values=deal, by="ann")["key"])
    associate(world, ("deals", made["deal"]), ("contacts", made["contact"]))
    rest(world)
    return made


def pairs(world: World, mapping: str) -> list[tuple[str, str]]:
    return sorted((one.marketing.key, one.crm.key) for one in world.ledger.links.page(mapping, 0, 100))


def test_a_conversion_meets_the_company_and_the_deal_of_its_person(world: World) -> None:
    """Another name on either side, no domain: linked all the same, and nothing is there twice."""
    keys = handed_over(world)
    made = world.salesforce.act("convert", "Lead", keys["lead"], opportunity="Big deal")
    rest(world)

    assert pairs(world, "people") == [(keys["contact"], made["contact"])]
    assert pairs(world, "companies") == [(keys["company"], made["account"])]
    assert pairs(world, "deals") == [(keys["deal"], made["opportunity"])]
    assert [len(world.hubspot.records(name)) for name in ("contacts", "companies", "deals")] == [1, 1, 1]
    assert [len(world.live(name)) for name in ("Contact", "Account", "Opportunity")] == [1, 1, 1]
    assert [issue.reason for issue in world.ledger.inbox.issues()] == []


@pytest.mark.parametrize("by_itself", [True, False])
def test_closing_an_opportunity_leaves_its_close_date_to_sales(world: World, by_itself: bool) -> None:
    """HubSpot sets the close date of a deal that enters a closed stage, on some portals: over our write of sales'
    outcome that is no edit of marketing's. A deal that marketing closes is closed on that day, on both sides."""
    world.hubspot.switch(deal_close_sets_closedate=by_itself)
    account = str(world.salesforce.act("create", "Account", values={"Name": "Acme"})["key"])
    values = {"Name": "Big", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2027-12-24"}
    made = [
        str(world.salesforce.act("create", "Opportunity", values={**values, "Name": name})["key"])
        for name in ("Big", "Small")
    ]
    rest(world)
    deals = {crm: marketing for marketing, crm in pairs(world, "deals")}
    world.salesforce.act("edit", "Opportunity", made[0], values={"StageName": "Closed Won"})
    stage_of = {"dealstage": "closedlost", "pipeline": "default"}
    world.hubspot.act("edit", "deals", deals[made[1]], by="ann", values=stage_of)
    rest(world)

    won, lost = (world.salesforce.records("Opportunity")[key] for key in made)
    assert (won["StageName"], won["CloseDate"]) == ("Closed Won", "2027-12-24")
    shown = world.hubspot.records("deals")[deals[made[0]]]["values"]
    assert (shown["dealstage"], shown["closedate"][:10]) == ("closedwon", "2027-12-24")
    assert lost["StageName"] == "Closed Lost"
    day = world.hubspot.records("deals")[deals[made[1]]]["values"]["closedate"][:10]
    assert lost["CloseDate"] == day
    assert (day == "2027-12-24") is not by_itself
    assert world.ledger.inbox.conflicts() == []


def test_the_first_form_and_a_later_one_answer_their_campaigns(world: World) -> None:
    """By the shipped files: the first form of somebody's is told by another watch than all later ones."""
    for name in ("General guide", "Choosing a maker"):
        world.salesforce.act("create", "Campaign", values={"Name": name})
    contact = world.contact("ada@example.com")
    world.hubspot.act("submit_form", "contacts", contact, form="General guide", page="Guides", list="General guide")
    rest(world)
    world.hubspot.act("list_add", "contacts", contact, list="Choosing a maker")
    rest(world)
    statuses = [row["Status"] for row in world.salesforce.records("CampaignMember").values()]
    assert statuses == ["Responded", "Sent"]
    world.pass_time(60)
    world.hubspot.act("submit_form", "contacts", contact, form="Choosing a maker", page="Guides")
    rest(world)
    rest(world)
    statuses = [row["Status"] for row in world.salesforce.records("CampaignMember").values()]
    assert statuses == ["Responded", "Responded"]
