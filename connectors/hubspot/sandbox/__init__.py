"""The HubSpot-style sandbox: a stateful HTTP server that is never kinder than the vendor.

    from connectors.hubspot.sandbox import create, populate
    from syncd.sandbox.chassis import serve

    app = create(seed=7)
    populate(app, people(7, 100))
    with serve(app) as server: ...        # server.url, server.control

Promise: everything a connector meets is here, and what is unverified is a switch. `README.md` of the connector says
what the vendor does to you.
"""

from connectors.hubspot.sandbox.app import HubSpot, create
from connectors.hubspot.sandbox.populate import populate, populate_business

__all__ = ["HubSpot", "create", "populate", "populate_business"]
