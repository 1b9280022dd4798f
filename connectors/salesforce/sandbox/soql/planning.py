"""Which rows a condition can concern at all: taken from an index where there is one.

Promise: never leaves out a row that meets the condition; says which part of the condition is still to be tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.soql.literals import Span, meaning
from connectors.salesforce.sandbox.soql.scope import Scope
from connectors.salesforce.sandbox.soql.tree import Among, Both, Compare, Condition
from connectors.salesforce.sandbox.store import Row, Table

STAMP = "SystemModstamp"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows to test, what to test them for, and whether they come ordered by (SystemModstamp, Id)."""

    rows: list[Row]
    rest: Condition | None
    by_stamp: bool


def candidates(org: Org, scope: Scope, where: Condition | None) -> Candidates:
    """The smallest set of rows that an index offers; all rows where none helps."""
    table = org.table(scope.kind.name)
    parts: Sequence[Condition] = () if where is None else where.items if isinstance(where, Both) else (where,)
    keys = _by_value(scope, table, parts)
    if keys is not None:
        rows = [table.rows[key] for key in dict.fromkeys(keys) if key in table.rows]
        return Candidates(rows, where, by_stamp=False)
    bounds = [_stamp_bounds(scope, part) for part in parts]
    start = max((bound[0] for bound in bounds if bound and bound[0] is not None), default=None)
    end = min((bound[1] for bound in bounds if bound and bound[1] is not None), default=None)
    rest = tuple(part for part, bound in zip(parts, bounds, strict=True) if bound is None)
    held = table.rows
    rows = [held[key] for _, key in table.stamped(start, end)]
    return Candidates(rows, _joined(rest), by_stamp=True)


def _joined(parts: tuple[Condition, ...]) -> Condition | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Both(parts)


def _by_value(scope: Scope, table: Table, parts: Sequence[Condition]) -> list[str] | None:
    best: list[str] | None = None
    for part in parts:
        keys = _keys(scope, table, part)
        if keys is not None and (best is None or len(keys) < len(best)):
            best = keys
    return best


def _keys(scope: Scope, table: Table, part: Condition) -> list[str] | None:
    equals = isinstance(part, Compare) and part.op == "="
    among = isinstance(part, Among) and part.op == "IN"
    if not (equals or among) or not isinstance(part, Compare | Among):
        return None
    found = scope.resolve(part.path)
    name = found.field.name
    if found.hops or not (name == "Id" or table.indexes(name)):
        return None
    literals = part.values if isinstance(part, Among) else (part.value,)
    values = [meaning(found.field, literal, scope.text, scope.org.now_s()) for literal in literals]
    if any(value is None for value in values):
        return None
    if name == "Id":
        return values
    return [key for value in values for key in table.find(name, value)]


def _stamp_bounds(scope: Scope, part: Condition) -> tuple[int | None, int | None] | None:
    """[start, end) in seconds that the part allows; None when it is about something else."""
    if not isinstance(part, Compare) or part.op in ("!=", "LIKE"):
        return None
    found = scope.resolve(part.path)
    if found.hops or found.field.name != STAMP:
        return None
    value = meaning(found.field, part.value, scope.text, scope.org.now_s())
    if isinstance(value, Span):
        by_op = {
            "=": (value.start, value.end),
            "<": (None, value.start),
            "<=": (None, value.end),
            ">": (value.end, None),
            ">=": (value.start, None),
        }
        return by_op[part.op]
    if value is None:
        return None
    return {
        "=": (math.ceil(value), math.floor(value) + 1),
        "<": (None, math.ceil(value)),
        "<=": (None, math.floor(value) + 1),
        ">": (math.floor(value) + 1, None),
        ">=": (math.ceil(value), None),
    }[part.op]
