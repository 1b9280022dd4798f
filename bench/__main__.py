"""Runs the parts of the benchmark and prints their figures: `python -m bench [pull sweep memory calls ...]`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, verdict

MILLION = 1_000_000


def _pull(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.pull import measure

    return measure(chosen.records, folder)


def _sweep(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.sweep import measure

    return measure(chosen.records, folder)


def _memory(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.memory import measure

    most = MILLION if chosen.million else chosen.records
    return measure(most // 10, most, folder)


def _calls(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.calls import measure

    return measure(chosen.each_way, folder)


def _model(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.model import measure

    return measure(chosen.people, folder)


def _burst(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.burst import measure

    return measure(folder)


def _arrival(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.arrival import measure

    return measure(folder)


def _start(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.start import measure

    return measure(folder)


def _pages(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    from bench.pages import measure

    return measure(MILLION if chosen.million else chosen.records, folder)


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace, Path], list[Figure]]]] = {
    "pull": ("first pull into the ledger, beside the floor", _pull),
    "sweep": ("what unchanged and moved records cost", _sweep),
    "memory": ("peak memory, at a size and at a tenth of it", _memory),
    "calls": ("calls at the vendors, part by part, beside the formula", _calls),
    "model": ("a backfill of people, companies and deals with associations, part by part", _model),
    "burst": ("25,000 records that share one stamp, on each side", _burst),
    "arrival": ("an edit reaches the other side; at quiet, nothing is written", _arrival),
    "pages": ("every page and report over a large company's ledger, and what a cycle's closed loop costs", _pages),
    "start": ("CPU of --help and check", _start),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--records", type=int, default=100_000, help="on each side (pull, sweep, memory); people (pages)"
    )
    parser.add_argument("--each-way", type=int, default=10_000, help="creates and edits each way (calls)")
    parser.add_argument("--people", type=int, default=100_000, help="and a fifth of companies and deals (model)")
    parser.add_argument("--million", action="store_true", help="memory and pages at 1,000,000 records (many minutes)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a target is missed")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in chosen.parts or PARTS:
        title, measure = PARTS[name]
        if not chosen.json:
            print(f"{name}: {title}", flush=True)
        with tempfile.TemporaryDirectory(prefix="syncd-bench-") as folder:
            found = measure(chosen, Path(folder))
        figures += found
        if not chosen.json:
            print("\n".join(figure.line() for figure in found), flush=True)
    missed = any(figure.met is False for figure in figures)
    if chosen.json:
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        print(json.dumps({"ok": not missed, **machine, "figures": [figure.as_json() for figure in figures]}, indent=2))
    else:
        print(verdict(figures))
    return int(missed and chosen.strict)


if __name__ == "__main__":
    sys.exit(main())
