"""What commands that act do: the same code, whether the command holds the lease itself or asked the daemon.

Promise: a deed is repeatable; killed and done again, it does nothing twice. It prints nothing: it answers with facts
and an exit code, and tells how far it is through its `Watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from syncd import forget as forgetting
from syncd import gone, ruling, slices
from syncd import undo as undoes
from syncd.answer import Answer, Deed, Facts, Watch
from syncd.core.model import SIDES
from syncd.cycle import cycle, plan_only, prepare
from syncd.errors import EXIT_CONFIG, EXIT_OK, ConfigError, Fault, PersonNeeded
from syncd.holding import UNSENT, guard, plan_digest, plan_rows, release
from syncd.run import Bench, Run
from syncd.session import Session
from syncd.view.moment import iso
from syncd.view.plan import row_digest

MOST_RETRIED = 10_000
"""Issues that one command retries."""


def once(session: Session, doc: Facts, watch: Watch) -> Answer:
    """One cycle. doc: mapping (None: all), yes, shown (digests of a saved plan's rows; None: no saved plan)."""
    names = session.files.named(doc.get("mapping"))
    shown = doc.get("shown")
    gate = None if shown is None else _only(frozenset(shown))
    with session.run("once", names, stop=watch.stop) as run:
        cycle(run, session.files.mappings, names, yes=bool(doc.get("yes")), gate=gate)
    return _told(session, doc, run, names)


def plan(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Polls and plans, and sends nothing. What is planned stays in the ledger, to be shown from there."""
    names = session.files.named(doc.get("mapping"))
    with session.run("plan", names, stop=watch.stop) as run:
        plan_only(run, session.files.mappings, names)
    for tally in run.tallies.values():
        tally.held = False  # a held plan is what was asked for
    return _told(session, doc, run, names)


def _told(session: Session, doc: Facts, run: Run, names: list[str]) -> Answer:
    """The answer about a run. Who asked for all mappings hears of those that are broken, and ends with that."""
    facts, code = session.report(run), session.exit_code(run, names)
    broken = session.broken() if doc.get("mapping") is None else {}
    return Answer({**facts, "ok": facts["ok"] and not broken, "broken": broken}, EXIT_CONFIG if broken else code)


def approve(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Releases a mapping's plan as it stands, if it is still the one that was shown (doc: mapping, plan, deletes).
    `deletes` True: the deletes that wait, and nothing else; False: they are declined, and their records stay."""
    (name,) = session.files.named(str(doc["mapping"]))
    deletes, ended = doc.get("deletes"), ""
    with session.run("approve", []) as run:
        digest = plan_digest(run.ledger.intents, name, *([("asked",)] if deletes is not None else []))
        wanted = str(doc.get("plan") or "")
        if wanted and not digest.startswith(wanted):
            raise PersonNeeded(
                f"The plan of {name} is not the one that was shown: it is {digest[:16]} now.",
                remedy=f"Look at it again: `syncd plan {name}`.",
            )
        if deletes is not None:
            count = gone.approve(run, name) if deletes else gone.decline(run, name)
        else:
            safe = bool(run.ledger.epoch.safe(name))
            count = release(run, name)
            if safe and not count:
                ended = f"The safe mode of {name} is ended; nothing of it waits to be sent."
    facts = {"mapping": name, "released": 0 if deletes is False else count, "digest": digest}
    if deletes is False:
        facts["declined"] = count
    return Answer(facts, EXIT_OK, ended or _told_release(name, count, deletes))


def _told_release(name: str, count: int, deletes: bool | None) -> str:
    if deletes is None:
        return (
            f"{count} effects of {name} are released; the next cycle sends them."
            if count
            else f"No plan of {name} waits."
        )
    if not count:
        return f"No delete of {name} waits."
    if deletes:
        return f"{count} deletes of {name} are released; the next cycle sends them."
    return f"{count} deletes of {name} are declined: the records stay, and are not asked about again."


def retry(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Lets the records of issues be decided again, and runs a cycle (doc: id; or all, kind, mapping: every issue that
    fits and may be retried)."""
    inbox = session.ledger.inbox
    if doc.get("id") is not None:
        issue = inbox.issue(int(doc["id"]))
        if issue is None:
            raise ConfigError(f"there is no open issue {doc['id']}", remedy="`syncd issues` lists them")
        one = issue
        return _ruled(session, one.mapping, watch, lambda run, bench: ruling.retry(run, bench, one))
    chosen = inbox.issues(kind=doc.get("kind"), mapping=doc.get("mapping"), limit=MOST_RETRIED)
    known = session.files.mappings.by_name
    chosen = [issue for issue in chosen if issue.kind not in ruling.NOT_RETRIED and issue.mapping in known]
    if not chosen:
        raise ConfigError("no open issue fits", remedy="`syncd issues` lists them, with their kinds")
    names = [name for name in known if name in {issue.mapping for issue in chosen}]
    with session.run("ruling", names, stop=watch.stop) as run:
        for bench in prepare(run, session.files.mappings, names):
            with run.ledger.transaction():
                for issue in chosen:
                    if issue.mapping == bench.mapping.name:
                        ruling.retry(run, bench, issue)
        cycle(run, session.files.mappings, names)
    more = "; there may be more: say it again" if len(chosen) == MOST_RETRIED else ""
    said = f"{len(chosen)} issues retried; one cycle was run{more}."
    return Answer({**session.report(run), "retried": len(chosen)}, session.exit_code(run, names), said)


def resolve(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Links an issue's record with the picked one, and runs a cycle (doc: id, pick, for)."""
    issue = session.ledger.inbox.issue(int(doc["id"]))
    if issue is None:
        raise ConfigError(f"there is no open issue {doc['id']}", remedy="`syncd issues` lists them")

    def rule(run: Run, bench: Bench) -> None:
        ruling.resolve(run, bench, issue, str(doc["pick"]), doc.get("for"))

    return _ruled(session, issue.mapping, watch, rule)


def restore(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Writes a lost value back, and runs a cycle (doc: id)."""
    found = session.ledger.inbox.conflicts(id=int(doc["id"]))
    if not found:
        raise ConfigError(f"there is no conflict {doc['id']}", remedy="`syncd conflicts` lists them")
    return _ruled(session, found[0].mapping, watch, lambda run, bench: ruling.restore(run, bench, found[0]))


def _ruled(session: Session, mapping: str, watch: Watch, rule: Callable[[Run, Bench], object]) -> Answer:
    names = session.files.named(mapping)
    with session.run("ruling", names, stop=watch.stop) as run:
        (bench,) = prepare(run, session.files.mappings, names)
        rule(run, bench)
        cycle(run, session.files.mappings, names)
    return Answer(session.report(run), session.exit_code(run, names), "Done; one cycle was run.")


def _only(shown: frozenset[str]) -> Callable[[Run, Bench], None]:
    """The gate of a saved plan: what it shows may go, everything else is held."""

    def gate(run: Run, bench: Bench) -> None:
        name, intents = bench.mapping.name, run.ledger.intents
        if run.ledger.epoch.safe(name) or not intents.total(("ready", *UNSENT), name):
            # A saved plan ends no safe mode; and where nothing is planned, it approves nothing.
            guard(run, bench, yes=False)
            return
        go: list[int] = []
        hold: list[int] = []
        for intent in plan_rows(intents, name):
            (go if row_digest(intent) in shown else hold).append(intent.id)
        with run.ledger.transaction():
            if not hold:
                release(run, name)
                return
            intents.set_state(go, "ready")
            intents.set_state(hold, "held")
            why = [f"{len(hold)} effects are not as in the saved plan, or not in it"]
            intents.hold(name, plan_digest(intents, name), why, run.now())
            remedy = f"Look at them: `syncd plan {name}`. Release them: `syncd approve {name}`."
            run.ledger.inbox.raise_issue("held_plan", name, why[0], remedy, run.now())

    return gate


def forget(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Erases the records of a person (doc: places, as [object, key]); the certificate is the answer."""
    places = [(int(object_), str(key)) for object_, key in doc["places"]]
    with session.run("forget", [], stop=watch.stop) as run:
        certificate = forgetting.forget(session.ledger, places, run.id, run.now())
    return Answer({"at": iso(session.clock.now()), **certificate}, EXIT_OK, "Erased.")


def undo(session: Session, doc: Facts, watch: Watch) -> Answer:
    """Plans what stood there before (doc: mapping, run, version, since in seconds, yes); with `yes`, sends it."""
    names = list(session.files.mappings.by_name)
    if doc.get("mapping") is not None:
        names = [session.files.mapping(str(doc["mapping"])).name]
    scope = _scope(session, doc)
    asked = next(f"{key} {doc[key]}" for key in ("run", "version", "since") if doc.get(key) is not None)
    with session.run("undo", names, stop=watch.stop) as run:
        found = {}
        for bench in slices.read_first(session, run, names):
            name = bench.mapping.name
            undoing = undoes.plan(run, bench, scope, _pointers(session, name))
            found[name] = undoes.as_json(session.ledger, name, undoing, all_created=bool(doc.get("created")))
            if doc.get("yes"):
                undoes.keep(run, bench, undoing, f"undo of {asked}")
        if doc.get("yes"):
            cycle(run, session.files.mappings, names)
    facts: Facts = {"undo": found}
    count = sum(one["restores"] for one in found.values())
    if not doc.get("yes"):
        said = f"{count} fields would be put back. Do it: add --yes." if count else "There is nothing to put back."
        return Answer(facts, EXIT_OK, said)
    return Answer(
        {**facts, "report": session.report(run)}, session.exit_code(run, names), f"{count} fields are put back."
    )


def _pointers(session: Session, name: str) -> list[undoes.Pointer]:
    """The attributes by which records of other mappings refer to those of this one."""
    number = session.ledger.facts.object_id
    return [
        (object_, attribute)
        for mapping in session.files.mappings.by_name.values()
        for field in mapping.fields
        if field.reference is not None and field.reference.mapping == name
        for side in SIDES
        for form, attribute in field.names[side].items()
        if (object_ := number(mapping.end(side).system, form))
    ]


def _scope(session: Session, doc: Facts) -> undoes.Scope:
    if doc.get("run") is not None:
        if not session.ledger.books.run_started(int(doc["run"])):
            raise ConfigError(f"there is no run {doc['run']}", remedy="`syncd journal` names the runs")
        return undoes.Scope(run=int(doc["run"]))
    if doc.get("version") is not None:
        found = session.ledger.books.mapping_version(str(doc["mapping"]), int(doc["version"]))
        if found is None:
            raise ConfigError(
                f"{doc['mapping']} has no version {doc['version']}", remedy="`syncd status` names the newest"
            )
        return undoes.Scope(since=found[0], until=found[1])
    until = doc.get("until")
    return undoes.Scope(since=float(doc["since"]), until=None if until is None else float(until))


DEEDS: Mapping[str, Deed] = {
    "once": once,
    "plan": plan,
    "approve": approve,
    "retry": retry,
    "resolve": resolve,
    "restore": restore,
    "forget": forget,
    "undo": undo,
    **{kind: slices.in_one_go(kind) for kind in slices.SLICED},
}
"""By the kind of request."""


def deed(kind: str) -> Deed:
    """The deed of a request's kind. Fault for one that nobody knows (a newer command beside an older daemon)."""
    if kind not in DEEDS:
        raise Fault(f"nobody here knows how to '{kind}'", remedy="restart the daemon: it is older than the command")
    return DEEDS[kind]
