"""Many records gone, or not shown any more, at once: that is rather an accident than many decisions.

Promise: beyond the limit nothing is concluded from it: no link rests, no delete is planned, and the issue says how many
of how many. What comes back ends it; a person who meant it says so (`syncd issues retry ID`).
"""

from __future__ import annotations

from functools import cache

from syncd.connector import Record
from syncd.core.guard import Counters, reasons
from syncd.ledger.inbox import Issue
from syncd.run import Bench, Run

DISAPPEARED = "disappeared"
"""The issue about records of one object that vanished together."""

NOT_SHOWN = "not_shown"
"""The issue about one record that is not answered any more: removed for good, or hidden."""

MOST_TOLD = 1000
"""So many of them are told one by one."""

KIND = "gone"
"""What the guard calls them."""

DAY_S = 86_400.0


def hold(run: Run, bench: Bench) -> None:
    """Looks at what vanished since it was last accepted, and holds the objects where it is too much. To be called before
    anything is decided."""
    name = bench.mapping.name
    limit = run.limits.get(KIND)
    held = set()
    for object_ in bench.forms:
        mark, revision = run.ledger.books.decided(_mark(name), object_), run.ledger.facts.revision()
        unseen = run.ledger.unseen.linked(name, object_)
        _end_unseen(run, name, object_)
        if limit is None:
            _tell_unseen(run, bench, object_, unseen)
            continue
        if mark == revision and not unseen and not _open(run, name, object_):
            continue
        gone = run.ledger.links.ended(name, object_, mark)
        today = run.ledger.books.effects_since(name, run.now() - DAY_S) if gone else {}
        links = cache(lambda: run.ledger.links.count(name))
        counters = Counters({KIND: gone + unseen}, {KIND: today.get(KIND, 0)}, links, first=False)
        if reasons(counters, {KIND: limit}):
            held.add(object_)
            _raise(run, bench, object_, gone, unseen, links())
            continue
        if _open(run, name, object_):
            run.ledger.inbox.close_issues(run.now(), kind=DISAPPEARED, mapping=name, object=object_)
            _decide(run, name, object_)
        run.ledger.books.set_decided(_mark(name), object_, revision)
        _tell_unseen(run, bench, object_, unseen)
        run.ledger.unseen.accept(object_, run.now() - DAY_S)
    bench.gone_held = frozenset(held)


def accept(run: Run, mapping: str, object_: int) -> None:
    """What vanished of this object until now is believed: each record is decided again."""
    _decide(run, mapping, object_)
    run.ledger.unseen.accept(object_, run.now() + 1)
    run.ledger.books.set_decided(_mark(mapping), object_, run.ledger.facts.revision())


def _tell_unseen(run: Run, bench: Bench, object_: int, unseen: int) -> None:
    """Tells of each record that was not answered by one look after another: nobody else will."""
    if not unseen:
        return
    name, (side, form) = bench.mapping.name, bench.forms[object_]
    again_s = min(bench.systems[side].table.sweep.deletions, DAY_S)
    told = {issue.key for issue in run.ledger.inbox.issues(mapping=name, kind=NOT_SHOWN, limit=MOST_TOLD)}
    for key in run.ledger.unseen.missed(name, object_, run.now() - again_s, MOST_TOLD):
        if key in told:
            continue
        run.ledger.inbox.raise_issue(
            NOT_SHOWN,
            name,
            f"{bench.mapping.end(side).system} does not answer for this {form} any more, and says nothing of a delete: it was"
            " removed for good, or is hidden from us; its link stays",
            "If it is there, give our user sight of it. If it is gone for good: `syncd issues retry ID`; then [gone] in"
            " the mapping says what follows.",
            run.now(),
            object=object_,
            key=key,
        )


def _end_unseen(run: Run, mapping: str, object_: int) -> None:
    """It is shown again, or its link leads elsewhere."""
    if not run.ledger.inbox.issue_count(mapping):
        return
    for issue in run.ledger.inbox.issues(mapping=mapping, kind=NOT_SHOWN, limit=MOST_TOLD):
        if issue.object != object_ or issue.key is None:
            continue
        linked = run.ledger.links.of_records(mapping, object_, [issue.key])
        link = run.ledger.links.get(linked.get(issue.key, 0))
        live = link is not None and link.state in ("live", "converted")
        if not live or run.ledger.unseen.since(object_, issue.key) is None:
            run.ledger.inbox.close_issues(run.now(), id=issue.id)


def believe(run: Run, object_: int, key: str) -> None:
    """A person says that a record which is not shown to us is gone for good. If it is shown again, it is there again."""
    run.ledger.facts.keep(object_, [Record(key, 0, {}, "gone")])
    run.ledger.unseen.keep(object_, [], [key], run.now())


def _decide(run: Run, mapping: str, object_: int) -> None:
    mark = run.ledger.books.decided(_mark(mapping), object_)
    keys = run.ledger.links.ended_keys(mapping, object_, mark)
    run.ledger.books.decide_again(mapping, [(object_, key) for key in keys])


def _mark(mapping: str) -> str:
    return f":gone:{mapping}"


def _open(run: Run, mapping: str, object_: int) -> Issue | None:
    if not run.ledger.inbox.issue_count(mapping):
        return None
    issues = run.ledger.inbox.issues(mapping=mapping, kind=DISAPPEARED)
    return next((issue for issue in issues if issue.object == object_), None)


def _raise(run: Run, bench: Bench, object_: int, gone: int, unseen: int, links: int) -> None:
    side, form = bench.forms[object_]
    parts = [f"{gone} were deleted"] * bool(gone) + [f"{unseen} are not shown to us any more"] * bool(unseen)
    share = (gone + unseen) / max(links, 1)
    run.ledger.inbox.raise_issue(
        DISAPPEARED,
        bench.mapping.name,
        f"{gone + unseen} of {links} linked records of {bench.mapping.end(side).system} {form} vanished ({share:.1%}):"
        f" {' and '.join(parts)}; nothing is concluded from it",
        "Look there for what happened: a filter, a permission, a clean-up. What comes back goes on by itself. If they are"
        " really gone: `syncd issues retry ID`.",
        run.now(),
        object=object_,
        doc={"gone": gone, "unseen": unseen, "links": links},
    )
