"""What befalls a run: a story, as a flat list of items that can be left out one by one.

Promise: a story is plain data, and playing it draws nothing by chance. Whatever stands before a `Cycle` and is not an act
of its own (`During`, `Trouble`, `Die`) belongs to that cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EVERYBODY = -1
"""An act about all records of a side."""


@dataclass(frozen=True)
class Act:
    """A person does something about one of the people, on one side."""

    side: str
    who: int
    do: str
    field: str = ""
    value: Any = None
    with_: int = -1
    """Whom they merge it with."""

    def __str__(self) -> str:
        what = f" {self.field} := {self.value!r}" if self.field else ""
        if self.who == EVERYBODY:
            return f"somebody on the {self.side} side: {self.do} everybody{what}"
        other = f" with person {self.with_}" if self.with_ >= 0 else ""
        return f"somebody on the {self.side} side: {self.do} person {self.who}{what}{other}"


@dataclass(frozen=True)
class During:
    """An act as the cycle's n-th request leaves; below zero: as its n-th request that writes leaves."""

    request: int
    act: Act

    def __str__(self) -> str:
        return f"as {'request' if self.request > 0 else 'write'} {abs(self.request)} leaves, {self.act}"


@dataclass(frozen=True)
class Trouble:
    """A fault of one vendor from here on, until it healed."""

    vendor: str
    name: str
    rule: dict[str, Any] = field(hash=False)

    def __str__(self) -> str:
        where = self.rule.get("path", "anything")
        return f"{self.vendor}: {self.name}, at request {self.rule.get('nth', 1)} to {where}"


@dataclass(frozen=True)
class Die:
    """The process dies at the n-th commit, request (before it leaves), answer, write (before), told write or made record of a
    cycle."""

    at: str
    n: int

    def __str__(self) -> str:
        return f"syncd is killed at the {self.n}. {self.at} of the next cycle"


@dataclass(frozen=True)
class Cycle:
    """One cycle of the daemon."""

    def __str__(self) -> str:
        return "a cycle"


@dataclass(frozen=True)
class Wait:
    """Time goes by."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s go by"


@dataclass(frozen=True)
class Keep:
    """Something about the ledger, the process or its files: see `SAID`."""

    what: str

    def __str__(self) -> str:
        return SAID[self.what]


SAID = {
    "backup": "the ledger is copied",
    "restore": "the old copy is put in the ledger's place",
    "lose": "the ledger is lost",
    "second": "a second daemon is started over the same ledger",
    "elsewhere": "a second daemon is started on another machine, with a ledger of its own",
    "stop": "the daemon is stopped, and started again",
    "full": "the ledger's disk is full",
    "edit": "the mapping is edited: a field is taken out",
}


@dataclass(frozen=True)
class Admin:
    """An administrator does something to an account; `undo` is done when all is healed."""

    vendor: str
    what: str
    do: tuple[dict[str, Any], ...] = field(hash=False)
    undo: tuple[dict[str, Any], ...] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.vendor}: {self.what}"


@dataclass(frozen=True)
class Habit:
    """An account's habit is switched."""

    vendor: str
    name: str
    value: Any = field(hash=False)

    def __str__(self) -> str:
        return f"{self.vendor} has the habit {self.name} = {self.value!r}"


Item = Act | During | Trouble | Die | Cycle | Wait | Keep | Habit | Admin
Script = list[Item]
"""One round: what happens before it heals."""


@dataclass
class Story:
    """A run: how it begins, and its rounds."""

    seed: int
    tight: bool
    calm: bool
    """Everybody is linked before the storm begins."""
    beginning: Script
    rounds: list[Script]
    careful: bool = False
    """Nobody says yes to the first plan beforehand: it waits until somebody has looked."""
    small: bool = False
    """HubSpot's pages of changes hold three."""
    zone: str = "UTC"
    """Where the machine stands."""

    def told(self) -> str:
        """The story in words."""
        lines = [f"seed {self.seed}" + (", guard on three updates a cycle" if self.tight else "")]
        lines[0] += ", calm at first" if self.calm else ""
        lines[0] += ", the first plan waits" if self.careful else ""
        lines[0] += ", small pages" if self.small else ""
        lines[0] += f", in {self.zone}" if self.zone != "UTC" else ""
        for title, script in [("at first", self.beginning)] + [
            (f"round {n}", one) for n, one in enumerate(self.rounds, 1)
        ]:
            lines += [f"  {title}:"] + [f"    {item}" for item in script]
        return "\n".join(lines)
