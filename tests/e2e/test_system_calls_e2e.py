"""Killed at a system call, and with system calls that fail: the program as it is installed, under strace.

The cycle creates, updates and conflicts on both sides. At a chosen write to the disk, sync, send, receive, connection,
truncation, renaming or deletion it is killed, or the call fails as on a full or broken disk, or on a dead network.
A clean restart must then end with nobody twice, no edit lost, a ledger that verifies, and a cycle that writes nothing.

`make test` takes the first, second, middle and last of each kind; `make soak` takes them all (SYNCD_SOAK=1).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stage import LATE_S, SECRETS, World, shipped
from story import Story, story

from syncd.errors import EXIT_FAULT
from syncd.ledger.keeping import verify

SOAK = bool(os.environ.get("SYNCD_SOAK"))
KILLED = -signal.SIGKILL
CALLS = ("pwrite64", "fdatasync", "fsync", "sendto", "recvfrom", "connect", "ftruncate", "rename", "unlink")
"""What the program does to the world outside: to its disk, and to the network."""
FAILURES = {
    "pwrite64": ("ENOSPC", "EIO"),
    "fdatasync": ("EIO",),
    "fsync": ("EIO",),
    "ftruncate": ("EIO",),
    "sendto": ("ETIMEDOUT",),
    "recvfrom": ("ETIMEDOUT", "EIO"),
    "connect": ("ETIMEDOUT",),
}
MOST_CYCLES = 14
ONCE = ("once", "--yes", "--json")
BUGS = {EXIT_FAULT}
"""The exit code of our own fault, which no trouble outside excuses."""


def why_not() -> str:
    """Why processes cannot be traced here; empty: they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-e", "trace=connect", "-e", "inject=connect:error=EIO:when=9", "true"],
        capture_output=True,
        text=True,
    )
    return "" if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[:200]}"


NO_TRACE = why_not()
pytestmark = [pytest.mark.soak, pytest.mark.skipif(bool(NO_TRACE), reason=NO_TRACE)]


