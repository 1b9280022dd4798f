"""The Salesforce connector: eight members over the parts beside this file.

Promise: it does what `syncd.connector.Connector` says, for any object that is a row of `shapes.py` or a custom object.
It decides nothing, converts no lead and merges nothing: REST has no call for either (contract section 16).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec

from connectors.salesforce.auth import Login
from connectors.salesforce.either import Either
from connectors.salesforce.feed import Feed
from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.listfeed import ListFeed
from connectors.salesforce.lists import Lists, described
from connectors.salesforce.listwriting import ListWriter
from connectors.salesforce.org import METERS, Org
from connectors.salesforce.places import is_loopback
from connectors.salesforce.precondition import Precondition
from connectors.salesforce.reading import Reader
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.settings import Settings
from connectors.salesforce.shapes import SHAPES, traits_of
from connectors.salesforce.soql import select
from connectors.salesforce.staged import Staged
from connectors.salesforce.writing import Writer
from syncd.connector import (
    Account,
    Context,
    Directory,
    Effect,
    Found,
    Held,
    Key,
    Outcome,
    Page,
    Record,
    Schema,
    Traits,
)
from syncd.errors import AccessError

OWNERS = Directory(object="User", email="Email", active="IsActive")


class _Organization(msgspec.Struct):
    id: str | None = msgspec.field(name="Id", default=None)
    name: str | None = msgspec.field(name="Name", default=None)
    sandbox: bool | None = msgspec.field(name="IsSandbox", default=None)
    zone: str | None = msgspec.field(name="TimeZoneSidKey", default=None)


class _Organizations(msgspec.Struct):
    records: list[_Organization]


_ORGANIZATIONS = msgspec.json.Decoder(_Organizations)


class Salesforce:
    """A connector to one org. Safe in several threads."""

    def __init__(self, settings: Settings, context: Context) -> None:
        """Opens nothing yet. Raises ConfigError where a secret is missing."""
        self._context = context
        self._pipeline = settings.pipeline
        self._login = Login(settings, context)
        self._org = Org(self._login, context, settings)
        self._schemas = Schemas(self._org, settings.key, context.now)
        self._reader = Reader(self._org, self._schemas)
        self._precondition = Precondition(self._org)
        self._feed = ListFeed(Feed(self._reader, context.timing, context.now))
        self._writer = ListWriter(
            self._org,
            self._reader,
            Lists(self._org),
            Writer(self._org, self._reader, self._schemas, self._precondition),
        )

    def __repr__(self) -> str:
        return f"Salesforce({self._org!r})"

    @property
    def traits(self) -> Traits:
        """What is known now. Two claims are believed until this account shows otherwise: that there is a field for
        syncd's key (`describe` shows), and that conditions are honoured (the first conditional write shows)."""
        precondition = self._precondition.believed
        return Traits(
            objects={
                name: traits_of(shape, key=self._schemas.believed_key(name), precondition=precondition)
                for name, shape in SHAPES.items()
            },
            meters=METERS,
            owners=OWNERS,
            late_s=self._context.timing.late_s,
            whole_key=lambda key: id18(key) if is_id(key) else key,
        )

    def identify(self) -> Account:
        """The org and the user that the token belongs to; one query besides, for its name, and for its id where the
        login did not tell."""
        session = self._login.session()
        host = urlsplit(session.origin).hostname or ""
        query = select("Organization", ("Id", "Name", "IsSandbox", "TimeZoneSidKey"))
        with self._org.http.lane(None):
            reply = self._org.query(query)
        session = self._login.session()  # the query may have brought a new token
        seen = reply.decode(_ORGANIZATIONS).records[:1] if reply.ok else []
        account, name, sandbox, zone = session.org, host, ".sandbox." in host, "UTC"
        for org in seen:
            name, zone = org.name or name, org.zone or zone
            sandbox = sandbox if org.sandbox is None else org.sandbox
            account = account or (id18(org.id) if org.id and is_id(org.id) else "")
        if not account:
            raise AccessError(
                "neither the login answer nor the Organization record says which org this is",
                remedy="Add the scope `id` (access the identity URL service) to the external client app.",
            )
        kind = "test" if is_loopback(host) else "sandbox" if sandbox else "production"
        return Account(account, name, kind, session.user, zone)  # type: ignore[arg-type]

    def describe(self, object: str) -> Schema:
        """See `Connector.describe`. One call, and one for each list that the object has."""
        schema = self._schemas.describe(object)
        known = dict(schema.attributes)
        staged = Staged.of(object, self._pipeline).described(known)
        either = Either.of(object).described(known)
        lists = described(object, self._schemas.describe)
        return replace(schema, attributes={**known, **staged, **either, **lists})

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        """See `Connector.changes`. Values come with the feed, so `held` is not asked."""
        joined = self._joined(object)
        return joined.pages(attributes, self._feed.changes(object, joined.fields(attributes), cursor))

    def fetch(
        self, object: str, attributes: Sequence[str], keys: Sequence[Key], *, history: bool = False
    ) -> Iterator[Record]:
        """See `Connector.fetch`. There is no history to be had."""
        joined = self._joined(object)
        return iter(joined.records(attributes, self._reader.fetch(object, joined.fields(attributes), keys)))

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """See `Connector.find`. Letters' case does not count."""
        joined = self._joined(object)
        for field, mine in joined.looks(where, values):
            hits = self._reader.find(object, joined.fields(attributes), field, mine)
            yield from joined.found(attributes, hits)

    def write(self, object: str, effects: Sequence[Effect]) -> Iterable[Outcome]:
        """See `Connector.write`."""
        joined = self._joined(object)
        ready: list[Effect] = []
        for one in joined.apart(effects):
            if isinstance(one, Outcome):
                yield one
            else:
                ready.append(one)
        asked = {effect.ref: effect for effect in effects}
        for told in self._writer.write(object, ready) if ready else ():
            yield joined.outcome(told, asked[told.ref])

    def _joined(self, object: str) -> Staged | Either:
        """What tells and takes several fields of this object as one. No object has both kinds."""
        either = Either.of(object)
        return either if either.names else Staged.of(object, self._pipeline)

    def close(self) -> None:
        """Ends connections. Safe to call twice."""
        self._org.close()


def connect(settings: Settings, context: Context) -> Salesforce:
    """The connector for one table of syncd.toml. Raises ConfigError; opens nothing yet."""
    return Salesforce(settings, context)
