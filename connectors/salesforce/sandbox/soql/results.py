"""A statement run against the org: which rows, in which order, and how each is printed.

Promise: the result holds the rows as they are now; paging is somebody else's (`queries.py`). Ties come in any order on
purpose, so that a missing `, Id` shows. Contract sections 4.1 and 4.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.soql.aggregates import aggregate, is_aggregate
from connectors.salesforce.sandbox.soql.columns import Selected, printer, selected
from connectors.salesforce.sandbox.soql.conditions import compiled
from connectors.salesforce.sandbox.soql.planning import STAMP, candidates
from connectors.salesforce.sandbox.soql.scope import Resolved, Scope
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import Order, Query, SemiJoin
from connectors.salesforce.sandbox.store import Row, fold

MAX_OFFSET = 2_000


@dataclass
class Result:
    """`rows` and `columns` of a plain statement, or the finished `aggregates` of one that counts."""

    scope: Scope
    rows: list[Row]
    columns: list[Selected]
    aggregates: list[dict[str, Any]] | None
    total: int

    def printer(self, version: str) -> Callable[[Row], dict[str, Any]]:
        """A function that prints a row as REST does."""
        return printer(self.scope, self.scope.kind, self.columns, version)


def run(org: Org, query: Query, with_deleted: bool) -> Result:
    """Runs a statement. Refused as the vendor refuses it."""
    scope = Scope.of(org, query.object, query.text, query.object_at, query.alias)
    if is_aggregate(query):
        records, total = aggregate(scope, query, _matching(org, scope, query, with_deleted)[0])
        return Result(scope, [], [], records, total)
    columns = selected(scope, query)
    orders = [(order, _sortable(scope, order)) for order in query.order]
    if query.offset is not None and query.offset > MAX_OFFSET:
        raise Refusal.one("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    rows = _ordered(org, *_matching(org, scope, query, with_deleted), orders)
    if query.offset is not None:
        rows = rows[query.offset :]
        if org.switches.offset_caps_total:
            rows = rows[:MAX_OFFSET]
    if query.limit is not None:
        rows = rows[: query.limit]
    return Result(scope, rows, columns, None, len(rows))


# ---------------------------------------------------------------- which rows


def _matching(org: Org, scope: Scope, query: Query, with_deleted: bool) -> tuple[list[Row], bool]:
    found = candidates(org, scope, query.where)
    inner: dict[int, set[Any]] = {}

    def select(join: SemiJoin) -> set[Any]:
        if id(join) not in inner:
            inner[id(join)] = _inner(org, join, with_deleted)
        return inner[id(join)]

    if query.where is not None:
        # Compiled whole even where an index answers a part: what the vendor refuses is refused either way.
        compiled(scope, query.where, select)
    rows = found.rows
    if not with_deleted:
        rows = [row for row in rows if not row.get("IsDeleted") and not row.get("IsArchived")]
    if org.hidden:
        rows = [row for row in rows if row["Id"] not in org.hidden]
    if found.rest is not None:
        test = compiled(scope, found.rest, select)
        rows = [row for row in rows if test(row)]
    return rows, found.by_stamp


def _inner(org: Org, join: SemiJoin, with_deleted: bool) -> set[Any]:
    if len(join.query.columns) != 1:
        raise picture(join.query.text, join.at, "a semi-join sub-select takes exactly one field")
    result = run(org, join.query, with_deleted)
    if result.aggregates is not None:
        raise picture(join.query.text, join.at, "a semi-join sub-select takes exactly one field")
    return {result.columns[0].found.get(row) for row in result.rows}


def _ordered(org: Org, rows: list[Row], by_stamp: bool, orders: list[tuple[Order, Resolved]]) -> list[Row]:
    names = [found.field.name if not found.hops and not order.descending else "" for order, found in orders]
    if by_stamp and names[:1] == [STAMP] and (len(names) == 1 or names[1] == "Id"):
        return _shuffled_ties(org, rows) if len(names) == 1 else rows
    unique = any(found.field.name == "Id" and not found.hops for _, found in orders)
    if org.switches.shuffle_ties and not unique:
        rows = list(rows)
        org.chance.shuffle(rows)
    for order, found in reversed(orders):
        rows = _sorted(rows, order, found)
    return rows


def _shuffled_ties(org: Org, rows: list[Row]) -> list[Row]:
    if not org.switches.shuffle_ties:
        return rows
    out: list[Row] = []
    for _, group in groupby(rows, key=lambda row: row[STAMP]):
        tied = list(group)
        if len(tied) > 1:
            org.chance.shuffle(tied)
        out.extend(tied)
    return out


def _sorted(rows: list[Row], order: Order, found: Resolved) -> list[Row]:
    get, field = found.get, found.field
    pairs = [(fold(field, get(row)), row) for row in rows]
    nulls = [row for value, row in pairs if value is None]
    filled = [pair for pair in pairs if pair[0] is not None]
    filled.sort(key=lambda pair: pair[0], reverse=order.descending)
    values = [row for _, row in filled]
    return values + nulls if order.nulls_last else nulls + values


def _sortable(scope: Scope, order: Order) -> Resolved:
    found = scope.resolve(order.path)
    if not found.field.sortable or found.field.type == "multipicklist":
        message = f"field '{found.field.name}' can not be sorted in a query call"
        raise picture(scope.text, order.path.at, message, "INVALID_FIELD")
    return found
