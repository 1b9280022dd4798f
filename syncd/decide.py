"""Gathers what moved, asks the core, and keeps the plan. No call leaves from here.

Work is not stored: what is to be decided follows from revisions of the facts, a mark per object, and a short list of
records to look at again. A batch is decided and marked in one transaction, so a kill repeats at most one batch, with
the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from syncd.core import plan
from syncd.core.match import Held, pick
from syncd.core.model import SIDES, Bad, Side, Unmapped, other
from syncd.core.plan import End, Planned
from syncd.ledger.facts import Fact
from syncd.ledger.intents import Body
from syncd.ledger.journal import Note
from syncd.ledger.links import Link, LinkSide, NewLink
from syncd.lifecycle import follow, survivor
from syncd.run import Bench, Run

Place = tuple[int | None, str | None, str | None]
"""(object, key, field) that an issue is about."""

KEY_RULE = "syncd's key"
"""The match rule that goes before all others: the other record carries our key for this one."""

BATCH = 1000
"""Records decided in one transaction."""


def decide(run: Run, bench: Bench, lane: str = "normal") -> None:
    """Decides everything of this mapping that moved since it was decided last."""
    keep_match_values(run, bench)
    for object_ in bench.forms:
        while True:
            with run.ledger.transaction():
                mark = run.ledger.books.decided(bench.mapping.name, object_)
                facts = run.ledger.facts.moved(object_, mark, BATCH)
                if facts:
                    decide_records(run, bench, object_, facts, lane)
                mark = facts[-1].rev if len(facts) == BATCH else run.ledger.facts.revision()
                run.ledger.books.set_decided(bench.mapping.name, object_, mark)
            if len(facts) < BATCH:
                break
    _decide_again(run, bench, lane)


def _decide_again(run: Run, bench: Bench, lane: str) -> None:
    """The short list: each entry once per run, whatever the decision puts back on it."""
    after = (0, "")
    while True:
        with run.ledger.transaction():
            taken = run.ledger.books.take_again(bench.mapping.name, after, BATCH)
            by_object: dict[int, list[str]] = defaultdict(list)
            for object_, key in taken:
                by_object[object_].append(key)
            for object_, keys in by_object.items():
                if object_ in bench.forms:
                    decide_records(run, bench, object_, list(run.ledger.facts.many(object_, keys).values()), lane)
        if not taken:
            return
        after = taken[-1]


def decide_records(
    run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str, forget: frozenset[str] = frozenset()
) -> None:
    """Decides these records. `forget`: field names whose base counts as unknown (a backfill of one field)."""
    name = bench.mapping.name
    run.tally(name).moved += len(facts)
    links = run.ledger.links.of_records(name, object_, [fact.key for fact in facts])
    linked = sorted({links[fact.key] for fact in facts if fact.key in links})
    _decide_links(run, bench, run.ledger.links.many(linked), lane, forget)
    unlinked = [fact for fact in facts if fact.key not in links and fact.state == "live"]
    _match(run, bench, object_, unlinked, lane)


# ---------------------------------------------------------------- linked records


def _decide_links(run: Run, bench: Bench, links: Sequence[Link], lane: str, forget: frozenset[str]) -> None:
    facts = gather(run, links)
    links, facts = follow(run, bench, links, facts)
    links = _without_open_intents(run, bench, links, facts)
    rows: list[dict[str, Any]] = []
    notes: list[Note] = []
    bases: list[tuple[int, str, dict[str, Any]]] = []
    raised: set[Place] = set()
    for link in links:
        ends = ends_of(bench, link, facts, forget)
        if ends is None:
            continue
        paired = bench.pairs(link.marketing.object, link.crm.object)
        decision = plan.decide(bench.mapping, paired, ends, bench.key_of, lane)
        effects = decision.effects
        if link.state == "converted" and not link.crm.stamped and not any(e.side == "crm" for e in effects):
            effects = [*effects, plan.stamp_only("crm", ends, bench.key_of)]
        if not decision.verdicts and not effects:
            continue
        bases += [(link.id, side, base) for side, base in decision.settled.items()]
        _tell(run, bench, link, decision, notes, raised)
        for effect in effects:
            rows.append(_row(bench, link.id, effect, rev=max(facts[e.object, e.key].rev for e in ends.values())))
            notes.append(_decided(bench, link.id, effect))
    run.ledger.links.set_bases(bases)
    run.ledger.intents.plan(rows, run.now())
    run.note(notes)
    _close_settled_issues(run, bench, links, raised)


def gather(run: Run, links: Iterable[Link]) -> dict[tuple[int, str], Fact]:
    """The facts of both ends of these links."""
    keys: dict[int, list[str]] = defaultdict(list)
    for link in links:
        keys[link.marketing.object].append(link.marketing.key)
        keys[link.crm.object].append(link.crm.key)
    return {
        (object_, key): fact
        for object_, wanted in keys.items()
        for key, fact in run.ledger.facts.many(object_, wanted).items()
    }


def ends_of(
    bench: Bench, link: Link, facts: dict[tuple[int, str], Fact], forget: frozenset[str] = frozenset()
) -> dict[Side, End] | None:
    """Both ends as they are decided on; None while one of them was not seen, or is not live."""
    ends: dict[Side, End] = {}
    for side in SIDES:
        end = link.end(side)
        fact = facts.get((end.object, end.key))
        if fact is None or fact.state != "live" or link.state not in ("live", "converted"):
            return None
        base = end.base
        if forget:
            base = {name: value for name, value in base.items() if name.split(":", 1)[0] not in forget}
        ends[side] = End(end.object, bench.form(end.object), end.key, fact.stamp_ms, fact.attributes, base, end.stamped)
    return ends


def _without_open_intents(
    run: Run, bench: Bench, links: Sequence[Link], facts: dict[tuple[int, str], Fact]
) -> list[Link]:
    """Links that may be decided now: whose effects are at a system wait; unsent effects on moved facts are dropped."""
    at_system: set[int] = set()
    unmoved: set[int] = set()
    stale: set[int] = set()
    by_id = {link.id: link for link in links}
    for intent in run.ledger.intents.of_links(list(by_id)):
        assert intent.link is not None
        if intent.state in ("sent", "answered"):
            at_system.add(intent.link)
            continue
        link = by_id[intent.link]
        seen = [facts[e.object, e.key].rev for e in (link.marketing, link.crm) if (e.object, e.key) in facts]
        (unmoved if intent.rev is not None and max(seen, default=0) <= intent.rev else stale).add(intent.link)
    stale -= at_system
    if stale:
        run.ledger.intents.drop_unsent(bench.mapping.name, sorted(stale))
    run.ledger.books.decide_again(
        bench.mapping.name, [(by_id[link].marketing.object, by_id[link].marketing.key) for link in sorted(at_system)]
    )
    return [link for link in links if link.id not in at_system and (link.id not in unmoved or link.id in stale)]


def _tell(run: Run, bench: Bench, link: Link, decision: plan.Decision, notes: list[Note], raised: set[Place]) -> None:
    """Raises the issues of a decision, and notes in the journal whatever was left standing."""
    for verdict in decision.verdicts:
        field = verdict.pair.field
        if verdict.issue is not None:
            by_field = verdict.kind == "meet" and verdict.issue == "meet"
            run.ledger.inbox.raise_issue(
                verdict.issue,
                bench.mapping.name,
                f"{field.name}: {verdict.why}",
                _REMEDIES.get(verdict.issue, "Look at both records and make them agree."),
                run.now(),
                object=None if by_field else link.marketing.object,
                key=None if by_field else link.marketing.key,
                field=field.name,
                doc={"place": field.place},
            )
            raised.add((link.marketing.object, link.marketing.key, field.name))
        if verdict.kind == "stand":
            notes.append(
                Note(
                    "stand", f"{field.name}: {verdict.why}", bench.mapping.name, link.id, link.crm.object, link.crm.key
                )
            )


_REMEDIES = {
    "clash": "Edit one of the two records so that both say the same, or give the field a `clash` rule.",
    "meet": "Give the field a `meet` or `clash` rule that says who wins at the first meeting, or edit the records.",
    "unreadable_value": "Mend the value in the record.",
    "unwritable_value": "Mend the value in the record, or widen the field's type in the mapping.",
    "unmapped_value": "Add the value to the field's `values`, or choose another value in the record.",
}
_FIELD_ISSUES = tuple(_REMEDIES)


def _close_settled_issues(run: Run, bench: Bench, links: Sequence[Link], raised: set[Place]) -> None:
    """An issue about a field of a record ends when the field was decided without it."""
    inbox = run.ledger.inbox
    if not links or not inbox.issue_count(bench.mapping.name):
        return
    decided = {(link.marketing.object, link.marketing.key) for link in links}
    for issue in inbox.issues(mapping=bench.mapping.name, limit=10_000):
        ours = issue.kind in _FIELD_ISSUES and (issue.object, issue.key) in decided
        if ours and (issue.object, issue.key, issue.field) not in raised:
            inbox.close_issues(run.now(), id=issue.id)


# ---------------------------------------------------------------- unlinked records


def _match(run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str) -> None:
    """Links, creates, or asks a person, for live records without a partner."""
    side, form = bench.forms[object_]
    mapping = bench.mapping
    facts = [f for f in facts if plan.holds(mapping, mapping.scope, side, side, form, f.attributes)]
    facts = _without_open_creates(run, bench, object_, facts)
    left = {fact.key: fact for fact in facts}
    found_links: list[NewLink] = []
    for rule in (KEY_RULE, *mapping.match):
        if rule == KEY_RULE:
            values = {key: bench.key_of(side, object_, key) for key in left}
        else:
            values = _values(bench, object_, left.values(), rule)
        if not values:
            continue
        found = _candidates(run, bench, rule, sorted(set(values.values())))
        for key, value in values.items():
            choice = pick(found[side, value], found[other(side), value], (object_, key))
            if choice.kind == "none":
                continue
            fact = left.pop(key)
            if choice.kind == "one" and choice.partner is not None:
                found_links.append(_new_link(bench, fact, choice.partner, rule))
                # Taken from here on: nobody else of this batch may have it.
                found[other(side), value] = [
                    Held(h.object, h.key, h.rank, -1) if h is choice.partner else h for h in found[other(side), value]
                ]
            elif choice.kind != "shadow":
                _ask(run, bench, fact, rule, choice.kind, found[side, value], found[other(side), value])
    _link(run, bench, found_links, lane)
    _create(run, bench, object_, list(left.values()), lane)


def _new_link(bench: Bench, fact: Fact, partner: Held, rule: str) -> NewLink:
    ends = (
        LinkSide(bench.side(fact.object), fact.object, fact.key, {}, False),
        LinkSide(bench.side(partner.object), partner.object, partner.key, {}, False),
    )
    return NewLink("syncd's key" if rule == KEY_RULE else f"same {rule}", ends)


def _link(run: Run, bench: Bench, rows: Sequence[NewLink], lane: str) -> None:
    """Makes the links, ends what waited for them, and lets both sides of each meet."""
    if not rows:
        return
    name = bench.mapping.name
    ids = run.ledger.links.make(name, rows, run.now())
    by_object: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        for end in row.ends:
            by_object[end.object].append(end.key)
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
    _decide_links(run, bench, run.ledger.links.many(ids), lane, frozenset())


def _ask(run: Run, bench: Bench, fact: Fact, rule: str, kind: str, own: Sequence[Held], across: Sequence[Held]) -> None:
    side = bench.side(fact.object)
    if kind == "taken":
        reason = f"its {rule} belongs to a record that is linked to another one already"
    else:
        reason = f"several records share its {rule}: {len(own)} on {side}, {len(across)} on {other(side)}"
    run.ledger.inbox.raise_issue(
        "ambiguous",
        bench.mapping.name,
        reason,
        f"Merge the duplicates, change the {rule}, or pick one: `syncd issues resolve ID --pick KEY`.",
        run.now(),
        object=fact.object,
        key=fact.key,
        doc={"candidates": [[held.object, held.key] for held in across], "rule": rule},
    )


def _create(run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str) -> None:
    """Plans partners for records that match nobody, where the mapping's gate is true of them."""
    side, form = bench.forms[object_]
    to = other(side)
    mapping = bench.mapping
    gate = mapping.create[to]
    if gate is None or not facts:
        return
    target_form = mapping.end(to).forms[0]
    target = run.ledger.facts.object_id(mapping.end(to).system, target_form)
    rows, notes = [], []
    for fact in facts:
        if gate.holds(mapping.context(side, form, fact.attributes, gate.names)) is not True:
            continue
        source = End(object_, form, fact.key, fact.stamp_ms, fact.attributes, {}, False)
        hand_off = "urgent" if to == "crm" and lane == "normal" else lane
        effect = plan.create(mapping, to, target_form, target, source, form, bench.key_of, hand_off)
        rows.append(_row(bench, None, effect, rev=fact.rev))
        notes.append(_decided(bench, None, effect))
    run.ledger.intents.plan(rows, run.now())
    run.note(notes)


