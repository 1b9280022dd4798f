"""Who an unlinked record is on the other side: matched by syncd's key, then by the mapping's rules, or created.

Match values are kept beside the facts, so that the unlinked find each other set-wise. Nobody is guessed: what matches
several waits for a person, and is looked at again as soon as one of those who share the value moves. No call leaves
from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from syncd import safemode
from syncd.core import plan
from syncd.core.expr import Gate
from syncd.core.match import Held, pick
from syncd.core.model import Side, other
from syncd.core.plan import End, Planned
from syncd.doubts import ask, end_doubts, passed_over
from syncd.ledger.facts import Fact
from syncd.ledger.intents import Body, Dropped
from syncd.ledger.journal import Note
from syncd.ledger.links import LinkSide, NewLink
from syncd.matchvalues import (
    KEY_RULE,
    PROPOSED,
    Found,
    Place,
    candidates,
    own_values,
    proposed,
    through_partners,
    together,
    values_across,
    values_by,
    wanted,
)
from syncd.merged import survivor
from syncd.references import end_lacking, held_back, of_records
from syncd.remains import without_gone_partners
from syncd.run import Bench, Run

AT_SYSTEM = ("sent", "answered")

Values = Mapping[str, Sequence[str]]
"""Match values by record key."""


def find_partners(run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str) -> list[int]:
    """Links, plans to create, or asks a person, for live records without a partner. Returns the links that were made:
    they are to be decided."""
    if not facts:
        return []
    side, form = bench.forms[object_]
    mapping = bench.mapping
    outside = {f.key for f in facts if not plan.holds(mapping, mapping.scope, side, side, form, f.attributes)}
    # Held, and released after they left the scope: nobody is made in the image of somebody whom no mapping speaks of.
    if outside:
        drop_creates(run, bench, object_, sorted(outside))
    facts = [fact for fact in facts if fact.key not in outside]
    making = set(run.ledger.intents.sent_sources(mapping.name))
    facts = _without_open_creates(run, bench, object_, facts, making)
    left = {fact.key: fact for fact in facts}
    clear = set(left)
    found_links: list[NewLink] = []
    taken: set[Place] = set()
    for named, values, across_values, found in _rounds(run, bench, object_, left):
        for key, held in values.items():
            own = together(found, side, held, taken)
            across = together(found, other(side), across_values[key], taken)
            choice = pick(own, across, (object_, key))
            if choice.kind == "none":
                continue
            fact = left.pop(key)
            if choice.partner is not None and (choice.partner.object, choice.partner.key) in making:
                # Perhaps this very record is what is being made for that one: known once the answer is.
                run.ledger.books.decide_again(mapping.name, [(object_, key)])
            elif choice.kind == "one" and choice.partner is not None:
                found_links.append(_new_link(bench, fact, choice.partner, named))
                # Taken from here on: nobody else of this batch may have them.
                taken |= {(object_, key), (choice.partner.object, choice.partner.key)}
            elif choice.kind != "shadow" and not passed_over(run, bench, (object_, key), choice.partner):
                clear -= {ask(run, bench, fact, named, choice.kind, own, across)}
    end_doubts(run, bench, object_, clear)
    _create(run, bench, object_, _not_forgotten(run, bench, object_, list(left.values())), lane)
    return _link(run, bench, found_links)


def _rounds(run: Run, bench: Bench, object_: int, left: dict[str, Fact]) -> Iterator[tuple[str, Values, Values, Found]]:
    """What those who are left are recognised by, one way after the other: (its name, their values, the values that their
    partners would have, who holds them). syncd's key first, then what a conversion or a child speaks for, then the
    mapping's rules."""
    values: Values = own_values(bench, object_, left.values())
    yield KEY_RULE, values, values, candidates(run, bench, None, wanted(values))
    values, found, unread = proposed(run, bench, object_, left)
    for key in unread:
        # Its partner is there, and was not read yet: nobody else is made or taken for it meanwhile.
        del left[key]
        run.ledger.books.decide_again(bench.mapping.name, [(object_, key)])
    yield PROPOSED, values, values, found
    for rule in bench.mapping.match:
        values = values_by(bench, object_, left, rule)
        across = values_across(run, bench, object_, left, rule, values)
        held = candidates(run, bench, rule, wanted(values, across)) if values else {}
        if values and not rule.refers(bench.fields) and any(bench.fields[name].also for name in rule.fields):
            values, held = through_partners(run, bench, object_, rule, values, held)
            across = values
        yield rule.name, values, across, held


