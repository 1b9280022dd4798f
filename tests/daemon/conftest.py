"""A place with sandboxes, and a daemon on it that never outlives its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon.process import Place, Process, place


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    """Sandboxes with twenty people, and settings for them."""
    with place(tmp_path) as here:
        yield here


@pytest.fixture
def start(here: Place) -> Iterator[Callable[..., Process]]:
    """Starts commands; what still runs at the end is killed."""
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        process = here.start(*(arguments or ("run",)))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
