"""Two links that end at one record: it is one pair, or a person says which one it is.

Promise: where both sides were merged alike one link is left, and what was joined is told in its journal. Where they
were not, there is one question, with the story of each side, and until it is answered nothing is written through any of
its links: the survivor's values are not yet known to be theirs. Nobody is made anew for a record that was passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.core.model import SIDES, Side, other
from syncd.errors import PersonNeeded
from syncd.ledger.facts import Fact
from syncd.ledger.inbox import Issue
from syncd.ledger.journal import Note
from syncd.ledger.links import Link, LinkSide, NewLink
from syncd.run import Bench, Run

MERGED_INTO_LINKED = "merged_into_linked"
"""The issue where two links end at one record."""

MOST_OPEN = 10_000

Place = tuple[int, str]


def held_links(run: Run, bench: Bench) -> frozenset[int]:
    """The links that such a question is about: nothing is decided on them."""
    inbox, name = run.ledger.inbox, bench.mapping.name
    if not inbox.issue_count(name):
        return frozenset()
    issues = inbox.issues(mapping=name, kind=MERGED_INTO_LINKED, limit=MOST_OPEN)
    return frozenset(int(link) for issue in issues for link in issue.doc.get("links", ()))


def join(run: Run, bench: Bench, link: Link, into: Link) -> None:
    """Both ends of `link` live on as the ends of `into`: one link is left, and it has the history of both."""
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id])
    run.ledger.links.unlink(link.id)
    close(run, bench, link)
    said = f"joined with link {into.id}: merged on both sides into one pair"
    run.note([Note("joined", said, name, into.id, end.object, end.key) for end in (link.marketing, link.crm)])
    _decide(run, bench, [into])


def ask(run: Run, bench: Bench, link: Link, meets: dict[Side, tuple[Fact, Link]]) -> None:
    """Raises the one question about `link`. `meets`: by side, the record that became part of one which is linked
    already, and that link."""
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id, *(met.id for _, met in meets.values())])
    stories, candidates = [], []
    for side, (fact, met) in meets.items():
        across = met.end(other(side))
        stories.append(
            f"{side} {bench.form(fact.object)} {fact.key} was {fact.state} into {bench.form(met.end(side).object)}"
            f" {met.end(side).key}, which is linked to {other(side)} {bench.form(across.object)} {across.key}"
        )
        if len(meets) == 1:
            candidates = [link.end(other(side)), across]
    if len(meets) > 1:
        candidates = [meets["marketing"][1].crm, meets["crm"][1].crm]
    asked: Side = next(iter(meets)) if len(meets) == 1 else "marketing"
    run.ledger.inbox.raise_issue(
        MERGED_INTO_LINKED,
        name,
        "; and ".join(stories),
        f"Merge the {other(asked)} records too, or say which one the survivor goes with: `syncd issues resolve ID --pick KEY`."
        " Until then nothing is written to any of them.",
        run.now(),
        object=link.end(asked).object,
        key=link.end(asked).key,
        doc={
            "links": [link.id, *(met.id for _, met in meets.values())],
            "side": asked,
            "candidates": [[end.object, end.key] for end in candidates],
        },
    )


def close(run: Run, bench: Bench, link: Link) -> None:
    """Ends the question about this link, if there is one; the links that it held are decided again."""
    inbox, name = run.ledger.inbox, bench.mapping.name
    for issue in inbox.issues(mapping=name, kind=MERGED_INTO_LINKED, limit=MOST_OPEN):
        links = [int(each) for each in issue.doc.get("links", ())]
        if links and links[0] == link.id:
            inbox.close_issues(run.now(), id=issue.id)
            _decide(run, bench, run.ledger.links.many(links))


def look_again(run: Run, bench: Bench, link: Link) -> None:
    """Something happened to this link: questions that it is part of may have answered themselves."""
    if link.id in held_links(run, bench):
        for issue in run.ledger.inbox.issues(mapping=bench.mapping.name, kind=MERGED_INTO_LINKED, limit=MOST_OPEN):
            if link.id in issue.doc.get("links", ()):
                _decide(run, bench, run.ledger.links.many(issue.doc["links"]))


def _decide(run: Run, bench: Bench, links: Sequence[Link]) -> None:
    run.ledger.books.decide_again(
        bench.mapping.name,
        [(link.marketing.object, link.marketing.key) for link in links if link.state in ("live", "converted")],
    )


# ---------------------------------------------------------------- what a person says


def resolve(run: Run, bench: Bench, issue: Issue, picked: Place) -> int:
    """The survivor goes with the picked record; the links that lose it rest. Returns the link.

    Raises PersonNeeded where one of the links is no more: the question is about to answer itself.
    """
    side: Side = "crm" if issue.doc["side"] == "crm" else "marketing"
    links = {link.id: link for link in run.ledger.links.many(int(each) for each in issue.doc["links"])}
    own = links.get(int(issue.doc["links"][0]))
    if own is None or len(links) < len(set(issue.doc["links"])):
        raise PersonNeeded(
            f"Issue {issue.id} is about links that are no more.", remedy="Run `syncd once`, and look at it again."
        )
    met = [link for link in links.values() if link.id != own.id]
    has = links[int(issue.doc["links"][1])]
    kept = has if _at(has.end(other(side))) == picked else None
    name = bench.mapping.name
    with run.ledger.transaction():
        run.ledger.inbox.close_issues(run.now(), id=issue.id)
        run.ledger.intents.drop_unsent(name, list(links))
        link = own if kept is None else kept
        if kept is None:
            _take_over(run, bench, own, met)
        else:
            run.ledger.links.set_state(own.id, "unlinked")
        said = f"a person picked who the merged record goes with (issue {issue.id})"
        run.note([Note("picked", said, name, link.id, *_at(link.marketing))])
        again = [_at(each.end(of)) for each in links.values() for of in SIDES]
        run.ledger.books.decide_again(name, [*again, picked])
    return link.id


def _take_over(run: Run, bench: Bench, own: Link, met: Sequence[Link]) -> None:
    """The link that lost its record takes it from those that have it; they rest, with the record that was merged away."""
    name = bench.mapping.name
    ends: dict[Side, LinkSide] = {}
    freed: list[NewLink] = []
    for link in met:
        for side in SIDES:
            lost, ours = link.end(side), own.end(side)
            fact = run.ledger.facts.get(ours.object, ours.key)
            if fact is not None and fact.state != "live" and survivor(run, fact) == _at(lost):
                ends[side] = lost
                mine = LinkSide(side, ours.object, ours.key, {}, False)
                freed.append(NewLink("passed over after a merge", (mine, link.end(other(side)))))
        run.ledger.links.unlink(link.id)
    for side, lost in ends.items():
        base = own.end(side).base
        run.ledger.links.rekey(own.id, side, lost.object, lost.key, base, stamped=False, state="live")
    for link_id in run.ledger.links.make(name, freed, run.now()):
        run.ledger.links.set_state(link_id, "unlinked")


def _at(end: LinkSide) -> Place:
    return end.object, end.key


# ---------------------------------------------------------------- chains


def survivor(run: Run, fact: Fact) -> Place | None:
    """(object, key) of the record that a merged or converted one lives on as, through any chain."""
    return run.ledger.facts.lives_on(fact)
