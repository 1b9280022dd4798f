"""`status` and `links`: how it is, and who is linked to whom."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from syncd.cli import show
from syncd.cli.call import Call, Config, Debug, Json, MappingName


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("status")(status)
    app.command("links")(links)


def status(context: typer.Context, config: Config = None, json: Json = False, debug: Debug = False) -> None:
    """Show health, lag, quota and counts."""
    from syncd.assembly import load_mappings
    from syncd.view.status import status as view

    call = Call.of(context)
    with call.ledger() as (settings, ledger):
        facts = view(ledger, settings, load_mappings(settings.daemon.mappings), time.time())
    if call.json:
        show.as_json(facts)
        return
    show.line("healthy" if facts["healthy"] else "unwell:")
    for reason in facts["reasons"]:
        show.line(f"  {reason}")
    show.line()
    show.table(
        ("system", "account", "last read", "lag", "calls today", "for sweeps", "budget left"),
        _systems(facts["systems"]),
    )
    for name, one in facts["systems"].items():
        show.line(_forecast(name, one))
    show.line()
    show.table(
        ("mapping", "links", "moved", "issues", "conflicts", "held", "waiting", "last cycle"),
        _mappings(facts["mappings"]),
    )
    show.line()
    if facts["watches"]:
        show.table(("watch", "looks at", "means", "events", "last event", "last cycle"), _watches(facts["watches"]))
        show.line()
    book = facts["ledger"]
    waiting = show.counted(book["waiting"], "write waits", "writes wait")
    show.line(f"ledger {book['path']}: {book['size_bytes'] >> 10} KiB; {waiting} to be seen")
    show.line(f"lease: {book['holder'] or 'free (no daemon runs)'}")


def _systems(systems: dict[str, Any]) -> list[tuple[str, ...]]:
    from syncd.progress import duration

    return [
        (
            name,
            one["account"] or "not identified yet",
            (one["last_read"] or "never").replace("T", " ")[:19],
            "" if one["lag_s"] is None else duration(one["lag_s"]),
            str(one["calls_today"]),
            str(one["sweep_calls_today"]),
            "not limited by us" if one["budget_left"] is None else str(one["budget_left"]),
        )
        for name, one in systems.items()
    ]


def _forecast(name: str, one: dict[str, Any]) -> str:
    """The day of one system in a line."""
    told = one["forecast"]
    parts = [f"{name}: at this pace {told['by_midnight']} calls by midnight UTC"]
    if told["vendor_remaining"] is not None:
        parts.append(f"the vendor has {told['vendor_remaining']} of {told['vendor_limit']} left")
    if told["others_today"]:
        parts.append(f"others used about {told['others_today']}")
    if told["only_urgent"]:
        parts.append("only hand-offs and opt-outs go")
    if told["runs_out_of"]:
        what = "our budget" if told["runs_out_of"] == "budget" else "the vendor's limit less the reserve"
        parts.append(f"{what} lasts until {told['runs_out_at'].replace('T', ' ')[:16]}")
    return "; ".join(parts)


def _mappings(mappings: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            *(str(one[count]) for count in ("links", "moved", "issues", "conflicts")),
            "yes" if one["held"] else "no",
            str(one["waiting_for_others"]),
            (one["last_cycle"] or "never").replace("T", " ")[:19],
        )
        for name, one in mappings.items()
    ]


def _watches(watches: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{one['object']} ({one['side']})",
            one["means"],
            str(one["events"]),
            *((one[when] or "never").replace("T", " ")[:19] for when in ("last_event", "last_cycle")),
        )
        for name, one in watches.items()
    ]


def links(
    context: typer.Context,
    mapping: MappingName = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="Show at most so many.")] = 1000,
    config: Config = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show who is linked to whom."""
    from syncd.view.records import links as view

    call = Call.of(context)
    with call.ledger() as (_, ledger):
        _known(ledger, mapping)
        facts = view(ledger, mapping, limit)
        total = sum(ledger.links.count(name) for name in ([mapping] if mapping else ledger.books.mapping_names()))
    if call.json:
        show.as_json(facts)
        return
    rows = [
        (
            str(one["id"]),
            one["mapping"],
            *(f"{one[side]['object']} {one[side]['key']}" for side in ("marketing", "crm")),
            one["how"],
            one["state"],
        )
        for one in facts
    ]
    show.table(("link", "mapping", "marketing", "crm", "how", "state"), rows)
    if total > len(facts):
        show.line(f"... and {total - len(facts)} more (--limit)")


def _known(ledger: Any, mapping: str | None) -> None:
    from syncd.core.toml import did_you_mean
    from syncd.errors import ConfigError

    known = ledger.books.mapping_names()
    if mapping is not None and mapping not in known:
        mend = did_you_mean(mapping, known) or f"the ledger knows: {', '.join(known) or 'none yet'}"
        raise ConfigError(f"there is no mapping '{mapping}'", remedy=mend)
