"""All commands in one place: which file each is in, and the options that stand before them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from syncd.cli.call import Config, Debug, Json

HELP = "Keeps people the same in marketing and in sales: two-way, planned before it is written, explained afterwards."


def version(shown: bool) -> None:
    """Prints the version and ends."""
    if shown:
        from syncd import __version__

        typer.echo(f"syncd {__version__}")
        raise typer.Exit


def root(
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The options that may stand before the command."""


def application() -> typer.Typer:
    """The command line with every command registered."""
    from syncd.cli import (
        acting,
        alerts,
        backfill,
        check,
        conflicts,
        dashboard,
        demo,
        forget,
        init,
        issues,
        journal,
        ledger,
        looking,
        parity,
        reports,
        sandbox,
        service,
        undo,
        why,
    )

    app = typer.Typer(
        name="syncd",
        help=HELP,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for module in (
        demo,
        sandbox,
        init,
        check,
        acting,
        service,
        dashboard,
        backfill,
        looking,
        issues,
        conflicts,
        journal,
        why,
        undo,
        parity,
        reports,
        alerts,
        ledger,
        forget,
    ):
        module.register(app)
    return app


def command() -> Any:
    """What `main` runs."""
    return typer.main.get_command(application())
