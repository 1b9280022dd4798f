"""`why`: why a record, or one field of it, is as it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json

if TYPE_CHECKING:
    from syncd.assembly import Connected
    from syncd.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("why")(why)


def why(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Its name in syncd.toml.")],
    object: Annotated[str, typer.Argument(metavar="OBJECT", help="Such as contacts, Lead, Contact.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The record's id in that system.")],
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="A field of the mapping; left out: all.")] = None,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Explain a record: base, both values, verdict, the rule with file and line, and its history."""
    from syncd.assembly import load_mappings
    from syncd.view.why import why as view

    call = Call.of(context)
    with call.ledger() as (settings, ledger):
        mappings = load_mappings(settings.daemon.mappings)
        facts = view(ledger, mappings, _systems(settings), (system, object, key), field)
    if call.json:
        show.as_json(facts)
        return
    _tell(facts)


def _systems(settings: Settings) -> dict[str, Connected]:
    """The connected systems, for what they know of themselves (no call is made); none where a secret is missing."""
    from syncd.assembly import Clock, connect
    from syncd.errors import ConfigError

    try:
        return connect(settings, None, Clock(now=time.time))
    except ConfigError:
        return {}


def _tell(facts: dict[str, Any]) -> None:
    record = facts["record"]
    show.line(f"{record['system']} {record['object']} {record['key']}: {record['state']}, changed {record['changed']}")
    if facts["unseen_since"]:
        show.line(f"not shown to us since {facts['unseen_since'][:16].replace('T', ' ')}")
    if facts["lives_on_as"]:
        on = facts["lives_on_as"]
        show.line(f"  lives on as {on['object']} {on['key']}")
    for one in facts["mappings"]:
        show.line()
        state = "" if one["in_force"] else " (the file differs from the version in force)"
        show.line(f"{one['mapping']}, version {one['version']}{state}")
        _tell_link(one)
        rows = [_row(name, field) for name, field in one["fields"].items()]
        if one["link"]:
            show.table(("field", "marketing", "crm", "base", "verdict", "why", "rule"), rows)
        else:
            values = [
                (name, show.value(field[one["side"]]), _file_and_line(field["rule"]))
                for name, field in one["fields"].items()
            ]
            show.table(("field", "value", "rule"), values)
        for effect in one["planned"]:
            names = ", ".join(effect["fields"]) or "syncd's key"
            show.line(f"  {effect['state']}: {effect['op']} on {effect['side']}: {names}")
        for awaited in one["waits_for"]:
            before = ", and is not created before" if awaited["create"] else ""
            if awaited["key"] is None:
                names = " or ".join(awaited["fields"])
                show.line(f"  lacks its {names}: it refers to nobody in {awaited['mapping']}{before}")
                continue
            what = "become another record, as it was refused," if awaited.get("refused") else "be linked"
            show.line(f"  waits for {awaited['side']} {awaited['key']} to {what} by {awaited['mapping']}{before}")
        if one["events"]:
            rows = [(e["at"][:19].replace("T", " "), e["watch"], _happened(e["values"])) for e in one["events"]]
            show.table(("at", "watch", "what happened"), rows)
        for issue in one["issues"]:
            show.line(f"  issue {issue['id']} ({issue['kind']}): {issue['reason']}")
        for conflict in one["conflicts"]:
            show.line(
                f"  conflict {conflict['id']}: {conflict['field']} lost {show.value(conflict['lost'])}: {conflict['by']}"
            )
    show.line()
    show.table(
        ("at", "kind", "what"), [(e["at"][:19].replace("T", " "), e["kind"], e["said"]) for e in facts["history"]]
    )


def _happened(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {show.value(value)}" for name, value in values.items())


def _tell_link(one: dict[str, Any]) -> None:
    if one["link"]:
        partner = one["link"]["partner"]
        show.line(f"  linked with {partner['system']} {partner['object']} {partner['key']} ({one['link']['how']})")
        return
    show.line("  no partner on the other side")
    for name, asked in (("scope", "takes part"), ("create", "may be created on the other side")):
        gate = one["gates"][name]
        if gate["rule"] is None:
            said = "yes, no rule" if gate["passes"] else "no, the mapping never creates there"
        else:
            said = f"{'yes' if gate['passes'] else 'no'}, by {gate['rule']} ({_file_and_line(gate['place'])})"
        if gate.get("unknown"):
            said += f": {gate['unknown']}"
        if name == "create" and gate["passes"] and any(awaited["create"] for awaited in one["waits_for"]):
            said += ", but not yet: see below"
        show.line(f"  {asked}: {said}")


def _row(name: str, field: dict[str, Any]) -> tuple[str, ...]:
    bases = field.get("base", {})
    known = ["(unknown)" if value == {"unknown": True} else show.value(value) for value in bases.values()]
    rested = all(bases[side] == field.get(side) for side in bases)
    return (
        name,
        *(show.value(field.get(side)) for side in ("marketing", "crm")),
        "as now" if rested else " | ".join(known),
        str(field.get("verdict", "")),
        str(field.get("reason", "")),
        _file_and_line(field["rule"]),
    )


def _file_and_line(place: str) -> str:
    """`people.toml:14:1` of a whole path."""
    return place.rpartition("/")[2]
