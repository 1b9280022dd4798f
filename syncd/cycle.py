"""The cycle: the only module that knows the order.

    recover -> identify -> poll -> confirm -> match, merge, plan -> guard -> write -> confirm -> follow -> report

Each object is polled once a run, then every mapping that uses it is decided. No transaction spans the network; kill it
anywhere, and the next cycle begins at `recover`. Trouble with one system holds the mappings that need it, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from syncd import conversions, observe, rollups, schemas
from syncd.assembly import Connected, Mappings, identify
from syncd.confirm import confirm
from syncd.core.mapping import End
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Owners, Side
from syncd.core.order import parents_first
from syncd.decide import decide
from syncd.errors import AccessError, SyncdError, Transient, WrongAccount
from syncd.funnel import derived
from syncd.funnel.derived import MARK
from syncd.funnel.follow import catch_up, follow
from syncd.holding import guard, held_because, hold
from syncd.ledger.journal import Note
from syncd.poll import poll
from syncd.recover import recover
from syncd.run import Bench, Run
from syncd.sweeps import sweep_if_due
from syncd.write import write

AT_SYSTEM = ("sent", "answered")


def cycle(
    run: Run,
    mappings: Mappings,
    names: Sequence[str] | None = None,
    *,
    yes: bool = False,
    gate: Callable[[Run, Bench], None] | None = None,
) -> None:
    """One pass of the named mappings (default: all). `yes`: what a guard would hold is released. `gate`: opens or
    holds plans in place of the guard."""
    with ExitStack() as lanes:
        for system in run.systems.values():
            lanes.enter_context(system.lane(system.looking))
        _cycle(run, mappings, names, yes, gate)


def _cycle(
    run: Run,
    mappings: Mappings,
    names: Sequence[str] | None,
    yes: bool,
    gate: Callable[[Run, Bench], None] | None,
) -> None:
    benches = prepare(run, mappings, conversions.with_feeders(run, mappings, names))
    catch_up(run, mappings, benches)
    for bench in _named(benches, names):
        recover(run, bench)
    benches = _read_and_propose(run, mappings, benches, names)
    for bench in benches:
        if _held_back(run, bench):
            continue
        confirm(run, bench)
        decide(run, bench)
        if gate is not None:
            gate(run, bench)
        else:
            guard(run, bench, yes=yes)
        write(run, bench)
        confirm(run, bench)
    follow(run, mappings, benches)
    report(run, benches)


def _read_and_propose(run: Run, mappings: Mappings, benches: list[Bench], names: Sequence[str] | None) -> list[Bench]:
    """Everything before deciding; returns the named mappings, laid as their objects look by now."""
    read(run, benches, names)
    benches = _as_seen(run, mappings, benches)
    conversions.propose(run, mappings, benches)
    return _named(benches, names)


def _named(benches: list[Bench], names: Sequence[str] | None) -> list[Bench]:
    return [bench for bench in benches if names is None or bench.mapping.name in names]


def plan_only(run: Run, mappings: Mappings, names: Sequence[str] | None = None) -> list[Bench]:
    """Everything up to the plan: polls, keeps facts and planned effects, sends nothing."""
    benches = prepare(run, mappings, conversions.with_feeders(run, mappings, names))
    benches = _read_and_propose(run, mappings, benches, names)
    for bench in benches:
        if not _held_back(run, bench):
            confirm(run, bench)
            decide(run, bench)
            # What a plan shows is also whether it may go.
            if why := held_because(run, bench):
                hold(run, bench.mapping.name, why)
    report(run, benches)
    return benches


# ---------------------------------------------------------------- before deciding


def prepare(run: Run, mappings: Mappings, names: Sequence[str] | None) -> list[Bench]:
    """Puts the mappings in force, identifies both sides of each, and lays out what the run needs."""
    run.since_rev = run.ledger.facts.revision()
    order, _ = parents_first(mappings.by_name.values())
    chosen = [mapping for mapping in order if names is None or mapping.name in names]
    _keep_funnel(run, mappings)
    run.rolls = rollups.lay(run.ledger, mappings.by_name)
    run.derived = derived.lay(run.ledger, mappings.funnel, mappings.by_name)
    for mapping in chosen:
        _put_in_force(run, mapping)
    run.watches = tuple(watch for name, watch in mappings.watches.items() if names is None or name in names)
    observe.put_in_force(run)
    ends = [end for one in chosen for end in one.ends] + [watch.end for watch in run.watches]
    forms: dict[str, set[str]] = {}
    for end in ends:
        forms.setdefault(end.system, set()).update(end.forms)
    for name, mine in sorted(forms.items()):
        _identify(run, run.systems[name], sorted(mine))
    return _lay(run, mappings, chosen, ends)


def _lay(run: Run, mappings: Mappings, chosen: Sequence[Compiled], ends: Sequence[End]) -> list[Bench]:
    """Every mapping and watch as far as it can go on, with what there is to be read."""
    schemas.look(run, ends)
    run.watches = tuple(watch for watch in run.watches if schemas.watching(run, watch))
    standing = [schemas.standing(run, mapping, mappings.by_name) for mapping in chosen]
    run.wanted = _wanted(run, mappings)
    owners = _owners(run, chosen)
    _, back = parents_first(mappings.by_name.values())
    return [
        Bench.lay(
            run,
            now.mapping.bind({side: owners[now.mapping.end(side).system] for side in SIDES}),
            mappings.by_name,
            frozenset(parent for child, parent in back if child == now.mapping.name),
            now.stuck,
        )
        for now in standing
    ]


def _as_seen(run: Run, mappings: Mappings, benches: list[Bench]) -> list[Bench]:
    """The same benches, laid anew if something that was read did not look as it was described: what a system does not
    show any more must not be decided on as if it were blank."""
    if not run.hinted:
        return benches
    run.hinted.clear()
    chosen = [mappings.by_name[bench.mapping.name] for bench in benches]
    return _lay(
        run, mappings, chosen, [*(e for one in chosen for e in one.ends), *(watch.end for watch in run.watches)]
    )


def _identify(run: Run, system: Connected, forms: Sequence[str]) -> None:
    """Which account it is, and what these objects of it can do: the first time that may cost a call, which fails here
    rather than in the middle of everybody's cycle."""
    if system.trouble:
        return
    try:
        identify(system, run.ledger, run.now())
        for form in forms:
            system.traits(form)
    except WrongAccount:
        raise
    except (Transient, AccessError) as error:
        _trouble(run, system, error)


