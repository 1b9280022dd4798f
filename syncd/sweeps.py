"""What no feed tells, looked for at the intervals that syncd.toml names: records that are gone, references that changed.

Promise: a sweep reads by key what the ledger knows, and believes only what is answered: absence is not deletion. Its
calls are counted apart, so that `syncd status` can show what the day's sweeps cost.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.assembly import Connected
from syncd.connector import Record
from syncd.poll import look
from syncd.run import Run
from syncd.write import OUT_OF_SIGHT

RESTORABLE_S = 90 * 86_400.0
"""A record that was deleted longer ago is not expected back."""
MOST_HIDDEN = 10_000
"""Records out of sight that are tried again at a sweep."""
REREAD_BATCH = 1_000
"""Records whose references are asked for at once; the connector cuts that to its own size."""


def sweep_if_due(run: Run, system: Connected, form: str) -> None:
    """Sweeps one object that was just polled, where an interval is over. Raises Transient, AccessError."""
    facts = run.ledger.facts
    object_ = facts.object_id(system.name, form)
    feed = facts.feed(object_)
    if feed.swept_at is None:
        # The first whole reading was just made: the clock of sweeps starts with it.
        facts.mark_swept(object_, run.now())
    elif run.now() - feed.swept_at >= system.table.sweep.deletions:
        with system.sweeping():
            run.event("swept", system=system.name, object=form, read=sweep(run, system, form, feed.attributes))
        _look_for_hidden(run, object_)
    if system.traits(form).deletions == "feed" and feed.complete:
        _sight_if_due(run, system, form, feed.sighted_at)
    unstamped = [name for name in run.attributes(system.name, form) if system.traits(form).moves_no_stamp(name)]
    if not unstamped or not feed.complete:
        return
    if feed.reread_at is None:
        facts.mark_reread(object_, run.now())
    elif run.now() - feed.reread_at >= system.table.sweep.associations:
        with system.sweeping():
            moved = reread(run, system, form, unstamped)
        run.event("reread", system=system.name, object=form, moved=moved)


def sweep(run: Run, system: Connected, object: str, attributes: Sequence[str]) -> int:
    """Reads every known live record by key: what no feed tells (archived, merged away, lost by an index) shows here.
    Where the feed tells all of that, only what it may not: that a record whose link rests was restored, or that one which
    was not answered is shown again.

    Returns how many records were read. A key that is not answered stays as it was: absence is not deletion.
    """
    facts = run.ledger.facts
    object_id = facts.object_id(system.name, object)
    resting = run.ledger.links.resting(object_id, round((run.now() - RESTORABLE_S) * 1000))
    missed = run.ledger.unseen.keys(object_id, MOST_HIDDEN)
    again = look(run, system, object, attributes, sorted({*resting, *missed}))
    run.ledger.unseen.keep(object_id, [], list(again), run.now())
    read = len(again)
    after = ""
    while system.traits(object).deletions != "feed" and (known := facts.walk(object_id, after)):
        after = known[-1].key
        keys = [fact.key for fact in known if fact.state == "live"]
        seen = look(run, system, object, attributes, keys)
        run.ledger.unseen.keep(object_id, [key for key in keys if key not in seen], list(seen), run.now())
        read += len(seen)
        if run.stop():
            return read
    facts.mark_swept(object_id, run.now())
    return read


def _sight_if_due(run: Run, system: Connected, form: str, sighted_at: float | None) -> None:
    if sighted_at is None:
        facts = run.ledger.facts
        facts.mark_sighted(facts.object_id(system.name, form), run.now())
    elif run.now() - sighted_at >= system.table.sweep.sight:
        with system.sweeping():
            run.event("sighted", system=system.name, object=form, missed=sight(run, system, form))


def sight(run: Run, system: Connected, object: str) -> int:
    """Looks for every linked record by its key alone, where the feed tells of deletes: it does not tell of what was
    removed for good between two polls, nor of what is hidden from us. Costs a call for `read_batch` of them; returns how
    many were missed.

    Beyond `MOST_HIDDEN` enough is known: it is no matter of single records any more.
    """
    object_id, batch = run.ledger.facts.object_id(system.name, object), system.traits(object).read_batch
    after, missed = "", 0
    while missed < MOST_HIDDEN and (keys := run.ledger.links.live_ends(object_id, after, batch)):
        after = keys[-1]
        states = {record.key: record.state for record in system.connector.fetch(object, (), keys)}
        ended = [key for key in keys if states.get(key, "live") != "live"]
        if ended:  # the feed will say so, or has lost it
            look(run, system, object, run.ledger.facts.feed(object_id).attributes, ended)
        unseen = [key for key in keys if key not in states]
        run.ledger.unseen.keep(object_id, unseen, list(states), run.now())
        missed += len(unseen)
        if run.stop():
            return missed
    run.ledger.facts.mark_sighted(object_id, run.now())
    return missed


def reread(run: Run, system: Connected, object: str, attributes: Sequence[str]) -> int:
    """Reads just these attributes of every known live record again, because no stamp tells that they changed. Returns
    how many records they changed of.

    Who seems to refer to nobody any more is looked at whole: a record that is archived or hidden may look just so.
    """
    facts = run.ledger.facts
    object_id = facts.object_id(system.name, object)
    after, moved = "", 0
    while keys := facts.live_keys(object_id, after, REREAD_BATCH):
        after = keys[-1]
        records = list(system.connector.fetch(object, attributes, keys))
        lost = _lost(run, object_id, records)
        seen = look(run, system, object, facts.feed(object_id).attributes, sorted(lost))
        moved += sum(record.state == "live" for record in seen.values())
        moved += facts.keep_part(object_id, [record for record in records if record.key not in lost]).moved
        if run.stop():
            return moved
    facts.mark_reread(object_id, run.now())
    return moved


def _lost(run: Run, object_: int, records: Sequence[Record]) -> set[str]:
    """The records that referred to somebody, and now to nobody."""
    bare = {record.key: record for record in records if None in record.attributes.values()}
    known = run.ledger.facts.many(object_, list(bare)) if bare else {}
    return {
        key
        for key, fact in known.items()
        if any(value is None and fact.attributes.get(name) for name, value in bare[key].attributes.items())
    }


def _look_for_hidden(run: Run, object_: int) -> None:
    """What was not shown to us when it was to be written is tried again: that it can be seen again moves nothing."""
    with run.ledger.transaction():
        for issue in run.ledger.inbox.issues(kind=OUT_OF_SIGHT, limit=MOST_HIDDEN):
            if issue.object == object_ and issue.key is not None:
                run.ledger.inbox.close_issues(run.now(), id=issue.id)
                run.ledger.books.decide_again(issue.mapping, [(object_, issue.key)])
