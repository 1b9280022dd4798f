"""`forget`: erases a person from everything that syncd owns, and prints a certificate."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with, nothing, spinner

PLACE = 3
"""SYSTEM OBJECT KEY."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("forget")(forget)


def forget(
    context: typer.Context,
    person: Annotated[list[str], typer.Argument(metavar="PERSON", help="An e-mail address, or SYSTEM OBJECT KEY.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only the records are shown.")] = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Erase a person from ledger, journal and issues, with a certificate. They are not created again."""
    from syncd.errors import ConfigError
    from syncd.forget import find

    call = Call.of(context)
    if len(person) not in (1, PLACE):
        raise ConfigError("say who: one e-mail address, or SYSTEM OBJECT KEY")
    with call.ledger() as (_, ledger):
        places = find(ledger, person)
        records = [(*ledger.facts.name_of(object_), key) for object_, key in places]
    if not yes:
        if call.json:
            show.as_json({"records": [dict(zip(("system", "object", "key"), one, strict=True)) for one in records]})
            return
        show.table(("system", "object", "key"), records)
        show.line(f"{len(records)} records would be erased here, and are left alone there. Do it: add --yes.")
        return
    with spinner("erasing"):
        answer = call.act(call.files(), "forget", {"places": [list(place) for place in places]}, nothing)
    facts = answer.facts
    if call.json:
        show.as_json(facts)
    else:
        show.line(f"Erased {facts['at']}: {len(records)} records. Certificate {facts['digest'][:16]}.")
        show.table(("table", "rows"), [(table, str(n)) for table, n in facts["erased"].items()])
        journal = facts["journal"]
        show.line(f"The journal {'holds' if journal['holds'] else 'DOES NOT HOLD'}: {journal['entries']} entries.")
        for file in facts["backups_that_still_hold_them"]:
            show.line(f"Delete this backup, which was made before: {file}")
    ends_with(answer.exit_code)