def _trouble(run: Run, system: Connected, error: SyncdError) -> None:
    system.trouble = error.message
    system.failure = error
    run.event("system_trouble", system=system.name, reason=error.message)


def _put_in_force(run: Run, mapping: Compiled) -> None:
    """A new text becomes the next version: all is decided again under it, and what was planned under the old is not
    sent."""
    books = run.ledger.books
    known = books.mapping(mapping.name)
    if known is not None and known.digest == mapping.digest:
        return
    with run.ledger.transaction():
        version = books.keep_mapping(mapping.name, mapping.digest, mapping.text, run.now())
        run.ledger.intents.drop_unsent(mapping.name)
        run.ledger.intents.release(mapping.name)
        books.forget_decided(mapping.name)
        run.ledger.waits.forget(mapping.name)
        run.ledger.links.forget_match_values(mapping.name)
        run.ledger.links.forget_rests(mapping.name)
        if known is not None and rollups.redefined(known.text, mapping.text):
            rollups.decide_anew(run, mapping.name)
        run.note(
            [
                Note(
                    "mapping",
                    f"version {version.version} in force, digest {mapping.digest[:12]}"
                    + (f", before {known.digest[:12]}" if known else ""),
                    mapping.name,
                )
            ]
        )


def _keep_funnel(run: Run, mappings: Mappings) -> None:
    """Another definition of *qualified* makes every mapping that asks for it decide anew."""
    funnel = mappings.funnel
    if funnel is None:
        return
    known = run.ledger.books.funnel()
    if known is not None and known.digest == funnel.digest:
        return
    with run.ledger.transaction():
        version = run.ledger.books.keep_funnel(funnel.digest, funnel.text, run.now())
        for name in mappings.by_name:
            run.ledger.books.forget_decided(name)
        run.ledger.books.forget_decided(MARK)
        run.note([Note("funnel", f"version {version.version} in force, digest {funnel.digest[:12]}")])


