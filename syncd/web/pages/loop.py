"""From lead to customer: the funnel, the hand-off ledger, follow-up."""

from __future__ import annotations

from typing import Any

from syncd.funnel import reports
from syncd.funnel.target import marketing
from syncd.web import filters, phrases, words
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.table import Cell, Column, Table, Tone, cell

BY = ("source", "campaign", "segment", "owner")
CLOCKS: dict[str, tuple[str, Tone]] = {
    "on_track": ("on track", "good"),
    "due_soon": ("due soon", "warn"),
    "breached": ("too late", "bad"),
    "met": ("in time", "good"),
    "met_late": ("answered late", "warn"),
    "paused": ("paused", ""),
}
"""States of a follow-up clock."""
STATES: dict[str, Tone] = {"blocked": "bad", "waiting": "warn", "rejected": "", "out_of_scope": ""}


def funnel(asked: Asked) -> View:
    """Cohorts by stage. Filters: since, to, until, by, source, campaign, segment, owner."""
    told = reports.funnel(
        asked.ledger, asked.files, asked.now, **filters.given(asked, "since", "until", "by", "cohort", *BY)
    )
    stages, whole = told["stages"], told["total"]
    names = [called(asked, stage["stage"]) for stage in stages]
    columns = (
        *(Column("step", "number"), Column("stage"), Column("whose job"), Column("reached", "number")),
        Column("of those before", "number", "how many of the stage before came this far"),
        Column("of all", "number", "how many of those who came in"),
        Column("time to the next", "number", "on average"),
    )
    came = whole["reached"][0]["value"] if whole["reached"] else None
    rows = [
        (
            cell(at + 1),
            cell(stage["stage"], text=names[at], below=stage["means"]),
            cell(stage["owner"], tone="quiet"),
            figures.figure(whole["reached"][at]),
            cell("") if at == 0 else figures.share(whole["rates"][at], known=came is not None),
            cell("") if at == 0 else figures.share(_part(whole["reached"][at]["value"], came), known=came is not None),
            figures.days(whole["days"][at], known=came is not None) if at + 1 < len(stages) else cell(""),
        )
        for at, stage in enumerate(stages)
    ]
    empty = "No stages are agreed yet: write them under [stages] in mappings/funnel.toml."
    table = Table("stages", "Stage by stage", columns, rows, empty)
    facts = {
        "period": told["period"],
        "bars": steps(asked, stages, whole["reached"], whole["rates"]),
        "by": told["by"] or told["cohort"],
        "came": came,
        "filters": filters.offered(
            asked, told["period"], [_broken("nothing", told["by"]), _cohorts(told["cohort"])], by=told["by"]
        ),
    }
    return View("funnel.html", "Funnel", facts, (table, _broken_down(told, names, asked)))


def called(asked: Asked, stage: str) -> str:
    """What both departments call a stage."""
    agreed = asked.files.mappings.funnel
    return agreed.called(stage) if agreed else stage


def steps(asked: Asked, stages: Any, reached: Any, rates: Any) -> list[dict[str, Any]]:
    """The funnel's bars."""
    return [
        {
            "name": called(asked, stage["stage"]),
            "owner": stage["owner"],
            "value": reached[at]["value"],
            "rate": rates[at] if at else None,
            "link": figures.behind(reached[at]["records"]),
        }
        for at, stage in enumerate(stages)
    ]


def _part(value: int | None, whole: int | None) -> float | None:
    return None if value is None or not whole else value / whole


def _broken(nothing: str, chosen: str | None) -> filters.Pick:
    """What figures are broken down by."""
    choices = [("", nothing)] if nothing else []
    return filters.Pick("by", "Broken down by", [*choices, *((one, one) for one in BY)], chosen or "")


def _cohorts(chosen: str | None) -> filters.Pick:
    """Whether those who came in one period stand in a line of their own."""
    kinds = [(kind, f"each {kind}") for kind in ("week", "month", "quarter", "year")]
    return filters.Pick("cohort", "Cohorts", [("", "all together"), *kinds], chosen or "")


