"""`issues`: what waits for a person, and what a person says about it."""

from __future__ import annotations

from typing import Annotated, Any

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
        show.line(f"{one['id']}  {one['kind']}  {one['mapping']}  since {one['since'][:16].replace('T', ' ')}")
        for line in one["reason"].splitlines():
            show.line(f"    {line}")
        _tell_records(one)
        show.line(f"    -> {one['remedy']}")
    if total > len(facts):
        show.line(f"... and {total - len(facts)} more (--limit)")


def _tell_records(one: dict[str, Any]) -> None:
    """Whom an issue is about, and who may be picked."""
    about = one["records"][:1] if len(one["records"]) > len(one["candidates"]) else []
    for record in about:
        show.line(f"    {'object' if record['key'] is None else 'record'}: {_place(record)}")
    rule = next((each["rule"] for each in one["candidates"] if each["rule"]), None)
    named = ", ".join(map(_offered, one["candidates"]))
    if named:
        show.line(f"    candidates: {named}" + (f"; matched by {rule}" if rule else ""))
    if one.get("twins"):
        how = " (say which one with --for KEY)" if named else ""
        show.line(f"    shared by: {', '.join(map(_place, one['twins']))}{how}")


def _offered(candidate: dict[str, Any]) -> str:
    taken = "" if candidate["pickable"] else f" (linked with {_place(candidate['linked'])})"
    return _place(candidate) + taken


def _place(record: dict[str, Any]) -> str:
    return " ".join(record[part] for part in ("system", "object", "key") if record[part] is not None)


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