def _without_open_creates(run: Run, bench: Bench, object_: int, facts: Sequence[Fact]) -> list[Fact]:
    intents = run.ledger.intents.of_sources(bench.mapping.name, object_, [fact.key for fact in facts])
    revisions = {fact.key: fact.rev for fact in facts}
    busy: set[str] = set()
    stale: list[int] = []
    for intent in intents:
        assert intent.source is not None
        key = intent.source[1]
        if intent.state in ("sent", "answered") or (intent.rev is not None and revisions[key] <= intent.rev):
            busy.add(key)
            if intent.state in ("sent", "answered"):
                run.ledger.books.decide_again(bench.mapping.name, [(object_, key)])
        else:
            stale.append(intent.id)
    run.ledger.intents.close(stale)
    return [fact for fact in facts if fact.key not in busy]


# ---------------------------------------------------------------- match values


def keep_match_values(run: Run, bench: Bench) -> None:
    """Brings the match values of everything that moved up to date, on both sides, before anything is matched."""
    name = bench.mapping.name
    for object_ in bench.forms:
        mark = run.ledger.books.decided(name, object_)
        while facts := run.ledger.facts.moved(object_, mark, BATCH * 5):
            mark = facts[-1].rev
            rows: list[tuple[str, str, str]] = []
            held: set[str] = set()
            for rule in (KEY_RULE, *bench.mapping.match):
                for key, value in _values(bench, object_, facts, rule).items():
                    rows.append((key, rule, value))
                    held.add(key)
            rows = run.ledger.links.new_match_values(name, object_, rows)
            gone = [fact.key for fact in facts if fact.key not in held]
            if rows or gone:
                run.ledger.links.keep_match_values(name, object_, rows, gone)


