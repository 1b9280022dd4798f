"""An in-memory system: records, stamps, history, and people who work in it.

Its one promise: everything a remote may do to a record, a test can do here in one call, at a time that the test
chooses, and nothing happens by chance. People obey the system's rules (`Refusal` is raised); the credentials' own
limits (read-only attributes, hidden records) do not bind them.

It knows no connector and no engine. Stamps are the store's own: the clock cut to the object's grain, and never
earlier than the record's last one, even if the clock is set back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from connectors.memory.faults import Fault, Faults, Manners
from connectors.memory.items import Call, Change, Item, Mark, Write
from connectors.memory.kinds import Kind, Refusal
from syncd.connector import Account, Attribute, Directory, Key, Meter

EPOCH_MS = 1_800_000_000_000
"""Where a new store's clock stands: 2027-01-15, a round number that no real clock shows while tests are written."""


@dataclass(slots=True)
class _Late:
    due_ms: int
    land: Callable[[], object]


@dataclass(slots=True, weakref_slot=True)
class Store:
    """One system in memory. Every method is one step that no other thread sees half of."""

    kinds: dict[str, Kind]
    account: Account = field(default_factory=lambda: Account("memory", "Memory", "test", writer="syncd"))
    step_ms: int = 1
    """How far the clock moves by itself before each change; 0 lets changes share a stamp."""
    meters: tuple[Meter, ...] = ()
    owners: Directory | None = None
    late_s: float = 300.0
    whole_key: Callable[[Key], Key] = str
    """The one form of a key that people may know in several."""
    writes: list[Write] = field(default_factory=list)
    """What was applied through connectors, in order."""
    calls: list[Call] = field(default_factory=list)
    """What connectors asked, in order."""
    faults: Faults = field(default_factory=Faults)
    items: dict[str, dict[Key, Item]] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    log_starts: int = 0
    """Changes with a smaller `seq` are forgotten: a cursor that is older is lost."""
    _manners: dict[str, Manners] = field(default_factory=dict)
    _now_ms: int = EPOCH_MS
    _seq: int = 0
    _next_key: int = 100
    _late: list[_Late] = field(default_factory=list)
    _holders: dict[tuple[str, str, Any], Key] = field(default_factory=dict)
    """Who last got a value of a unique attribute; whether it still holds, `holder` looks."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, *kinds: Kind, **settings: Any) -> Store:
        """A store of these kinds of objects, empty."""
        return cls({kind.name: kind for kind in kinds}, **settings)

    def __post_init__(self) -> None:
        for name in self.kinds:
            self.items.setdefault(name, {})

    # ------------------------------------------------------------ time

    @property
    def now_ms(self) -> int:
        """The store's clock, UTC epoch milliseconds. Setting it lands what is due by then."""
        return self._now_ms

    @now_ms.setter
    def now_ms(self, now_ms: int) -> None:
        with self._lock:
            # One at a time: what lands moves the clock itself, and lands what is due by then.
            while due := [each for each in self._late if each.due_ms <= now_ms]:
                late = min(due, key=lambda each: each.due_ms)
                self._late.remove(late)
                self._now_ms = max(self._now_ms, late.due_ms)
                late.land()
            self._now_ms = now_ms

    def advance(self, ms: int) -> None:
        """Moves the clock on."""
        self.now_ms += ms

    def later(self, in_ms: int, land: Callable[[], object]) -> None:
        """Does something when the clock has moved by `in_ms`."""
        self._late.append(_Late(self._now_ms + in_ms, land))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Several steps that no other thread sees half of."""
        with self._lock:
            yield

    # ------------------------------------------------------------ looking, as a test does

    def keys(self, object: str, state: str = "live") -> list[Key]:
        """The keys of the records in this state, in the order in which they were made."""
        return [item.key for item in self.items[object].values() if item.state == state]

    def item(self, object: str, key: Key) -> Item:
        """The record, whatever its state; raises KeyError if there never was one."""
        return self.items[object][key]

    def values(self, object: str, key: Key) -> dict[str, Any]:
        """The record's values by attribute."""
        return dict(self.item(object, key).values)

    def holder(self, object: str, name: str, value: Any, but: Key | None = None) -> Key | None:
        """The record that holds this value of a unique attribute, letters' case aside. A converted one still does."""
        key = self._holders.get((object, name, fold(value)))
        item = self.items[object].get(key) if key is not None else None
        if (
            item is None
            or item.state not in ("live", "converted")
            or item.key == but
            or fold(item.values[name]) != fold(value)
        ):
            return None
        return key

    @property
    def newest(self) -> int:
        """The number of the last change."""
        return self._seq

    # ------------------------------------------------------------ how it behaves

    def manners(self, object: str) -> Manners:
        """How the object's feed behaves, to be read or changed."""
        return self._manners.setdefault(object, Manners())

    def claim(self, object: str, **traits: Any) -> None:
        """Changes the object's traits and settings (see `Kind.having`)."""
        self.kinds[object] = self.kinds[object].having(**traits)

    def fault(self, kind: Any, **about: Any) -> Fault:
        """Something shall go wrong (see `Fault`); returns the rule, which strikes once unless `times` says else."""
        fault = Fault(kind, **about)
        self.faults.standing.append(fault)
        return fault

    def forget_log(self) -> None:
        """Drops the change log: every cursor of a `log` feed is lost."""
        self.log_starts = self._seq + 1
        self.log.clear()

    # ------------------------------------------------------------ acting, as a person or for the connector

    def create(
        self, object: str, values: Mapping[str, Any] | None = None, *, by: str = "person", key: Key | None = None
    ) -> Key:
        """Makes a record and returns its key."""
        with self._lock:
            kind = self.kinds[object]
            admitted = self._admit(kind, values or {}, by, creating=True, key=None)
            missing = [name for name, each in kind.attributes.items() if each.required and admitted.get(name) is None]
            if missing:
                raise Refusal("REQUIRED", f"{object} needs {', '.join(missing)}", missing)
            admitted |= _along(kind, admitted, admitted)
            now_ms = self._step(kind)
            if key is None:
                self._next_key += 1
                key = str(self._next_key)
            item = Item(object, key, dict.fromkeys(kind.attributes), now_ms, now_ms, by)
            self.items[object][key] = item
            for name, value in admitted.items():
                if kind.takes(name, None, value):
                    self._set(item, name, value, now_ms, by)
            self._tell(item)
            return key

    def edit(self, object: str, key: Key, values: Mapping[str, Any], *, by: str = "person") -> int:
        """Changes the named attributes of a live record; returns its stamp."""
        with self._lock:
            kind, item = self.kinds[object], self._live(object, key)
            admitted = self._admit(kind, values, by, creating=False, key=key)
            changed = {
                name: value
                for name, value in admitted.items()
                if value != item.values[name] and kind.takes(name, item.values[name], value)
            }
            changed |= _along(kind, changed, admitted)
            emptied = [name for name, value in changed.items() if value is None and kind.attributes[name].required]
            if emptied:
                raise Refusal("REQUIRED", f"{object} needs {', '.join(emptied)}", emptied)
            if changed or not kind.quiet_when_same:
                silent = bool(values) and all(map(kind.traits.moves_no_stamp, values))
                now_ms = self._step(kind) if silent else self._touch(item, by)
                for name, value in changed.items():
                    self._set(item, name, value, now_ms, by)
            return item.stamp_ms

    def touch(self, object: str, key: Key, *, by: str = "automation") -> int:
        """Moves the stamp and nothing else, as automation does; returns it."""
        with self._lock:
            self._touch(self._live(object, key), by)
            return self.item(object, key).stamp_ms

    def recalculate(self, object: str, key: Key, name: str, value: Any) -> None:
        """Changes a value without moving the stamp or telling the feed, as formulas do."""
        with self._lock:
            self.item(object, key).values[name] = value

    def delete(self, object: str, key: Key, *, by: str = "person") -> None:
        """Deletes a record so that `restore` can bring it back."""
        with self._lock:
            item = self._live(object, key)
            item.state = "gone"
            self._touch(item, by)

    def restore(self, object: str, key: Key, *, by: str = "person") -> None:
        """Brings a deleted record back under its key."""
        with self._lock:
            item = self.item(object, key)
            if item.state != "gone":
                raise Refusal("NOT_DELETED", f"{object} {key} is {item.state}")
            self._admit(self.kinds[object], item.values, by, creating=False, key=key)
            item.state = "live"
            self._index(item)
            self._touch(item, by)

    def purge(self, object: str, key: Key, *, by: str = "person") -> None:
        """Removes a record and every value of it: afterwards the key is merely unknown."""
        with self._lock:
            item = self.item(object, key)
            was = item.state
            item.values, item.marks = dict.fromkeys(item.values), {}
            item.state = "purged"
            if was == "live":
                self._touch(item, by)

    def hide(self, object: str, key: Key) -> None:
        """Takes a record out of our credentials' sight. No stamp moves."""
        self.item(object, key).hidden = True

    def show(self, object: str, key: Key) -> None:
        """Gives it back to our sight. No stamp moves."""
        self.item(object, key).hidden = False

    def merge(self, object: str, winner: Key, loser: Key, *, by: str = "person") -> Key:
        """Merges two live records: the winner's values, its blanks filled by the loser's. Returns the key that
        lives on: the winner's, or a new one (`Kind.merge_makes_new`)."""
        with self._lock:
            kind, first, second = self.kinds[object], self._live(object, winner), self._live(object, loser)
            values = {name: second.values[name] if value is None else value for name, value in first.values.items()}
            losers = [first, second] if kind.merge_makes_new else [second]
            for item in losers:
                item.state = "merged"
            if kind.merge_makes_new:
                survivor = self.create(object, values, by=by)
            else:
                survivor = winner
                self.edit(object, winner, values, by=by)
            for item in losers:
                item.into = (object, survivor)
                self._touch(item, by)
            self._repoint(object, {item.key for item in losers}, survivor)
            return survivor

    def convert(
        self,
        object: str,
        key: Key,
        *,
        into: str | None = None,
        onto: Key | None = None,
        made: Mapping[str, Key] | None = None,
        by: str = "person",
    ) -> tuple[str, Key]:
        """Turns a record into its later form (a Lead into a Contact): a new one, or `onto` one that exists, whose
        blanks it fills. Returns (object, key) of it. The record stays readable as `converted`, and names what else the
        conversion `made` or met, by object (`ObjectTraits.conversions`)."""
        with self._lock:
            kind, item = self.kinds[object], self._live(object, key)
            form = into or kind.traits.forms[0]
            names = kind.becomes.get(form, {})
            values = {names.get(name, name): value for name, value in item.values.items() if value is not None}
            values = {name: value for name, value in values.items() if name in self.kinds[form].attributes}
            if onto is None:
                onto = self.create(form, values, by=by)
            else:
                held = self.item(form, onto).values
                self.edit(form, onto, {name: each for name, each in values.items() if held[name] is None}, by=by)
            for object_, made_key in (made or {}).items():
                item.values[kind.traits.conversions[object_]] = made_key
            item.state, item.into = "converted", (form, onto)
            self._touch(item, by)
            return form, onto

    # ------------------------------------------------------------ what all of these are made of

    def _live(self, object: str, key: Key) -> Item:
        item = self.items[object].get(key)
        if item is None or item.state != "live":
            raise Refusal("NOT_LIVE", f"{object} {key} is {item.state if item else 'unknown'}")
        return item

    def _admit(
        self, kind: Kind, values: Mapping[str, Any], by: str, *, creating: bool, key: Key | None
    ) -> dict[str, Any]:
        by_api = by == self.account.writer
        admitted = {}
        for name, value in values.items():
            admitted[name] = kind.admit(name, value, creating=creating, by_api=by_api)
            if kind.attributes[name].refers and admitted[name] is not None:
                self._check_references(kind.attributes[name], admitted[name])
            if kind.attributes[name].unique and admitted[name] is not None:
                holder = self.holder(kind.name, name, admitted[name], but=key)
                if holder is not None:
                    raise Refusal("NOT_UNIQUE", f"another {kind.name} holds this {name}", [name], holder)
        return admitted

    def _check_references(self, attribute: Attribute, value: Any) -> None:
        """A reference points to a live record of one of the objects it may point to, as far as these are known."""
        known = [name for name in attribute.refers if name in self.items]
        for key in value if isinstance(value, list) else [value]:
            if known and not any(key in self.items[name] and self.items[name][key].state == "live" for name in known):
                raise Refusal("NO_SUCH_RECORD", f"{attribute.name} points to no live record", [attribute.name])

    def _repoint(self, object: str, losers: set[Key], survivor: Key) -> None:
        """References to merged records lead to the one that lives on, and no stamp moves for it."""
        for name, kind in self.kinds.items():
            for attribute in kind.attributes.values():
                if object not in attribute.refers:
                    continue
                for item in self.items[name].values():
                    value = item.values[attribute.name]
                    if isinstance(value, list) and losers & set(value):
                        item.values[attribute.name] = sorted({survivor if key in losers else key for key in value})
                    elif isinstance(value, str) and value in losers:
                        item.values[attribute.name] = survivor

    def _step(self, kind: Kind) -> int:
        self.now_ms += self.step_ms
        return self._now_ms - self._now_ms % kind.traits.grain_ms

    def _touch(self, item: Item, by: str) -> int:
        item.stamp_ms = max(item.stamp_ms, self._step(self.kinds[item.object]))
        item.by = by
        self._tell(item)
        return item.stamp_ms

    def _set(self, item: Item, name: str, value: Any, at_ms: int, by: str) -> None:
        item.values[name] = value
        item.marks.setdefault(name, []).insert(0, Mark(value, at_ms, by))
        self._index(item, name)

    def _index(self, item: Item, *names: str) -> None:
        attributes = self.kinds[item.object].attributes
        for name in names or attributes:
            if attributes[name].unique:
                self._holders[item.object, name, fold(item.values[name])] = item.key

    def _tell(self, item: Item) -> None:
        self._seq += 1
        self.log.append(Change(self._seq, item.object, item.key, self._now_ms, item.stamp_ms))


def _along(kind: Kind, changed: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What the system sets by itself with these changes, of what the edit does not say."""
    return {other: value for name, (other, value) in kind.along.items() if name in changed and other not in said}


def fold(value: Any) -> Any:
    """A value as uniqueness and look-ups compare it: letters' case aside."""
    return value.casefold() if isinstance(value, str) else value


class Shelf:
    """Stores by name, so that a table in syncd.toml can name one of this process. It keeps none of them alive."""

    def __init__(self) -> None:
        self._stores: WeakValueDictionary[str, Store] = WeakValueDictionary()

    def put(self, name: str, store: Store) -> Store:
        """Makes the store known under a name, in place of an earlier one; returns it."""
        self._stores[name] = store
        return store

    def take(self, name: str) -> Store | None:
        """The store of that name, if somebody still holds it."""
        return self._stores.get(name)


SHELF = Shelf()
"""The one piece of shared state in this package: a connector is named in a file, and a file cannot hold a store."""
