"""`backfill`: a one-off re-decision of chosen records, with progress, that can be stopped and resumed."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any, Literal

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Interrupted, Json, OneMapping, ends_with


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("backfill")(backfill)


def backfill(
    context: typer.Context,
    mapping: OneMapping,
    side: Annotated[
        Literal["marketing", "crm"] | None, typer.Option("--side", help="Only this side's records.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only records changed since: 2026-11-21T08:00Z.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Only records of which this is true (field names).")
    ] = None,
    field: Annotated[
        str | None, typer.Option("--field", metavar="FIELD", help="Let both sides meet anew in this field.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be decided.")] = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Decide chosen records once more, in the lowest lane. Ctrl-C or a kill loses nothing: the same command resumes."""
    from syncd import backfill as engine

    call = Call.of(context)
    files = call.files()
    chosen = files.mapping(mapping)
    engine.check(chosen, engine.Choice(side, since, where, field, dry_run))
    doc = {"mapping": chosen.name, "side": side, "since": since, "where": where, "field": field, "dry_run": dry_run}
    bar = Bar()
    try:
        answer = call.act(files, "backfill", doc, bar.tell)
    except KeyboardInterrupt:
        raise Interrupted("stopped; nothing is lost", remedy="The same command goes on where it was.") from None
    finally:
        bar.close()
    name = chosen.name
    if call.json:
        show.as_json(answer.facts)
    else:
        facts = answer.facts
        if dry_run:
            show.line(f"{name}: {facts.get('chosen', 0)} of {facts.get('done', 0)} records would be decided again.")
        else:
            show.line(f"{name}: {facts.get('done', 0)} records decided, {facts.get('sent', 0)} writes sent.")
        if answer.said:
            show.line(answer.said)
    ends_with(answer.exit_code)


class Bar:
    """A progress bar for each phase, on standard error."""

    def __init__(self) -> None:
        self._phase = ""
        self._bar: Any = None
        self._done = 0

    def tell(self, reached: dict[str, Any]) -> None:
        """Moves on; a new phase begins a new bar."""
        from syncd.progress import Progress

        if reached["phase"] != self._phase:
            self.close()
            self._phase = str(reached["phase"])
            if self._phase == "done":
                return
            self._done = int(reached["done"])
            self._bar = Progress(
                self._phase, stream=sys.stderr, now=time.monotonic, total=reached["total"], done=self._done
            )
            self._bar.__enter__()
            return
        if self._bar is not None:
            done = int(reached["sent"] if self._phase == "send" else reached["done"])
            self._bar.advance(max(0, done - self._done), total=None if self._phase == "send" else reached["total"])
            self._done = done

    def close(self) -> None:
        """Ends the bar of the phase."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
