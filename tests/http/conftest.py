"""A scripted server, a clock and clients for the tests of the polite client."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from scripted import Client, Clock, Server

from syncd.http import Bearer, Budget, Http, Timing


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(server: Server, clock: Clock) -> Iterator[Client]:
    """Makes clients of the server; any argument of Http may be given instead of the usual one."""
    made: list[Http] = []

    def make(**given: Any) -> Http:
        usual: dict[str, Any] = {
            "base_url": server.url,
            "auth": Bearer("canary-token"),
            "timing": Timing(timeout_s=2.0, retry_s=0.5, retry_max_s=60.0, tries=3),
            "budget": Budget(now=clock.now),
            "now": clock.now,
            "sleep": clock.sleep,
            "random": random.Random(7).random,
        }
        made.append(Http(**(usual | given)))
        return made[-1]

    yield make
    for http in made:
        http.close()
