"""`check`: the files, then the live systems, then the connectors' contract."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with

if TYPE_CHECKING:
    from syncd.checkup import Findings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the systems too: account, schema, key, owners, limits.")
    ] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Run the connector contract's read-only rules on the live accounts.")
    ] = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check files, secrets and ledger; with --online the live systems. All problems at once; exit 2 on errors."""
    from syncd.assembly import Clock
    from syncd.checkup import check_contract, check_files, check_online

    call = Call.of(context)
    found = check_files(call.config, os.environ)
    if (online or contract) and found.files is not None and not found.problems:
        systems = check_online(found, Clock())
        try:
            for verdict in check_contract(found, systems) if contract else ():
                if not call.json:
                    why = f": {verdict['why']}" if verdict["why"] else ""
                    show.line(f"{verdict['system']} {verdict['object']}: {verdict['rule']}: {verdict['verdict']}{why}")
        finally:
            for system in systems.values():
                with suppress(Exception):
                    system.connector.close()
    if call.json:
        show.as_json(found.as_json())
    else:
        _tell(found, asked=online or contract)
    ends_with(found.exit_code)


def _tell(found: Findings, *, asked: bool) -> None:
    for problem in found.problems:
        show.line(str(problem))
    for name, trouble in found.troubles.items():
        show.line(f"{name}: {trouble}")
    for warning in found.warnings:
        show.line(f"note: {warning}")
    for name, told in found.systems.items():
        owners = "" if told.get("owners") is None else f", {told['owners']} owners"
        pinned = ", as pinned in the ledger" if told["pinned"] else ", to be pinned by the first cycle"
        show.line(f"{name}: account {told['account']} ({told['account_name']}){pinned}{owners}")
    if found.problems:
        show.line(f"{show.counted(len(found.problems), 'problem', 'problems')}.")
    elif found.files is not None and not found.troubles:
        names = ", ".join(found.files.mappings.by_name) or "none"
        if found.files.mappings.watches:
            names += f"; watches: {', '.join(found.files.mappings.watches)}"
        online = "files and systems are" if asked else "the files are"
        show.line(f"All well: {online} in order (mappings: {names}).")
    if found.problems and asked and not found.systems:
        show.line("The systems were not asked: mend the files first.")
