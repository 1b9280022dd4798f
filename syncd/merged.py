"""Links that meet at one record after merges: they are one pair, or a person says which of them stays.

Promise: where both sides were merged alike one link is left, and what was joined is told in its journal. Where they
were not, everybody whom those merges brought together is one question, with the story of each merge, however many there
were on either side; until it is answered nothing is written through any of its links: the survivors' values are not yet
known to be theirs. Nobody is made anew for a record that was passed over.

The question is derived from where the links' records live on now: whatever happens to one of its links, `review` asks
again what is left of it, or ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from syncd.core.model import SIDES, Side, other
from syncd.errors import PersonNeeded
from syncd.ledger.facts import Fact
from syncd.ledger.inbox import Issue
from syncd.ledger.journal import Note
from syncd.ledger.links import RESTING, Link, LinkSide, NewLink
from syncd.run import Bench, Run

MERGED_INTO_LINKED = "merged_into_linked"
"""The issue where links meet at one record."""

MOST_OPEN = 10_000
MOST_TOLD = 20
"""Merges that one question tells of at most."""

Place = tuple[int, str]

Pair = tuple[Place, Place]
"""(marketing record, CRM record) that a link's ends live on as."""


def held_links(run: Run, bench: Bench) -> frozenset[int]:
    """The links that such a question is about: nothing is decided on them."""
    return frozenset(link for issue in _open(run, bench) for link in _links_of(issue))


def join(run: Run, bench: Bench, link: Link, into: Link) -> None:
    """Both ends of `link` live on as the ends of `into`: one link is left, and it has the history of both."""
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id])
    run.ledger.links.unlink(link.id)
    said = f"joined with link {into.id}: merged on both sides into one pair"
    run.note([Note("joined", said, name, into.id, end.object, end.key) for end in (link.marketing, link.crm)])
    review(run, bench, [link.id, into.id])
    _decide(run, bench, [into])


# ---------------------------------------------------------------- the question


def review(run: Run, bench: Bench, about: Iterable[int]) -> None:
    """Asks, once for all who belong together, what is in question among these links and those that are asked about with
    them; ends what is no question any more, and lets who was held by it be decided again."""
    about = set(about)
    before: list[Issue] = []
    unseen = _open(run, bench)
    while near := [issue for issue in unseen if about & set(_links_of(issue))]:
        before += near
        unseen = [issue for issue in unseen if issue not in near]
        about |= {link for issue in near for link in _links_of(issue)}
    links = [link for link in run.ledger.links.many(sorted(about)) if link.state not in RESTING]
    pairs = {link.id: pair_of(run, link) for link in links}
    asked: set[Place] = set()
    held: set[int] = set()
    for group in _together(links, pairs):
        if len({pairs[link.id] for link in group}) > 1:
            asked.add(_ask(run, bench, group, pairs, before))
            held |= {link.id for link in group}
    for issue in before:
        if (issue.object, issue.key) not in asked:
            run.ledger.inbox.close_issues(run.now(), id=issue.id)
    freed = {link for issue in before for link in _links_of(issue)} - held
    _decide(run, bench, [link for link in links if link.id in freed])


def pair_of(run: Run, link: Link) -> Pair:
    """The records that both ends of a link live on as."""
    return _lives_at(run, link.marketing), _lives_at(run, link.crm)


def _open(run: Run, bench: Bench) -> list[Issue]:
    inbox, name = run.ledger.inbox, bench.mapping.name
    return inbox.issues(mapping=name, kind=MERGED_INTO_LINKED, limit=MOST_OPEN) if inbox.issue_count(name) else []


def _links_of(issue: Issue) -> list[int]:
    return [int(link) for link in issue.doc.get("links", ())]


def _together(links: Iterable[Link], pairs: dict[int, Pair]) -> list[list[Link]]:
    """The links in groups that share records, directly or through others."""
    groups: list[tuple[set[Place], list[Link]]] = []
    for link in links:
        places, mine = set(pairs[link.id]), [link]
        apart = []
        for group in groups:
            if group[0] & places:
                places, mine = places | group[0], group[1] + mine
            else:
                apart.append(group)
        groups = [*apart, (places, mine)]
    return [mine for _, mine in groups]


def _ask(run: Run, bench: Bench, group: Sequence[Link], pairs: dict[int, Pair], before: Sequence[Issue]) -> Place:
    """Raises the one question about these links, at the record that most of them meet at; returns that record."""
    name = bench.mapping.name
    run.ledger.intents.drop_unsent(name, [link.id for link in group])
    side, survivor = _most_met(group, pairs)
    ours = SIDES.index(side)
    meeting = [link for link in group if pairs[link.id][ours] == survivor]
    # Who lost their record first, then whose it is.
    meeting.sort(key=lambda link: _at(link.end(side)) == survivor)
    candidates = list(dict.fromkeys(pairs[link.id][1 - ours] for link in meeting))
    stories = _stories(run, bench, group, pairs)
    more = f"; and {len(stories) - MOST_TOLD} more" if len(stories) > MOST_TOLD else ""
    run.ledger.inbox.raise_issue(
        MERGED_INTO_LINKED,
        name,
        "; and ".join(stories[:MOST_TOLD]) + more,
        f"Merge the {other(side)} records too, or say which one the survivor goes with: `syncd issues resolve ID --pick KEY`."
        " Until then nothing is written to any of them.",
        min([run.now(), *(issue.since for issue in before)]),
        object=survivor[0],
        key=survivor[1],
        doc={
            "links": [link.id for link in group],
            "side": side,
            "candidates": [list(at) for at in candidates],
        },
    )
    return survivor


