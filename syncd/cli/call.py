"""One call of the command line: its shared options, the files it names, and how it acts.

Promise: `--config` and `--json` mean the same wherever they stand, before or after the command. Files are read when
asked for, so that `--help` reads none.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import EXIT_INTERRUPTED
from syncd.errors import SyncdError

if TYPE_CHECKING:
    from syncd.answer import Answer
    from syncd.files import Files
    from syncd.ledger import Ledger
    from syncd.run import Event
    from syncd.settings import Settings

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="The settings file; else $SYNCD_CONFIG, ./syncd.toml, /etc/syncd/."),
]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON (shapes: docs/cli.md).")]
Debug = Annotated[bool, typer.Option("--debug", help="Log every step, and show the place of an unexpected error.")]
MappingName = Annotated[str | None, typer.Argument(metavar="MAPPING", help="A mapping's name; left out: all of them.")]
OneMapping = Annotated[str, typer.Argument(metavar="MAPPING", help="A mapping's name.")]
MOST_ID = 2**63 - 1
"""The largest number that the ledger can hold."""
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="Show at most so many.")]

QUIET = frozenset({"polled", "swept", "reread", "cycle"})
"""Events of every run: told by the daemon where something moved, and elsewhere only with --debug."""
COUNTS = ("moved", "writes", "outcomes")
TROUBLE = ("trouble", "held", "lost", "crashed", "invalid", "refused", "full", "failed")


class Interrupted(SyncdError):
    """Ctrl-C, where there is more to say than that."""

    exit_code = EXIT_INTERRUPTED


@dataclass(frozen=True)
class Call:
    """What the command line said, whatever the command."""

    config: Path | None
    json: bool
    debug: bool

    @classmethod
    def of(cls, context: typer.Context) -> Call:
        """Collects the shared options from wherever they stood."""
        given: list[dict[str, Any]] = []
        level: Any = context
        while level is not None:
            given.append(level.params)
            level = level.parent
        config = next((params["config"] for params in given if params.get("config")), None)
        return cls(config, any(p.get("json") for p in given), any(p.get("debug") for p in given))

    def files(self) -> Files:
        """syncd.toml and the mappings in force. Raises ConfigError for syncd.toml, or where no mapping is left."""
        from syncd.files import read_files

        return read_files(self.config, os.environ)

    @contextmanager
    def ledger(self) -> Iterator[tuple[Settings, Ledger]]:
        """(settings, ledger opened to read): for commands that only look. A broken mapping does not stop them."""
        from syncd.session import open_to_read
        from syncd.settings import load

        settings = load(self.config, os.environ)
        ledger = open_to_read(settings)
        try:
            yield settings, ledger
        finally:
            ledger.close()

    def event(self, *, daemon: bool = False) -> Event:
        """Events on standard error: all of them for the daemon, troubles only for a command."""
        from syncd.events import open_events

        level = "debug" if self.debug else "info" if daemon else "warning"
        events = open_events(sys.stderr, now=time.time, level=level)  # type: ignore[arg-type]

        def event(name: str, **facts: Any) -> None:
            if any(word in name for word in TROUBLE):
                events.warning(name, **facts)
            elif name in QUIET and not (daemon and any(facts.get(count) for count in COUNTS)):
                events.debug(name, **facts)
            else:
                events.info(name, **facts)

        return event

    def act(self, files: Files, kind: str, doc: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> Answer:
        """Does a deed here, or has the daemon do it, and follows it."""
        from syncd.answer import Watch
        from syncd.request import carry_out

        def event(name: str, **facts: Any) -> None:
            if name == "asking":
                typer.echo(f"asked the one who holds the lease: {facts['holder']}", err=True)
            else:
                said(name, **facts)

        said = self.event()
        return carry_out(files, kind, doc, Watch(tell=tell), event=event)


def nothing(progress: dict[str, Any]) -> None:
    """Progress that nobody asked to see."""


def ends_with(code: int) -> None:
    """Ends the command with this exit code, unless it is 0."""
    if code:
        raise typer.Exit(code)


def spinner(text: str) -> AbstractContextManager[Any]:
    """Shows on a terminal that something goes on; nothing elsewhere."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(text)
