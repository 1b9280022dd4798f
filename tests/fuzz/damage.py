"""Damage to good input: one to three changes anywhere in a value, and how many such cases a run tries.

Promise: `make test` tries the same cases every time, in seconds; with SYNCD_DEPTH=N there are N times as many, others
every time (`make soak`).
"""

from __future__ import annotations

import copy
import datetime
import math
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings

DEPTH = max(1, int(os.environ.get("SYNCD_DEPTH", "1")))
"""How many times the usual number of cases."""

Path = tuple[Any, ...]

SCALARS: tuple[Any, ...] = (
    *("", " ", "x", "a.b", "a:b", "..", "\n", '"', "\x00", "\u202e", "\u00e9" * 300, "a" * 5_000),
    *(0, -1, 1, 10**18, 10**30, -(10**30), 1.5, -0.0, 1e308, True, False, None),
    *("2026-11-21", "2026-11-21T10:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "null", "true", "1e999"),
)
SHAPES: tuple[Any, ...] = (
    [],
    [[]],
    [""] * 3,
    ["a", "a"],
    [1, "x"],
    [None],
    {},
    {"": ""},
    {"a": {"b": {"c": {}}}},
    [{}],
)


def tries(count: int) -> Callable[[Any], Any]:
    """The settings of a property that is tried `count` times, or `DEPTH` times as often."""
    return settings(max_examples=count * DEPTH, derandomize=DEPTH == 1)


def seeds(count: int) -> Iterator[random.Random]:
    """The chances of a campaign of `count` cases, or `DEPTH` times as many. A failing case prints its seed."""
    first = 0 if DEPTH == 1 else random.SystemRandom().randrange(1 << 40)
    for seed in range(first, first + count * DEPTH):
        chance = random.Random(seed)
        chance.named = seed  # type: ignore[attr-defined]
        yield chance


def damaged(value: Any, chance: random.Random, *, more: tuple[Any, ...] = (), keys: tuple[str, ...] = ("x",)) -> Any:
    """A copy with one to three places removed, replaced, swapped or added. `more`: values to put in besides."""
    value = {"whole": copy.deepcopy(value)}
    nasty = (*SCALARS, *SHAPES, *more)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = [path for path in _paths(value) if path]
        path = chance.choice(places)
        parent = _at(value, path[:-1])
        match chance.randrange(5):
            case 0 if len(path) > 1:
                del parent[path[-1]]
            case 1 if isinstance(parent, dict) and len(path) > 1:
                parent[chance.choice(keys)] = copy.deepcopy(chance.choice(nasty))
            case 2:
                parent[path[-1]] = copy.deepcopy(_at(value, chance.choice(places)))
            case _:
                parent[path[-1]] = copy.deepcopy(chance.choice(nasty))
    return value["whole"]


def _paths(value: Any, before: Path = ()) -> Iterator[Path]:
    yield before
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*before, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _paths(value[index], (*before, index))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


# ---------------------------------------------------------------- TOML


def toml_text(table: Any) -> str:
    """A table as TOML, everything in one line a key. None is left out: TOML has no such thing."""
    if not isinstance(table, dict):
        table = {"x": table}
    return "".join(f"{_quoted(key)} = {_toml(value)}\n" for key, value in table.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value if each is not None)}]"
    pairs = (f"{_quoted(key)} = {_toml(each)}" for key, each in value.items() if each is not None)
    return f"{{{', '.join(pairs)}}}"


def _quoted(text: str) -> str:
    return (
        '"'
        + "".join(
            f"\\{each}" if each in '"\\' else f"\\u{ord(each):04X}" if ord(each) < 32 or ord(each) == 127 else each
            for each in text
        )
        + '"'
    )
