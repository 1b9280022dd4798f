"""Act: ready intents -> sent in batches -> outcomes kept.

An intent is `sent` on disk before its call leaves, so a kill can only leave doubt, never a forgotten write; doubt is
resolved by looking (`recover`). Before a create, its key and match values are looked for on the target, in every form;
before an update, the record is looked at where the system has no precondition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from syncd.connector import Effect, Outcome
from syncd.core.mapping import Field
from syncd.core.merge import base_key
from syncd.core.model import SIDES, Bad, Side, Unmapped, other
from syncd.core.plan import settle
from syncd.errors import AccessError, Doubt, Transient
from syncd.ledger.intents import Body, Intent
from syncd.ledger.journal import Note
from syncd.ledger.links import LinkSide, NewLink
from syncd.poll import look
from syncd.run import Bench, Run

LANES = ("urgent", "normal", "backfill")
"""The order in which work is sent."""

OUT_OF_SIGHT = "out_of_sight"
"""The issue about a record that is to be written and is not shown to us."""

CIRCUMSTANCE_TRIES = 5
"""How often an effect that was refused by circumstance (a lock) is sent again, one cycle apart, before it is an issue."""


def write(run: Run, bench: Bench, lanes: Sequence[str] = LANES, windows: int | None = None) -> None:
    """Sends everything that is ready, most urgent lane first. A side in trouble is left; the other goes on.

    `windows`: at most so many windows of effects a lane, for work that must let other work in between.
    """
    later: list[int] = []
    try:
        for lane in lanes:
            done = 0
            while not run.stop() and done != windows:
                done += 1
                sides = [side for side in SIDES if not bench.systems[side].trouble]
                like = run.ledger.intents.next_ready(bench.mapping.name, lane, sides)
                if like is None:
                    break
                batch = run.ledger.intents.ready(bench.mapping.name, lane, like, _window(bench, like[1], like[2]))
                _send_window(run, bench, batch, lane, later)
    finally:
        run.ledger.intents.set_state(later, "ready")


def _window(bench: Bench, object_: int, op: str) -> int:
    """How many intents are taken at once: creates as many as one look finds, so that looking is cheap; updates no more
    than one look and one call, so that little time lies between the two."""
    traits = bench.systems[bench.side(object_)].traits(bench.form(object_))
    if op == "create":
        return max(traits.find_batch, traits.create_batch)
    return traits.update_batch * (20 if traits.precondition else 1)


def _side(intent: Intent) -> Side:
    return "crm" if intent.side == "crm" else "marketing"


def _send_window(run: Run, bench: Bench, batch: Sequence[Intent], lane: str, later: list[int]) -> None:
    side, op, object_ = _side(batch[0]), batch[0].op, batch[0].object
    system = bench.systems[side]
    traits = system.traits(bench.form(object_))
    size = {"create": traits.create_batch, "update": traits.update_batch, "archive": traits.archive_batch}[op]
    try:
        with system.lane(lane):
            if op == "create":
                batch = _without_partners(run, bench, batch)
            elif not traits.precondition:
                batch = _unmoved(run, bench, batch)
            if batch:
                _send(run, bench, batch, size, later)
    except (Transient, AccessError) as error:
        system.trouble = error.message
        system.failure = error
        run.event("side_held", system=system.name, reason=error.message)


# ---------------------------------------------------------------- looking first


def _without_partners(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Creates whose record is not on the target yet, by key and by match value, in every form."""
    side = _side(batch[0])
    system = bench.systems[side]
    matched: set[int] = set()
    aliases: dict[int, tuple[int, str]] = {}
    for object_ in reversed(bench.objects(side)):
        form = bench.form(object_)
        attributes = run.attributes(bench.mapping.end(side).system, form)
        for where, field, wanted in _looked_for(bench, batch, side, form, system.traits(form).key):
            values = sorted(wanted)
            for start in range(0, len(values), system.traits(form).find_batch):
                part = values[start : start + system.traits(form).find_batch]
                found = list(system.connector.find(form, attributes, where, part))
                run.ledger.facts.keep(object_, [hit.record for hit in found])
                for hit in found:
                    if hit.record.state not in ("live", "converted"):
                        continue
                    own = field is None or str(field.canonical(side, hit.record.attributes.get(where))) == hit.value
                    for id_ in wanted.get(hit.value, ()):
                        if own:
                            matched.add(id_)
                        else:
                            aliases[id_] = (object_, hit.record.key)
    if matched:
        # Their facts are known now: matching decides, with all its rules, before anything is created.
        again = [intent.source for intent in batch if intent.id in matched and intent.source]
        run.ledger.books.decide_again(bench.mapping.name, again)
        run.event("creates_found_partner", mapping=bench.mapping.name, side=side, count=len(matched))
    for intent in batch:
        if intent.id in aliases and intent.id not in matched:
            _known_otherwise(run, bench, intent, aliases[intent.id])
    run.ledger.intents.close([*matched, *aliases])
    return [intent for intent in batch if intent.id not in matched and intent.id not in aliases]


