"""The whole program, made quickly: a process that has loaded it, and forks one child per command line.

    {"folder": "...", "arguments": ["once", "--yes"], "stopped": true}

Orders are JSON lines on standard input. Two lines answer each: `{"pid"}` once the child is there, and `{"status"}` when
it has ended; what it printed stands in `out` and `err` in its folder. A stopped child waits for SIGCONT before its
first step, so that strace can take hold of it. Nothing of syncd is replaced but the clock, which is the world's, and the mapping, which is compiled once.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import stage  # noqa: E402

import syncd.assembly  # noqa: E402

PR_SET_PTRACER = 0x59616D61
ANYBODY = ctypes.c_ulong(-1)


def run(order: dict[str, Any]) -> int:
    """Carries out the command line in this process."""
    folder = Path(order["folder"])
    time = stage.Time(folder / "clock")
    syncd.assembly.Clock = functools.partial(  # type: ignore[assignment,misc]
        syncd.assembly.Clock, now=time, sleep=time.sleep, random=lambda: 0.5, monotonic=time
    )
    from syncd.cli import outcome  # the clock is in place before anybody takes it

    os.environ.update(stage.SECRETS)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    if order.get("stopped"):
        with contextlib.suppress(OSError):  # where only a parent may trace, we allow it to anybody
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    return outcome([*order["arguments"], "--config", str(folder / "syncd.toml")])


def forked(order: dict[str, Any]) -> int:
    """The child's pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        code = run(order)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def preload() -> None:
    """Everything that a cycle imports, once."""
    import requests  # noqa: F401
    import urllib3  # noqa: F401

    import syncd.cli.acting
    import syncd.events
    import syncd.request
    import syncd.session
    import syncd.wire
    from connectors.hubspot import connector as _hubspot  # noqa: F401
    from connectors.salesforce import connector as _salesforce  # noqa: F401
    from syncd import files
    from syncd.cli.app import command

    command()
    shipped = Path(sys.argv[1])
    ready = syncd.assembly.load_mappings(shipped)
    for module in (syncd.assembly, files):
        module.load_mappings = lambda folder, last=None: ready  # type: ignore[attr-defined]
    gc.freeze()  # children share what is loaded as long as nobody writes to it


def main() -> None:
    preload()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        pid = forked(json.loads(line))
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
