"""What a person may write into a file: mappings, watches, memberships, the funnel, syncd.toml, saved plans, options.

However it is damaged, it is right or it is refused with a place; nothing raises, nothing hangs.
"""

from __future__ import annotations

import datetime
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from syncd.assembly import Clock, connect
from syncd.core.compile import check_together, compile_mapping
from syncd.core.funnel import Funnel, compile_funnel
from syncd.core.kinds import compile_file, name_in
from syncd.core.problem import Problem
from syncd.core.toml import parse
from syncd.errors import ConfigError
from syncd.settings import load
from tests.fuzz.damage import damaged, seeds, toml_text

MAPPINGS = Path(__file__).parents[2] / "mappings"
SLOW_S = 5.0
"""No file of a size that anybody writes takes longer, even on a busy machine."""

SETTINGS = """
[daemon]
ledger = "./ledger.db"
mappings = "mappings"
every = "60s"
[dashboard]
listen = "127.0.0.1:8642"
[guard]
creates = { per_cycle = 1, per_day = 2, share = 0.1 }
[systems.hubspot]
connector = "connectors.hubspot"
base_url = "https://api.hubapi.com"
token = { env = "HUBSPOT_TOKEN" }
budget = { per_day = 200000, urgent = 0.1, reserve = 0.2 }
sweep = { deletions = "6h", associations = "1h", parity = "7d" }
timing = { timeout = "30s", retry = "500ms", retry_max = "5m", late = "5m", lag = "30s", overlap = "2m" }
[systems.salesforce]
connector = "connectors.salesforce"
login_url = "https://example.my.salesforce.com"
flow = "client_credentials"
client_id = { env = "SF_CLIENT_ID" }
client_secret = { file = "secret" }
"""
WORDS: tuple[Any, ...] = (
    *("text", "email", "number", "bool", "date", "datetime", "choice", "choices", "owner", "reference", "phone"),
    *("country", "domain", "both", "to_crm", "to_marketing", "none", "stricter", "marketing", "crm", "hold", "keep"),
    *("clear", "fill", "forward", "ask", "ignore", "people", "deals.x", "Lead", {"Lead": 1}, {"marketing": "x"}),
    *(datetime.date(2020, 1, 1), datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), datetime.time(1), float("nan")),
    *("60s", "99999999999999d", "-1s", "0s", "sqlite://", "https://[::1", "https://u:p@h", "x:-1", "[::1]:1", "os"),
)
KEYS = (
    *("mapping", "kind", "match", "scope", "create", "gone", "fields", "type", "flow", "clash", "meet", "blank"),
    *("values", "other", "on_create", "link", "many", "refers", "also", "truncate", "region", "as", "scale", "zone"),
    *("unset", "steps", "once", "rollups", "over", "take", "of", "when", "system", "object", "becomes", "timing", ""),
)


def agreed() -> Funnel:
    """The funnel that ships."""
    funnel, _ = compile_funnel((MAPPINGS / "funnel.toml").read_text(), "funnel.toml", None)
    assert funnel is not None
    return funnel


def shipped() -> dict[str, dict[str, Any]]:
    """The files that ship, by name."""
    return {file.name: tomllib.loads(file.read_text()) for file in sorted(MAPPINGS.rglob("*.toml"))}


def has_places(problems: list[Problem]) -> None:
    assert all(problem.file and problem.line >= 0 and problem.what for problem in problems), problems


def test_a_damaged_mapping_is_right_or_refused_with_places() -> None:
    """Mappings, watches, memberships and the funnel, changed at one to three places."""
    funnel, files = agreed(), shipped()
    for chance in seeds(40):
        name = chance.choice(sorted(files))
        text = toml_text(damaged(files[name], chance, more=WORDS, keys=KEYS))
        name_in(text)
        if name == "funnel.toml":
            made, problems = compile_funnel(text, name, None)
        else:
            found, problems = compile_file(text, name, funnel, frozenset({"people", "companies", "deals"}))
            made = found or None  # type: ignore[assignment]
        assert (made is None) == bool(problems), (chance, text)
        has_places(problems)