def _known_otherwise(run: Run, bench: Bench, intent: Intent, holder: tuple[int, str]) -> None:
    """The target knows the match value as a further one of somebody (a second address): a person says who it is."""
    assert intent.source is not None
    run.ledger.inbox.raise_issue(
        "ambiguous",
        bench.mapping.name,
        f"{bench.mapping.end(_side(intent)).system} knows its {' or '.join(bench.mapping.match)} as a further one of"
        f" {bench.form(holder[0])} {holder[1]}",
        "If they are the same person, pick it: `syncd issues resolve ID --pick KEY`; else take it off that record.",
        run.now(),
        object=intent.source[0],
        key=intent.source[1],
        doc={"candidates": [list(holder)]},
    )


def _looked_for(
    bench: Bench, batch: Sequence[Intent], side: Side, form: str, key: str | None
) -> Iterable[tuple[str, Field | None, dict[str, list[int]]]]:
    """(attribute, its field unless it is the key, value -> intents) to be looked up in one form."""
    if key is not None:
        by_key: dict[str, list[int]] = defaultdict(list)
        for intent in batch:
            if intent.unique:
                by_key[intent.unique].append(intent.id)
        yield key, None, by_key
    for rule in bench.mapping.match:
        field = bench.field(rule)
        attribute = field.attribute(side, form)
        if attribute is None:
            continue
        by_value: dict[str, list[int]] = defaultdict(list)
        for intent in batch:
            value = next((c.after for c in intent.body.changes if c.field == rule), None)
            canonical = field.canonical(side, value)
            if canonical is not None and not isinstance(canonical, (Unmapped, Bad)):
                by_value[str(canonical)].append(intent.id)
        if by_value:
            yield attribute, field, by_value


