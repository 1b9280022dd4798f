"""The sums that reports read: by day and by month, moved by differences, and brought along from older ledgers."""

from __future__ import annotations

import random
import sqlite3
from datetime import date
from pathlib import Path

import msgspec
import pytest
from recount import kept, recounted
from sqlite_utils import Database

from syncd.core.standing import Standing, cells_of
from syncd.ledger import Ledger, schema
from syncd.ledger.sums import EVER, Sums, month_of

OLD_STANDING = (
    b'{"outcome":"handoff","version":1,"reached":0,"came":740000,"source":"Web","state":"delivered","qualified":740001,'
    b'"cells":[["outcome",0,"handoff","","",1,0],["outcome",0,"handoff","source","Web",1,0],'
    b'["outcome",0,"handoff","campaign","",1,0],["outcome",0,"handoff","segment","other",1,0],'
    b'["outcome",0,"handoff","owner","",1,0],["state",740001,"delivered","","",1,0],'
    b'["state",740001,"delivered","source","Web",1,0],["state",740001,"delivered","campaign","",1,0],'
    b'["state",740001,"delivered","segment","other",1,0],["state",740001,"delivered","owner","",1,0]]}'
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.db")


@pytest.fixture
def sums(ledger: Ledger) -> Sums:
    return ledger.loop.sums


def test_any_span_of_days_is_the_same_sum_whether_read_by_month_or_by_day(sums: Sums) -> None:
    """Whole months are read from their own cells, the days at both ends one by one."""
    chance = random.Random(5)
    first = date(2026, 1, 1).toordinal()
    cells = [("won", first + chance.randrange(800), "EUR", "", "", 1, chance.randrange(1000)) for _ in range(400)]
    sums.move((), [*cells, ("won", 0, "EUR", "", "", 1, 7)])
    spans = [(chance.randrange(800), chance.randrange(800)) for _ in range(200)]
    for low, high in [*((first + a, first + b) for a, b in spans), (0, EVER), (first, EVER), (0, first + 400)]:
        days = [cell for cell in [*cells, ("won", 0, "EUR", "", "", 1, 7)] if low <= cell[1] < high]
        wanted = {("EUR", ""): (len(days), sum(cell[6] for cell in days))} if days else {}
        assert sums.of("won", low, high) == wanted == sums.of("won", low, high, months=False), (low, high)


def test_a_move_takes_away_what_stood_before_and_leaves_no_empty_cell(ledger: Ledger) -> None:
    """Cells that came back to nothing are rows that nobody needs."""
    day = date(2026, 5, 9).toordinal()
    before = [("clock", day, "on_track", "", "", 1, 0)]
    now = [("clock", day, "met", "", "", 1, 0)]
    ledger.loop.sums.move((), before)
    ledger.loop.sums.move(before, now)
    assert kept(ledger) == {("clock", day, "met", "", ""): (1, 0)}
    ledger.loop.sums.move(now, ())
    assert kept(ledger) == {}
    assert ledger.store.rows("SELECT * FROM cell_month") == []


def test_the_month_of_an_unknown_day_is_no_month() -> None:
    """What was closed nobody knows when is in every span that has no beginning, and in no other."""
    assert month_of(0) == 0
    assert month_of(date(2026, 3, 31).toordinal()) + 1 == month_of(date(2026, 4, 1).toordinal())


def test_an_older_ledger_brings_its_sums_along(tmp_path: Path) -> None:
    """Months, the tally and the shorter standings are made of what stood there."""
    path = tmp_path / "ledger.db"
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrations().apply(Database(connection), stop_before="m130_sums")
    connection.execute(
        "INSERT INTO standing VALUES (1, 'a', 'handoff', 0, 740000, 'delivered', '', 740001, NULL, NULL, NULL, 'Web', '',"
        " 'other', '', ?)",
        (OLD_STANDING,),
    )
    old = msgspec.json.decode(OLD_STANDING)["cells"]
    connection.executemany(
        "INSERT INTO cell (figure, day, what, by, name, n, amount) VALUES (?, ?, ?, ?, ?, ?, ?)", old
    )
    connection.close()
    ledger = Ledger.open(path)
    assert kept(ledger) == recounted(ledger) == {tuple(row[:5]): (1, 0) for row in old}
    assert ledger.loop.sums.of("state", 0, EVER) == {("delivered", ""): (1, 0)}
    assert ledger.loop.sums.tallied() == {"delivered": 1}
    assert ledger.loop.standings(1, ["a"])["a"].source == "Web"


def test_the_tally_follows_every_row_and_keeps_who_is_erased(ledger: Ledger) -> None:
    """It is counted apart from the sums, so that each can be held against the other."""
    counts = (("state", 740_001, "waiting", 0),)
    waiting = Standing(state="waiting", came=740_000, qualified=740_001, counts=counts)
    delivered = msgspec.structs.replace(waiting, state="delivered", counts=(("state", 740_001, "delivered", 0),))
    ledger.loop.keep_standings(1, {"a": waiting, "b": waiting, "c": Standing()}, {})
    assert ledger.loop.sums.tallied() == {"waiting": 2}
    ledger.loop.keep_standings(1, {"a": delivered}, {"a": waiting})
    assert ledger.loop.sums.tallied() == {"waiting": 1, "delivered": 1}
    ledger.erasure.erase([(1, "a")], 1.0)
    assert ledger.loop.sums.tallied() == {"waiting": 1, "delivered": 1}
    assert kept(ledger) == recounted(ledger)
    assert len(kept(ledger)) == 2 * len(list(cells_of(waiting)))
