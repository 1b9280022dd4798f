"""Act: ready intents -> sent in batches -> outcomes kept.

An intent is `sent` on disk before its call leaves, so a kill can only leave doubt, never a forgotten write; doubt is
resolved by looking (`recover`). Before a create, its key and match values are looked for on the target, in every form;
before an update, the record is looked at where the system has no precondition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from syncd import schemas
from syncd.assembly import Connected
from syncd.connector import Effect, Outcome
from syncd.core.model import SIDES
from syncd.errors import AccessError, Doubt, Transient
from syncd.holding import KINDS
from syncd.ledger.intents import Intent
from syncd.matchvalues import KEY_RULE, looked_for
from syncd.outcomes import about, adopt_unanswered, drop, keep_outcomes, side_of, told
from syncd.poll import look
from syncd.references import pointing_nowhere
from syncd.run import Bench, Run

LANES = ("urgent", "normal", "backfill")
"""The order in which work is sent."""

OUT_OF_SIGHT = "out_of_sight"
"""The issue about a record that is to be written and is not shown to us."""


def write(run: Run, bench: Bench, lanes: Sequence[str] = LANES, windows: int | None = None) -> None:
    """Sends everything that is ready, most urgent lane first. A side in trouble is left; the other goes on. In safe
    mode nothing is sent.

    `windows`: at most so many windows of effects a lane, for work that must let other work in between.
    """
    if run.ledger.epoch.safe(bench.mapping.name):
        return
    later: list[int] = []
    try:
        for lane in lanes:
            done = 0
            while not run.stop() and done != windows:
                done += 1
                sides = [side for side in SIDES if _may_send(bench.systems[side], lane)]
                like = run.ledger.intents.next_ready(bench.mapping.name, lane, sides)
                if like is None:
                    break
                batch = run.ledger.intents.ready(bench.mapping.name, lane, like, _window(bench, like[1], like[2]))
                _send_window(run, bench, batch, lane, later)
    finally:
        run.ledger.intents.set_state(later, "ready")


def _may_send(system: Connected, lane: str) -> bool:
    """Whether effects of that lane go to the system now: when only the urgent share of our budget is left, the others
    wait without troubling anybody."""
    return not system.trouble and (lane == "urgent" or not system.budget.only_urgent)


def _window(bench: Bench, object_: int, op: str) -> int:
    """How many intents are taken at once: creates as many as one look finds, so that looking is cheap; updates no more
    than one look and one call, so that little time lies between the two."""
    traits = bench.systems[bench.side(object_)].traits(bench.form(object_))
    if op == "create":
        return max(traits.find_batch, traits.create_batch)
    return traits.update_batch * (20 if traits.precondition else 1)


def _send_window(run: Run, bench: Bench, batch: Sequence[Intent], lane: str, later: list[int]) -> None:
    side, op, object_ = side_of(batch[0]), batch[0].op, batch[0].object
    system = bench.systems[side]
    traits = system.traits(bench.form(object_))
    size = {"create": traits.create_batch, "update": traits.update_batch, "archive": traits.archive_batch}[op]
    try:
        with system.lane(lane):
            if bench.references:
                batch = _pointing_somewhere(run, bench, batch)
            if not batch:
                return
            if op == "create":
                batch = _without_partners(run, bench, batch)
            elif not traits.precondition:
                batch = _unmoved(run, bench, batch)
            else:
                batch = _past_their_second(run, bench, batch, traits.grain_ms)
            if batch:
                _send(run, bench, batch, size, later)
    except (Transient, AccessError) as error:
        system.trouble = error.message
        system.failure = error
        run.event("side_held", system=system.name, reason=error.message)


# ---------------------------------------------------------------- looking first


def _pointing_somewhere(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Without effects whose references lead to records that are no longer linked: those are decided again."""
    lost = pointing_nowhere(run, bench, batch)
    if lost:
        with run.ledger.transaction():
            drop(run, bench, lost, "moved", "what it refers to is linked otherwise by now; decided again")
    left = {intent.id for intent in lost}
    return [intent for intent in batch if intent.id not in left]