def test_damaged_text_of_a_file_is_right_or_refused() -> None:
    """Not the values but the text: pieces cut out, doubled, moved, bytes of anything."""
    texts = [file.read_text() for file in sorted(MAPPINGS.rglob("*.toml"))]
    pieces = ["[", "]", "{", "}", '"""', "'", "=", ".", "\n", "\x00", "\ufeff", "\u202e", "\ud800", "#", "[[", "\\u"]
    for chance in seeds(120):
        text = chance.choice(texts)[: chance.choice((200, 2_000, 4_000))]
        for _ in range(chance.randrange(1, 5)):
            start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
            end = min(end, start + chance.choice((0, 1, 5, 80)))
            text = text[:start] + chance.choice((*pieces, text[start:end] * 2, "")) + text[end:]
        made, problems = compile_file(text, "m.toml", None)
        assert bool(made) != bool(problems), text
        has_places(problems)
        name_in(text)


def deep(count: int) -> dict[str, str]:
    """Files that are nested, long or repeated."""
    return {
        "dotted": ".".join("a" * count) + " = 1\n",
        "lists": f"x = {'[' * count}{']' * count}\n",
        "tables": f"x = {'{a=' * count}1{'}' * count}\n",
        "head": f"[{'.'.join('a' * count)}]\n",
        "heads": f"[[{'.'.join('a' * count)}]]\n",
        "values": f'[fields.zz]\nmarketing="a"\ncrm="b"\nvalues.{".".join("a" * count)}="x"\n',
        "digits": f"x = {'9' * count}\n",
        "truncate": f'[fields.zz]\nmarketing="a"\ncrm="b"\ntruncate={"9" * count}\n',
        "quotes": '"' * count,
        "key": f"{'a' * count} = 1\n",
        "repeated": "a = 1\n" * count,
        "many": "".join(f"k{number} = 1\n" for number in range(count // 2)),
    }


@pytest.mark.parametrize("count", [40, 900, 10_000])
def test_nesting_and_length_are_refused_and_never_hang(count: int) -> None:
    """Depth used to raise out of the compiler, and numbers of thousands of digits out of the reader."""
    for kind, text in deep(count).items():
        start = time.process_time()
        for whole in (text, (MAPPINGS / "companies.toml").read_text() + text, text + 'kind = "watch"\nname = "w"\n'):
            made, problems = compile_file(whole, "m.toml", None)
            assert not made, kind
            has_places(problems)
        assert time.process_time() - start < 3 * SLOW_S, kind


def test_depth_and_digits_are_told_with_their_place() -> None:
    """The reader says where: an editor's cursor can go there."""
    _, (nested,) = parse("a = 1\nb = " + "[" * 40 + "]" * 40, "m.toml")
    _, (long,) = parse("a = 1\nb = " + "9" * 5_000, "m.toml")

    assert (nested.line, nested.what) == (2, "tables or lists are nested more than 32 deep")
    assert (long.line, long.column, long.what) == (2, 5, "this number has too many digits")


def test_damaged_settings_are_taken_or_refused(tmp_path: Path) -> None:
    """syncd.toml, up to the connectors that it names: a ConfigError is the only way out."""
    good, file = tomllib.loads(SETTINGS), tmp_path / "syncd.toml"
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0o600)
    environ = {"HUBSPOT_TOKEN": "token", "SF_CLIENT_ID": "id"}
    file.write_text(SETTINGS)
    assert set(connect(load(file, environ), None, Clock())) == {"hubspot", "salesforce"}
    for chance in seeds(250):
        text = toml_text(damaged(good, chance, more=WORDS, keys=(*KEYS, "every", "budget", "base_url", "api_version")))
        file.write_text(text)
        try:
            settings = load(file, environ)
            settings.secret_problems()
            connect(settings, None, Clock())
        except ConfigError as error:
            told = error.problems
            has_places(told)


def test_mappings_that_go_together_alone_are_never_judged_by_raising() -> None:
    """What compiles is compared with the others as they ship."""
    funnel, files = agreed(), shipped()
    names = frozenset({"people", "companies", "deals"})
    whole = {name: compile_mapping(toml_text(files[name]), name, funnel, names)[0] for name in sorted(files)}
    kept = [mapping for mapping in whole.values() if mapping is not None]
    for chance in seeds(20):
        name = chance.choice(("people.toml", "companies.toml", "deals.toml"))
        mapping, _ = compile_mapping(toml_text(damaged(files[name], chance, more=WORDS)), name, funnel, names)
        if mapping is not None:
            has_places(check_together([mapping, *kept]))
