"""Issues: what waits for a person, why, and the buttons that end it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from syncd.ledger.inbox import Issue
from syncd.ruling import NOT_RETRIED
from syncd.view.records import issue as shape
from syncd.web import phrases
from syncd.web.page import LIMIT, Asked, Row, View
from syncd.web.render import record_link
from syncd.web.table import Column, Table, cell


def page(asked: Asked) -> View:
    """Filters: mapping, kind."""
    mapping, kind = asked.filter("mapping"), asked.filter("kind")
    inbox = asked.ledger.inbox
    kinds = inbox.kinds(mapping)
    counts = kinds if kind is None else {kind: kinds.get(kind, 0)}
    chosen = [] if asked.whole else inbox.issues(mapping=mapping, kind=kind, limit=asked.limit())
    facts = {
        "issues": [_told(asked, one) for one in chosen],
        "kinds": sorted(kinds.items()),
        "retriable": sum(n for name, n in counts.items() if name not in NOT_RETRIED),
        "total": sum(counts.values()),
        "chosen": {"mapping": mapping or "", "kind": kind or ""},
    }
    return View("issues.html", "Issues", facts, (_table(asked, _listed(asked, mapping, kind), sum(counts.values())),))


def _told(asked: Asked, one: Issue) -> dict[str, object]:
    shown = shape(asked.ledger, one)
    about = next(iter(shown["records"]), None) if one.object is not None else None
    return {
        **shown,
        "reason": phrases.sides(shown["reason"][:1].upper() + shown["reason"][1:]),
        "record": _named(asked, about) if about else None,
        "candidates": [_named(asked, record) for record in shown["candidates"]],
        "rule": next((record["rule"] for record in shown["candidates"] if record["rule"]), None),
        "twins": [_named(asked, record) for record in shown.get("twins", [])],
        "may_retry": one.kind not in NOT_RETRIED,
        "plan": one.kind == "held_plan",
    }


def _named(asked: Asked, record: dict[str, Any]) -> dict[str, Any]:
    link = record_link(record["system"], record["object"], record["key"])
    return {**record, "link": link, "name": asked.names.of(record)}


def _listed(asked: Asked, mapping: str | None, kind: str | None) -> Iterator[Issue]:
    """All of them, oldest first, a page of the ledger at a time."""
    after = 0
    while found := asked.ledger.inbox.issues(mapping=mapping, kind=kind, limit=LIMIT, after=after):
        yield from found
        after = found[-1].id


def _table(asked: Asked, issues: Iterable[Issue], total: int) -> Table:
    columns = (
        *(Column("issue", "number"), Column("since", "time"), Column("kind"), Column("mapping")),
        *(Column("record"), Column("candidates"), Column("field"), Column("reason"), Column("remedy")),
    )

    def row(one: Issue) -> Row:
        shown = shape(asked.ledger, one)
        record = next(iter(shown["records"]), None) if one.object is not None else None
        offered = ", ".join(f"{at['system']} {at['object']} {at['key']}" for at in shown["candidates"])
        return (
            cell(one.id, f"/issues#issue-{one.id}"),
            cell(shown["since"]),
            cell(one.kind, text=phrases.kind(one.kind)),
            cell(one.mapping, f"/mappings/{one.mapping}"),
            asked.names.cell(record),
            cell(offered),
            cell(one.field or ""),
            cell(shown["reason"], text=phrases.sides(shown["reason"])),
            cell(shown["remedy"]),
        )  # fmt: skip

    rows = map(row, issues)
    empty = "Nothing waits for a person."
    return Table("issues", "Issues", columns, asked.shown(rows), empty, total, every=asked.all(rows))
