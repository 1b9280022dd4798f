"""syncd.toml: what is accepted, what it means, and what is said about every mistake."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from syncd.core import funnel, mappingfile, membershipfile, watchfile
from syncd.core.patterns import PATTERNS
from syncd.errors import ConfigError
from syncd.settings import File, Settings, json_schema, load

WHOLE = """
[daemon]
ledger   = "sqlite:///var/lib/syncd/ledger.db"
mappings = "mappings"
every    = "60s"
[dashboard]
listen   = "127.0.0.1:8642"
[guard]
updates  = { share = 0.5 }
[systems.hubspot]
connector = "demo_connector"
base_url  = "https://api.hubapi.com"
token     = { env = "HUBSPOT_TOKEN" }
key       = "our_key"
budget    = { per_day = 200_000, urgent = 0.1, reserve = 0.2 }
sweep     = { deletions = "6h", associations = "1h", parity = "7d" }
timing    = { timeout = "30s", retry = "500ms", retry_max = "5m", late = "5m", lag = "30s", overlap = "2m" }
[systems.salesforce]
connector     = "demo_connector"
login_url     = "http://127.0.0.1:8001"
flow          = "client_credentials"
client_id     = { env = "SF_CLIENT_ID" }
client_secret = { env = "SF_CLIENT_SECRET" }
"""

CONNECTOR = """
from pydantic import BaseModel, ConfigDict
class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    base_url: str = "https://api.example.com"
    login_url: str = ""
    flow: str = ""
    key: str = "syncd_key"
    token: dict[str, str] | None = None
    client_id: dict[str, str] | str | None = None
    client_secret: dict[str, str] | None = None