def _broken_down(told: dict[str, Any], names: list[str], asked: Asked) -> Table:
    by = told["by"] or "source"
    cohort, by_name = told["cohort"], bool(told["by"]) or not told["cohort"]
    columns = (
        *((Column("came in"),) if cohort else ()),
        *((Column(by),) if by_name else ()),
        *(Column(name, "number") for name in names),
        Column("from first to last", "number"),
    )
    rows = []
    for row in told["rows"]:
        values = [one["value"] for one in row["reached"]]
        through = figures.share(_part(values[-1], values[0])) if values else cell("")
        rows.append(
            (
                *((cell(row["cohort"], text=words.named(row["cohort"])),) if cohort else ()),
                *((figures.name(row["name"]),) if by_name else ()),
                *map(figures.figure, row["reached"]),
                through,
            )
        )
    parts = [f"by {told['by']}" if told["by"] else "", f"those who came each {cohort}" if cohort else ""]
    title = ", ".join(part for part in parts if part).capitalize() or "Broken down"
    return Table("by", title, columns, rows, "Nobody came in within this period: choose a longer one above.")


def handoffs(asked: Asked) -> View:
    """The hand-off ledger. Filters: since, to, until, source, campaign, segment, owner."""
    given = filters.given(asked, "since", "until", *BY)
    told = reports.balance(asked.ledger, asked.files, asked.now, **given)
    lines = [("delivered", "delivered", told["delivered"], "In the CRM, with sales")]
    lines += [("waiting", "waiting", told["waiting"], "Handed over by the next cycle, or once a plan is released")]
    lines += [
        (f"blocked: {why}", f"blocked: {phrases.reason(why)}", one, "Needs a person: see the issues")
        for why, one in told["blocked"].items()
    ]
    lines += [("rejected", phrases.state("rejected"), told["rejected"], "Sales gave them back, with a reason")]
    lines += [
        (
            "out of scope",
            "out of scope",
            told["out_of_scope"],
            "Qualified once; gone, ruled out or not qualified by now",
        )
    ]
    rows = [(cell(code, text=name), figures.figure(one), cell(means, tone="quiet")) for code, name, one, means in lines]
    rows.append((cell("qualified"), figures.figure(told["qualified"]), cell("The sum of all above", tone="quiet")))
    balance = Table(
        "balance",
        "Where everybody is who qualified",
        (Column("state"), Column("people", "number"), Column("means")),
        rows,
        "Nobody qualified yet.",
    )
    columns = (
        *(Column("who", "text"), Column("state"), Column("reason"), Column("qualified", "time")),
        *(Column("delivered", "time"), Column("judged by", "text", "the definition in force then")),
    )
    gap = (
        (
            asked.names.cell(one),
            cell(one["state"], tone=STATES.get(one["state"], ""), text=phrases.state(str(one["state"]))),
            cell(one["reason"] or "", text=phrases.reason(one["reason"] or "")),
            cell(one["qualified_at"]),
            cell(one["delivered_at"], text=None if one["delivered_at"] else "not yet"),
            cell(one["version"], "/definitions", text=f"version {one['version']}" if one["version"] else None),
        )
        for one in reports.undelivered(asked.ledger, asked.files, asked.now, **given)
    )
    undelivered = Table(
        "gap",
        "Everybody who is not with sales, with the reason",
        columns,
        asked.shown(gap),
        "Everybody who qualified in this period is with sales: there is no gap.",
        (told["qualified"]["value"] or 0) - (told["delivered"]["value"] or 0),
        every=asked.all(gap),
    )
    facts = {
        "told": told,
        "period": told["period"],
        "link": figures.behind,
        "parts": parts(told),
        "filters": filters.offered(asked, told["period"]),
    }
    return View("handoffs.html", "Hand-offs", facts, (balance, undelivered))


