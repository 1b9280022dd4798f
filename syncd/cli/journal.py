"""`journal`: what was decided and done, and proof that nobody changed the account."""

from __future__ import annotations

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, Limit, ends_with


def register(app: typer.Typer) -> None:
    """Adds the command and its subcommand."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(journal)
    group.command("verify")(verify)
    app.add_typer(group, name="journal")


def journal(
    context: typer.Context,
    limit: Limit = 100,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the newest entries of the account of what was decided and done."""
    if context.invoked_subcommand is not None:
        return
    from syncd.view.records import journal as view

    call = Call.of(context)
    with call.ledger() as (_, ledger):
        facts = view(ledger, limit)
    if call.json:
        show.as_json(facts)
        return
    rows = [
        (
            str(one["seq"]),
            one["at"][:19].replace("T", " "),
            str(one["run"] or ""),
            one["kind"],
            "" if one["record"] is None else f"{one['record']['object']} {one['record']['key']}",
            one["said"],
        )
        for one in facts
    ]
    show.table(("seq", "at", "run", "kind", "record", "said"), rows)


def verify(context: typer.Context, config: Config = None, json: Json = False, debug: Debug = False) -> None:
    """Recompute the chain of hashes over the whole journal. Exit 3 if it does not hold."""
    from syncd.errors import EXIT_PERSON

    call = Call.of(context)
    with call.ledger() as (_, ledger):
        entries, broken = ledger.journal.verify()
    if call.json:
        show.as_json({"entries": entries, "holds": broken is None, "broken_at": broken})
    elif broken is None:
        show.line(f"The journal holds: {entries} entries, each chained to the one before.")
    else:
        show.line(f"The journal does not hold: entry {broken} was changed, or one before it is missing.")
    ends_with(0 if broken is None else EXIT_PERSON)
