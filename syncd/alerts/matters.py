"""What is the matter right now, for operators: held plans, open issues, systems in trouble, a full disk, crashes.

Promise: each matter has a name and is told once when it begins and once when it is over, over restarts too. It reads the
ledger's own words and asks no system; counts and names only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syncd.ledger import Ledger
from syncd.session import Session, Stopping

ISSUE, HELD, UNHEALTHY = "issue", "held", "unhealthy"
HELD_PLAN = "held_plan"
"""Issues of this kind are told as the plan that is held."""


def matters(
    ledger: Ledger, mappings: Iterable[str], troubles: Iterable[str], *, full: bool, crashes: int
) -> dict[str, dict[str, Any]]:
    """By name, what is told about it. `troubles`: the systems that are in trouble."""
    found: dict[str, dict[str, Any]] = {}

    def add(event: str, about: str, text: str, over: str) -> None:
        found[f"{event}:{about}"] = {"event": event, "about": about, "text": text, "over": over}

    for name in mappings:
        if ledger.intents.held(name) is not None:
            held = f"The plan of {name} is held: look at it with `syncd plan {name}`, release it with `approve`."
            add(HELD, name, held, f"The plan of {name} is no longer held.")
    for mapping, kind in ledger.inbox.open_kinds():
        if kind != HELD_PLAN:
            what = f"{mapping}, {kind.replace('_', ' ')}"
            said = f"Something waits for a person ({what}): `syncd issues` lists it."
            add(ISSUE, f"{mapping}: {kind}", said, f"Nothing of this kind waits any more ({what}).")
    for system in troubles:
        said = f"{system} cannot be read or written; `syncd status` says why."
        add(UNHEALTHY, system, said, f"{system} can be read and written again.")
    if full:
        add(UNHEALTHY, "disk", "The ledger's disk is full: nothing is sent.", "The ledger's disk has room again.")
    if crashes:
        said = "A cycle ended in a fault of syncd's; the log has it."
        add(UNHEALTHY, "cycle", said, "Cycles end well again.")
    return found


def look(session: Session, *, full: bool = False, crashes: int = 0) -> int:
    """Looks at how things are, and puts into the box what turned; nothing where nobody wants to be told."""
    alerts = session.files.settings.alerts
    if not alerts.receivers():
        return 0
    troubles = {
        name: system.trouble
        for name, system in session.systems.items()
        if system.trouble and not isinstance(system.failure, Stopping)
    }
    mappings = list(session.files.mappings.by_name)
    now = matters(session.ledger, mappings, troubles, full=full, crashes=crashes)
    return tell(session.ledger, now, session.clock.now(), alerts.patience)


def tell(ledger: Ledger, now: Mapping[str, dict[str, Any]], at: float, patience_s: float) -> int:
    """Puts what began and what is over into the box; returns how many."""

    def patience(name: str) -> float:
        return patience_s if name.startswith(UNHEALTHY) else 0.0

    with ledger.transaction():
        began, over = ledger.alerts.turn(now, at, patience)
        rows = [
            (0, name, said["event"], at, {"about": said["about"], "text": said[words], "state": state})
            for state, words, each in (("began", "text", began), ("over", "over", over))
            for name, said in each
        ]
        if rows:
            ledger.alerts.alarm(rows)
    return len(rows)