def _wanted(run: Run, mappings: Mappings) -> dict[tuple[str, str], tuple[str, ...]]:
    """The attributes to be read, per object: those of every mapping that uses it, and where syncd's key stands."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for mapping in mappings.by_name.values():
        for side in SIDES:
            end = mapping.end(side)
            for form in end.forms:
                names = wanted.setdefault((end.system, form), set())
                names.update(mapping.attributes(side, form))
    for watch in mappings.watches.values():
        wanted.setdefault((watch.end.system, watch.end.object), set()).update(watch.attributes())
    conversions.wanted(run, wanted)
    for (system, form), names in wanted.items():
        connected = run.systems[system]
        key = None if connected.trouble else connected.traits(form).key
        if key is not None:
            names.add(key)
        elif connected.trouble:
            # Unasked is not blank: what was read before is still what is wanted.
            object_ = run.ledger.facts.object_id(system, form)
            names.update(run.ledger.facts.feed(object_).attributes)
        if (there := schemas.known(run, system, form)) is not None:
            names &= there  # what is not there is not asked for; once it is, everything is read again
    return {place: tuple(sorted(names)) for place, names in wanted.items()}


def _owners(run: Run, mappings: Sequence[Compiled]) -> dict[str, Owners]:
    """Who can own records, by system; read again at the `owners` interval."""
    found: dict[str, Owners] = {}
    for name in {mapping.end(side).system for mapping in mappings for side in SIDES}:
        system = run.systems[name]
        directory = system.connector.traits.owners
        if directory is None:
            found[name] = Owners({}, {})
            continue
        object_ = run.ledger.facts.object_id(name, directory.object)
        feed = run.ledger.facts.feed(object_)
        due = feed.swept_at is None or run.now() - feed.swept_at >= system.table.sweep.owners
        if due and not system.trouble and not system.budget.only_urgent:
            try:
                names = (directory.email, directory.active)
                with system.sweeping():
                    poll(run, system, directory.object, names, whole=feed.cursor is None)
                after = run.ledger.facts.feed(object_)
                run.ledger.facts.move_feed(
                    object_, cursor=after.cursor, attributes=names, read_at=run.now(), complete=True, swept=True
                )
            except (Transient, AccessError) as error:
                _trouble(run, system, error)
        everybody, active = {}, {}
        for key, values in run.ledger.facts.live_values(object_):
            email = str(values.get(directory.email) or "").strip().lower()
            if email:
                everybody[key] = email
                if values.get(directory.active) in (True, "true"):
                    active[email] = key
        found[name] = Owners(everybody, active)
    return found


def read(run: Run, benches: Sequence[Bench], names: Sequence[str] | None = None) -> None:
    """Polls each object once; sweeps what no feed tells when its time has come. `names`: whose reading is counted."""
    objects: dict[tuple[str, str], list[tuple[str, Side]]] = {}
    for bench in benches:
        for side, form in () if bench.stuck else bench.forms.values():
            objects.setdefault((bench.systems[side].name, form), []).append((bench.mapping.name, side))
    mapped = set(objects)
    for watch in run.watches:
        objects.setdefault((watch.end.system, watch.end.object), []).append((watch.name, watch.end.side))
    # Sorting is stable: but for those, in the order of the mappings.
    for (name, form), users in sorted(objects.items(), key=lambda each: conversions.read_last(run, *each[0])):
        system = run.systems[name]
        if system.trouble or run.stop():
            continue
        try:
            kept = poll(run, system, form, run.attributes(name, form))
            if (
                (name, form) in mapped and not system.budget.only_urgent
            ):  # a watch takes deletions where its feed tells them, and asks no record again
                sweep_if_due(run, system, form)
        except (Transient, AccessError) as error:
            _trouble(run, system, error)
            continue
        for user, side in users:
            if names is None or user in names:
                run.tally(user).read[side] += kept.read
        run.event("polled", system=name, object=form, read=kept.read, moved=kept.moved)
    run.read_at = run.now()
    observe.observe(run, benches)
    rollups.index(run)


def _held_back(run: Run, bench: Bench) -> bool:
    """A mapping with an unreadable side decides nothing: unread is not unchanged."""
    if bench.stuck:
        tally = run.tally(bench.mapping.name)
        tally.stuck, tally.skipped = True, bench.stuck
        return True
    for side in SIDES:
        system = bench.systems[side]
        if system.trouble:
            run.tally(bench.mapping.name).skipped = f"{system.name} cannot be read: {system.trouble}"
            return True
        for object_ in bench.objects(side):
            if not run.ledger.facts.feed(object_).complete:
                run.tally(bench.mapping.name).skipped = f"the first reading of {bench.form(object_)} is not finished"
                return True
    return False


# ---------------------------------------------------------------- after


def report(run: Run, benches: Sequence[Bench]) -> None:
    """Closes the tallies: what waits, what is held."""
    for bench in benches:
        tally = run.tally(bench.mapping.name)
        tally.waiting = run.ledger.intents.total(AT_SYSTEM, bench.mapping.name)
        ready = run.ledger.intents.total(("ready",), bench.mapping.name)
        tally.again = run.ledger.books.again(bench.mapping.name) + ready
        tally.held = run.ledger.intents.held(bench.mapping.name) is not None
        if bench.references:
            tally.waiting_for = run.ledger.waits.creates(bench.mapping.name)


def as_json(run: Run, calls: Mapping[str, int], ok: bool) -> dict[str, Any]:
    """What `once --json` prints."""
    return {
        "run": run.id,
        "ok": ok,
        "mappings": {
            name: tally.as_json(run.ledger.inbox.issue_count(name)) for name, tally in sorted(run.tallies.items())
        },
        "calls": dict(calls),
    }
