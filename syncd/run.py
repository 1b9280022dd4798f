"""One run: the tools that its steps share, and what they tally.

A run is what one command or one timer tick does. The steps (poll, decide, write, confirm, recover) take it and touch
the world only through it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syncd.assembly import Connected
from syncd.core.derived import NURTURE_LIST
from syncd.core.guard import Limits
from syncd.core.mapping import FUNNEL_SAYS, Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.merge import Pair, pairs
from syncd.core.model import SIDES, Lookup, Side
from syncd.core.plan import Moves
from syncd.core.watch import Watch
from syncd.ledger import Ledger
from syncd.ledger.journal import Note
from syncd.ledger.links import Link

if TYPE_CHECKING:
    from syncd.answers import Answered
    from syncd.funnel.derived import Derived
    from syncd.rollups import Roll

Event = Callable[..., None]
"""`event(name, **facts)`: one structured line; never a person's value."""


OPS = ("create", "update", "archive")
OUTCOMES = ("sent", "refused", "moved", "gone", "doubtful")


@dataclass
class Tally:
    """What a run did for one mapping, as `once --json` tells it."""

    read: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    writes: dict[str, Counter[str]] = field(default_factory=lambda: {side: Counter() for side in SIDES})
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """creates, updates, clears, deletes: what the guards of the next 24 hours count."""
    held: bool = False
    waiting: int = 0
    again: int = 0
    """Records that the next cycle decides again: something moved under our hands."""
    waiting_for: int = 0
    """Creates that wait until somebody whom their record refers to is linked."""
    stuck: bool = False
    """Nothing was decided until a person mends something."""
    skipped: str = ""
    """Why nothing was decided: a side that cannot be read is never "0 changes"."""

    watch: bool = False
    """It is a watch's: `moved` counts events."""

    def as_json(self, issues: int) -> dict[str, Any]:
        return {
            "read": {side: self.read[side] for side in SIDES},
            "moved": self.moved,
            "writes": {side: {op: counts[op] for op in OPS} for side, counts in self.writes.items()},
            "outcomes": {kind: self.outcomes[kind] for kind in OUTCOMES},
            "issues": issues,
            "held": self.held,
            "waiting": self.waiting,
            "again": self.again,
            "waiting_for_others": self.waiting_for,
            **({"skipped": self.skipped} if self.skipped else {}),
            **({"kind": "watch"} if self.watch else {}),
        }


@dataclass
class Run:
    """The tools of one run."""

    ledger: Ledger
    systems: Mapping[str, Connected]
    now: Callable[[], float]
    event: Event
    limits: Limits
    wanted: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """The attributes that this run's mappings need, by (system, object)."""
    sleep: Callable[[float], None] = time.sleep
    since_rev: int = 0
    """The newest revision of the facts when the run began."""
    read_at: float = 0.0
    """When the run had read its feeds."""
    id: int | None = None
    hinted: set[tuple[str, str]] = field(default_factory=set)
    """(system, object) that did not look as they were described."""
    alone: set[tuple[int, str]] = field(default_factory=set)
    """Records (object, key) whose writes were doubtful again and again: each goes in a call of its own."""
    stop: Callable[[], bool] = lambda: False
    """Asked between batches: true once the process was told to stop."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    watches: tuple[Watch, ...] = ()
    """The watches of this run."""
    rolls: tuple[Roll | Answered, ...] = ()
    """The roll-ups that mappings in force use."""
    derived: Derived | None = None
    """What they ask the funnel for."""

    def attributes(self, system: str, object: str) -> tuple[str, ...]:
        return self.wanted[system, object]

    def tally(self, mapping: str) -> Tally:
        return self.tallies.setdefault(mapping, Tally())

    def note(self, notes: list[Note]) -> None:
        """Writes journal entries under this run."""
        self.ledger.journal.write(notes, self.now(), self.id)


Sides = Mapping[Side, Mapping[int, str]]
"""A mapping's objects: by side, number and form."""
Parents = Mapping[str, Sides]
"""Those of the mappings that references follow, by name."""


def parents_of(ledger: Ledger, mapping: Compiled, others: Mapping[str, Compiled]) -> Parents:
    """The mappings that this one refers to, as far as there are such."""
    return {
        one.reference.mapping: {
            side: {ledger.facts.object_id(end.system, form): form for form in end.forms}
            for side in SIDES
            for end in [parent.end(side)]
        }
        for one in mapping.references
        if one.reference is not None
        if (parent := others.get(one.reference.mapping)) is not None
    }


