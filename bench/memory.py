"""Peak resident memory of a process that does everything at a size, and at a tenth of it.

The engine runs in a child process of its own, so that nothing of the benchmark counts; the child reads its own peak
after each step and starts the next one from where it is. Linux only: it is the kernel that keeps the peaks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.engine import Engine
from bench.figure import Figure
from bench.vendor.process import VendorProcess
from syncd.run import Run

MOST_MB = 150.0
MOST_GROWTH_MB = 30.0
STEPS = ("start", "first pull", "first meeting", "idle", "sweep", "1 % moved")


def measure(fewer: int, records: int, folder: Path) -> list[Figure]:
    """The steps at both sizes; the ceiling is judged at the larger one."""
    small = _peaks(fewer, folder / "fewer")
    large = _peaks(records, folder / "more")
    growth = {step: large[step] - small[step] for step in STEPS}
    figures = [
        Figure(
            "memory",
            f"peak of {step}, {records:,} a side",
            large[step],
            "MB",
            most=MOST_MB,
            note=f"{small[step]:.0f} MB at {fewer:,}",
        )
        for step in STEPS[1:]
    ]
    worst = max(STEPS, key=lambda step: growth[step])
    return [
        *figures,
        Figure(
            "memory",
            f"most growth from {fewer:,} to {records:,}",
            growth[worst],
            "MB",
            most=MOST_GROWTH_MB,
            note=f"in {worst}",
        ),
    ]


def _peaks(records: int, folder: Path) -> dict[str, float]:
    """MB by step."""
    peaks: dict[str, float] = {}
    with VendorProcess(records, on_the_fly=True) as vendor:
        command = [sys.executable, "-m", "bench.memory", str(vendor.port), str(folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            for line in child.stdout:
                step, peak_mb, took_s = json.loads(line)
                peaks[step] = peak_mb
                print(
                    f"        {records:>9,} {step:<14} {peak_mb:6.1f} MB {took_s:7.1f} s", file=sys.stderr, flush=True
                )
                if step == "sweep":
                    vendor.move("marketing", every=100)
                    vendor.move("crm", every=100, first=50)
                child.stdin.write("go on\n")
                child.stdin.flush()
        if child.returncode:
            raise RuntimeError(f"the measured process ended with {child.returncode}")
    return peaks


# ---------------------------------------------------------------- in the child


def _act(port: int, folder: Path) -> None:
    _tell("start", None)
    engine = Engine.at(port, folder)
    _tell("first pull", engine.pull)
    _tell("first meeting", engine.once)
    engine.once()
    _tell("idle", engine.once)
    _tell("sweep", engine.sweep)
    _tell("1 % moved", engine.once)
    engine.close()


def _tell(step: str, action: Callable[[], Run] | None) -> None:
    """Does a step, prints [step, its peak in MB, seconds], and waits for a line."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    begun = time.perf_counter()
    if action is not None:
        action()
    print(json.dumps([step, peak_mb(), time.perf_counter() - begun]), flush=True)
    sys.stdin.readline()


def peak_mb() -> float:
    """The highest resident size since the last reset, in MB (of 10^6 bytes)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":
    _act(int(sys.argv[1]), Path(sys.argv[2]))
