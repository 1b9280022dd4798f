"""`sandbox`: the local servers alone, to rehearse against."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    context: typer.Context,
    hubspot: Annotated[int, typer.Option("--hubspot", metavar="PORT", min=0, max=65535, help="Its port; 0: any.")] = 0,
    salesforce: Annotated[
        int, typer.Option("--salesforce", metavar="PORT", min=0, max=65535, help="Its port; 0: any.")
    ] = 0,
    people: Annotated[int, typer.Option("--people", min=0, max=1_000_000, help="How many people live in them.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same people.")] = 1,
    write_config: Annotated[
        Path | None,
        typer.Option("--write-config", metavar="DIR", help="Write a syncd.toml and mappings for them there."),
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Serve a HubSpot-style and a Salesforce-style API on this machine, with a living company in them, until Ctrl-C."""
    from syncd.demo.company import populate
    from syncd.demo.stage import VENDORS, Stage
    from syncd.errors import ConfigError

    call = Call.of(context)
    try:
        stage = Stage.open({"hubspot": hubspot, "salesforce": salesforce}, seed)
    except OSError as error:
        raise ConfigError(f"a sandbox cannot be served: {error.strerror}", remedy="choose other ports") from None
    with stage:
        where = populate(stage, people, seed) if people else {}
        facts: dict[str, Any] = {
            "sandboxes": {
                name: {
                    "url": server.url,
                    "credentials": dict(VENDORS[name].secrets),
                    "control": f"{server.url}/_control/",
                }
                for name, server in stage.servers.items()
            },
            "people": where,
        }
        if write_config is not None:
            facts["config"] = str(_write(stage, write_config))
        _tell(call, facts)
        with suppress(KeyboardInterrupt):  # that is how it ends
            threading.Event().wait()


def _write(stage: Any, folder: Path) -> Path:
    """Settings, secrets and the example mappings; the vendors' waits are turned down to match."""
    from syncd.cli.init import write
    from syncd.errors import ConfigError

    if (folder / "syncd.toml").exists():
        raise ConfigError(f"{folder / 'syncd.toml'} is there already", remedy="name a new folder")
    stage.hurry()
    settings: Path = stage.write_config(folder, "sandbox")
    write(folder, "")
    return settings


def _tell(call: Call, facts: dict[str, Any]) -> None:
    import sys

    if call.json:
        show.as_json(facts)
    else:
        for name, one in facts["sandboxes"].items():
            show.line(f"{name}: {one['url']}")
            for secret, value in one["credentials"].items():
                show.line(f"    {secret}: {value}")
            show.line(f"    control: {one['control']} (health, state, act, log, faults, clock, switches)")
        if "config" in facts:
            show.line(f"Settings: {facts['config']}. Try: syncd once --yes --config {facts['config']}")
        show.line("Ctrl-C ends them, and everything in them.")
    sys.stdout.flush()
