"""`handoff` and `report`: what the closed loop comes to, as a table, CSV or JSON. They only look."""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with
from syncd.errors import EXIT_OK, EXIT_TRANSIENT

EVER = "1970-01-01"
"""Before anybody qualified."""


class Kind(StrEnum):
    """What can be reported."""

    funnel = "funnel"
    revenue = "revenue"
    agreement = "agreement"
    goals = "goals"
    campaigns = "campaigns"
    weekly = "weekly"


READS = {"agreement": "follow_up"}
"""The reading function of a report, where it is called otherwise."""

Day = Annotated[str | None, typer.Option("--since", metavar="DAY", help="From this day on: 2026-11-21.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DAY", help="Before this day.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("handoff")(handoff)
    app.command("report")(report)


def handoff(
    context: typer.Context,
    since: Day = None,
    until: Until = None,
    as_csv: Csv = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show where everybody is who ever met the definition of qualified, and the reason of each who was not delivered."""
    facts = _read(Call.of(context), "handoffs", {"since": _day(since) or EVER, "until": _day(until) or _tomorrow()})
    states = ("qualified", "delivered", "waiting", "rejected", "out_of_scope", "marketing", "sales", "gap")
    plain = {
        **{name: facts[name]["value"] for name in states},
        "blocked": {reason: figure["value"] for reason, figure in facts["blocked"].items()},
        "balanced": facts["balanced"],
        "period": facts["period"],
        "records": facts["records"],
    }
    if Call.of(context).json:
        show.as_json(plain)
        return
    if as_csv:
        _csv("handoff", facts)
        return
    if plain["qualified"] is None:
        show.line("Unknown: there is no funnel.toml, or no cycle has run with it yet.")
        return
    blocked = sum(plain["blocked"].values())
    show.line(
        f"{plain['qualified']} qualified = {plain['delivered']} delivered + {plain['waiting']} waiting + {blocked} blocked"
        f" + {plain['rejected']} rejected + {plain['out_of_scope']} out of scope"
    )
    show.line(f"marketing counts {plain['marketing']}, sales {plain['sales']}; the gap of {plain['gap']}:")
    _table("handoff", facts)


def report(
    context: typer.Context,
    kind: Annotated[
        Kind, typer.Argument(metavar="REPORT", help="funnel, revenue, agreement, goals, campaigns, weekly.")
    ],
    since: Day = None,
    until: Until = None,
    by: Annotated[str | None, typer.Option("--by", help="Broken down by source, campaign, segment or owner.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Credit: first, last, linear or position.")] = None,
    as_csv: Csv = False,
    html: Annotated[bool, typer.Option("--html", help="The weekly digest as HTML.")] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Send the weekly digest now to the receivers of [alerts.digest].")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the weekly digest there, as HTML and as text.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show figures of the closed loop (their definitions: docs/closed-loop.md)."""
    given = {"since": _day(since), "until": _day(until), "by": by, "model": model}
    filters = {name: value for name, value in given.items() if value is not None}
    facts = _read(Call.of(context), READS.get(kind.value, kind.value), filters)
    if send or out is not None:
        if kind is not Kind.weekly:
            raise typer.BadParameter("--send and --out are for the weekly digest")
        ends_with(_give(Call.of(context), facts, send=send, out=out))
    elif Call.of(context).json:
        show.as_json(facts)
    elif kind is Kind.weekly:
        sys.stdout.write(facts["html"] + "\n") if html else show.line(facts["text"].rstrip("\n"))
    elif as_csv:
        _csv(kind.value, facts)
    else:
        show.line(f"{facts['period']['name'] or ''} {facts['period']['since']} to {facts['period']['until']}".strip())
        _table(kind.value, facts)


def _give(call: Call, facts: dict[str, Any], *, send: bool, out: Path | None) -> int:
    """Writes and sends the digest; the exit code. The scheduled one is not touched by it."""
    from syncd.alerts import letters, weekly
    from syncd.cli.alerts import try_out
    from syncd.errors import ConfigError

    settings = call.files().settings
    week = str(facts["week"]["name"])
    told: dict[str, Any] = {"week": week}
    if out is not None:
        told["written"] = [str(path) for path in weekly.write(out, week, facts)]
    names = (settings.alerts.digest.to if settings.alerts.digest is not None else []) if send else []
    if send and not names:
        raise ConfigError(
            "[alerts.digest] names no receivers", remedy='add: to = ["…"], a receiver of kind email or slack'
        )
    told["sent"] = try_out(settings, names, letters.of_week(week, facts))
    if call.json:
        show.as_json(told)
    else:
        for path in told.get("written", ()):
            show.line(f"written: {path}")
        for name, failure in told["sent"].items():
            show.line(f"{name}: {failure or 'has it'}")
    return EXIT_TRANSIENT if any(told["sent"].values()) else EXIT_OK


def _read(call: Call, name: str, filters: dict[str, str]) -> dict[str, Any]:
    from syncd.funnel import reports
    from syncd.session import open_to_read

    files = call.files()
    ledger = open_to_read(files.settings)
    try:
        found: dict[str, Any] = getattr(reports, name)(ledger, files, time.time(), **filters)
        return found
    finally:
        ledger.close()


def _day(text: str | None) -> str | None:
    """A day as people type it."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise typer.BadParameter("a day is written so: 2026-11-21") from None


def _tomorrow() -> str:
    return date.fromordinal(datetime.fromtimestamp(time.time(), UTC).toordinal() + 2).isoformat()


def _csv(kind: str, facts: dict[str, Any]) -> None:
    from syncd.funnel.tables import table_of
    from syncd.view.sheet import as_csv

    sys.stdout.write(as_csv(*table_of(kind, facts)))


def _table(kind: str, facts: dict[str, Any]) -> None:
    from syncd.funnel.tables import table_of

    columns, rows = table_of(kind, facts)
    show.table(columns, [["" if cell is None else str(cell) for cell in row] for row in rows])
