"""docs/settings.md names every key of syncd.toml, and no other; those of `[alerts]` are in docs/alerts.md."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.access import Dashboard
from syncd.account import Budget, Sweep, System, Waits
from syncd.settings import Daemon, Guard

TEXT = (Path(__file__).parents[2] / "docs/settings.md").read_text()
TABLES = {
    "[daemon]": Daemon,
    "[dashboard]": Dashboard,
    "[guard]": Guard,
    "[systems.NAME]": System,
    "[systems.NAME.budget]": Budget,
    "[systems.NAME.sweep]": Sweep,
    "[systems.NAME.timing]": Waits,
}
APART = {"users", "proxy", "budget", "sweep", "timing"}
"""Tables of their own."""


def test_every_key_is_in_the_manual_and_no_other() -> None:
    """What is not documented does not ship."""
    parts = re.split(r"^## `(\[.*\])`$", TEXT, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    for table, model in TABLES.items():
        told = re.findall(r"^\| `(\w+)` \|", sections[table], re.MULTILINE)
        known = {info.alias or name for name, info in model.model_fields.items()} - APART
        assert sorted(told) == sorted(known), table


def test_the_limits_of_the_guard_are_those_of_the_program() -> None:
    """per_cycle, per_day and share, as they are without a line in the file."""
    guard = Guard()
    for name in Guard.model_fields:
        limit = getattr(guard, name)
        assert f"| {limit.per_cycle:,}, {limit.per_day:,}, {limit.share:g} |" in TEXT, name
