"""Many records gone, or not shown any more, at once: that is rather an accident than many decisions.

Promise: beyond the limit nothing is concluded from it: no link rests, no delete is planned, and the issue says how many
of how many. What comes back ends it; a person who meant it says so (`syncd issues retry ID`).
"""

from __future__ import annotations

from functools import cache

from syncd.core.guard import Counters, reasons
from syncd.ledger.inbox import Issue
from syncd.run import Bench, Run

DISAPPEARED = "disappeared"
"""The issue about records of one object that vanished together."""

KIND = "gone"
"""What the guard calls them."""

DAY_S = 86_400.0


def hold(run: Run, bench: Bench) -> None:
    """Looks at what vanished since it was last accepted, and holds the objects where it is too much. To be called before
    anything is decided."""
    name = bench.mapping.name
    limit = run.limits.get(KIND)
    if limit is None:
        return
    held = set()
    for object_ in bench.forms:
        mark, revision = run.ledger.books.decided(_mark(name), object_), run.ledger.facts.revision()
        unseen = run.ledger.unseen.linked(name, object_)
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
        run.ledger.unseen.accept(object_, run.now() - DAY_S)
    bench.gone_held = frozenset(held)


def accept(run: Run, mapping: str, object_: int) -> None:
    """What vanished of this object until now is believed: each record is decided again."""
    _decide(run, mapping, object_)
    run.ledger.unseen.accept(object_, run.now() + 1)
    run.ledger.books.set_decided(_mark(mapping), object_, run.ledger.facts.revision())


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
