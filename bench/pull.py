"""First pull: everything of both sides into an empty ledger, durable, beside the floor, in pairs."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from bench import floor
from bench.engine import Engine, Spent
from bench.figure import Figure
from bench.vendor.process import VendorProcess

PAIRS = 5
LEAST_SHARE = 0.7


def measure(records: int, folder: Path) -> list[Figure]:
    """Floor and engine in turn over the same rendered pages; the ratio of each pair, and the median of the ratios."""
    pairs: list[tuple[Spent, Spent]] = []
    with VendorProcess(records) as vendor:
        contact_names, lead_names = _warm_up(vendor, folder)
        for turn in range(PAIRS):
            bottom = _floor(vendor, folder / f"floor{turn}.db", contact_names, lead_names)
            engine = Engine.at(vendor.port, folder / f"engine{turn}")
            run, spent = engine.weigh(engine.pull)
            assert sum(run.tally("people").read.values()) == 2 * records
            engine.close()
            pairs.append((bottom, spent))
    return _figures(records, pairs)


def _warm_up(vendor: VendorProcess, folder: Path) -> tuple[list[str], list[str]]:
    """Renders every page once; returns the attributes that the mapping asks for on each side."""
    engine = Engine.at(vendor.port, folder / "warm")
    wanted = engine.pull().wanted
    engine.close()
    names = list(wanted["hubspot", "contacts"]), list(wanted["salesforce", "Lead"])
    floor.pull(vendor.port, folder / "warm.db", *names)
    return names


def _floor(vendor: VendorProcess, ledger: Path, contact_names: list[str], lead_names: list[str]) -> Spent:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    read = floor.pull(vendor.port, ledger, contact_names, lead_names)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    assert read == 2 * vendor.records
    return Spent(wall_s, cpu_s, cpu_s)


def _figures(records: int, pairs: list[tuple[Spent, Spent]]) -> list[Figure]:
    total = 2 * records
    wall = [bottom.wall_s / engine.wall_s for bottom, engine in pairs]
    cpu = [bottom.cpu_s / engine.cpu_s for bottom, engine in pairs]
    floor_rate = median(total / bottom.wall_s for bottom, _ in pairs)
    own_us = median(engine.own_s for _, engine in pairs) / total * 1e6

    def told(ratios: list[float]) -> str:
        return "pairs " + " ".join(f"{ratio:.2f}" for ratio in ratios)

    return [
        Figure("pull", "share of the floor, wall", median(wall), least=LEAST_SHARE, note=told(wall)),
        Figure("pull", "share of the floor, CPU", median(cpu), note=f"{told(cpu)}; two cores share the wall time"),
        Figure(
            "pull",
            "records a second, durable",
            median(total / engine.wall_s for _, engine in pairs),
            "records/s",
            note=f"floor {floor_rate:,.0f}",
        ),
        Figure("pull", "engine's own CPU per record", own_us, "us", note="beside transport and decoding"),
    ]
