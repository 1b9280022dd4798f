"""Owners cross by their e-mail address; who is unknown or inactive follows the mapping's rule, and resets nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from world import MAPPING, World, make, writes

from connectors.memory import Kind
from syncd.connector import Directory

OWNER = """
[fields.owner]
marketing = "owner"
crm = "OwnerId"
type = "owner"
clash = "crm"
"""
PEOPLE = {"carl": True, "dora": True, "boss": True, "left": False}


def staffed(tmp_path: Path, unknown: str | None = None) -> World:
    """Carl, Dora and the boss work in both systems; `left` is inactive in both; Eve only in marketing, a queue only in
    the CRM."""
    world = make(tmp_path)
    world.mapping_text = MAPPING + OWNER + (f'unknown = "{unknown}"\n' if unknown else "")
    for store, own, objects, at in (
        (world.mk, "eve", ["contacts"], "owner"),
        (world.sf, None, ["Lead", "Contact"], "OwnerId"),
    ):
        store.kinds["users"] = Kind.of("users", email="text", active="bool")
        store.items["users"] = {}
        store.owners = Directory("users", "email", "active")
        for name, active in {**PEOPLE, **({own: True} if own else {})}.items():
            store.create(
                "users", {"email": f"{name}@corp.test", "active": active}, key=f"{name}-{store.account.id}-{at}"
            )
        store.create("users", {"active": True}, key="queue")
        for name in objects:
            kind = store.kinds[name]
            described = {
                **kind.attributes,
                at: replace(kind.attributes["Email" if at == "OwnerId" else "email"], name=at, unique=False),
            }
            store.kinds[name] = replace(kind, attributes=described)
    return world


def ours(name: str) -> str:
    return f"{name}-memory-owner"


def theirs(name: str) -> str:
    return f"{name}-memory-OwnerId"


def linked(world: World, owner: str | None) -> tuple[str, str]:
    contact = world.mk.create(
        "contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80, "owner": owner}, by="ann"
    )
    world.until_quiet()
    return contact, world.sf.keys("Lead")[0]


def owner_of(world: World) -> str | None:
    return world.only_lead()["OwnerId"]


def test_an_owner_crosses_to_the_user_with_the_same_address(tmp_path: Path) -> None:
    """By e-mail, both ways."""
    world = staffed(tmp_path)
    contact, lead = linked(world, ours("carl"))
    assert owner_of(world) == theirs("carl")
    world.sf.edit("Lead", lead, {"OwnerId": theirs("dora")}, by="rep")
    world.until_quiet()
    assert world.mk.values("contacts", contact)["owner"] == ours("dora")


@pytest.mark.parametrize("unknown", ["eve", "left"])
def test_an_owner_that_the_other_side_does_not_know_resets_nobody(tmp_path: Path, unknown: str) -> None:
    """keep: nothing is written; the difference stands."""
    world = staffed(tmp_path)
    contact, _ = linked(world, ours("carl"))
    world.mk.edit("contacts", contact, {"owner": ours(unknown)}, by="ann")
    assert sum(map(writes, world.until_quiet())) == 0
    assert owner_of(world) == theirs("carl")
    assert world.ledger.inbox.issues() == []


def test_a_queue_and_a_blank_reset_nobody(tmp_path: Path) -> None:
    """A record put into a queue, or taken from everybody, changes no owner across."""
    world = staffed(tmp_path)
    contact, lead = linked(world, ours("carl"))
    for owner in ("queue", None):
        world.sf.edit("Lead", lead, {"OwnerId": owner}, by="rep")
        assert sum(map(writes, world.until_quiet())) == 0
    assert world.mk.values("contacts", contact)["owner"] == ours("carl")


def test_an_unknown_owner_may_be_asked_about(tmp_path: Path) -> None:
    """issue: waits for a person, until another owner is set."""
    world = staffed(tmp_path, "issue")
    contact, _ = linked(world, ours("carl"))
    world.mk.edit("contacts", contact, {"owner": ours("eve")}, by="ann")
    world.until_quiet()
    (issue,) = world.ledger.inbox.issues()
    assert (issue.kind, issue.field) == ("unknown_owner", "owner")
    assert owner_of(world) == theirs("carl")

    world.mk.edit("contacts", contact, {"owner": ours("dora")}, by="ann")
    world.until_quiet()
    assert owner_of(world) == theirs("dora")
    assert world.ledger.inbox.issues() == []


def test_somebody_may_stand_in_for_an_unknown_owner_without_flapping(tmp_path: Path) -> None:
    """The fallback gets the record across; here it stays with whoever has it, through edits of either side."""
    world = staffed(tmp_path, "boss@corp.test")
    contact, lead = linked(world, ours("eve"))
    assert owner_of(world) == theirs("boss")
    world.mk.edit("contacts", contact, {"phone": "111111", "owner": ours("left")}, by="ann")
    world.sf.edit("Lead", lead, {"Title": "CTO"}, by="rep")
    world.until_quiet()
    assert (owner_of(world), world.only_contact()["owner"]) == (theirs("boss"), ours("left"))

    world.sf.edit("Lead", lead, {"OwnerId": theirs("dora")}, by="rep")
    world.until_quiet()
    assert world.only_contact()["owner"] == ours("dora"), "a real change crosses"


def test_nobody_stands_in_against_a_real_owner_at_a_first_meeting(tmp_path: Path) -> None:
    """An unknown owner is no reason to take a record away from who has it."""
    world = staffed(tmp_path, "boss@corp.test")
    world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "owner": ours("carl")}, by="ann")
    world.sf.create("Lead", {"Email": "ada@x.test", "LastName": "Ada", "OwnerId": "queue"}, by="rep")
    world.until_quiet()
    assert (owner_of(world), world.only_contact()["owner"]) == ("queue", ours("carl"))
