"""A shop, and receivers that really listen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.receivers import Hook, Smtp
from tests.cli.shop import Shop, make


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """Two systems in memory, and settings for them."""
    return make(tmp_path, capsys)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Somebody who takes POST."""
    with Hook() as one:
        yield one


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    """Somebody who takes mail."""
    with Smtp() as one:
        yield one
