"""A ledger of every earlier format opens, with everything in it, and becomes what a new one is.

`formats/format-N.sql` were written by the programs of their time, over their sandboxes (invented people), and cut down to
one linked pair. They are never edited.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from syncd.ledger import Ledger, keeping, schema

FORMATS = sorted((Path(__file__).parent / "formats").glob("format-*.sql"))


def ledger_of(path: Path, script: str) -> Path:
    with sqlite3.connect(path) as raw:
        raw.executescript(script)
    return path


def shape(ledger: Ledger) -> dict[str, Any]:
    """Tables with their columns; indexes and triggers by name."""
    rows = ledger.store.rows(
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlite%'"
    )
    return {
        f"{kind} {name}": sorted(column[1:] for column in ledger.store.rows(f"PRAGMA table_info('{name}')"))
        for kind, name in rows
    }


def test_the_version_counts_the_migrations() -> None:
    """A migration that the version does not count would never be run on a ledger that is there already: version 3 was
    written by programs with, and by programs without, the table of the vendors' limits."""
    from sqlite_utils import Database

    assert len(list(schema.migrations().pending(Database(memory=True)))) == schema.VERSION


@pytest.mark.parametrize("file", FORMATS, ids=lambda file: file.stem)
def test_a_ledger_of_every_format_opens_with_everything_in_it(tmp_path: Path, file: Path) -> None:
    """Its tables become those of a new ledger; its link has both ends and their facts; its journal still proves itself."""
    new = Ledger.open(tmp_path / "new.db")
    old = Ledger.open(ledger_of(tmp_path / "ledger.db", file.read_text()))
    assert shape(old) == shape(new)
    assert old.store.row("PRAGMA user_version") == (schema.VERSION,)
    (link,) = old.links.page("people", 0, 10)
    for end in (link.marketing, link.crm):
        assert end.base
        fact = old.facts.get(end.object, end.key)
        assert fact is not None
        assert fact.state == "live"
        assert fact.attributes
    assert old.journal.verify() == (6, None)
    assert old.store.integrity() == "ok"


def test_a_ledger_of_every_count_of_migrations_opens(tmp_path: Path) -> None:
    """From version 14 on a version is the number of its migrations: the first so many, and the rest is brought."""
    from sqlite_utils import Database

    names = [step.name for step in schema.migrations().pending(Database(memory=True))]
    new = shape(Ledger.open(tmp_path / "new.db"))
    for version in range(14, schema.VERSION):
        path = tmp_path / f"{version}.db"
        with sqlite3.connect(path, isolation_level=None) as raw:
            schema.migrations().apply(Database(raw), stop_before=names[version])
            raw.execute(f"PRAGMA user_version = {version}")
        assert shape(Ledger.open(path)) == new, version


@pytest.mark.parametrize("file", FORMATS, ids=lambda file: file.stem)
def test_a_backup_of_every_format_is_proved_and_restored(tmp_path: Path, file: Path) -> None:
    """A backup from before an upgrade is what one wants then: it proves itself as it is, and is brought up to date."""
    backup = ledger_of(tmp_path / "backup.db", file.read_text())
    before = backup.read_bytes()
    assert keeping.verify(backup).holds
    assert keeping.restore(backup, tmp_path / "ledger.db", tmp_path / "aside.db").holds
    assert backup.read_bytes() == before
    assert len(Ledger.open(tmp_path / "ledger.db").links.page("people", 0, 10)) == 1


def test_the_very_first_ledgers_open_too(tmp_path: Path) -> None:
    """m001 was edited in its first hours: those ledgers lack a column and an index, and get them."""
    script = FORMATS[0].read_text()
    script = re.sub(r"stamped INTEGER NOT NULL DEFAULT 0, rest INTEGER,", "stamped INTEGER NOT NULL DEFAULT 0,", script)
    script = re.sub(r"(INSERT INTO \"link_side\" .*),(?:NULL|-?\d+)\);", r"\1);", script)
    script = script.replace("CREATE INDEX run_started ON run (started_at);", "")
    old = Ledger.open(ledger_of(tmp_path / "ledger.db", script))
    assert shape(old) == shape(Ledger.open(tmp_path / "new.db"))
    assert len(old.links.page("people", 0, 10)) == 1