def _without_partners(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Creates whose record is not on the target yet, by key and by match value, in every form."""
    side = side_of(batch[0])
    system = bench.systems[side]
    batch = _not_made_before(run, bench, batch)
    repeated = {intent.id for intent in batch if intent.attempt}
    arrived: dict[int, tuple[int, str]] = {}
    matched: set[int] = set()
    aliases: dict[int, tuple[int, str]] = {}
    for object_ in reversed(bench.objects(side)):
        form = bench.form(object_)
        attributes = run.attributes(bench.mapping.end(side).system, form)
        for asked in looked_for(bench, batch, side, form, system.traits(form).key):
            spelled = sorted(asked.values)
            for start in range(0, len(spelled), system.traits(form).find_batch):
                part = spelled[start : start + system.traits(form).find_batch]
                found = list(system.connector.find(form, attributes, asked.where, part))
                run.ledger.facts.keep(object_, [hit.record for hit in found])
                for hit in found:
                    if hit.record.state not in ("live", "converted"):
                        continue
                    for id_, value in asked.values.get(hit.value, ()):
                        if asked.rule is None and id_ in repeated and hit.record.state == "live":
                            arrived[id_] = (object_, hit.record.key)
                        elif asked.holds(bench, side, form, hit.record.attributes, value):
                            matched.add(id_)
                        elif asked.knows(bench, side, form, hit.record.attributes, value):
                            aliases[id_] = (object_, hit.record.key)
    _adopt_arrived(run, bench, [(i, *arrived[i.id]) for i in batch if i.id in arrived])
    matched -= arrived.keys()
    if matched:
        # Their facts are known now: matching decides, with all its rules, before anything is created.
        again = [intent.source for intent in batch if intent.id in matched and intent.source]
        run.ledger.books.decide_again(bench.mapping.name, again)
        run.event("creates_found_partner", mapping=bench.mapping.name, side=side, count=len(matched))
    for intent in batch:
        if intent.id in aliases and intent.id not in matched and intent.id not in arrived:
            _known_otherwise(run, bench, intent, aliases[intent.id])
    run.ledger.intents.close((matched | aliases.keys()) - arrived.keys())
    return [i for i in batch if i.id not in matched and i.id not in aliases and i.id not in arrived]


def _not_made_before(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Creates that are not a repetition of one that arrived, whatever became of what it made: who was deleted or merged
    since is not brought back. The ledger knows by the key that the record carries, or carried."""
    again = {str(intent.unique): intent for intent in batch if intent.attempt and intent.unique}
    if not again:
        return list(batch)
    name = bench.mapping.name
    made = run.ledger.links.candidates(name, KEY_RULE, bench.objects(side_of(batch[0])), sorted(again))
    arrived = [(again[one.value], one.object, one.key) for one in made]
    _adopt_arrived(run, bench, arrived)
    closed = {intent.id for intent, *_ in arrived}
    return [intent for intent in batch if intent.id not in closed]


def _adopt_arrived(run: Run, bench: Bench, arrived: Sequence[tuple[Intent, int, str]]) -> None:
    """What is deleted or merged away by now is adopted all the same: its link then rests, or follows."""
    if not arrived:
        return
    with run.ledger.transaction():
        for intent, object_, key in arrived:
            if object_ == intent.object:
                # Whatever is known of it is sight of our write.
                adopt_unanswered(run, bench, intent, key, 0)
            else:
                run.ledger.intents.close([intent.id])
        again = [intent.source for intent, *_ in arrived if intent.source]
        run.ledger.books.decide_again(bench.mapping.name, again)


def _known_otherwise(run: Run, bench: Bench, intent: Intent, holder: tuple[int, str]) -> None:
    """The target knows the match value as a further one of somebody (a second address): a person says who it is."""
    assert intent.source is not None
    rules = " or ".join(rule.name for rule in bench.mapping.match)
    run.ledger.inbox.raise_issue(
        "ambiguous",
        bench.mapping.name,
        f"{bench.mapping.end(side_of(intent)).system} knows its {rules} as a further one of {bench.form(holder[0])} {holder[1]}",
        "If they are the same person, pick it: `syncd issues resolve ID --pick KEY`; else take it off that record.",
        run.now(),
        object=intent.source[0],
        key=intent.source[1],
        doc={"candidates": [list(holder)], "rule": rules},
    )


def _unmoved(run: Run, bench: Bench, batch: Sequence[Intent]) -> list[Intent]:
    """Updates whose record still says what was decided on; the others are decided again."""
    side, object_ = side_of(batch[0]), batch[0].object
    form = bench.form(object_)
    attributes = run.attributes(bench.mapping.end(side).system, form)
    keys = [str(intent.key) for intent in batch]
    seen = look(run, bench.systems[side], form, attributes, keys)
    now = run.ledger.facts.revisions(object_, keys)
    calm = [i for i, key in zip(batch, keys, strict=True) if key in seen and now[key] <= (i.rev or 0)]
    settled = {intent.id for intent in calm}
    if len(calm) < len(batch):
        moved = [intent for intent in batch if str(intent.key) in seen and intent.id not in settled]
        drop(run, bench, moved, "moved", "the record moved before the write; decided again")
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
                f"{bench.mapping.end(side_of(intent)).system} does not show this record to us any more",
                "Give our user sight of it, or delete it there for good; it is looked for again at each sweep.",
                run.now(),
                object=intent.object,
                key=intent.key,
            )
        run.note(
            [told(bench, intent, "out_of_sight", "the record is not answered; nothing was sent") for intent in batch]
        )


def _past_their_second(run: Run, bench: Bench, batch: Sequence[Intent], grain_ms: int) -> list[Intent]:
    """Conditional updates whose condition can be trusted.

    A record that was read within the very grain of its stamp may be edited again behind the same stamp. Such records
    are looked at once more when that grain is over: from then on any edit shows in the stamp.
    """
    object_ = batch[0].object
    revisions = run.ledger.facts.revisions(object_, [str(intent.key) for intent in batch])
    edge_ms = run.ledger.facts.newest_ms(object_) - grain_ms
    young = [
        intent
        for intent in batch
        if revisions.get(str(intent.key), 0) > run.since_rev and (intent.expect_ms or 0) > edge_ms
    ]
    if grain_ms <= 1 or not young:
        return list(batch)
    run.sleep(max(0.0, grain_ms / 1000 - (run.now() - run.read_at)))
    calm = {intent.id for intent in _unmoved(run, bench, young)}
    stirred = {intent.id for intent in young} - calm
    return [intent for intent in batch if intent.id not in stirred]


