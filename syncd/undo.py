"""Undo: puts back what stood there before a run, a mapping version or a stretch of time wrote over it.

Promise: a value is put back only where what we wrote still stands: whatever a person changed since is left alone and
listed. Consent is never loosened. It plans effects like any other, journalled, so that an undo can be undone. What was
created is listed and left, each with whether anybody touched it since: deleting is a person's to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from syncd.core.model import SIDES, other
from syncd.core.plan import Change, Planned
from syncd.decide import said_along
from syncd.ledger import Ledger
from syncd.ledger.journal import Entry, Note
from syncd.ledger.links import Link
from syncd.partners import row_of
from syncd.run import Bench, Run

APPLIED = ("sent", "adopted")
"""Journal entries that say: this was written."""
DECIDED = ("decide", "restore", "undo")
"""Those that say what, before it was written."""
MOST_LINKS = 1_000_000
"""Links that one undo looks at."""
MOST_ENTRIES = 10_000
"""Journal entries of one link that are looked at."""
SHOWN = 1_000
"""Effects, skipped fields and created records that are told one by one."""
UNTOUCHED = "untouched"
"""A created record that still says what was written, and to which nothing happened that anybody saw."""


class Scope(msgspec.Struct, frozen=True):
    """What is to be undone: what was written in that run, since that moment, or under that version of the mapping.
    `until`: seconds; what was written later stays."""

    run: int | None = None
    since: float = 0.0
    until: float | None = None

    def holds(self, entry: Entry) -> bool:
        """Was this written within it?"""
        if self.run is not None:
            return entry.run == self.run
        return entry.at >= self.since and (self.until is None or entry.at < self.until)


class Skipped(msgspec.Struct, frozen=True):
    """A field that is not put back, and why."""

    field: str
    object: int
    key: str
    why: str


class Created(msgspec.Struct, frozen=True):
    """A record that was made, and what became of it, as far as the ledger knows. It stays."""

    object: int
    key: str
    since: str
    """`untouched`, or why it is not."""


Pointer = tuple[int, str]
"""(object, attribute) that refers to records of the mapping."""


class Undoing(msgspec.Struct):
    """What an undo would do."""

    effects: list[tuple[Link, Planned]]
    skipped: list[Skipped]
    created: list[Created]


def plan(run: Run, bench: Bench, scope: Scope, pointers: Sequence[Pointer] = ()) -> Undoing:
    """What undoing the scope would write now, on this mapping. Reads the ledger only. `pointers`: what may refer to the
    records that were made."""
    found = Undoing([], [], [])
    links: dict[int, list[int]] = {}
    for entry in _applied(run.ledger, bench.mapping.name, scope):
        if entry.link is None:
            # An update without a link is a mark of the funnel's: it says so again whatever is put back.
            if entry.object is not None and entry.key is not None and ": update" not in entry.said:
                found.created.append(_created(run, bench, entry, entry.object, entry.key, pointers))
        elif len(links) < MOST_LINKS:
            links.setdefault(entry.link, []).append(entry.seq)
    for id_, applied in links.items():
        link = run.ledger.links.get(id_)
        if link is not None:
            _plan_link(run, bench, link, _written(run.ledger, id_, applied), found)
    return found


def _created(run: Run, bench: Bench, entry: Entry, object_: int, key: str, pointers: Sequence[Pointer]) -> Created:
    """What became of a record that was made."""
    ledger, side = run.ledger, bench.side(object_)
    fact = ledger.facts.get(object_, key)
    if fact is None:
        return Created(object_, key, "not seen since")
    if fact.state != "live":
        return Created(object_, key, f"{fact.state} since")
    id_ = ledger.links.of_records(bench.mapping.name, object_, [key]).get(key)
    link = None if id_ is None else ledger.links.get(id_)
    if link is not None and _decided_since(run.ledger, bench, link.id, entry.seq):
        return Created(object_, key, "edited since, on one side or the other")
    said = [] if link is None else _said(ledger, link.end(other(side)).object, link.end(other(side)).key, entry.seq)
    if not said:
        return Created(object_, key, "not known: what was written is not kept any more")
    for change in said:
        field = bench.fields.get(change.field)
        now = fact.attributes.get(change.attribute)
        if field is None or field.canonical(side, now) != field.canonical(side, change.after):
            return Created(object_, key, "edited since, on one side or the other")
    made_ms = round(entry.at * 1000)
    if ledger.events.of_records(bench.mapping.name, side, [key], since_ms=made_ms):
        return Created(object_, key, "something happened to it since")
    if any(ledger.refers.pointing_to(of, attribute, [key]) for of, attribute in pointers):
        return Created(object_, key, "other records refer to it")
    return Created(object_, key, UNTOUCHED)


def _decided_since(ledger: Ledger, bench: Bench, link: int, after: int) -> bool:
    """Was a value of anybody's carried over the link since? What the funnel tells is nobody's."""
    return any(
        {change["field"] for change in entry.values or ()} - bench.told
        for entry in ledger.journal.of_link(link, MOST_ENTRIES)
        if entry.seq > after and entry.kind in DECIDED
    )


def _said(ledger: Ledger, object_: int, key: str, before: int) -> list[Change]:
    """What a create wrote, as it was decided on its source."""
    for entry in ledger.journal.page(object=object_, key=key, newest=True, limit=MOST_ENTRIES):
        if entry.seq < before and entry.kind == "decide" and entry.said.startswith("create on"):
            return msgspec.convert(entry.values or [], list[Change])
    return []


def _applied(ledger: Ledger, mapping: str, scope: Scope) -> Iterator[Entry]:
    after = ledger.journal.before(scope.since if scope.run is None else ledger.books.run_started(scope.run))
    while page := ledger.journal.page(after=after, limit=1000):
        after = page[-1].seq
        yield from (one for one in page if one.kind in APPLIED and one.mapping == mapping and scope.holds(one))


def _written(ledger: Ledger, link: int, applied: Sequence[int]) -> dict[tuple[int, str], dict[str, list[Change]]]:
    """The changes that those entries carried out, oldest first, by record and field."""
    entries = ledger.journal.of_link(link, MOST_ENTRIES)[::-1]
    found: dict[tuple[int, str], dict[str, list[Change]]] = {}
    for entry in entries:
        if entry.seq not in applied or entry.object is None or entry.key is None:
            continue
        said = [one for one in entries if one.seq < entry.seq and one.kind in DECIDED and one.object == entry.object]
        if said and said[-1].values:
            fields = found.setdefault((entry.object, entry.key), {})
            for change in msgspec.convert(said[-1].values, list[Change]):
                fields.setdefault(change.field, []).append(change)
    return found


def _plan_link(
    run: Run, bench: Bench, link: Link, written: dict[tuple[int, str], dict[str, list[Change]]], found: Undoing
) -> None:
    busy = bool(run.ledger.intents.of_links([link.id]))
    for (object_, key), fields in written.items():
        side = next((side for side in SIDES if (link.end(side).object, link.end(side).key) == (object_, key)), None)
        fact = run.ledger.facts.get(object_, key)
        changes: list[Change] = []
        for name, done in fields.items():
            if name in bench.told:
                continue
            pair = bench.pair(link.marketing.object, link.crm.object, name)
            why = None
            if side is None or fact is None or fact.state != "live" or link.state == "unlinked":
                why = "its record is gone, merged or converted since"
            elif busy:
                why = "another write of it is on its way"
            elif pair is None or pair.attribute(side) != done[-1].attribute:
                why = "the mapping has no such field any more"
            else:
                canonical, now = pair.field.canonical, fact.attributes.get(done[-1].attribute)
                before = done[0].before
                if canonical(side, now) != canonical(side, done[-1].after):
                    why = "somebody changed it since"
                elif canonical(side, before) == canonical(side, now):
                    continue
                elif pair.field.clash == "stricter" and canonical(side, before) is not True:
                    why = "consent is never loosened"
                else:
                    changes.append(Change(name, done[-1].attribute, now, before, "undo: what stood there before"))
            if why is not None:
                found.skipped.append(Skipped(name, object_, key, why))
        if changes and side is not None and fact is not None:
            across = link.end(other(side))
            at = (across.object, across.key)
            along = said_along(run, bench, link, side, changes)
            effect = Planned(side, object_, key, at, "update", "normal", None, fact.stamp_ms, changes, along=along)
            found.effects.append((link, effect))


def keep(run: Run, bench: Bench, undoing: Undoing, why: str) -> None:
    """Makes the effects ready to be sent by the next cycle: a person asked for them."""
    revision = run.ledger.facts.revision()
    with run.ledger.transaction():
        rows = [{**row_of(bench, link.id, effect, revision), "state": "ready"} for link, effect in undoing.effects]
        run.ledger.intents.plan(rows, run.now())
        run.note(
            [
                Note("undo", why, bench.mapping.name, link.id, effect.object, effect.key, effect.changes)
                for link, effect in undoing.effects
            ]
        )


def as_json(ledger: Ledger, mapping: str, undoing: Undoing, *, all_created: bool = False) -> dict[str, Any]:
    """What `undo --json` tells of one mapping: counts of all, and the first of each kind one by one. `all_created`: every
    record that was made."""

    def at(object_: int, key: str | None) -> dict[str, Any]:
        system, name = ledger.facts.name_of(object_)
        return {"system": system, "object": name, "key": key}

    return {
        "restores": sum(len(effect.changes) for _, effect in undoing.effects),
        "effects": [
            {
                "mapping": mapping,
                "side": effect.side,
                **at(effect.object, effect.key),
                "fields": {
                    change.field: {"attribute": change.attribute, "before": change.before, "after": change.after}
                    for change in effect.changes
                },
            }
            for _, effect in undoing.effects[:SHOWN]
        ],
        "skips": len(undoing.skipped),
        "skipped": [{**at(one.object, one.key), "field": one.field, "why": one.why} for one in undoing.skipped[:SHOWN]],
        "creates": len(undoing.created),
        "untouched": sum(one.since == UNTOUCHED for one in undoing.created),
        "created": [
            {**at(one.object, one.key), "since": one.since}
            for one in (undoing.created if all_created else undoing.created[:SHOWN])
        ],
    }