def _values(bench: Bench, object_: int, facts: Iterable[Fact], rule: str) -> dict[str, str]:
    """Match values by record key. Blank, unreadable and not-live records have none: a blank matches nothing."""
    side, form = bench.forms[object_]
    values: dict[str, str] = {}
    if rule == KEY_RULE:
        name = bench.key_attribute(object_)
        return {f.key: str(f.attributes[name]) for f in facts if name and f.attributes.get(name)}
    field = bench.field(rule)
    attribute = field.attribute(side, form)
    if attribute is None:
        return values
    for fact in facts:
        raw = fact.attributes.get(attribute)
        if raw is None or fact.state != "live":
            continue
        value = field.canonical(side, raw)
        if value is not None and not isinstance(value, (Unmapped, Bad)):
            values[fact.key] = str(value)
    return values


def _candidates(run: Run, bench: Bench, rule: str, values: Sequence[str]) -> defaultdict[tuple[Side, str], list[Held]]:
    """Live records that hold these match values, by side and value."""
    found: defaultdict[tuple[Side, str], list[Held]] = defaultdict(list)
    name = bench.mapping.name
    for candidate in run.ledger.links.candidates(name, rule, list(bench.forms), values):
        at, link = (candidate.object, candidate.key), candidate.link
        if candidate.state in ("converted", "merged"):
            fact = run.ledger.facts.get(*at)
            at = (fact and survivor(run, fact)) or at
            link = run.ledger.links.of_records(name, at[0], [at[1]]).get(at[1])
        elif candidate.state != "live":
            continue
        if at[0] not in bench.forms:
            continue
        held = Held(at[0], at[1], bench.rank(at[0]), link)
        across = found[bench.side(at[0]), candidate.value]
        if not any((other_.object, other_.key) == at for other_ in across):
            across.append(held)
    return found


# ---------------------------------------------------------------- rows


def _row(bench: Bench, link: int | None, effect: Planned, rev: int) -> dict[str, Any]:
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
        "body": Body(changes=effect.changes, decided=effect.decided),
    }


def _decided(bench: Bench, link: int | None, effect: Planned) -> Note:
    """The journal's word on a decision. A create is told on its source: it has no key of its own yet."""
    at = (effect.object, effect.key) if effect.key is not None else effect.source
    names = ", ".join(change.field for change in effect.changes) or "syncd's key"
    return Note("decide", f"{effect.op} on {effect.side}: {names}", bench.mapping.name, link, *at, effect.changes)
