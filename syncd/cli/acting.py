"""`plan`, `approve` and `once`: see what would be written, release it, do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, MappingName, OneMapping, ends_with, nothing, spinner

if TYPE_CHECKING:
    from syncd.answer import Answer
    from syncd.files import Files
    from syncd.ledger import Ledger

MOST_PLAN_BYTES = 1 << 30


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("plan")(plan)
    app.command("approve")(approve)
    app.command("once")(once)


# ---------------------------------------------------------------- plan


def plan(
    context: typer.Context,
    mapping: MappingName = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Effects in the table (--json prints all).")] = 50,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what would be written, field by field, with reasons and cost. Sends nothing.

    Reads both systems first, unless another process holds the lease: then it shows what that one has planned.
    """
    from syncd import deeds
    from syncd.answer import Watch
    from syncd.errors import LeaseHeld
    from syncd.session import Session

    call = Call.of(context)
    files = call.files()
    names = files.named(mapping)
    try:
        with Session.hold(files, "plan", event=call.event()) as session, spinner("reading both sides"):
            answer = deeds.plan(session, {"mapping": mapping}, Watch())
            traits = {
                (name, form): session.systems[name].traits(form)
                for name, form in _places(files, names)
                if not session.systems[name].trouble
            }
            troubles, broken = answer.facts["trouble"], answer.facts["broken"]
    except LeaseHeld as held:
        typer.echo(f"not read anew: {held.message} This is what it has planned.", err=True)
        answer, traits, troubles, broken = None, {}, {}, {}
    with call.ledger() as (_, ledger):
        _show_plan(call, ledger, names, traits, limit, whole=not troubles)
    for name, told in broken.items():
        typer.echo(f"syncd: {name}: its file is not valid; {told['instead']}", err=True)
        for problem in told["problems"]:
            typer.echo(f"  {show.printable_lines(problem)}", err=True)
    for name, trouble in troubles.items():
        typer.echo(f"syncd: {name} is in trouble: {show.printable_lines(trouble)}", err=True)
    ends_with(answer.exit_code if answer else 0)


def _places(files: Files, names: Sequence[str]) -> list[tuple[str, str]]:
    return [(end.system, form) for end in files.mappings.ends(names) for form in end.forms]


def _show_plan(call: Call, ledger: Ledger, names: Sequence[str], traits: Any, limit: int, *, whole: bool) -> None:
    from syncd.holding import plan_digest
    from syncd.view import plan as planview

    calls, held = planview.calls(ledger, names, traits), planview.held(ledger, names)
    count = planview.count(ledger, names)
    if call.json:
        digests = {name: plan_digest(ledger.intents, name) for name in names}
        tail = {"calls": calls, "held": held, "digests": digests, "count": count}
        if waiting := planview.deletes(ledger, names):
            tail["deletes"] = {
                name: {"count": n, "digest": plan_digest(ledger.intents, name, ("asked",))}
                for name, n in waiting.items()
            }
        lists = {"effects": planview.effects(ledger, names), "follows": planview.follows(ledger, names)}
        show.as_json_stream(lists, tail)
        return
    if not count:
        if whole:
            show.line("Nothing to write: both sides agree, or what differs stands for a reason (`syncd issues`).")
        else:
            show.line("Nothing is planned: a side could not be read, so nothing was decided.")
        return
    rows = []
    for at, effect in enumerate(planview.effects(ledger, names)):
        if at == limit:
            break
        rows += list(_effect_rows(effect))
    show.table(("record", "op", "field", "before", "after", "why"), rows)
    if count > limit:
        show.line(f"... and {count - limit} more effects (--limit, or --json for all)")
    show.line(f"{count} effects, at least {_calls(calls)}.")
    if follow := sum(1 for _ in planview.follows(ledger, names)):
        show.line(f"{follow} records that refer to what is created are decided once it is there, in the same cycle.")
    for reason in held:
        show.line(f"Held: {reason}.")
    waiting = planview.deletes(ledger, names)
    for name in names:
        if planview.count(ledger, [name]) > waiting.get(name, 0):
            digest = plan_digest(ledger.intents, name)[:16]
            show.line(f"Release it as shown: syncd approve {name} --plan {digest}")
    for name, count in waiting.items():
        digest = plan_digest(ledger.intents, name, ("asked",))[:16]
        show.line(f"{count} deletes wait on their own: syncd approve {name} --deletes --plan {digest}, or --no-deletes")


