"""Versions of an agreed text, newest first, each with what it changed."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from syncd.ledger.books import Version
from syncd.view.moment import iso

MOST_DIFF = 400
"""Lines of a difference that are shown."""
VERSIONS = 50


def told(versions: list[Version]) -> list[dict[str, Any]]:
    """Versions, newest first, each with its difference from the one before."""
    found: list[dict[str, Any]] = []
    for at, version in enumerate(versions):
        before = versions[at + 1] if at + 1 < len(versions) else None
        lines = (
            list(unified_diff(before.text.splitlines(), version.text.splitlines(), lineterm="", n=2))[2:]
            if before is not None
            else []
        )
        found.append(
            {
                "version": version.version,
                "digest": version.digest,
                "since": iso(version.since),
                "approved_at": iso(version.approved_at),
                "diff": [(_kind(line), line) for line in lines[:MOST_DIFF]],
                "cut": len(lines) > MOST_DIFF,
                "first": before is None and version.version == 1,
            }
        )
    return found


def _kind(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
