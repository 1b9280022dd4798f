"""Believe: answered intents -> what was seen again -> bases.

A write is done when its value was seen, not when it was answered. What is seen instead decides the rest: the same
(echo), altered (bent), unchanged (ignored), somebody's later edit (moves on), or somebody's edit that our write covered
(kept as a loser, or put back).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from typing import Any, Literal

import msgspec

from syncd import marks
from syncd.connector import Entry, ObjectTraits, Record
from syncd.core.mapping import Field
from syncd.core.merge import UNASKED
from syncd.core.model import Side, other
from syncd.core.plan import Change
from syncd.errors import AccessError, Transient
from syncd.ledger.facts import hash_of
from syncd.ledger.inbox import Conflict
from syncd.ledger.intents import Body, Intent
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.poll import look
from syncd.references import Said, of_links
from syncd.run import Bench, Run

BATCH = 1000
EDITED_AFTER = "edited_after"


class Sight(msgspec.Struct, frozen=True):
    """A record as seen after our write."""

    attributes: Map[str, Any]
    ours: bool
    history: Map[str, list[Entry]] | None = None
    hash: int | None = None
    """Of all its facts, where it is a whole record."""
    at_birth: bool = False
    """The create's own answer: nobody can have touched it yet."""
    fenced: bool = False
    """Our write was taken, and only as long as nobody else had written: what somebody else wrote came after it."""


def confirm(run: Run, bench: Bench) -> None:
    """Settles every answered intent that has been seen; the others wait for the next feed, or for `lag`."""
    after = 0
    while batch := run.ledger.intents.batch(bench.mapping.name, "answered", after, BATCH):
        after = batch[-1].id
        by_object: dict[int, list[Intent]] = defaultdict(list)
        for intent in batch:
            by_object[intent.object].append(intent)
        for object_, intents in by_object.items():
            sights, read = _sights(run, bench, object_, intents)
            seen = [(intent, sights[intent.id]) for intent in intents if intent.id in sights]
            if seen:
                with run.ledger.transaction():
                    run.ledger.facts.keep(object_, read)
                    _settle(run, bench, seen)


def _sights(run: Run, bench: Bench, object_: int, intents: Sequence[Intent]) -> tuple[dict[int, Sight], list[Record]]:
    """What is known by now about each intent's record, asking the system only where nothing else tells. The second
    part is what it said, to be kept with the judgement."""
    side, form = bench.forms[object_]
    system = bench.systems[side]
    traits = system.traits(form)
    sights: dict[int, Sight] = {}
    read: list[Record] = []
    ask_history: list[Intent] = []
    ask_again: list[Intent] = []
    untold: list[Intent] = []
    for intent in intents:
        if intent.op == "update" and intent.link is None:
            sights[intent.id] = Sight({}, True)  # a mark: whatever its record says next is looked at with its facts
        elif intent.op == "create" and intent.body.answer is not None:
            sights[intent.id] = Sight(intent.body.answer, True, at_birth=True)
        elif traits.history and intent.op == "update":
            ask_history.append(intent)
        elif intent.body.answer is not None:
            sights[intent.id] = Sight(intent.body.answer, True)
        else:
            untold.append(intent)
    facts = run.ledger.facts.many(object_, [str(intent.key) for intent in untold])
    for intent in untold:
        fact = facts.get(str(intent.key))
        if fact is not None and fact.rev > (intent.rev or 0):
            sights[intent.id] = Sight(fact.attributes, fact.ours, hash=fact.hash, fenced=_fenced(traits, intent))
        elif run.now() - (intent.answered_at or 0) >= system.timing.lag_s:
            ask_again.append(intent)
    if system.trouble:
        return sights, read
    try:
        wanted = run.attributes(system.name, form)
        for start in range(0, len(ask_history), traits.history_batch):
            part = ask_history[start : start + traits.history_batch]
            keys = [str(intent.key) for intent in part]
            seen = {r.key: r for r in system.connector.fetch(form, wanted, keys, history=True)}
            read += seen.values()
            sights.update((i.id, _sight(seen[str(i.key)])) for i in part if str(i.key) in seen)
        if ask_again:
            found = look(run, system, form, wanted, [str(intent.key) for intent in ask_again])
            for intent in ask_again:
                if (record := found.get(str(intent.key))) is not None:
                    sights[intent.id] = msgspec.structs.replace(_sight(record), fenced=_fenced(traits, intent))
    except (Transient, AccessError) as error:
        system.trouble = error.message
        system.failure = error
    return sights, read


