"""docs/objects.md names what is really there: files, properties and fields of the shipped mappings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/objects.md").read_text()
MAPPINGS = {path.name: path.read_text() for path in (ROOT / "mappings").glob("*.toml")}
NOT_MAPPED = {"syncd_key", "Syncd_Key__c"}
"""The key is the connectors' own."""


def test_every_mapping_that_ships_is_told() -> None:
    """And no file is told of that does not ship."""
    told = set(re.findall(r"`([a-z-]+)\.toml`", TEXT)) | set(re.findall(r"`(watch-[a-z]+)`", TEXT))
    assert told == {name.removesuffix(".toml") for name in MAPPINGS} - {"funnel"}


def test_every_property_to_create_is_mapped_and_every_custom_one_is_told() -> None:
    """Whoever creates what the page lists has all that the mappings need of their own making."""
    readme = (ROOT / "README.md").read_text()
    mapped = {name for text in MAPPINGS.values() for name in re.findall(r'"([A-Za-z_.0-9]+)"', text)}
    parts = {part for name in mapped for part in name.split(".")}
    listed = {
        name for row in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE) for name in re.findall(r"`([\w]+)`", row)
    }
    assert listed - parts <= NOT_MAPPED
    ours = {
        name
        for name in parts
        if name.endswith("__c")
        or (f'marketing = "{name}"' in "".join(MAPPINGS.values()) and name.startswith(("crm_", "syncd_")))
    }
    assert {name for name in ours if f"`{name}`" not in TEXT + readme} == set()
