"""A one-off re-decision of chosen records: read everything again, decide the chosen ones, send in the lowest lane.

It goes in slices, and keeps its place in the ledger with every slice: Ctrl-C or a kill resumes where it was, and the
daemon runs its cycles between two slices. It keeps its own place in the feeds, so the daemon's is never disturbed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from syncd import disappearance
from syncd.confirm import confirm
from syncd.core.expr import Gate, Language
from syncd.core.fieldmaker import CEL_KINDS
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Side
from syncd.core.problem import Problem
from syncd.decide import decide_records
from syncd.errors import ConfigError
from syncd.holding import guard
from syncd.ledger.books import Backfill
from syncd.matchvalues import keep_match_values
from syncd.run import Bench, Run
from syncd.write import write

SLICE = 1000
"""Records decided, or read pages' records kept, between two looks at the clock."""


class Choice(msgspec.Struct, frozen=True):
    """Which records, and what of them."""

    side: Side | None = None
    since: str | None = None
    """ISO 8601: only records whose own stamp is not older."""
    where: str | None = None
    """CEL over canonical field names."""
    field: str | None = None
    """Only this field's base counts as unknown: both sides meet in it again."""
    dry_run: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How far it came. `total` is None while nobody can know it."""

    phase: str
    done: int
    total: int | None
    sent: int = 0
    held: bool = False
    finished: bool = False


def check(mapping: Compiled, choice: Choice) -> tuple[int, Gate | None]:
    """(least stamp in ms, gate) of a choice. Raises ConfigError naming the option that is wrong."""
    problems = []
    since_ms, gate = 0, None
    if choice.since is not None:
        try:
            moment = datetime.fromisoformat(choice.since)
            since_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except ValueError:
            problems.append(
                Problem("--since", 0, 0, "is not a date or time", "write 2026-11-21 or 2026-11-21T08:00:00Z")
            )
    if choice.field is not None and choice.field not in {field.name for field in mapping.fields}:
        known = ", ".join(sorted(field.name for field in mapping.fields))
        problems.append(Problem("--field", 0, 0, f"{mapping.name} has no field {choice.field}", f"it has {known}"))
    if choice.where is not None:
        language = Language({field.name: CEL_KINDS.get(field.type, "any") for field in mapping.fields})
        expression, flaws = language.compile(choice.where)
        problems += [Problem("--where", flaw.line, flaw.column, flaw.what, flaw.mend) for flaw in flaws]
        if expression is not None:
            gate = Gate(choice.where, "--where", expression.names, expression)
    if problems:
        raise ConfigError(problems)
    return since_ms, gate


def start(run: Run, mapping: Compiled, choice: Choice) -> Backfill:
    """The unfinished backfill of this choice, or a new one."""
    check(mapping, choice)
    books = run.ledger.books
    doc = msgspec.to_builtins(choice)
    known = books.open_backfill(mapping.name, doc)
    if known is not None:
        return known
    place: dict[str, Any] = {"phase": "read", "object": 0, "cursor": None, "key": "", "done": 0, "sent": 0}
    if choice.since or choice.where or choice.field:
        place["phase"] = "decide"  # what the ledger holds is current: only the chosen records are touched
    id_ = books.start_backfill(mapping.name, doc, place, run.now())
    return Backfill(id_, mapping.name, doc, "open", place, run.now())


def steps(run: Run, bench: Bench, backfill: Backfill) -> Iterator[Progress]:
    """Does it, a slice between two yields. Stop iterating whenever you like: the place is kept."""
    choice = msgspec.convert(backfill.doc, Choice)
    place = dict(backfill.place)
    books = run.ledger.books
    while place["phase"] != "done":
        phase = {"read": _read, "decide": _decide, "send": _send}[place["phase"]]
        for reached in phase(run, bench, choice, place):
            place = reached
            books.move_backfill(backfill.id, place)
            total = _total(run, bench, choice)
            held = run.ledger.intents.held(bench.mapping.name) is not None
            yield Progress(place["phase"], place["done"], total, place["sent"], held)
            if run.stop():
                return
    books.end_backfill(backfill.id, run.now())
    held = run.ledger.intents.held(bench.mapping.name) is not None
    yield Progress("done", place["done"], place["done"], place["sent"], held, finished=True)


def _objects(bench: Bench, choice: Choice) -> list[int]:
    return [object_ for side in SIDES if choice.side in (None, side) for object_ in bench.objects(side)]


def _total(run: Run, bench: Bench, choice: Choice) -> int | None:
    known = sum(run.ledger.facts.count(object_) for object_ in _objects(bench, choice))
    return known or None


def _read(run: Run, bench: Bench, choice: Choice, place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Reads every record again, object by object, in the lowest lane."""
    objects = _objects(bench, choice)
    for index in range(place["object"], len(objects)):
        object_ = objects[index]
        side, form = bench.forms[object_]
        system = bench.systems[side]
        attributes = run.attributes(system.name, form)
        cursor = place["cursor"] if index == place["object"] else None
        pages = system.connector.changes(form, attributes, cursor, lambda keys: {})
        while True:
            with system.lane("backfill"):  # not around the yield: others use this thread in between
                page = next(pages, None)
            if page is None:
                break
            with run.ledger.transaction():
                run.ledger.facts.keep(object_, page.records)
                place = {**place, "object": index, "cursor": page.cursor, "done": place["done"] + len(page.records)}
            if page.done:
                break
            yield place
    yield {**place, "phase": "decide", "object": 0, "cursor": None, "key": "", "done": 0}


def _decide(run: Run, bench: Bench, choice: Choice, place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Decides the chosen records; nothing leaves yet."""
    since_ms, gate = check(bench.mapping, choice)
    forget = frozenset({choice.field} if choice.field else ())
    keep_match_values(run, bench)
    disappearance.hold(run, bench)
    objects = _objects(bench, choice)
    for index in range(place["object"], len(objects)):
        object_ = objects[index]
        side, form = bench.forms[object_]
        after = place["key"] if index == place["object"] else ""
        while facts := run.ledger.facts.walk(object_, after, SLICE):
            after = facts[-1].key
            chosen = [
                fact
                for fact in facts
                if fact.stamp_ms >= since_ms
                and (gate is None or gate.holds(bench.mapping.context(side, form, fact.attributes)) is True)
            ]
            place = {**place, "object": index, "key": after, "done": place["done"] + len(facts)}
            with run.ledger.transaction():
                if not choice.dry_run:
                    decide_records(run, bench, object_, chosen, "backfill", forget)
                run.tally(bench.mapping.name).read[side] += len(chosen)
            yield place
        place = {**place, "key": ""}
    yield {**place, "phase": "done" if choice.dry_run else "send"}


def _send(run: Run, bench: Bench, choice: Choice, place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Sends what the guard lets go, a window at a time, so that urgent work slips in between."""
    guard(run, bench, yes=False)
    tally = run.tally(bench.mapping.name)
    while not run.stop():
        before = sum(tally.outcomes.values())
        write(run, bench, lanes=("backfill",), windows=1)
        confirm(run, bench)
        sent = sum(tally.outcomes.values()) - before
        if not sent:
            break
        place = {**place, "sent": place["sent"] + sent}
        yield place
    yield {**place, "phase": "done"}
