"""`init`: a first syncd.toml and mappings, from the packaged examples."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, ends_with

SETTINGS = """\
# What syncd connects, and how. Every key: docs/settings.md. Secrets stand here by reference only.
[daemon]
ledger   = "ledger.db"      # one SQLite file; relative paths start at this file's folder
mappings = "mappings"
every    = "60s"

[dashboard]
listen   = "127.0.0.1:8642"

{marketing}
{crm}"""

SYSTEMS = {
    "hubspot": """\
[systems.hubspot]
connector = "connectors.hubspot"
base_url  = "https://api.hubapi.com"
token     = { env = "HUBSPOT_TOKEN" }       # or { credential = "hubspot-token" } or { file = "hubspot-token" }
budget    = { per_day = 200_000, urgent = 0.1, reserve = 0.2 }
""",
    "salesforce": """\
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "https://YOURDOMAIN.my.salesforce.com"   # Setup, My Domain
flow          = "client_credentials"
client_id     = { env = "SF_CLIENT_ID" }
client_secret = { env = "SF_CLIENT_SECRET" }
""",
}
"""A system's table for its first settings file, by the name people give it."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("init")(init)


def init(
    context: typer.Context,
    dir: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where to write; made if it is not there.")] = Path(
        "."
    ),
    marketing: Annotated[str, typer.Option("--marketing", help="The marketing system.")] = "hubspot",
    crm: Annotated[str, typer.Option("--crm", help="The CRM.")] = "salesforce",
    online: Annotated[
        bool, typer.Option("--online", help="Then read both schemas and say which mapped attributes are missing.")
    ] = False,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a first syncd.toml and mappings. Never overwrites: what is there already stays as it is."""
    from syncd.errors import ConfigError

    call = Call.of(context)
    for name in (marketing, crm):
        if name not in SYSTEMS:
            raise ConfigError(f"there is no example for '{name}'", remedy=f"there are: {', '.join(SYSTEMS)}")
    written, kept = write(dir, SETTINGS.format(marketing=SYSTEMS[marketing], crm=SYSTEMS[crm]))
    facts = {"written": [str(path) for path in written], "kept": [str(path) for path in kept]}
    problems: list[str] = []
    code = 0
    if online:
        from syncd.assembly import Clock
        from syncd.checkup import check_files, check_online

        found = check_files(dir / "syncd.toml", os.environ)
        if not found.problems:
            for system in check_online(found, Clock()).values():
                system.connector.close()
        problems = [*map(str, found.problems), *map(str, found.warnings), *map(str, found.troubles.values())]
        code = found.exit_code
    if call.json:
        show.as_json({**facts, "problems": problems})
    else:
        for path in written:
            show.line(f"written: {path}")
        for path in kept:
            show.line(f"kept as it is: {path}")
        for problem in problems:
            show.line(problem)
        at = "" if dir == Path(".") else f" --config {dir / 'syncd.toml'}"
        show.line(f"Next: set the secrets that syncd.toml names, then: syncd check --online{at}")
    ends_with(code)


def write(folder: Path, settings: str) -> tuple[list[Path], list[Path]]:
    """Writes what is not there yet: (written, kept). Raises ConfigError where it may not."""
    from syncd.errors import ConfigError

    texts = {folder / "syncd.toml": settings}
    for kind, pattern in (("mappings", "*.toml"), ("schemas", "*.json")):
        for example in sorted((examples() / kind).glob(pattern)):
            texts[folder / kind / example.name] = example.read_text()
    written: list[Path] = []
    kept: list[Path] = []
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(path)
        except FileExistsError:
            kept.append(path)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    return written, kept


def examples() -> Path:
    """The folder of the examples that ship with syncd; in a checkout, the checkout itself."""
    package = Path(__file__).parents[1]
    packaged = package / "examples"
    return packaged if packaged.is_dir() else package.parent
