"""From lead to customer: the funnel, the hand-off ledger, follow-up, and the records behind any figure."""

from __future__ import annotations

from typing import Any

from syncd.funnel import reports
from syncd.web.page import Asked, View
from syncd.web.pages import figures
from syncd.web.render import record_link
from syncd.web.table import Column, Table, Tone, cell

BY = ("source", "campaign", "segment", "owner")
CLOCKS: dict[str, tuple[str, Tone]] = {
    "on_track": ("on track", "good"),
    "due_soon": ("due soon", "warn"),
    "breached": ("breached", "bad"),
    "met": ("met", "good"),
    "met_late": ("met late", "warn"),
    "paused": ("paused", ""),
}
STATES: dict[str, Tone] = {"blocked": "bad", "waiting": "warn", "rejected": "", "out_of_scope": ""}


def funnel(asked: Asked) -> View:
    """Cohorts by stage. Filters: since, until, by, source, campaign, segment, owner."""
    given = figures.filters_of(asked, "since", "until", "by", *BY)
    told = reports.funnel(asked.ledger, asked.files, asked.now, **given)
    stages = told["stages"]
    columns = (
        *(Column("step", "number"), Column("stage"), Column("whose job"), Column("reached", "number")),
        Column("of those before", "number"),
        Column("time to the next", "number", "on average"),
    )
    whole = told["total"]
    rows = [
        (
            cell(at + 1),
            cell(stage["stage"]),
            cell(stage["owner"], tone="quiet"),
            figures.figure(whole["reached"][at]),
            cell("", text="") if at == 0 else figures.share(whole["rates"][at]),
            figures.days(whole["days"][at]) if at + 1 < len(stages) else cell(""),
        )
        for at, stage in enumerate(stages)
    ]
    empty = "No stages are agreed yet: write them into mappings/funnel.toml."
    table = Table("stages", "Stage by stage", columns, rows, empty)
    bars = [
        {"name": stage["stage"], "owner": stage["owner"], "value": whole["reached"][at]["value"], "rate": whole["rates"][at],
         "link": figures.behind(whole["reached"][at]["records"])}
        for at, stage in enumerate(stages)
    ]  # fmt: skip
    facts = {"period": told["period"], "bars": bars, "by": told["by"], "dimensions": BY}
    return View("funnel.html", "Funnel", facts, (table, _broken_down(told)))


def _broken_down(told: dict[str, Any]) -> Table:
    columns = (Column(told["by"] or "source"), *(Column(stage["stage"], "number") for stage in told["stages"]))
    rows = [(figures.name(row["name"]), *map(figures.figure, row["reached"])) for row in told["rows"]]
    title = f"By {told['by']}" if told["by"] else "Broken down"
    return Table("by", title, columns, rows, "Nobody came in within this period.")


def handoffs(asked: Asked) -> View:
    """The hand-off ledger. Filters: since, until, source, campaign, segment, owner."""
    told = reports.handoffs(asked.ledger, asked.files, asked.now, **figures.filters_of(asked, "since", "until", *BY))
    lines = [("delivered", told["delivered"], "in the CRM, with sales")]
    lines += [("waiting", told["waiting"], "handed over by the next cycle, or once a plan is released")]
    lines += [(f"blocked: {reason}", one, "needs a person: see the issues") for reason, one in told["blocked"].items()]
    lines += [("rejected", told["rejected"], "sales gave them back, with a reason")]
    lines += [("out of scope", told["out_of_scope"], "qualified, but the mapping does not take part in them")]
    rows = [
        (cell(name), figures.figure(one), cell(means, tone="quiet")) for name, one, means in lines
    ]  # fmt: skip
    rows.append((cell("qualified"), figures.figure(told["qualified"]), cell("the sum of all above", tone="quiet")))
    balance = Table(
        "balance",
        "Where everybody is who qualified",
        (Column("state"), Column("people", "number"), Column("means")),
        rows,
        "Nobody qualified yet.",
    )
    columns = (
        *(Column("record", "code"), Column("state"), Column("reason"), Column("qualified", "time")),
        *(Column("delivered", "time"), Column("by definition", "number")),
    )
    records = [
        (
            cell(
                f"{one['system']} {one['object']} {one['key']}", record_link(one["system"], one["object"], one["key"])
            ),
            cell(str(one["state"]).replace("_", " "), tone=STATES.get(one["state"], "")),
            cell(one["reason"] or ""),
            cell(one["qualified_at"]),
            cell(one["delivered_at"], text=None if one["delivered_at"] else "not yet"),
            cell(one["version"], text=f"version {one['version']}" if one["version"] else None),
        )
        for one in told["records"]
    ]
    gap = Table(
        "gap",
        "Everybody who is not delivered, with the reason",
        columns,
        records[: asked.limit()],
        "Everybody who qualified is delivered.",
        len(records),
    )
    facts = {"told": told, "period": told["period"], "link": figures.behind}
    return View("handoffs.html", "Hand-offs", facts, (balance, gap))


