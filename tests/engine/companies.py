"""A world of companies: accounts are recognised by domain, then by name and country together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import world
from world import World

from connectors.memory import Kind, Store
from syncd.connector import ObjectTraits

COMPANIES = """
mapping   = "people"
marketing = { system = "mk", object = "companies" }
crm       = { system = "sf", object = "Account" }
[match]
by = ["domain", ["name", "country"]]
[create]
crm = 'true'
marketing = 'true'
[fields.domain]
marketing = "domain"
crm = "Website"
type = "domain"
also = { marketing = "more_domains" }
[fields.name]
marketing = "name"
crm = "Name"
clash = "crm"
[fields.country]
marketing = "country"
crm = "Country"
type = "country"
clash = "crm"
"""


def make(tmp_path: Path) -> World:
    """The mapping bears the name that the world's tallies go by."""
    traits: dict[str, Any] = {"feed": "since", "deletions": "tombstone", "merges": True}
    text = "text length=255"
    mk = Store.of(
        Kind.of(
            "companies",
            traits=ObjectTraits(**traits, history=True, answers_values=True, key="syncd_key"),
            domain=text,
            more_domains=text,
            name=text,
            country=text,
            syncd_key="text unique",
        )
    )
    sf = Store.of(
        Kind.of(
            "Account",
            traits=ObjectTraits(**traits, precondition=True, key="Syncd_Key", grain_ms=1000),
            Website=text,
            Name=text,
            Country=text,
            Syncd_Key="text unique",
        )
    )
    return World(tmp_path / "ledger.db", mk, sf, mapping_text=COMPANIES)


__all__ = ["COMPANIES", "make", "world"]
