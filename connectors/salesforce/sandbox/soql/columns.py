"""The SELECT list of a plain statement: what its items mean, and rows printed by it. Contract section 4.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.reading import Getter, shown
from connectors.salesforce.sandbox.soql.scope import Resolved, Scope
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import AllFields, Column, Path, Query
from connectors.salesforce.sandbox.store import Row

MAX_FIELDS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Selected:
    """One plain column of the result."""

    path: Path
    found: Resolved


def selected(scope: Scope, query: Query) -> list[Selected]:
    """The plain columns of a statement. Refused: INVALID_FIELD, also for a field that is named twice."""
    columns: list[Selected] = []
    for column in query.columns:
        columns.extend(_expanded(scope, query, column))
    seen: set[str] = set()
    for one in columns:
        name = ".".join([hop.name for hop in one.found.hops] + [one.found.field.name])
        if name in seen:
            raise picture(scope.text, one.path.at, f"duplicate field selected: {name}", "INVALID_FIELD")
        seen.add(name)
    return columns


def _expanded(scope: Scope, query: Query, column: Column) -> list[Selected]:
    what = column.what
    if isinstance(what, AllFields):
        if what.which != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_LIMIT):
            raise picture(scope.text, what.at, "The SOQL FIELDS function must have a LIMIT of at most 200")
        wanted = (one for one in scope.kind.fields if what.which == "ALL" or one.custom is (what.which == "CUSTOM"))
        paths = [Path((field.name,), what.at) for field in wanted]
        return [Selected(path, scope.resolve(path)) for path in paths]
    assert isinstance(what, Path)
    if column.alias is not None:
        raise picture(scope.text, what.at, f"only aggregate expressions use field aliasing: {column.alias}")
    return [Selected(what, scope.resolve(what))]


def printer(
    scope: Scope, kind: ObjectType, columns: Sequence[Selected], version: str
) -> Callable[[Row], dict[str, Any]]:
    """Prints own fields in order, and each parent as a record of its own (null when there is none)."""
    plan: list[tuple[str, Getter]] = []
    nested: dict[str, tuple[Field, list[Selected]]] = {}
    for column in columns:
        hops, field = column.found.hops, column.found.field
        if not hops:
            plan.append((field.name, _shown(field, column.found.get)))
            continue
        name = hops[0].relationship or ""
        if name not in nested:
            nested[name] = (hops[0], [])
            plan.append((name, lambda row: None))
        nested[name][1].append(column)
    for name, (hop, inner) in nested.items():
        at = next(at for at, (own, _) in enumerate(plan) if own == name)
        plan[at] = (name, _parent_printer(scope, hop, inner, version))
    base, own_name = f"/services/data/v{version}/sobjects/{kind.name}/", kind.name

    def show(row: Row) -> dict[str, Any]:
        out: dict[str, Any] = {"attributes": {"type": own_name, "url": base + row["Id"]}}
        for name, get in plan:
            out[name] = get(row)
        return out

    return show


def _shown(field: Field, get: Getter) -> Getter:
    return (lambda row: shown(field, get(row))) if field.type == "datetime" else get


def _parent_printer(scope: Scope, hop: Field, columns: list[Selected], version: str) -> Getter:
    org = scope.org
    plans: dict[str, Callable[[Row], dict[str, Any]]] = {}

    def show(row: Row) -> Any:
        parent = scope.parent((hop,), row)
        if parent is None:
            return None
        kind = org.catalogue.seen(org.catalogue.object_of(parent["Id"]) or "")
        assert kind is not None
        if kind.name not in plans:
            inner = Scope(org, kind, scope.text)
            moved = [_moved(inner, column) for column in columns]
            plans[kind.name] = printer(inner, kind, moved, version)
        return plans[kind.name](parent)

    return show


def _moved(inner: Scope, column: Selected) -> Selected:
    """The same column as seen from the parent; a field that this kind of parent lacks is null."""
    path = Path(column.path.parts[-len(column.found.hops) :], column.path.at)
    if len(column.found.hops) == 1 and path.parts[-1].lower() not in inner.kind.by_lower:
        field = column.found.field
        is_type = field.name == "Type"
        return Selected(path, Resolved((), field, lambda row: inner.kind.name if is_type else None))
    return Selected(path, inner.resolve(path))
