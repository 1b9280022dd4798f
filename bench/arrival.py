"""An edit is on the other side after the first cycle past the vendor's read lag, and at quiet nothing is written."""

from __future__ import annotations

from pathlib import Path

from bench.engine import writes
from bench.figure import Figure
from bench.stage import Stage, Witness, qualified, staged
from connectors.hubspot.sandbox import populate as fill_portal
from connectors.salesforce.sandbox import populate as fill_org

PEOPLE = 100
EDITS = 20
LAG_MS = 5000
"""The search index of the one, a long transaction of the other: what somebody edits is seen so much later."""
QUIET_CYCLES = 5


def measure(folder: Path) -> list[Figure]:
    # `overlap` covers what becomes visible late, `lag` is how long an index may be behind.
    with staged(folder, overlap="15s", lag=f"{LAG_MS}ms", search_lag_ms=LAG_MS) as stage:
        fill_portal(stage.marketing.app, qualified(1, PEOPLE, "buyers"))
        fill_org(stage.crm.app, qualified(2, PEOPLE, "callers"))
        stage.until_quiet()
        figures = [_arrived(stage, "marketing"), _arrived(stage, "crm")]
        stage.until_quiet()
        sent = sum(writes(stage.once()) for _ in range(QUIET_CYCLES))
    return [*figures, Figure("arrival", f"writes in {QUIET_CYCLES} cycles at quiet", sent, "writes", most=0)]


def _arrived(stage: Stage, side: str) -> Figure:
    """People edit; a cycle runs at once, and one when the lag is over; how many edits are on the other side then."""
    vendor: Witness = stage.marketing if side == "marketing" else stage.crm
    object_, field = ("contacts", "jobtitle") if side == "marketing" else ("Lead", "Title")
    there, its_field = ("Lead", "Title") if side == "marketing" else ("contacts", "jobtitle")
    late = {} if side == "marketing" else {"commit_after_s": LAG_MS / 1000}
    wanted = {f"Head of {side} {number}" for number in range(EDITS)}
    for key, title in zip(list(stage.live(object_)), sorted(wanted), strict=False):
        vendor.act({"do": "edit", "object": object_, "key": key, "values": {field: title}, **late})
    begun_ms = stage.clock.now_ms()
    stage.engine.once()
    early = _found(stage, there, its_field, wanted)
    stage.clock.advance(max(0, begun_ms + LAG_MS - stage.clock.now_ms()))
    stage.engine.once()
    found = _found(stage, there, its_field, wanted)
    stage.until_quiet()
    note = f"{early} before the lag of {LAG_MS / 1000:g} s was over"
    return Figure(
        "arrival", f"{EDITS} edits in {side}, after the first cycle", found, "arrived", least=EDITS, note=note
    )


def _found(stage: Stage, object: str, field: str, wanted: set[str]) -> int:
    return sum(row.get(field) in wanted for row in stage.live(object).values())
