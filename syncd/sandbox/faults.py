"""Faults on request: which requests to a sandbox go wrong, and how.

Promise: the same rules, seed and order of requests give the same faults. It only decides; `chassis` carries out the
generic kinds, and hands the vendor's own kinds to the vendor's app.

Generic kinds and their options (`applied` says whether the request takes effect all the same):

    status        status (503), body | html | neither, headers, applied (false)
    reset_before  connection dropped, nothing applied
    reset_after   applied, then dropped without a byte
    late          dropped now (after hold_ms), applied once late_ms of virtual time have passed
    truncate      applied, half a body, then dropped
    garbage       200 with HTML where JSON belongs; html, applied (false)
    slow          answered after delay_ms of real time; combines with any other
    redirect      location, status (302); nothing applied
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GENERIC = frozenset({"status", "reset_before", "reset_after", "late", "truncate", "garbage", "slow", "redirect"})


@dataclass
class Fault:
    """One rule. `method` is compared whole, `path` is a regex searched in the path; None matches everything.

    `nth`: the first matching request it strikes, counted from 1. `times`: how often it strikes (default: once with
    `nth`, without end otherwise). `probability`: of striking an eligible request, by the seeded generator.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    nth: int | None = None
    times: int | None = None
    probability: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    @classmethod
    def from_json(cls, rule: Mapping[str, Any]) -> Fault:
        """Reads a rule; keys that are not the rule's own become options, so `{"kind": "slow", "delay_ms": 50}` works.

        ValueError when there is no kind; re.error when `path` is no regex.
        """
        if not isinstance(rule.get("kind"), str):
            raise ValueError("a fault needs a kind")
        own = {name: rule.get(name) for name in ("kind", "method", "path", "nth", "times", "probability")}
        options = {name: value for name, value in rule.items() if name not in own and name != "options"}
        options.update(rule.get("options") or {})
        if own["path"] is not None:
            re.compile(str(own["path"]))
        return cls(**own, options=options)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """The rule and how often it was met (`seen`) and struck (`struck`)."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule speaks of this request at all."""
        if self.method is not None and self.method.upper() != method:
            return False
        return self.path is None or re.search(self.path, path) is not None


class Faults:
    """All rules of one sandbox, and the seeded generator behind probabilities."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Fault] = []
        self.weights: dict[str, float] = {}
        self._random = random.Random(seed)

    def add(self, rule: Fault | Mapping[str, Any]) -> Fault:
        """Adds a rule; returns it, so that a test can read `struck`."""
        fault = rule if isinstance(rule, Fault) else Fault.from_json(rule)
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """No more faults: rules and weights are gone. Requests already delayed by `late` still arrive."""
        self.rules.clear()
        self.weights.clear()

    def seed(self, seed: int, weights: Mapping[str, float]) -> None:
        """Random faults on every request: kind -> probability. A status is written `"status:503"`, a delay `"slow:20"`,
        a late arrival `"late:60000"`. A seeded run is repeatable as long as the requests are."""
        self._random = random.Random(seed)
        self.weights = dict(weights)

    def take(self, method: str, path: str) -> list[Fault]:
        """The faults that strike this request, rules first, in the order they were added."""
        struck = [rule for rule in self.rules if self._strikes(rule, method, path)]
        for name in sorted(self.weights):
            # One draw for each kind, struck or not, so that one kind's weight does not reshuffle the others.
            if self._random.random() < self.weights[name]:
                struck.append(_weighted(name))
        return struck

    def _strikes(self, rule: Fault, method: str, path: str) -> bool:
        if not rule.matches(method, path):
            return False
        rule.seen += 1
        if rule.nth is not None and rule.seen < rule.nth:
            return False
        times = rule.times if rule.times is not None else (1 if rule.nth is not None else None)
        if times is not None and rule.struck >= times:
            return False
        if rule.probability is not None and self._random.random() >= rule.probability:
            return False
        rule.struck += 1
        return True


def _weighted(name: str) -> Fault:
    kind, _, detail = name.partition(":")
    option = {"status": "status", "slow": "delay_ms", "late": "late_ms"}.get(kind)
    return Fault(kind, options={option: int(detail)} if option and detail else {})
