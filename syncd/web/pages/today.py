"""Today: whether all is well, what waits for a person, and how far both systems were read."""

from __future__ import annotations

from typing import Any

from syncd.funnel import reports
from syncd.view.status import status
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.table import Column, Table, cell


def page(asked: Asked) -> View:
    """The first page."""
    facts = status(asked.ledger, asked.files.settings, asked.files.mappings, asked.now)
    broken = [
        {"name": name, "problems": [str(one) for one in problems], "instead": asked.files.instead(name)}
        for name, problems in asked.files.broken.items()
    ]
    waiting = {
        "issues": asked.ledger.inbox.issue_count(),
        "held": sum(one["held"] for one in facts["mappings"].values()),
        "unsent": facts["ledger"]["unsent"],
        "unseen": facts["ledger"]["waiting"],
    }
    return View(
        "today.html",
        "Today",
        {"status": facts, "broken": broken, "waiting": waiting, "loop_": _loop(asked), "link": figures.behind},
        (_systems(facts["systems"]), _mappings(facts["mappings"])),
    )


def _loop(asked: Asked) -> dict[str, Any] | None:
    """The closed loop at a glance; None while nothing is agreed, or nothing was followed yet."""
    told = reports.today(asked.ledger, asked.files, asked.now)
    if not told["defined"]:
        return None
    steps = [
        {"name": one["stage"], "owner": one["owner"], "value": one["reached"]["value"], "rate": None,
         "link": figures.behind(one["reached"]["records"])}
        for one in told["stages"]
    ]  # fmt: skip
    return {**told, "steps": steps}


def _systems(systems: dict[str, Any]) -> Table:
    columns = (
        Column("system"),
        Column("account"),
        Column("last read", "time"),
        Column("behind by", "number", "since the oldest of its objects was read"),
        Column("calls today", "number"),
        Column("budget left", "number"),
        Column("state"),
    )
    rows = [
        (
            cell(name),
            cell(one["account_name"] or one["account"] or "not identified yet"),
            cell(one["last_read"], text=words.moment(one["last_read"])),
            cell(one["lag_s"], text=words.duration(one["lag_s"])),
            cell(one["calls_today"]),
            cell(one["budget_left"], text="not limited by us" if one["budget_left"] is None else None),
            cell(one["trouble"] or "reachable", tone="bad" if one["trouble"] else "good"),
        )
        for name, one in systems.items()
    ]
    return Table("systems", "Systems", columns, rows, "No system is configured: see syncd.toml.")


def _mappings(mappings: dict[str, Any]) -> Table:
    columns = (
        Column("mapping"),
        Column("linked pairs", "number"),
        Column("issues", "number"),
        Column("conflicts", "number", "values that lost and were not restored"),
        Column("waiting", "number", "records that wait for a record they refer to"),
        Column("plan"),
        Column("last cycle", "time"),
    )
    rows = [
        (
            cell(name, f"/mappings/{name}"),
            cell(one["links"]),
            cell(one["issues"], f"/issues?mapping={name}" if one["issues"] else None, "warn" if one["issues"] else ""),
            cell(one["conflicts"], f"/conflicts?mapping={name}" if one["conflicts"] else None),
            cell(one["waiting_for_others"]),
            cell("held" if one["held"] else "free", "/plans" if one["held"] else None, "warn" if one["held"] else ""),
            cell(one["last_cycle"], text=words.moment(one["last_cycle"])),
        )
        for name, one in mappings.items()
    ]
    return Table("mappings", "What is kept the same", columns, rows, "No mapping was run yet.")
