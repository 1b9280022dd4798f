"""What the names in a statement mean: fields of the object, and of its parents.

Promise: only what the API user may see is found; the refusal names what is not, as the vendor does.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.fields import Field, ObjectType
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.reading import Getter, getter
from connectors.salesforce.sandbox.soql.tokens import picture
from connectors.salesforce.sandbox.soql.tree import Path
from connectors.salesforce.sandbox.store import Row

MAX_LEVELS = 5
_ADVICE = (
    "If you are attempting to use a custom {0}, be sure to append the '{1}' after the {2} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that was understood: the lookups on the way, the field at its end, and how to get its value."""

    hops: tuple[Field, ...]
    field: Field
    get: Getter


class Scope:
    """One object of a FROM clause and the names that reach it."""

    def __init__(self, org: Org, kind: ObjectType, text: str, alias: str | None = None) -> None:
        self.org = org
        self.kind = kind
        self.text = text
        self._alias = alias

    @classmethod
    def of(cls, org: Org, name: str, text: str, at: int = 0, alias: str | None = None) -> Scope:
        """The scope of an object by name. Refused: INVALID_TYPE."""
        kind = org.catalogue.seen_in_query(name)
        if kind is None:
            advice = _ADVICE.format("object", "__c", "entity")
            raise picture(text, at, f"sObject type '{name}' is not supported. {advice}", "INVALID_TYPE")
        return cls(org, kind, text, alias)

    def resolve(self, path: Path) -> Resolved:
        """Refused: INVALID_FIELD, for an unknown field or relationship."""
        parts = list(path.parts)
        if len(parts) > 1 and self._is_own_name(parts[0]):
            del parts[0]
        if len(parts) > MAX_LEVELS + 1:
            raise picture(self.text, path.at, "Relationship path is too long; at most 5 levels are allowed")
        kinds: tuple[ObjectType, ...] = (self.kind,)
        hops: list[Field] = []
        for part in parts[:-1]:
            hop, kinds = self._hop(kinds, part, path)
            hops.append(hop)
        if hops and len(kinds) > 1 and parts[-1].lower() == "type":
            return Resolved(tuple(hops), Field("Type", "Type"), self._type_getter(tuple(hops)))
        field = next((kind.by_lower[parts[-1].lower()] for kind in kinds if parts[-1].lower() in kind.by_lower), None)
        if field is None:
            raise self._no_column(parts[-1], kinds[0].name if len(kinds) == 1 else "Name", path)
        return Resolved(tuple(hops), field, self._getter(tuple(hops), field))

    def parent(self, hops: tuple[Field, ...], row: Row) -> Row | None:
        """The row at the end of a chain of lookups; None where one is blank, gone or kept from the API user."""
        current: Row | None = row
        for hop in hops:
            key = current.get(hop.name) if current else None
            current = self.org.row(key)
            if current is None or key in self.org.hidden:
                return None
        return current

    def _is_own_name(self, part: str) -> bool:
        lower = part.lower()
        if self._alias is not None and lower == self._alias.lower():
            return True
        return lower == self.kind.name.lower() and lower not in self.kind.relationships

    def _hop(self, kinds: tuple[ObjectType, ...], part: str, path: Path) -> tuple[Field, tuple[ObjectType, ...]]:
        field = next((kind.relationships[part.lower()] for kind in kinds if part.lower() in kind.relationships), None)
        if field is None:
            advice = _ADVICE.format("relationship", "__r", "custom relationship")
            message = f"Didn't understand relationship '{part}' in field path. {advice}"
            raise picture(self.text, path.at, message, "INVALID_FIELD")
        targets = (self.org.catalogue.seen(name) for name in field.refers)
        return field, tuple(kind for kind in targets if kind is not None)

    def _no_column(self, part: str, name: str, path: Path) -> Refusal:
        advice = _ADVICE.format("field", "__c", "custom field")
        return picture(self.text, path.at, f"No such column '{part}' on entity '{name}'. {advice}", "INVALID_FIELD")

    def _getter(self, hops: tuple[Field, ...], field: Field) -> Getter:
        own = getter(self.org, field)
        if not hops:
            return own

        def get(row: Row) -> object:
            parent = self.parent(hops, row)
            return None if parent is None else own(parent)

        return get

    def _type_getter(self, hops: tuple[Field, ...]) -> Getter:
        def get(row: Row) -> object:
            parent = self.parent(hops, row)
            return None if parent is None else self.org.catalogue.object_of(parent["Id"])

        return get
