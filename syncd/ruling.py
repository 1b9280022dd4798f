"""What a person ruled on one record: retry, resolve, restore. It is written into the ledger, and the next cycle acts.

Promise: a ruling is one transaction and makes no call, so it can be given beside anything and survives a kill; what
follows from it is decided by the same rules as everything else. It releases no held plan: that is `cycle.release`.
"""

from __future__ import annotations

from typing import Any

from syncd import disappearance, merged, safemode, schemas
from syncd.core.merge import VALUE_ISSUES
from syncd.core.model import Side, other
from syncd.core.plan import Change
from syncd.decide import said_along
from syncd.doubts import AMBIGUOUS
from syncd.errors import PersonNeeded
from syncd.ledger.inbox import Conflict, Issue
from syncd.ledger.intents import Body
from syncd.ledger.journal import Note
from syncd.ledger.links import Link, LinkSide, NewLink
from syncd.pointing import move_again
from syncd.run import Bench, Run

LEFT_STANDING = ("refused", "ignored", "unanswered", *VALUE_ISSUES)
"""Issues whose difference was settled, so that it is not sent again by itself."""

NOT_RETRIED = (
    "held_plan",
    "mapping_invalid",
    safemode.KIND,
    disappearance.DISAPPEARED,
    merged.MERGED_INTO_LINKED,
    AMBIGUOUS,
)
"""Issues that want another answer than once more, each by itself: an approval, a mended file, a pick."""

PICKABLE = (AMBIGUOUS, "exists_already", merged.MERGED_INTO_LINKED)
"""Issues that a pick answers."""


def retry(run: Run, bench: Bench, issue: Issue) -> None:
    """Closes the issue and lets its record be decided again; what was refused counts as an edit that did not cross.

    Raises PersonNeeded for a held plan: that is approved, not retried.
    """
    name = bench.mapping.name
    if issue.kind == "held_plan":
        raise PersonNeeded(
            f"Issue {issue.id} is a held plan.",
            remedy=f"Look at it: `syncd plan {name}`. Release it: `syncd approve {name}`.",
        )
    with run.ledger.transaction():
        run.ledger.inbox.close_issues(run.now(), id=issue.id)
        if issue.kind == schemas.ISSUE and issue.object is not None:
            # What is only news is agreed with; what is wrong is told again, unless another look finds it mended.
            run.ledger.described.agree(issue.object, [str(name) for name, _ in issue.doc.get("attributes", ())])
            run.ledger.described.stale(issue.object, run.now() + 1)
        if issue.kind == disappearance.NOT_SHOWN and issue.object is not None and issue.key is not None:
            disappearance.believe(run, issue.object, issue.key)
        if issue.kind == disappearance.DISAPPEARED and issue.object is not None:
            disappearance.accept(run, name, issue.object)
        elif issue.object is None or issue.key is None:
            # It is about a field of every record, or about the whole mapping.
            run.ledger.books.forget_decided(name)
        else:
            link = run.ledger.links.get(int(issue.doc.get("link") or 0))
            if issue.kind in LEFT_STANDING and link is None:
                found = run.ledger.links.of_records(name, issue.object, [issue.key])
                link = run.ledger.links.get(found.get(issue.key, 0))
            if issue.kind in LEFT_STANDING and link is not None:
                fields = [issue.field] if issue.field else [str(field) for field in issue.doc.get("changes", ())]
                target = bench.side(issue.object)
                if source := issue.doc.get("source"):
                    target = "marketing" if source == "crm" else "crm"
                move_again(run, bench, link, target, fields)
            run.ledger.marks.forget(name, issue.object, [issue.key])
            run.ledger.books.decide_again(name, [(issue.object, issue.key)])
        run.note([Note("retried", f"issue {issue.id} ({issue.kind})", name, None, issue.object, issue.key)])


def resolve(run: Run, bench: Bench, issue: Issue, pick: str, of: str | None = None) -> int:
    """Links the issue's record with the one that a person picked: a key, or OBJECT:KEY. Returns the link.

    `of`: the key of the record that is meant, where several share the value that the issue is about.

    Raises PersonNeeded where the issue asks nothing of the kind, or the pick is no candidate or is linked already.
    """
    if issue.object is None or issue.key is None or issue.kind not in PICKABLE:
        raise PersonNeeded(f"Issue {issue.id} ({issue.kind}) has nothing to pick.", remedy=issue.remedy)
    if issue.kind == merged.MERGED_INTO_LINKED:
        asked: Side = "crm" if issue.doc["side"] == "crm" else "marketing"
        return merged.resolve(run, bench, issue, _picked(run, bench, issue, other(asked), pick))
    name = bench.mapping.name
    own = _meant(bench, issue, of)
    side = bench.side(own[0])
    object_, key = _picked(run, bench, issue, other(side), pick)
    with run.ledger.transaction():
        for at in (own, (object_, key)):
            if run.ledger.links.of_records(name, at[0], [at[1]]):
                raise PersonNeeded(
                    f"{bench.form(at[0])} {at[1]} is linked to another record already.",
                    remedy="See `syncd links`; pick another one, or merge the duplicates in their system.",
                )
        ends = (LinkSide(side, *own, {}, False), LinkSide(other(side), object_, key, {}, False))
        (link,) = run.ledger.links.make(name, [NewLink("picked by a person", ends)], run.now())
        for at in (own, (object_, key), (issue.object, issue.key)):
            run.ledger.inbox.close_issues(run.now(), mapping=name, object=at[0], keys=[at[1]])
        group = [(issue.object, issue.key), *_named(issue, "candidates"), *_named(issue, "twins")]
        run.ledger.links.pass_over(name, link, [at for at in group if at not in (own, (object_, key))])
        creates = run.ledger.intents.of_sources(name, own[0], [own[1]])
        run.ledger.intents.close(one.id for one in creates if one.state in ("planned", "held", "ready"))
        # The others of the question too: some of them may still be in doubt, among themselves.
        run.ledger.books.decide_again(name, group)
        run.note([Note("link", f"linked: picked by a person (issue {issue.id})", name, link, *own)])
    return link


