"""Statements that count and group. Contract section 4.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.salesforce.sandbox.fields import NUMBERS
from connectors.salesforce.sandbox.reading import shown
from connectors.salesforce.sandbox.soql.scope import Resolved, Scope
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import Aggregate, Path, Query
from connectors.salesforce.sandbox.store import Row, fold

Make = Callable[[list[Row]], Any]


def is_aggregate(query: Query) -> bool:
    """Whether a statement counts or groups."""
    return bool(query.group) or any(isinstance(column.what, Aggregate) for column in query.columns)


def aggregate(scope: Scope, query: Query, rows: list[Row]) -> tuple[list[dict[str, Any]], int]:
    """The finished records, and totalSize: for `COUNT()` alone there are none, and the total is the count."""
    first = query.columns[0].what
    if isinstance(first, Aggregate) and first.path is None:
        if len(query.columns) > 1 or query.group:
            raise picture(scope.text, first.at, "COUNT() must be the only element in the SELECT list")
        return [], len(rows) if query.limit is None else min(len(rows), query.limit)
    if query.limit is not None and not query.group:
        raise picture(scope.text, 0, "aggregate queries without GROUP BY can not have a LIMIT")
    makers = _makers(scope, query)
    out = [
        {"attributes": {"type": "AggregateResult"}, **{name: make(group) for name, make in makers}}
        for group in _groups(scope, query, rows)
    ]
    _sort(scope, query, out, {name for name, _ in makers})
    out = out[: query.limit] if query.limit is not None else out
    return out, len(out)


def _groups(scope: Scope, query: Query, rows: list[Row]) -> list[list[Row]]:
    if not query.group:
        return [rows]
    keys = [scope.resolve(path) for path in query.group]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(fold(key.field, key.get(row)) for key in keys), []).append(row)
    return list(groups.values())


def _sort(scope: Scope, query: Query, out: list[dict[str, Any]], names: set[str]) -> None:
    for order in reversed(query.order):
        name = str(order.path)
        if name not in names:
            raise picture(scope.text, order.path.at, f"Ordered field must be grouped or aggregated: {name}")
        filled = sorted(
            (row for row in out if row[name] is not None), key=lambda row: row[name], reverse=order.descending
        )
        nulls = [row for row in out if row[name] is None]
        out[:] = filled + nulls if order.nulls_last else nulls + filled


def _makers(scope: Scope, query: Query) -> list[tuple[str, Make]]:
    makers: list[tuple[str, Make]] = []
    grouped = {str(path).lower() for path in query.group}
    unnamed = 0
    for column in query.columns:
        what = column.what
        if isinstance(what, Aggregate):
            name = column.alias or f"expr{unnamed}"
            unnamed += column.alias is None
            makers.append((name, _aggregator(scope, what)))
            continue
        if not isinstance(what, Path) or str(what).lower() not in grouped:
            raise picture(scope.text, what.at, f"Field must be grouped or aggregated: {what}")
        found = scope.resolve(what)
        makers.append((column.alias or found.field.name, _first(found)))
    return makers


def _first(found: Resolved) -> Make:
    return lambda rows: shown(found.field, found.get(rows[0]))


def _aggregator(scope: Scope, what: Aggregate) -> Make:
    if what.path is None:
        raise picture(scope.text, what.at, "COUNT() must be the only element in the SELECT list")
    found = scope.resolve(what.path)
    if what.name in ("SUM", "AVG") and found.field.type not in NUMBERS:
        raise picture(scope.text, what.at, f"field {found.field.name} does not support aggregate operator {what.name}")

    def make(rows: list[Row]) -> Any:
        values = [value for value in map(found.get, rows) if value is not None]
        if what.name == "COUNT":
            return len(values)
        if what.name == "COUNT_DISTINCT":
            return len({fold(found.field, value) for value in values})
        if not values:
            return None
        if what.name == "SUM":
            return sum(values)
        if what.name == "AVG":
            return sum(values) / len(values)
        return shown(found.field, min(values) if what.name == "MIN" else max(values))

    return make
