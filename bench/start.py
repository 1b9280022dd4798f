"""What it costs to start: CPU of `syncd --help` and `syncd check`, as the kernel counts it for the whole process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.engine import CONFIG, ROOT, SECRETS
from bench.figure import Figure

TRIES = 7
MOST_HELP_S = 0.3
MOST_CHECK_S = 0.6
SYNCD = "import sys; from syncd.cli import main; main(sys.argv[1:])"
"""What the console script does."""


def measure(folder: Path) -> list[Figure]:
    config = folder / "syncd.toml"
    addresses = {"marketing": "http://127.0.0.1:9", "crm": "http://127.0.0.1:9"}
    config.write_text(CONFIG.format(**addresses, mappings=ROOT / "mappings", overlap="5s", lag="2s"))
    python = _least_of(["-c", "pass"], folder)
    note = f"least of {TRIES}; bare python {python:.2f}"
    return [
        Figure(
            "start", "syncd --help", _least_of(["-c", SYNCD, "--help"], folder), "s CPU", most=MOST_HELP_S, note=note
        ),
        Figure(
            "start",
            "syncd check",
            _least_of(["-c", SYNCD, "check", "--config", str(config)], folder),
            "s CPU",
            most=MOST_CHECK_S,
            note=note,
        ),
    ]


def _least_of(arguments: list[str], cache: Path) -> float:
    return min(_cpu_s(arguments, cache) for _ in range(TRIES))


def _cpu_s(arguments: list[str], cache: Path) -> float:
    """User and system time of one process with these arguments to Python. It compiles no source but the first time, as
    an installed program."""
    environment = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"syncd {' '.join(arguments[2:])} ended with {process.returncode}: {said.decode()}")
    return used.ru_utime + used.ru_stime
