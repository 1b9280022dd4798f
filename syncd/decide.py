"""Gathers what moved, asks the core, and keeps the plan. No call leaves from here.

Work is not stored: what is to be decided follows from revisions of the facts, a mark per object, and a short list of
records to look at again. A batch is decided and marked in one transaction, so a kill repeats at most one batch, with
the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from syncd import disappearance, gone
from syncd.core import plan
from syncd.core.merge import VALUE_ISSUES
from syncd.core.model import SIDES, Side
from syncd.core.plan import Change, End
from syncd.funnel.derived import with_derived
from syncd.ledger.facts import Fact
from syncd.ledger.journal import Note
from syncd.ledger.links import RESTING, Link
from syncd.lifecycle import follow
from syncd.marks import mark
from syncd.matchvalues import keep_match_values
from syncd.partners import drop_creates, find_partners, row_of, told
from syncd.pointing import lead_elsewhere
from syncd.references import Waiting, of_links
from syncd.rollups import with_rolled
from syncd.run import Bench, Run

Place = tuple[int | None, str | None, str | None]
"""(object, key, field) that an issue is about."""

AT_SYSTEM = ("sent", "answered")
BATCH = 1000
"""Records decided in one transaction."""


def decide(run: Run, bench: Bench, lane: str = "normal") -> None:
    """Decides everything of this mapping that moved since it was decided last."""
    if bench.references:
        run.ledger.waits.end_makings(bench.mapping.name)
    keep_match_values(run, bench)
    disappearance.hold(run, bench)
    for object_ in bench.forms:
        while True:
            with run.ledger.transaction():
                mark = run.ledger.books.decided(bench.mapping.name, object_)
                facts = run.ledger.facts.moved(object_, mark, BATCH)
                decide_records(run, bench, object_, _stirred(run, bench, object_, facts), lane)
                mark = facts[-1].rev if len(facts) == BATCH else run.ledger.facts.revision()
                run.ledger.books.set_decided(bench.mapping.name, object_, mark)
            if len(facts) < BATCH:
                break
    _decide_again(run, bench, lane)
    gone.ask(run, bench.mapping.name)


def _stirred(run: Run, bench: Bench, object_: int, facts: Sequence[Fact]) -> list[Fact]:
    """Without those that say just what was settled on: mostly our own writes, seen again."""
    rests = run.ledger.links.rests(bench.mapping.name, object_, [fact.key for fact in facts]) if facts else {}
    return [fact for fact in facts if fact.state != "live" or rests.get(fact.key) != fact.hash]


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
                    facts = run.ledger.facts.many(object_, keys)
                    decide_records(run, bench, object_, list(facts.values()), lane, anew=True)
                    _keep_unseen(run, bench, object_, [key for key in keys if key not in facts])
        if not taken:
            return
        after = taken[-1]


def _keep_unseen(run: Run, bench: Bench, object_: int, keys: Sequence[str]) -> None:
    """What was just made is linked before any feed shows it: it stays on the list until it is seen."""
    if keys:
        linked = run.ledger.links.of_records(bench.mapping.name, object_, keys)
        run.ledger.books.decide_again(bench.mapping.name, [(object_, key) for key in keys if key in linked])


def decide_records(
    run: Run,
    bench: Bench,
    object_: int,
    facts: Sequence[Fact],
    lane: str,
    forget: frozenset[str] = frozenset(),
    *,
    anew: bool = False,
) -> None:
    """Decides these records. `forget`: field names whose base counts as unknown (a backfill of one field). `anew`: even
    where something is planned for them already, and nothing moved since."""
    if not facts:
        return
    name = bench.mapping.name
    facts = _with_made(run, name, facts)
    run.tally(name).moved += len(facts)
    links = run.ledger.links.of_records(name, object_, [fact.key for fact in facts])
    linked = sorted({links[fact.key] for fact in facts if fact.key in links})
    _decide_links(run, bench, run.ledger.links.many(linked), lane, forget, facts, anew)
    unlinked = [fact for fact in facts if fact.key not in links and fact.state == "live"]
    if any(fact.state != "live" for fact in facts):
        # A link that followed a merge or conversion may have ended at one of them.
        drop_creates(run, bench, object_, [fact.key for fact in facts if fact.state != "live"])
        taken = run.ledger.links.of_records(name, object_, [fact.key for fact in unlinked])
        unlinked = [fact for fact in unlinked if fact.key not in taken]
    made = find_partners(run, bench, object_, unlinked, lane)
    _decide_links(run, bench, run.ledger.links.many(made), lane)
    mark(run, bench, object_, facts, lane)


# ---------------------------------------------------------------- linked records


def _decide_links(
    run: Run,
    bench: Bench,
    links: Sequence[Link],
    lane: str,
    forget: frozenset[str] = frozenset(),
    known: Sequence[Fact] = (),
    anew: bool = False,
) -> None:
    if not links:
        return
    facts = gather(run, links, known)
    links, facts = follow(run, bench, links, facts)
    links, clearing = _without_open_intents(run, bench, links, facts, anew)
    bench = of_links(run, bench, links, facts)
    links, still = lead_elsewhere(run, bench, links, facts)
    waiting = Waiting(run, bench) if bench.references else None
    if waiting is not None:
        for refused in still:
            waiting.still(*refused)
    rows: list[dict[str, Any]] = []
    notes: list[Note] = []
    bases: list[tuple[int, str, dict[str, Any], int | None]] = []
    raised: set[Place] = set()
    spoken: set[Place] = set()
    stirred: set[int] = set()
    for link in links:
        ends = ends_of(bench, link, facts, forget)
        if ends is None:
            continue
        paired = bench.pairs(link.marketing.object, link.crm.object)
        decision = plan.decide(bench.mapping, paired, ends, bench.key_of, lane, bench.moves(link))
        if waiting is not None:
            waiting.decided(link, decision.verdicts)
        effects = decision.effects
        if link.state == "converted" and not link.crm.stamped and not any(e.side == "crm" for e in effects):
            effects = [*effects, plan.stamp_only("crm", ends, bench.key_of)]
        if not decision.verdicts and not effects:
            continue
        if (decision.left_scope and bench.mapping.left == "unlink") != (link.state == gone.LEFT):
            gone.cross_scope(run, bench, link)
        rests = not effects and all(verdict.settles for verdict in decision.verdicts)
        bases += [
            (link.id, side, base, facts[ends[side].object, ends[side].key].hash if rests and not forget else None)
            for side, base in decision.settled.items()
        ]
        if decision.leaves_open:
            stirred.add(link.id)
        _tell(run, bench, link, decision, notes, raised)
        spoken |= {(link.marketing.object, link.marketing.key, one.pair.field.name) for one in decision.verdicts}
        for effect in effects:
            rev = max(facts[e.object, e.key].rev for e in ends.values())
            rows.append(row_of(bench, link.id, effect, rev, clearing.get((link.id, effect.side), ())))
            notes.append(told(bench, link.id, effect))
    run.ledger.links.set_bases(bases)
    run.ledger.links.stir(stirred)
    run.ledger.intents.plan(rows, run.now())
    run.note(notes)
    if waiting is not None:
        waiting.keep()
    _close_settled_issues(run, bench, links, raised, spoken)


def gather(run: Run, links: Iterable[Link], known: Iterable[Fact] = ()) -> dict[tuple[int, str], Fact]:
    """The facts of both ends of these links. `known`: facts that were just read need not be read again."""
    facts = {(fact.object, fact.key): fact for fact in known}
    keys: dict[int, list[str]] = defaultdict(list)
    links = list(links)
    name = links[0].mapping if links else ""
    for link in links:
        for end in (link.marketing, link.crm):
            if (end.object, end.key) not in facts:
                keys[end.object].append(end.key)
    for object_, wanted in keys.items():
        for fact in _with_made(run, name, run.ledger.facts.many(object_, wanted).values()):
            facts[object_, fact.key] = fact
    return facts


def _with_made(run: Run, mapping: str, facts: Iterable[Fact]) -> list[Fact]:
    """The same facts, with what the ledger makes of them: roll-ups, and what the funnel says."""
    return with_derived(run.ledger, run.derived, mapping, with_rolled(run.ledger, run.rolls, mapping, facts))


def ends_of(
    bench: Bench, link: Link, facts: dict[tuple[int, str], Fact], forget: frozenset[str] = frozenset()
) -> dict[Side, End] | None:
    """Both ends as they are decided on; None while one of them was not seen, or is not live."""
    ends: dict[Side, End] = {}
    for side in SIDES:
        end = link.end(side)
        fact = facts.get((end.object, end.key))
        if fact is None or fact.state != "live" or link.state in RESTING:
            return None
        base = end.base
        if forget:
            base = {name: value for name, value in base.items() if name.split(":", 1)[0] not in forget}
        ends[side] = End(end.object, bench.form(end.object), end.key, fact.stamp_ms, fact.attributes, base, end.stamped)
    return ends


def said_along(run: Run, bench: Bench, link: Link, side: Side, changes: Sequence[Change]) -> list[Change]:
    """What an update that a person asked for says beside its changes, for the same reason as any other
    (`core.plan.said_along`)."""
    ends = ends_of(bench, link, gather(run, [link]))
    paired = bench.pairs(link.marketing.object, link.crm.object)
    return plan.said_along(paired, ends, side, changes, bench.moves(link)[side]) if ends is not None else []


def _without_open_intents(
    run: Run, bench: Bench, links: Sequence[Link], facts: dict[tuple[int, str], Fact], anew: bool
) -> tuple[list[Link], dict[tuple[int, str], set[str]]]:
    """Links that may be decided now: whose effects are at a system wait; unsent effects on moved facts are dropped, also
    those that are planned beside one that is at a system. And per link and side, the attributes that were found to go
    back only if they are emptied first: decided anew, that needs no second finding."""
    clearing: dict[tuple[int, str], set[str]] = defaultdict(set)
    waiting: set[int] = set()
    undoing: set[int] = set()
    unmoved: set[int] = set()
    stale: set[int] = set()
    outdated: set[int] = set()
    by_id = {link.id: link for link in links}
    for intent in run.ledger.intents.of_links(list(by_id)):
        assert intent.link is not None
        if intent.state in AT_SYSTEM or intent.puts_back:
            waiting.add(intent.link)
            if intent.puts_back:
                undoing.add(intent.link)
            continue
        if intent.body.clear_first:
            clearing[intent.link, intent.side].update(intent.body.clear_first)
        link = by_id[intent.link]
        seen = [facts[e.object, e.key].rev for e in (link.marketing, link.crm) if (e.object, e.key) in facts]
        moved = intent.rev is None or max(seen, default=0) > intent.rev
        (stale if anew or moved else unmoved).add(intent.link)
        if moved:
            outdated.add(intent.link)
    stale = (stale - waiting) | (outdated & waiting) - undoing
    if stale:
        run.ledger.intents.drop_unsent(bench.mapping.name, sorted(stale))
    run.ledger.books.decide_again(
        bench.mapping.name, [(by_id[link].marketing.object, by_id[link].marketing.key) for link in sorted(waiting)]
    )
    return [link for link in links if link.id not in waiting and (link.id not in unmoved or link.id in stale)], clearing


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
                doc={"place": field.place, **({"source": verdict.source} if verdict.source else {})},
            )
            raised.add((link.marketing.object, link.marketing.key, field.name))
        if verdict.kind == "stand" and not verdict.waits:
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
    "unknown_owner": "Give that person an active user with the same e-mail address on the other side, give the record"
    " another owner, or name who stands in: `unknown` in the mapping. Then: `syncd issues retry ID`.",
    "step_back": "If it is meant, set the other record back by hand; if not, set this one forward again.",
    "unmapped_value": "Add the value to the field's `values`, or choose another value in the record.",
}
_FIELD_ISSUES = tuple(_REMEDIES)


def _close_settled_issues(
    run: Run, bench: Bench, links: Sequence[Link], raised: set[Place], spoken: set[Place]
) -> None:
    """An issue about a field of a record ends when the field was decided without it. A value that was let stand is not
    decided again before it moves: until then (`spoken`) its issue stays."""
    inbox = run.ledger.inbox
    if not links or not inbox.issue_count(bench.mapping.name):
        return
    decided = {(link.marketing.object, link.marketing.key) for link in links}
    for issue in inbox.issues(mapping=bench.mapping.name, limit=10_000):
        ours = issue.kind in _FIELD_ISSUES and (issue.object, issue.key) in decided
        place = (issue.object, issue.key, issue.field)
        if ours and place not in raised and (place in spoken or issue.kind not in VALUE_ISSUES):
            inbox.close_issues(run.now(), id=issue.id)
