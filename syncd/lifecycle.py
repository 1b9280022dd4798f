"""What happens to a link when one of its records stops being itself: converted, merged, gone, restored.

Evidence only: a record is gone because its system said so, never because it was not seen. Nothing is deleted or
brought back here; a link that lost an end is kept, so that its other end is not created anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from syncd import gone, merged
from syncd.core.merge import Pair
from syncd.core.model import SIDES, Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.journal import Note
from syncd.ledger.links import RESTING, Link
from syncd.merged import survivor
from syncd.run import Bench, Run

Facts = dict[tuple[int, str], Fact]

UNSENT = ("planned", "held", "ready")

MOVED_ON = ("merged", "converted")
"""States of a record that lives on as another one."""


def follow(run: Run, bench: Bench, links: Sequence[Link], facts: Facts) -> tuple[list[Link], Facts]:
    """Brings links in step with records that are no longer live. Returns the links to be decided, and their facts."""
    calm: list[Link] = []
    for link in links:
        troubled = {side: fact for side in SIDES if (fact := _not_live(link, side, facts)) is not None}
        if not troubled:
            if link.state in RESTING:
                gone.back(run, bench, link)
                link = msgspec.structs.replace(link, state="live")
            calm.append(link)
            continue
        _move(run, bench, link, {side: fact for side, fact in troubled.items() if fact.state in MOVED_ON})
        for side in gone.gone_sides(link, facts):
            act = gone.propose if link.state in RESTING else gone.lost
            act(run, bench, link, side, facts)
    settled = {link.id for link in calm}
    rekeyed = [link.id for link in links if link.id not in settled]
    if rekeyed:
        fresh = [link for link in run.ledger.links.many(rekeyed) if link.state not in RESTING]
        for link in fresh:
            for end in (link.marketing, link.crm):
                if (end.object, end.key) not in facts:
                    facts.update(
                        {(end.object, key): f for key, f in run.ledger.facts.many(end.object, [end.key]).items()}
                    )
        calm += fresh
    held = merged.held_links(run, bench)
    return [link for link in calm if link.id not in held], facts


def _not_live(link: Link, side: Side, facts: Facts) -> Fact | None:
    end = link.end(side)
    fact = facts.get((end.object, end.key))
    return fact if fact is not None and fact.state != "live" else None


def _move(run: Run, bench: Bench, link: Link, moved: dict[Side, Fact]) -> None:
    """Points the link at the records that its own live on as, unless another link ends there already."""
    meets: list[Link] = []
    for side, fact in moved.items():
        target = survivor(run, fact)
        if target is None or target[0] not in bench.forms:
            continue
        taken = run.ledger.links.of_records(bench.mapping.name, target[0], [target[1]]).get(target[1])
        there = None if taken in (None, link.id) else run.ledger.links.get(taken or 0)
        if there is not None and (there.state not in RESTING or link.state in RESTING):
            meets.append(there)
            continue
        if there is not None and _is_gone(run, target):
            _rest(run, bench, link, side, target)
            continue
        if there is not None:
            # It rests since its other end is gone; this one is alive.
            run.ledger.links.unlink(there.id)
        if fact.state == "converted" and run.ledger.facts.get(*target) is None:
            # What was carried over is known once the new form is read; until then nothing flows.
            run.ledger.books.decide_again(bench.mapping.name, [(fact.object, fact.key)])
            continue
        _rekey(run, bench, link, side, fact, target)
    if not meets:
        return
    now = run.ledger.links.get(link.id) or link
    same = [there for there in meets if merged.pair_of(run, there) == merged.pair_of(run, now)]
    if same:
        merged.join(run, bench, now, same[0])
    elif link.state not in RESTING:
        merged.review(run, bench, [link.id, *(there.id for there in meets)])


def _is_gone(run: Run, at: tuple[int, str]) -> bool:
    fact = run.ledger.facts.get(*at)
    return fact is not None and fact.state == "gone"


def _rest(run: Run, bench: Bench, link: Link, side: Side, target: tuple[int, str]) -> None:
    """What its record was merged into is deleted, and another link rests there: both rest, or whom the other one led to
    would be made anew."""
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id])
    run.ledger.links.set_state(link.id, "unlinked")
    merged.review(run, bench, [link.id])
    said = f"deleted on {side} after a merge; the link rests, nothing is deleted or recreated"
    run.note([Note("gone", said, name, link.id, *target)])


def _rekey(run: Run, bench: Bench, link: Link, side: Side, fact: Fact, target: tuple[int, str]) -> None:
    """The link goes on with the record that this one became."""
    object_, key = target
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id])
    # Where it goes on a partner may have been planned: it has one now.
    creates = run.ledger.intents.of_sources(name, object_, [key])
    run.ledger.intents.close(intent.id for intent in creates if intent.state in UNSENT)
    converted = fact.state == "converted"
    # A merged record's other values are somebody's choice: an edit.
    base = _carried_over(run, bench, link, side, fact, object_, key) if converted else link.end(side).base
    state = "converted" if converted else link.state
    run.ledger.links.rekey(link.id, side, object_, key, base, stamped=False, state=state)
    merged.review(run, bench, [link.id])
    run.ledger.inbox.close_issues(run.now(), kind="ambiguous", mapping=name, object=object_, keys=[key])
    said = f"the link follows the {side} record to {bench.form(object_)}"
    run.note([Note(fact.state, said, name, link.id, at[0], at[1]) for at in ((fact.object, fact.key), target)])


def _carried_over(
    run: Run, bench: Bench, link: Link, side: Side, before: Fact, object_: int, key: str
) -> dict[str, Any]:
    """The base of a converted record's new form: what was carried over has the base that it had.

    A conversion carries over what its system's settings say, and leaves the rest blank: that is no edit, so of the
    rest the base is unknown, and both sides meet there.
    """
    made = run.ledger.facts.get(object_, key)
    if made is None:
        return {}
    old, base = link.end(side).base, {}
    across = link.end(other(side)).object
    was = {pair.field.name: pair for pair in _pairs(bench, side, before.object, across)}
    for pair in _pairs(bench, side, object_, across):
        earlier = was.get(pair.field.name)
        if earlier is None or earlier.base(side) not in old:
            continue
        canonical, base_value = pair.field.canonical, old[earlier.base(side)]
        now = canonical(side, made.attributes.get(pair.attribute(side)))
        last = canonical(side, before.attributes.get(earlier.attribute(side), base_value))
        if now in (last, canonical(side, base_value)):
            base[pair.base(side)] = base_value
    return base


def _pairs(bench: Bench, side: Side, object_: int, across: int) -> tuple[Pair, ...]:
    return bench.pairs(object_, across) if side == "marketing" else bench.pairs(across, object_)
