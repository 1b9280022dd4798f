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

from bugs import BUGS, SIMULATION, Bug  # noqa: E402

SEEDS = 400
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
        return f"| {self.bug.name} | {self.bug.hazard} | {who} | {self.seeds or ''} |"


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
    return Caught(bug, broken[1] if broken else "", int(played[1]) if broken else 0)


def _tested(bug: Bug, copy: Path) -> Caught:
    code, said = _run(copy, ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.by))
    if code not in (0, 1):
        raise RuntimeError(f"{bug.by} did not run over '{bug.name}':\n{said[-2000:]}")
    return Caught(bug, bug.by if code == 1 else "", 0)


def table(found: Sequence[Caught]) -> str:
    """The kill table as a page."""
    head = [
        "# The kill table",
        "",
        "Bugs planted on purpose, one at a time, and who catches each: an invariant of the simulation, after so many",
        "seeds, or the test that looks where the simulation cannot. `python tests/bugs/plant.py` makes this page anew; a bug",
        "that survives fails it, and so does one that cannot be planted any more.",
        "",
        "| bug | hazard | caught by | seeds |",
        "|---|---|---|---|",
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