def connect(settings, context):
    return ("connected", settings, context)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a connector in it that can be imported, as a third party's would be."""
    (tmp_path / "demo_connector.py").write_text(CONNECTOR)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("demo_connector", "broken_connector", "no_connector"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "syncd.toml"
    file.write_text(dedent(text))
    return load(file, environ)


def refused(folder: Path, text: str, **environ: str) -> list[str]:
    """What is said about a file, without the folder's name."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environ)
    assert caught.value.exit_code == 2
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def with_line(find: str, line: str) -> str:
    """The whole file with the line that starts with `find` written differently."""
    lines = [line if old.startswith(find) else old for old in WHOLE.splitlines()]
    assert lines != WHOLE.splitlines()
    return "\n".join(lines)


# ---------------------------------------------------------------- what it means


def test_the_file_of_the_handbook_is_read_in_our_units(folder: Path) -> None:
    """Durations become seconds, sizes bytes, paths absolute; what was left out has its default."""
    settings = read(folder, WHOLE)
    assert settings.daemon.ledger == Path("/var/lib/syncd/ledger.db")
    assert settings.daemon.mappings == folder / "mappings"
    assert (settings.daemon.every, settings.daemon.drain, settings.daemon.min_free) == (60.0, 60.0, 64 * 1024**2)
    assert settings.dashboard.listen == ("127.0.0.1", 8642)
    hubspot = settings.systems["hubspot"]
    assert hubspot.connector == "demo_connector"
    assert hubspot.budget.per_day == 200_000
    assert (hubspot.sweep.deletions, hubspot.sweep.parity, hubspot.sweep.owners) == (21600.0, 604800.0, 3600.0)
    assert (hubspot.timing.retry, hubspot.timing.late) == (0.5, 300.0)
    assert set(hubspot.own) == {"base_url", "token", "key"}
    assert settings.systems["salesforce"].budget.reserve == 0.2


def test_a_limit_that_is_partly_written_keeps_the_rest_of_its_own_defaults(folder: Path) -> None:
    """`updates = { share = 0.5 }` changes the share of updates and nothing else."""
    usual, changed = File.model_fields["guard"].default, read(folder, WHOLE).guard
    assert changed.updates.share == 0.5
    assert changed.updates.per_cycle == usual.updates.per_cycle
    assert changed.deletes == usual.deletes


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///var/lib/syncd/ledger.db", "/var/lib/syncd/ledger.db"),
        ("sqlite:////var/lib/syncd/ledger.db", "/var/lib/syncd/ledger.db"),
        ("sqlite:///./ledger.db", "{folder}/ledger.db"),
        ("ledger.db", "{folder}/ledger.db"),
        ("/srv/ledger.db", "/srv/ledger.db"),
    ],
)
def test_the_ledgers_place_has_one_meaning(folder: Path, written: str, meant: str) -> None:
    """A relative place is beside the file, whatever the working directory is."""
    settings = read(folder, with_line("ledger", f'ledger = "{written}"'))
    assert str(settings.daemon.ledger) == meant.format(folder=folder)


def test_the_waits_reach_the_http_client_under_its_own_names(folder: Path) -> None:
    """`timing` in the file and `syncd.pace.Timing` are the same seven numbers, with the same defaults."""
    from syncd.pace import Timing

    settings = read(folder, WHOLE)
    timing = settings.systems["hubspot"].timing.for_http()
    assert (timing.timeout_s, timing.retry_s, timing.retry_max_s) == (30.0, 0.5, 300.0)
    assert (timing.late_s, timing.lag_s, timing.overlap_s) == (300.0, 30.0, 120.0)
    assert settings.systems["salesforce"].timing.for_http() == Timing()


def test_the_file_is_found_in_the_documented_order(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """--config, then $SYNCD_CONFIG, then ./syncd.toml; a file that was named and is not there is an error."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "other.toml"
    elsewhere.write_text(WHOLE)
    (folder / "syncd.toml").write_text(WHOLE)
    assert load(None, {}).file == folder / "syncd.toml"
    assert load(None, {"SYNCD_CONFIG": str(elsewhere)}).file == elsewhere
    assert load(folder / "syncd.toml", {"SYNCD_CONFIG": str(elsewhere)}).file == folder / "syncd.toml"
    with pytest.raises(ConfigError, match="No such file"):
        load(folder / "none.toml", {})
    (folder / "syncd.toml").unlink()
    with pytest.raises(ConfigError, match="there is no syncd") as caught:
        load(None, {})
    assert "syncd init" in str(caught.value)


# ---------------------------------------------------------------- what is said about mistakes


def test_every_mistake_is_told_at_once_with_its_place(folder: Path) -> None:
    """One run of `check` shows all there is to mend, in the order of the file."""
    said = refused(
        folder,
        """\
        [daemon]
        ledger = "ledger.db"
        mapings = "mappings"
        mappings = 3
        every = 60
        [dashboard]
        listen = "0.0.0.0:80"
        [systems.hubspot]
        connector = "connectors.hubspot"
        base_url = "http://api.hubapi.com"
        token = "pat-na1-secret"
        sweep = { deletions = "6 hours" }
        [systems.Sales]
        connector = "x"
        """,
    )
    assert [line.split(": ")[0] for line in said] == [
        "syncd.toml:3:1",
        "syncd.toml:4:12",
        "syncd.toml:5:9",
        "syncd.toml:7:10",
        "syncd.toml:10:12",
        "syncd.toml:11:9",
        "syncd.toml:12:23",
        "syncd.toml:13:2",
    ]
    assert "did you mean 'mappings'?" in said[0]
    assert "'every' must be a number and a unit" in said[2]
    assert "this machine" in said[3]
    assert "https" in said[4]
    assert "plain text" in said[5]
    assert "{ env" in said[5]
    assert "pat-na1" not in "".join(said)


@pytest.mark.parametrize(
    ("find", "line", "place", "words"),
    [
        ("every", 'every = "0s"', "5:9", "longer than nothing"),
        ("every", 'every = "sixty"', "5:9", '"30s"'),
        ("ledger", 'ledger = "postgresql://x/y"', "3:10", "one SQLite file"),
        ("ledger", 'ledger = "sqlite:///"', "3:10", "lacks the path"),
        ("listen", 'listen = "8642"', "7:10", "HOST:PORT"),
        ("listen", 'listen = "127.0.0.1:99999"', "7:10", "65535"),
        ("updates", "updates = { shar = 0.5 }", "9:13", "'share'"),
        ("updates", "updates = { share = 5 }", "9:21", "less than or equal to 1"),
        ("budget", "budget = { per_day = 0 }", "15:22", "greater than or equal to 1"),
        ("budget", 'budget = { per_day = "many" }', "15:22", "whole number"),
        ("timing", 'timing = { retry = "10m", retry_max = "5m" }', "17:10", "retry_max"),
        ("connector", 'connector = "../evil"', "11:13", "must be the name of a module"),
        ("base_url", 'base_url = "api.hubapi.com"', "12:12", "whole address"),
        ("base_url", 'base_url = "https://me:pw@api.hubapi.com"', "12:12", "no user"),
        ("base_url", 'base_url = "http://127.0.0.1.evil.example"', "12:12", "must be https"),
        ("login_url", 'login_url = "http://[fe80::1]:80"', "20:13", "must be https"),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_a_remedy(
    folder: Path, find: str, line: str, place: str, words: str
) -> None:
    """File, line, column, what is wrong."""
    said = refused(folder, with_line(find, line))
    assert said[0].startswith(f"syncd.toml:{place}: ")
    assert words in said[0]


def test_what_is_no_toml_or_no_text_is_told_as_such(folder: Path) -> None:
    """A truncated or binary file gives a problem with its place, never a traceback."""
    assert refused(folder, '[daemon]\nledger = "x\n')[0].startswith("syncd.toml:2:")
    assert "missing" in " ".join(refused(folder, ""))
    file = folder / "syncd.toml"
    file.write_bytes(b"[daemon]\nledger = \xff\n")
    with pytest.raises(ConfigError, match=r"syncd\.toml:2:1: is not UTF-8"):
        load(file, {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load(folder, {})


# ---------------------------------------------------------------- connectors and secrets


def test_a_connector_is_imported_only_when_it_is_asked_for(folder: Path) -> None:
    """`--help` and `check` must stay quick, and a broken connector must not keep the other from being looked at."""
    settings = read(folder, WHOLE)
    assert "demo_connector" not in sys.modules
    loaded = settings.connector("hubspot")
    assert loaded.settings.key == "our_key"
    assert loaded.connect(loaded.settings, None)[0] == "connected"


@pytest.mark.parametrize(
    ("module", "text", "words"),
    [
        ("connectors.nowhere", None, "there is no module"),
        ("nowhere", None, "there is no module"),
        ("no_connector", "x = 1", "is not a connector"),
        ("broken_connector", "import surely_not_installed", "cannot be imported"),
        ("broken_connector", "1 / 0", "cannot be imported"),
    ],
)
def test_a_module_that_is_no_connector_is_told_with_its_place(
    folder: Path, module: str, text: str | None, words: str
) -> None:
    """An unknown module, one that is something else, and one that breaks are three different mistakes."""
    if text is not None:
        (folder / f"{module}.py").write_text(text)
    settings = read(folder, with_line("connector", f'connector = "{module}"'))
    with pytest.raises(ConfigError, match=words) as caught:
        settings.connector("hubspot")
    assert str(caught.value).startswith(f"{folder}/syncd.toml:11:13: ")


def test_a_key_that_the_connector_does_not_know_is_told_like_any_other(folder: Path) -> None:
    """The connector's part of the table is checked as strictly as ours, suggestions from both."""
    for wrong, right in (("flwo", "flow"), ("buget", "budget")):
        settings = read(folder, with_line("flow", f"{wrong} = 1"))
        with pytest.raises(ConfigError, match=f"did you mean '{right}'") as caught:
            settings.connector("salesforce")
        assert str(caught.value).startswith(f"{folder}/syncd.toml:21:1: ")


def test_missing_secrets_are_all_told_with_variable_and_place(folder: Path) -> None:
    """A missing secret stops before the first request, and names what to set."""
    settings = read(folder, WHOLE, SF_CLIENT_ID="x")
    said = [str(problem).replace(f"{folder}/", "") for problem in settings.secret_problems()]
    assert [line.split(" — ")[0] for line in said] == [
        "syncd.toml:13:13: 'systems.hubspot.token': the environment variable HUBSPOT_TOKEN is not set",
        "syncd.toml:23:17: 'systems.salesforce.client_secret': the environment variable SF_CLIENT_SECRET is not set",
    ]


def test_no_secret_and_no_environment_shows_in_a_repr(folder: Path) -> None:
    """Settings may be logged by mistake: nothing in them tells."""
    settings = read(folder, WHOLE, HUBSPOT_TOKEN="canary-1")
    secret = settings.secrets("hubspot").resolve({"env": "HUBSPOT_TOKEN"}, "token")
    assert secret.reveal() == "canary-1"
    shown = (
        f"{settings!r} {settings} {settings.systems['hubspot']!r} {settings.secrets('hubspot')!r} {secret!r} {secret}"
    )
    assert "canary-1" not in shown
    assert "HUBSPOT_TOKEN" not in shown


# ---------------------------------------------------------------- the schema for editors


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("settings", json_schema),
        ("mapping", mappingfile.schema),
        ("funnel", funnel.schema),
        ("watch", watchfile.schema),
        ("membership", membershipfile.schema),
    ],
)
def test_the_schemas_for_editors_are_what_the_code_means(name: str, made: Callable[[], dict[str, Any]]) -> None:
    """`make schemas` was run after the last change."""
    kept = json.loads((Path(__file__).parents[2] / f"schemas/{name}.json").read_text())
    assert kept == made(), "run `make schemas`"


def test_the_schemas_defaults_are_written_as_in_the_file() -> None:
    """An editor that fills in a default must write something that is accepted."""
    daemon = json_schema()["$defs"]["Daemon"]["properties"]
    assert (daemon["every"]["default"], daemon["min_free"]["default"]) == ("60s", "64MiB")
    assert json_schema()["$defs"]["Limit"].get("required") is None


@pytest.mark.parametrize("name", ["funnel", "mapping", "membership", "settings", "watch"])
def test_whatever_a_text_must_look_like_is_said_in_words(name: str) -> None:
    """Nobody who edits a file has to read a pattern; durations and sizes have messages of their own."""
    text = (Path(__file__).parents[2] / f"schemas/{name}.json").read_text()
    patterns = {json.loads(found) for found in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', text)}

    assert {pattern for pattern in patterns if pattern not in PATTERNS and r"(\d+(?:\.\d+)?)" not in pattern} == set()
