"""What every test stands on: no test sees the environment of whoever runs it."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# The clock of a busy machine is no property of the code: no example has a deadline, and `make test` draws the same ones
# every time. `make soak` draws others.
settings.register_profile(
    "syncd",
    deadline=None,
    derandomize=not os.environ.get("SYNCD_SOAK"),
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("syncd")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings, secrets, proxies and service manager never reach a test."""
    for name in (
        *("SYNCD_CONFIG", "HUBSPOT_TOKEN", "SF_CLIENT_ID", "SF_CLIENT_SECRET", "CREDENTIALS_DIRECTORY"),
        *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "STATE_DIRECTORY"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    ):
        monkeypatch.delenv(name, raising=False)


def pytest_configure(config: pytest.Config) -> None:
    """A shell ignores Ctrl-C in what it starts in the background, and children inherit that: tests that interrupt a
    program would wait for ever."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
