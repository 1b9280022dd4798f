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
    files = call.files()
    if files.settings.dashboard.listen is None:  # whoever serves no page loads no server
        ends_with(daemon.run(files, call.event(daemon=True), os.environ))
        return
    from syncd.web.serving import beside

    ends_with(daemon.run(files, call.event(daemon=True), os.environ, beside))
