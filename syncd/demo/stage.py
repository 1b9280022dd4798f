"""Sandboxes by name, and a folder with the settings that connect them, every wait turned down.

Promise: what `write_config` writes is complete: `syncd once --config` works on it as it stands. It plays nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from syncd.sandbox.chassis import Server, serve


@dataclass(frozen=True)
class Vendor:
    """A sandbox by the name of its module, and how syncd connects to it. `{url}` stands for where it is served."""

    name: str
    side: str
    module: str
    settings: str
    secrets: Mapping[str, str]
    """File name -> the sandbox's own credential. No secret of anybody's."""
    switches: Mapping[str, Any] = field(default_factory=dict)
    """What a rehearsal turns down: an index that lags five seconds makes a slow show."""


TIMING = '{ timeout = "10s", retry = "100ms", retry_max = "2s", late = "2s", lag = "400ms", overlap = "3s" }'
SWEEP = '{ deletions = "2s", associations = "2s", owners = "1h", parity = "7d" }'

VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            "hubspot",
            "marketing",
            "connectors.hubspot.sandbox",
            f"""\
[systems.hubspot]
connector      = "connectors.hubspot"
base_url       = "{{url}}"
token          = {{{{ file = "hubspot-token" }}}}
calls_per_10s  = 100000
searches_per_s = 1000
timing         = {TIMING.replace("{", "{{").replace("}", "}}")}
sweep          = {SWEEP.replace("{", "{{").replace("}", "}}")}
""",
            {"hubspot-token": "sandbox-hubspot-token"},
            {"limits": "off", "search_lag_ms": 200, "recalculation_ms": 100},
        ),
        Vendor(
            "salesforce",
            "crm",
            "connectors.salesforce.sandbox",
            f"""\
[systems.salesforce]
connector     = "connectors.salesforce"
login_url     = "{{url}}"
flow          = "client_credentials"
client_id     = {{{{ file = "sf-client-id" }}}}
client_secret = {{{{ file = "sf-client-secret" }}}}
timing        = {TIMING.replace("{", "{{").replace("}", "}}")}
sweep         = {SWEEP.replace("{", "{{").replace("}", "}}")}
""",
            {"sf-client-id": "sandbox-client", "sf-client-secret": "sandbox-secret"},
            {"random_pages": False},
        ),
    )
}

DAEMON = """\
# Written by `syncd {command}`: local servers, not real accounts. Every wait is turned down.
[daemon]
ledger   = "ledger.db"
mappings = "mappings"
every    = "2s"
jitter   = "0s"
min_free = "1MiB"

[guard]  # wide open: nobody here can be mailed by mistake
creates = {{ per_cycle = 1_000_000, per_day = 10_000_000, share = 1.0 }}
updates = {{ per_cycle = 1_000_000, per_day = 10_000_000, share = 1.0 }}

"""


@dataclass
class Stage:
    """The sandboxes that are up, by name."""

    servers: dict[str, Server]

    @classmethod
    def open(cls, ports: Mapping[str, int], seed: int) -> Stage:
        """Starts the named sandboxes (port 0: any free one)."""
        servers: dict[str, Server] = {}
        try:
            for name, port in ports.items():
                create: Callable[..., Any] = import_module(VENDORS[name].module).create
                servers[name] = serve(create(seed=seed), port=port)
        except BaseException:
            for server in servers.values():
                server.close()
            raise
        return cls(servers)

    def hurry(self) -> None:
        """Turns the vendors' own waits down."""
        for name, server in self.servers.items():
            server.control.switches(**VENDORS[name].switches)

    def close(self) -> None:
        """Ends them all."""
        for server in self.servers.values():
            server.close()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write_config(self, folder: Path, command: str) -> Path:
        """Writes syncd.toml and its secrets into the folder (mappings are not touched); returns the settings file."""
        folder.mkdir(parents=True, exist_ok=True)
        text = DAEMON.format(command=command)
        for name, server in self.servers.items():
            text += VENDORS[name].settings.format(url=server.url) + "\n"
            for file, secret in VENDORS[name].secrets.items():
                descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w") as handle:
                    handle.write(secret)
        settings = folder / "syncd.toml"
        settings.write_text(text)
        return settings
