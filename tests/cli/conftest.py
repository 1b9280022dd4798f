"""The shop, for every test of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shop import Shop, make


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A folder with syncd.toml and mappings over two systems in memory."""
    return make(tmp_path, capsys)
