"""What a connector's author reads: the interface between the engine and one kind of system.

A connector moves facts and effects; it decides nothing. The engine never asks which vendor it speaks to: whatever is
odd about a system is declared in `Traits`, or stays inside the connector. The rules each connector must keep are
executable: `syncd.contract`.

A connector is any importable module with two names:

    Settings   a pydantic model of the keys that its table in syncd.toml may hold
    connect(settings: Settings, context: Context) -> Connector

It does not log, keep state on disk, read the environment, sleep, or open a connection except through `Context.http`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from syncd.http import Http, Timing

Key = str
Scalar = str | int | float | bool | None
Neutral = Scalar | list[str]
"""A value that the engine asks a connector to write: text, number, truth, a list of choices or keys, or None for blank.
The connector turns it into the wire's own form (HubSpot: `""` clears; Salesforce: `null` does)."""


# ---------------------------------------------------------------- what a system can do


@dataclass(frozen=True, slots=True)
class ObjectTraits:
    """What one object of a system can and cannot do. Honest: a trait that is claimed is tested by the contract."""

    feed: Literal["log", "since", "sweep"]
    """log: every change in order; since: what changed since a stamp; sweep: only by reading everything."""
    deletions: Literal["feed", "tombstone", "reconcile"]
    """feed: `changes` yields gone records; tombstone: `fetch` of a known key tells gone from missing;
    reconcile: only a full walk that no longer shows the key, confirmed by `fetch`."""
    merges: bool = False
    """`changes` or `fetch` tells that a record was merged into another (`Record.state == "merged"`)."""
    precondition: bool = False
    """`Effect.expect_ms` is honoured: the write is refused as *moved* when the record changed since that stamp."""
    history: bool = False
    """`fetch(..., history=True)` gives each attribute's recent writers."""
    answers_values: bool = False
    """A write's answer carries the written attributes as stored: the first sight comes free."""
    key: str | None = None
    """The unique attribute that holds syncd's own key (`Effect.unique`); None where the account has none."""
    forms: tuple[str, ...] = ()
    """Other objects that are a later form of the same record (Lead: `("Contact",)`)."""
    conversions: Mapping[str, str] = field(default_factory=dict)
    """What else a conversion of a record makes or meets: by object, the attribute of the converted record that holds
    its key (Lead: `{"Account": "ConvertedAccountId"}`)."""
    unstamped: tuple[str, ...] = ()
    """Attributes, by name or by a prefix that ends in ".", whose change may move no stamp and show in no feed
    (HubSpot's associations). `fetch` of these alone is cheap: the engine reads them again at an interval."""
    moves_along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By attribute, others that the system may set by itself when that one is written, unless the same write says them
    (HubSpot's close date, set by a closed stage). The engine then says them, as they stand."""
    lists: str = ""
    """What the names of attributes begin with that stand for static lists (`list.` and the list's name): written true,
    the record is in the list; false, it is not. They are only written, and a list that is not there is made. Empty: the
    system has none."""
    grain_ms: int = 1
    """Resolution of `Record.stamp_ms`. Two edits within one grain may share a stamp."""
    read_batch: int = 100
    history_batch: int = 50
    find_batch: int = 100
    create_batch: int = 100
    update_batch: int = 100
    archive_batch: int = 100

    def moves_no_stamp(self, attribute: str) -> bool:
        """Whether a change of this attribute is among what no feed tells (`unstamped`)."""
        return any(attribute == one or (one.endswith(".") and attribute.startswith(one)) for one in self.unstamped)


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit of the vendor's. Several hold at once. `window_s` 0 = concurrent requests."""

    name: str
    limit: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Directory:
    """The object that lists the people who can own records, so that owners are matched by e-mail."""

    object: str
    email: str
    active: str
    """A boolean attribute: may records be given to this owner now?"""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a system can do, per object, and its meters."""

    objects: Mapping[str, ObjectTraits]
    meters: tuple[Meter, ...] = ()
    owners: Directory | None = None
    late_s: float = 300.0
    """How long after an unanswered write it may still land, if the settings do not say otherwise."""
    whole_key: Callable[[Key], Key] = str
    """The one form of a key that people may know in several (Salesforce's ids have 15 or 18 characters): whatever a person
    types is looked for in this form. Anything else comes back as it is."""


@dataclass(frozen=True, slots=True)
class Account:
    """Which account the credentials lead to. `id` is pinned in the ledger; `writer` is who we are in its history."""

    id: str
    name: str
    kind: Literal["production", "sandbox", "test"] = "production"
    writer: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an object, as the system describes it. Lengths in characters; 0 = not limited or not text."""

    name: str
    type: Literal["text", "number", "bool", "date", "datetime", "choice", "choices", "reference", "references", "other"]
    """reference: a record's key (text). references: a sorted list of keys without repeats; none is None."""
    label: str = ""
    length: int = 0
    creatable: bool = True
    updatable: bool = True
    required: bool = False
    """A create without a value for it is refused."""
    instead: tuple[str, ...] = ()
    """Other attributes that say the same: of those that are required, one is enough."""
    unique: bool = False
    restricted: bool = False
    """Only the listed `options` are accepted."""
    options: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    """Objects that a reference may point to; empty where the system does not say."""
    calculated: bool = False
    """May change with no stamp moving."""


@dataclass(frozen=True, slots=True)
class Schema:
    """An object as the system describes it, by attribute name."""

    object: str
    attributes: Mapping[str, Attribute]


# ---------------------------------------------------------------- what a system said


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of an attribute's history, newest first in a `Record`."""

    value: Any
    at_ms: int
    ours: bool
    """Written by the account's integration that we are."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One thing on one side, as the system just said it.

    `attributes` holds only what was asked for *and* known: a name that is absent is unasked or unreadable, None is
    blank. `stamp_ms` is the system's own time of the last change, UTC epoch milliseconds, and never our clock; 0 on a gone record
    where the system does not say when it went.
    """

    key: Key
    stamp_ms: int
    attributes: dict[str, Any]
    state: Literal["live", "gone", "merged", "converted"] = "live"
    into: tuple[str, Key] | None = None
    """(object, key) that a merged or converted record lives on as, one hop."""
    ours: bool = False
    """The last writer of the record, as far as the system tells, is us."""
    history: dict[str, list[Entry]] | None = None


class Page(msgspec.Struct, frozen=True, gc=False):
    """Part of a feed. May be empty, unordered, or repeat records. `cursor` is where to go on once these records are
    kept: opaque JSON text, owned by the connector."""

    records: list[Record]
    cursor: str
    done: bool
    """Nothing more for now."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """A record that `find` met, and the asked value that led to it."""

    value: str
    record: Record


# ---------------------------------------------------------------- what is asked of a system


@dataclass(frozen=True, slots=True)
class Effect:
    """One intended write. `ref` names it in the answer; nothing is matched by position."""

    ref: str
    op: Literal["create", "update", "archive"]
    key: Key | None
    """The record; None for a create."""
    attributes: Mapping[str, Neutral]
    unique: str | None = None
    """syncd's key for this record: written to the `key` attribute, on creates and wherever it is given."""
    expect_ms: int | None = None
    """Refuse as *moved* if the record changed after this stamp (only where the trait says so)."""
    clear_first: tuple[str, ...] = ()
    """Attributes to be cleared in a request of their own before they are set."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one effect.

    sent      applied, says the system (belief comes only with sight)
    refused   definitely not applied, and would be refused again unchanged, unless `again`
    moved     definitely not applied: the record changed since `expect_ms`
    gone      definitely not applied: the record is deleted, merged or converted away
    doubtful  nobody knows yet
    """

    ref: str
    kind: Literal["sent", "refused", "moved", "gone", "doubtful"]
    key: Key | None = None
    stamp_ms: int | None = None
    attributes: Mapping[str, Any] | None = None
    """The written attributes as the answer shows them, where `answers_values`."""
    code: str = ""
    message: str = ""
    """Why, in the system's words with people's values taken out."""
    culprits: tuple[str, ...] = ()
    """Attributes that the refusal names."""
    existing: Key | None = None
    """The record that already holds a value which must be unique."""
    again: bool = False
    """Refused by circumstance (a lock): may succeed later unchanged."""


Held = Callable[[Sequence[Key]], Mapping[Key, int]]
"""Asks the ledger which stamps it already holds, so that a feed of ids need not read unchanged records again."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the shell hands to a connector: everything it may touch of the outside world."""

    system: str
    """Its name in syncd.toml."""
    open_http: Callable[..., Http]
    """Makes the one polite client for this account (see `syncd.http.Http`)."""
    timing: Timing
    secret: Callable[[Any, str], str]
    """Resolves a secret reference (`{env|credential|file}`) named by its setting; raises ConfigError."""
    save_secret: Callable[[str, str], None] = field(default=lambda name, value: None)
    """Keeps a rotated refresh token before it is used."""
    now: Callable[[], float] = field(default=lambda: 0.0)
    """Seconds; for durations only."""


class Connector(Protocol):
    """Eight members. All methods may raise AccessError, Transient (and its kinds); only `changes` raises CursorLost.
    Methods may be called from several threads."""

    @property
    def traits(self) -> Traits: ...

    def identify(self) -> Account:
        """Asks which account this is: one cheap call."""

    def describe(self, object: str) -> Schema:
        """Asks for the object's attributes as *our* credentials see them."""

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        """Yields pages of what changed since `cursor`; None = everything, then on from a place before the start.

        Every page's cursor is safe to keep once the page's records are kept. The last page has `done`. Nothing that
        changed is skipped, whatever shares a stamp, moves while being read or commits late within the overlap;
        repeats are allowed. A record whose stamp `held` already knows may be left out where values cost a call.
        """

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        """Reads records by key, from the system of truth (never from a lagging index). Without attributes it is only asked
        who is there.

        A key that answers as another record yields `Record(key=asked, state="merged", into=...)` and that other
        record. `gone` only on positive evidence; a key that is merely not answered yields nothing.
        """

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """Looks records up by the values of one attribute, consistently where the system can; blank values match
        nothing. Converted records are reported with their state."""

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        """Carries out effects of one `op`, at most a batch of them, and answers each by its `ref`, exactly once.

        Never repeats a write whose fate is unknown: that is *doubtful*. A write that left and was not answered is
        doubtful even when it is probably lost. Raises only if nothing of the batch was carried out.
        """

    def close(self) -> None:
        """Ends connections. Safe to call twice."""