def parts(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The states that add up to all who qualified, for a bar."""
    blocked = sum(one["value"] or 0 for one in told["blocked"].values())
    of = {
        **{name: told[name] for name in ("delivered", "waiting")},
        "blocked": {"value": blocked, "records": None},
        **{name: told[name] for name in ("rejected", "out_of_scope")},
    }
    links = [one["records"] for one in told["blocked"].values() if one["records"]]
    if links:  # of all reasons together
        start, _, query = links[0].partition("?")
        kept = "&".join(part for part in query.split("&") if not part.startswith("reason="))
        of["blocked"] = {"value": blocked, "records": f"{start}?{kept}"}
    kinds = {"delivered": "1", "waiting": "3", "blocked": "bad", "rejected": "4", "out_of_scope": "5"}
    return [
        {
            "name": phrases.state(name),
            "value": one["value"] or 0,
            "kind": kinds[name],
            "link": figures.behind(one["records"]) if one["value"] else None,
        }
        for name, one in of.items()
    ]


def _owed(periods: list[dict[str, Any]]) -> Table:
    """The other half of the agreement: what marketing owed and brought, period by period."""
    rows = []
    for one in periods:
        for name, part in (("all", one), *((f"{row['by']} {row['name']}", row) for row in one["by"])):
            kept = {True: ("kept", "good"), False: ("not kept", "bad"), None: ("not over yet", "")}[part["kept"]]
            said: Tone = kept[1]  # type: ignore[assignment]
            if part["owed"] is None:
                continue
            rows.append(
                (
                    cell(one["period"]["name"], text=words.period(one["period"])),
                    cell(name),
                    cell(part["owed"]),
                    figures.figure(part["qualified"]),
                    cell(part["kept"], tone=said, text=kept[0]),
                )
            )
    columns = (
        *(Column("period"), Column("of"), Column("owed", "number"), Column("qualified", "number")),
        Column("agreement"),
    )
    empty = "Marketing owes no number: write one under [agreement.marketing] in mappings/funnel.toml."
    return Table("marketing", "The other half of the agreement: marketing's leads", columns, rows, empty)


def _clock(state: str) -> Cell:
    said, tone = CLOCKS.get(state, (state, ""))
    return cell(state, tone=tone, text=said)


def follow_up(asked: Asked) -> View:
    """Sales' side of the agreement. Filters: since, to, until, by, source, campaign, segment, owner."""
    given = filters.given(asked, "since", "until", "by", *BY)
    told = reports.clocks(asked.ledger, asked.files, asked.now, **given)
    known = told["states"]["met"]["value"] is not None
    columns = (
        Column(told["by"]),
        *(Column(name, "number") for name, _ in CLOCKS.values()),
        Column("kept", "number"),
        *(Column(name, "number") for name in ("sync", "routing", "rep")),
    )
    rows = [
        (
            figures.name(row["name"]),
            *(figures.figure(row["states"][state]) for state in CLOCKS),
            figures.share(row["kept"], known=known),
            *(figures.seconds(row["delays"][part], known=known) for part in ("sync_s", "routing_s", "rep_s")),
        )
        for row in told["rows"]
    ]
    about = (
        "Kept: in time, of all that are decided. Sync, routing, rep: how long each took on average, in working time."
    )
    by = Table("by", f"By {told['by']}", columns, rows, "No clock was started in this period.", about=about)
    running = (
        (
            asked.names.cell(one),
            _clock(str(one["state"])),
            cell(one["due_at"]),
            cell(one["started_at"]),
            cell(one["first_touch_at"], text=None if one["first_touch_at"] else "none yet"),
            cell(one["attempts"]),
            figures.name(one["owner"]),
            cell(one["segment"] or ""),
        )
        for one in reports.running(asked.ledger, asked.files, asked.now, **given)
    )
    open_ = Table(
        "open",
        "Who waits for sales now, the most urgent first",
        (
            *(Column("who"), Column("state"), Column("due", "time"), Column("qualified", "time")),
            *(Column("first touch", "time"), Column("attempts", "number"), Column("owner"), Column("segment")),
        ),
        asked.shown(running),
        "Nobody waits: every clock of this period was answered, or none was started.",
        sum(told["states"][state]["value"] or 0 for state in ("breached", "due_soon", "on_track", "paused")),
        every=asked.all(running),
    )
    delays = [
        {"name": name, "value": told["delays"][part], "kind": kind}
        for name, part, kind in (
            ("Sync: until they are in the CRM", "sync_s", "1"),
            ("Routing: until a person owns them", "routing_s", "3"),
            ("Rep: until the first touch", "rep_s", "2"),
        )
    ]
    agreed = asked.files.mappings.funnel
    speed = agreed.agreement.speed if agreed else None
    facts = {
        "told": told,
        "none": figures.NONE_YET if known else words.UNKNOWN,
        "period": told["period"],
        "clocks": CLOCKS,
        "delays": delays,
        "speed": speed,
        "link": figures.behind,
        "filters": filters.offered(asked, told["period"], [_broken("", told["by"])], by=told["by"]),
    }
    return View(
        "follow_up.html",
        "Follow-up",
        facts,
        (by, open_, _owed(marketing(asked.ledger, asked.files, asked.now, **given))),
    )
