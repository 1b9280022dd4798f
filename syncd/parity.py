"""Parity: both sides are read again, and every field of every link is judged; the figure is dated and kept.

Promise: it asks the systems, not the ledger, in the lowest lane; it writes nothing to them. What it finds that no feed
told goes into the facts, so that the next cycle mends it. It goes in slices and can be stopped after any of them; a
comparison that was stopped leaves no figure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from syncd.connector import Record
from syncd.core.model import SIDES, Side
from syncd.core.parity import STANDINGS, Judged, Seen, judge
from syncd.decide import gather
from syncd.ledger.facts import Fact
from syncd.ledger.links import Link
from syncd.references import of_links
from syncd.run import Bench, Run

SLICE = 200
"""Links compared between two looks at the clock."""
SHOWN = 100
"""Drifting fields that are told one by one."""
KIND = "drift"
"""The kind of its issue, one for each field."""
LANE = "backfill"


@dataclass
class Figure:
    """What a comparison counted so far."""

    links: int = 0
    compared: int = 0
    fields: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By (forms, field): how many stand how."""
    drifting: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Shares are of what could be read; None where nothing could."""
        rows = [
            {
                "forms": forms,
                "field": name,
                "compared": counts.total(),
                **{standing: counts[standing] for standing in STANDINGS},
                "agreement": share(counts),
            }
            for (forms, name), counts in sorted(self.fields.items())
        ]
        total = sum(self.fields.values(), Counter())
        return {
            "links": self.links,
            "compared": self.compared,
            **{standing: total[standing] for standing in STANDINGS},
            "agreement": share(total),
            "fields": rows,
            "drifting": self.drifting,
        }


def share(counts: Counter[str]) -> float | None:
    """The part that agrees, or differs by a rule that both departments chose; of what could be read."""
    readable = counts.total() - counts["unreadable"]
    return round((counts["agree"] + counts["by_rule"]) / readable, 6) if readable else None


def steps(run: Run, bench: Bench, sample: int | None) -> Iterator[Figure]:
    """Compares all live links, or about `sample` of them chosen by chance, a slice between two yields. The last one is
    the whole figure, kept in the ledger with its issues."""
    name = bench.mapping.name
    figure = Figure(links=run.ledger.links.count(name))
    chance = 1.0 if sample is None or not figure.links else min(1.0, sample / figure.links)
    random = Random(run.id)
    after = 0
    while page := run.ledger.links.page(name, after, SLICE):
        after = page[-1].id
        chosen = [link for link in page if link.state != "unlinked" and random.random() < chance]
        if chosen:
            _compare(run, bench, chosen, figure)
            yield figure
    _keep(run, bench, figure, whole=chance == 1.0)
    yield figure


def _compare(run: Run, bench: Bench, links: Sequence[Link], figure: Figure) -> None:
    facts = gather(run, links)
    said = {side: _read(run, bench, side, links) for side in SIDES}
    now = ((side, bench.form(object_), one.attributes) for side in SIDES for (object_, _), one in said[side].items())
    bench = of_links(run, bench, links, facts, now)
    waiting = {intent.link for intent in run.ledger.intents.of_links([link.id for link in links])}
    undecided = _undecided(run, bench, links, facts)
    for link in links:
        seen: dict[Side, Seen] = {}
        for side in SIDES:
            end = link.end(side)
            fact, record = facts.get((end.object, end.key)), said[side].get((end.object, end.key))
            live = record is not None and record.state == "live" and fact is not None and fact.state == "live"
            seen[side] = Seen(
                bench.form(end.object),
                {**record.attributes, **_rolled(bench, side, fact)} if record and fact and live else None,
                record.stamp_ms if record is not None else 0,
                fact.attributes if fact is not None else {},
                fact.stamp_ms if fact is not None else 0,
                end.base,
                silent=bench.systems[side].traits(bench.form(end.object)).moves_no_stamp,
            )
        paired = bench.pairs(link.marketing.object, link.crm.object)
        forms = f"{seen['marketing'].form} ~ {seen['crm'].form}"
        figure.compared += 1
        for judged in judge(bench.mapping, paired, seen, under_way=link.id in waiting or link.id in undecided):
            figure.fields[forms, judged.field][judged.standing] += 1
            if judged.standing == "drift":
                _drifts(run, bench, link, judged, figure)
    for side in SIDES:
        for object_ in bench.objects(side):
            # What no feed told is told now: the next cycle decides on it.
            seen_now = {key: record for (of, key), record in said[side].items() if of == object_}
            run.ledger.facts.keep(object_, list(seen_now.values()))
            asked = {end.key for link in links if (end := link.end(side)).object == object_}
            run.ledger.unseen.keep(object_, sorted(asked - seen_now.keys()), sorted(asked & seen_now.keys()), run.now())


def _undecided(run: Run, bench: Bench, links: Sequence[Link], facts: Mapping[tuple[int, str], Fact]) -> set[int]:
    """Links that the next cycle decides on anyway: a record of theirs moved since the last one, or is to be decided
    again."""
    name, books = bench.mapping.name, run.ledger.books
    marks = {object_: books.decided(name, object_) for object_ in bench.forms}
    ends = {link.id: [(end.object, end.key) for end in (link.marketing, link.crm)] for link in links}
    again = books.among_again(name, [at for both in ends.values() for at in both])
    return {
        link
        for link, both in ends.items()
        if any(at in again or ((fact := facts.get(at)) and fact.rev > marks.get(at[0], 0)) for at in both)
    }


def _rolled(bench: Bench, side: Side, fact: Fact) -> dict[str, Any]:
    """What a record's children come to: its system says nothing of it, the ledger does."""
    names = bench.mapping.rolled(side, bench.form(fact.object))
    return {name: fact.attributes[name] for name in names if name in fact.attributes}


