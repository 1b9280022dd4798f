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
    records = [_named(asked, record) for record in shown["records"]]
    return {
        **shown,
        "reason": phrases.sides(one.reason[:1].upper() + one.reason[1:]),
        "remedy": one.remedy.replace(" ID", f" {one.id}"),
        "record": records[0] if records else None,
        "candidates": records[1:],
        "twins": [_named(asked, record) for record in shown.get("twins", [])],
        "may_retry": one.kind not in NOT_RETRIED,
        "plan": one.kind == "held_plan",
    }


def _named(asked: Asked, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "link": record_link(**record), "name": asked.names.of(record)}


def _listed(asked: Asked, mapping: str | None, kind: str | None) -> Iterator[Issue]:
    """All of them, oldest first, a page of the ledger at a time."""
    after = 0
    while found := asked.ledger.inbox.issues(mapping=mapping, kind=kind, limit=LIMIT, after=after):
        yield from found
        after = found[-1].id


def _table(asked: Asked, issues: Iterable[Issue], total: int) -> Table:
    columns = (
        *(Column("issue", "number"), Column("since", "time"), Column("kind"), Column("mapping")),
        *(Column("record"), Column("field"), Column("reason"), Column("remedy")),
    )

    def row(one: Issue) -> Row:
        shown = shape(asked.ledger, one)
        record = next(iter(shown["records"]), None)
        return (
            cell(one.id, f"/issues#issue-{one.id}"),
            cell(shown["since"]),
            cell(one.kind, text=phrases.kind(one.kind)),
            cell(one.mapping, f"/mappings/{one.mapping}"),
            asked.names.cell(record),
            cell(one.field or ""),
            cell(one.reason, text=phrases.sides(one.reason)),
            cell(one.remedy),
        )  # fmt: skip

    rows = map(row, issues)
    empty = "Nothing waits for a person."
    return Table("issues", "Issues", columns, asked.shown(rows), empty, total, every=asked.all(rows))
