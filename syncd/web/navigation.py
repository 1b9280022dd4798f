"""All pages, by their addresses, and the menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from syncd.web.page import Page
from syncd.web.pages import agreed, conflicts, issues, parity, records, runs, today


class Entry(NamedTuple):
    """A line of the menu."""

    path: str
    name: str


class Group(NamedTuple):
    """Lines of the menu that belong together."""

    name: str
    entries: tuple[Entry, ...]


MENU = (
    Group("", (Entry("/", "Today"),)),
    Group(
        "Sync",
        (
            Entry("/records", "Records"),
            Entry("/issues", "Issues"),
            Entry("/conflicts", "Conflicts"),
            Entry("/plans", "Plans"),
            Entry("/runs", "Runs"),
            Entry("/parity", "Parity"),
        ),
    ),
    Group("What we agreed", (Entry("/definitions", "Definitions"), Entry("/mappings", "Mappings"))),
)

PAGES: Mapping[str, Page] = {
    "/": today.page,
    "/records": records.search,
    "/records/{system}/{object}/{key}": records.story,
    "/issues": issues.page,
    "/conflicts": conflicts.page,
    "/plans": runs.plans,
    "/runs": runs.page,
    "/runs/{id:int}": runs.one,
    "/parity": parity.page,
    "/definitions": agreed.definitions,
    "/mappings": agreed.mappings,
    "/mappings/{name}": agreed.mapping,
}
"""Addresses to pages."""
