"""Whose partner was made once, and is gone: it is not made again, whatever the ledger remembers.

A link that lost an end rests, so nobody is created anew for it. A ledger that was lost, or is older than what was
written, does not know of that link; the keys on the records do. No call leaves from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncd.core.model import other
from syncd.ledger.facts import Fact
from syncd.matchvalues import KEY_RULE, own_values
from syncd.run import Bench, Run

KIND = "partner_gone"
"""The kind of its issue."""


def without_gone_partners(
    run: Run, bench: Bench, object_: int, facts: Sequence[Fact], wanted: Callable[[Fact], bool]
) -> list[Fact]:
    """These records but for those whose partner is known to have been there: who was deleted stays deleted. Whoever is
    held back, and `wanted`, is an issue."""
    held = _carried_by_the_gone(run, bench, object_, facts) | _naming_the_gone(run, bench, object_, facts)
    name, across = bench.mapping.name, bench.mapping.end(other(bench.side(object_))).system
    for fact in facts:
        if fact.key in held and wanted(fact):
            run.ledger.inbox.raise_issue(
                KIND,
                name,
                f"its partner in {across} was deleted, or is not shown to us; no second one is made",
                "Restore it there, or create a partner by hand: they are linked.",
                run.now(),
                object=object_,
                key=fact.key,
            )
    return [fact for fact in facts if fact.key not in held]


def _carried_by_the_gone(run: Run, bench: Bench, object_: int, facts: Sequence[Fact]) -> set[str]:
    """Those for whom a record that is gone now carried our key."""
    ours = {values[0]: key for key, values in own_values(bench, object_, facts).items()}
    objects = bench.objects(other(bench.side(object_)))
    carriers = run.ledger.links.candidates(bench.mapping.name, KEY_RULE, objects, list(ours))
    return {ours[one.value] for one in carriers if one.state == "gone"}


def _naming_the_gone(run: Run, bench: Bench, object_: int, facts: Sequence[Fact]) -> set[str]:
    """Those that carry our key for a record of the other side that is not there: they were made from it."""
    attribute = bench.key_attribute(object_)
    named = {fact.key: str(value) for fact in facts if attribute and (value := fact.attributes.get(attribute))}
    if not named:
        return set()
    found: set[str] = set()
    side = other(bench.side(object_))
    for across in bench.objects(side):
        begins = bench.key_of(side, across, "")
        made_from = {key: value.removeprefix(begins) for key, value in named.items() if value.startswith(begins)}
        known = run.ledger.facts.many(across, sorted(set(made_from.values())))
        found |= {key for key, at in made_from.items() if at not in known or known[at].state == "gone"}
    return found
