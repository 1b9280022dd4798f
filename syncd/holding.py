"""Holding and releasing plans: the guard's counters gathered, its verdict kept, and a person's approval.

Promise: a plan that is held is sent by nobody until it is released, and what is released is exactly what stood there.
The limits themselves are arithmetic (`core.guard`); a plan's counters are read in the ledger, whatever its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256

import msgspec

from syncd import safemode
from syncd.core.guard import Counters, FieldCount, reasons
from syncd.ledger import Ledger
from syncd.ledger.intents import Intent, Intents
from syncd.ledger.journal import Note
from syncd.run import Bench, Run

DAY_S = 86_400.0
UNSENT = ("planned", "held")
KINDS = {"create": "creates", "update": "updates", "archive": "deletes"}
"""What guards call the effects of each op."""


def guard(run: Run, bench: Bench, *, yes: bool) -> None:
    """Opens the plan, or holds all of it with reasons. `yes`: a person has agreed beforehand (not to a safe mode)."""
    why = held_because(run, bench)
    name = bench.mapping.name
    if why is None:
        run.ledger.books.set_opened(name, bench.mapping.digest, only_if_changed=True)
        if run.ledger.intents.held(name) is not None:
            _end_hold(run, name)
    elif why and (not yes or run.ledger.epoch.safe(name)):
        hold(run, name, why)
    else:
        release(run, name)


def held_because(run: Run, bench: Bench) -> list[str] | None:
    """Why the guard would hold what is planned; empty: it would open. None: nothing is planned.

    In safe mode there is always something to look at, if only that nothing would be written."""
    name, books = bench.mapping.name, run.ledger.books
    safe = [why] if (why := run.ledger.epoch.safe(name)) else []
    version = books.mapping(name)
    first = version is None or version.approved_at is None
    planned = _planned(run.ledger, name, bench.told if not first else frozenset())
    if not run.ledger.intents.total(UNSENT, name):
        return safe or None
    today = books.effects_since(name, run.now() - DAY_S)
    counters = Counters(
        planned,
        today,
        cache(lambda: run.ledger.links.count(name)),
        first=first,
        fields=_fields(run, bench, today) if planned["updates"] else (),
        identity=frozenset(field for rule in bench.mapping.match for field in rule.fields),
        edited=books.opened(name) not in (None, bench.mapping.digest),
        moved=run.tally(name).moved,
    )
    return [*safe, *reasons(counters, run.limits)]


def _planned(ledger: Ledger, name: str, told: frozenset[str]) -> dict[str, int]:
    """Without what the funnel tells: it overwrites nobody's word, and many turn at once when an agreement is new."""
    planned = {"creates": 0, "updates": 0, "deletes": 0, "clears": ledger.intents.clears(name, UNSENT, told)}
    for _, op, _, count in ledger.intents.counts(name, UNSENT):
        planned[KINDS[op]] += count
    if told and planned["updates"]:
        planned["updates"] -= ledger.intents.only_of(name, UNSENT, told)
    return planned


def _fields(run: Run, bench: Bench, today: dict[str, int]) -> list[FieldCount]:
    return [
        FieldCount(
            *(side, field, updates, before := today.get(f"{side}.{field}", 0), same),
            same_today=_same_today(run, bench, side, field, updates + before) - same if same else 0,
        )
        for side, field, updates, same in run.ledger.intents.by_field(bench.mapping.name, UNSENT)
        if field not in bench.told
    ]


def _same_today(run: Run, bench: Bench, side: str, field: str, updates: int) -> int:
    """The most records that get one value of the plan within 24 hours, the plan included. The journal knows; it is asked
    only where the field was updated so often that the answer could matter."""
    limit = run.limits.get("same_value")
    if limit is None or updates <= limit.per_day:
        return 0
    ledger, name = run.ledger, bench.mapping.name
    values = ledger.intents.values_of(name, UNSENT, side, field)
    since = ledger.journal.before(run.now() - DAY_S)
    return ledger.journal.most_given(
        since, name, [object_ for object_, (of, _) in bench.forms.items() if of == side], field, values
    )


# ---------------------------------------------------------------- holding and releasing


def hold(run: Run, name: str, why: list[str]) -> None:
    """Keeps the plan back, as an issue."""
    intents = run.ledger.intents
    remedy = f"Look at it: `syncd plan {name}`. Release it: `syncd approve {name}`."
    with run.ledger.transaction():
        intents.move_all(name, "planned", "held")
        intents.hold(name, plan_digest(intents, name), why, run.now())
        run.ledger.inbox.raise_issue("held_plan", name, "; ".join(why), remedy, run.now())
    run.tally(name).held = True


def release(run: Run, mapping: str) -> int:
    """Lets a plan go, exactly as it stands; returns how many effects."""
    with run.ledger.transaction():
        moved = run.ledger.intents.move_all(mapping, "planned", "ready")
        moved += run.ledger.intents.move_all(mapping, "held", "ready")
        version = run.ledger.books.mapping(mapping)
        run.ledger.books.approve_mapping(mapping, run.now())
        run.ledger.books.set_opened(mapping, version.digest if version else "")
        safemode.leave(run.ledger, mapping, run.now())
        _end_hold(run, mapping)
        run.note([Note("released", f"{moved} effects may be sent", mapping)])
    return moved


def _end_hold(run: Run, mapping: str) -> None:
    run.ledger.intents.release(mapping)
    run.ledger.inbox.close_issues(run.now(), kind="held_plan", mapping=mapping)


# ---------------------------------------------------------------- a plan's rows


def plan_rows(intents: Intents, mapping: str, states: Sequence[str] = ("ready", *UNSENT)) -> Iterator[Intent]:
    """The effects of a mapping in these states, in order, streamed."""
    for state in states:
        after = 0
        while batch := intents.batch(mapping, state, after, 1000):
            after = batch[-1].id
            yield from batch


def plan_digest(intents: Intents, mapping: str, states: Sequence[str] = ("ready", *UNSENT)) -> str:
    """Names a plan by what it would write, so that nobody approves another one than was shown."""
    digest = sha256()
    for intent in plan_rows(intents, mapping, states):
        shown = (
            intent.side,
            intent.object,
            intent.key,
            intent.source,
            intent.op,
            intent.body.changes,
            intent.body.along,
        )
        digest.update(msgspec.json.encode(shown))
    return digest.hexdigest()