def _effect_rows(effect: dict[str, Any]) -> list[tuple[str, ...]]:
    source = effect.get("source") or {}
    from_ = f"(from {source.get('object')} {source.get('key')})"
    record = f"{effect['system']} {effect['object']} {effect['key'] or from_}"
    fields = list(effect["fields"].items()) or [_whole(effect)]
    return [
        (
            record if at == 0 else "",
            effect["op"] if at == 0 else "",
            field,
            show.value(change["before"]),
            show.value(change["after"]),
            change["why"],
        )
        for at, (field, change) in enumerate(fields)
    ]


def _whole(effect: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What stands where an effect names no field."""
    if effect["op"] == "archive":
        return "(the whole record)", {"before": "", "after": None, "why": "its partner was deleted"}
    return "(syncd's key)", {"before": None, "after": "", "why": ""}


def _calls(calls: dict[str, int]) -> str:
    return ", ".join(f"{n} calls to {system}" for system, n in sorted(calls.items())) or "no calls"


# ---------------------------------------------------------------- approve


def approve(
    context: typer.Context,
    mapping: OneMapping,
    plan: Annotated[
        str | None,
        typer.Option("--plan", metavar="DIGEST", help="Only if the plan is still this one (`plan` prints it)."),
    ] = None,
    deletes: Annotated[
        bool | None,
        typer.Option(
            "--deletes/--no-deletes", help="The deletes that wait, and nothing else: send them, or decline them."
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Effects in the table.")] = 50,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a held plan and release it exactly as shown; the next cycle sends it, except where a side moved since.

    Deletes are never part of it: they wait on their own, for --deletes or --no-deletes.
    """
    from syncd.errors import ConfigError

    call = Call.of(context)
    files = call.files()
    files.named(mapping)
    if plan is not None and not (8 <= len(plan) <= 64 and set(plan) <= set("0123456789abcdef")):
        raise ConfigError("--plan is not a plan's digest", remedy=f"`syncd plan {mapping}` prints it")
    answer, let_go = _released(call, files, mapping, plan, deletes, limit)
    if call.json:
        show.as_json({**answer.facts, **{name: let_go[name] for name in ("because", "counts", "fields", "effects")}})
    else:
        show.line(answer.said)
    ends_with(answer.exit_code)


MOST_LOOKS = 3
"""So often a plan that moved under the command is shown anew, before the person is asked to look again."""


def _released(
    call: Call, files: Files, mapping: str, plan: str | None, deletes: bool | None, limit: int
) -> tuple[Answer, dict[str, Any]]:
    """Shows the plan and releases it. Without `plan` it is the one that was just shown, and no other: when a daemon's
    cycle came in between, what it is by then is shown, and released."""
    from syncd.errors import EXIT_PERSON, SyncdError

    def look() -> dict[str, Any]:
        with call.ledger() as (_, ledger):
            return _let_go(ledger, mapping, deletes, limit)

    let_go, looks = look(), 1
    while True:
        if not call.json and let_go["digest"].startswith(plan or ""):
            _show_let_go(let_go)
        asked = {"mapping": mapping, "plan": plan or let_go["digest"], "deletes": deletes}
        try:
            return call.act(files, "approve", asked, nothing), let_go
        except SyncdError as error:
            shown, let_go, looks = let_go["digest"], look(), looks + 1
            moved = let_go["digest"] != shown
            if error.exit_code != EXIT_PERSON or plan is not None or not moved or looks > MOST_LOOKS:
                raise


MOST_LET_GO = 1000
"""Effects that `approve --json` prints one by one; the counts are of all."""


def _let_go(ledger: Ledger, mapping: str, deletes: bool | None, limit: int) -> dict[str, Any]:
    """What an approval would let go, as it stands in the ledger now."""
    from itertools import islice

    from syncd.holding import plan_digest, plan_rows
    from syncd.view.plan import effect

    intents, states = ledger.intents, ("planned", "held") if deletes is None else ("asked",)
    hold = intents.held(mapping)
    counts: dict[str, dict[str, int]] = {}
    for side, op, _, n in intents.counts(mapping, states):
        counts.setdefault(side, {})[op] = counts.get(side, {}).get(op, 0) + n
    rows = islice(plan_rows(intents, mapping, states), max(limit, MOST_LET_GO))
    return {
        "digest": plan_digest(intents, mapping, *([("asked",)] if deletes is not None else [])),
        "because": hold[1] if hold is not None and deletes is None else [],
        "counts": counts,
        "fields": {f"{side}.{field}": n for side, field, n, _ in intents.by_field(mapping, states)},
        "effects": [effect(ledger, row) for row in rows],
        "limit": limit,
    }


def _show_let_go(let_go: dict[str, Any]) -> None:
    effects, limit = let_go["effects"], let_go["limit"]
    if not effects:
        return
    rows = [row for effect in effects[:limit] for row in _effect_rows(effect)]
    show.table(("record", "op", "field", "before", "after", "why"), rows)
    count = sum(n for ops in let_go["counts"].values() for n in ops.values())
    if count > limit:
        show.line(f"... and {count - limit} more effects (--limit; `syncd plan --json` prints all)")
    for side, ops in sorted(let_go["counts"].items()):
        show.line(f"on {side}: " + ", ".join(f"{n} {op}" for op, n in sorted(ops.items())))
    for reason in let_go["because"]:
        show.line(f"Held: {reason}.")


# ---------------------------------------------------------------- once


def once(
    context: typer.Context,
    mapping: MappingName = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send also what would be held for a person's approval.")] = False,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Send only what this saved `plan --json` shows, as it shows it."),
    ] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Run one cycle now: read both sides, decide, write, and believe what is seen again."""
    call = Call.of(context)
    files = call.files()
    files.named(mapping)
    shown = None if plan is None else _digests(plan)
    with spinner("one cycle"):
        answer = call.act(files, "once", {"mapping": mapping, "yes": yes, "shown": shown}, nothing)
    if call.json:
        show.as_json(answer.facts)
    else:
        tell_report(answer.facts)
    ends_with(answer.exit_code)


def _digests(file: Path) -> list[str]:
    """The rows of a saved plan. Raises ConfigError for a file that is none."""
    import orjson

    from syncd.errors import ConfigError

    try:
        if file.stat().st_size > MOST_PLAN_BYTES:
            raise ValueError("it is too large")
        return [str(effect["digest"]) for effect in orjson.loads(file.read_bytes())["effects"]]
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", remedy="syncd plan --json > FILE") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{file} is not a saved plan", remedy="save one: syncd plan --json > FILE") from None


def tell_report(report: dict[str, Any]) -> None:
    """What a cycle did, for people."""
    for name, tally in report["mappings"].items():
        if tally.get("kind") == "watch":
            show.line(f"{name}: read {sum(tally['read'].values())}; {tally['moved']} events")
            if tally.get("skipped"):
                show.line(f"  nothing was seen: {tally['skipped']}")
            continue
        read = ", ".join(f"{n} from {side}" for side, n in tally["read"].items())
        writes = [f"{n} {op} on {side}" for side, ops in tally["writes"].items() for op, n in ops.items() if n]
        show.line(f"{name}: read {read}; {tally['moved']} moved; wrote {', '.join(writes) or 'nothing'}")
        bad = [f"{n} {kind}" for kind, n in tally["outcomes"].items() if n and kind != "sent"]
        if bad:
            show.line(f"  outcomes: {', '.join(bad)}")
        if tally["waiting"]:
            waiting = show.counted(tally["waiting"], "write waits", "writes wait")
            show.line(f"  {waiting} to be seen again (no failure: the next cycles look)")
        if tally["waiting_for_others"]:
            records = show.counted(tally["waiting_for_others"], "record is", "records are")
            show.line(f"  {records} not created before whom they refer to is linked")
        if tally["issues"]:
            show.line(f"  {show.counted(tally['issues'], 'issue waits', 'issues wait')} for a person: `syncd issues`")
        if tally["held"]:
            show.line(f"  held: look at it with `syncd plan {name}`, release it with `syncd approve {name}`")
        if tally.get("skipped"):
            show.line(f"  nothing was decided: {tally['skipped']}")
    for name, trouble in report.get("trouble", {}).items():
        show.line(f"{name}: {trouble}")
    for name, broken in report.get("broken", {}).items():
        show.line(f"{name}: its file is not valid; {broken['instead']}")
        for problem in broken["problems"]:
            show.line(f"  {problem}")
    show.line("calls: " + (", ".join(f"{system} {n}" for system, n in report["calls"].items()) or "none"))
