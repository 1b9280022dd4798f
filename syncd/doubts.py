"""Who belongs to whom is not clear: one question to a person for each ambiguity, whoever of it is looked at.

Promise: records that share a match value make one issue, at the same record each time; what a person passed over when
they picked another is not asked about again while that link stands. It links nobody: that is `ruling`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.core.match import Held
from syncd.core.model import SIDES, Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.links import Link
from syncd.matchvalues import PROPOSED
from syncd.run import Bench, Run

AMBIGUOUS = "ambiguous"
"""The issue where a person says who is who."""

MOST_OPEN = 10_000
"""Questions that are looked through at most."""
SHOWN = 100
"""Records that an issue names at most."""


def ask(run: Run, bench: Bench, fact: Fact, named: str, kind: str, own: Sequence[Held], across: Sequence[Held]) -> str:
    """Raises the one issue of those who share a match value (`named`: of which rule); returns the key of the record that it stands at, if that
    is of the same object as `fact` (else "")."""
    side = bench.side(fact.object)
    group = {side: list(own), other(side): list(across)}
    if not any((each.object, each.key) == (fact.object, fact.key) for each in own):
        group[side].append(Held(fact.object, fact.key, bench.rank(fact.object), None))
    asking = side if kind == "taken" else _asking(group)
    free = sorted((each for each in group[asking] if each.link is None), key=lambda each: (each.object, each.key))
    picks = group[other(asking)]
    free = [each for each in free if not _left_out(run, bench, each, picks)] or free
    anchor = free[0]
    share, change = (f"share its {named}", f", change the {named}")
    if named == PROPOSED:
        share, change = f"belong together by {named}", ""
    if kind == "taken":
        reason = f"the record with the same {named} is linked to another one already"
    else:
        reason = f"several records {share}: {len(group[asking])} on {asking}, {len(picks)} on {other(asking)}"
    pick = ", or pick one: `syncd issues resolve ID --pick KEY`" if any(each.link is None for each in picks) else ""
    now, name = run.now(), bench.mapping.name
    run.ledger.inbox.raise_issue(
        AMBIGUOUS,
        name,
        reason,
        f"Merge the duplicates{change}{pick}.",
        now,
        object=anchor.object,
        key=anchor.key,
        doc={
            "candidates": [[each.object, each.key] for each in picks[:SHOWN]],
            "twins": [[each.object, each.key] for each in free[1:SHOWN]],
            "rule": named,
        },
    )
    for each in (*group[asking], *picks):
        if each is not anchor:
            run.ledger.inbox.close_issues(now, kind=AMBIGUOUS, mapping=name, object=each.object, keys=[each.key])
    return anchor.key if anchor.object == fact.object else ""


def _asking(group: dict[Side, list[Held]]) -> Side:
    """The side whose record the question is put about: where fewer stand, so that a pick answers most of it."""
    free = {side: sum(each.link is None for each in group[side]) for side in SIDES}
    if not all(free.values()):
        return "marketing" if free["marketing"] else "crm"
    return "crm" if free["crm"] < free["marketing"] else "marketing"


def _left_out(run: Run, bench: Bench, one: Held, picks: Sequence[Held]) -> bool:
    return any(passed_over(run, bench, (one.object, one.key), each) for each in picks)


def passed_over(run: Run, bench: Bench, at: tuple[int, str], partner: Held | None) -> bool:
    """Whether a person picked another record than this one for the partner that it found."""
    if partner is None or partner.link is None:
        return False
    return run.ledger.links.passed_over(bench.mapping.name, at, partner.link)


def look_again(run: Run, bench: Bench, link: Link) -> None:
    """This link lost a record: whoever found its other one taken is asked about no more, but decided again."""
    name = bench.mapping.name
    if not run.ledger.inbox.issue_count(name):
        return
    ends = [[end.object, end.key] for end in (link.marketing, link.crm)]
    for issue in run.ledger.inbox.issues(mapping=name, kind=AMBIGUOUS, limit=MOST_OPEN):
        if issue.object is not None and any(end in issue.doc.get("candidates", ()) for end in ends):
            waiting = [(issue.object, str(issue.key)), *((at[0], at[1]) for at in issue.doc.get("twins", ()))]
            run.ledger.books.decide_again(name, waiting)


def end_doubts(run: Run, bench: Bench, object_: int, keys: Iterable[str]) -> None:
    """Who these records belong to is no question any more."""
    name, waiting = bench.mapping.name, sorted(keys)
    if waiting and run.ledger.inbox.issue_count(name):
        run.ledger.inbox.close_issues(run.now(), kind=AMBIGUOUS, mapping=name, object=object_, keys=waiting)
