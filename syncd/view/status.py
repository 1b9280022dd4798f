"""Health, lag, quota and counts, read from the ledger and the disk beside it.

Promise: says plainly when something is unwell, and why, whether a daemon runs or not. It calls no system.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from syncd.assembly import Mappings
from syncd.core.watch import Watch
from syncd.errors import LeaseHeld, LedgerError, LedgerFull
from syncd.ledger import Ledger
from syncd.request import holder_of
from syncd.session import free_bytes, take_lease
from syncd.settings import Settings
from syncd.view.forecast import forecast
from syncd.view.moment import iso

LATE_CYCLES = 3
"""Not a cycle for so many intervals: somebody should know."""
LATE_LEAST_S = 300.0
AT_SYSTEM = ("sent", "answered")
UNSENT = ("planned", "held", "ready")


def status(ledger: Ledger, settings: Settings, mappings: Mappings, now: float) -> dict[str, Any]:
    """What `status --json` prints."""
    names = sorted({*ledger.books.mapping_names(), *mappings.by_name})
    cycles = {name: ledger.books.last_cycle(name) for name in (*names, *mappings.watches)}
    shown = {name: _mapping(ledger, name, cycles[name]) for name in names}
    watches = {name: _watch(ledger, watch, cycles[name]) for name, watch in sorted(mappings.watches.items())}
    troubles = _troubles(cycles)
    systems = {name: _system(ledger, settings, mappings, name, troubles.get(name), now) for name in settings.systems}
    holder = lease_holder(settings)
    book = {
        "path": str(settings.daemon.ledger),
        "size_bytes": _size(settings),
        "free_bytes": free_bytes(settings.daemon.ledger),
        "waiting": ledger.intents.total(AT_SYSTEM),
        "unsent": ledger.intents.total(UNSENT),
        "holder": holder,
    }
    reasons = _reasons(settings, mappings, shown, systems, book, cycles, now)
    return {
        "healthy": not reasons,
        "reasons": reasons,
        "systems": systems,
        "mappings": shown,
        "watches": watches,
        "ledger": book,
    }


Cycles = dict[str, tuple[float, dict[str, Any]] | None]


def _troubles(cycles: Cycles) -> dict[str, str]:
    """Why systems were left alone in the newest run that needed them."""
    newest = sorted((found for found in cycles.values() if found is not None), key=lambda found: found[0])
    troubles: dict[str, str] = {}
    for _, report in newest:
        for system in report.get("calls", {}):
            troubles.pop(system, None)
        troubles.update(report.get("trouble", {}))
    return troubles


def _mapping(ledger: Ledger, name: str, cycle: tuple[float, dict[str, Any]] | None) -> dict[str, Any]:
    version = ledger.books.mapping(name)
    tally = cycle[1]["mappings"].get(name, {}) if cycle else {}
    hold = ledger.intents.held(name)
    return {
        "links": ledger.links.count(name),
        "moved": tally.get("moved", 0),
        "issues": ledger.inbox.issue_count(name),
        "conflicts": ledger.inbox.conflict_count(name),
        "held": hold is not None,
        "held_because": hold[1] if hold else [],
        "waiting_for_others": ledger.waits.creates(name),
        "last_cycle": iso(cycle[0]) if cycle else None,
        "version": version.version if version else None,
    }


def _watch(ledger: Ledger, watch: Watch, cycle: tuple[float, dict[str, Any]] | None) -> dict[str, Any]:
    told = ledger.events.told(watch.name)
    return {
        "side": watch.end.side,
        "object": watch.end.object,
        "means": watch.means,
        "events": told.events,
        "first_event": None if told.first_ms is None else iso(told.first_ms / 1000),
        "last_event": None if told.last_ms is None else iso(told.last_ms / 1000),
        "last_cycle": iso(cycle[0]) if cycle else None,
    }


def _system(
    ledger: Ledger, settings: Settings, mappings: Mappings, name: str, trouble: str | None, now: float
) -> dict[str, Any]:
    account = ledger.books.account(name)
    forms = {form for end in mappings.ends(mappings.every()) if end.system == name for form in end.forms}
    reads = [at for form, at in ledger.facts.read_at(name).items() if at is not None and (form in forms or not forms)]
    last = min(reads, default=None)
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    calls = ledger.books.calls(name, day)
    per_day = settings.systems[name].budget.per_day
    return {
        "account": account[0] if account else None,
        "account_name": account[1] if account else None,
        "last_read": iso(last),
        "lag_s": None if last is None else round(max(0.0, now - last), 1),
        "calls_today": calls,
        "sweep_calls_today": ledger.books.calls(name, day, "sweep"),
        "budget_left": None if per_day is None else max(0, per_day - calls),
        "forecast": forecast(calls, ledger.books.quota(name), settings.systems[name].budget, now),
        "trouble": trouble,
    }


def lease_holder(settings: Settings) -> str | None:
    """Who holds the sending lease, in words; None: nobody."""
    ledger = settings.daemon.ledger
    if not ledger.with_name(ledger.name + ".lease").exists():
        return None  # never made by somebody who only looks: it would be theirs, not the daemon's
    try:
        take_lease(ledger, "status", lambda s: None).release()
    except LeaseHeld as held:
        return holder_of(held)
    except (LedgerError, LedgerFull):
        return None  # we may not write there: nothing can be said
    return None


def _size(settings: Settings) -> int:
    ledger = settings.daemon.ledger
    return sum(os.path.getsize(f"{ledger}{end}") for end in ("", "-wal") if os.path.exists(f"{ledger}{end}"))


def _reasons(
    settings: Settings,
    mappings: Mappings,
    shown: dict[str, Any],
    systems: dict[str, Any],
    book: dict[str, Any],
    cycles: Cycles,
    now: float,
) -> list[str]:
    found: list[str] = [str(problem) for problem in _most(mappings.problems, 5)]
    if book["free_bytes"] < settings.daemon.min_free:
        found.append(f"disk full: {book['free_bytes'] >> 20} MiB free beside the ledger; nothing is sent")
    found += [f"{name}: {system['trouble']}" for name, system in systems.items() if system["trouble"]]
    found += _running_out(systems)
    found += [f"{name}: its plan is held" for name, mapping in shown.items() if mapping["held"]]
    newest = max((cycle[0] for cycle in cycles.values() if cycle is not None), default=None)
    if newest is None:
        found.append("no cycle was run yet: `syncd once`, or `syncd run`")
    elif now - newest > max(LATE_LEAST_S, LATE_CYCLES * settings.daemon.every):
        nobody = "" if book["holder"] else "; no daemon runs"
        found.append(f"the last cycle ended {round((now - newest) / 60)} min ago{nobody}")
    return found


def _running_out(systems: dict[str, Any]) -> list[str]:
    """The systems whose calls will not last until midnight, at this pace."""
    what = {"budget": "our own budget of calls", "vendor": "the vendor's daily limit, but for the reserve,"}
    return [
        f"{name}: {what[system['forecast']['runs_out_of']]} is used up by {system['forecast']['runs_out_at'][:16]} UTC"
        for name, system in systems.items()
        if system["forecast"]["runs_out_of"]
    ]


def _most(items: Sequence[Any], n: int) -> list[Any]:
    return [*items[:n], *([f"... and {len(items) - n} more problems"] if len(items) > n else [])]