def _read(run: Run, bench: Bench, side: Side, links: Sequence[Link]) -> dict[tuple[int, str], Record]:
    system = bench.systems[side]
    by_object: dict[int, list[str]] = defaultdict(list)
    for link in links:
        by_object[link.end(side).object].append(link.end(side).key)
    found: dict[tuple[int, str], Record] = {}
    with system.lane(LANE):
        for object_, keys in by_object.items():
            form = bench.form(object_)
            batch = system.traits(form).read_batch
            for start in range(0, len(keys), batch):
                for record in system.connector.fetch(
                    form, run.attributes(system.name, form), keys[start : start + batch]
                ):
                    found[object_, record.key] = record
    return found


def _drifts(run: Run, bench: Bench, link: Link, judged: Judged, figure: Figure) -> None:
    if len(figure.drifting) < SHOWN:
        figure.drifting.append(
            {
                "mapping": bench.mapping.name,
                "field": judged.field,
                "why": judged.why,
                "records": [
                    dict(
                        zip(
                            ("system", "object", "key"),
                            (*run.ledger.facts.name_of(end.object), end.key),
                            strict=True,
                        )
                    )
                    for end in (link.marketing, link.crm)
                ],
            }
        )


def _keep(run: Run, bench: Bench, figure: Figure, *, whole: bool) -> None:
    """The figure and its issues: one for each field that drifts; a field that does not any more closes its own."""
    name = bench.mapping.name
    drift: Counter[str] = Counter()
    rows = []
    for (forms, field_), counts in figure.fields.items():
        drift[field_] += counts["drift"]
        rows.append((forms, field_, *(counts[standing] for standing in STANDINGS)))
    with run.ledger.transaction():
        run.ledger.books.keep_parity(run.id or 0, name, run.now(), whole, rows)
        for field_, count in drift.items():
            run.ledger.inbox.close_issues(run.now(), kind=KIND, mapping=name, field=field_)
            if count:
                run.ledger.inbox.raise_issue(
                    KIND,
                    name,
                    f"{field_}: {count} of {figure.compared} compared pairs differ, and nothing explains it",
                    f"`syncd parity {name}` names them; a cycle decides on what was missed. If it stays, report it.",
                    run.now(),
                    field=field_,
                )
