"""Today: whether all is well, what waits for a person, and how far both systems were read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from syncd.funnel import reports
from syncd.view.status import status
from syncd.web import words
from syncd.web.page import Asked, View
from syncd.web.pages import figures, loop
from syncd.web.table import Column, Table, Tone, cell


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
        {
            "status": facts,
            "begins": _begins(facts),
            "wrong": _wrong(facts),
            "agreed": asked.files.mappings.funnel is not None,
            "broken": broken,
            "waiting": waiting,
            "loop_": _loop(asked),
            "link": figures.behind,
        },
        (_systems(facts["systems"]), _mappings(facts["mappings"])),
    )


def _wrong(facts: dict[str, Any]) -> list[str]:
    """What is wrong. A plan that waits to be released is not: it waits for a person, as a first one always does."""
    held = {f"{name}: its plan is held" for name, one in facts["mappings"].items() if one["held"]}
    return [reason for reason in facts["reasons"] if reason not in held]


def _begins(facts: dict[str, Any]) -> bool:
    """Is the first cycle under way? Then nothing is wrong with there having been none."""
    never = all(one["last_cycle"] is None for one in facts["mappings"].values())
    return never and bool(facts["ledger"]["holder"]) and len(facts["reasons"]) == 1


def _loop(asked: Asked) -> dict[str, Any] | None:
    """The closed loop at a glance; None while nothing is agreed, or nothing was followed yet."""
    told = reports.today(asked.ledger, asked.files, asked.now)
    if not told["defined"]:
        return None
    stages = told["stages"]
    reached = [one["reached"] for one in stages]
    rates = [None, *(_rate(before["value"], now["value"]) for before, now in pairwise(reached))]
    return {
        **told,
        "steps": loop.steps(asked, stages, reached, rates),
        "parts": loop.parts(told["handoff"]),
        "marketing": _marketing(told["quota"]),
        "balance": _balance(told["handoff"]),
        "sales": _sales(told["agreement"]),
        "revenue": _revenue(told["goal"]),
        "others": [one for one in told["won"] if one["currency"] != (told["goal"] or {}).get("currency")],
    }


def _rate(before: int | None, now: int | None) -> float | None:
    return None if not before or now is None else now / before


Word = tuple[str, Tone]
"""A department's part in a word or two, and whether it is good."""


def _marketing(quota: dict[str, Any]) -> Word:
    done, owed, expected = quota["qualified"]["value"], quota["owed"], quota["expected"]
    if done is None or owed is None:
        return "no number is agreed", "quiet"
    if done >= owed:
        return "delivered in full", "good"
    return ("on pace", "good") if done >= expected else ("behind pace", "warn")


def _balance(hand: dict[str, Any]) -> Word:
    gap = hand["gap"]["value"]
    if not hand["balanced"]:
        return "does not add up: see the issues", "bad"
    if gap is None:
        return "nobody qualified yet", "quiet"
    return (f"{words.number(gap)} in the gap, each with a reason", "warn") if gap else ("nobody is lost", "good")


def _sales(clocks: dict[str, Any]) -> Word:
    late, soon = clocks["breached"]["value"], clocks["due_soon"]["value"]
    if late is None:
        return "no time is agreed", "quiet"
    if late:
        return f"{words.number(late)} {'waits' if late == 1 else 'wait'} too long", "bad"
    if soon:
        return f"{words.number(soon)} due soon", "warn"
    return ("nothing to answer yet", "quiet") if clocks["kept"] is None else ("nobody waits too long", "good")


def _revenue(goal: dict[str, Any] | None) -> Word:
    if goal is None or goal["goal"]["value"] is None:
        return "no goal is agreed", "quiet"
    won, expected = goal["won"]["value"], goal["expected"]["value"]
    if won is None or expected is None:
        return "not known yet", "quiet"
    if won >= goal["goal"]["value"]:
        return "goal reached", "good"
    return ("on pace", "good") if won >= expected else ("behind pace", "warn")


def _systems(systems: dict[str, Any]) -> Table:
    columns = (
        Column("system"),
        Column("account"),
        Column("last read", "time"),
        Column("behind by", "number", "its oldest object"),
        Column("calls today", "number"),
        Column("budget left", "number"),
        Column("state"),
    )
    rows = [
        (
            cell(name),
            cell(one["account_name"] or one["account"] or "not identified yet"),
            cell(one["last_read"], text=None if one["last_read"] else "never"),
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
        Column("conflicts", "number", "values that lost"),
        Column("waiting", "number", "for who they refer to"),
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
            cell(
                "held" if one["held"] else "free",
                f"/plans?mapping={name}" if one["held"] else None,
                "warn" if one["held"] else "",
                "waits to be released" if one["held"] else "flows",
            ),
            cell(one["last_cycle"], text=None if one["last_cycle"] else "never"),
        )
        for name, one in mappings.items()
    ]
    return Table("mappings", "What is kept the same", columns, rows, "No mapping was run yet.")
