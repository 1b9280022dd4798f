"""`issues`: what waits for a person, and what a person says about it."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import show
from syncd.cli.acting import tell_report
from syncd.cli.call import MOST_ID, Call, Config, Debug, Json, Limit, ends_with, nothing, spinner

Id = Annotated[int, typer.Argument(metavar="ID", max=MOST_ID, help="The issue's number, as `syncd issues` shows it.")]


def register(app: typer.Typer) -> None:
    """Adds the command and its subcommands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(issues)
    group.command("retry")(retry)
    group.command("resolve")(resolve)
    app.add_typer(group, name="issues")


def issues(
    context: typer.Context,
    limit: Limit = 1000,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what waits for a person: held plans, ambiguous matches, refused fields."""
    if context.invoked_subcommand is not None:
        return
    from syncd.view.records import issues as view

    call = Call.of(context)
    with call.ledger() as (_, ledger):
        facts = view(ledger, limit)
        total = ledger.inbox.issue_count()
    if call.json:
        show.as_json(facts)
        return
    if not facts:
        show.line("Nothing waits for a person.")
        return
    for one in facts:
        records = [f"{r['system']} {r['object']} {r['key']}" for r in one["records"]]
        show.line(f"{one['id']}  {one['kind']}  {one['mapping']}  since {one['since'][:16].replace('T', ' ')}")
        show.line(f"    {one['reason']}")
        if records:
            show.line(f"    record: {records[0]}" + (f"; candidates: {', '.join(records[1:])}" if records[1:] else ""))
        if one.get("twins"):
            twins = [f"{r['system']} {r['object']} {r['key']}" for r in one["twins"]]
            show.line(f"    shared by: {', '.join(twins)} (say which one with --for KEY)")
        show.line(f"    -> {one['remedy'].replace(' ID', ' ' + str(one['id']))}")
    if total > len(facts):
        show.line(f"... and {total - len(facts)} more (--limit)")


def retry(
    context: typer.Context,
    id: Annotated[
        int | None, typer.Argument(metavar="[ID]", max=MOST_ID, help="The issue's number; or choose many.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every issue that can be retried.")] = False,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Every issue of this kind: refused, ...")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option("--mapping", metavar="NAME", help="Every issue of this mapping.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Decide an issue's record again, once its cause is mended; or those of many issues. Runs a cycle."""
    from syncd.errors import ConfigError

    many = every or kind is not None or mapping is not None
    if many == (id is not None):
        raise ConfigError(
            "which issues?", remedy="name one by its number, or choose: --all, --kind KIND, --mapping NAME"
        )
    _act(context, "retry", {"id": id} if id is not None else {"kind": kind, "mapping": mapping})


def resolve(
    context: typer.Context,
    id: Id,
    pick: Annotated[str, typer.Option("--pick", metavar="KEY", help="The record to link with: KEY, or OBJECT:KEY.")],
    of: Annotated[
        str | None,
        typer.Option("--for", metavar="KEY", help="Whose partner it is, where several share the value."),
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Link an issue's record with one of its candidates; runs a cycle."""
    _act(context, "resolve", {"id": id, "pick": pick, "for": of})


def _act(context: typer.Context, kind: str, doc: dict[str, object]) -> None:
    call = Call.of(context)
    with spinner("one cycle"):
        answer = call.act(call.files(), kind, doc, nothing)
    if call.json:
        show.as_json(answer.facts)
    else:
        show.line(answer.said)
        tell_report(answer.facts)
    ends_with(answer.exit_code)