@dataclass
class Bench:
    """One mapping laid out for a run: its forms numbered, its field pairs made, its owners bound."""

    mapping: Compiled
    forms: dict[int, tuple[Side, str]]
    """Object number -> side and form."""
    systems: dict[Side, Connected]
    account: dict[Side, str]
    fields: dict[str, Field]
    references: tuple[Field, ...] = ()
    """The fields that point to records of other mappings."""
    parents: Parents = field(default_factory=dict)
    """The mappings that these follow: their objects by side, number and form."""
    back: frozenset[str] = frozenset()
    """Of those, the ones that are decided later: for them nobody waits."""
    stuck: str = ""
    """Why nothing of it can go on, until a person mends something; empty: it can."""
    gone_held: frozenset[int] = frozenset()
    """Objects of which too much vanished at once: nothing is concluded from it."""
    _pairs: dict[tuple[int, int], tuple[Pair, ...]] = field(default_factory=dict)
    _named: dict[tuple[int, int], dict[str, Pair]] = field(default_factory=dict)

    @classmethod
    def lay(
        cls,
        run: Run,
        mapping: Compiled,
        others: Mapping[str, Compiled] | None = None,
        back: frozenset[str] = frozenset(),
        stuck: str = "",
    ) -> Bench:
        """`others`: every mapping by name; `back`: those it refers to that are decided after it."""
        forms: dict[int, tuple[Side, str]] = {}
        systems: dict[Side, Connected] = {}
        account: dict[Side, str] = {}
        for side in SIDES:
            end = mapping.end(side)
            systems[side] = run.systems[end.system]
            known = run.ledger.books.account(end.system)
            account[side] = known[0] if known else ""
            for form in end.forms:
                forms[run.ledger.facts.object_id(end.system, form)] = (side, form)
        references = mapping.references
        parents = parents_of(run.ledger, mapping, others or {})
        fields = {field.name: field for field in mapping.fields}
        return cls(mapping, forms, systems, account, fields, references, parents, back, stuck)

    @property
    def told(self) -> frozenset[str]:
        """The fields that the funnel tells, one way."""
        told = {field.name for field in self.mapping.fields for of, _ in field.rolled.values() if of in FUNNEL_SAYS}
        return frozenset({*told, NURTURE_LIST})

    def knowing(self, lookups: Mapping[str, Lookup]) -> Bench:
        """The same bench with its references bound to what one batch refers to."""
        mapping = self.mapping.knowing(lookups)
        return replace(
            self,
            mapping=mapping,
            fields={field.name: field for field in mapping.fields},
            references=mapping.references,
            _pairs={},
            _named={},
        )

    def whole_key(self, side: Side, key: str) -> str:
        """A key as a person typed it, in the one form that its system knows it by."""
        return self.systems[side].connector.traits.whole_key(key)

    def objects(self, side: Side) -> list[int]:
        """The object numbers of one side, first form first."""
        return [object_ for object_, (of, _) in self.forms.items() if of == side]

    def side(self, object: int) -> Side:
        return self.forms[object][0]

    def form(self, object: int) -> str:
        return self.forms[object][1]

    def field(self, name: str) -> Field:
        """The field of that name (KeyError if there is none)."""
        return self.fields[name]

    def rank(self, object: int) -> int:
        """0 for a side's first form, rising for the later ones."""
        return self.objects(self.side(object)).index(object)

    def key_attribute(self, object: int) -> str | None:
        """Where syncd's key stands on that form, if its account has a place for it."""
        side, form = self.forms[object]
        return self.systems[side].traits(form).key

    def pairs(self, marketing: int, crm: int) -> tuple[Pair, ...]:
        found = self._pairs.get((marketing, crm))
        if found is None:
            found = pairs(self.mapping, self.form(marketing), self.form(crm))
            self._pairs[(marketing, crm)] = found
        return found

    def moves(self, link: Link) -> Moves:
        """What each side's system may set by itself with the attributes of this link's records."""
        return {side: self.systems[side].traits(self.form(link.end(side).object)).moves_along for side in SIDES}

    def pair(self, marketing: int, crm: int, field: str) -> Pair | None:
        """A field under its names in these two forms; None where one of them does not have it."""
        found = self._named.get((marketing, crm))
        if found is None:
            found = {pair.field.name: pair for pair in self.pairs(marketing, crm)}
            self._named[marketing, crm] = found
        return found.get(field)

    def key_of(self, side: Side, object: int, key: str) -> str:
        """syncd's key for a record: says nothing about the person, and is the same whoever asks.

        A later form of a record keeps the name of its first form out of it: the record's own key is unique enough.
        """
        return f"{self.mapping.end(side).system}:{self.account[side]}:{self.form(object)}:{key}"