def drop_creates(run: Run, bench: Bench, object_: int, keys: Sequence[str]) -> None:
    """Nobody is made any more in the image of records that are gone, merged, converted, or out of the scope."""
    creates = run.ledger.intents.of_sources(bench.mapping.name, object_, keys)
    run.ledger.intents.close(intent.id for intent in creates if intent.state in ("planned", "held", "ready"))
    end_doubts(run, bench, object_, keys)
    end_lacking(run, bench, object_, keys)


def _new_link(bench: Bench, fact: Fact, partner: Held, named: str) -> NewLink:
    ends = (
        LinkSide(bench.side(fact.object), fact.object, fact.key, {}, False),
        LinkSide(bench.side(partner.object), partner.object, partner.key, {}, False),
    )
    return NewLink(named if named in (KEY_RULE, PROPOSED) else f"same {named}", ends)


def _link(run: Run, bench: Bench, rows: Sequence[NewLink]) -> list[int]:
    """Makes the links and ends what waited for them; returns their ids."""
    if not rows:
        return []
    name = bench.mapping.name
    by_object: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        for end in row.ends:
            by_object[end.object].append(end.key)
    for object_, keys in by_object.items():
        run.ledger.links.forget_resting(name, object_, keys)
    run.ledger.proposals.end(name, [(end.object, end.key) for row in rows for end in row.ends])
    _doubt_the_ledger(run, bench, rows)
    ids = run.ledger.links.make(name, rows, run.now())
    issues = run.ledger.inbox.issue_count(name)
    for object_, keys in by_object.items():
        if issues:
            run.ledger.inbox.close_issues(run.now(), mapping=name, object=object_, keys=keys)
        creates = run.ledger.intents.of_sources(name, object_, keys)
        run.ledger.intents.close(intent.id for intent in creates if intent.state in ("planned", "held", "ready"))
    run.note(
        [
            Note("link", f"linked: {row.how}", name, link, row.ends[0].object, row.ends[0].key)
            for link, row in zip(ids, rows, strict=True)
        ]
    )
    return ids


def _doubt_the_ledger(run: Run, bench: Bench, rows: Sequence[NewLink]) -> None:
    """A record that carries our key was written by us. If this ledger never heard of it, it has forgotten more."""
    name = bench.mapping.name
    version = run.ledger.books.mapping(name)
    if version is None or version.approved_at is None or run.ledger.epoch.safe(name):
        return
    forgotten = sum(
        any(_carries_key(run, bench, end, across) for end, across in (row.ends, row.ends[::-1]))
        and not any(run.ledger.journal.page(object=end.object, key=end.key, limit=1) for end in row.ends)
        for row in rows
    )
    if forgotten:
        why = f"{forgotten} records carry a key of ours that this ledger never gave: it is older than what was written"
        safemode.enter(run.ledger, [name], why, run.now(), replan=False)


def _carries_key(run: Run, bench: Bench, end: LinkSide, across: LinkSide) -> bool:
    attribute, fact = bench.key_attribute(end.object), run.ledger.facts.get(end.object, end.key)
    key = bench.key_of(bench.side(across.object), across.object, across.key)
    return attribute is not None and fact is not None and fact.attributes.get(attribute) == key


def _not_forgotten(run: Run, bench: Bench, object_: int, facts: list[Fact]) -> list[Fact]:
    """Without those who have a match value of a person that was erased: nobody brings them back but a person."""
    if not run.ledger.erasure.any_value:
        return facts
    name, known = bench.mapping.name, run.ledger.erasure.knows_value
    by_key = {fact.key: fact for fact in facts}
    held = {
        key
        for rule in bench.mapping.match
        for key, values in values_by(bench, object_, by_key, rule).items()
        if any(known(name, rule.name, value) for value in values)
    }
    for key in sorted(held):
        run.ledger.inbox.raise_issue(
            "forgotten",
            name,
            "somebody who was erased on purpose is here again; no partner is created",
            "Erase this record too (`syncd forget SYSTEM OBJECT KEY`), or create its partner by hand: they are linked.",
            run.now(),
            object=object_,
            key=key,
        )
    return [fact for fact in facts if fact.key not in held]


def _create(run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str) -> None:
    """Plans partners for records that match nobody, where the mapping's gate is true of them."""
    side, form = bench.forms[object_]
    to = other(side)
    mapping = bench.mapping
    gate = mapping.create[to]
    if gate is None or not facts:
        return
    if bench.references:
        looked = {fact.key for fact in facts}
        facts = [fact for fact in facts if _holds(bench, gate, side, form, fact)]
        end_lacking(run, bench, object_, looked - {fact.key for fact in facts})
        bench = of_records(run, bench, object_, facts)
        mapping = bench.mapping
        held = held_back(run, bench, facts, to)
        facts = [fact for fact in facts if fact.key not in held]
    facts = without_gone_partners(run, bench, object_, facts, lambda fact: _holds(bench, gate, side, form, fact))
    target_form = mapping.end(to).forms[0]
    target = run.ledger.facts.object_id(mapping.end(to).system, target_form)
    rows, notes = [], []
    for fact in facts:
        if not _holds(bench, gate, side, form, fact):
            continue
        source = End(object_, form, fact.key, fact.stamp_ms, fact.attributes, {}, False)
        hand_off = "urgent" if to == "crm" and lane == "normal" else lane
        effect = plan.create(mapping, to, target_form, target, source, form, bench.key_of, hand_off)
        rows.append(row_of(bench, None, effect, rev=fact.rev))
        notes.append(told(bench, None, effect))
    run.ledger.intents.plan(rows, run.now())
    run.note(notes)


