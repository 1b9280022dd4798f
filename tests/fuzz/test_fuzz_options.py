"""What a person, or a broken disk, may hand to a command: times, conditions, numbers, plans, documents of the ledger.

However it looks: done, or one line that says what is wrong, with an exit code that says whose matter it is. Never our fault.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from syncd.errors import EXIT_FAULT
from tests.cli.shop import Shop, make
from tests.fuzz.damage import damaged, seeds

TIMES = (
    *(
        "",
        " ",
        "x",
        "now",
        "2026",
        "2026-13-45",
        "0001-01-01",
        "9999-12-31T23:59:59+14:00",
        "0001-01-01T00:00:00+14:00",
    ),
    *("2026-11-21T08:00Z", "2026-W47-6", "١٢", "9" * 400, "-1", "2026-11-21T25:00", "1e999", "\x00", "2026-11-21\n"),
)
NUMBERS = (
    "0",
    "-1",
    "1",
    "99999999999999999999999",
    "9" * 400,
    "9223372036854775807",
    "9223372036854775808",
    "x",
    "1.5",
    "",
)
CONDITIONS = (
    "",
    "true",
    "1",
    "email ==",
    'email == "x"',
    "(" * 900,
    "nobody == 1",
    "true" + " && true" * 400,
    "\x00",
    "x" * 9_000,
)


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A shop in which something happened."""
    made = make(tmp_path, capsys)
    made.mk.create("contacts", {"email": "ada@x.test", "lastname": "Ada", "score": 80}, by="ann")
    made.run("once", "--yes")
    return made


def refused_or_done(shop: Shop, *words: str) -> None:
    """Nothing that was typed is our fault."""
    done = shop.run(*words)
    assert done.code != EXIT_FAULT, (words, done.err)
    assert "Traceback" not in done.err, words
    if done.code:
        assert done.err.strip(), words


@pytest.mark.parametrize("time", TIMES, ids=lambda text: repr(text[:24]))
def test_any_time_is_one_or_is_refused(shop: Shop, time: str) -> None:
    """Years that no clock has, zones at the ends of time, digits of other scripts."""
    refused_or_done(shop, "undo", "--since", time)
    refused_or_done(shop, "backfill", "people", "--dry-run", "--since", time)
    refused_or_done(shop, "handoff", "--since", time)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: repr(text[:24]))
def test_any_number_is_one_or_is_refused(shop: Shop, number: str) -> None:
    """Larger than the ledger can hold, negative, none at all."""
    refused_or_done(shop, "undo", "--run", number)
    refused_or_done(shop, "undo", "people", "--mapping-version", number)
    refused_or_done(shop, "issues", "retry", number)
    refused_or_done(shop, "conflicts", "restore", number)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda text: repr(text[:24]))
def test_any_condition_is_one_or_is_refused(shop: Shop, condition: str) -> None:
    """`--where` is an expression like those of the mappings."""
    refused_or_done(shop, "backfill", "people", "--dry-run", "--where", condition)


def test_a_damaged_plan_is_taken_or_refused(shop: Shop) -> None:
    """A saved plan, changed at some places; among them keys that stand twice, of which JSON lets the last one win."""
    shop.mk.edit("contacts", shop.mk.keys("contacts")[0], {"lastname": "Byron"}, by="ann")
    good = shop.run("plan", "--json").json
    file = shop.folder / "plan.json"
    for chance in seeds(25):
        text = json.dumps(damaged(good, chance, keys=("effects", "digest", "schema")))
        if chance.random() < 0.4:
            at = chance.randrange(text.count('"')) if '"' in text else 0
            place = [index for index, one in enumerate(text) if one == '"'][at : at + 1]
            text = text[: place[0]] + '"effects": [], "effects": 1, ' + text[place[0] :] if place else text
        file.write_text(text)
        refused_or_done(shop, "once", "--plan", str(file))


def test_a_damaged_document_of_the_ledger_is_the_ledgers_matter(shop: Shop) -> None:
    """Half a document in a row that is whole: told as damage with a way out, and nothing is sent."""
    with sqlite3.connect(shop.folder / "ledger.db") as connection:
        tables = [
            (table, column)
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()
            if kind in ("TEXT", "BLOB") and any(word in column for word in ("doc", "body", "base", "report"))
        ]
    assert tables
    whole = shop.folder / "whole.db"
    with sqlite3.connect(shop.folder / "ledger.db") as connection:
        connection.execute("VACUUM INTO ?", (str(whole),))
    for table, column in tables:
        with sqlite3.connect(shop.folder / "ledger.db") as connection:
            connection.execute(f"UPDATE {table} SET {column} = '{{\"a\": '")
        for words in (("status",), ("plan",), ("once",), ("ledger", "verify")):
            done = shop.run(*words)
            assert done.code != EXIT_FAULT, (table, column, words, done.err)
        with sqlite3.connect(whole) as source, sqlite3.connect(shop.folder / "ledger.db") as connection:
            source.backup(connection)
