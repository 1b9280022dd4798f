"""What happened, in order: what people made, what the engine was shown, what both sides really said.

Promise: one numbered history of a town, fed by the line and by people's acts, that answers the acceptor's questions. It
holds no opinion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rules import RULES, Rule, Words

Place = tuple[str, str]
"""(object, key)."""
Spot = tuple[str, str, str]
"""(object, key, attribute)."""


@dataclass
class Memory:
    """Everything is numbered by one counter, `n`."""

    words: Words
    n: int = 0
    made: dict[Spot, list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))
    """What a person, or an automation of the account, put there."""
    shown: dict[Spot, list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))
    """What the engine was shown, changes only."""
    real: dict[Place, dict[str, Any]] = field(default_factory=dict)
    """What is so; `_live` among it."""
    met: dict[tuple[Place, Place, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    """(contact, person, field): the values that both sides really had at one time."""
    disturbed: set[Place] = field(default_factory=set)
    """Records that people merged, converted, deleted or restored: what came before is no guide for them."""
    automatic: set[str] = field(default_factory=set)
    """What automations of an account put in, whatever was written."""
    tombs: dict[Place, int] = field(default_factory=dict)
    """When a person deleted it."""

    def tick(self) -> int:
        """The next number."""
        self.n += 1
        return self.n

    def see(self, place: Place, values: dict[str, Any]) -> None:
        """The engine was shown these values."""
        n = self.tick()
        for name, value in values.items():
            history = self.shown[(*place, name)]
            if not history or history[-1][1] != value:
                history.append((n, value))

    def known(self, place: Place, attribute: str, upto: int | None = None) -> Any:
        """The newest value that the engine was shown; `...` if none."""
        for n, value in reversed(self.shown.get((*place, attribute), ())):
            if upto is None or n <= upto:
                return value
        return ...

    def since(self, place: Place, attribute: str, n: int) -> list[Any]:
        """The value known at `n`, and every newer one that was shown."""
        history = self.shown.get((*place, attribute), [])
        before = [value for at, value in history if at <= n]
        return before[-1:] + [value for at, value in history if at > n]

    def by_person(self, place: Place, rule: Rule, value: Any, after: int = -1) -> bool:
        """Whether people made this value (in any spelling) of that record, after `n`."""
        attribute = rule.attribute(place[0]) or ""
        wanted = self.words.canon(rule, place[0], value)
        return any(
            n > after and self.words.canon(rule, place[0], made) == wanted
            for n, made in self.made.get((*place, attribute), ())
        )

    def touched(self, place: Place, after: int) -> bool:
        """Whether people changed anything at all of that record after `n`."""
        return any(history[-1][0] > after for spot, history in self.made.items() if spot[:2] == place and history)

    def edited(self, place: Place, attribute: str, after: int) -> list[tuple[int, Any]]:
        """What people made of it after `n`."""
        return [(n, value) for n, value in self.made.get((*place, attribute), ()) if n > after]

    def became(
        self, rows: dict[Place, dict[str, Any]], written: Mapping[Spot, Any] = MappingProxyType({})
    ) -> list[Spot]:
        """Takes note of how things are now. What is not as it was, and was not `written` by the engine, people or an
        automation of the account made. Returns what is not as it was."""
        n, changed = self.tick(), []
        for place, row in rows.items():
            before = self.real.get(place, {})
            for name, value in row.items():
                if before.get(name) != value:
                    changed.append((*place, name))
                    if (*place, name) not in written and not name.startswith("_"):
                        self.made[(*place, name)].append((n, value))
            self.real[place] = row
        return changed

    def meet(self, contact: Place, person: Place) -> None:
        """Notes in which fields these two really say the same now."""
        left, right = self.real.get(contact), self.real.get(person)
        if left is None or right is None or not left.get("_live") or not right.get("_live"):
            return
        for rule in RULES:
            theirs = rule.attribute(person[0])
            if theirs is None:
                continue
            value = self.words.canon(rule, "contacts", left.get(rule.contacts))
            if value == self.words.canon(rule, person[0], right.get(theirs)):
                self.met[contact, person, rule.name].add(value)
