"""`parity`: reads both sides again and says how far they agree, and why not where they do not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.backfill import Bar
from syncd.cli.call import Call, Config, Debug, Interrupted, Json, Limit, MappingName, ends_with

COLUMNS = ("agree", "by_rule", "in_flight", "drift", "unreadable")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("parity")(parity)


def parity(
    context: typer.Context,
    mapping: MappingName = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, metavar="N", help="Compare about N pairs of each mapping; else all."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show the figures of earlier comparisons; read nothing.")
    ] = False,
    limit: Limit = 50,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Read both sides again, in the lowest lane, and judge every field of every pair. Exit 3 if something drifts."""
    call = Call.of(context)
    if history:
        _history(call, mapping, limit)
        return
    files = call.files()
    if mapping is not None:
        files.mapping(mapping)
    bar = Bar()
    try:
        answer = call.act(files, "parity", {"mapping": mapping, "sample": sample}, bar.tell)
    except KeyboardInterrupt:
        raise Interrupted("stopped; there is no figure", remedy="Begin again, or take a --sample.") from None
    finally:
        bar.close()
    if call.json:
        show.as_json(answer.facts)
    else:
        for name, figure in answer.facts.get("mappings", {}).items():
            _tell(name, figure)
        if answer.said:
            show.line(answer.said)
    ends_with(answer.exit_code)


def _tell(name: str, figure: dict[str, Any]) -> None:
    show.line(f"{name}: {figure['compared']} of {figure['links']} pairs compared; agreement {percent(figure)}")
    rows = [
        (one["forms"], one["field"], *(str(one[column]) for column in COLUMNS), percent(one))
        for one in figure["fields"]
    ]
    show.table(("forms", "field", "agree", "by rule", "in flight", "drift", "unreadable", "agreement"), rows)
    for one in figure["drifting"]:
        records = ", ".join(f"{at['system']} {at['object']} {at['key']}" for at in one["records"])
        show.line(f"drift: {one['field']} of {records}: {one['why']}")


def percent(figure: dict[str, Any]) -> str:
    """An agreement for people: never rounded up to 100 %."""
    share = figure["agreement"]
    return "unknown: nothing could be read" if share is None else f"{int(share * 10_000) / 100:.2f} %"


def _history(call: Call, mapping: str | None, limit: int) -> None:
    from collections import Counter

    from syncd.parity import share
    from syncd.view.moment import iso

    with call.ledger() as (_, ledger):
        rows = ledger.books.parity(mapping, limit)
    facts = []
    for run, name, at, whole, *numbers in rows:
        counts = dict(zip(COLUMNS, numbers, strict=True))
        facts.append(
            {
                "at": iso(at),
                "run": run,
                "mapping": name,
                "whole": bool(whole),
                **counts,
                "agreement": share(Counter(counts)),
            }
        )
    if call.json:
        show.as_json(facts)
        return
    if not facts:
        show.line("No comparison was made yet.")
        return
    rows_ = [
        (
            str(one["at"])[:16].replace("T", " "),
            str(one["mapping"]),
            "all" if one["whole"] else "a sample",
            *(str(one[column]) for column in COLUMNS),
            percent(one),
        )
        for one in facts
    ]
    show.table(("at", "mapping", "of", "agree", "by rule", "in flight", "drift", "unreadable", "agreement"), rows_)