def _fenced(traits: ObjectTraits, intent: Intent) -> bool:
    return traits.precondition and intent.expect_ms is not None and not intent.body.guessed


def _sight(record: Record) -> Sight:
    return Sight(record.attributes, record.ours, record.history, hash_of(record.attributes))


# ---------------------------------------------------------------- what was seen


class _Judged(msgspec.Struct):
    """What the sight of one record means for its link's bases, and what else follows."""

    target: list[tuple[str, Any]]
    source: list[tuple[str, Any]]
    notes: list[tuple[str, str]]
    losers: list[tuple[Change, Any]]
    ignored: list[Change]
    ways_back: list[Change]
    """Ignored, and to be tried again with the field emptied first."""
    unapplied: list[Change]
    """Not seen, of a write that was not answered: decided again."""


def _settle(run: Run, bench: Bench, seen: Sequence[tuple[Intent, Sight]]) -> None:
    links = {link.id: link for link in run.ledger.links.many({i.link for i, _ in seen if i.link is not None})}
    notes: list[Note] = []
    stamped: list[tuple[int, str]] = []
    latest: dict[tuple[int, str], dict[str, Any]] = {}
    rests: dict[tuple[int, str], int] = {}
    losers: list[Conflict] = []
    if bench.references:
        bench = of_links(run, bench, links.values(), {}, _said(bench, seen))
    for intent, sight in seen:
        link = links.get(intent.link or 0)
        if link is None:
            marks.settle(run, intent)
            continue
        side: Side = "crm" if intent.side == "crm" else "marketing"
        judged = _judge(bench, intent, link, side, sight)
        for end, values in ((side, judged.target), (other(side), judged.source)):
            base = latest.get((link.id, end))
            if base is None:
                base = latest[link.id, end] = link.end(end).base.copy()
            base.update(values)
        if sight.hash is not None and _rests(bench, link, side, sight, latest[link.id, side]):
            rests[link.id, side] = sight.hash
        if intent.unique:
            stamped.append((link.id, side))
        at = (intent.object, str(intent.key))
        notes += [Note(kind, said, bench.mapping.name, link.id, *at) for kind, said in judged.notes]
        losers += _overridden(run, intent, judged)
        if any(kind == EDITED_AFTER for kind, _ in judged.notes):
            # Set back to just what it was, it says nothing new, and nobody would look at it.
            run.ledger.books.decide_again(bench.mapping.name, [at])
        if judged.losers or judged.ignored or judged.ways_back or judged.unapplied or intent.puts_back:
            _follow_up(run, bench, intent, side, judged)
    run.ledger.links.set_bases([(*end, base, rests.get(end)) for end, base in latest.items()])
    run.ledger.links.stamp(stamped)
    run.ledger.inbox.keep_losers(losers)
    run.ledger.intents.close([intent.id for intent, _ in seen])
    run.note(notes)


def _said(bench: Bench, seen: Sequence[tuple[Intent, Sight]]) -> Iterator[Said]:
    """Every value that is about to be compared: what was seen, what was written, and what stood there before."""
    for intent, sight in seen:
        side, form = bench.forms[intent.object]
        yield side, form, sight.attributes
        yield side, form, intent.attributes
        yield side, form, {change.attribute: change.before for change in (*intent.body.changes, *intent.body.along)}


def _rests(bench: Bench, link: Link, side: Side, sight: Sight, base: Map[str, Any]) -> bool:
    """Whether the record says just what its base says: then seeing it again decides nothing."""
    said = sight.attributes
    for pair in bench.pairs(link.marketing.object, link.crm.object):
        if side in pair.field.rolled:
            continue  # it is not the system's: when it turns, the record is decided again for that
        marketing = side == "marketing"
        name, key = (pair.marketing, pair.marketing_base) if marketing else (pair.crm, pair.crm_base)
        if base.get(key, UNASKED) != said.get(name, UNASKED):
            return False
    return True


