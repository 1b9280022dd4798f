"""The HubSpot connector: eight members over one account (contract: HubSpot CRM API, date-based version).

Its one promise: what HubSpot said is told as it was said, and a write is never repeated whose fate is unknown. It
decides nothing, keeps nothing on disk, and never takes a value from the search index.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.hubspot.asked import Asked
from connectors.hubspot.associating import Associating
from connectors.hubspot.associations import Associations
from connectors.hubspot.auth import OAuth
from connectors.hubspot.blanks import Blanks
from connectors.hubspot.effects import Effects
from connectors.hubspot.errors import classify, daily, refuse_read
from connectors.hubspot.feed import Feed
from connectors.hubspot.kinds import Kind, ObjectsTraits, kind_of
from connectors.hubspot.listing import Listing as ListWriter
from connectors.hubspot.lists import LISTS, MEMBERSHIPS, Memberships, RecordLists
from connectors.hubspot.owners import OWNERS, OwnerList
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST, Reader
from connectors.hubspot.schema import Describer
from connectors.hubspot.shelves import CAMPAIGN_ATTRIBUTES, CAMPAIGN_PROPERTIES, FORM_ATTRIBUTES, Listing, Shelf
from connectors.hubspot.wire import id_of
from connectors.hubspot.writes import Writer
from syncd.connector import (
    Account,
    Context,
    Directory,
    Effect,
    Found,
    Held,
    Key,
    Meter,
    Outcome,
    Page,
    Record,
    Schema,
    Traits,
)
from syncd.http import Auth, Bearer, Http, Timing

TOKEN_REMEDY = "make a new service key in HubSpot (Development > Keys) and set it as token"


class Settings(BaseModel):
    """The keys of the system's table. Either `token`, or the three of OAuth. Secrets are references."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.hubapi.com"
    token: Any = Field(None, description="A service key, private app token or static app token, by reference.")
    client_id: Any = Field(None, description="OAuth app.")
    client_secret: Any = Field(None, description="OAuth app, by reference.")
    refresh_token: Any = Field(None, description="OAuth app, by reference.")
    key: str = Field("syncd_key", description="The property with unique values that holds syncd's own key.")
    version: str = Field(
        "2026-09", pattern=r"^(\d{4}-\d{2}|v3)$", description="HubSpot's API version; v3: the old paths."
    )
    app_id: str = Field("", description="Our app's id in HubSpot's histories, where HubSpot does not tell it.")
    calls_per_10s: int = Field(190, ge=1, description="HubSpot's limit of this app (100 on Free and Starter).")
    associations_per_10s: int = Field(150, ge=1, description="The same for associations (100 on Free and Starter).")
    lists: list[str] = Field([], description="Names or ids of the lists whose members are read; none given: all.")
    sensitive: bool = Field(False, description="Also describe sensitive properties; the app needs scopes for them.")
    searches_per_s: int = Field(5, ge=1, description="HubSpot's limit of the account, shared with other apps.")
    proxy: str | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Settings:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if self.token is not None and any(part is not None for part in oauth):
            raise ValueError("set either `token`, or client_id, client_secret and refresh_token")
        if self.token is None and any(part is None for part in oauth):
            raise ValueError("needs `token`, or all of client_id, client_secret and refresh_token")
        return self

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url!r})"

    __str__ = __repr__


def connect(settings: Settings, context: Context) -> HubSpot:
    """The connector to one account. Opens no connection yet. Raises ConfigError for a secret that is not there."""
    paths = Paths(settings.version)
    oauth: OAuth | None = None
    auth: Auth
    if settings.token is not None:
        auth = Bearer(context.secret(settings.token, "token"), remedy=TOKEN_REMEDY)
    else:
        auth = oauth = OAuth(
            paths,
            context.secret(settings.client_id, "client_id"),
            context.secret(settings.client_secret, "client_secret"),
            context.secret(settings.refresh_token, "refresh_token"),
            context.now,
            context.save_secret,
        )
    more = {name: value for name in ("proxy", "ca_file") if (value := getattr(settings, name)) is not None}
    http: Http = context.open_http(
        base_url=settings.base_url, auth=auth, meters=_meters(settings), classify=classify, daily=daily, **more
    )
    if oauth is not None:
        oauth.http = http
    return HubSpot(http, paths, settings, context, oauth)


def _meters(settings: Settings) -> tuple[Meter, ...]:
    """Section 16: searches and associations have limits of their own and do not count in the other."""
    return (
        Meter("burst", settings.calls_per_10s, 10.0),
        Meter("search", settings.searches_per_s, 1.0),
        Meter("association", settings.associations_per_10s, 10.0),
    )


def _shelves(http: Http, paths: Paths, settings: Settings) -> dict[str, Shelf]:
    """The objects that are only listed."""
    lists = RecordLists(http, paths)
    return {
        OWNERS: OwnerList(http, paths),
        LISTS: lists,
        MEMBERSHIPS: Memberships(http, paths, lists, frozenset(settings.lists)),
        "forms": Listing(http, paths.forms, FORM_ATTRIBUTES),
        "campaigns": Listing(http, paths.campaigns, CAMPAIGN_ATTRIBUTES, CAMPAIGN_PROPERTIES),
    }


