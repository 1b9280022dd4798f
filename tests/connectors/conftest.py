"""Fixtures of the connectors' tests: each vendor's sandbox, with a connector to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubspot_account import Portal
from salesforce_served import Org
from salesforce_shop import Shop

from connectors.hubspot.connector import HubSpot
from connectors.hubspot.sandbox import create as create_portal
from connectors.salesforce.sandbox import create as create_org
from syncd.sandbox.chassis import serve
from syncd.sandbox.control import Control


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A HubSpot-style portal without limits, whose stamps move only when somebody edits."""
    app = create_portal(seed=7)
    app.switch({"limits": "off", "recalculation_ms": 0})
    with serve(app) as server:
        control = Control(server.url)
        portal = Portal(app, control, server.url)
        yield portal
        for connector in portal.made:
            connector.close()
        control.close()


@pytest.fixture
def hubspot(portal: Portal) -> HubSpot:
    """A connector to the portal, by its static token."""
    return portal.connector()


@pytest.fixture
def org() -> Iterator[Org]:
    """A Salesforce-style org with a connector to it."""
    with serve(create_org(seed=11)) as server:
        yield Org(server)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Such an org, for deals, campaigns and activities."""
    with serve(create_org(seed=5)) as server:
        yield Shop(server)
