"""A link that lost one of its records, by the system's own word: it rests, and the mapping's rule says what follows.

unlink    nothing: the partner stays, and is not made anew
archive   the partner is to be deleted too, once a person approved it
ignore    the link waits as if nothing had happened

Promise: nothing is deleted unasked, nothing is brought back, and an edit on the other side always goes before a delete:
then both are kept, and a person is told. A record that comes back wakes its link.
"""

from __future__ import annotations

from syncd import doubts, merged
from syncd.core.model import SIDES, Side, other
from syncd.ledger.facts import Fact
from syncd.ledger.intents import OPEN_AT_SYSTEM, Body
from syncd.ledger.journal import Note
from syncd.ledger.links import Link
from syncd.run import Bench, Run

Facts = dict[tuple[int, str], Fact]

LEFT = "left"
"""The state of a link whose record left the scope of its mapping, where that is to end it: another record may take the
partner. It goes on when the record comes back."""

EDITED = "deleted_and_edited"
"""The issue where one record was deleted and the other one edited."""

DELETES_WAIT = "deletes_wait"
"""The issue about deletes that wait for a person's approval."""


def lost(run: Run, bench: Bench, link: Link, side: Side, facts: Facts) -> None:
    """The record on `side` is gone, and the link does not know it yet."""
    name = bench.mapping.name
    end = link.end(side)
    if any(intent.state in OPEN_AT_SYSTEM for intent in run.ledger.intents.of_links([link.id])):
        # What our own write changed is no edit: first it must be known what became of it.
        run.ledger.books.decide_again(name, [(end.object, end.key)])
        return
    run.ledger.intents.drop_unsent(name, [link.id])
    # Should it come back as it was, what was edited across meanwhile must be decided all the same.
    run.ledger.links.stir([link.id])
    if bench.mapping.gone[side] == "ignore" or end.object in bench.gone_held:
        return
    run.ledger.links.set_state(link.id, "unlinked")
    run.tally(name).kinds["gone"] += 1
    merged.review(run, bench, [link.id])
    doubts.look_again(run, bench, link)
    said = f"deleted on {side}; the link rests, nothing is deleted or recreated"
    run.note([Note("gone", said, name, link.id, end.object, end.key)])
    across = facts.get(_at(link, other(side)))
    if across is not None and across.state == "live" and _edited(bench, link, other(side), across):
        _both_kept(run, bench, link, side)
    else:
        propose(run, bench, link, side, facts)


def propose(run: Run, bench: Bench, link: Link, side: Side, facts: Facts) -> None:
    """Plans that the partner of a gone record is deleted too, where the mapping wants it; a person has the last word.
    Repeatable: what is planned already stays."""
    if bench.mapping.gone[side] != "archive" or link.state == "kept":
        return
    name, to = bench.mapping.name, other(side)
    end, gone, across = link.end(side), facts.get(_at(link, side)), facts.get(_at(link, to))
    if gone is None or across is None or across.state != "live":
        run.ledger.intents.drop_unsent(name, [link.id])
    elif _edited(bench, link, to, across):
        run.ledger.intents.drop_unsent(name, [link.id])
        _both_kept(run, bench, link, side)
    elif not run.ledger.intents.of_links([link.id]):
        partner = link.end(to)
        row = {
            "mapping": name,
            "link": link.id,
            "side": to,
            "object": partner.object,
            "key": partner.key,
            "source": (end.object, end.key),
            "op": "archive",
            "state": "asked",
            "lane": "normal",
            "unique": None,
            "expect_ms": across.stamp_ms,
            "rev": max(gone.rev, across.rev),
            "body": Body(changes=[]),
        }
        run.ledger.intents.plan([row], run.now())
        said = f"archive on {to}: its partner was deleted on {side}; waits for approval"
        run.note([Note("decide", said, name, link.id, partner.object, partner.key)])


