"""kill -9 at every request, before and after the server carried it out, and at every commit of the ledger.

The cycle creates, updates and conflicts on both sides, in a process of its own. After each kill a new process takes
over; when it is quiet nobody is there twice, no edit is lost, and nothing is left to write. All points of one cycle are
tried, none is sampled.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stage import LATE_S, World, shipped
from story import Story, story

from syncd.sandbox.chassis import Request, Response

KILLED = -signal.SIGKILL
PARTS = 6
"""The points are dealt out to so many tests, so that a failure is found quickly and a hang hurts one of them."""


class Zygote:
    """Processes of syncd, made quickly."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py")), str(shipped())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read()["ready"]

    def start(self, order: dict[str, Any]) -> int:
        """The pid of a child that carries out the order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._read()["pid"])

    def wait(self) -> int:
        """How the child ended."""
        return int(self._read()["status"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the zygote is dead"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=5)
        self._process.stdout.close()


@dataclass
class Doom:
    """Kills a process at its n-th request to either vendor, before or after it is carried out."""

    at: int = 0
    moment: str = ""
    pid: int | None = None
    known: threading.Event = field(default_factory=threading.Event)
    count: int = 0

    def before(self, request: Request) -> Response | None:
        self.count += 1
        if (self.count, self.moment) == (self.at, "before"):
            self._kill()
            return Response(500)
        return None

    def after(self, request: Request, response: Response) -> None:
        if (self.count, self.moment) == (self.at, "after"):
            self._kill()

    def _kill(self) -> None:
        self.known.wait(5)
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Case:
    """The story, lived by processes."""

    story: Story
    zygote: Zygote

    @property
    def world(self) -> World:
        return self.story.world

    def begin(self) -> None:
        """From the beginning; the ledger is left to the processes."""
        self.story.begin()
        self.world.ledger.close()

    def run(self, doom: Doom | None = None, **order: Any) -> tuple[int, dict[str, Any]]:
        """A process that does it: (how it ended, what it says it did)."""
        doom = doom or Doom()
        for side in (self.world.hubspot, self.world.salesforce):
            side.app.before, side.app.after = doom.before, doom.after
        result = self.world.folder / "result.json"
        result.unlink(missing_ok=True)
        doom.pid = self.zygote.start({"folder": str(self.world.folder), **order})
        doom.known.set()
        status = self.zygote.wait()
        return status, json.loads(result.read_text()) if result.exists() else {}

    def recover(self, where: str) -> None:
        """A new process takes over; then everything must be right, and stay so."""
        status, did = self.run(cycles=14, quiet=True)
        assert status == 0, f"{where}: {did.get('error')}"
        assert did["writes"][-1] == 0, f"{where}: not quiet after {did}"
        self.world.pass_time(LATE_S + 10)
        status, did = self.run(cycles=1)
        assert (status, did["writes"], did["waiting"]) == (0, [0], 0), f"{where}: {did}"
        self.story.check_what_is_left(where)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    zygote = Zygote()
    with story(tmp_path_factory.mktemp("kill")) as told:
        yield Case(told, zygote)
    zygote.close()


@pytest.fixture(scope="module")
def whole(case: Case) -> tuple[int, int]:
    """(requests, commits) of a cycle that nobody kills, which ends as it should."""
    case.begin()
    doom = Doom()
    status, did = case.run(doom, cycles=1)
    assert status == 0, did
    requests = doom.count
    case.recover("nobody killed it")
    assert requests > 15
    assert did["commits"] > 10
    return requests, did["commits"]


def points(total: int, part: int) -> list[tuple[int, str]]:
    every = [(at, moment) for at in range(1, total + 1) for moment in ("before", "after")]
    return every[part::PARTS]


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_request_nothing_is_lost_or_doubled(case: Case, whole: tuple[int, int], part: int) -> None:
    """I6, I7, I8: before the server carries it out, and after."""
    for at, moment in points(whole[0], part):
        case.begin()
        status, did = case.run(Doom(at, moment), cycles=1)
        assert status == KILLED, f"{at} {moment}: {did}"
        case.recover(f"killed {moment} request {at}")


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_commit_nothing_is_lost_or_doubled(case: Case, whole: tuple[int, int], part: int) -> None:
    """I18: before the ledger's commit, and after."""
    for at, moment in points(whole[1], part):
        case.begin()
        status, did = case.run(cycles=1, die=[at, moment])
        assert status == KILLED, f"{at} {moment}: {did}"
        case.recover(f"killed {moment} commit {at}")


@pytest.mark.parametrize(
    ("side", "kind"), [(side, kind) for side in ("hubspot", "salesforce") for kind in ("late", "lost")]
)
def test_killed_while_a_write_is_on_its_way_it_may_land_later(
    case: Case, whole: tuple[int, int], side: str, kind: str
) -> None:
    """The kill leaves a request in the air: it lands while the next process is at work, or never."""
    case.begin()
    vendor = getattr(case.world, side)
    how: dict[str, Any] = {"kind": "late", "late_ms": 15_000} if kind == "late" else {"kind": "reset_before"}
    for path, nth in WRITES[side].items():
        vendor.fault(**how, path=path, method="POST", nth=nth)
    status, did = case.run(cycles=1)
    assert status == 0, did
    assert did["waiting"] > 0
    assert all(rule.struck for rule in vendor.app.faults.rules)
    case.recover(f"{kind} on {side}")


WRITES = {
    "hubspot": {"/batch/create$": 1, "/batch/update$": 1},
    # The first composite call of a process asks whether conditions are honoured.
    "salesforce": {"/composite/sobjects$": 1, "/composite$": 2},
}
"""The first request of each kind that writes, by vendor."""
