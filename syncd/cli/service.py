"""`run`: the daemon."""

from __future__ import annotations

import os

import typer

from syncd.cli.call import Call, Config, Debug, Json, ends_with


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run")(run)


def run(context: typer.Context, config: Config = None, json: Json = False, debug: Debug = False) -> None:
    """Keep both sides in step: a cycle every so often, until SIGTERM. Edited files and SIGHUP are taken up."""
    from syncd import daemon

    call = Call.of(context)
    ends_with(daemon.run(call.files(), call.event(daemon=True), os.environ))