class Program:
    """The program: run to its end, or under strace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("program.py")), str(shipped())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read()["ready"]

    def run(self, *arguments: str, inject: str = "", trace: Path | None = None) -> int:
        """How it ended. `inject`: what strace does to it; `trace`: where its system calls are listed."""
        traced = bool(inject or trace)
        order = {"folder": str(self.folder), "arguments": arguments, "stopped": traced}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = int(self._read()["pid"])
        if not traced:
            return int(self._read()["status"])
        told = trace or Path(os.devnull)
        only = ["-e", f"trace={','.join(CALLS)}"] if trace else ["-e", f"trace={inject.partition(':')[0]}"]
        spell = [*only, *(["-e", f"inject={inject}"] if inject else [])]
        _until(lambda: _state(pid) == "T", "the program did not stop")
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", str(told), *spell, "-p", str(pid)],
            stderr=subprocess.DEVNULL,
        )
        try:
            _until(lambda: _tracer(pid) == strace.pid or strace.poll() is not None, "strace did not take hold")
            os.kill(pid, signal.SIGCONT)
            return int(self._read()["status"])
        finally:
            strace.wait(timeout=20)

    def said(self) -> Any:
        """What the last command printed, as JSON."""
        return json.loads((self.folder / "out").read_text())

    def complaint(self) -> str:
        return (self.folder / "err").read_text()

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


def _until(holds: Any, what: str) -> None:
    end_s = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end_s, what
        time.sleep(0.002)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _tracer(pid: int) -> int:
    found = re.search(r"^TracerPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(found[1]) if found else 0


@dataclass
class Case:
    """The story, lived by the program."""

    story: Story
    program: Program

    @property
    def world(self) -> World:
        return self.story.world

    def begin(self) -> None:
        """From the beginning; the ledger is left to the program."""
        self.story.begin()
        self.world.ledger.close()
        for path in self.world.folder.glob("ledger.db.*"):
            path.unlink()

    def recover(self, where: str) -> None:
        """A clean restart takes over; then everything must be right, and stay so."""
        for cycle in range(MOST_CYCLES):
            code = self.program.run(*ONCE)
            assert code == 0, f"{where}: restart {cycle} ended with {code}: {self.program.complaint()}"
            self.world.pass_time(10)
            if not self._busy():
                break
        else:
            raise AssertionError(f"{where}: never quiet: {self.program.said()}")
        self.world.pass_time(LATE_S + 10)
        assert self.program.run(*ONCE) == 0, f"{where}: {self.program.complaint()}"
        assert not self._busy(), f"{where}: {self.program.said()}"
        self.story.check_what_is_left(where)
        verdict = verify(self.world.folder / "ledger.db")
        assert verdict.holds, f"{where}: {verdict.flaws}"

    def _busy(self) -> bool:
        """Whether the last cycle wrote, or left something to be done."""
        report = self.program.said()["mappings"]["people"]
        writes = sum(sum(counts.values()) for counts in report["writes"].values())
        return bool(writes or report["waiting"] or report["again"] or report.get("skipped"))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with story(tmp_path_factory.mktemp("calls")) as told:
        program = Program(told.world.folder)
        try:
            yield Case(told, program)
        finally:
            program.close()


@pytest.fixture(scope="module")
def whole(case: Case) -> Counter[str]:
    """How often a cycle that nobody disturbs makes each call, the busiest thread of it: strace counts by thread."""
    case.begin()
    trace = case.world.folder / "trace"
    assert case.program.run(*ONCE, trace=trace) == 0, case.program.complaint()
    by_thread = Counter(re.findall(r"^(\d+)\s+(\w+)\(", trace.read_text(), re.M))
    counted: Counter[str] = Counter()
    for (_, call), n in by_thread.items():
        counted[call] = max(counted[call], n)
    case.recover("nobody disturbed it")
    for call in ("pwrite64", "fdatasync", "sendto", "recvfrom", "connect"):
        assert counted[call], f"a cycle without a single {call}: is it traced?"
    return counted


def points(total: int) -> list[int]:
    """Which occurrences of a call are tried."""
    if SOAK:
        return list(range(1, total + 1))
    few = {1, 2, (total + 1) // 2, total} if total > 3 else {total}
    return sorted(few & set(range(1, total + 1)))


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_system_call_nothing_is_lost_or_doubled(case: Case, whole: Counter[str], call: str) -> None:
    """I6, I7, I8, I18: wherever the process dies, in the midst of a transaction or of a request."""
    for nth in points(whole[call]):
        case.begin()
        status = case.program.run(*ONCE, inject=f"{call}:signal=SIGKILL:when={nth}")
        assert status in (KILLED, 0), f"{call} {nth}: ended with {status}: {case.program.complaint()}"
        case.recover(f"killed at {call} {nth}")


@pytest.mark.parametrize(("call", "error"), [(call, error) for call, errors in FAILURES.items() for error in errors])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_a_failing_system_call_is_told_plainly_and_mended_by_a_restart(
    case: Case, whole: Counter[str], call: str, error: str, lasting: bool
) -> None:
    """A full disk, a broken disk, a dead network (H180 to H190): no crash of ours, one plain message, no harm."""
    if lasting and not SOAK and call not in ("pwrite64", "connect"):
        pytest.skip("only in `make soak`")
    tried = points(whole[call]) if SOAK else points(whole[call])[1:2] or [1]
    for nth in tried:
        where = f"{error} at {call} {nth}{' and all that follow' if lasting else ''}"
        case.begin()
        status = case.program.run(*ONCE, inject=f"{call}:error={error}:when={nth}{'+' if lasting else ''}")
        assert status not in BUGS, f"{where}: {case.program.complaint()}"
        assert status >= 0, f"{where}: died of {-status}"
        assert status == 0 or case.program.complaint() or case.program.said(), f"{where}: ended with {status}, silently"
        case.recover(where)


@pytest.mark.skipif(not SOAK, reason="only in `make soak`: each try starts an interpreter")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "sendto", "recvfrom"])
def test_the_program_killed_from_its_very_start(case: Case, whole: Counter[str], call: str) -> None:
    """The same without the fork: an interpreter started under strace."""
    command = [sys.executable, "-c", "from syncd.cli import main; main()", *ONCE]
    config = ["--config", str(case.world.folder / "syncd.toml")]
    for nth in sorted({1, 2, 3, whole[call] // 3, whole[call] // 2, whole[call]}):
        case.begin()
        case.world.time.now_s = max(case.world.time.now_s, time.time())  # it has the real clock
        inject = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}"]
        inject += ["-e", f"inject={call}:signal=SIGKILL:when={nth}"]
        root = str(Path(__file__).parents[2])
        subprocess.run(
            [*inject, *command, *config], env={**os.environ, **SECRETS, "PYTHONPATH": root}, capture_output=True
        )
        case.recover(f"killed at {call} {nth} of a process of its own")
