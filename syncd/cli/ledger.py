"""`ledger`: backups, proof that a file is whole, restoring, and giving room back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with

if TYPE_CHECKING:
    from syncd.ledger.keeping import Verdict

FOLDER = "backups"
"""Beside the ledger."""


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Keep the ledger: backup, verify, restore.")
    for command in (backup, verify, restore, compact):
        group.command(command.__name__)(command)
    app.add_typer(group, name="ledger")


def backup(
    context: typer.Context,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; else backups/ beside the ledger.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, metavar="N", help="Of those in backups/, keep the newest N.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy the ledger as it is now, proved whole. Works beside a running daemon."""
    from syncd.ledger import Ledger, keeping

    call = Call.of(context)
    path = _ledger(call)
    now = time.time()
    folder = path.parent / FOLDER
    file = (to or folder / f"{path.stem}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}.db").absolute()
    verdict = keeping.backup(path, file, _progress("copying"))
    ledger = Ledger.open(path)
    try:
        ledger.epoch.add_backup(file, now)
        removed = _older(sorted(ledger.epoch.backups()), folder, keep)
        for old in removed:
            old.unlink(missing_ok=True)
            ledger.epoch.forget_backup(old)
    finally:
        ledger.close()
    if call.json:
        show.as_json({**_facts(verdict), "removed": [str(old) for old in removed]})
        return
    show.line(f"{file}: {verdict.size_bytes >> 10} KiB, proved whole ({verdict.entries} journal entries).")
    for old in removed:
        show.line(f"removed {old}")


def _older(known: list[Path], folder: Path, keep: int | None) -> list[Path]:
    """Those in our own folder beyond the newest `keep`; the names sort by time."""
    return [] if keep is None else [file for file in known if file.parent == folder][:-keep]


def verify(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A backup; left out: the ledger itself.")] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Prove that a ledger or a backup is whole: the file, its rows, the journal's chain. Exit 3 if it is not."""
    from syncd.errors import EXIT_PERSON
    from syncd.ledger import keeping

    call = Call.of(context)
    verdict = keeping.verify(file or _ledger(call))
    if call.json:
        show.as_json(_facts(verdict))
    elif verdict.holds:
        show.line(f"{verdict.path} is whole: {verdict.size_bytes >> 10} KiB, {verdict.entries} journal entries.")
    else:
        show.line(f"{verdict.path} does not hold:")
        for flaw in verdict.flaws:
            show.line(f"  {flaw}")
    ends_with(0 if verdict.holds else EXIT_PERSON)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to go back to.")],
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Put a backup in the ledger's place, in safe mode: nothing is sent until `syncd approve`. Stop the daemon first."""
    from syncd import forget, safemode
    from syncd.ledger import Ledger, keeping
    from syncd.session import take_lease

    call = Call.of(context)
    path = _ledger(call)
    now = time.time()
    aside = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}")
    lease = take_lease(path, "ledger restore")
    try:
        was = path.exists()
        verdict = keeping.restore(file, path, aside, _progress("copying"))
        ledger = Ledger.open(path)
        try:
            ledger.epoch.begin()
            erased = forget.carry_over(ledger, aside, now) if was else 0
            safemode.enter(ledger, ledger.books.mapping_names(), "this ledger was restored from a backup", now)
        finally:
            ledger.close()
    finally:
        lease.release()
    if call.json:
        show.as_json({**_facts(verdict), "aside": str(aside) if was else None, "forgotten": erased})
        return
    show.line(f"{path} is the backup now: {verdict.entries} journal entries.")
    if was:
        show.line(f"What was there is kept: {aside}")
    if erased:
        show.line(f"Forgotten again, as they were in it: {erased} records of persons.")
    show.line(
        "Safe mode: `syncd plan` reads both sides and rebuilds links; `syncd approve MAPPING` lets it write again."
    )


def compact(context: typer.Context, config: Config = None, json: Json = False, debug: Debug = False) -> None:
    """Give room that is not needed any more back to the disk. Stop the daemon first."""
    from syncd.ledger import Ledger, keeping
    from syncd.session import take_lease

    call = Call.of(context)
    path = _ledger(call)
    Ledger.open(path, read_only=True).close()
    lease = take_lease(path, "ledger compact")
    try:
        before, after = keeping.compact(path)
    finally:
        lease.release()
    if call.json:
        show.as_json({"path": str(path), "before_bytes": before, "after_bytes": after})
    else:
        show.line(f"{path}: {before >> 10} KiB before, {after >> 10} KiB now.")


def _ledger(call: Call) -> Path:
    from syncd.settings import load

    return load(call.config, os.environ).daemon.ledger


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "path": str(verdict.path),
        "size_bytes": verdict.size_bytes,
        "entries": verdict.entries,
        "holds": verdict.holds,
        "flaws": verdict.flaws,
    }


def _progress(what: str) -> Callable[[int, int], None]:
    """A line on a terminal; nothing elsewhere: most copies take less than a second."""

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{what}: {100 * done // max(1, total)} %", end=end, file=sys.stderr, flush=True)

    return progress
