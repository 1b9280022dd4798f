"""The connector to Salesforce: leads, contacts and what hangs on them, over REST.

What Salesforce does to a sync, and what this connector does about it, is told in README.md beside this file.
"""

from __future__ import annotations

from connectors.salesforce.connector import Salesforce, connect
from connectors.salesforce.settings import Settings

__all__ = ["Salesforce", "Settings", "connect"]