class _Details(msgspec.Struct):
    portalId: int | str
    accountType: str | None = None
    timeZone: str | None = None


_DETAILS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Details)


class HubSpot:
    """One account. Safe for threads."""

    def __init__(self, http: Http, paths: Paths, settings: Settings, context: Context, oauth: OAuth | None) -> None:
        self._http = http
        self._paths = paths
        self._oauth = oauth
        self._wanted_key = settings.key
        self._app_id = settings.app_id
        self._schemas: dict[str, Schema] = {}
        self._lock = threading.Lock()
        timing: Timing = context.timing
        self._reader = Reader(http, paths, Blanks(lambda object: self.describe(object).attributes, context.now))
        self._feed = Feed(self._reader, timing, context.now)
        self._shelves = _shelves(http, paths, settings)
        self._describer = Describer(http, paths, settings.sensitive)
        self._associations = Associations(http, paths)
        writer = Writer(http, paths, self._reader, self._key, self._choices, self._learn_app)
        self._effects = Effects(
            writer, Associating(http, paths, self._associations), self._reader, ListWriter(http, paths)
        )
        self._traits = Traits(
            objects=ObjectsTraits(self._key, {name: shelf.traits for name, shelf in self._shelves.items()}),
            meters=_meters(settings),
            owners=Directory(object=OWNERS, email="email", active="active"),
            late_s=timing.late_s,
        )

    def __repr__(self) -> str:
        return f"HubSpot({self._http!r})"

    @property
    def traits(self) -> Traits:
        """An object's traits ask HubSpot once whether it has syncd's key."""
        return self._traits

    def identify(self) -> Account:
        """The portal. One call; with OAuth one more, the first time, for the app's id."""
        with self._http.lane(None):
            answer = self._http.read("GET", self._paths.details, meters=BURST)
            if answer.status >= 300:
                raise refuse_read(answer)
            details: _Details = answer.json(_DETAILS)
            if self._oauth is not None and not self._app_id:
                self._app_id = self._oauth.app_id()
        kind = {"SANDBOX": "sandbox", "DEVELOPER_TEST": "test", "APP_DEVELOPER": "test"}.get(details.accountType or "")
        return Account(
            id=id_of(details.portalId),
            name=f"HubSpot portal {id_of(details.portalId)}",
            kind=kind or "production",  # type: ignore[arg-type]
            writer=self._app_id,
            time_zone=details.timeZone or "UTC",
        )

    def describe(self, object: str) -> Schema:
        """The properties that our token may see. Sensitive ones are hidden by HubSpot unless asked for apart."""
        if shelf := self._shelves.get(object):
            return Schema(object, shelf.attributes)
        schema = self._describer.describe(kind_of(object))
        with self._lock:
            self._schemas[object] = schema
        return schema

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        """See `syncd.connector.Connector.changes` and `connectors.hubspot.feed`."""
        if shelf := self._shelves.get(object):
            return shelf.changes(attributes, cursor)
        asked = self._asked(kind_of(object), attributes)
        return asked.pages(self._feed.changes(kind_of(object), asked.properties, cursor, held))

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        """See `syncd.connector.Connector.fetch` and `connectors.hubspot.reads`."""
        if shelf := self._shelves.get(object):
            return shelf.fetch(attributes, keys)
        asked = self._asked(kind_of(object), attributes)
        if asked.only_references and not history:
            return asked.alone(keys)
        return asked.batches(self._reader.fetch(kind_of(object), asked.properties, keys, self._app_id, history))

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """See `syncd.connector.Connector.find`. E-mails of contacts are found by the additional ones too. Attributes
        without unique values are looked up through the search index, which may lag."""
        if shelf := self._shelves.get(object):
            return shelf.find(attributes, where, values)
        kind, known = kind_of(object), self._schema(object).attributes
        unique = where in known and known[where].unique
        also = kind.also.get(where, "")
        asked = self._asked(kind, attributes)
        return asked.found(
            self._reader.find(kind, asked.properties, where, values, unique, also if also in known else "")
        )

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        """See `syncd.connector.Connector.write` and `connectors.hubspot.writes`."""
        if object in self._shelves:
            said = f"{object} are managed in HubSpot"
            return [Outcome(effect.ref, "refused", effect.key, code="READ_ONLY", message=said) for effect in effects]
        return self._effects.write(kind_of(object), effects)

    def close(self) -> None:
        """Ends connections. Safe to call twice."""
        self._http.close()

    def _asked(self, kind: Kind, attributes: Sequence[str]) -> Asked:
        return Asked(self._associations, kind, attributes)

    def _schema(self, object: str) -> Schema:
        with self._lock:
            known = self._schemas.get(object)
        return known or self.describe(object)

    def _key(self, object: str) -> str | None:
        """The property of syncd's key, if the object has it with unique values."""
        attribute = self._schema(object).attributes.get(self._wanted_key)
        return self._wanted_key if attribute is not None and attribute.unique and attribute.updatable else None

    def _learn_app(self, app_id: str) -> None:
        self._app_id = self._app_id or (app_id if app_id.isascii() and app_id.isdigit() else "")

    def _choices(self, object: str) -> frozenset[str]:
        return frozenset(name for name, each in self._schema(object).attributes.items() if each.type == "choices")
