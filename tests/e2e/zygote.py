"""A process that has imported everything and forks one child per order: syncd as a process of its own, in milliseconds.

    {"folder": "...", "cycles": 1}                       one cycle
    {"folder": "...", "cycles": 12, "quiet": true}       cycles until one writes nothing and nothing waits
    {"folder": "...", "cycles": 1, "die": [7, "before"]} ... and SIGKILL before the 7th COMMIT is carried out

Orders are JSON lines on standard input. Two lines answer each: `{"pid"}` once the child is there, and `{"status"}` when
it has ended; what it did stands in result.json in its folder. A child asks nobody before it dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from stage import Engine, Time, compiled, writes  # noqa: E402


class Commits:
    """Counts the commits of a ledger, and kills the process at one of them."""

    def __init__(self, engine: Engine, die: tuple[int, str] | None) -> None:
        self.count = 0
        self._die = die
        store = engine.ledger.store
        store.on_commit = self._after
        store._connection.set_trace_callback(self._before)

    def _before(self, sql: str) -> None:
        if sql == "COMMIT":
            self.count += 1
            self._dies("before")

    def _after(self) -> None:
        self._dies("after")

    def _dies(self, moment: str) -> None:
        if self._die == (self.count, moment):
            os.kill(os.getpid(), signal.SIGKILL)


def work(order: dict[str, Any]) -> dict[str, Any]:
    folder = Path(order["folder"])
    engine = Engine(folder, Time(folder / "clock"))
    commits = Commits(engine, tuple(order["die"]) if order.get("die") else None)
    tallies = []
    for _ in range(order["cycles"]):
        tally = engine.once()
        tallies.append(tally)
        if order.get("quiet") and not writes(tally) and not (tally.waiting or tally.again or tally.skipped):
            break
    engine.close()
    return {"writes": [writes(tally) for tally in tallies], "waiting": tallies[-1].waiting, "commits": commits.count}


def forked(order: dict[str, Any], do: Callable[[dict[str, Any]], dict[str, Any]] = work) -> int:
    """The child's pid; the child works, writes what came of it, and ends without a word."""
    pid = os.fork()
    if pid:
        return pid
    code, result = 1, {}
    try:
        result = do(order)
        code = 0
    except BaseException:
        result = {"error": traceback.format_exc()}
    finally:
        (Path(order["folder"]) / "result.json").write_text(json.dumps(result))
        os._exit(code)


def main() -> None:
    compiled(Path(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        pid = forked(json.loads(line))
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
