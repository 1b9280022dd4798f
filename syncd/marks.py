"""Marks: what the funnel says of somebody, written on marketing's own record where no partner's value leads to it.

Promise: whoever has no partner in the CRM is marked by the very fields that would tell it of a partner (who falls short is
marked for nurture, with the reason), and put into the list of the funnel's `[nurture]`, linked or not. A mark is an
intent like any other: planned, guarded, kept before it is sent, seen in the journal. Written when the funnel's word is
another one than was written last; somebody's own edit of a marked attribute stands until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.connector import Outcome
from syncd.core import plan
from syncd.core.derived import HANDED, NURTURE_LIST, OUTCOME
from syncd.core.mapping import FUNNEL_SAYS, Field
from syncd.core.merge import UNASKED
from syncd.core.model import Bad, Unmapped, Waits
from syncd.core.plan import Change, Planned
from syncd.funnel.derived import Derived, words_of
from syncd.ledger.facts import Fact
from syncd.ledger.intents import Intent
from syncd.partners import row_of, told
from syncd.run import Bench, Run

REFUSED = "list_refused"
"""The issue about a list that cannot be written."""
AT_SYSTEM = ("sent", "answered")


def mark(run: Run, bench: Bench, object_: int, facts: Sequence[Fact], lane: str) -> None:
    """Plans the marks of these records of marketing's. Call it in the transaction that decides them."""
    derived = run.derived
    if derived is None or derived.mapping != bench.mapping.name or bench.side(object_) != "marketing" or not facts:
        return
    name = bench.mapping.name
    keys = [fact.key for fact in facts]
    busy = _without_open(run, name, object_, facts)
    live = [fact for fact in facts if fact.state == "live" and fact.key not in busy]
    live = [one for one in live if plan.holds(bench.mapping, bench.mapping.scope, "marketing", *_seen(bench, one))]
    attribute = _list_of(bench, derived, object_)
    if attribute is not None:
        _inherited(run, name, object_, facts, attribute)
    linked = run.ledger.links.of_records(name, object_, keys)
    making = set(run.ledger.intents.making(name, object_, keys))
    words = words_of(run.ledger, derived, object_, [fact.key for fact in live])
    last = run.ledger.marks.told(name, object_, keys)
    lists = not run.ledger.inbox.issues(mapping=name, kind=REFUSED, limit=1)
    rows, notes = [], []
    for fact in live:
        said = words.get(fact.key)
        if said is None:
            continue
        before = last.get(fact.key, {})
        alone = fact.key not in linked and fact.key not in making
        found = _fields(bench, fact, said, before) if alone else []
        listed = _listed(derived, attribute, said, before) if lists and attribute is not None else []
        for changes in (found, listed):
            if changes:
                at = (object_, fact.key)
                one = Planned("marketing", *at, at, "update", lane, None, fact.stamp_ms, changes)
                rows.append(row_of(bench, None, one, rev=fact.rev))
                notes.append(told(bench, None, one))
    run.ledger.intents.plan(rows, run.now())
    run.note(notes)


def _seen(bench: Bench, fact: Fact) -> tuple[Any, ...]:
    return "marketing", bench.form(fact.object), fact.attributes


def _without_open(run: Run, name: str, object_: int, facts: Sequence[Fact]) -> set[str]:
    """Keys of those whose mark is at the system: it is waited for. What did not leave is planned anew, or not at all."""
    open_ = run.ledger.marks.open(name, object_, [fact.key for fact in facts])
    if not open_:
        return set()
    gone = {fact.key for fact in facts if fact.state != "live"}
    busy = {key for _, key, state in open_ if state in AT_SYSTEM and key not in gone}
    run.ledger.intents.close(id_ for id_, key, state in open_ if state not in AT_SYSTEM or key in gone)
    run.ledger.books.decide_again(name, [(object_, key) for key in sorted(busy)])
    return busy


