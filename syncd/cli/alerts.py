"""`alerts`: whom syncd tells by itself, what is on its way, and whether it arrives."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, Limit, ends_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncd.alerts.letters import Letter
    from syncd.ledger import Ledger
    from syncd.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command and its subcommand."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(alerts)
    group.command("test")(try_receivers)
    app.add_typer(group, name="alerts")


def alerts(
    context: typer.Context, limit: Limit = 100, config: Config = None, json: Json = False, debug: Debug = False
) -> None:
    """Show the receivers of [alerts], what they were told, and what is still on its way or was given up."""
    if context.invoked_subcommand is not None:
        return
    call = Call.of(context)
    with call.ledger() as (settings, ledger):
        facts = _facts(settings, ledger, limit)
    if call.json:
        show.as_json(facts)
        return
    if not facts["receivers"]:
        show.line(
            "Nobody is told anything: syncd.toml has no [alerts.webhook.NAME], [alerts.email.NAME] or [alerts.slack.NAME]."
        )
        return
    columns = ("receiver", "kind", "told", "waiting", "lost", "events")
    show.table(
        columns,
        [
            [", ".join(one[name]) if name == "events" else str(one[name]) for name in columns]
            for one in facts["receivers"]
        ],
    )
    if facts["alerts"]:
        show.line()
        shown = ("receiver", "state", "tries", "at", "text")
        show.table(shown, [[show.value(one[name]) for name in shown] for one in facts["alerts"]])


def _facts(settings: Settings, ledger: Ledger, limit: int) -> dict[str, Any]:
    from syncd.alerts.letters import letter
    from syncd.receivers import kind_of
    from syncd.view.moment import iso

    counts = ledger.alerts.counts()
    nought = {"told": 0, "waiting": 0, "lost": 0}
    link = settings.alerts.link
    return {
        "receivers": [
            {"receiver": name, "kind": kind_of(one), "events": list(one.events), **counts.get(name, nought)}
            for name, one in settings.alerts.receivers().items()
        ],
        "alerts": [
            {
                "id": one.alert.id,
                "receiver": one.receiver,
                "event": one.alert.kind,
                "state": "lost" if one.lost else "waiting",
                "tries": one.tries,
                "next_at": iso(one.next_at) if one.next_at and not one.lost else None,
                "at": iso(one.alert.at),
                "text": letter(ledger, [one.alert], link, persons=False).doc["alerts"][0]["text"],
            }
            for one in ledger.alerts.deliveries(limit)
        ],
    }


def try_receivers(
    context: typer.Context,
    receiver: Annotated[
        str | None, typer.Argument(metavar="RECEIVER", help="A receiver's name; left out: all of them.")
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Send a test message to receivers now, and say who has it; exit 1 if somebody has not. The ledger is not touched."""
    from syncd.alerts.letters import trial
    from syncd.core.toml import did_you_mean
    from syncd.errors import EXIT_OK, EXIT_TRANSIENT, ConfigError
    from syncd.settings import load

    call = Call.of(context)
    settings = load(call.config, os.environ)
    known = settings.alerts.receivers()
    if not known:
        raise ConfigError("syncd.toml names no receiver of alerts", remedy="add [alerts.email.NAME], say")
    if receiver is not None and receiver not in known:
        mend = did_you_mean(receiver, known) or f"there are: {', '.join(known)}"
        raise ConfigError(f"there is no receiver '{receiver}'", remedy=mend)
    told = try_out(settings, [receiver] if receiver is not None else known, trial(time.time()))
    if call.json:
        show.as_json({"receivers": [{"receiver": name, "ok": not why, "why": why} for name, why in told.items()]})
    else:
        for name, why in told.items():
            show.line(f"{name}: {why or 'has it'}")
    ends_with(EXIT_TRANSIENT if any(told.values()) else EXIT_OK)


def try_out(settings: Settings, names: Iterable[str], letter: Letter) -> dict[str, str]:
    """Sends it to each of them, one after the other; by name why it failed, empty where it did not."""
    from syncd.alerts.senders import NotSent, Partly, send

    receivers = settings.alerts.receivers()
    told = {}
    for name in names:
        try:
            send(receivers[name], letter, settings.receiver_secrets(name))
            told[name] = ""
        except (NotSent, Partly) as error:
            told[name] = str(error)
    return told
