"""The README is executed: its ten minutes, in the order a newcomer types them, against the sandboxes it starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "README.md").read_text()
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S)]
START = "from syncd.cli import main; main()"
HELD = 3
START_S = 20.0
"""How long the sandboxes may take to write their settings."""


def typed(line: str) -> str:
    """A line without its comment."""
    return line.split("#")[0].strip()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with the sandboxes of the README's first terminal serving beside it."""
    program = tmp_path / "bin" / "syncd"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{START}' \"$@\"\n")
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    (serve,) = [typed(line) for block in BLOCKS for line in block if "syncd sandbox" in line]
    server = subprocess.Popen(
        ["bash", "-c", f"exec {serve}"], cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until = time.monotonic() + START_S
    while not (tmp_path / "try" / "mappings").exists():
        assert server.poll() is None, server.stderr.read() if server.stderr else ""
        assert time.monotonic() < until, "the sandboxes did not start"
        time.sleep(0.1)
    yield tmp_path, environ
    server.send_signal(signal.SIGINT)
    server.wait(10)


def test_the_ten_minutes_work_as_written(place: tuple[Path, dict[str, str]]) -> None:
    """Every command of the second terminal ends as the README says; the first plan is held, then released."""
    folder, environ = place
    (block,) = [block for block in BLOCKS if any("syncd approve" in line for line in block)]
    commands = [typed(line) for line in block]
    assert commands[0].endswith("cd try")
    ends: dict[str, int] = {}
    for command in commands[1:]:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder / "try", env=environ, capture_output=True, text=True, timeout=60
        )
        first = command not in ends
        ends[command] = done.returncode
        wanted = HELD if command == "syncd once people" and first else 0
        assert done.returncode == wanted, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip() or done.stderr.strip(), f"{command} said nothing"
    assert len(ends) >= 8


def test_every_make_target_and_file_that_is_named_exists() -> None:
    """A README that names what is not there sends its reader away."""
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`(?:sudo )?make (\w+)`|^make (\w+)$", TEXT, re.M)):
        name = target[0] or target[1]
        assert re.search(rf"^{name}:", makefile, re.M), f"make {name}"
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link


def test_every_command_that_is_named_exists() -> None:
    """The words after `syncd` are commands of the program."""
    said = subprocess.run(
        [sys.executable, "-c", START, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    commands = set(re.findall(r"^  (\w+)  ", said, re.M))
    named = set(re.findall(r"`syncd (\w+)", TEXT))
    named |= {word for block in BLOCKS for line in block for word in re.findall(r"\bsyncd (\w+)", typed(line))}
    assert named <= commands, named - commands
