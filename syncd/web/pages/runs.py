"""Runs and plans: what was done, and what would be written next, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from syncd.holding import plan_digest
from syncd.ledger.books import RunRow
from syncd.ledger.journal import Entry
from syncd.view import plan as planned
from syncd.view.moment import iso
from syncd.view.records import entry
from syncd.web import phrases, words
from syncd.web.page import LIMIT, MOST, Asked, NotFound, View
from syncd.web.table import Cell, Column, Table, cell


def page(asked: Asked) -> View:
    """What was done, newest first. Filter: before (a run's number)."""
    limit, before = asked.limit(), asked.count("before")
    found = [] if asked.whole else asked.ledger.books.runs(before, limit + 1)
    shown = found[:limit]
    columns = (
        *(Column("run", "number"), Column("began", "time"), Column("took", "number"), Column("command")),
        *(Column("moved", "number"), Column("written", "number"), Column("calls", "number"), Column("outcome")),
    )
    empty = "Nothing was run yet: `syncd once`, or `syncd run`."
    every = asked.all(map(_row, _listed(asked, before)))
    table = Table("runs", "Runs", columns, [_row(one) for one in shown], empty, every=every)
    older = shown[-1].id if len(found) > limit else None
    return View("runs.html", "Runs", {"older": older}, (table,))


def _listed(asked: Asked, before: int | None) -> Iterator[RunRow]:
    """All of them, newest first, a page of the ledger at a time."""
    while found := asked.ledger.books.runs(before, LIMIT):
        yield from found
        before = found[-1].id


def _row(one: RunRow) -> tuple[Cell, ...]:
    tallies = one.report.get("mappings", {}).values()
    written = sum(n for tally in tallies for ops in tally.get("writes", {}).values() for n in ops.values())
    took = None if one.ended_at is None else one.ended_at - one.started_at
    return (
        cell(one.id, f"/runs/{one.id}"),
        cell(iso(one.started_at)),
        cell(took, text="" if took is None else words.duration(took) if took >= 10 else f"{took:.1f} s"),
        cell(one.command, text=phrases.COMMANDS.get(one.command, one.command)),
        cell(sum(tally.get("moved", 0) for tally in tallies)),
        cell(written),
        cell(sum(one.report.get("calls", {}).values())),
        _outcome(one),
    )


def _outcome(one: RunRow) -> Cell:
    if one.ended_at is None:
        return cell("goes on, or was cut off", tone="warn")
    trouble = one.report.get("trouble", {})
    if trouble:
        return cell(f"trouble with {', '.join(trouble)}", tone="bad")
    return cell("done", tone="good") if one.ok else cell("needs a person", tone="warn")


def one(asked: Asked) -> View:
    """One run: what it told of each mapping, and what it wrote into the journal."""
    number = int(asked.path["id"])
    found = asked.ledger.books.runs(number + 1, 1)
    if not found or found[0].id != number:
        raise NotFound(f"There is no run {number}: runs of the timer that found nothing to do are not kept.")
    run = found[0]
    limit = asked.limit()
    rows = (_entry(asked, line) for line in _written(asked, number))
    first = [] if asked.whole else list(islice(rows, limit + 1))
    shown, more = first[:limit], len(first) > limit
    columns = (Column("at", "time"), Column("what"), Column("mapping"), Column("record"), Column("said"))
    empty = "It wrote nothing into the journal."
    journal = Table("journal", "What it decided and did", columns, shown, empty, every=asked.all(rows))
    next_ = min(limit * 2, MOST) if more and limit < MOST else None
    facts = {
        "run": run,
        "more": more,
        "shown": limit,
        "next": next_,
        "began": iso(run.started_at),
        "ended": iso(run.ended_at),
        "outcome": _outcome(run),
    }
    return View("run.html", f"Run {number}", facts, (_tallies(run.report), journal))


def _written(asked: Asked, run: int) -> Iterator[Entry]:
    """All that a run wrote into the journal, oldest first, a page of the ledger at a time."""
    after = 0
    while found := asked.ledger.journal.of_run(run, LIMIT + 1, after):
        yield from found
        after = found[-1].seq


def _entry(asked: Asked, written: Entry) -> tuple[Cell, ...]:
    line = entry(asked.ledger, written)
    return (
        cell(line["at"]),
        cell(line["kind"], text=phrases.done(line["kind"])),
        cell(line["mapping"] or ""),
        asked.names.cell(line["record"]),
        cell(line["said"], text=phrases.sides(line["said"])),
    )


def _tallies(report: dict[str, Any]) -> Table:
    columns = (
        *(Column("mapping"), Column("read", "number"), Column("moved", "number"), Column("created", "number")),
        *(Column("updated", "number"), Column("deleted", "number"), Column("refused", "number"), Column("state")),
    )
    rows = []
    for name, tally in report.get("mappings", {}).items():
        writes = tally.get("writes", {})
        counts = [sum(ops.get(op, 0) for ops in writes.values()) for op in ("create", "update", "archive")]
        state = tally.get("skipped") or ("held" if tally.get("held") else "")
        rows.append(
            (
                cell(name),
                cell(sum(tally.get("read", {}).values())),
                cell(tally.get("moved", 0)),
                *map(cell, counts),
                cell(tally.get("outcomes", {}).get("refused", 0)),
                cell(state, tone="warn" if state else ""),
            )
        )
    return Table("mappings", "By mapping", columns, rows, "It looked at no mapping.")


def plans(asked: Asked) -> View:
    """What would be written next. Filter: mapping."""
    only = asked.filter("mapping")
    names = [name for name in sorted(asked.files.mappings.by_name) if only in (None, name)]
    ledger, limit = asked.ledger, asked.limit()
    deletes = planned.deletes(ledger, names)
    shown = []
    for name in names:
        count = planned.count(ledger, [name])
        if not count and not ledger.intents.held(name):
            continue
        waiting = deletes.get(name, 0)
        shown.append(
            {
                "name": name,
                "count": count,
                "held": planned.held(ledger, [name]),
                "digest": hold[0] if (hold := ledger.intents.held(name)) else "",
                "deletes": waiting,
                "deletes_digest": plan_digest(ledger.intents, name, ("asked",)) if waiting else "",
            }
        )
    effects = planned.effects(ledger, names)
    rows = (row for effect in (effects if asked.whole else islice(effects, limit)) for row in _effect(asked, effect))
    columns = (
        *(Column("mapping"), Column("record"), Column("act"), Column("field")),
        *(Column("before"), Column("after"), Column("why"), Column("state")),
    )
    total = planned.count(ledger, names)
    empty = "Nothing to write: both sides agree, or what differs stands for a reason."
    more = total if total > limit else None
    shown_rows = [] if asked.whole else list(rows)
    table = Table("plan", "What would be written", columns, shown_rows, empty, more, every=asked.all(rows))
    facts = {"plans": shown, "names": sorted(asked.files.mappings.by_name), "mapping": only or ""}
    return View("plans.html", "Plans", facts, (table,))


def _effect(asked: Asked, effect: dict[str, Any]) -> list[tuple[Cell, ...]]:
    source = effect.get("source")
    place = {"system": effect["system"], "object": effect["object"], "key": effect["key"]}
    if effect["key"] is None and source is not None:
        named = asked.names.cell(source)
        text = f"new {place['object']}: {named.text or source['key']}"
        record = cell(
            f"new {place['object']} from {source['object']} {source['key']}", named.link, text=text, below=named.below
        )
    else:
        record = asked.names.cell(place)
    fields = effect["fields"] or {"": {"before": None, "after": None, "why": ""}}
    of = (cell(effect["mapping"]), record, cell(effect["op"]))
    said_once = tuple(one._replace(text="", below="") for one in of)  # a CSV says it in each row
    return [
        (
            *(said_once if at else of),
            cell(name, text=words.spoken(name)),
            cell(words.shown(change["before"])),
            cell(words.shown(change["after"])),
            cell(change["why"], text=phrases.sides(change["why"])),
            cell(
                effect["state"],
                tone="warn" if effect["state"] in ("held", "asked") else "",
                text=phrases.EFFECTS.get(effect["state"], effect["state"]),
            ),
        )
        for at, (name, change) in enumerate(fields.items())
    ]
