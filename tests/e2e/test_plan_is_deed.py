"""The plan is the deed: what `plan --json` lists is what the next cycle sends, body by body, over both real connectors.

The sandboxes' request logs are read here with rules of their own: nothing of the engine says what a request means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stage
from stage import World

from syncd import deeds
from syncd.cycle import cycle, plan_only
from syncd.run import Run
from syncd.view import plan as planview
from syncd.view import records

MAPPINGS = Path(__file__).parents[2] / "mappings"
ACME = {"name": "Acme", "domain": "acme.test"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with stage.world(tmp_path / "w") as made:
        made.configure(mappings=MAPPINGS)
        made.salesforce.act("create", "Campaign", values={"Name": "General guide"})
        yield made


# ---------------------------------------------------------------- plan and deed


def planned(world: World) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, int]]:
    """What `plan --json` shows: effects, follows, calls."""
    run, mappings = world.run()
    names = list(mappings.by_name)
    try:
        plan_only(run, mappings)
        traits = {
            (end.system, form): run.systems[end.system].traits(form)
            for one in mappings.by_name.values()
            for end in one.ends
            for form in end.forms
        }
        effects, follows = [*planview.effects(world.ledger, names)], [*planview.follows(world.ledger, names)]
        return effects, follows, planview.calls(world.ledger, names, traits)
    finally:
        close(run)


def sent_by_once(world: World, shown: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Runs a cycle (of a saved plan, if given) while the vendors stand still, and gives the writes that it sent."""
    at = [len(side.server.control.log()) for side in (world.hubspot, world.salesforce)]
    run, mappings = world.run()
    gate = None if shown is None else deeds._only(frozenset(effect["digest"] for effect in shown))
    try:
        cycle(run, mappings, yes=shown is None, gate=gate)
    finally:
        close(run)
    hubspot = world.hubspot.server.control.log()[at[0] :]
    salesforce = world.salesforce.server.control.log()[at[1] :]
    world.pass_time(15)
    return [*(each for entry in hubspot for each in of_hubspot(entry)), *_of_salesforce(salesforce)]


def close(run: Run) -> None:
    """It ends as it should: nobody takes it for one that died."""
    if run.id is not None:
        run.ledger.books.end_run(run.id, True, {"kinds": {}}, run.now())
    for system in run.systems.values():
        system.connector.close()


# ---------------------------------------------------------------- what a request means


