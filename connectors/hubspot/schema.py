"""Property definitions as attributes (contract section 10).

Promise: what may be written is taken from `readOnlyValue`, which HubSpot enforces, and not from what a property is
called. Beside the properties stand the attributes that we make: references, and pipeline and stage in one. It keeps
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from connectors.hubspot.errors import refuse_read
from connectors.hubspot.kinds import Kind
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST
from syncd.connector import Attribute, Schema
from syncd.errors import AccessError
from syncd.http import Http

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


class Stage(msgspec.Struct):
    id: str


class Pipeline(msgspec.Struct):
    id: str
    stages: list[Stage] = []


class Pipelines(msgspec.Struct):
    results: list[Pipeline]


_PIPELINES: msgspec.json.Decoder[Pipelines] = msgspec.json.Decoder(Pipelines)

SENSITIVITIES = ("sensitive", "highly_sensitive")
"""Properties that HubSpot lists only when they are asked for by this word, each in a call of its own."""


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes one account's objects. `sensitive`: also the properties that HubSpot hides unless asked."""

    http: Http
    paths: Paths
    sensitive: bool = False

    def describe(self, kind: Kind) -> Schema:
        """The object as our token sees it: one call, one more where there are pipelines, two for what is sensitive."""
        found = self._properties(kind, {})
        for word in SENSITIVITIES if self.sensitive else ():
            found += self._properties(kind, {"dataSensitivity": word})
        attributes = {one.name: _attribute(kind, one) for one in found}
        if kind.staged:
            attributes |= {one.name: one for one in _stages(kind, attributes, self._pipelines(kind))}
        attributes |= {one.name: one for one in _references(kind)}
        return Schema(kind.name, attributes)

    def _properties(self, kind: Kind, params: Mapping[str, object]) -> list[Property]:
        answer = self.http.read("GET", self.paths.properties(kind.name), params=params or None, meters=BURST)
        if answer.status >= 300:
            raise refuse_read(answer)
        found: list[Property] = answer.json(PROPERTIES).results
        return found

    def _pipelines(self, kind: Kind) -> list[Pipeline]:
        """The pipelines; none where our token may not see them."""
        try:
            answer = self.http.read("GET", self.paths.pipelines(kind.name), meters=BURST)
        except AccessError:
            return []
        if answer.status >= 300:
            raise refuse_read(answer)
        found: Pipelines = answer.json(_PIPELINES)
        return found.results


def _stages(kind: Kind, known: Mapping[str, Attribute], pipelines: list[Pipeline]) -> Iterator[Attribute]:
    """Pipeline, stage, and both in one, with what the account has to choose from (11)."""
    assert kind.staged is not None
    choices = (
        (kind.staged[0], [one.id for one in pipelines]),
        (kind.staged[1], [stage.id for one in pipelines for stage in one.stages]),
        (kind.stage, [f"{one.id}/{stage.id}" for one in pipelines for stage in one.stages]),
    )
    whole = Attribute(kind.stage, "choice", "Pipeline and stage")
    for name, options in choices:
        if known.keys() >= set(kind.staged):
            yield replace(known.get(name, whole), options=tuple(options), restricted=bool(options))


def _references(kind: Kind) -> Iterator[Attribute]:
    for one in kind.references:
        what = {1: "the primary", 5: "the primary", 14: "the parent"}.get(one.one or 0, "all")
        label = f"Associated {one.to}: {what}"
        yield Attribute(one.name, "references" if one.one is None else "reference", label, refers=(one.to,))


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
