"""What each object looks like to our user: describe, and what we keep of it.

Promise: an attribute that our user cannot see is left out of what is asked, and is then absent from records, never
blank. It is looked for again every hour, or as soon as somebody asks for a description. Source: contract section 10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from connectors.salesforce.org import Org
from syncd.connector import Attribute, Schema

LOOK_AGAIN_S = 3600.0
"""How long an attribute that could not be seen is left out before it is asked for again."""

Type = Literal["text", "number", "bool", "date", "datetime", "choice", "choices", "reference", "other"]

_TYPES: dict[str, Type] = {
    "string": "text", "textarea": "text", "phone": "text", "url": "text", "email": "text", "combobox": "text",
    "encryptedstring": "text", "id": "text", "int": "number", "long": "number", "double": "number",
    "currency": "number", "percent": "number", "boolean": "bool", "date": "date", "datetime": "datetime",
    "picklist": "choice", "multipicklist": "choices", "reference": "reference",
}  # fmt: skip


class _Choice(msgspec.Struct, rename="camel"):
    value: str
    active: bool = True
    default_value: bool = False


class _Field(msgspec.Struct, rename="camel"):
    """The keys of a field that we read, out of 58."""

    name: str
    type: str
    label: str | None = None
    length: int = 0
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted_on_create: bool = False
    unique: bool = False
    external_id: bool = False
    calculated: bool = False
    restricted_picklist: bool = False
    reference_to: list[str] | None = None
    picklist_values: list[_Choice] | None = None


class _Object(msgspec.Struct):
    fields: list[_Field]


_OBJECT = msgspec.json.Decoder(_Object)


class Schemas:
    """What is known of the org's objects. Safe in several threads: what is kept is only ever replaced whole."""

    def __init__(self, org: Org, key: str, now: Callable[[], float]) -> None:
        self._org = org
        self.key = key
        """The name of the field for syncd's own key, where an object has it."""
        self._now = now
        self._keyed: dict[str, bool] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._hidden: dict[str, tuple[float, frozenset[str]]] = {}

    def describe(self, object: str) -> Schema:
        """Asks: one call. Raises AccessError where the object is not visible to our user."""
        reply = self._org.describe(object)
        if not reply.ok:
            raise reply.refused()
        fields = reply.decode(_OBJECT).fields
        self._hidden.pop(object, None)
        self._labels[object] = {field.name: field.label or field.name for field in fields}
        self._keyed[object] = any(
            field.name == self.key and field.external_id and field.unique and field.createable for field in fields
        )
        return Schema(object, {field.name: _attribute(field) for field in fields})

    def labels(self, object: str) -> dict[str, str]:
        """The labels of the fields, by which refusals name them; asks once."""
        if object not in self._labels:
            self.describe(object)
        return self._labels[object]

    def key_of(self, object: str) -> str | None:
        """The field for syncd's own key; asks once. None: the org has none that is external id, unique and ours to
        write."""
        if object not in self._keyed:
            self.describe(object)
        return self.key if self._keyed[object] else None

    def believed_key(self, object: str) -> str | None:
        """The same without asking: there is one until a description shows that there is none."""
        return self.key if self._keyed.get(object, True) else None

    def visible(self, object: str, attributes: Sequence[str]) -> tuple[str, ...]:
        """The attributes without those that lately could not be seen."""
        at_s, hidden = self._hidden.get(object, (0.0, frozenset[str]()))
        if hidden and not 0 <= self._now() - at_s < LOOK_AGAIN_S:
            self._hidden.pop(object, None)
            hidden = frozenset()
        return tuple(name for name in attributes if name not in hidden)

    def narrow(self, object: str, attributes: Sequence[str]) -> tuple[str, ...]:
        """Asks which of the attributes can be seen now, and remembers which cannot."""
        seen = self.describe(object).attributes
        self._hidden[object] = (self._now(), frozenset(name for name in attributes if name not in seen))
        return self.visible(object, attributes)


def _defaulted(field: _Field) -> bool:
    """Whether a create may leave the field out. Some have a value by nature, whatever the description says: a box is
    not ticked, an owner is who creates, a list may mark its default."""
    natural = field.type == "boolean" or field.name == "OwnerId"
    return field.defaulted_on_create or natural or any(each.default_value for each in field.picklist_values or ())


def _attribute(field: _Field) -> Attribute:
    kind: Type = _TYPES.get(field.type, "other")
    return Attribute(
        name=field.name,
        type=kind,
        label=field.label or "",
        length=field.length if kind in ("text", "choice", "choices") else 0,
        creatable=field.createable,
        updatable=field.updateable,
        required=field.createable and not field.nillable and not _defaulted(field),
        unique=field.unique,
        restricted=field.restricted_picklist,
        options=tuple(choice.value for choice in field.picklist_values or () if choice.active),
        calculated=field.calculated,
        refers=tuple(field.reference_to or ()),
    )
