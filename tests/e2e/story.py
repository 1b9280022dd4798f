"""One story for the tests of kills and faults: told once, and begun again as often as it is asked for.

It creates, updates and conflicts on both sides. `check` is what must be true in the end, whatever happened on the way.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stage
from judge import assert_settled
from stage import World

from syncd.ledger import Ledger


@dataclass
class Story:
    """A world at the moment when everything has been done by people, and nothing yet by syncd."""

    world: World
    apps: list[Any] = field(init=False)
    now_s: float = field(init=False)
    people: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.people = tell(self.world)
        self.world.ledger.close()
        shutil.copy(self.world.folder / "ledger.db", self.world.folder / "begun.db")
        self.apps = [self._copied(side.app.app) for side in (self.world.hubspot, self.world.salesforce)]
        self.now_s = self.world.time.now_s

    def _copied(self, app: Any) -> Any:
        # The clock is one for all of them.
        return copy.deepcopy(app, {id(self.world.time): self.world.time})

    def begin(self) -> None:
        """Everything as it was when the story had been told; the ledger is open."""
        self.world.ledger.close()
        for path in self.world.folder.glob("ledger.db*"):
            path.unlink()
        shutil.copy(self.world.folder / "begun.db", self.world.folder / "ledger.db")
        for side, app in zip((self.world.hubspot, self.world.salesforce), self.apps, strict=True):
            side.app.app = self._copied(app)
            side.app.reset()
        self.world.time.now_s = self.now_s
        self.world.ledger = Ledger.open(self.world.folder / "ledger.db")

    def check(self) -> None:
        check(self.world, self.people)

    def check_what_is_left(self, where: str) -> None:
        """The same, of a ledger that another process wrote and closed. `where`: said first of what is wrong."""
        self.world.ledger = Ledger.open(self.world.folder / "ledger.db")
        try:
            self.check()
        except AssertionError as wrong:
            raise AssertionError(f"{where}: {wrong}") from wrong
        finally:
            self.world.ledger.close()


@contextmanager
def story(folder: Path) -> Iterator[Story]:
    """The story, told in a world of its own."""
    with stage.world(folder) as world:
        yield Story(world)


def tell(world: World) -> dict[str, str]:
    """Linked pairs with edits on both sides, clashes both ways, a step back, an opt-out, and somebody new on each side."""
    keys = {}
    for name in ("ada", "bob", "cyd", "dan"):
        keys[name], keys[f"{name}'s lead"] = world.linked(f"{name}@example.com", phone="+49 30 1234567", city="Berlin")
    world.edit_contact(keys["ada"], phone="+49 30 7654321")
    world.edit_person("Lead", keys["ada's lead"], Title="CTO", Rating="Hot")
    world.edit_contact(keys["bob"], lastname="Marketing")
    world.edit_person("Lead", keys["bob's lead"], LastName="Sales")
    world.edit_person("Lead", keys["cyd's lead"], Status="Closed - Not Converted", HasOptedOutOfEmail=True)
    world.edit_contact(keys["dan"], city="Paris", jobtitle="CEO")
    world.contact("new@example.com", firstname="New", company="New Inc")
    world.person("Lead", "sue@example.com", FirstName="Sue", Rating="Cold")
    world.person("Contact", "tom@example.com", FirstName="Tom")
    world.pass_time(2)
    return keys


def check(world: World, keys: dict[str, str]) -> None:
    """What must be true whenever and wherever the process died."""
    people = ["ada", "bob", "cyd", "dan", "new", "sue", "tom"]
    assert sorted(row["email"].split("@")[0] for row in world.live("contacts").values()) == people
    crm = [*world.live("Lead").values(), *world.live("Contact").values()]
    assert sorted(row["Email"].split("@")[0] for row in crm) == people
    assert world.sf("Lead", keys["ada's lead"])["Phone"] == "+49 30 7654321"
    assert world.hs(keys["ada"])["jobtitle"] == "CTO"
    assert world.hs(keys["bob"])["lastname"] == "Sales"
    assert world.hs(keys["cyd"])["lifecyclestage"] == "lead"
    assert world.hs(keys["cyd"])["crm_email_optout"] == "true"
    assert world.sf("Lead", keys["dan's lead"])["City"] == "Paris"
    assert world.lost() == [("last_name", "Marketing")]
    assert world.issues() == []
    assert world.ledger.links.count("people") == len(people)
    assert_settled(world)
