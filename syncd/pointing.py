"""References that a system refused: perhaps whom they point to was merged away at that very moment.

Promise: what was refused is never sent again unchanged. As soon as the link of whom it points to leads to another
record, the reference is decided again by itself, once for each record that it leads to, and its issue ends; until then
it waits, and a person is told. Nothing is asked of any system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.core.mapping import Reference, keys_of
from syncd.core.model import Bad, Side, Unmapped, Waits, other
from syncd.core.plan import Change
from syncd.ledger.facts import Fact
from syncd.ledger.inbox import Issue
from syncd.ledger.intents import Intent
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.ledger.waits import Wait
from syncd.run import Bench, Run

REFUSED = "refused"
"""The issue where a system refused an effect."""

MOST_OPEN = 10_000

Still = tuple[Link, str, tuple[Waits, ...]]
"""(link, field, whom it points to): a refused reference that leads where it led."""


def pointed(bench: Bench, changes: Sequence[Change]) -> dict[str, list[str]]:
    """By reference field, the records that a refused effect pointed to on its own side."""
    return {change.field: keys_of(change.after) for change in changes if _reference(bench, change.field) is not None}


def wait(run: Run, bench: Bench, intent: Intent, changes: Sequence[Change]) -> None:
    """Whoever was refused for whom it points to is decided again when the link of that one leads elsewhere."""
    link = run.ledger.links.get(intent.link) if intent.link is not None else None
    at = intent.source if link is None else (link.marketing.object, link.marketing.key)
    if at is None or (link is None and intent.op != "create"):
        return
    side: Side = "marketing" if intent.side == "crm" else "crm"
    rows = [
        Wait(*at, reference.mapping, side, key, 0, intent.op == "create")
        for change in changes
        if (reference := _reference(bench, change.field)) is not None
        for key in keys_of(change.decided)
    ]
    if rows:
        # What a linked record waits for besides stays.
        run.ledger.waits.keep(bench.mapping.name, [] if link is not None else [at], rows)


def lead_elsewhere(
    run: Run, bench: Bench, links: Sequence[Link], facts: Mapping[tuple[int, str], Fact]
) -> tuple[list[Link], list[Still]]:
    """The links, where a refused reference leads to another record by now with a base that lets it be decided again;
    and the refused references that do not. `bench`: bound to what the links refer to."""
    links = list(links)
    if not bench.references or not links or not run.ledger.inbox.issue_count(bench.mapping.name):
        return links, []
    still: list[Still] = []
    by_id = {link.id: link for link in links}
    for issue in run.ledger.inbox.issues(mapping=bench.mapping.name, kind=REFUSED, limit=MOST_OPEN):
        link = by_id.get(int(issue.doc.get("link") or 0))
        if link is None or not issue.doc.get("pointed"):
            continue
        led, waiting = _led(bench, link, issue, facts)
        if led:
            by_id[link.id] = _anew(run, bench, link, issue, led)
        else:
            still += [(link, field, waits) for field, waits in waiting.items()]
    return [by_id[link.id] for link in links], still


def _led(
    bench: Bench, link: Link, issue: Issue, facts: Mapping[tuple[int, str], Fact]
) -> tuple[list[str], dict[str, tuple[Waits, ...]]]:
    """The refused fields that lead to other records by now; and by field that does not, whom it points to."""
    assert issue.object is not None
    target = bench.side(issue.object)
    source = other(target)
    ends = {side: facts.get((link.end(side).object, link.end(side).key)) for side in (source, target)}
    led: list[str] = []
    waiting: dict[str, tuple[Waits, ...]] = {}
    for pair in bench.pairs(link.marketing.object, link.crm.object):
        refused = issue.doc["pointed"].get(pair.field.name)
        own, across = ends[source], ends[target]
        if refused is None or own is None or across is None:
            continue
        said = own.attributes.get(pair.attribute(source))
        now = pair.field.render(target, said, across.attributes.get(pair.attribute(target)))
        if isinstance(now, (Unmapped, Bad, Waits)) or set(keys_of(now)) == set(refused):
            waiting[pair.field.name] = tuple(Waits(source, key) for key in keys_of(said))
        else:
            led.append(pair.field.name)
    return led, waiting


def _anew(run: Run, bench: Bench, link: Link, issue: Issue, fields: Sequence[str]) -> Link:
    assert issue.object is not None
    run.ledger.inbox.close_issues(run.now(), id=issue.id)
    move_again(run, bench, link, bench.side(issue.object), fields)
    said = f"{', '.join(fields)}: leads to another record than the one that was refused; decided again"
    run.note([Note("retried", said, bench.mapping.name, link.id, issue.object, issue.key)])
    return run.ledger.links.get(link.id) or link


def move_again(run: Run, bench: Bench, link: Link, target: Side, fields: Sequence[str]) -> None:
    """Makes the source of these fields look moved again: its base becomes what the target says, in its own words.

    Forgetting the base instead would let the two values *meet*, and there the target could win.
    """
    source = other(target)
    facts = {side: run.ledger.facts.get(link.end(side).object, link.end(side).key) for side in (target, source)}
    said, own = facts[target], facts[source]
    if said is None or own is None:
        return
    base: dict[str, Any] = dict(link.end(source).base)
    for pair in bench.pairs(link.marketing.object, link.crm.object):
        if pair.field.name not in fields or not pair.field.writable(target):
            continue
        now = own.attributes.get(pair.attribute(source))
        agreed = pair.field.render(source, said.attributes.get(pair.attribute(target)), now)
        if isinstance(agreed, (Unmapped, Bad)):
            base.pop(pair.base(source), None)
        else:
            base[pair.base(source)] = None if isinstance(agreed, Waits) else agreed
    run.ledger.links.set_bases([(link.id, source, base, None)])


def _reference(bench: Bench, field: str) -> Reference | None:
    known = bench.fields.get(field)
    return known.reference if known is not None else None
