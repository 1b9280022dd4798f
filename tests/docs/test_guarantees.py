"""docs/guarantees.md: every promise is shown by tests that exist, and says where it is weaker."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
PROMISES = dict(
    zip(*[iter(re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True),
)


def test_every_promise_names_tests_that_exist() -> None:
    """A promise whose test was renamed or removed is not shown any more."""
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), flags=re.MULTILINE)
    }
    assert len(PROMISES) > 12
    for promise, text in PROMISES.items():
        named = set(re.findall(r"`(test_\w+)`", text))
        assert named, promise
        assert named <= known, (promise, named - known)


def test_every_promise_says_where_it_ends() -> None:
    """None is without a limit."""
    assert not [promise for promise, text in PROMISES.items() if not re.search(r"[Ww]eaker where", text)]


def test_the_readme_leads_to_it() -> None:
    """Who reads the short version finds the whole one."""
    assert "docs/guarantees.md" in (ROOT / "README.md").read_text()
