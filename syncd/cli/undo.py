"""`undo`: puts back what stood there before we wrote, leaving alone what people changed since."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.acting import tell_report
from syncd.cli.call import MOST_ID, Call, Config, Debug, Json, MappingName, ends_with, nothing, spinner

CREATED = ("system", "object", "key", "since")
"""What `--created` tells of each record."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("undo")(undo)


def undo(
    context: typer.Context,
    mapping: MappingName = None,
    run: Annotated[
        int | None, typer.Option("--run", metavar="R", min=0, max=MOST_ID, help="What was written in that run.")
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(
            "--mapping-version", metavar="V", min=0, max=MOST_ID, help="What was written under MAPPING's version V."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="What was written since: 2026-11-21T08:00Z.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="With --since: what was written before that moment.")
    ] = None,
    created: Annotated[
        bool, typer.Option("--created", help="Only a list of the records that were made, as CSV: all of them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only the plan is shown.")] = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Put back what stood there before. Skips, and lists, what people changed since; can itself be undone."""
    from syncd.errors import ConfigError

    call = Call.of(context)
    if sum(one is not None for one in (run, version, since)) != 1:
        raise ConfigError("say what is to be undone: one of --run, --mapping-version and --since")
    if version is not None and mapping is None:
        raise ConfigError("a version is a mapping's: name the mapping", remedy="syncd undo MAPPING --mapping-version V")
    if until is not None and since is None:
        raise ConfigError("--until is the end of a stretch of time", remedy="say where it begins: --since TIME")
    if created and yes:
        raise ConfigError(
            "--created only lists: nothing that was created is deleted", remedy="leave one of the two out"
        )
    files = call.files()
    if mapping is not None:
        files.mapping(mapping)
    doc: dict[str, Any] = {"mapping": mapping, "run": run, "version": version}
    doc |= {"since": _moment("--since", since), "until": _moment("--until", until)}
    with spinner("undo"):
        answer = call.act(files, "undo", {**doc, "yes": yes, "created": created}, nothing)
    if call.json:
        show.as_json(answer.facts)
    elif created:
        from syncd.view.sheet import as_csv

        rows = (one for found in answer.facts["undo"].values() for one in found["created"])
        sys.stdout.write(as_csv(CREATED, ([one[name] for name in CREATED] for one in rows)))
    else:
        for found in answer.facts["undo"].values():
            _tell(found)
        if answer.said:
            show.line(answer.said)
        if "report" in answer.facts:
            tell_report(answer.facts["report"])
    ends_with(answer.exit_code)


def _moment(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    from syncd.errors import ConfigError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{option} is not a date or time", remedy="write 2026-11-21 or 2026-11-21T08:00:00Z"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tell(found: dict[str, Any]) -> None:
    rows = [
        (
            f"{one['system']} {one['object']} {one['key']}",
            field,
            show.value(change["before"]),
            show.value(change["after"]),
        )
        for one in found["effects"]
        for field, change in one["fields"].items()
    ]
    if rows:
        show.table(("record", "field", "now", "put back"), rows)
    for one in found["skipped"]:
        show.line(f"left alone: {one['field']} of {one['system']} {one['object']} {one['key']}: {one['why']}")
    for one in found["created"]:
        show.line(f"created, not deleted: {one['system']} {one['object']} {one['key']}: {one['since']}")
    if found["creates"]:
        show.line(f"{found['creates']} created, {found['untouched']} of them untouched since; --created lists them all")
