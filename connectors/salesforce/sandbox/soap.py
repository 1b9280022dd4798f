"""SOAP (to be filled in)."""

from __future__ import annotations

from connectors.salesforce.sandbox.call import Answer
from connectors.salesforce.sandbox.site import Site
from syncd.sandbox.wire import Request


def answer(site: Site, request: Request) -> Answer:
    """Nothing yet."""
    return Answer(404)