def _named(issue: Issue, part: str) -> list[tuple[int, str]]:
    return [(int(object_), str(key)) for object_, key in issue.doc.get(part, ())]


def _meant(bench: Bench, issue: Issue, of: str | None) -> tuple[int, str]:
    """The record of the issue that is to be linked: its own, or one of those that share its value."""
    assert issue.object is not None
    assert issue.key is not None
    ours = [(issue.object, issue.key), *_named(issue, "twins")]
    if of is None:
        return ours[0]
    form, _, key = of.rpartition(":")
    key = bench.whole_key(bench.side(issue.object), key)
    for at in ours:
        if at[1] == key and (not form or bench.form(at[0]) == form):
            return at
    shown = ", ".join(f"{bench.form(object_)}:{known}" for object_, known in ours)
    raise PersonNeeded(f"Issue {issue.id} is not about '{of}'.", remedy=f"It is about: {shown}")


def _picked(run: Run, bench: Bench, issue: Issue, side: Side, pick: str) -> tuple[int, str]:
    """(object, key) of the pick, checked against what the issue offers and what the ledger knows."""
    form, _, key = pick.rpartition(":")
    key = bench.whole_key(side, key)
    offered = _named(issue, "candidates")
    candidates = [at for at in offered if at[0] in bench.forms and bench.side(at[0]) == side]
    if issue.kind == "exists_already" or not candidates:
        candidates = [(object_, key) for object_ in bench.objects(side)]
    fitting = []
    for object_, known in candidates:
        fact = run.ledger.facts.get(object_, known)
        if known == key and (not form or bench.form(object_) == form) and fact is not None and fact.state == "live":
            fitting.append((object_, known))
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(f"{bench.form(object_)}:{known}" for object_, known in offered[:20])
    raise PersonNeeded(
        f"'{pick}' is not one of the records that issue {issue.id} offers.",
        remedy=f"Pick one of: {shown}" if shown else issue.remedy,
    )


def restore(run: Run, bench: Bench, conflict: Conflict) -> None:
    """Plans the lost value back onto its record; once it stands there it counts as that side's own edit.

    Raises PersonNeeded where the link or the field is no more, or it was restored already.
    """
    link = run.ledger.links.get(conflict.link or 0)
    if conflict.restored_at is not None:
        raise PersonNeeded(
            f"Conflict {conflict.id} was restored already.", remedy="See `syncd why` for what became of it."
        )
    if link is None:
        raise PersonNeeded(f"The link of conflict {conflict.id} is no more.", remedy="Edit the record by hand.")
    side: Side = "crm" if conflict.side == "crm" else "marketing"
    end = link.end(side)
    fact = run.ledger.facts.get(end.object, end.key)
    pairs = [p for p in bench.pairs(link.marketing.object, link.crm.object) if p.field.name == conflict.field]
    if not pairs or fact is None or fact.state != "live":
        raise PersonNeeded(
            f"Conflict {conflict.id} cannot be restored: its record or its field is no more.",
            remedy="Edit the record by hand.",
        )
    attribute = pairs[0].attribute(side)
    change = Change(
        conflict.field,
        attribute,
        fact.attributes.get(attribute),
        conflict.lost,
        f"conflict {conflict.id}, restored by a person",
        restores=True,
    )
    across = link.end(other(side))
    with run.ledger.transaction():
        run.ledger.intents.drop_unsent(bench.mapping.name, [link.id])
        run.ledger.intents.plan(
            [_row(bench, link, side, fact.stamp_ms, (across.object, across.key), change, run)], run.now()
        )
        run.ledger.inbox.mark_restored(conflict.id, run.now())
        # What was dropped above with the same link is found again from the facts.
        run.ledger.books.decide_again(bench.mapping.name, [(link.marketing.object, link.marketing.key)])
        said = f"{conflict.field}: conflict {conflict.id} restored"
        run.note([Note("restore", said, bench.mapping.name, link.id, end.object, end.key, [change])])


def _row(
    bench: Bench, link: Link, side: Side, stamp_ms: int, source: tuple[int, str], change: Change, run: Run
) -> dict[str, Any]:
    end = link.end(side)
    return {
        "mapping": bench.mapping.name,
        "link": link.id,
        "side": side,
        "object": end.object,
        "key": end.key,
        "source": source,
        "op": "update",
        "lane": "normal",
        "unique": None,
        "expect_ms": stamp_ms,
        "rev": run.ledger.facts.revision(),
        "body": Body(changes=[change], along=said_along(run, bench, link, side, [change])),
    }
