"""HubSpot: `Settings` and `connect`. What HubSpot does to you stands in README.md."""

from __future__ import annotations

from connectors.hubspot.connector import Settings, connect

__all__ = ["Settings", "connect"]
