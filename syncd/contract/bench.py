"""How the contract acts on a system from outside: as a person in it, and on its clock, its network, its index.

Its one promise: what a bench cannot do, it does not have. A rule names what it needs; a method that a bench does not
override is an ability it lacks, and the rule is then skipped with that reason, never half tested.
It checks nothing itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.connector import Connector, Effect, Key, Neutral, ObjectTraits, Outcome, Schema


@dataclass(frozen=True, slots=True)
class Pointer:
    """An attribute that refers to records of another object, and what such a record is created with."""

    attribute: str
    object: str
    text: str
    """A text attribute of that object, which gets a value that nobody else has."""
    row: Mapping[str, Neutral] = field(default_factory=dict)
    """What a record of that object needs beside it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that is tested, and which of its attributes may be played with."""

    object: str
    text: str
    """A plain text attribute that we may write, at least 40 characters long."""
    second: str
    """Another one."""
    base: Mapping[str, Neutral] = field(default_factory=dict)
    """What every record must be created with, the two texts aside."""
    email: str | None = None
    """The attribute by which people are looked up."""
    samples: Mapping[str, Neutral] = field(default_factory=dict)
    """Values of several types that must come back as they were written."""
    choices: tuple[str, tuple[str, ...]] | None = None
    """An attribute that takes several of a list at once, and two of its options."""
    restricted: str | None = None
    """An attribute that takes only its options."""
    forward: tuple[str, Neutral, Neutral] | None = None
    """An attribute that moves only forward unless it is cleared: its name, an early and a late value."""
    along: tuple[str, Neutral, Neutral, str, Neutral] | None = None
    """An attribute that sets another one by itself when it is written: its name, a value to begin with, the value that
    does so, the other's name, and a value that the system would not choose."""
    reference: Pointer | None = None
    """An attribute that holds one record's key."""
    references: Pointer | None = None
    """An attribute that holds a list of keys."""
    missing: Key | None = None
    """A well-formed key that no record ever had. None: where keys are numbers, one is made up."""
    crowd: int = 12
    """How many records make the feed turn at least two pages."""

    @classmethod
    def guess(cls, schema: Schema, traits: ObjectTraits, prefer: Sequence[str] = ()) -> Subject:
        """A subject picked from a description, for a live account, the `prefer`red attributes first (those of the
        mapping, which are known to be free to write); raises ValueError where nothing fits."""
        ours = {traits.key}
        attributes = sorted(schema.attributes.values(), key=lambda each: each.name not in prefer)
        texts = [
            each.name
            for each in attributes
            if each.type == "text" and each.creatable and each.updatable and not each.unique and not each.restricted
            if each.name not in ours and (each.length == 0 or each.length >= 40) and not _looks_bent(each.name)
        ]
        if len(texts) < 2:
            raise ValueError(f"{schema.object} has no two plain text attributes to test with")
        base = {
            each.name: each.options[0] if each.options else "syncd contract"
            for each in schema.attributes.values()
            if each.required and each.creatable and each.name not in texts[:2]
        }
        emails = [name for name, each in schema.attributes.items() if "email" in name.lower() and each.type == "text"]
        return cls(schema.object, texts[0], texts[1], base, min(emails, key=len, default=None))


def _looks_bent(name: str) -> bool:
    """Names whose values systems like to check or to rewrite."""
    return any(word in name.lower() for word in ("mail", "phone", "fax", "domain", "url", "web", "country", "state"))


