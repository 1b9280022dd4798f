"""What an unchanged record costs, and what a moved one costs from facts to settled, in the engine's own CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import movedfloor
from bench.engine import Engine, Spent, writes
from bench.figure import Figure
from bench.vendor.process import VendorProcess
from syncd.run import Run

EVERY = 100
"""One record in so many moves: 1 %."""
SWEEPS = 3
MOST_UNCHANGED_US = 10.0
MOST_MOVED_US = 100.0
MOST_CYCLES = 8


def measure(records: int, folder: Path) -> list[Figure]:
    with VendorProcess(records) as vendor:
        engine = Engine.at(vendor.port, folder / "sweep")
        _, spent = engine.weigh(engine.once)
        assert engine.ledger.links.count("people") == records
        figures = [
            Figure(
                "sweep",
                "first meeting: read, matched, linked, per record",
                spent.own_s / (2 * records) * 1e6,
                "us",
                note=f"{2 * records / spent.wall_s:,.0f} records/s",
            )
        ]
        _until_quiet(engine)
        figures += _unchanged(engine, vendor, records)
        floor_us = movedfloor.cost_us(records, EVERY, folder / "floor.db")
        for side in ("marketing", "crm"):
            figures.append(_moved(engine, vendor, side, floor_us))
        engine.close()
    return figures


def _unchanged(engine: Engine, vendor: VendorProcess, records: int) -> list[Figure]:
    """Sweeps over everything: with nothing moved, and with 1 % moved on one side."""
    own_us = []
    for _ in range(SWEEPS):
        _, spent = engine.weigh(engine.sweep)
        own_us.append(spent.own_s / (2 * records) * 1e6)
    wrote = _fact_writes(engine, engine.sweep)
    moved = vendor.move("marketing", every=EVERY, first=3)
    revision = engine.ledger.facts.revision()
    wrote_moved = _fact_writes(engine, lambda: _weighed(engine, own_us))
    revisions = engine.ledger.facts.revision() - revision
    _until_quiet(engine)
    return [
        Figure(
            "sweep",
            "unchanged record, engine's own CPU",
            median(own_us[:SWEEPS]),
            "us",
            most=MOST_UNCHANGED_US,
            note="sweeps " + " ".join(f"{each:.1f}" for each in own_us[:SWEEPS]),
        ),
        Figure("sweep", "writes for unchanged records", wrote, most=0, note=f"of {2 * records:,} read"),
        Figure(
            "sweep",
            "writes when 1 % moved, beyond those moved",
            wrote_moved - moved,
            most=0,
            note=f"{moved:,} moved, {revisions:,} revisions",
        ),
    ]


def _weighed(engine: Engine, own_us: list[float]) -> Run:
    run, spent = engine.weigh(engine.sweep)
    own_us.append(spent.own_s)
    return run


def _fact_writes(engine: Engine, action: Callable[[], Run]) -> int:
    """Statements that changed rows of facts, as SQLite itself reports them."""
    found = 0

    def traced(statement: str) -> None:
        nonlocal found
        words = statement.split(None, 3)
        found += words[0].upper() in ("INSERT", "UPDATE", "DELETE") and "fact" in words[1:3]

    connection = engine.ledger.store._connection  # the only way to see what SQLite does
    connection.set_trace_callback(traced)
    try:
        action()
    finally:
        connection.set_trace_callback(None)
    return found


def _moved(engine: Engine, vendor: VendorProcess, side: str, floor_us: float) -> Figure:
    """People edit 1 % of one side; cycles until it is quiet again: polled, decided, written, seen again, settled."""
    other = "crm" if side == "marketing" else "marketing"
    moved = vendor.move(side, every=EVERY, first=7 if side == "marketing" else 57)
    sent, spent = _until_quiet(engine)
    assert sent == moved, f"{sent} writes for {moved} edits"
    cycles = " + ".join(f"{each.own_s / moved * 1e6:.0f}" for each in spent)
    cost_us = sum(each.own_s for each in spent) / moved * 1e6
    return Figure(
        "sweep",
        f"moved on {side}, settled on {other}",
        cost_us,
        "us",
        most=MOST_MOVED_US,
        note=f"by cycle {cycles}; {moved:,} moved; the floor {floor_us:.0f} us, so {cost_us / floor_us:.1f} times it",
    )


def _until_quiet(engine: Engine) -> tuple[int, list[Spent]]:
    """Cycles until one neither decides nor sends nor waits for anything: (effects sent, what each cycle took)."""
    sent, cycles = 0, []
    for _ in range(MOST_CYCLES):
        run, spent = engine.weigh(engine.once)
        cycles.append(spent)
        sent += writes(run)
        tally = run.tally("people")
        if not writes(run) and not tally.moved and not tally.waiting:
            return sent, cycles
    raise AssertionError(f"not quiet after {MOST_CYCLES} cycles")
