"""What a row holds, as readers see it: formulas computed, compounds put together, values printed.

Promise: one place decides how a stored value looks on the wire. Contract section 14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connectors.salesforce.sandbox.fields import NUMBERS, Field, ObjectType
from connectors.salesforce.sandbox.formulas import FORMULAS
from connectors.salesforce.sandbox.instants import bulk_time, rest_time
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.store import Row

Getter = Callable[[Row], Any]
_ADDRESS_PARTS = (
    ("city", "City"),
    ("country", "Country"),
    ("postalCode", "PostalCode"),
    ("state", "State"),
    ("street", "Street"),
)


def getter(org: Org, field: Field) -> Getter:
    """A function that takes a field's value from a row, in its stored form."""
    name = field.name
    if field.formula is not None:
        formula = FORMULAS[field.formula]
        return lambda row: formula(row, org.now_s(), org.switches)
    if field.type == "address":
        return lambda row: _address(row, name.removesuffix("Address"))
    if field.type == "boolean":
        return lambda row: row.get(name, False)
    return lambda row: row.get(name)


def _address(row: Row, prefix: str) -> dict[str, Any] | None:
    parts = {key: row.get(prefix + suffix) for key, suffix in _ADDRESS_PARTS}
    if not any(parts.values()):
        return None
    return {**parts, "geocodeAccuracy": None, "latitude": None, "longitude": None}


def shown(field: Field, value: Any) -> Any:
    """A stored value as REST prints it."""
    if value is not None and field.type == "datetime":
        return rest_time(value)
    return value


def csv_cell(field: Field, value: Any) -> str:
    """A stored value as Bulk prints it: null is an empty cell."""
    if value is None:
        return ""
    if field.type == "boolean":
        return "true" if value else "false"
    if field.type == "datetime":
        return bulk_time(value)
    if field.type in NUMBERS:
        return repr(value)
    return str(value)


def attributes(kind: str, key: str, version: str) -> dict[str, str]:
    """What every record in an answer begins with."""
    return {"type": kind, "url": f"/services/data/v{version}/sobjects/{kind}/{key}"}


def record(org: Org, kind: ObjectType, row: Row, fields: Iterable[Field], version: str) -> dict[str, Any]:
    """A row as a single-record answer prints it."""
    shown_fields = {field.name: shown(field, getter(org, field)(row)) for field in fields}
    return {"attributes": attributes(kind.name, row["Id"], version), **shown_fields}
