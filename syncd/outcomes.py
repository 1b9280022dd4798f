"""What became of effects, kept: links for what was created, issues for what was refused, another decision for what moved.

Promise: a batch's outcomes are kept in one transaction, each effect has exactly one, and nothing that was refused is
sent again unchanged. Whether a write did what it should is not known here: `confirm` believes only what is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from syncd import marks, pointing, refusals
from syncd.connector import Outcome
from syncd.core.merge import base_key
from syncd.core.model import Side, other
from syncd.core.plan import Change, settle
from syncd.ledger.intents import Body, Dropped, Intent
from syncd.ledger.journal import Note
from syncd.ledger.links import LinkSide, NewLink
from syncd.run import Bench, Run

CIRCUMSTANCE_TRIES = 5
"""How often an effect that was refused by circumstance (a lock) is sent again, one cycle apart, before it is an issue."""


def side_of(intent: Intent) -> Side:
    return "crm" if intent.side == "crm" else "marketing"


def keep_outcomes(
    run: Run,
    bench: Bench,
    batch: Sequence[Intent],
    outcomes: Sequence[Outcome],
    later: list[int],
    lacking: frozenset[str] = frozenset(),
) -> None:
    """Keeps what became of a batch, in one transaction. An intent without an outcome stays in doubt. `lacking`: the
    attributes that no record can be written to any more; what names them is decided again without them."""
    by_ref = {outcome.ref: outcome for outcome in outcomes}
    groups: dict[str, list[tuple[Intent, Outcome]]] = defaultdict(list)
    for intent in batch:
        outcome = by_ref.get(str(intent.id)) or Outcome(ref=str(intent.id), kind="doubtful")
        groups[outcome.kind].append((intent, outcome))
        run.tally(bench.mapping.name).outcomes[outcome.kind] += 1
    with run.ledger.transaction():
        _keep_sent(run, bench, groups["sent"])
        for intent, outcome in groups["refused"]:
            if intent.op == "create" and outcome.existing and bench.key_attribute(intent.object) in outcome.culprits:
                # Refused because our own key is there: an earlier try arrived after all.
                adopt_unanswered(run, bench, intent, outcome.existing, run.ledger.facts.revision())
            elif outcome.again and intent.attempt < CIRCUMSTANCE_TRIES:
                later.append(intent.id)
            elif lacking & set(outcome.culprits) & set(intent.attributes):
                drop(run, bench, [intent], "held", "the attribute is not there any more, or not ours to write")
            elif intent.op == "create" and outcome.existing is None and _goes_without(run, bench, intent, outcome):
                later.append(intent.id)
            else:
                _keep_refused(run, bench, intent, outcome)
        moved = [intent for intent, _ in groups["moved"]]
        drop(run, bench, moved, "moved", "the record moved before the write; decided again")
        gone = [intent for intent, _ in groups["gone"]]
        drop(run, bench, gone, "gone", "the record is gone; decided again once its fate is known")
        run.note([told(bench, i, "doubtful", "no answer: waits to be looked at") for i, _ in groups["doubtful"]])


def _keep_sent(run: Run, bench: Bench, pairs: Sequence[tuple[Intent, Outcome]]) -> None:
    now = run.now()
    rows: list[tuple[int, str | None, float, int, Body | None]] = []
    notes: list[Note] = []
    revision = run.ledger.facts.revision()
    for intent, outcome in pairs:
        key = outcome.key or intent.key
        body = None
        if outcome.attributes is not None:
            body = msgspec.structs.replace(intent.body, answer=dict(outcome.attributes))
        rows.append((intent.id, key, now, revision, body))
        notes.append(told(bench, intent, "sent", f"{intent.op} answered", key))
    run.ledger.intents.answer(rows)
    adopt(run, bench, [(i, o.key) for i, o in pairs if i.op == "create" and o.key is not None])
    run.note(notes)


def adopt(run: Run, bench: Bench, made: Sequence[tuple[Intent, str]]) -> None:
    """Links created records (intent, key) to their sources; a source's base is what the create was decided on."""
    name = bench.mapping.name
    rows = []
    made = _unlinked(run, bench, made)
    for intent, key in made:
        assert intent.source is not None
        side = side_of(intent)
        source = LinkSide(other(side), *intent.source, intent.body.decided or {}, False)
        rows.append(
            NewLink(
                f"created from {other(side)}", (source, LinkSide(side, intent.object, key, {}, bool(intent.unique)))
            )
        )
    links = run.ledger.links.make(name, rows, run.now())
    run.ledger.intents.set_link([(intent.id, link) for (intent, _), link in zip(made, links, strict=True)])
    # What they refer to may have been linked meanwhile.
    without = [intent.source for intent, _ in made if intent.body.waits and intent.source is not None]
    run.ledger.books.decide_again(name, without)
    if made and run.ledger.inbox.issue_count(name):
        for intent, _ in made:
            if intent.source:
                run.ledger.inbox.close_issues(run.now(), mapping=name, object=intent.source[0], keys=[intent.source[1]])
    for (intent, key), link in zip(made, links, strict=True):
        marketing = (intent.object, key) if side_of(intent) == "marketing" else intent.source
        for each in intent.body.dropped:
            # A refusal is about the record that refused; an issue about a value ends where its field is decided.
            at = (intent.object, key) if each.kind == "refused" or marketing is None else marketing
            run.ledger.inbox.raise_issue(
                each.kind,
                name,
                each.reason,
                each.remedy,
                run.now(),
                object=at[0],
                key=at[1],
                field=each.field,
                doc={"culprits": [], "changes": [each.field], "link": link, "source": other(side_of(intent))},
            )


