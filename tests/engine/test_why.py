"""What `why` says between a write and its sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from world import World, make

from syncd.view.why import why


def told(world: World, contact: str) -> dict[str, Any]:
    at = ("mk", "contacts", contact)
    fields: dict[str, Any] = why(world.ledger, world.mappings(), {}, at, None)["mappings"][0]["fields"]
    return fields


def test_what_was_just_made_is_sent_and_not_seen_yet(tmp_path: Path) -> None:
    """Right after a create nothing differs by decision: its values were not read back yet."""
    world = make(tmp_path)
    values = {"email": "ada@x.test", "lastname": "Ada", "score": 80, "phone": "111"}
    contact = world.mk.create("contacts", values, by="ann")
    world.once()
    shown = told(world, contact)
    assert {shown[name]["reason"] for name in ("email", "last_name", "phone")} == {"sent, not seen again yet"}
    assert shown["phone"]["writes"] is None
    world.until_quiet()
    assert {told(world, contact)[name]["verdict"] for name in ("email", "last_name", "phone")} == {"agree"}


def test_what_was_just_written_is_sent_and_not_seen_yet(tmp_path: Path) -> None:
    """Of an update only the fields that it wrote; the others are as they are."""
    world = make(tmp_path)
    contact = world.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    world.until_quiet()
    world.mk.edit("contacts", contact, {"phone": "222"}, by="ann")
    world.once()
    assert world.only_lead()["Phone"] == "222"
    shown = told(world, contact)
    assert (shown["phone"]["verdict"], shown["phone"]["reason"]) == ("stand", "sent, not seen again yet")
    assert shown["last_name"]["verdict"] == "agree"
    world.until_quiet()
    assert told(world, contact)["phone"]["reason"] == "both sides say the same"
