"""Bugs planted on purpose are caught: a sample here, all of them in `make soak`.

Each is planted in a copy of the source. That it still can be planted is asked of all of them, every time: a bug whose place
was rewritten has to be planted anew, or nobody knows any more whether it would be caught.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from bugs import BUGS, Bug
from plant import check, hunt

SOAK = bool(os.environ.get("SYNCD_SOAK"))
SAMPLE = (
    "a create goes without a key",
    "losers of a clash are not kept",
    "a blank at a first meeting wins",
)
"""Caught within the first seeds."""


def test_every_bug_can_be_planted() -> None:
    """Its place stands in the source exactly once, and what is planted is Python."""
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25
    for bug in BUGS:
        ast.parse(check(bug))


@pytest.mark.soak
@pytest.mark.parametrize("bug", [bug for bug in BUGS if SOAK or bug.name in SAMPLE], ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    """By the simulation within a bounded number of seeds, or by the test that looks where it cannot."""
    assert hunt(bug).by, f"nobody noticed that {bug.name}"
