"""Links, issues, conflicts and the journal, as `--json` prints them."""

from __future__ import annotations

import re
from typing import Any

from syncd.ledger import Ledger
from syncd.ledger.inbox import Conflict, Issue
from syncd.ledger.journal import Entry
from syncd.ledger.links import Link, LinkSide
from syncd.view.moment import iso

Shape = dict[str, Any]


def place(ledger: Ledger, object: int | None, key: str | None) -> Shape:
    """A record by its names."""
    system, name = ledger.facts.name_of(object or 0)
    return {"system": system, "object": name, "key": key}


def links(ledger: Ledger, mapping: str | None, limit: int) -> list[Shape]:
    """Who is linked to whom, oldest first."""
    return [link(ledger, one) for one in ledger.links.page(mapping, 0, limit)]


def link(ledger: Ledger, one: Link) -> Shape:
    """One link: both records, how it came about, its state."""

    def end(side: LinkSide) -> Shape:
        return {**place(ledger, side.object, side.key), "keyed": side.stamped}

    return {
        "id": one.id,
        "mapping": one.mapping,
        "state": one.state,
        "how": ledger.links.how(one.id),
        "marketing": end(one.marketing),
        "crm": end(one.crm),
    }


def issues(ledger: Ledger, limit: int) -> list[Shape]:
    """What waits for a person, oldest first."""
    return [issue(ledger, one) for one in ledger.inbox.issues(limit=limit)]


def issue(ledger: Ledger, one: Issue) -> Shape:
    """One issue. `records`: the one it is about first (its key is None where it is about the object as a whole), then
    the candidates. `candidates`: who may be picked, each with the rule that it matched by. `twins`, where there are
    any: others that share the value with the first."""
    offered = [(int(object_), str(key)) for object_, key in one.doc.get("candidates", ())]
    records = [] if one.object is None else [place(ledger, one.object, one.key)]
    twins = [place(ledger, int(object_), str(key)) for object_, key in one.doc.get("twins", ())]
    return {
        "id": one.id,
        "kind": one.kind,
        "mapping": one.mapping,
        "records": [*records, *(place(ledger, *at) for at in offered)],
        "candidates": [_candidate(ledger, one, *at) for at in offered],
        **({"twins": twins} if twins else {}),
        "field": one.field,
        "reason": _numbered(one, one.reason),
        "remedy": _numbered(one, one.remedy),
        "since": iso(one.since),
    }


def _numbered(one: Issue, text: str) -> str:
    """A command that a text names, ready to be typed."""
    return re.sub(r"(syncd issues \w+) ID\b", rf"\1 {one.id}", text)


def _candidate(ledger: Ledger, one: Issue, object: int, key: str) -> Shape:
    """`rule`: what it matched by; None where no rule of the mapping did. `linked`: the record that it is linked with by
    now. `pickable`: who is linked can be picked only where the question is about the links themselves."""
    partners = ledger.links.across(one.mapping, object, [key])
    linked = next((place(ledger, across, partner) for _, _, across, partner in partners), None)
    return {
        **place(ledger, object, key),
        "rule": one.doc.get("rule"),
        "linked": linked,
        "pickable": linked is None or "links" in one.doc,
    }


def conflicts(ledger: Ledger, limit: int) -> list[Shape]:
    """Values that lost, newest first."""
    return [conflict(ledger, one) for one in ledger.inbox.conflicts(limit=limit)]


def conflict(ledger: Ledger, one: Conflict) -> Shape:
    """One loser: what was kept, what was lost, by which rule."""
    return {
        "id": one.id,
        "mapping": one.mapping,
        "field": one.field,
        **place(ledger, one.object, one.key),
        "side": one.side,
        "kept": one.kept,
        "lost": one.lost,
        "at": iso(one.at),
        "by": one.by,
        "restored": iso(one.restored_at),
    }


def journal(ledger: Ledger, limit: int) -> list[Shape]:
    """The newest entries, in the order in which they were written."""
    return [entry(ledger, one) for one in reversed(ledger.journal.page(limit=limit, newest=True))]


def entry(ledger: Ledger, one: Entry) -> Shape:
    """One entry. `values`: None where there are none, or where they were erased."""
    return {
        "seq": one.seq,
        "at": iso(one.at),
        "run": one.run,
        "kind": one.kind,
        "mapping": one.mapping,
        "link": one.link,
        "record": None if one.object is None else place(ledger, one.object, one.key),
        "said": one.said,
        "values": one.values,
    }