def _fields(bench: Bench, fact: Fact, said: dict[str, Any], before: dict[str, Any]) -> list[Change]:
    """The fields that tell the funnel's words, where the record says otherwise and was not told so already."""
    form, changes = bench.form(fact.object), []
    for field in bench.mapping.fields:
        attribute = field.attribute("marketing", form)
        of, name = field.rolled.get("crm", ("", ""))
        word = said.get(f"{of}.{name}", UNASKED)
        if of not in FUNNEL_SAYS or attribute not in fact.attributes or word is UNASKED or attribute is None:
            continue
        current = fact.attributes[attribute]
        after = _after(field, word, current)
        if after is UNASKED or (attribute in before and before[attribute] == after):
            continue
        changes.append(Change(field.name, attribute, current, after, "the funnel says so"))
    return changes


def _after(field: Field, word: Any, current: Any) -> Any:
    """What is to be written for a word of the funnel's; UNASKED: nothing."""
    if field.canonical("crm", word) is None:
        blank = field.blank == "clear" and field.canonical("marketing", current) is not None
        return None if blank else UNASKED
    after = field.render("marketing", word, current)
    if isinstance(after, (Unmapped, Bad, Waits)):
        return UNASKED
    return UNASKED if field.canonical("marketing", after) == field.canonical("marketing", current) else after


def _list_of(bench: Bench, derived: Derived, object_: int) -> str | None:
    """The attribute that stands for the list of those to be nurtured, where the system has lists."""
    nurture = derived.funnel.nurture
    prefix = bench.systems["marketing"].traits(bench.form(object_)).lists
    return f"{prefix}{nurture.list}" if nurture is not None and prefix else None


def _inherited(run: Run, name: str, object_: int, facts: Sequence[Fact], attribute: str) -> None:
    """Who was merged was in the list, and their system may have put the survivor into it or not: that is said anew."""
    heirs = {fact.key: to[1] for fact in facts if (to := run.ledger.facts.lives_on(fact)) and to[0] == object_}
    marks = run.ledger.marks
    for key, said in marks.told(name, object_, sorted(heirs)).items() if heirs else ():
        if said.get(attribute, False) is not False:
            marks.keep(name, object_, heirs[key], {attribute: None})
            marks.forget(name, object_, [key])
            run.ledger.books.decide_again(name, [(object_, heirs[key])])


def _listed(derived: Derived, attribute: str, said: dict[str, Any], before: dict[str, Any]) -> list[Change]:
    """Into the list of those to be nurtured, or out of it."""
    nurture = derived.funnel.nurture
    # Whom sales has got is theirs, also when the score that got them there has gone by.
    theirs = said.get(HANDED) in ("delivered", "accepted")
    inside = nurture is not None and said.get(OUTCOME) in nurture.outcomes and not theirs
    was = before.get(attribute, False)
    if inside == was:
        return []
    return [Change(NURTURE_LIST, attribute, was, inside, "the funnel says so")]


def is_list(intent: Intent) -> bool:
    """Whether it is about the list and nothing else."""
    return {change.field for change in intent.body.changes} == {NURTURE_LIST}


def list_refused(run: Run, bench: Bench, intent: Intent, outcome: Outcome) -> None:
    """The list cannot be written: one issue for all, and nobody is put into it before somebody says retry."""
    system = bench.mapping.end("marketing").system
    run.ledger.inbox.raise_issue(
        REFUSED,
        bench.mapping.name,
        f"the nurture list cannot be written in {system}: {outcome.code} {outcome.message}".strip(),
        "Give our user the right to write lists, or take [nurture] out of funnel.toml; then `syncd issues retry ID`.",
        run.now(),
    )


def doubt(run: Run, intent: Intent) -> None:
    """It may have been put into the list, or out of it; no record tells. What the funnel says is said once more."""
    if is_list(intent) and intent.key is not None:
        run.ledger.marks.keep(intent.mapping, intent.object, intent.key, dict.fromkeys(intent.attributes))


def settle(run: Run, intent: Intent) -> None:
    """A mark was answered, or refused for good: it is not written again before it is another one."""
    if intent.link is None and intent.op == "update" and intent.key is not None:
        run.ledger.marks.keep(intent.mapping, intent.object, intent.key, intent.attributes)