class Bench:
    """A bench that can do nothing: for an account that must not be touched. Override what yours can do."""

    # Acting as a person who works in the system, not as our integration.

    def create(self, object: str, rows: Sequence[Mapping[str, Neutral]]) -> list[Key]:
        """Makes records; returns their keys in the order of the rows."""
        raise NotImplementedError

    def edit(self, object: str, key: Key, values: Mapping[str, Neutral]) -> None:
        """Changes attributes of a record."""
        raise NotImplementedError

    def edit_together(self, object: str, keys: Sequence[Key], values: Mapping[str, Neutral]) -> None:
        """Changes many records so that all of them carry the same stamp; the next `edit_together` shares it too,
        until time passes."""
        raise NotImplementedError

    def delete(self, object: str, key: Key) -> None:
        """Deletes a record so that it could be restored."""
        raise NotImplementedError

    def restore(self, object: str, key: Key) -> None:
        """Brings a deleted record back."""
        raise NotImplementedError

    def purge(self, object: str, key: Key) -> None:
        """Removes a record for good."""
        raise NotImplementedError

    def merge(self, object: str, winner: Key, loser: Key) -> Key:
        """Merges two records; returns the key that lives on."""
        raise NotImplementedError

    def convert(self, object: str, key: Key) -> tuple[str, Key]:
        """Turns a record into its later form; returns (object, key) of it."""
        raise NotImplementedError

    def hide(self, object: str, key: Key) -> None:
        """Takes a record out of our credentials' sight, as a sharing rule does."""
        raise NotImplementedError

    def hide_attribute(self, object: str, name: str) -> None:
        """Takes an attribute out of our credentials' sight, as a permission or its removal does."""
        raise NotImplementedError

    # Looking behind the connector's back.

    def live(self, object: str) -> set[Key]:
        """The keys of all live records that our credentials may see."""
        raise NotImplementedError

    def writes(self) -> int:
        """How many write requests reached the system so far, answered or not."""
        raise NotImplementedError

    def tokens(self) -> int:
        """How many access tokens were asked for so far."""
        raise NotImplementedError

    def now_ms(self) -> int:
        """The system's own clock, UTC epoch milliseconds."""
        raise NotImplementedError

    def secrets(self) -> Sequence[str]:
        """Every secret that the connector was given or holds."""
        raise NotImplementedError

    def connect(self) -> Connector:
        """One more connection, which the caller closes."""
        raise NotImplementedError

    # Steering the system.

    def advance(self, seconds: float) -> None:
        """Lets the system's time pass."""
        raise NotImplementedError

    def lag(self, seconds: float) -> None:
        """From now on, the index behind feeds and look-ups knows of a change only after this time."""
        raise NotImplementedError

    def lose_answer(self, *, applied: bool) -> None:
        """The next write request is not answered: either it was carried out before, or it never will be."""
        raise NotImplementedError

    def refuse_writes(self, after: int) -> None:
        """After that many more write requests, each one is turned away as too fast, surely not carried out."""
        raise NotImplementedError

    def expire_token(self) -> None:
        """The access token in use is no longer good."""
        raise NotImplementedError

    def calm(self) -> None:
        """Ends whatever was steered: lag, faults, a stopped clock, hidden attributes."""

    def settle(self) -> None:
        """Waits until feeds and look-ups know of everything that happened."""

    def clean(self, object: str, keys: Sequence[Key]) -> None:
        """Removes what the rules made. Those that are gone already are passed over."""

    def can(self, ability: str) -> bool:
        """Whether this bench overrides that method."""
        return getattr(type(self), ability) is not getattr(Bench, ability)


class OwnHands(Bench):
    """The bench of a live account that is declared a test account: the connector itself stands in for a person."""

    def __init__(self, connector: Connector, wait: Callable[[], None] = lambda: None) -> None:
        """`wait`: sleeps as long as the account's index may lag behind a write."""
        self._connector = connector
        self._wait = wait

    def settle(self) -> None:
        """Waits for the index."""
        self._wait()

    def create(self, object: str, rows: Sequence[Mapping[str, Neutral]]) -> list[Key]:
        """Creates through `write`, a batch at a time."""
        effects = [Effect(str(at), "create", None, row) for at, row in enumerate(rows)]
        return [str(outcome.key) for outcome in self._write(object, effects)]

    def edit(self, object: str, key: Key, values: Mapping[str, Neutral]) -> None:
        """Updates through `write`."""
        self._write(object, [Effect("0", "update", key, values)])

    def delete(self, object: str, key: Key) -> None:
        """Archives through `write`."""
        self._write(object, [Effect("0", "archive", key, {})])

    def clean(self, object: str, keys: Sequence[Key]) -> None:
        """Archives what is left."""
        for key in keys:
            with contextlib.suppress(RuntimeError):
                self.delete(object, key)

    def _write(self, object: str, effects: Sequence[Effect]) -> list[Outcome]:
        traits = self._connector.traits.objects[object]
        size = min(traits.create_batch, traits.update_batch, traits.archive_batch)
        outcomes: dict[str, Outcome] = {}
        for start in range(0, len(effects), size):
            outcomes |= {each.ref: each for each in self._connector.write(object, effects[start : start + size])}
        refused = [each for each in outcomes.values() if each.kind != "sent"]
        if refused or len(outcomes) < len(effects):
            why = refused[0].code if refused else "no answer"
            raise RuntimeError(f"{object}: the contract's own write was not carried out: {why}")
        return [outcomes[effect.ref] for effect in effects]
