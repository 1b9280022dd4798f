"""A mapping against a live schema: what the system would refuse, said before anything is sent.

Promise: whatever is reported would have failed, or lost something, on real records; whatever depends on single records
(a value that is too long, a validation rule) is not guessed here. It asks no system: it is given the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from syncd.core.derived import CHOICES
from syncd.core.mapping import Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import Side, other
from syncd.core.problem import Problem
from syncd.core.together import at_place
from syncd.core.toml import did_you_mean


class AttributeLike(Protocol):
    """What is needed to know of an attribute (`syncd.connector.Attribute` fits)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def creatable(self) -> bool: ...
    @property
    def updatable(self) -> bool: ...
    @property
    def required(self) -> bool: ...
    @property
    def instead(self) -> tuple[str, ...]: ...
    @property
    def unique(self) -> bool: ...
    @property
    def restricted(self) -> bool: ...
    @property
    def options(self) -> tuple[str, ...]: ...
    @property
    def refers(self) -> tuple[str, ...]: ...


class SchemaLike(Protocol):
    """An object as the system describes it (`syncd.connector.Schema` fits)."""

    @property
    def object(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, AttributeLike]: ...


_TEXTUAL: Final = frozenset({"text", "other"})
_WRITES: Final[Mapping[str, frozenset[str]]] = {
    "text": _TEXTUAL | {"choice"},
    "email": _TEXTUAL,
    "domain": _TEXTUAL,
    "phone": _TEXTUAL,
    "country": _TEXTUAL | {"choice"},
    "number": frozenset({"number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "choice": _TEXTUAL | {"choice"},
    "choices": frozenset({"choices"}),
    "owner": _TEXTUAL | {"reference", "choice"},
    "reference": frozenset({"reference", "references", "other"}),
}
_READS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"choice", "reference", "number", "date", "datetime", "choices"}),
    "email": frozenset({"choice"}),
    "domain": frozenset({"choice"}),
    "number": frozenset({"text"}),
    "date": frozenset({"datetime"}),
    "choice": frozenset({"bool", "number"}),
    "choices": _TEXTUAL | {"choice"},
}
"""What may stand where the field only reads, beside what it may write."""
_PLAIN: Final = frozenset({"number", "bool", "date", "datetime", "choice", "choices", "reference"})


Holds = Literal["field", "creates", ""]
"""What cannot go on: the field, whatever it says; all creates on that side; "": only records with such a value."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the live schema would refuse. `field` and `attribute`: what it is about; None: none of them."""

    problem: Problem
    field: str | None = None
    attribute: str | None = None
    holds: Holds = ""


def check_schema(
    mapping: Compiled,
    side: Side,
    object: str,
    schema: SchemaLike,
    *,
    key: str | None = None,
    parents: Mapping[str, Compiled] | None = None,
) -> list[Problem]:
    """What the live `schema` of one form of one side would refuse. `key`: the attribute for syncd's own key, if the
    account is expected to have one. `parents`: the mappings by name, for what references may lead to."""
    found = [finding.problem for finding in findings(mapping, side, object, schema, parents)]
    if key is not None:
        found += check_key(mapping, side, object, schema, key)
    return found


def check_key(mapping: Compiled, side: Side, object: str, schema: SchemaLike, key: str) -> list[Problem]:
    """What is wrong with the attribute for syncd's own key: a weaker promise, and nothing that stops."""
    return list(_Live(mapping, side, object, schema, {}).key(key))


def check_newer(mapping: Compiled, side: Side, object: str, *, history: bool) -> list[Finding]:
    """Fields whose clashes are for the newer edit, where this side tells no time for each field: they would all wait
    for a person."""
    if history:
        return []
    said = f'clash = "newer" cannot be decided: {mapping.end(side).system} does not tell when each field of {object} changed'
    return [
        Finding(at_place(field.place, said, 'clash = "marketing", "crm" or "hold"'), field.name, name)
        for field in mapping.fields
        if field.clash == "newer" and field.flow == "both" and (name := field.asked(side, object)) is not None
    ]


def findings(
    mapping: Compiled, side: Side, object: str, schema: SchemaLike, parents: Mapping[str, Compiled] | None = None
) -> list[Finding]:
    """The same, each with what it is about and what it holds."""
    live = _Live(mapping, side, object, schema, parents or {})
    return [*(finding for field in mapping.fields for finding in live.field(field)), *live.required()]


