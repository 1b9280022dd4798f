"""`conflicts`: the values that lost, and how to get one back."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import show
from syncd.cli.acting import tell_report
from syncd.cli.call import MOST_ID, Call, Config, Debug, Json, Limit, ends_with, nothing, spinner


def register(app: typer.Typer) -> None:
    """Adds the command and its subcommand."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(conflicts)
    group.command("restore")(restore)
    app.add_typer(group, name="conflicts")


def conflicts(
    context: typer.Context,
    limit: Limit = 1000,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show values that lost against the other side, newest first."""
    if context.invoked_subcommand is not None:
        return
    from syncd.view.records import conflicts as view

    call = Call.of(context)
    with call.ledger() as (_, ledger):
        facts = view(ledger, limit)
    if call.json:
        show.as_json(facts)
        return
    if not facts:
        show.line("Nothing was lost.")
        return
    rows = [
        (
            str(one["id"]),
            f"{one['system']} {one['object']} {one['key']}",
            one["field"],
            show.value(one["kept"]),
            show.value(one["lost"]),
            one["by"] + ("; restored" if one["restored"] else ""),
            one["at"][:16].replace("T", " "),
        )
        for one in facts
    ]
    show.table(("id", "record", "field", "kept", "lost", "why", "at"), rows)


def restore(
    context: typer.Context,
    id: Annotated[
        int, typer.Argument(metavar="ID", max=MOST_ID, help="The conflict's number, as `syncd conflicts` shows it.")
    ],
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a lost value back; it counts as that side's own edit. Runs a cycle."""
    call = Call.of(context)
    with spinner("one cycle"):
        answer = call.act(call.files(), "restore", {"id": id}, nothing)
    if call.json:
        show.as_json(answer.facts)
    else:
        show.line(answer.said)
        tell_report(answer.facts)
    ends_with(answer.exit_code)
