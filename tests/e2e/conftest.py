"""Two vendors over real HTTP, for whoever needs nothing but people and the shipped mapping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stage
from stage import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with stage.world(tmp_path / "w") as made:
        yield made
