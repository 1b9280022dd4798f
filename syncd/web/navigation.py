"""All pages, by their addresses, and the menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from syncd.web.page import Page
from syncd.web.pages import (
    behind,
    conflicts,
    definitions,
    earnings,
    issues,
    loop,
    mappings,
    parity,
    records,
    runs,
    story,
    today,
)


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
        "Closed loop",
        (
            Entry("/funnel", "Funnel"),
            Entry("/handoffs", "Hand-offs"),
            Entry("/follow-up", "Follow-up"),
            Entry("/revenue", "Revenue and credit"),
            Entry("/campaigns", "Campaigns"),
            Entry("/goals", "Goals"),
        ),
    ),
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
    "/funnel": loop.funnel,
    "/handoffs": loop.handoffs,
    "/follow-up": loop.follow_up,
    "/revenue": earnings.revenue,
    "/campaigns": earnings.campaigns,
    "/goals": earnings.goals,
    "/behind": behind.page,
    "/records": records.search,
    "/records/{system}/{object}/{key}": story.page,
    "/issues": issues.page,
    "/conflicts": conflicts.page,
    "/plans": runs.plans,
    "/runs": runs.page,
    "/runs/{id:int}": runs.one,
    "/parity": parity.page,
    "/definitions": definitions.page,
    "/mappings": mappings.page,
    "/mappings/{name}": mappings.one,
}
"""Addresses to pages."""
