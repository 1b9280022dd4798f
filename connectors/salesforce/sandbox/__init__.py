"""A Salesforce-style org on loopback: stateful, strict, with faults on request.

Promise: never kinder than the vendor (contracts/salesforce.md); what nobody could verify is a switch whose default is
the harder case (`switches.py`). Actions: `acts.py`; faults: `app.FAULTS`. It is no copy of the product: no Apex, no UI,
no sharing model, no streaming.
"""

from __future__ import annotations

from connectors.salesforce.sandbox.app import SalesforceSandbox
from connectors.salesforce.sandbox.load import load
from connectors.salesforce.sandbox.populate import populate, populate_deals
from syncd.sandbox.clock import Clock
from syncd.sandbox.faults import Faults

__all__ = ["SalesforceSandbox", "create", "load", "populate", "populate_deals"]


def create(clock: Clock | None = None, faults: Faults | None = None, seed: int = 0) -> SalesforceSandbox:
    """An org with its cast and no customers; the same seed gives the same ids and the same chance."""
    return SalesforceSandbox(clock or Clock(), faults or Faults(seed), seed)
