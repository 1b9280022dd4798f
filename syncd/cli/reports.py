"""`handoff` and `report`: what the closed loop comes to, as a table, CSV or JSON. They only look."""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from syncd.cli import figures, show
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


class By(StrEnum):
    """What figures are broken down by."""

    source = "source"
    campaign = "campaign"
    segment = "segment"
    owner = "owner"


class Cohort(StrEnum):
    """The periods in which people came."""

    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


class Model(StrEnum):
    """Who gets credit."""

    first = "first"
    last = "last"
    linear = "linear"
    position = "position"


READS = {"agreement": "follow_up"}
"""The reading function of a report, where it is called otherwise."""

Day = Annotated[str | None, typer.Option("--since", metavar="DAY", help="From this day on: 2026-11-21.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DAY", help="Before this day.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")]
OneTable = Annotated[str | None, typer.Option("--table", metavar="NAME", help="Only this table of several.")]
Names = Annotated[bool, typer.Option("--figures", help="List every number by the name that opens it.")]
Records = Annotated[
    str | None, typer.Option("--records", metavar="FIGURE", help="Show the records behind a number (see --figures).")
]
Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="Only people from this source.")]
Campaign = Annotated[str | None, typer.Option("--campaign", metavar="NAME", help="Only people of this campaign.")]
Segment = Annotated[str | None, typer.Option("--segment", metavar="NAME", help="Only people of this segment.")]
Owner = Annotated[str | None, typer.Option("--owner", metavar="NAME", help="Only people of this owner.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("handoff")(handoff)
    app.command("report")(report)


def handoff(
    context: typer.Context,
    since: Day = None,
    until: Until = None,
    source: Source = None,
    campaign: Campaign = None,
    segment: Segment = None,
    owner: Owner = None,
    as_csv: Csv = False,
    table: OneTable = None,
    names: Names = False,
    records: Records = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show where everybody is who ever met the definition of qualified, and the reason of each who was not delivered."""
    days = {"since": _day(since) or EVER, "until": _day(until) or _tomorrow()}
    filters = {**days, **_one_of(source=source, campaign=campaign, segment=segment, owner=owner)}
    call = Call.of(context)
    facts, opened = _read(call, "handoffs", filters, records)
    if names or opened is not None:
        _opened(call, facts, opened, as_csv=as_csv)
        return
    states = ("qualified", "delivered", "waiting", "rejected", "out_of_scope", "marketing", "sales", "gap")
    plain = {
        **{name: facts[name]["value"] for name in states},
        "blocked": {reason: figure["value"] for reason, figure in facts["blocked"].items()},
        "balanced": facts["balanced"],
        "period": facts["period"],
        "records": facts["records"],
    }
    if call.json:
        show.as_json(plain)
        return
    if as_csv:
        figures.csv("handoff", facts, table)
        return
    if plain["qualified"] is None:
        show.line("Unknown: there is no funnel.toml, or no cycle has run with it yet.")
        return
    blocked = sum(plain["blocked"].values())
    show.line(
        f"{plain['qualified']} qualified = {plain['delivered']} delivered + {plain['waiting']} waiting + {blocked} blocked"
        f" + {plain['rejected']} rejected + {plain['out_of_scope']} out of scope"
    )
    show.line(f"marketing counts {plain['marketing']}, sales {plain['sales']}: a gap of {plain['gap']}")
    figures.tables("handoff", facts, table)


def report(
    context: typer.Context,
    kind: Annotated[
        Kind, typer.Argument(metavar="REPORT", help="funnel, revenue, agreement, goals, campaigns, weekly.")
    ],
    since: Day = None,
    until: Until = None,
    by: Annotated[By | None, typer.Option("--by", help="Broken down by this.")] = None,
    cohort: Annotated[
        Cohort | None, typer.Option("--cohort", help="The funnel of those who came in each of these, apart.")
    ] = None,
    model: Annotated[Model | None, typer.Option("--model", help="The credit model that leads.")] = None,
    source: Source = None,
    campaign: Campaign = None,
    segment: Segment = None,
    owner: Owner = None,
    as_csv: Csv = False,
    table: OneTable = None,
    names: Names = False,
    records: Records = None,
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
    chosen = _one_of(source=source, campaign=campaign, segment=segment, owner=owner)
    if chosen and kind not in (Kind.funnel, Kind.agreement):
        raise typer.BadParameter(f"--{next(iter(chosen))} is for funnel and agreement")
    if by is not None and chosen.keys() - {str(by)}:
        raise typer.BadParameter(f"--by {by} and --{next(iter(chosen))}: figures are kept by one of them at a time")
    given = {"since": _day(since), "until": _day(until), "by": by, "cohort": cohort, "model": model, **chosen}
    filters = {name: str(value) for name, value in given.items() if value is not None}
    call = Call.of(context)
    facts, opened = _read(call, READS.get(kind.value, kind.value), filters, records)
    if names or opened is not None:
        _opened(call, facts, opened, as_csv=as_csv)
    elif send or out is not None:
        if kind is not Kind.weekly:
            raise typer.BadParameter("--send and --out are for the weekly digest")
        ends_with(_give(call, facts, send=send, out=out))
    elif call.json:
        show.as_json(facts)
    elif kind is Kind.weekly and not as_csv:
        sys.stdout.write(facts["html"] + "\n") if html else show.line(facts["text"].rstrip("\n"))
    elif as_csv:
        figures.csv(kind.value, facts, table)
    else:
        show.line(f"{facts['period']['name'] or ''} {facts['period']['since']} to {facts['period']['until']}".strip())
        figures.tables(kind.value, facts, table)


def _one_of(**chosen: str | None) -> dict[str, str]:
    """The one filter that was given; the sums cannot answer two at once."""
    given = {name: value for name, value in chosen.items() if value is not None}
    if len(given) > 1:
        raise typer.BadParameter(f"--{' and --'.join(given)}: figures are filtered by one of them at a time")
    return given


def _opened(call: Call, facts: dict[str, Any], opened: dict[str, Any] | None, *, as_csv: bool) -> None:
    """The names of all figures, or the records behind one."""
    if opened is None:
        figures.names(facts, as_csv=as_csv)
    elif call.json:
        show.as_json(opened)
    else:
        figures.records(opened, as_csv=as_csv)


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


def _read(
    call: Call, name: str, filters: dict[str, str], figure: str | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The report, and one of its figures opened."""
    from syncd.funnel import reports
    from syncd.session import open_to_read

    files = call.files()
    ledger = open_to_read(files.settings)
    try:
        found: dict[str, Any] = getattr(reports, name)(ledger, files, time.time(), **filters)
        return found, None if figure is None else figures.opened(ledger, files, found, figure)
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
