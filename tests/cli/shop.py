"""A folder with syncd.toml and mappings over two systems in memory, and the command line run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.memory import SHELF, Store
from syncd.cli import outcome
from tests.engine import world

SETTINGS = """
[daemon]
ledger = "ledger.db"
mappings = "mappings"
every = "60s"
min_free = "1KiB"
[systems.mk]
connector = "connectors.memory"
store = "{name}-mk"
timing = {{ retry = "1ms", retry_max = "20ms", late = "0s", lag = "0s", overlap = "0s" }}
[systems.sf]
connector = "connectors.memory"
store = "{name}-sf"
timing = {{ retry = "1ms", retry_max = "20ms", late = "0s", lag = "0s", overlap = "0s" }}
"""


@dataclass
class Done:
    """What a command left: exit code, standard output and error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shop:
    """Run commands with `run`; act on `mk` and `sf` as people do."""

    folder: Path
    mk: Store
    sf: Store
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    @property
    def mapping(self) -> Path:
        return self.folder / "mappings" / "people.toml"

    def run(self, *arguments: str) -> Done:
        self.capsys.readouterr()
        code = outcome(["--config", str(self.config), *arguments])
        out, err = self.capsys.readouterr()
        return Done(code, out, err)

    def ok(self, *arguments: str) -> Any:
        """Runs it with --json, expects success, and gives the facts."""
        done = self.run(*arguments, "--json")
        assert done.code == 0, (done.code, done.out, done.err)
        return done.json

    def edit(self, file: Path, before: str, after: str) -> None:
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def lead(self, **values: Any) -> str:
        return self.sf.create("Lead", {"Email": "ada@example.test", "LastName": "Lovelace", **values})

    def contact(self, **values: Any) -> str:
        return self.mk.create("contacts", {"email": "ada@example.test", "lastname": "Lovelace", **values})

    def only_lead(self) -> dict[str, Any]:
        (key,) = self.sf.keys("Lead")
        return self.sf.values("Lead", key)

    def only_contact(self) -> dict[str, Any]:
        (key,) = self.mk.keys("contacts")
        return self.mk.values("contacts", key)


def make(folder: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A new shop in that folder."""
    scratch = folder / "scratch"
    scratch.mkdir()
    made = world.make(scratch)
    made.ledger.close()
    name = folder.name
    SHELF.put(f"{name}-mk", made.mk)
    SHELF.put(f"{name}-sf", made.sf)
    (folder / "syncd.toml").write_text(SETTINGS.format(name=name))
    (folder / "mappings").mkdir()
    text = made.mapping_text
    (folder / "mappings" / "people.toml").write_text(text)
    (folder / "mappings" / "funnel.toml").write_text(world.FUNNEL)
    return Shop(folder, made.mk, made.sf, capsys)
