"""Doubt: intents that left and whose fate nobody knows are resolved by looking, before anything else happens.

create, with a key field     found by key -> adopted; not found -> sent again: the key lets only one exist
create, without one          found by match value -> decided again; not found -> waits `late`, then decided again
update, with a precondition  unmoved -> sent again under the same condition; moved: ours stands -> answered, else decided again
update, with a history       ours in it -> answered; else waits `late`, then decided again
update, with neither         all of it stands -> answered; else waits `late`, then as with a precondition
archive                      gone -> answered; edited -> decided again; else waits `late`, then sent again
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from syncd import marks
from syncd.connector import Entry, Record
from syncd.core.model import Side
from syncd.errors import AccessError, Transient
from syncd.ledger.intents import Intent
from syncd.ledger.journal import Note
from syncd.outcomes import about, adopt_unanswered, settle_changes, side_of
from syncd.poll import look
from syncd.run import Bench, Run

BATCH = 500
ALONE_AFTER = 2
"""Writes in a row without an answer after which a record is sent in a call of its own."""
MOST_DOUBTS = 5
"""And after which it waits for a person, if the system answered others meanwhile: then it is the record."""
UNANSWERED = "unanswered"


def recover(run: Run, bench: Bench) -> None:
    """Resolves what can be resolved now. What must wait for its `late` time stays, and is reported as waiting."""
    after = 0
    while batch := run.ledger.intents.batch(bench.mapping.name, "sent", after, BATCH):
        after = batch[-1].id
        groups: dict[tuple[int, str], list[Intent]] = defaultdict(list)
        for intent in batch:
            groups[intent.object, intent.op].append(intent)
        for (object_, op), intents in groups.items():
            system = bench.systems[bench.side(object_)]
            if system.trouble:
                continue
            try:
                {"create": _creates, "archive": _archives}.get(op, _updates)(run, bench, object_, intents)
            except (Transient, AccessError) as error:
                system.trouble, system.failure = error.message, error


def _creates(run: Run, bench: Bench, object_: int, intents: Sequence[Intent]) -> None:
    side = bench.side(object_)
    system = bench.systems[side]
    found: dict[str, tuple[int, Record]] = {}
    keyed = bench.key_attribute(object_) is not None
    revision = run.ledger.facts.revision()
    for form_object in bench.objects(side):
        form = bench.form(form_object)
        key = system.traits(form).key
        if key is None:
            continue
        attributes = run.attributes(system.name, form)
        wanted = sorted({intent.unique for intent in intents if intent.unique})
        for start in range(0, len(wanted), system.traits(form).find_batch):
            hits = list(
                system.connector.find(form, attributes, key, wanted[start : start + system.traits(form).find_batch])
            )
            run.ledger.facts.keep(form_object, [hit.record for hit in hits])
            # A lead that was converted since is what was made, whatever it became.
            found |= {
                hit.value: (form_object, hit.record)
                for hit in hits
                if hit.record.state != "gone" and found.get(hit.value, (None,))[0] != object_
            }
    alive = _alive(run, intents)
    poison = _poison(run, intents)
    with run.ledger.transaction():
        for intent in intents:
            hit = found.get(intent.unique or "")
            waited_s = run.now() - (intent.sent_at or 0)
            if hit is not None and hit[1].state in ("live", "converted") and hit[0] == object_:
                adopt_unanswered(run, bench, intent, hit[1].key, revision)
            elif hit is not None:
                _again(run, bench, intent, "the record exists by now; decided again")
            elif intent.id in poison:
                _give_up(run, bench, intent)
            elif keyed and intent.unique and intent.source in alive:
                run.ledger.intents.set_state([intent.id], "ready")
                run.note([_told(bench, intent, "resent", "not found by its key: sent again, the key lets one exist")])
            elif waited_s >= system.timing.late_s + system.timing.lag_s:
                _again(run, bench, intent, "never arrived; decided again")


def _poison(run: Run, intents: Sequence[Intent]) -> set[int]:
    """Those that the system never answers, though it answers others. Who is on the way there goes alone from now on."""
    by_object: dict[int, list[Intent]] = defaultdict(list)
    for intent in intents:
        by_object[about(intent)[0]].append(intent)
    found: set[int] = set()
    for object_, some in by_object.items():
        doubts = run.ledger.journal.doubted(object_, [about(intent)[1] for intent in some])
        for intent in some:
            count, since = doubts.get(about(intent)[1], (0, 0))
            if count >= ALONE_AFTER:
                run.alone.add(about(intent))
            if count >= MOST_DOUBTS and run.ledger.journal.answered_since(intent.object, since):
                found.add(intent.id)
    return found


def _give_up(run: Run, bench: Bench, intent: Intent) -> None:
    """The write is not sent again by itself: the difference stands, and a person is asked."""
    object_, key = about(intent)
    system = bench.mapping.end(side_of(intent)).system
    fields = [change.field for change in intent.body.changes]
    settle_changes(run, bench, intent, fields)
    marks.settle(run, intent)
    run.ledger.intents.close([intent.id])
    run.ledger.inbox.raise_issue(
        UNANSWERED,
        intent.mapping,
        f"{system} answered other writes, and gave no answer to this {intent.op} {MOST_DOUBTS} times in a row"
        f" (fields: {', '.join(fields)}); it is not sent again",
        "Look at the record there for an automation that fails or runs too long; then `syncd issues retry ID`.",
        run.now(),
        object=object_,
        key=key,
        field=fields[0] if len(fields) == 1 else None,
        doc={"changes": fields, "link": intent.link},
    )
    run.note([_told(bench, intent, UNANSWERED, f"given up after {MOST_DOUBTS} tries without an answer")])


def _alive(run: Run, intents: Sequence[Intent]) -> set[tuple[int, str] | None]:
    """The sources that are still there and alone: nothing more is made in the image of others."""
    by_object: dict[int, list[str]] = defaultdict(list)
    for intent in intents:
        if intent.source is not None:
            by_object[intent.source[0]].append(intent.source[1])
    return {
        (fact.object, fact.key)
        for object_, keys in by_object.items()
        for links in [run.ledger.links.of_records(intents[0].mapping, object_, keys)]
        for fact in run.ledger.facts.many(object_, keys).values()
        if fact.state == "live" and fact.key not in links
    }


def _updates(run: Run, bench: Bench, object_: int, intents: Sequence[Intent]) -> None:
    side, form = bench.forms[object_]
    system = bench.systems[side]
    traits = system.traits(form)
    revision = run.ledger.facts.revision()
    keys = [str(intent.key) for intent in intents]
    seen = look(run, system, form, run.attributes(system.name, form), keys, history=traits.history)
    poison = _poison(run, intents)
    with run.ledger.transaction():
        for intent in intents:
            record = seen.get(str(intent.key))
            late = run.now() - (intent.sent_at or 0) >= system.timing.late_s
            if record is None:
                if late:
                    _again(run, bench, intent, "its record is not answered; decided again")
            elif record.state != "live":
                _again(run, bench, intent, f"its record is {record.state}; decided again")
            elif intent.id in poison and late and _applied(bench, intent, side, record, late) is None:
                _give_up(run, bench, intent)
            elif traits.precondition and intent.expect_ms is not None and record.stamp_ms <= intent.expect_ms:
                run.ledger.intents.set_state([intent.id], "ready")
                run.note([_told(bench, intent, "resent", "not applied: sent again under the same condition")])
            elif (said := _applied(bench, intent, side, record, late or traits.precondition)) is not None:
                body = msgspec.structs.replace(intent.body, guessed=not said)
                run.ledger.intents.answer([(intent.id, intent.key, run.now(), revision, body)])
                run.note([_told(bench, intent, "adopted", "seen applied")])
            elif traits.precondition and intent.expect_ms is not None:
                _again(run, bench, intent, "its record moved on; decided again")
            elif late and _half_done(intent, record):
                # That it is blank now is our own doing: it was decided on all the same.
                run.ledger.intents.set_state([intent.id], "ready", rev=run.ledger.facts.revision())
                run.note([_told(bench, intent, "resent", "cleared and not yet set: the second step is sent again")])
            elif late:
                _again(run, bench, intent, "never arrived; decided again")


def _archives(run: Run, bench: Bench, object_: int, intents: Sequence[Intent]) -> None:
    """A delete that was not answered: its record tells. It was approved as the record stood, and is sent again only for
    that."""
    side, form = bench.forms[object_]
    system = bench.systems[side]
    revision = run.ledger.facts.revision()
    seen = look(run, system, form, run.attributes(system.name, form), [str(intent.key) for intent in intents])
    with run.ledger.transaction():
        for intent in intents:
            record = seen.get(str(intent.key))
            late = run.now() - (intent.sent_at or 0) >= system.timing.late_s
            if record is not None and record.state == "gone":
                run.ledger.intents.answer([(intent.id, intent.key, run.now(), revision, intent.body)])
                run.note([_told(bench, intent, "adopted", "seen deleted")])
            elif record is not None and (record.state != "live" or record.stamp_ms > (intent.expect_ms or 0)):
                _again(run, bench, intent, "its record moved on; decided again")
            elif late and record is not None:
                run.ledger.intents.set_state([intent.id], "ready")
                run.note([_told(bench, intent, "resent", "not applied: sent again")])
            elif late:
                _again(run, bench, intent, "its record is not answered; decided again")


def _applied(bench: Bench, intent: Intent, side: Side, record: Record, over: bool) -> bool | None:
    """Whether the update was applied: True, its history says so; False, the record looks like it; None, not that we can
    see. `over`: it cannot land any more, so that a part of it standing is enough; somebody changed the rest since."""
    if intent.body.changes and not any(change.field in bench.fields for change in intent.body.changes):
        return None  # a list: what its record looks like does not tell
    told = record.history is not None and (
        not intent.body.changes or any(change.attribute in record.history for change in intent.body.changes)
    )
    if record.history is not None and told:
        return True if _in_history(bench, intent, side, record.history) else None
    key = bench.key_attribute(intent.object)
    if not intent.body.changes:
        return False if key is not None and record.attributes.get(key) == intent.unique else None
    stands = []
    for change in intent.body.changes:
        if change.field not in bench.fields:
            continue
        canonical = bench.field(change.field).canonical
        after = canonical(side, change.after)
        same = canonical(side, record.attributes.get(change.attribute)) == after
        if not over or canonical(side, change.before) != after:
            stands.append(same)
    return False if stands and (any(stands) if over else all(stands)) else None


def _in_history(bench: Bench, intent: Intent, side: Side, history: Mapping[str, list[Entry]]) -> bool:
    if not intent.body.changes:
        entries = history.get(bench.key_attribute(intent.object) or "", [])
        return any(entry.ours and entry.value == intent.unique for entry in entries)
    for change in intent.body.changes:
        if change.field not in bench.fields:
            continue
        canonical = bench.field(change.field).canonical
        after = canonical(side, change.after)
        for entry in history.get(change.attribute, []):
            if entry.ours and entry.at_ms > (intent.expect_ms or 0) and canonical(side, entry.value) == after:
                return True
    return False


def _half_done(intent: Intent, record: Record) -> bool:
    first = intent.body.clear_first
    return bool(first) and all(record.attributes.get(name) in (None, "") for name in first)


def _again(run: Run, bench: Bench, intent: Intent, why: str) -> None:
    run.ledger.intents.close([intent.id])
    marks.doubt(run, intent)
    at = (intent.object, intent.key) if intent.op != "create" and intent.key else intent.source
    if at is not None:
        run.ledger.books.decide_again(bench.mapping.name, [at])
    run.note([_told(bench, intent, "dropped", why)])


def _told(bench: Bench, intent: Intent, kind: str, said: str) -> Note:
    at = (intent.object, intent.key) if intent.key else (intent.source or (intent.object, ""))
    return Note(kind, f"{intent.side}: {intent.op}: {said}", bench.mapping.name, intent.link, *at)
