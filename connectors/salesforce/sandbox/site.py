"""Everything behind the REST API of one org, handed to the handlers as one value."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.salesforce.sandbox.cursors import Cursors
from connectors.salesforce.sandbox.errors import not_found
from connectors.salesforce.sandbox.fields import ObjectType
from connectors.salesforce.sandbox.jobs import Jobs
from connectors.salesforce.sandbox.login import Login
from connectors.salesforce.sandbox.meters import Meters
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.sessions import Sessions


@dataclass
class Site:
    """The org and what its API keeps beside it."""

    org: Org
    sessions: Sessions
    meters: Meters
    login: Login
    cursors: Cursors
    jobs: Jobs

    @classmethod
    def of(cls, org: Org) -> Site:
        """A site over an org, with nobody logged in."""
        sessions, meters = Sessions(org), Meters(org)
        return cls(org, sessions, meters, Login(org, sessions, meters), Cursors(org), Jobs(org))

    def kind(self, name: str) -> ObjectType:
        """An object as the API user sees it. Refused: 404."""
        kind = self.org.catalogue.seen(name)
        if kind is None:
            raise not_found()
        return kind
