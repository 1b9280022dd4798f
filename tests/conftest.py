"""What every test stands on: no test sees the environment of whoever runs it."""

from __future__ import annotations

import signal

import pytest


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