def back(run: Run, bench: Bench, link: Link) -> None:
    """Both ends live again: the link goes on where it rested."""
    name = bench.mapping.name
    run.ledger.links.set_state(link.id, "live")
    run.ledger.intents.drop_unsent(name, [link.id])
    for each in (link.marketing, link.crm):
        run.ledger.inbox.close_issues(run.now(), kind=EDITED, mapping=name, object=each.object, keys=[each.key])
    said = "both records are live again; the link goes on"
    run.note([Note("restored", said, name, link.id, link.marketing.object, link.marketing.key)])


def cross_scope(run: Run, bench: Bench, link: Link) -> None:
    """A record left the scope of the mapping, or came back into it."""
    name, left = bench.mapping.name, link.state != LEFT
    run.ledger.links.set_state(link.id, LEFT if left else "live")
    said = "left the scope; the link rests until it is back" if left else "back in scope; the link goes on"
    run.note([Note("scope", said, name, link.id, link.marketing.object, link.marketing.key)])


def _at(link: Link, side: Side) -> tuple[int, str]:
    return link.end(side).object, link.end(side).key


def _edited(bench: Bench, link: Link, side: Side, fact: Fact) -> bool:
    """Whether the record says anything else than what both sides settled on. What the ledger makes of others (roll-ups,
    the funnel's word, which turns with the delete itself) is nobody's edit, and what is only looked at never settles."""
    beside = {field.name for field in bench.mapping.fields if side in field.rolled or field.flow == "none"}
    return any(
        fact.attributes.get(attribute, value) != value
        for name, value in link.end(side).base.items()
        for field, attribute in [name.split(":", 1)]
        if field not in beside
    )


def _both_kept(run: Run, bench: Bench, link: Link, side: Side) -> None:
    at = _at(link, other(side))
    run.ledger.inbox.raise_issue(
        EDITED,
        bench.mapping.name,
        f"deleted on {side}, edited on {other(side)}; both are kept as they are",
        "Restore the deleted record, or leave it: nothing more is written to either.",
        run.now(),
        object=at[0],
        key=at[1],
    )


# ---------------------------------------------------------------- approval


def ask(run: Run, mapping: str) -> None:
    """Keeps the one issue about a mapping's deletes that wait in step with how many there are."""
    waiting = run.ledger.intents.total(("asked",), mapping)
    if waiting:
        run.ledger.inbox.raise_issue(
            DELETES_WAIT,
            mapping,
            f"{waiting} records are to be deleted because their partners were",
            f"Look at them: `syncd plan {mapping}`. Delete them: `syncd approve {mapping} --deletes`. Keep them:"
            f" `syncd approve {mapping} --no-deletes`.",
            run.now(),
        )
    elif run.ledger.inbox.issue_count(mapping):
        run.ledger.inbox.close_issues(run.now(), kind=DELETES_WAIT, mapping=mapping)


def approve(run: Run, mapping: str) -> int:
    """A person looked at the deletes and wants them; returns how many."""
    with run.ledger.transaction():
        moved = run.ledger.intents.move_all(mapping, "asked", "ready")
        if moved:
            run.note([Note("released", f"{moved} deletes may be sent", mapping)])
        ask(run, mapping)
    return moved


def decline(run: Run, mapping: str) -> int:
    """A person wants the partners to stay: they are not asked about again. Returns how many."""
    intents, declined = run.ledger.intents, 0
    with run.ledger.transaction():
        while batch := intents.batch(mapping, "asked", 0, 1000):
            for intent in batch:
                if intent.link is not None:
                    run.ledger.links.set_state(intent.link, "kept")
            run.note([Note("kept", "it stays: a person decided", mapping, i.link, i.object, i.key) for i in batch])
            intents.close(intent.id for intent in batch)
            declined += len(batch)
        ask(run, mapping)
    return declined


def gone_sides(link: Link, facts: Facts) -> list[Side]:
    """The sides whose record is known to be gone."""
    return [side for side in SIDES if (fact := facts.get(_at(link, side))) is not None and fact.state == "gone"]
