"""What happens to a link when one of its records stops being itself: converted, merged, gone, restored.

Evidence only: a record is gone because its system said so, never because it was not seen. Nothing is deleted or
brought back here; a link that lost an end is kept, so that its other end is not created anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from syncd.core.merge import Pair
from syncd.core.model import SIDES, Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.run import Bench, Run

Facts = dict[tuple[int, str], Fact]

HOPS = 10
"""A chain of merges longer than this is not followed: somebody's data goes in circles."""

UNSENT = ("planned", "held", "ready")

MERGED_INTO_LINKED = "merged_into_linked"
"""The issue where two links end at one record."""


def follow(run: Run, bench: Bench, links: Sequence[Link], facts: Facts) -> tuple[list[Link], Facts]:
    """Brings links in step with records that are no longer live. Returns the links to be decided, and their facts."""
    calm: list[Link] = []
    for link in links:
        troubled = [side for side in SIDES if _not_live(link, side, facts)]
        if not troubled:
            if link.state == "unlinked":
                _restored(run, bench, link)
                link = msgspec.structs.replace(link, state="live")
            calm.append(link)
            continue
        for side in troubled:
            end = link.end(side)
            fact = facts[end.object, end.key]
            if fact.state in ("merged", "converted"):
                _rekey(run, bench, link, side, fact)
            elif link.state != "unlinked":
                _gone(run, bench, link, side, facts)
    settled = {link.id for link in calm}
    rekeyed = [link.id for link in links if link.id not in settled]
    if rekeyed:
        fresh = run.ledger.links.many(rekeyed)
        for link in fresh:
            for end in (link.marketing, link.crm):
                if (end.object, end.key) not in facts:
                    facts.update(
                        {(end.object, key): f for key, f in run.ledger.facts.many(end.object, [end.key]).items()}
                    )
        calm += fresh
    return calm, facts


def _not_live(link: Link, side: Side, facts: Facts) -> bool:
    end = link.end(side)
    fact = facts.get((end.object, end.key))
    return fact is not None and fact.state != "live"


def _rekey(run: Run, bench: Bench, link: Link, side: Side, fact: Fact) -> None:
    """Points the link at the record that this one lives on as, unless somebody else is linked to it already."""
    target = survivor(run, fact)
    name = bench.mapping.name
    if target is None or target[0] not in bench.forms:
        return
    object_, key = target
    taken = run.ledger.links.of_records(name, object_, [key]).get(key)
    if taken is not None and taken != link.id:
        _meets_another_link(run, bench, link, side, fact, taken)
        return
    run.ledger.intents.drop_unsent(name, [link.id])
    # Where it goes on a partner may have been planned: it has one now.
    creates = run.ledger.intents.of_sources(name, object_, [key])
    run.ledger.intents.close(intent.id for intent in creates if intent.state in UNSENT)
    converted = fact.state == "converted"
    # A merged record's other values are somebody's choice: an edit.
    base = _carried_over(run, bench, link, side, fact, object_, key) if converted else link.end(side).base
    state = "converted" if converted else link.state
    run.ledger.links.rekey(link.id, side, object_, key, base, stamped=False, state=state)
    run.ledger.inbox.close_issues(run.now(), kind="ambiguous", mapping=name, object=object_, keys=[key])
    run.note(
        [Note(fact.state, f"the link follows the {side} record to {bench.form(object_)}", name, link.id, object_, key)]
    )


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


def _meets_another_link(run: Run, bench: Bench, link: Link, side: Side, fact: Fact, taken: int) -> None:
    """Two links lead to one record. If they do on both sides it is one pair, and one link is enough."""
    name = bench.mapping.name
    end = link.end(other(side))
    across = run.ledger.facts.get(end.object, end.key)
    lives_on = survivor(run, across) if across is not None and across.into else (end.object, end.key)
    first = run.ledger.links.get(taken)
    assert first is not None
    if lives_on == (first.end(other(side)).object, first.end(other(side)).key):
        run.ledger.intents.drop_unsent(name, [link.id])
        run.ledger.links.unlink(link.id)
        for each in (link.marketing, link.crm):
            run.ledger.inbox.close_issues(
                run.now(), kind=MERGED_INTO_LINKED, mapping=name, object=each.object, keys=[each.key]
            )
        run.note([Note("unlinked", "merged on both sides: one link is left", name, taken, fact.object, fact.key)])
        return
    run.ledger.inbox.raise_issue(
        MERGED_INTO_LINKED,
        name,
        f"the {side} record was {fact.state} into one that is linked to another {other(side)} record",
        f"Merge the two {other(side)} records, or delete one of them.",
        run.now(),
        object=fact.object,
        key=fact.key,
        doc={"into": list(survivor(run, fact) or ()), "link": taken},
    )


def survivor(run: Run, fact: Fact) -> tuple[int, str] | None:
    """(object, key) of the record that a merged or converted one lives on as, through any chain."""
    target = fact.into
    for _ in range(HOPS):
        if target is None:
            return None
        into = run.ledger.facts.get(*target)
        if into is None or into.state not in ("merged", "converted"):
            return target
        target = into.into
    return None


def _gone(run: Run, bench: Bench, link: Link, side: Side, facts: Facts) -> None:
    """The mapping's `gone` rule; an edit on the other side that nobody has seen over here becomes an issue."""
    name = bench.mapping.name
    rule = bench.mapping.gone[side]
    run.ledger.intents.drop_unsent(name, [link.id])
    if rule == "ignore":
        return
    run.ledger.links.set_state(link.id, "unlinked")
    end, across = link.end(side), link.end(other(side))
    for each in (end, across):
        run.ledger.inbox.close_issues(
            run.now(), kind=MERGED_INTO_LINKED, mapping=name, object=each.object, keys=[each.key]
        )
    run.note(
        [
            Note(
                "gone",
                f"deleted on {side}; the link rests, nothing is deleted or recreated",
                name,
                link.id,
                end.object,
                end.key,
            )
        ]
    )
    fact = facts.get((across.object, across.key))
    moved = fact is not None and any(
        fact.attributes.get(attribute, value) != value
        for name_, value in across.base.items()
        for attribute in [name_.split(":", 1)[1]]
    )
    if moved:
        run.ledger.inbox.raise_issue(
            "deleted_and_edited",
            name,
            f"deleted on {side}, edited on {other(side)}; both are kept as they are",
            "Restore the deleted record, or leave it: nothing more is written to either.",
            run.now(),
            object=across.object,
            key=across.key,
        )


def _restored(run: Run, bench: Bench, link: Link) -> None:
    """Both ends live again: the link goes on where it rested."""
    run.ledger.links.set_state(link.id, "live")
    end = link.marketing
    for each in (link.marketing, link.crm):
        run.ledger.inbox.close_issues(
            run.now(), kind="deleted_and_edited", mapping=bench.mapping.name, object=each.object, keys=[each.key]
        )
    run.note(
        [
            Note(
                "restored",
                "both records are live again; the link goes on",
                bench.mapping.name,
                link.id,
                end.object,
                end.key,
            )
        ]
    )
