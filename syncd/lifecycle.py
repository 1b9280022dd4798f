"""What happens to a link when one of its records stops being itself: converted, merged, gone, restored.

Evidence only: a record is gone because its system said so, never because it was not seen. Nothing is deleted or
brought back here; a link that lost an end is kept, so that its other end is not created anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncd.core.model import SIDES, Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.run import Bench, Run

Facts = dict[tuple[int, str], Fact]

HOPS = 10
"""A chain of merges longer than this is not followed: somebody's data goes in circles."""


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
        run.ledger.inbox.raise_issue(
            "merged_into_linked",
            name,
            f"the {side} record was {fact.state} into one that is linked to another {other(side)} record",
            f"Merge the two {other(side)} records, or unlink one of them.",
            run.now(),
            object=fact.object,
            key=fact.key,
            doc={"into": [object_, key], "link": taken},
        )
        return
    run.ledger.intents.drop_unsent(name, [link.id])
    # A conversion carries over what its system's settings say, and leaves the rest blank: that is no edit, so the new
    # form's base is unknown, and both sides meet. A merged record's other values are somebody's choice: an edit.
    converted = fact.state == "converted"
    base = {} if converted else link.end(side).base
    state = "converted" if converted else link.state
    run.ledger.links.rekey(link.id, side, object_, key, base, stamped=False, state=state)
    run.note(
        [Note(fact.state, f"the link follows the {side} record to {bench.form(object_)}", name, link.id, object_, key)]
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
    run.ledger.inbox.close_issues(run.now(), kind="deleted_and_edited", mapping=bench.mapping.name)
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
