"""The organisation: its schema, rows, clock, switches and cast, in one place.

Promise: a plain holder. What may be done to it stands in the modules that take it as their first argument.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from connectors.salesforce.sandbox.agenda import Agenda
from connectors.salesforce.sandbox.catalogue import Catalogue
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.ids import Mint, id18
from connectors.salesforce.sandbox.objects import OBJECTS
from connectors.salesforce.sandbox.store import Row, Store, Table
from connectors.salesforce.sandbox.switches import Switches
from syncd.sandbox.clock import Clock

ORG_ID = id18("00D5g000004SYNC")
NEWEST_API = 68
FOUNDED_AGO_S = 365 * 86_400
"""How long the org and its cast have been there."""


@dataclass
class Cast:
    """Ids of the people and queues that the demo world counts on."""

    integration: str = ""
    """The API user: every REST write is theirs."""
    automation: str = ""
    admin: str = ""
    queue: str = ""
    record_types: dict[str, str] = field(default_factory=dict)
    """Object -> its default record type."""


@dataclass
class Org:
    """One organisation."""

    clock: Clock
    chance: random.Random
    catalogue: Catalogue
    store: Store
    mint: Mint
    switches: Switches = field(default_factory=Switches)
    agenda: Agenda = field(default_factory=Agenda)
    cast: Cast = field(default_factory=Cast)
    hidden: set[str] = field(default_factory=set)
    """Ids that sharing keeps from the API user."""
    pending: dict[str, tuple[str, Row]] = field(default_factory=dict)
    """Changes that are stamped but not committed yet: id -> (object, row). The record is locked until then."""
    purged: list[tuple[str, str, int]] = field(default_factory=list)
    """(object, id, deletion stamp) of what left the recycle bin."""
    bin_emptied_s: int = 0
    """When the recycle bin was last emptied: the delete log reaches back no further."""

    @classmethod
    def empty(cls, clock: Clock, seed: int) -> Org:
        """An org with a schema and nobody in it."""
        chance = random.Random(seed)
        founded_s = clock.now_ms() // 1000 - FOUNDED_AGO_S
        return cls(clock, chance, Catalogue(OBJECTS, founded_s), Store(OBJECTS), Mint(chance))

    @property
    def org_id(self) -> str:
        """The organisation's 18-character id."""
        return self.switches.org_id or ORG_ID

    def now_s(self) -> int:
        """The moment that stamps get."""
        return self.clock.now_ms() // 1000

    def table(self, name: str) -> Table:
        """An object's rows."""
        return self.store.table(name)

    def row(self, key: str | None) -> Row | None:
        """The row of an id, of whatever object, deleted or not."""
        name = self.catalogue.object_of(key) if key else None
        if name is None or key is None:
            return None
        return self.table(name).rows.get(key)

    def whole(self, name: str) -> ObjectType:
        """An object with all fields."""
        return self.catalogue.whole(name)

    def seen_row(self, kind: ObjectType, key: str) -> Row | None:
        """A row that the API user may see, deleted or not."""
        row = self.table(kind.name).rows.get(key)
        return None if row is None or key in self.hidden else row
