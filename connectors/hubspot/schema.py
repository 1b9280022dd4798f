"""Property definitions as attributes (contract section 10).

Promise: what may be written is taken from `readOnlyValue`, which HubSpot enforces, and not from what a property is
called. It keeps nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from connectors.hubspot.kinds import Kind
from syncd.connector import Attribute, Schema

TEXT_CHARACTERS = 65_536
"""The longest text that a property holds."""

_TYPES: dict[str, Literal["text", "number", "bool", "date", "datetime", "choice"]] = {
    "string": "text",
    "phone_number": "text",
    "number": "number",
    "bool": "bool",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "choice",
}


class Option(msgspec.Struct):
    value: str


class Modification(msgspec.Struct):
    readOnlyValue: bool = False


class Property(msgspec.Struct):
    """One definition, as far as a sync needs it."""

    name: str
    type: str
    label: str | None = None
    fieldType: str | None = None
    options: list[Option] = []
    calculated: bool = False
    externalOptions: bool = False
    hasUniqueValue: bool = False
    referencedObjectType: str | None = None
    modificationMetadata: Modification | None = None


class Properties(msgspec.Struct):
    results: list[Property]


PROPERTIES: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Properties)


def schema_of(kind: Kind, properties: list[Property]) -> Schema:
    """The object as its definitions describe it."""
    return Schema(kind.name, {one.name: _attribute(kind, one) for one in properties})


def _attribute(kind: Kind, one: Property) -> Attribute:
    writable = not (one.modificationMetadata or Modification()).readOnlyValue
    type_ = _type(one)
    return Attribute(
        name=one.name,
        type=type_,
        label=one.label or one.name,
        length=TEXT_CHARACTERS if type_ == "text" else 0,
        creatable=writable,
        updatable=writable,
        unique=one.hasUniqueValue or (kind.has_emails and one.name == "email"),
        restricted=one.type == "enumeration" and bool(one.options) and not one.externalOptions,
        options=tuple(option.value for option in one.options),
        calculated=one.calculated,
    )


def _type(
    one: Property,
) -> Literal["text", "number", "bool", "date", "datetime", "choice", "choices", "reference", "other"]:
    if one.referencedObjectType:
        return "reference"
    if one.type == "enumeration" and one.fieldType == "checkbox":
        return "choices"
    return _TYPES.get(one.type, "other")
