"""What the connector's table in syncd.toml may hold: the name of a store in this process, or a whole small system.

    [systems.crm]
    connector = "connectors.memory"
    account   = "acme"
    [systems.crm.objects.Lead]
    attributes = { Email = "text lower", LastName = "text required length=80" }
    records    = [{ Email = "ada@example.test", LastName = "Lovelace" }]

It makes one store a connection: what is written inline is gone with the connection.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.memory.connector import MemoryConnector
from connectors.memory.kinds import Kind
from connectors.memory.store import SHELF, Store
from syncd.connector import Account, Context, ObjectTraits
from syncd.errors import ConfigError


class ObjectSettings(BaseModel):
    """One object of an inline system. The traits are those of `syncd.connector.ObjectTraits`."""

    model_config = ConfigDict(extra="forbid")

    attributes: dict[str, str]
    """Each attribute in a line of words: `"text unique lower length=80"`, `"choice restricted (Hot, Cold)"`."""
    records: list[dict[str, Any]] = Field(default_factory=list)
    feed: Literal["log", "since", "sweep"] = "log"
    deletions: Literal["feed", "tombstone", "reconcile"] = "feed"
    merges: bool = True
    precondition: bool = False
    history: bool = False
    answers_values: bool = False
    key: str | None = None
    forms: tuple[str, ...] = ()
    conversions: dict[str, str] = Field(default_factory=dict)
    unstamped: tuple[str, ...] = ()
    moves_along: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    grain_ms: int = Field(1, ge=1)

    def kind(self, name: str) -> Kind:
        """The kind that these settings describe; raises ValueError."""
        traits = ObjectTraits(**self.model_dump(exclude={"attributes", "records"}))
        return Kind.of(name, traits=traits, **self.attributes)


class Settings(BaseModel):
    """The keys of the table. Either `store` or `objects`."""

    model_config = ConfigDict(extra="forbid")

    store: str = ""
    """The name under which a store was put on the `SHELF` of this process."""
    account: str = "memory"
    writer: str = "syncd"
    objects: dict[str, ObjectSettings] = Field(default_factory=dict)
    overlap_ms: int = Field(0, ge=0)
    """How far a `since` feed looks back, at least."""


def connect(settings: Settings, context: Context) -> MemoryConnector:
    """The connector to the named store, or to a new one as described; raises ConfigError."""
    if not settings.store:
        return MemoryConnector(_inline(settings, context.system), overlap_ms=settings.overlap_ms)
    store = SHELF.take(settings.store)
    if store is None:
        raise ConfigError(
            f"systems.{context.system}: this process has no store named {settings.store!r}",
            remedy="Put it there with connectors.memory.SHELF.put(name, store), or describe the objects inline.",
        )
    return MemoryConnector(store, overlap_ms=settings.overlap_ms)


def _inline(settings: Settings, system: str) -> Store:
    try:
        kinds = [each.kind(name) for name, each in settings.objects.items()]
    except ValueError as wrong:
        raise ConfigError(f"systems.{system}.objects: {wrong}") from None
    store = Store.of(*kinds, account=Account(settings.account, settings.account, "test", writer=settings.writer))
    for name, each in settings.objects.items():
        for record in each.records:
            store.create(name, record)
    return store