def adopt_unanswered(run: Run, bench: Bench, intent: Intent, key: str, revision: int) -> None:
    """A create that was not answered, found by its key. `revision`: the newest before it was looked for; what is newer
    is sight."""
    adopt(run, bench, [(intent, key)])
    run.ledger.intents.answer([(intent.id, key, run.now(), revision, intent.body)])
    run.note([told(bench, intent, "adopted", "found by its key: it had been applied", key)])


def _unlinked(run: Run, bench: Bench, made: Sequence[tuple[Intent, str]]) -> list[tuple[Intent, str]]:
    """Those whose ends are both free. The others found somebody else meanwhile: matching has to look at what was made."""
    by_object: dict[int, set[str]] = defaultdict(set)
    for intent, key in made:
        by_object[intent.object].add(key)
        if intent.source is not None:
            by_object[intent.source[0]].add(intent.source[1])
    name = bench.mapping.name
    linked = {
        (object_, key)
        for object_, keys in by_object.items()
        for key in run.ledger.links.of_records(name, object_, sorted(keys))
    }
    free = [(i, key) for i, key in made if i.source not in linked and (i.object, key) not in linked]
    if len(free) < len(made):
        taken = {intent.id for intent, _ in made} - {intent.id for intent, _ in free}
        either = [at for i, key in made if i.id in taken for at in ((i.object, key), i.source) if at is not None]
        run.ledger.books.decide_again(name, either)
    return free


def _named(intent: Intent, outcome: Outcome) -> list[Change]:
    """The changes that the refusal blames."""
    return [change for change in intent.body.changes if change.attribute in outcome.culprits]


def _goes_without(run: Run, bench: Bench, intent: Intent, outcome: Outcome) -> bool:
    """A create that is refused for a field that need not be there is made without it; the field's issue comes with the
    record. A reference is decided again instead: whom it led to may have been merged away at that moment. False: it
    cannot."""
    named = _named(intent, outcome)
    if not refusals.may_go_without(run, bench, intent, named):
        return False
    pointing = [one for one in named if bench.field(one.field).reference is not None]
    why = [
        Dropped(
            one.field,
            refusals.reason(bench, intent, outcome, [one]),
            refusals.remedy(run, bench, intent, outcome, [one]),
        )
        for one in named
        if one not in pointing
    ]
    changes = [change for change in intent.body.changes if change not in named]
    decided = {
        name: value
        for name, value in (intent.body.decided or {}).items()
        if name.partition(":")[0] not in {one.field for one in pointing}
    }
    body = msgspec.structs.replace(
        intent.body,
        changes=changes,
        decided=decided,
        waits=intent.body.waits or bool(pointing),
        dropped=[*intent.body.dropped, *why],
    )
    run.ledger.intents.rewrite(intent.id, body)
    fields = ", ".join(change.field for change in named)
    run.note([told(bench, intent, "refused", f"create refused: {outcome.code}; it is sent without {fields}")])
    return True