def _judge(bench: Bench, intent: Intent, link: Link, side: Side, sight: Sight) -> _Judged:
    judged = _Judged([], [], [], [], [], [], [])
    end = link.end(side)
    moved_on = (intent.object, intent.key) != (end.object, end.key)
    for change in intent.body.changes:
        # The link may lead to another form by now, with other names.
        pair = bench.pair(link.marketing.object, link.crm.object, change.field)
        if pair is None:
            continue
        field, mine = pair.field, pair.base(side)
        seen = sight.attributes.get(change.attribute, UNASKED)
        entries = (sight.history or {}).get(change.attribute) or []
        found = _found(field, side, change, intent, seen, sight, entries)
        if found == "unapplied":
            judged.unapplied.append(change)
            continue
        emptied = change.attribute in intent.body.clear_first
        if found == "not taken" and field.backward == "clear_then_set" and not emptied:
            # Nothing is settled before the second try, so that it is not forgotten if the record moves meanwhile.
            judged.ways_back.append(change)
            continue
        if change.source is not None and not change.restores:
            judged.source.append((pair.base(other(side)), change.decided))
        if moved_on and (mine not in end.base or found != "ours"):
            # What became of our write in the new form was decided when the link followed.
            continue
        stands = change.after if seen is UNASKED or found == "theirs" else seen
        judged.target.append((mine, field.settled(side, stands)))
        if found == "ours" and change.restores:
            judged.target.append((mine, change.before))
        elif found == "ours":
            covered = _covered(field, side, change, intent, entries)
            judged.losers += [(change, covered)] if covered is not None else []
        elif found == "theirs":
            judged.notes.append((EDITED_AFTER, f"{change.field}: edited on {side} after our write; that moves on"))
        elif found == "not taken":
            judged.ignored.append(change)
        elif found == "bent":
            judged.notes.append(("bent", f"{change.field}: {side} altered what was written; the difference stands"))
    for change in () if moved_on else intent.body.along:
        _judge_along(bench, intent, link, side, sight, judged, change)
    if intent.op == "create":
        _judge_birth(bench, intent, link, side, sight, judged)
    return judged


def _judge_along(
    bench: Bench, intent: Intent, link: Link, side: Side, sight: Sight, judged: _Judged, change: Change
) -> None:
    """A field that was only said as it stood: nothing settles by it. Where the system set it all the same, that is
    nobody's edit; where somebody edited it under our write, that is put back."""
    pair = bench.pair(link.marketing.object, link.crm.object, change.field)
    seen = sight.attributes.get(change.attribute, UNASKED)
    if pair is None or seen is UNASKED:
        return
    field, mine, base = pair.field, pair.base(side), link.end(side).base
    entries = (sight.history or {}).get(change.attribute) or []
    found = _found(field, side, change, intent, seen, sight, entries)
    if found == "ours" and (covered := _covered(field, side, change, intent, entries)) is not None:
        judged.losers.append((change, covered))
    at_rest = mine in base and field.canonical(side, base[mine]) == field.canonical(side, change.before)
    if found == "bent" and at_rest:
        judged.target.append((mine, field.settled(side, seen)))
        judged.notes.append(("bent", f"{change.field}: {side} set it by itself with our write; the difference stands"))


Finding = Literal["ours", "theirs", "not taken", "unapplied", "bent"]
"""What a field says after our write: it; somebody's later edit; what it said before, though the system answered; the
same, and perhaps it never arrived; something else that nobody typed."""


def _found(
    field: Field, side: Side, change: Change, intent: Intent, seen: Any, sight: Sight, entries: Sequence[Entry]
) -> Finding:
    """A difference is somebody's edit where a history or the last writer says so, and nothing else explains it."""
    wanted = field.canonical(side, change.after)
    if seen is UNASKED or field.canonical(side, seen) == wanted:
        return "ours"
    unchanged = field.canonical(side, seen) == field.canonical(side, change.before)
    if entries:
        arrived = any(entry.ours and field.canonical(side, entry.value) == wanted for entry in entries)
        if not entries[0].ours and (arrived or not unchanged):
            return "theirs"
    elif not sight.ours and (sight.fenced or not unchanged):
        return "theirs"  # also who sets it back to what it was before us
    if unchanged:
        return "unapplied" if intent.body.guessed else "not taken"
    return "bent"