# ---------------------------------------------------------------- sending


def _send(run: Run, bench: Bench, batch: Sequence[Intent], size: int, later: list[int]) -> None:
    """Sends a window, `size` effects a call. The window is kept as sent before its first call leaves, and its outcomes
    are kept together after the last: two commits for many calls, and a kill leaves at most a window in doubt."""
    side = side_of(batch[0])
    system = bench.systems[side]
    form = bench.form(batch[0].object)
    intents, tally = run.ledger.intents, run.tally(bench.mapping.name)
    _mark_sent(run, bench, batch)
    outcomes: list[Outcome] = []
    left, trouble = 0, None
    parts = _parts(run, batch, size)
    batch = [intent for part in parts for intent in part]
    for part in parts:
        if run.stop():
            break
        try:
            outcomes += system.connector.write(form, [_effect(intent) for intent in part])
        except Doubt as error:
            run.event("doubt", system=system.name, effects=len(part), reason=error.message)
        except (Transient, AccessError) as error:
            # Nothing of this call was carried out, and nothing behind it left. Any other error leaves doubt.
            trouble = error
            break
        left += len(part)
    sent = batch[:left]
    blamed = {name for outcome in outcomes if outcome.kind == "refused" for name in outcome.culprits}
    lacking = schemas.lacking(run, system, form, blamed)
    with run.ledger.transaction():
        intents.set_state([intent.id for intent in batch[left:]], "ready")
        keep_outcomes(run, bench, sent, outcomes, later, lacking)
    tally.writes[side][batch[0].op] += len(sent)
    tally.kinds.update(kinds(sent, bench.told))
    _look_at_unclear(run, bench, sent, outcomes)
    if trouble is not None:
        raise trouble


def _parts(run: Run, batch: Sequence[Intent], size: int) -> list[Sequence[Intent]]:
    """The calls of a window. Who was in doubt again and again goes alone: perhaps it is what breaks the call, and no
    other one should wait for it."""
    alone = [intent for intent in batch if about(intent) in run.alone]
    ids = {intent.id for intent in alone}
    together = [intent for intent in batch if intent.id not in ids] if ids else batch
    return [together[start : start + size] for start in range(0, len(together), size)] + [[one] for one in alone]


def _mark_sent(run: Run, bench: Bench, batch: Sequence[Intent]) -> None:
    """They count from now on: whoever is killed before its report is written has sent them all the same."""
    name = bench.mapping.name
    counted = {other: dict(tally.kinds) for other, tally in run.tallies.items()}
    counted[name] = dict(run.tally(name).kinds + kinds(batch, bench.told))
    with run.ledger.transaction():
        run.ledger.books.keep_kinds(run.id or 0, counted)
        for attempt in sorted({intent.attempt for intent in batch}):
            same = [intent.id for intent in batch if intent.attempt == attempt]
            run.ledger.intents.set_state(same, "sent", sent_at=run.now(), attempt=attempt + 1)


def kinds(batch: Sequence[Intent], told: frozenset[str] = frozenset()) -> Counter[str]:
    """What guards count: creates, updates, deletes by record, clears, and the updates of each field of a side. `told`:
    fields that the funnel tells, which no guard counts."""
    found = Counter(KINDS[intent.op] for intent in batch if not only_told(intent, told))
    changes = [(intent, change) for intent in batch for change in intent.body.changes if change.field not in told]
    found.update(f"{intent.side}.{change.field}" for intent, change in changes if intent.op == "update")
    found["clears"] = sum(change.after is None for _, change in changes)
    return found


def only_told(intent: Intent, told: frozenset[str]) -> bool:
    """Whether an update writes nothing but what the funnel tells."""
    names = {change.field for change in intent.body.changes}
    return intent.op == "update" and bool(names) and names <= told


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


def _look_at_unclear(run: Run, bench: Bench, batch: Sequence[Intent], outcomes: Sequence[Outcome]) -> None:
    """Reads what moved or is gone, so that the next decision is made on what it became."""
    refs = {outcome.ref for outcome in outcomes if outcome.kind in ("moved", "gone")}
    unclear = [intent for intent in batch if str(intent.id) in refs and intent.key]
    if unclear:
        side, form = side_of(unclear[0]), bench.form(unclear[0].object)
        attributes = run.attributes(bench.mapping.end(side).system, form)
        seen = look(run, bench.systems[side], form, attributes, [str(intent.key) for intent in unclear])
        lost = [intent for intent in unclear if intent.key not in seen]
        run.ledger.books.forget_again(bench.mapping.name, [(intent.object, str(intent.key)) for intent in lost])
        _out_of_sight(run, bench, lost)