def follow_up(asked: Asked) -> View:
    """Sales' side of the agreement. Filters: since, until, by, source, campaign, segment, owner."""
    given = figures.filters_of(asked, "since", "until", "by", *BY)
    told = reports.follow_up(asked.ledger, asked.files, asked.now, **given)
    columns = (
        Column(told["by"]),
        *(Column(words, "number") for words, _ in CLOCKS.values()),
        Column("kept", "number", "met in time, of those that are over"),
        *(Column("sync", "number"), Column("routing", "number"), Column("rep", "number")),
    )
    rows = [
        (
            figures.name(row["name"]),
            *(figures.figure(row["states"][state]) for state in CLOCKS),
            figures.share(row["kept"]),
            *(figures.seconds(row["delays"][part]) for part in ("sync_s", "routing_s", "rep_s")),
        )
        for row in told["rows"]
    ]
    by = Table("by", f"By {told['by']}", columns, rows, "No clock was started in this period.")
    open_ = Table(
        "open",
        "Who waits for a first touch, or more",
        (
            *(Column("record", "code"), Column("state"), Column("due", "time"), Column("qualified", "time")),
            *(Column("first touch", "time"), Column("attempts", "number"), Column("owner"), Column("segment")),
        ),
        [
            (
                cell(f"{one['object']} {one['key']}", record_link(one["system"], one["object"], one["key"])),
                cell(CLOCKS.get(one["state"], (one["state"], ""))[0], tone=CLOCKS.get(one["state"], ("", ""))[1]),
                cell(one["due_at"]),
                cell(one["started_at"]),
                cell(one["first_touch_at"], text=None if one["first_touch_at"] else "none yet"),
                cell(one["attempts"]),
                figures.name(one["owner"]),
                cell(one["segment"] or ""),
            )
            for one in told["records"][: asked.limit()]
        ],
        "Nobody waits: every clock is met, or none runs.",
        len(told["records"]),
    )
    facts = {"told": told, "period": told["period"], "clocks": CLOCKS, "dimensions": BY, "link": figures.behind}
    return View("follow_up.html", "Follow-up", facts, (open_, by))


def behind(asked: Asked) -> View:
    """The records behind a figure. Filter: link."""
    link = asked.filter("link") or ""
    told = reports.records_behind(asked.ledger, asked.files, link, min(asked.limit(), 1000))
    rows = [
        (
            cell(
                f"{one['system']} {one['object']} {one['key']}", record_link(one["system"], one["object"], one["key"])
            ),
            cell(one["why"] or ""),
            cell(one["at"], text=None if one["at"] else ""),
            figures.money(one["amount"]) if one["amount"] else cell(""),
        )
        for one in told["records"]
    ]
    columns = (Column("record", "code"), Column("why"), Column("at", "time"), Column("amount", "number"))
    table = Table("records", "Records", columns, rows, "No record is behind this figure.")
    following = figures.behind(told["next"])
    return View("behind.html", "Behind the figure", {"what": told["title"], "following": following}, (table,))
