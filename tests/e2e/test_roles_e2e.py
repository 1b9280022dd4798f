"""The contacts of a deal over real HTTP: HubSpot's associations and Salesforce's contact roles are one list.

No stamp of the opportunity moves with its roles, so this is where a feed, a write and its echo must agree by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stage
from stage import World

from bench.alone import people_alone

DEALS = """
mapping   = "roles"
marketing = { system = "hubspot",    object = "deals" }
crm       = { system = "salesforce", object = "Opportunity" }
[match]
by = ["name"]
[create]
marketing = 'true'
crm       = 'true'
[fields.name]
marketing = "dealname"
crm       = "Name"
clash     = "crm"
on_create = { crm = '"[not given]"' }
[fields.stage]
marketing = "pipeline.dealstage"
crm       = "Pipeline__c.StageName"
type      = "choice"
clash     = "crm"
on_create = { crm = '"default/appointmentscheduled"' }
values    = { "default/appointmentscheduled" = "New Business/Prospecting", "default/closedwon" = "New Business/Closed Won" }
[fields.close_date]
crm       = "CloseDate"
marketing = "closedate"
type      = "date"
zone      = { marketing = "UTC" }
on_create = { crm = '"2027-01-31"' }
[fields.contacts]
marketing = "associations.contacts"
crm       = "OpportunityContactRoles.ContactId"
link      = "people"
refers    = { crm = "Contact" }
many      = true
clash     = "crm"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    mappings = people_alone(tmp_path / "mappings")
    (mappings / "roles.toml").write_text(DEALS)
    with stage.world(tmp_path / "w") as made:
        made.configure(mappings=mappings)
        yield made


def rest(world: World) -> None:
    """Cycles until nothing is written, in any mapping."""
    world.pass_time(1)
    for _ in range(12):
        before = _written(world)
        world.once()
        if _written(world) == before:
            return
    raise AssertionError("never at rest")


def _written(world: World) -> int:
    counts = world.requests()
    paths = ("/composite/sobjects", "/batch/create", "/batch/update", "/batch/archive", "/associate/default")
    return sum(number for call, number in counts.items() if call.split(" ")[1].endswith(paths))


def roles(world: World, deal: str) -> dict[str, str | None]:
    """Contact -> role."""
    rows = world.live("OpportunityContactRole").values()
    return {row["ContactId"]: row["Role"] for row in rows if row["OpportunityId"] == deal}


def test_roles_and_associations_follow_each_other(world: World) -> None:
    """Made, added and taken away on either side; roles that stay keep what sales wrote; then nothing moves."""
    one, two = (world.person("Contact", f"{name}@example.com", FirstName=name) for name in ("ada", "bob"))
    rest(world)
    people = {row["email"].split("@")[0]: key for key, row in world.live("contacts").items()}
    close = {"StageName": "Prospecting", "CloseDate": "2027-01-31", "Pipeline__c": "New Business"}
    deal = str(world.salesforce.act("create", "Opportunity", values={"Name": "Big deal", **close})["key"])
    world.salesforce.app.act({"do": "add_role", "opportunity": deal, "contact": one, "role": "Evaluator"})
    rest(world)
    assert associated(world) == {people["ada"]}

    world.salesforce.app.act({"do": "add_role", "opportunity": deal, "contact": two})
    rest(world)
    assert associated(world) == {people["ada"], people["bob"]}

    (ours,) = world.hubspot.records("deals")
    pair = {"object": "deals", "key": ours, "to_object": "contacts", "to_key": people["bob"]}
    world.hubspot.app.act({"do": "dissociate", **pair})
    world.pass_time(7200)  # an association alone moves no stamp in HubSpot: the sweep finds it
    rest(world)
    assert roles(world, deal) == {one: "Evaluator"}
    assert [each.reason for each in world.ledger.inbox.issues()] == []


def associated(world: World) -> set[str]:
    (ours,) = world.hubspot.records("deals")
    links = world.hubspot.app.app.state(None)["associations"]
    return {one["to_id"] for one in links if (one["from"], one["from_id"], one["to"]) == ("deals", ours, "contacts")}