def _without_open_creates(
    run: Run, bench: Bench, object_: int, facts: Sequence[Fact], making: set[tuple[int, str]]
) -> list[Fact]:
    """Those for which nothing is planned or on its way. `making`: sources of creates that were not answered."""
    intents = run.ledger.intents.of_sources(bench.mapping.name, object_, [fact.key for fact in facts])
    revisions = {fact.key: fact.rev for fact in facts}
    busy = _made_under_another_key(run, object_, making) & revisions.keys()
    run.ledger.books.decide_again(bench.mapping.name, [(object_, key) for key in sorted(busy)])
    side, form = bench.forms[object_]
    gate = bench.mapping.create[other(side)]
    by_key = {fact.key: fact for fact in facts}
    stale: list[int] = []
    for intent in intents:
        assert intent.source is not None
        key = intent.source[1]
        if intent.state in AT_SYSTEM:
            busy.add(key)
            run.ledger.books.decide_again(bench.mapping.name, [(object_, key)])
        elif intent.rev is not None and revisions[key] <= intent.rev and (intent.attempt or not intent.body.waits):
            busy.add(key)
        elif intent.attempt and gate is not None and _holds(bench, gate, side, form, by_key[key]):
            # It left once, and may have arrived: what leaves again under the same key is the same. Edits follow it.
            busy.add(key)
            run.ledger.books.decide_again(bench.mapping.name, [(object_, key)])
        else:
            stale.append(intent.id)
    run.ledger.intents.close(stale)
    return [fact for fact in facts if fact.key not in busy]


def _holds(bench: Bench, gate: Gate, side: Side, form: str, fact: Fact) -> bool:
    return gate.holds(bench.mapping.context(side, form, fact.attributes, gate.names)) is True


def _made_under_another_key(run: Run, object_: int, making: set[tuple[int, str]]) -> set[str]:
    """Records that swallowed another one while its partner was being made: nobody knows yet whether they have one."""
    by_object: dict[int, list[str]] = defaultdict(list)
    for source_object, key in making:
        by_object[source_object].append(key)
    swallowed = [
        fact
        for source_object, keys in by_object.items()
        for fact in run.ledger.facts.many(source_object, keys).values()
        if fact.into is not None
    ]
    lives_on = [survivor(run, fact) for fact in swallowed]
    return {at[1] for at in lives_on if at is not None and at[0] == object_}


# ---------------------------------------------------------------- rows


def row_of(bench: Bench, link: int | None, effect: Planned, rev: int, clearing: Collection[str] = ()) -> dict[str, Any]:
    """An effect as the ledger keeps it. `clearing`: attributes that are emptied first, should it write them."""
    return {
        "mapping": bench.mapping.name,
        "link": link,
        "side": effect.side,
        "object": effect.object,
        "key": effect.key,
        "source": effect.source,
        "op": effect.op,
        "lane": effect.lane,
        "unique": effect.unique,
        "expect_ms": effect.expect_ms,
        "rev": rev,
        "body": Body(
            changes=effect.changes,
            decided=effect.decided,
            along=effect.along,
            waits=bool(effect.waits),
            dropped=[_untold(bench, *each) for each in effect.untold],
            clear_first=[change.attribute for change in effect.changes if change.attribute in clearing],
        ),
    }


def _untold(bench: Bench, field: str, kind: str, why: str) -> Dropped:
    remedy = f"Mend the value in the record, or what {bench.field(field).place} says of it; then it crosses by itself."
    return Dropped(field, f"{field}: {why}; the record was made without it", remedy, kind)


def told(bench: Bench, link: int | None, effect: Planned) -> Note:
    """The journal's word on a decision. A create is told on its source: it has no key of its own yet."""
    at = (effect.object, effect.key) if effect.key is not None else effect.source
    names = ", ".join(change.field for change in effect.changes) or "syncd's key"
    if effect.along:
        names += f", and as it stands {', '.join(change.field for change in effect.along)}"
    return Note("decide", f"{effect.op} on {effect.side}: {names}", bench.mapping.name, link, *at, effect.changes)