def _judge_birth(bench: Bench, intent: Intent, link: Link, side: Side, sight: Sight, judged: _Judged) -> None:
    """What a new record holds beside what we wrote: its system's defaults, unless somebody touched it already. A field
    that only ever flows away from there is new to the other side all the same: the two have yet to meet."""
    written = {change.field for change in intent.body.changes}
    untouched = sight.ours or sight.at_birth
    for pair in bench.pairs(link.marketing.object, link.crm.object):
        if pair.field.name not in written:
            seen = sight.attributes.get(pair.attribute(side), None)
            agreed = untouched and pair.field.writable(side)
            judged.target.append((pair.base(side), pair.field.settled(side, seen) if agreed else None))


def _covered(field: Any, side: Side, change: Change, intent: Intent, entries: Sequence[Entry]) -> Any | None:
    """A person's value that our write replaced without knowing: newer than what we decided on, older than ours."""
    before = field.canonical(side, change.before)
    for entry in entries[1:]:
        if entry.at_ms <= (intent.expect_ms or 0):
            return None
        value = field.canonical(side, entry.value)
        if not entry.ours and value is not None and value not in (before, field.canonical(side, change.after)):
            return entry.value
    return None


# ---------------------------------------------------------------- what follows


def _overridden(run: Run, intent: Intent, judged: _Judged) -> list[Conflict]:
    """The edits that this write replaced by decision. Kept once the write was seen, whichever way it got there."""
    lost = [c for c in intent.body.changes if c.lost]
    if not lost:
        return []
    at = (intent.object, str(intent.key))
    return [
        Conflict(0, intent.mapping, intent.link, c.field, intent.side, *at, c.after, c.before, run.now(), c.why, None)
        for c in lost
        if c not in judged.ignored and c not in judged.ways_back
    ]


def _follow_up(run: Run, bench: Bench, intent: Intent, side: Side, judged: _Judged) -> None:
    """Losers kept, covered edits put back where the target's side wins, backward stages tried the documented way."""
    now, name = run.now(), bench.mapping.name
    at = (intent.object, str(intent.key))
    put_back: list[Change] = []
    for change, value in judged.losers:
        field = bench.field(change.field)
        # Kept in any case: what is to be put back may be overtaken.
        why = "edited while our write was on its way"
        run.ledger.inbox.keep_losers(
            [Conflict(0, name, intent.link, change.field, side, *at, change.after, value, now, why, None)]
        )
        # Nobody decided anything about a field that was only said as it stood.
        if field.flow == "both" and (field.clash == side or change in intent.body.along):
            put_back.append(
                Change(change.field, change.attribute, change.after, value, "puts back an edit that our write covered")
            )
    for change in intent.body.changes:
        if change.restores and change not in judged.ignored and intent.link is not None:
            run.ledger.inbox.mark_put_back(intent.link, change.field, change.after, now)
    if put_back:
        changes = [msgspec.structs.replace(change, restores=True) for change in put_back]
        _plan(run, bench, intent, changes, [])
    if judged.unapplied:
        run.ledger.books.decide_again(name, [at])
    if judged.ways_back:
        _plan(run, bench, intent, judged.ways_back, [change.attribute for change in judged.ways_back])
    for change in judged.ignored:
        run.ledger.inbox.raise_issue(
            "ignored",
            name,
            f"{change.field}: {side} answered that it is written, and kept its own value; it is not sent again",
            "Look for a rule or automation on that system that protects the field, or make the field one-way.",
            now,
            object=at[0],
            key=at[1],
            field=change.field,
        )


def _plan(run: Run, bench: Bench, intent: Intent, changes: list[Change], clear_first: list[str]) -> None:
    """A second effect on the same record, ready to be sent: it belongs to a plan that was released already."""
    fact = run.ledger.facts.get(intent.object, str(intent.key))
    run.ledger.intents.plan(
        [
            {
                "mapping": bench.mapping.name,
                "link": intent.link,
                "side": intent.side,
                "object": intent.object,
                "key": intent.key,
                "source": intent.source,
                "op": "update",
                "state": "ready",
                "lane": intent.lane,
                "unique": None,
                "expect_ms": fact.stamp_ms if fact else None,
                "rev": run.ledger.facts.revision(),
                "body": Body(changes=changes, clear_first=clear_first),
            }
        ],
        run.now(),
    )