def _unmoved(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Updates whose record still says what was decided on; the others are decided again."""
    side, object_ = _side(batch[0]), batch[0].object
    form = bench.form(object_)
    attributes = run.attributes(bench.mapping.end(side).system, form)
    keys = [str(intent.key) for intent in batch]
    seen = look(run, bench.systems[side], form, attributes, keys)
    now = run.ledger.facts.revisions(object_, keys)
    calm = [i for i, key in zip(batch, keys, strict=True) if key in seen and now[key] <= (i.rev or 0)]
    settled = {intent.id for intent in calm}
    if len(calm) < len(batch):
        moved = [intent for intent in batch if str(intent.key) in seen and intent.id not in settled]
        _drop(run, bench, moved, "moved", "the record moved before the write; decided again")
        _out_of_sight(run, bench, [intent for intent in batch if str(intent.key) not in seen])
    return calm


def _out_of_sight(run: Run, bench: Bench, batch: Sequence[Intent]) -> None:
    """Updates of records that are not answered: neither gone nor blank. They wait until a sweep looks again."""
    if not batch:
        return
    with run.ledger.transaction():
        run.ledger.intents.close(intent.id for intent in batch)
        for intent in batch:
            run.ledger.inbox.raise_issue(
                OUT_OF_SIGHT,
                bench.mapping.name,
                f"{bench.mapping.end(_side(intent)).system} does not show this record to us any more",
                "Give our user sight of it, or delete it there for good; it is looked for again at each sweep.",
                run.now(),
                object=intent.object,
                key=intent.key,
            )
        run.note(
            [_told(bench, intent, "out_of_sight", "the record is not answered; nothing was sent") for intent in batch]
        )


# ---------------------------------------------------------------- sending


def _send(run: Run, bench: Bench, batch: Sequence[Intent], size: int, later: list[int]) -> None:
    """Sends a window, `size` effects a call. The window is kept as sent before its first call leaves, and its outcomes
    are kept together after the last: two commits for many calls, and a kill leaves at most a window in doubt."""
    side = _side(batch[0])
    system = bench.systems[side]
    form = bench.form(batch[0].object)
    intents, tally = run.ledger.intents, run.tally(bench.mapping.name)
    _mark_sent(run, batch)
    outcomes: list[Outcome] = []
    left, trouble = 0, None
    for start in range(0, len(batch), size):
        if run.stop():
            break
        part = batch[start : start + size]
        try:
            outcomes += system.connector.write(form, [_effect(intent) for intent in part])
        except Doubt as error:
            run.event("doubt", system=system.name, effects=len(part), reason=error.message)
        except (Transient, AccessError) as error:
            # Nothing of this call was carried out, and nothing behind it left. Any other error leaves doubt.
            trouble = error
            break
        left = start + len(part)
    sent = batch[:left]
    with run.ledger.transaction():
        intents.set_state([intent.id for intent in batch[left:]], "ready")
        keep_outcomes(run, bench, sent, outcomes, later)
    tally.writes[side][batch[0].op] += len(sent)
    tally.kinds.update(kinds(sent))
    _look_at_unclear(run, bench, sent, outcomes)
    if trouble is not None:
        raise trouble


def _mark_sent(run: Run, batch: Sequence[Intent]) -> None:
    with run.ledger.transaction():
        for attempt in sorted({intent.attempt for intent in batch}):
            same = [intent.id for intent in batch if intent.attempt == attempt]
            run.ledger.intents.set_state(same, "sent", sent_at=run.now(), attempt=attempt + 1)


def kinds(batch: Sequence[Intent]) -> Counter[str]:
    """What guards count: creates, updates, deletes by record, and clears by field."""
    names = {"create": "creates", "update": "updates", "archive": "deletes"}
    found = Counter(names[intent.op] for intent in batch)
    found["clears"] = sum(change.after is None for intent in batch for change in intent.body.changes)
    return found


def _effect(intent: Intent) -> Effect:
    return Effect(
        ref=str(intent.id),
        op=intent.op,  # type: ignore[arg-type]
        key=intent.key if intent.op != "create" else None,
        attributes=intent.attributes,
        unique=intent.unique,
        expect_ms=intent.expect_ms,
        clear_first=tuple(intent.body.clear_first),
    )


def keep_outcomes(
    run: Run, bench: Bench, batch: Sequence[Intent], outcomes: Sequence[Outcome], later: list[int]
) -> None:
    """Keeps what became of a batch, in one transaction. An intent without an outcome stays in doubt."""
    by_ref = {outcome.ref: outcome for outcome in outcomes}
    groups: dict[str, list[tuple[Intent, Outcome]]] = defaultdict(list)
    for intent in batch:
        outcome = by_ref.get(str(intent.id)) or Outcome(ref=str(intent.id), kind="doubtful")
        groups[outcome.kind].append((intent, outcome))
        run.tally(bench.mapping.name).outcomes[outcome.kind] += 1
    with run.ledger.transaction():
        _keep_sent(run, bench, groups["sent"])
        for intent, outcome in groups["refused"]:
            if outcome.again and intent.attempt < CIRCUMSTANCE_TRIES:
                later.append(intent.id)
            else:
                _keep_refused(run, bench, intent, outcome)
        moved = [intent for intent, _ in groups["moved"]]
        _drop(run, bench, moved, "moved", "the record moved before the write; decided again")
        gone = [intent for intent, _ in groups["gone"]]
        _drop(run, bench, gone, "gone", "the record is gone; decided again once its fate is known")
        run.note([_told(bench, i, "doubtful", "no answer: waits to be looked at") for i, _ in groups["doubtful"]])


def _look_at_unclear(run: Run, bench: Bench, batch: Sequence[Intent], outcomes: Sequence[Outcome]) -> None:
    """Reads what moved or is gone, so that the next decision is made on what it became."""
    refs = {outcome.ref for outcome in outcomes if outcome.kind in ("moved", "gone")}
    unclear = [intent for intent in batch if str(intent.id) in refs and intent.key]
    if unclear:
        side, form = _side(unclear[0]), bench.form(unclear[0].object)
        attributes = run.attributes(bench.mapping.end(side).system, form)
        seen = look(run, bench.systems[side], form, attributes, [str(intent.key) for intent in unclear])
        lost = [intent for intent in unclear if intent.key not in seen]
        run.ledger.books.forget_again(bench.mapping.name, [(intent.object, str(intent.key)) for intent in lost])
        _out_of_sight(run, bench, lost)


def _keep_sent(run: Run, bench: Bench, pairs: Sequence[tuple[Intent, Outcome]]) -> None:
    now = run.now()
    rows: list[tuple[int, str | None, float, int, Body]] = []
    notes: list[Note] = []
    revision = run.ledger.facts.revision()
    for intent, outcome in pairs:
        key = outcome.key or intent.key
        answer = None if outcome.attributes is None else dict(outcome.attributes)
        body = msgspec.structs.replace(intent.body, answer=answer, stamp_ms=outcome.stamp_ms)
        rows.append((intent.id, key, now, revision, body))
        notes.append(_told(bench, intent, "sent", f"{intent.op} answered", key))
    run.ledger.intents.answer(rows)
    adopt(run, bench, [(i, o.key) for i, o in pairs if i.op == "create" and o.key is not None])
    run.note(notes)


def adopt(run: Run, bench: Bench, made: Sequence[tuple[Intent, str]]) -> None:
    """Links created records (intent, key) to their sources; a source's base is what the create was decided on."""
    name = bench.mapping.name
    rows = []
    for intent, key in made:
        assert intent.source is not None
        side = _side(intent)
        source = LinkSide(other(side), *intent.source, intent.body.decided or {}, False)
        rows.append(
            NewLink(
                f"created from {other(side)}", (source, LinkSide(side, intent.object, key, {}, bool(intent.unique)))
            )
        )
    links = run.ledger.links.make(name, rows, run.now())
    run.ledger.intents.set_link([(intent.id, link) for (intent, _), link in zip(made, links, strict=True)])
    if made and run.ledger.inbox.issue_count(name):
        for intent, _ in made:
            if intent.source:
                run.ledger.inbox.close_issues(run.now(), mapping=name, object=intent.source[0], keys=[intent.source[1]])


def _keep_refused(run: Run, bench: Bench, intent: Intent, outcome: Outcome) -> None:
    """A refusal is an issue, and settles what it names: nothing is sent again unchanged."""
    named = [change for change in intent.body.changes if change.attribute in outcome.culprits]
    at = (intent.object, intent.key) if intent.key else intent.source
    assert at is not None
    remedy = "Mend the value, or the rule in the system that refuses it; then `syncd issues retry ID`."
    if outcome.existing is not None:
        remedy = f"The record {outcome.existing} holds this value already: merge them, or pick it for the link."
    run.ledger.inbox.raise_issue(
        "refused" if outcome.existing is None else "exists_already",
        intent.mapping,
        f"{intent.op} refused by {bench.mapping.end(_side(intent)).system}: {outcome.code} {outcome.message}".strip(),
        remedy,
        run.now(),
        object=at[0],
        key=at[1],
        field=named[0].field if len(named) == 1 else None,
        doc={
            "culprits": list(outcome.culprits),
            "changes": [c.field for c in intent.body.changes],
            "link": intent.link,
        },
    )
    run.note([_told(bench, intent, "refused", f"{intent.op} refused: {outcome.code}")])
    run.ledger.intents.close([intent.id])
    if intent.link is None:
        return
    settle_changes(run, bench, intent, [c.field for c in (named or intent.body.changes)])
    if named and len(named) < len(intent.body.changes):
        _again(run, bench, [intent])


def settle_changes(run: Run, bench: Bench, intent: Intent, fields: Sequence[str]) -> None:
    """Lets the difference in these fields stand: both bases become what both sides said when it was decided."""
    link = run.ledger.links.get(intent.link) if intent.link else None
    if link is None:
        return
    side = _side(intent)
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


def _drop(run: Run, bench: Bench, batch: Sequence[Intent], kind: str, why: str) -> None:
    """Forgets effects that were not applied and lets their records be decided again."""
    if batch:
        run.ledger.intents.close(intent.id for intent in batch)
        run.note([_told(bench, intent, kind, why) for intent in batch])
        _again(run, bench, batch)


def _again(run: Run, bench: Bench, batch: Iterable[Intent]) -> None:
    at = []
    for intent in batch:
        if intent.key is not None:
            at.append((intent.object, intent.key))
        elif intent.source is not None:
            at.append(intent.source)
    run.ledger.books.decide_again(bench.mapping.name, at)


def _told(bench: Bench, intent: Intent, kind: str, said: str, key: str | None = None) -> Note:
    at = (intent.object, key or intent.key) if key or intent.key else (intent.source or (intent.object, ""))
    return Note(kind, f"{intent.side}: {said}", bench.mapping.name, intent.link, *at)
