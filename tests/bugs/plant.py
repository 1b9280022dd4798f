"""Plants each bug in a copy of the source, and sees who catches it: the kill table.

`python tests/bugs/plant.py` plants all of them and writes `docs/kill-table.md`; `--only WORDS` those whose name has these
words. Exit 1 if one survives, or does not apply any more. Promise: the source itself is never touched.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))

from bugs import BREAKS, BUGS, SIMULATION, Bug  # noqa: E402

SEEDS = 220
"""Within so many a bug must be caught."""
TABLE = ROOT / "docs" / "kill-table.md"
COPIED = ("syncd", "connectors", "bench", "mappings", "schemas", "tests", "pyproject.toml")


class NoLonger(Exception):
    """A bug cannot be planted: its place was changed."""


@dataclass(frozen=True)
class Caught:
    """Who caught a bug: an invariant and after how many seeds, or a test; nothing if it survived."""

    bug: Bug
    by: str
    seeds: int

    @property
    def row(self) -> str:
        who = self.by if self.by else "**survived**"
        seeds = str(self.seeds) if self.seeds else "none: a test" if self.by else f"{SEEDS}"
        return f"| {self.bug.name} | {BREAKS[self.bug.hazard]} | {self.bug.hazard} | {who} | {seeds} |"


def check(bug: Bug) -> str:
    """The source with the bug in it. Raises NoLonger."""
    text = (ROOT / bug.file).read_text()
    if text.count(bug.old) != 1:
        raise NoLonger(
            f"'{bug.name}' does not apply to {bug.file} any more: its place stands there {text.count(bug.old)} times"
        )
    return text.replace(bug.old, bug.new)


def hunt(bug: Bug, seeds: int = SEEDS) -> Caught:
    """Plants one bug in a copy, and lets the tester loose."""
    text = check(bug)
    with tempfile.TemporaryDirectory(prefix="syncd-bug-") as place:
        copy = Path(place)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, copy / name, copy_function=os.link, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / name, copy / name)
        (copy / bug.file).unlink()  # it is the very file of the source
        (copy / bug.file).write_text(text)
        return _simulated(bug, copy, seeds) if bug.by == SIMULATION else _tested(bug, copy)


def _run(copy: Path, words: Sequence[str]) -> tuple[int, str]:
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=copy, env=environ, capture_output=True, text=True, timeout=1800, check=False
    )
    return done.returncode, done.stdout + done.stderr


def _simulated(bug: Bug, copy: Path, seeds: int) -> Caught:
    words = ("tests/simulation/campaign.py", "--seeds", str(seeds), "--rounds", "1", "--most", "1", "--no-shrink")
    _, said = _run(copy, words)
    broken = re.search(r"^BROKEN  (\S+) at", said, re.MULTILINE)
    played = re.search(r"^(\d+) seeds, ", said, re.MULTILINE)
    if played is None:
        raise RuntimeError(f"the campaign did not end over '{bug.name}':\n{said[-2000:]}")
    return Caught(bug, f"simulation: {broken[1]}" if broken else "", int(played[1]) if broken else 0)


def _tested(bug: Bug, copy: Path) -> Caught:
    code, said = _run(copy, ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.by))
    if code not in (0, 1):
        raise RuntimeError(f"{bug.by} did not run over '{bug.name}':\n{said[-2000:]}")
    failed = re.search(r"^FAILED \S+::(\w+)", said, re.MULTILINE)
    return Caught(bug, f"`{failed[1] if failed else bug.by}`" if code == 1 else "", 0)


def table(found: Sequence[Caught]) -> str:
    """The kill table as a page."""
    simulated = [one.seeds for one in found if one.seeds]
    head = [
        "# The kill table",
        "",
        "Bugs planted on purpose, one at a time, each a change that a tired engineer could have made; what it breaks; and",
        "who catches it: an invariant of the simulation, with the first seed that breaks it, or a test that looks where the",
        "simulation cannot. `make kill-table` plants them all and makes this page anew; it fails if one survives",
        f"{SEEDS} seeds, or cannot be planted any more. `make test` plants a sample, `make soak` all. The numbers are those of",
        "[proof.md](proof.md).",
        "",
        f"{len(found)} planted, {sum(bool(one.by) for one in found)} caught; by the simulation {len(simulated)}, half of them by"
        f" seed {sorted(simulated)[len(simulated) // 2] if simulated else 0}, the last by seed {max(simulated, default=0)}.",
        "",
        "| bug | what it breaks | number | caught by | seed |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(one.row for one in found), ""])


def main() -> int:
    """See the module's words."""
    parser = argparse.ArgumentParser(description="Plants bugs, and sees who catches them.")
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    asked = parser.parse_args()
    chosen = [bug for bug in BUGS if asked.only in bug.name]
    found = []
    with ThreadPoolExecutor(2) as threads:
        for one in threads.map(lambda bug: hunt(bug, asked.seeds), chosen):
            print(one.row, flush=True)
            found.append(one)
    if not asked.only:
        TABLE.write_text(table(found))
    survivors = [one.bug.name for one in found if not one.by]
    print(f"{len(found)} planted, {len(survivors)} survived")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())