def _most_met(group: Sequence[Link], pairs: dict[int, Pair]) -> tuple[Side, Place]:
    """The record that most partners compete for: a pick there answers most."""
    partners: dict[tuple[int, Place], set[Place]] = defaultdict(set)
    for link in group:
        for ours in range(len(SIDES)):
            partners[ours, pairs[link.id][ours]].add(pairs[link.id][1 - ours])
    ours, survivor = min(partners, key=lambda at: (-len(partners[at]), at))
    return SIDES[ours], survivor


def _stories(run: Run, bench: Bench, group: Sequence[Link], pairs: dict[int, Pair]) -> list[str]:
    """Every merge among the records of these links, marketing's first: also those that both sides made alike. Of records
    that nobody ever paired nothing is told."""
    told = []
    for side, survivors in zip(SIDES, zip(*(pairs[link.id] for link in group), strict=True), strict=True):
        places = sorted(set(survivors))
        for into in places:
            for at in run.ledger.facts.swallowed(into[0], [into[1]]).get(into[1], []):
                fact = run.ledger.facts.get(*at)
                if fact is None or at in places:
                    continue
                places.append(at)
                if run.ledger.journal.page(object=at[0], key=at[1], limit=1):
                    became = f"{_called(bench, at)} was {fact.state} into {_called(bench, into)}"
                    told.append(f"{side} {became}{_partner(run, bench, side, into)}")
    return told


def _partner(run: Run, bench: Bench, side: Side, at: Place) -> str:
    found = run.ledger.links.of_records(bench.mapping.name, at[0], [at[1]]).get(at[1])
    link = run.ledger.links.get(found) if found is not None else None
    if link is None or link.state in RESTING:
        return ""
    return f", which is linked to {other(side)} {_called(bench, _at(link.end(other(side))))}"


def _called(bench: Bench, at: Place) -> str:
    return f"{bench.form(at[0])} {at[1]}"


def _decide(run: Run, bench: Bench, links: Sequence[Link]) -> None:
    run.ledger.books.decide_again(
        bench.mapping.name,
        [_at(link.marketing) for link in links if link.state in ("live", "converted")],
    )


# ---------------------------------------------------------------- what a person says


def resolve(run: Run, bench: Bench, issue: Issue, picked: Place) -> int:
    """The survivor goes with the picked record; the links that lose it rest. What else is in question among them is
    asked anew. Returns the link.

    Raises PersonNeeded where one of the links is no more: the question is about to answer itself.
    """
    assert issue.object is not None
    assert issue.key is not None
    links = run.ledger.links.many(_links_of(issue))
    survivor = _lives_at(run, LinkSide("", issue.object, issue.key, {}, False))
    chosen: Pair = (survivor, picked) if issue.doc["side"] == "marketing" else (picked, survivor)
    pairs = {link.id: pair_of(run, link) for link in links}
    fitting = [link for link in links if pairs[link.id] == chosen]
    if len(links) < len(set(_links_of(issue))) or not fitting:
        raise PersonNeeded(
            f"Issue {issue.id} is about links that are no more.", remedy="Run `syncd once`, and look at it again."
        )
    kept = max(fitting, key=lambda link: sum(_at(link.end(side)) in chosen for side in SIDES))
    name = bench.mapping.name
    with run.ledger.transaction():
        run.ledger.intents.drop_unsent(name, [link.id for link in links])
        rivals = [link for link in links if link is not kept and set(pairs[link.id]) & set(chosen)]
        _take_over(run, bench, kept, chosen, rivals)
        said = f"a person picked who the merged record goes with (issue {issue.id})"
        run.note([Note("picked", said, name, kept.id, *_at(kept.marketing))])
        review(run, bench, [link.id for link in links])
        again = [_at(each.end(of)) for each in links for of in SIDES]
        run.ledger.books.decide_again(name, [*again, picked])
    return kept.id


def _take_over(run: Run, bench: Bench, kept: Link, chosen: Pair, rivals: Sequence[Link]) -> None:
    """The link that stays ends at the chosen pair. Whoever holds one of its records gives it up, and rests with the
    record that was merged away; whoever lost theirs rests as it is."""
    name = bench.mapping.name
    freed: list[NewLink] = []
    for link in rivals:
        holding = [side for side, at in zip(SIDES, chosen, strict=True) if _at(link.end(side)) == at]
        for side in holding:
            ours = kept.end(side)
            mine = LinkSide(side, ours.object, ours.key, {}, False)
            freed.append(NewLink("passed over after a merge", (mine, link.end(other(side)))))
        if holding:
            run.ledger.links.unlink(link.id)
        else:
            run.ledger.links.set_state(link.id, "unlinked")
    for side, at in zip(SIDES, chosen, strict=True):
        ours = kept.end(side)
        if _at(ours) != at:
            run.ledger.links.rekey(kept.id, side, *at, ours.base, stamped=False, state="live")
    for link_id in run.ledger.links.make(name, freed, run.now()):
        run.ledger.links.set_state(link_id, "unlinked")


def _at(end: LinkSide) -> Place:
    return end.object, end.key


# ---------------------------------------------------------------- chains


def survivor(run: Run, fact: Fact) -> Place | None:
    """(object, key) of the record that a merged or converted one lives on as, through any chain."""
    return run.ledger.facts.lives_on(fact)


def _lives_at(run: Run, end: LinkSide) -> Place:
    fact = run.ledger.facts.get(end.object, end.key)
    return (survivor(run, fact) if fact is not None and fact.into is not None else None) or _at(end)