def _keep_refused(run: Run, bench: Bench, intent: Intent, outcome: Outcome) -> None:
    """A refusal is an issue, and settles what it names: nothing is sent again unchanged."""
    if intent.link is None and marks.is_list(intent):
        # Not about this person: nobody can be put into the list.
        run.ledger.intents.close([intent.id])
        marks.list_refused(run, bench, intent, outcome)
        return
    named = _named(intent, outcome)
    blamed = named or intent.body.changes
    at = (intent.object, intent.key) if intent.key else intent.source
    assert at is not None
    run.ledger.inbox.raise_issue(
        "refused" if outcome.existing is None else "exists_already",
        intent.mapping,
        refusals.reason(bench, intent, outcome, named),
        refusals.remedy(run, bench, intent, outcome, named),
        run.now(),
        object=at[0],
        key=at[1],
        field=named[0].field if len(named) == 1 else None,
        doc={
            "culprits": list(outcome.culprits),
            "changes": [c.field for c in intent.body.changes],
            "link": intent.link,
            "pointed": pointing.pointed(bench, blamed),
            **({"candidates": [[intent.object, outcome.existing]]} if outcome.existing else {}),
        },
    )
    run.note([told(bench, intent, "refused", f"{intent.op} refused: {outcome.code}")])
    run.ledger.intents.close([intent.id])
    pointing.wait(run, bench, intent, blamed if intent.link is not None else named)
    if intent.link is None:
        marks.settle(run, intent)
        return
    if intent.unique and set(outcome.culprits) == {bench.key_attribute(intent.object)}:
        # Only our key is in the way: the fields go without it.
        run.ledger.links.stamp([(intent.link, side_of(intent))])
        decide_again(run, bench, [intent])
        return
    settle_changes(run, bench, intent, [c.field for c in blamed])
    if named and len(named) < len(intent.body.changes):
        decide_again(run, bench, [intent])


def settle_changes(run: Run, bench: Bench, intent: Intent, fields: Sequence[str]) -> None:
    """Lets the difference in these fields stand: both bases become what both sides said when it was decided."""
    link = run.ledger.links.get(intent.link) if intent.link else None
    if link is None:
        return
    side = side_of(intent)
    mine, theirs = [], []
    for change in intent.body.changes:
        if change.field in fields:
            mine.append((base_key(change.field, change.attribute), change.before))
            if change.source is not None:
                theirs.append((base_key(change.field, change.source), change.decided))
    run.ledger.links.set_bases(
        [
            (link.id, side, settle(link.end(side).base, mine), None),
            (link.id, other(side), settle(link.end(other(side)).base, theirs), None),
        ]
    )


def drop(run: Run, bench: Bench, batch: Sequence[Intent], kind: str, why: str) -> None:
    """Forgets effects that were not applied and lets their records be decided again."""
    if batch:
        run.ledger.intents.close(intent.id for intent in batch)
        run.note([told(bench, intent, kind, why) for intent in batch])
        decide_again(run, bench, batch)


def decide_again(run: Run, bench: Bench, batch: Iterable[Intent]) -> None:
    at = []
    for intent in batch:
        if intent.key is not None:
            at.append((intent.object, intent.key))
        elif intent.source is not None:
            at.append(intent.source)
    run.ledger.books.decide_again(bench.mapping.name, at)


def about(intent: Intent) -> tuple[int, str]:
    """The record (object, key) that an effect is about: its own, or its source while it has none."""
    if intent.key:
        return (intent.object, intent.key)
    return intent.source or (intent.object, "")


def told(bench: Bench, intent: Intent, kind: str, said: str, key: str | None = None) -> Note:
    at = (intent.object, key or intent.key) if key or intent.key else (intent.source or (intent.object, ""))
    return Note(kind, f"{intent.side}: {said}", bench.mapping.name, intent.link, *at)
