"""docs/cli.md is the program: every command and option is in it, and nothing else is; and help stays cheap."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import command

ROOT = Path(__file__).parents[2]
SHARED = {"--config", "--json", "--debug", "--help", "-h"}


def commands(group: Any, path: str = "syncd") -> Iterator[tuple[str, Any]]:
    """(path, command) of every command and subcommand."""
    for name, one in group.commands.items():
        yield f"{path} {name}", one
        if hasattr(one, "commands"):
            yield from commands(one, f"{path} {name}")


def sections() -> dict[str, str]:
    """The manual's text by command."""
    parts = re.split(r"^#{2,3} `(syncd [a-z ]+)`$", (ROOT / "docs" / "cli.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_and_every_option_is_in_the_manual() -> None:
    """A command or option that is not documented does not ship; nor does one that is only documented."""
    manual = sections()
    program = dict(commands(command()))
    assert set(manual) == set(program)
    for path, one in program.items():
        options = {
            name
            for parameter in one.params
            for name in (*parameter.opts, *parameter.secondary_opts)
            if name.startswith("-")
        } - SHARED
        told = set(re.findall(r"(?<![-\w])(--[a-z][a-z-]*)", manual[path].split("```")[0])) - SHARED
        assert options <= told, path
        if not path.endswith(("resolve", "plan", "run")):  # these mention other commands' options
            assert told <= options, path


def test_every_command_has_a_sentence_for_help() -> None:
    """`--help` explains each command and each option."""
    for path, one in commands(command()):
        assert one.help, path
        for parameter in one.params:
            if parameter.name != "help":
                assert parameter.help, f"{path} {parameter.name}"


def test_the_manuals_shapes_are_json() -> None:
    """Whoever copies a shape gets JSON that parses."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "cli.md").read_text(), flags=re.DOTALL)
    assert len(blocks) > 12
    for block in blocks:
        json.loads(block)


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (
            ["--help"],
            "pydantic msgspec requests rich structlog apscheduler uvicorn sqlite_utils mimesis orjson sqlite3",
        ),
        (["once", "--help"], "msgspec requests rich structlog apscheduler uvicorn sqlite_utils mimesis sqlite3"),
        (["check"], "rich structlog apscheduler uvicorn starlette sqlite_utils mimesis"),
    ],
    ids=["help", "help of a command", "check"],
)
def test_a_command_imports_only_what_it_needs(tmp_path: Path, arguments: list[str], heavy: str) -> None:
    """Start-up is paid on every call: `--help` and `check` load no library that they do not use."""
    (tmp_path / "mappings").mkdir()
    for file in (ROOT / "mappings").glob("*.toml"):
        (tmp_path / "mappings" / file.name).write_text(file.read_text())
    (tmp_path / "syncd.toml").write_text(
        '[daemon]\nledger = "l.db"\nmappings = "mappings"\n'
        '[systems.hubspot]\nconnector = "connectors.memory"\nstore = "x"\n'
        '[systems.salesforce]\nconnector = "connectors.memory"\nstore = "y"\n'
    )
    script = (
        "import sys, json\nfrom syncd.cli import outcome\n"
        f"code = outcome({arguments!r})\n"
        "print(json.dumps([code, sorted(name for name in sys.modules if '.' not in name)]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    assert set(modules) & set(heavy.split()) == set()
