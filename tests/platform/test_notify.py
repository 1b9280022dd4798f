"""The notify protocol, spoken to a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.notify import Notifier


class Manager:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(1.0)
        self.socket.bind(address)

    def hears(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@syncd-test-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    manager = Manager("\0" + address[1:] if address.startswith("@") else address)
    yield manager
    manager.socket.close()


@pytest.fixture
def notifier(address: str, manager: Manager) -> Iterator[Notifier]:
    notifier = Notifier({"NOTIFY_SOCKET": address}, lambda: 5_000_001_999)
    yield notifier
    notifier.close()


def test_every_word_of_a_daemons_life_reaches_the_manager(notifier: Notifier, manager: Manager) -> None:
    """READY, STATUS, WATCHDOG, STOPPING and EXTEND_TIMEOUT_USEC arrive as sd_notify(3) spells them, on both kinds of
    address."""
    assert notifier.ready("2 systems, 1 mapping")
    assert manager.hears() == ["READY=1", "STATUS=2 systems, 1 mapping"]
    assert notifier.status("reading hubspot")
    assert manager.hears() == ["STATUS=reading hubspot"]
    assert notifier.alive()
    assert manager.hears() == ["WATCHDOG=1"]
    assert notifier.extend(1.5)
    assert manager.hears() == ["EXTEND_TIMEOUT_USEC=1500000"]
    assert notifier.stopping()
    assert manager.hears() == ["STOPPING=1"]


def test_a_reload_carries_its_time_in_the_same_datagram(notifier: Notifier, manager: Manager) -> None:
    """Type=notify-reload ignores RELOADING=1 without MONOTONIC_USEC= beside it."""
    assert notifier.reloading()
    assert manager.hears() == ["RELOADING=1", "MONOTONIC_USEC=5000001"]


def test_a_status_cannot_forge_another_word(notifier: Notifier, manager: Manager) -> None:
    """A newline in a status line would be read by systemd as the next assignment."""
    assert notifier.status("fine\nMAINPID=1\x1b[2J")
    assert manager.hears() == ["STATUS=fine MAINPID=1 [2J"]


def test_nothing_is_said_and_nothing_breaks_without_a_manager(tmp_path: Path) -> None:
    """By hand, in a container, or when the manager is gone, the daemon runs on in silence."""
    for environ in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}, {"NOTIFY_SOCKET": "vsock:2:1"}):
        notifier = Notifier(environ, lambda: 0)
        assert not notifier.ready("x")
        assert not notifier.alive()
        notifier.close()
        notifier.close()


def test_a_full_socket_does_not_hold_the_daemon(notifier: Notifier, manager: Manager) -> None:
    """The manager may be busy: a sign of life is dropped rather than waited for."""
    sent = 0
    while notifier.alive() and sent < 100_000:
        sent += 1
    assert 0 < sent < 100_000
    assert manager.hears() == ["WATCHDOG=1"]
    assert notifier.alive()


def test_the_watchdog_interval_is_taken_only_when_it_is_meant_for_us() -> None:
    """WATCHDOG_PID names the process that is watched; a child that inherits the environment is not it."""

    def interval(**environ: str) -> float | None:
        return Notifier(environ, lambda: 0).watchdog_s

    assert interval(WATCHDOG_USEC="120000000") == 120.0
    assert interval(WATCHDOG_USEC="120000000", WATCHDOG_PID=str(os.getpid())) == 120.0
    assert interval(WATCHDOG_USEC="120000000", WATCHDOG_PID="1") is None
    assert interval(WATCHDOG_USEC="soon") is None
    assert interval() is None
