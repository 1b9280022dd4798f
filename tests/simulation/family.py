"""Families: companies, people and deals that refer to each other, made and moved on both sides while syncd is killed.

The town (`town`) has people alone; here the whole engine runs over two systems in memory with three mappings. Promise: the
same seed tells the same story, and in the end everything points, on both sides, to what is linked: nobody stands twice,
nobody waits, no reference leads elsewhere.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_ENGINE = str(Path(__file__).parent.parent / "engine")
if _ENGINE not in sys.path:
    sys.path.append(_ENGINE)

from killing import Killed, Killer, dying  # noqa: E402
from kin import Kin, make_kin  # noqa: E402
from tale import Step, Tale  # noqa: E402

OBJECTS = {"company": ("companies", "Account"), "person": ("contacts", "Contact"), "deal": ("deals", "Opportunity")}
NAMES = {"company": ("name", "Name"), "person": ("email", "Email"), "deal": ("name", "Name")}
PARENT = ("associations.companies", "AccountId")
ROLES = ("associations.contacts", "OpportunityContactRoles.ContactId")
SWEEP_S = 3_700.0
"""After so long, references that moved no stamp have been read again (`sweep.associations`)."""
MAPPINGS = {"company": "companies", "person": "people", "deal": "deals"}


def written(seed: int) -> list[Step]:
    """The story of a seed."""
    chance = random.Random(seed)
    steps: list[Step] = []
    for n in range(chance.randint(8, 20)):
        what, side = chance.choice(("company", "person", "person", "deal")), chance.randrange(2)
        roll = chance.random()
        if roll < 0.55:
            steps.append(("make", what, side, n, chance.random() < 0.4))
        elif roll < 0.8:
            steps.append(("move", chance.choice(("person", "deal")), side, chance.random(), chance.random()))
        elif roll < 0.9:
            steps.append(("roles", side, chance.random(), chance.random(), chance.random()))
        else:
            steps.append(("cycle", chance.choice((0, 0, chance.randint(1, 60)))))
    at = chance.randrange(len(steps))
    return [
        *steps[:at],
        ("cycle", chance.choice((0, chance.randint(1, 60)))),
        *steps[at:],
        ("cycle", chance.randint(1, 90)),
    ]


def tell(seed: int, folder: Path, steps: Sequence[Step] | None = None) -> Tale:
    """Plays a story: by default the one of that seed."""
    family = Tale("family", seed, list(written(seed) if steps is None else steps))
    folder.mkdir(parents=True, exist_ok=True)
    kin = make_kin(folder)
    player = _Player(kin, family.happened)
    try:
        for step in family.steps:
            player.do(step)
        player.end()
    except AssertionError as error:
        family.broken = str(error) or "an assertion"
    finally:
        kin.ledger.close()
    return family


@dataclass
class _Player:
    """People and deaths in one world. A step is (what, ...): see `do`."""

    kin: Kin
    happened: Counter[str]
    nameless: list[tuple[str, int]] = field(default_factory=list)
    """Companies that get their name last: who works there waits. (key, n)."""

    def do(self, step: Step) -> None:
        match step:
            case ("make", what, side, n, nameless):
                self._make(what, side, n, nameless)
            case ("move", what, side, which, where):
                key, parent = self._one(what, side, which), self._one("company", side, where)
                if key and parent:
                    self._edit(what, side, key, {PARENT[side]: parent})
            case ("roles", side, which, first, second):
                deal = self._one("deal", side, which)
                people = {key for one in (first, second) if (key := self._one("person", side, one))}
                if deal and people:
                    self._edit("deal", side, deal, {ROLES[side]: sorted(people)})
            case ("cycle", kill):
                self._cycle(kill)

    def _store(self, side: int) -> Any:
        return (self.kin.mk, self.kin.sf)[side]

    def _one(self, what: str, side: int, which: float) -> str | None:
        keys = sorted(self._store(side).keys(OBJECTS[what][side]))
        return keys[int(which * len(keys))] if keys else None

    def _edit(self, what: str, side: int, key: str, values: dict[str, Any]) -> None:
        self._store(side).edit(OBJECTS[what][side], key, values, by="ann")

    def _make(self, what: str, side: int, n: int, nameless: bool) -> None:
        nameless = nameless and what == "company" and side == 0  # the CRM's are paired whatever they are called
        name = f"p{n}@x.test" if what == "person" else f"{what} {n}"
        values: dict[str, Any] = {} if nameless else {NAMES[what][side]: name}
        parent = self._one("company", side, n * 0.37 % 1)
        if what != "company" and parent:
            values[PARENT[side]] = parent
        key = self._store(side).create(OBJECTS[what][side], values, by="ann")
        if nameless:
            self.nameless.append((key, n))

    def _cycle(self, kill: int) -> None:
        if not kill:
            self.kin.all_once()
        else:
            try:
                with pytest.MonkeyPatch.context() as patch, dying(Killer(kill), patch):
                    self.kin.all_once()
            except Killed:
                self.happened["killed in a family"] += 1
                self.kin.restart()
        self.happened["child first"] += self.kin.waits() > 0

    def end(self) -> None:
        """Everybody has a name; when it is quiet, all must be as it should."""
        for key, n in self.nameless:
            self._edit("company", 0, key, {"name": f"company {n}"})
        self.kin.settle(most=24)
        self.kin.pass_time(SWEEP_S)  # what no feed tells is looked at again
        self.kin.settle(most=24)
        kin = self.kin
        assert not kin.waits(), "somebody waits"
        assert not kin.ledger.inbox.issues(), [issue.kind for issue in kin.ledger.inbox.issues()]
        assert kin.ledger.journal.verify()[1] is None, "the journal's chain does not hold"
        for what in OBJECTS:
            names = [
                sorted(
                    self._store(side).values(OBJECTS[what][side], key)[NAMES[what][side]]
                    for key in self._keys(what, side)
                )
                for side in (0, 1)
            ]
            assert names[0] == names[1], f"{what}: {names[0]} in marketing, {names[1]} in the CRM"
            assert len(set(names[0])) == len(names[0]), f"somebody stands twice: {names[0]}"
        for what in ("person", "deal"):
            self._points(what)

    def _keys(self, what: str, side: int) -> list[str]:
        return sorted(self._store(side).keys(OBJECTS[what][side]))

    def _points(self, what: str) -> None:
        """The references of both sides lead to the same."""
        for key in self._keys(what, 0):
            other = self.kin.across(MAPPINGS[what], OBJECTS[what][0], key)
            here, there = self.kin.mk.values(OBJECTS[what][0], key), self.kin.sf.values(OBJECTS[what][1], other)
            parent = here.get(PARENT[0])
            across = parent and self.kin.across("companies", "companies", parent)
            assert across == there.get(PARENT[1]), f"{what} {key} belongs elsewhere in the CRM"
            if what == "deal":
                roles = sorted(self.kin.across("people", "contacts", one) for one in here.get(ROLES[0]) or ())
                assert roles == sorted(there.get(ROLES[1]) or ()), f"the people of deal {key} are others in the CRM"