def of_hubspot(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The writes of one request to HubSpot: records, and associations as writes of their record."""
    path, body = entry["path"], entry["body"]
    if match := re.fullmatch(r"/crm/objects/[^/]+/(\w+)/batch/(create|update|archive)", path):
        for row in body["inputs"]:
            values = dict(row.get("properties") or {})
            stamp = values.pop("syncd_key", None)
            tied = sorted(one["to"]["id"] for one in row.get("associations") or [])
            yield write("hubspot", match[1], row.get("id"), match[2], values, stamp, tied)
    elif match := re.fullmatch(r"/crm/associations/[^/]+/(\w+)/(\w+)/batch/[\w/]+", path):
        if not path.endswith("/read"):
            for row in body["inputs"]:
                to = row["to"] if isinstance(row["to"], list) else [row["to"]]
                tied = sorted(str(one["id"]) for one in to)
                yield write("hubspot", match[1], str(row["from"]["id"]), "update", {}, None, tied)
    elif re.fullmatch(r"/crm/lists/[^/]+/\d+/memberships/add-and-remove", path):
        for part, inside in (("recordIdsToAdd", True), ("recordIdsToRemove", False)):
            for key in body[part]:
                yield write("hubspot", "contacts", key, "update", {"list.Nurture": inside}, None, [])
    elif re.fullmatch(r"/crm/lists/[^/]+", path):
        assert body["name"] == "Nurture"  # the one list that the agreement names; it is made where it is missing
    else:
        assert entry["method"] == "GET" or re.search(r"/(search|read|token|token-info)$|oauth", path), path


def _of_salesforce(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        path, body = urlsplit(entry["path"]).path, entry["body"]
        if path.endswith("/composite/sobjects") and entry["method"] in ("POST", "PATCH"):
            op = "create" if entry["method"] == "POST" else "update"
            for row in body["records"]:
                yield _row(row["attributes"]["type"], row.get("id"), op, row)
        elif path.endswith("/composite"):
            for part in body["compositeRequest"]:
                where = re.search(r"/sobjects/(\w+)(?:/(\w+))?", part["url"])
                if part["method"] in ("PATCH", "POST", "DELETE") and where:
                    op = {"PATCH": "update", "POST": "create", "DELETE": "archive"}[part["method"]]
                    yield _row(where[1], where[2], op, part.get("body") or {})
        else:
            reads = "/oauth2/" in path or re.search(r"/soap$|/composite/sobjects/\w+$", path)
            assert entry["method"] == "GET" or reads, path


def _row(object_: str, key: str | None, op: str, row: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name not in ("attributes", "id", "Id", "Syncd_Key__c")}
    return write("salesforce", object_, key, op, values, row.get("Syncd_Key__c"), [])


def write(
    system: str, object_: str, key: str | None, op: str, values: Any, stamp: Any, tied: list[str]
) -> dict[str, Any]:
    said = {name: str(value).lower() if value not in (None, "") else "" for name, value in values.items()}
    return {
        "system": system, "object": object_, "key": key, "op": op, "values": said, "stamp": stamp, "tied": tied
    }  # fmt: skip


# ---------------------------------------------------------------- comparing


def promised(effect: dict[str, Any]) -> dict[str, Any]:
    """A row of the plan in the request's words: associations by their ends, attributes of two parts as both parts."""
    values: dict[str, Any] = {}
    tied: list[str] = []
    for change in effect["fields"].values():
        name, after = change["attribute"], change["after"]
        if name.startswith("associations.") or name == "contact" or name == "list":
            tied += after if isinstance(after, list) else [after] if after else []
        elif name in ("pipeline.dealstage", "Pipeline__c.StageName"):
            values |= dict(zip(name.split("."), str(after).split("/"), strict=True))
        elif name == "LeadOrContactId":
            values["LeadId" if str(after).startswith("00Q") else "ContactId"] = after
        elif name != "OpportunityContactRoles.ContactId":
            values[name] = after
    return write(
        effect["system"], effect["object"], effect["key"], effect["op"], values, effect.get("stamp"), sorted(tied)
    )


def whole(writes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One write per record: associations are written by requests of their own, roles are records of their own."""
    made: dict[Any, dict[str, Any]] = {}
    for one in writes:
        if one["object"] == "OpportunityContactRole":
            continue
        at = (one["system"], one["object"], one["key"] or one["stamp"], one["op"])
        known = made.setdefault(at, {**one, "values": {}, "tied": []})
        known["values"] |= one["values"]
        known["tied"] = sorted({*known["tied"], *one["tied"]})
        known["stamp"] = known["stamp"] or one["stamp"]
    return sorted(made.values(), key=lambda one: (one["system"], one["object"], str(one["key"] or one["stamp"])))


def plan_is_deed(world: World) -> list[dict[str, Any]]:
    """Plans, sends, compares; gives the plan. What is more than planned is of a record that `follows` names."""
    effects, follows, _ = planned(world)
    sent = whole(sent_by_once(world))
    after = {(one["system"], one["object"], one["key"]) for one in follows}
    for link in records.links(world.ledger, None, 1000):
        ends = {(end["system"], end["object"], end["key"]) for end in (link["marketing"], link["crm"])}
        after |= ends if ends & after else set()

    def follower(one: dict[str, Any]) -> bool:
        parts = (one["stamp"] or ":::").split(":", 3)
        return bool({(one["system"], one["object"], one["key"]), (parts[0], parts[2], parts[3])} & after)

    due = whole([promised(effect) for effect in effects])
    assert [one for one in sent if not follower(one)] == [one for one in due if not follower(one)]
    for one in due:  # who follows may get more than is planned, never other values
        same = [each for each in sent if all(each[part] == one[part] for part in ("system", "object", "key", "op"))]
        assert any(one["values"].items() <= each["values"].items() for each in same), one
    return effects


def quiet(world: World) -> None:
    """Plan and deed agree until both are nothing."""
    for _ in range(8):
        if not plan_is_deed(world):
            return
    raise AssertionError("never at rest")


# ---------------------------------------------------------------- the stories


def company(world: World) -> None:
    """People and a company on each side, somebody in a list."""
    world.hubspot.act("create", "companies", values=ACME)
    hot = world.contact("hot@acme.test", firstname="Hot")
    world.hubspot.app.act({"do": "list_add", "object": "contacts", "key": hot, "list": "General guide"})
    account = world.salesforce.act("create", "Account", values={"Name": "Beta", "Website": "https://beta.test"})["key"]
    world.person("Contact", "con@beta.test", FirstName="Con", AccountId=account)
    world.person("Lead", "lee@example.com", FirstName="Lee")
    world.pass_time(15)


def test_creates_are_as_planned_and_who_waits_for_them_is_named(world: World) -> None:
    """Companies, people both ways, a campaign's member: field by field, with syncd's key and the associations."""
    company(world)
    effects, follows, _ = planned(world)
    assert {(one["object"], one["op"]) for one in effects} >= {("companies", "create"), ("Lead", "create")}
    assert {one["mapping"] for one in follows} == {"people", "campaigns"}
    quiet(world)
    assert len(world.live("CampaignMember")) == 1


def test_updates_clears_and_references_are_as_planned(world: World) -> None:
    """Edits on both sides at once, a value taken away, another company, a role."""
    company(world)
    quiet(world)
    people = {row["email"].split("@")[0]: key for key, row in world.live("contacts").items()}
    persons = {row["Email"].split("@")[0]: key for key, row in {**world.live("Lead"), **world.live("Contact")}.items()}
    world.edit_person("Lead", persons["lee"], Rating="Hot", Title="Countess")
    quiet(world)
    world.edit_person("Lead", persons["lee"], Rating=None)
    world.edit_contact(people["lee"], phone="+49 30 1234567", jobtitle="Poet")
    world.edit_contact(people["con"], lastname="Condor")
    account = world.salesforce.act("create", "Account", values={"Name": "Gamma", "Website": "https://gamma.test"})[
        "key"
    ]
    world.edit_person("Contact", persons["con"], AccountId=account)
    world.pass_time(15)
    quiet(world)


def test_deals_and_roll_ups_are_as_planned(world: World) -> None:
    """An opportunity with a contact, won: the deal, its stage, and what the company and the person are told of it."""
    company(world)
    quiet(world)
    (contact,) = world.live("Contact")
    (account,) = [key for key, row in world.live("Account").items() if row["Name"] == "Beta"]
    values = {"Name": "Big", "StageName": "Prospecting", "CloseDate": "2027-01-31", "AccountId": account, "Amount": 100}
    deal = world.salesforce.act("create", "Opportunity", values=values)["key"]
    world.salesforce.app.act({"do": "add_role", "opportunity": deal, "contact": contact})
    world.pass_time(15)
    quiet(world)
    world.salesforce.act("set_stage", "Opportunity", deal, stage="Closed Won")
    world.pass_time(15)
    quiet(world)


def test_what_follows_a_conversion_is_as_planned(world: World) -> None:
    """The link moves to the contact, which gets syncd's key; account and opportunity are linked or created."""
    company(world)
    quiet(world)
    (lead,) = [key for key, row in world.live("Lead").items() if row["Email"] == "hot@acme.test"]
    world.salesforce.act("convert", "Lead", lead)
    world.pass_time(15)
    quiet(world)


def test_a_saved_plan_sends_its_rows_and_refuses_what_moved(world: World) -> None:
    """One of two edits is made over after the plan was saved: the other goes, that one is held."""
    company(world)
    quiet(world)
    leads = sorted(world.live("Lead"))
    for lead in leads:
        world.edit_person("Lead", lead, Title="Countess")
    world.pass_time(15)
    effects, _, _ = planned(world)
    assert len(effects) == 2
    world.edit_person("Lead", leads[0], Title="Poet")
    world.pass_time(15)
    kept = [effect for effect in effects if effect["source"]["key"] == leads[1]]

    assert whole(sent_by_once(world, effects)) == whole([promised(effect) for effect in kept])
    assert [kind for kind, _ in world.issues()] == ["held_plan"]


def test_a_plan_costs_what_it_says(world: World) -> None:
    """Against a cycle that has nothing to send, sending takes the calls that the plan names, and beside each of the two looks
    at HubSpot one for the associations, and one in Salesforce that tries whether conditions are honoured."""
    company(world)
    quiet(world)
    for lead in world.live("Lead"):
        world.edit_person("Lead", lead, Title="Countess")
    for contact in world.live("contacts"):
        world.edit_contact(contact, phone="+49 30 1234567")
    world.pass_time(15)
    _, _, cost = planned(world)
    with_plan = calls(world)
    quiet(world)
    idle = calls(world)

    assert with_plan["hubspot"] - idle["hubspot"] == cost["hubspot"] + 2
    assert with_plan["salesforce"] - idle["salesforce"] == cost["salesforce"] + 1


def calls(world: World) -> dict[str, int]:
    """How many requests one cycle makes, by vendor."""
    sides = {"hubspot": world.hubspot, "salesforce": world.salesforce}
    before = {name: len(side.server.control.log()) for name, side in sides.items()}
    sent_by_once(world)
    return {name: len(side.server.control.log()) - before[name] for name, side in sides.items()}
