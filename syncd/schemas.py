"""What the systems say their objects look like, looked at now and then, and what of a mapping that holds.

Promise: a change of schema holds what it concerns and nothing else, is told once, with what changed and the line of the
file to edit, and is over by itself when either of the two is mended. An object costs one call an interval
(`sweep.schema`), and one more when a read or a refusal hints that it changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from syncd.assembly import Connected, identify
from syncd.core.drift import Looks, Standing, stand
from syncd.core.live import Finding, check_newer
from syncd.core.mapping import End
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Side
from syncd.core.problem import as_lines
from syncd.core.watch import Watch, check_watch_schema
from syncd.errors import AccessError, SyncdError, Transient
from syncd.ledger.described import Schema
from syncd.ledger.inbox import Issue
from syncd.ledger.journal import Note
from syncd.run import Run

ISSUE = "schema"
HINT_S = 300.0
"""A refusal leads to another look only where the last one is older: bad records are refused in every cycle."""
MOST_ISSUES = 10_000


def look(run: Run, ends: Iterable[End]) -> None:
    """Describes the objects of these ends whose time has come. Trouble with a system is its trouble; an object that
    cannot be described any more is told by `standing`."""
    for name, form in sorted({(end.system, form) for end in ends for form in end.forms}):
        system = run.systems[name]
        object_ = run.ledger.facts.object_id(name, form)
        at = run.ledger.described.at(object_)
        if not system.trouble and (at is None or run.now() - at >= system.table.sweep.schema_):
            _describe(run, system, form, object_)


def _describe(run: Run, system: Connected, form: str, object_: int) -> None:
    described = run.ledger.described
    try:
        changed = described.keep(object_, Schema.of(system.connector.describe(form)), run.now())
    except Transient as error:
        _trouble(run, system, error)
    except AccessError as error:
        system.account = None
        try:
            identify(system, run.ledger, run.now())
        except (Transient, AccessError) as wider:
            _trouble(run, system, wider)
        else:  # it is this object alone that we may not see
            described.lose(object_, form, error.message, run.now())
    else:
        if changed:
            run.event("schema_changed", system=system.name, object=form)


def _trouble(run: Run, system: Connected, error: SyncdError) -> None:
    system.trouble, system.failure = error.message, error
    run.event("system_trouble", system=system.name, reason=error.message)


def lacking(run: Run, system: Connected, form: str, named: Collection[str]) -> frozenset[str]:
    """Those of the attributes that a refusal names which the object has not, or not for us to write: no matter of the
    record's value. Costs a call where the last look is not recent."""
    if not named or system.trouble:
        return frozenset()
    object_ = run.ledger.facts.object_id(system.name, form)
    at = run.ledger.described.at(object_)
    if at is None or run.now() - at >= HINT_S:
        _describe(run, system, form, object_)
    said = run.ledger.described.get(object_)
    if said is None or said.lost:
        return frozenset()
    return frozenset(name for name in named if name in said.was.attributes and not _is_ours(said.now, name))


def _is_ours(schema: Schema, name: str) -> bool:
    attribute = schema.attributes.get(name)
    return attribute is not None and attribute.updatable


def unseen(run: Run, system: str, form: str) -> None:
    """A record came without an attribute that the object should have. Looked at again before anything is decided: once
    it is known to be gone, it is not asked for."""
    run.ledger.described.stale(run.ledger.facts.object_id(system, form), run.now() + 1)
    run.hinted.add((system, form))


def known(run: Run, system: str, form: str) -> frozenset[str] | None:
    """The attributes that the object has, as far as they are known; None: nothing is known of it."""
    said = run.ledger.described.get(run.ledger.facts.object_id(system, form))
    return None if said is None or said.lost else frozenset(said.now.attributes)


# ---------------------------------------------------------------- what is held


def standing(run: Run, mapping: Compiled, parents: Mapping[str, Compiled]) -> Standing:
    """What the mapping can do now. Its issues are brought up to date; where what is held changed, what was planned is
    dropped and everything is decided again."""
    looks: dict[tuple[Side, str], Looks] = {}
    lost: list[str] = []
    for side in SIDES:
        end = mapping.end(side)
        for form in end.forms:
            said = run.ledger.described.get(run.ledger.facts.object_id(end.system, form))
            if said is not None and said.lost:
                lost.append(f"{end.system} does not show us {form}: {said.lost}")
            elif said is not None:
                looks[side, form] = Looks(said.now, said.was)
    now = stand(mapping, looks, parents)
    now = Standing(now.mapping, (*now.found, *_undecidable(run, mapping)), now.stuck)
    if lost:
        now = Standing(now.mapping, now.found, "; ".join(lost))
    _tell(run, mapping, now, lost)
    return now


