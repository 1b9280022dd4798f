"""`dashboard`: the pages alone, over the ledger; and what a password looks like in syncd.toml."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json

LOOK_S = 0.5


def register(app: typer.Typer) -> None:
    """Adds the command and its subcommand."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(dashboard)
    group.command("password")(password)
    app.add_typer(group, name="dashboard")


def dashboard(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option("--listen", metavar="HOST:PORT", help="Another address than syncd.toml's.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Serve the dashboard until Ctrl-C. `syncd run` serves it too."""
    if context.invoked_subcommand is not None:
        return
    from syncd.assembly import Clock
    from syncd.errors import ConfigError
    from syncd.web.serving import serve

    call = Call.of(context)
    files = call.files()
    pages = files.settings.dashboard
    if listen is not None:
        try:
            pages = pages.at(listen)
        except ValueError as error:
            raise ConfigError(f"--listen: {error}") from None
    server = serve(files, pages, os.environ, Clock(), call.event())
    if call.json:
        show.as_json({"address": server.address})
    else:
        show.line(f"The dashboard: {server.address}")
    sys.stdout.flush()
    try:
        while server.wait(LOOK_S):
            pass
    finally:
        server.end()


def password(context: typer.Context, config: Config = None, json: Json = False, debug: Debug = False) -> None:
    """Read a password from standard input and print what stands for it in [dashboard.users.NAME]."""
    from syncd.access import kept_form
    from syncd.errors import ConfigError

    call = Call.of(context)
    if sys.stdin.isatty():
        from getpass import getpass

        given = getpass("Password: ")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        kept = kept_form(given, os.urandom(16))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if call.json:
        show.as_json({"password": kept})
    else:
        show.line(kept)
