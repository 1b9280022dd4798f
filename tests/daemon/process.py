"""The real program in a process of its own, against sandboxes of this process: started, asked, killed, stopped."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.alone import people_alone
from syncd.cli import outcome
from syncd.cli.init import write
from syncd.demo.company import Cast, populate
from syncd.demo.stage import VENDORS, Stage

PROGRAM = [sys.executable, "-c", "from syncd.cli import main; main()"]
ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
BYTECODE = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{tempfile.gettempdir()}/syncd-tests-{os.getuid()}"}
"""Compiled once, as an installed program is; and not beside the sources."""


@dataclass
class Place:
    """A folder with settings for sandboxes that are up."""

    folder: Path
    stage: Stage
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    @property
    def mapping(self) -> Path:
        return self.folder / "mappings" / "people.toml"

    @property
    def cast(self) -> Cast:
        return Cast(self.stage)

    def start(self, *arguments: str) -> Process:
        """Starts a command; its standard error goes to a file."""
        log = self.folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with log.open("wb") as stream:
            popen = subprocess.Popen(
                [*PROGRAM, *arguments, "--config", str(self.config)],
                cwd=self.folder,
                env={**os.environ, **BYTECODE, "PYTHONPATH": str(ROOT), **self.extra},
                stdout=subprocess.PIPE,
                stderr=stream,
            )
        return Process(popen, log)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Runs a command to its end, in this process: (code, output, errors)."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = outcome([*arguments, "--config", str(self.config)])
        return code, out.getvalue(), err.getvalue()

    def facts(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, (code, out, err)
        return json.loads(out)

    def until(self, holds: Callable[[], Any], what: str, process: Process | None = None) -> None:
        """Waits until something is so."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            if holds():
                return
            assert process is None or process.popen.poll() is None, process.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"{what}: {process.log.read_text()[-3000:] if process else ''}")


@dataclass
class Process:
    """A running command."""

    popen: subprocess.Popen[bytes]
    log: Path

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def told(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["event"] == name]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Signals it; (exit code, seconds until it was gone)."""
        began_s = time.monotonic()
        self.popen.send_signal(number)
        code = self.popen.wait(timeout=PATIENCE_S)
        return code, time.monotonic() - began_s

    def kill(self) -> None:
        """As the kernel kills: nothing is tidied."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()


@contextmanager
def place(folder: Path, people: int = 20, seed: int = 5) -> Iterator[Place]:
    """Sandboxes with people, and settings for them with cycles twice a second."""
    with Stage.open(dict.fromkeys(VENDORS, 0), seed) as stage:
        stage.hurry()
        if people:
            populate(stage, people, seed)
        config = stage.write_config(folder, "test")
        text = config.read_text().replace('every    = "2s"', 'every    = "200ms"')
        config.write_text(text.replace('late = "2s"', 'late = "1s"'))
        write(folder, "")
        shutil.rmtree(folder / "mappings")
        people_alone(folder / "mappings")  # the other objects have tests of their own
        yield Place(folder, stage)