def watching(run: Run, watch: Watch) -> bool:
    """Whether the watch can go on: it rests under an issue while its object is not what its file says."""
    object_ = run.ledger.facts.object_id(watch.end.system, watch.end.object)
    said = run.ledger.described.get(object_)
    wrong = first = ""
    if said is not None and said.lost:
        wrong = first = f"{watch.end.system} does not show us {watch.end.object}: {said.lost}"
    elif said is not None and (problems := list(check_watch_schema(watch, said.now))):
        wrong, first = as_lines(problems), str(problems[0])
    inbox, now = run.ledger.inbox, run.now()
    if not wrong:
        if inbox.issues(mapping=watch.name, kind=ISSUE, limit=1):
            inbox.close_issues(now, mapping=watch.name, kind=ISSUE)
        return True
    remedy = "Edit that line, or mend it in the system; it is looked at again by itself. The watch rests until then."
    inbox.raise_issue(ISSUE, watch.name, wrong, remedy, now, object=object_)
    tally = run.tally(watch.name)
    tally.watch, tally.stuck, tally.skipped = True, True, first
    return False


def _undecidable(run: Run, mapping: Compiled) -> list[tuple[Side, str, Finding]]:
    """Clashes that would wait for ever, told before the first of them."""
    return [
        (side, form, finding)
        for side in SIDES
        for form in mapping.end(side).forms
        if not (system := run.systems[mapping.end(side).system]).trouble
        for finding in check_newer(mapping, side, form, history=system.traits(form).history)
    ]


Place = tuple[int | None, str | None]
"""(object, field) that an issue is about."""


def _tell(run: Run, mapping: Compiled, now: Standing, lost: list[str]) -> None:
    inbox = run.ledger.inbox
    before = {
        (issue.object, issue.field): issue
        for issue in inbox.issues(mapping=mapping.name, kind=ISSUE, limit=MOST_ISSUES)
    }
    found: dict[Place, list[Finding]] = defaultdict(list)
    for side, form, finding in now.found:
        found[run.ledger.facts.object_id(mapping.end(side).system, form), finding.field].append(finding)
    if not before and not found and not lost:
        return
    with run.ledger.transaction():
        for place, findings in found.items():
            _raise(run, mapping, place, findings, now.stuck)
        if lost:
            remedy = "Give the sync user access to it, or correct the object's name in the file."
            inbox.raise_issue(ISSUE, mapping.name, "; ".join(lost), remedy, run.now(), doc={"holds": ["mapping"]})
        for place, issue in before.items():
            if place not in found and not (lost and place == (None, None)):
                inbox.close_issues(run.now(), id=issue.id)
                run.note([Note("schema", "in order again" + (f": {issue.field}" if issue.field else ""), mapping.name)])
        held = {
            (place, finding.attribute, finding.holds)
            for place, each in found.items()
            for finding in each
            if finding.holds
        }
        if lost or now.stuck:
            held.add(((None, None), None, "field"))
        if held != _held(before.values()):
            _begin_anew(run, mapping.name)


def _raise(run: Run, mapping: Compiled, place: Place, findings: list[Finding], stuck: str) -> None:
    holds = {finding.holds for finding in findings}
    goes_on = (
        "The other fields go on." if "field" in holds else "Updates go on; creates wait." if "creates" in holds else ""
    )
    if stuck and "field" in holds:
        goes_on = f"The mapping rests: {stuck}."
    run.ledger.inbox.raise_issue(
        ISSUE,
        mapping.name,
        as_lines(finding.problem for finding in findings),
        f"Edit that line, or mend it in the system; it is looked at again by itself. {goes_on}".strip(),
        run.now(),
        object=place[0],
        field=place[1],
        doc={"attributes": [[finding.attribute, finding.holds] for finding in findings], "stuck": bool(stuck)},
    )


def _held(issues: Iterable[Issue]) -> set[tuple[Place, str | None, str]]:
    """What was held when these issues were told."""
    held: set[tuple[Place, str | None, str]] = set()
    for issue in issues:
        for attribute, holds in issue.doc.get("attributes", ()):
            if holds:
                held.add(((issue.object, issue.field), attribute, holds))
        if issue.doc.get("stuck") or issue.doc.get("holds"):
            held.add(((None, None), None, "field"))
    return held


def _begin_anew(run: Run, name: str) -> None:
    """What was planned may name what is held now; what was held may have moved meanwhile."""
    run.ledger.intents.drop_unsent(name)
    run.ledger.intents.release(name)
    run.ledger.books.forget_decided(name)
    run.ledger.links.forget_rests(name)
    run.note([Note("schema", "what a system looks like holds other fields than before; all is decided again", name)])