@dataclass(frozen=True, slots=True)
class _Live:
    mapping: Compiled
    side: Side
    object: str
    schema: SchemaLike
    parents: Mapping[str, Compiled]

    def field(self, field: Field) -> Iterator[Finding]:
        name = field.asked(self.side, self.object)
        if name is None:
            return
        attribute = self.schema.attributes.get(name)
        if attribute is None:
            said = f"{self.object} has no attribute '{name}' that the sync user can see"
            yield Finding(at_place(field.place, said, self._missing(field, name)), field.name, name, "field")
            return
        for problem in self._type(field, attribute):
            yield Finding(problem, field.name, name, "field")
        yield from self._reference(field, attribute)
        if self._writes(field):
            yield from self._writing(field, attribute)
        elif self._words(field):
            yield from self._options(field, attribute)

    def _missing(self, field: Field, name: str) -> str:
        """What to do about it. Another field's attribute is never meant, nor a unique one (syncd's own key, most likely) but
        by what records are matched by; its kind is said where we write it."""
        used = {one.attribute(self.side, self.object) for one in self.mapping.fields}
        matched = any(field.name in rule.fields for rule in self.mapping.match)
        free = [one.name for one in self.schema.attributes.values() if one.name not in used]
        near = did_you_mean(name, [one for one in free if matched or not self.schema.attributes[one].unique])
        if not self._writes(field):
            return near or "create it there, or give the sync user access to it, or take the field out of the file"
        words = self._words(field)
        kind = (
            f"one of a list ({', '.join(words)})" if words else _called(field.type if field.type in _PLAIN else "text")
        )
        made = f"create it there as {kind}, and give the sync user access to it"
        return f"{near} If not, {made}" if near else made

    def _words(self, field: Field) -> tuple[str, ...]:
        """The words that may be written here, where they can be told: by a value map, or because the funnel says them."""
        mapped = field.targets.get(self.side, ())
        if mapped or field.type != "choice":
            return mapped
        return CHOICES.get(".".join(field.rolled.get(other(self.side), ())), ())

    def _writes(self, field: Field) -> bool:
        """Is the field ever written here? Not by a mapping that only pairs: it creates nothing and never updates."""
        update = self.mapping.update[self.side]
        pairs_only = self.mapping.create[self.side] is None and update is not None and update.text.strip() == "false"
        return field.writable(self.side) and not pairs_only

    def _type(self, field: Field, attribute: AttributeLike) -> Iterator[Problem]:
        fits = frozenset({"datetime"}) if self.side in field.moments else _WRITES[field.type]
        if not self._writes(field):
            fits = fits | _READS.get(field.type, frozenset())
        if attribute.type in fits or (field.type == "bool" and set(attribute.options) == {"true", "false"}):
            return
        said = (
            f"{self._where(attribute)} holds {_called(attribute.type)}, and '{field.name}' is of type \"{field.type}\""
        )
        if field.type == "date" and attribute.type == "datetime":
            yield at_place(field.place, said, f'name its calendar: zone = {{ {self.side} = "Europe/Berlin" }}')
            return
        near = {"text": "text", "reference": "owner", "other": "text"}.get(attribute.type, attribute.type)
        yield at_place(field.place, said, f'type = "{near}" fits it')

    def _reference(self, field: Field, attribute: AttributeLike) -> Iterator[Finding]:
        """One key or a list, and to records of the mapping that is followed."""
        reference = field.reference
        if reference is None or attribute.type not in ("reference", "references"):
            return
        where = self._where(attribute)
        if reference.many != (attribute.type == "references"):
            holds, mend = ("one key", "remove 'many'") if reference.many else ("a list of keys", "many = true")
            problem = at_place(reference.place, f"{where} holds {holds}", mend)
            yield Finding(problem, field.name, attribute.name, "field")
        parent = self.parents.get(reference.mapping)
        if parent is None or not attribute.refers:
            return
        pairs = reference.refers[self.side] or parent.end(self.side).forms
        fits = [form for form in pairs if form in attribute.refers]
        if not fits:
            said = f"{where} points to {', '.join(attribute.refers)}, and '{parent.name}' pairs {', '.join(pairs)}"
            problem = at_place(reference.place, said, "follow another mapping, or name another attribute")
            yield Finding(problem, field.name, attribute.name, "field")
        elif len(fits) < len(pairs) and field.writable(self.side):
            said = f"{where} cannot point to {', '.join(form for form in pairs if form not in fits)}"
            named = f'"{fits[0]}"' if len(fits) == 1 else "[" + ", ".join(f'"{form}"' for form in fits) + "]"
            problem = at_place(reference.place, said, f"refers = {{ {self.side} = {named} }}")
            yield Finding(problem, field.name, attribute.name)

    def _writing(self, field: Field, attribute: AttributeLike) -> Iterator[Finding]:
        where = self._where(attribute)
        if not (attribute.creatable if field.once else attribute.updatable):
            away = "to_marketing" if self.side == "crm" else "to_crm"
            problem = at_place(field.place, f"{where} is read-only", f'flow = "{away}", or name another attribute')
            yield Finding(problem, field.name, attribute.name, "field")
        if field.blank == "clear" and attribute.required:
            said = f"{where} is required, so it cannot be emptied"
            yield Finding(at_place(field.place, said, 'blank = "keep"'), field.name, attribute.name)
        if attribute.restricted and field.type == "text":
            said = f"{where} only takes listed values, and '{field.name}' may hold any text"
            yield Finding(at_place(field.place, said, 'type = "choice"'), field.name, attribute.name)
        yield from self._options(field, attribute)
        yield from self._length(field, attribute)

    def _options(self, field: Field, attribute: AttributeLike) -> Iterator[Finding]:
        if not attribute.restricted or not attribute.options:
            return
        lacking = [word for word in self._words(field) if word not in attribute.options]
        if lacking:
            near = did_you_mean(lacking[0], attribute.options) if len(lacking) == 1 else ""
            named = ", ".join(f"'{word}'" for word in lacking)
            problem = at_place(
                field.place,
                f"{self._where(attribute)} does not offer {named}",
                near or f"add it there, or change `values`; offered: {', '.join(attribute.options[:20])}",
            )
            yield Finding(problem, field.name, attribute.name)

    def _length(self, field: Field, attribute: AttributeLike) -> Iterator[Finding]:
        limit = attribute.length
        if not limit or field.type not in ("text", "choice"):
            return

        def finding(what: str, mend: str) -> Finding:
            return Finding(at_place(field.place, what, mend), field.name, attribute.name)

        where = f"{self._where(attribute)} holds {limit} characters"
        if field.truncate is not None and field.truncate > limit:
            yield finding(f"{where}, fewer than truncate = {field.truncate}", f"truncate = {limit}")
        elif field.truncate is None and field.type == "text" and field.flow != "both" and limit < SHORT_CHARS:
            yield finding(f"{where}, and longer texts would be refused", f"truncate = {limit}")
        for word in field.targets.get(self.side, ()):
            if len(word) > limit:
                yield finding(f"{where}, and '{word}' is longer", "choose a shorter value")

    def required(self) -> Iterator[Finding]:
        """Attributes that a create must have, where this mapping creates here."""
        end = self.mapping.end(self.side)
        if self.mapping.create[self.side] is None or self.object != end.object:
            return
        writers = {field.attribute(self.side, self.object): field for field in self.mapping.fields}
        for name, attribute in sorted(self.schema.attributes.items()):
            if not attribute.required:
                continue
            field = next((writers[one] for one in (name, *attribute.instead) if one in writers), None)
            if field is None or not field.writable(self.side):
                said = f"a create needs {self._where(attribute)}, and no field of the mapping writes it"
                problem = Problem(self.mapping.file, 1, 1, said, "map it, or give it a default in the system")
                yield Finding(problem, None, name, "creates")
            elif self.side not in field.defaults and not self._never_blank(field):
                said = f"a create needs {self._where(attribute)}, and '{field.name}' may be blank"
                mend = f"on_create = {{ {self.side} = '\"[not given]\"' }}"
                yield Finding(at_place(field.place, said, mend), field.name, name)

    def _never_blank(self, field: Field) -> bool:
        """Does a gate keep records out whose value is blank (it is false by that value alone), or does a create wait for
        whom the field points to?"""
        if field.reference is not None and field.reference.required:
            return True
        source: Side = "crm" if self.side == "marketing" else "marketing"
        blank = self.mapping.context(source, self.mapping.end(source).object, self._blank(field, source))
        gates = (self.mapping.scope[source], self.mapping.create[self.side])
        return any(gate is not None and field.name in gate.names and gate.holds(blank) is False for gate in gates)

    def _blank(self, field: Field, source: Side) -> dict[str, None]:
        name = field.attribute(source, self.mapping.end(source).object)
        return {} if name is None else {name: None}

    def key(self, key: str) -> Iterator[Problem]:
        """The attribute that makes creates happen at most once."""
        attribute = self.schema.attributes.get(key)
        file, system = self.mapping.file, self.mapping.end(self.side).system
        if attribute is None:
            said = f"{system} has no attribute '{key}' on {self.object}: a create that is cut off may be made twice"
            yield Problem(file, 0, 0, said, f"create a text field '{key}' there that takes only unique values")
        elif not attribute.unique or not attribute.creatable:
            lacks = "does not insist on unique values" if not attribute.unique else "cannot be written"
            said = f"{self._where(attribute)} {lacks}: a create that is cut off may be made twice"
            yield Problem(file, 0, 0, said, "change it, or name another field as the system's key in syncd.toml")
        for field in self.mapping.fields:
            if field.attribute(self.side, self.object) == key:
                said = f"'{key}' holds syncd's own key: '{field.name}' cannot use it"
                yield at_place(field.place, said, "name another attribute")

    def _where(self, attribute: AttributeLike) -> str:
        return f"{self.object}.{attribute.name}"


SHORT_CHARS: Final = 255
"""A text attribute shorter than this is short enough that ordinary values outgrow it."""


def _called(type_: str) -> str:
    return {
        "bool": "true or false",
        "datetime": "a date and time",
        "choice": "one of a list",
        "choices": "several of a list",
        "references": "a list of references",
    }.get(type_, f"a {type_}")
