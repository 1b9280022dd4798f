"""What a store knows about an object before it holds a record: attributes, traits, and how it treats values.

Its one promise: `Kind.admit` is the only place that decides whether a value may enter and how it is bent on the way.
It knows no record, no stamp and no writer; those are the store's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.connector import Attribute, ObjectTraits

Bend = Callable[[Any], Any]

BENDS: Mapping[str, Bend] = {
    "trim": lambda value: value.strip(),
    "lower": lambda value: value.lower(),
    "digits": lambda value: re.sub(r"[^\d+]", "", value),
    "whole": lambda value: round(value),
    "sorted": lambda value: sorted(value),
}
"""What a system may do to a value that is not blank, by the word that asks for it in an attribute's description."""

TYPES = ("text", "number", "bool", "date", "datetime", "choice", "choices", "reference", "references", "other")
FLAGS = ("required", "unique", "restricted", "calculated", "read-only", "create-only")
DESCRIPTION = re.compile(r"(?P<type>\w+)(?P<words>[^()]*)(?:\((?P<options>.*)\))?\s*")


class Refusal(Exception):
    """The store says no, and why. Acting as a person, it is raised; on the wire it becomes a *refused* outcome."""

    def __init__(self, code: str, message: str, culprits: Iterable[str] = (), existing: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.culprits = tuple(culprits)
        self.existing = existing


@dataclass(frozen=True, slots=True)
class Kind:
    """One object of a store."""

    name: str
    attributes: Mapping[str, Attribute]
    traits: ObjectTraits
    bend: Mapping[str, Bend] = field(default_factory=dict)
    """What the system does to a value, by attribute: the value that is stored is not the one that was sent."""
    ignored: frozenset[str] = frozenset()
    """Attributes whose writes are answered as done and do nothing."""
    unreadable: frozenset[str] = frozenset()
    """Attributes that these credentials may not see: neither described nor read."""
    forward: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attributes that only move forward through these values; a write backward is answered as done and does
    nothing, unless the attribute is blank (HubSpot's lifecycle stage)."""
    along: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """Attributes whose change sets another one to that value, unless the same edit says it (HubSpot's deal stage)."""
    becomes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each later form, its attribute for each of ours. Names that are missing here carry over unchanged."""
    merge_makes_new: bool = False
    """A merge ends in a third, new record (HubSpot's contacts) instead of in the winner."""
    quiet_when_same: bool = False
    """A write that changes nothing moves no stamp."""

    @classmethod
    def of(cls, name: str, /, *, traits: ObjectTraits | None = None, **attributes: str) -> Kind:
        """A kind from one line an attribute: `email="text unique lower length=80"`, `rating="choice restricted (Hot,
        Cold)"`. Words: a type, then any of the flags, `length=N` and the names of bends; in brackets its options, or the
        objects that a reference may point to: `company="reference (companies)"`."""
        described = {key: describe_attribute(key, line) for key, line in attributes.items()}
        return cls(
            name,
            {key: attribute for key, (attribute, _) in described.items()},
            traits or ObjectTraits(feed="log", deletions="feed"),
            bend={key: bend for key, (_, bend) in described.items() if bend},
        )

    def having(self, **changes: Any) -> Kind:
        """The same kind with other settings; those that `ObjectTraits` knows change the traits."""
        known = {key: changes.pop(key) for key in list(changes) if key in ObjectTraits.__dataclass_fields__}
        return replace(self, traits=replace(self.traits, **known), **changes)

    def admit(self, name: str, value: Any, *, creating: bool, by_api: bool) -> Any:
        """The value as it would be stored; raises `Refusal` naming the attribute. Blank text is None."""
        attribute = self.attributes.get(name)
        if attribute is None or (by_api and name in self.unreadable):
            raise Refusal("NO_SUCH_ATTRIBUTE", f"{self.name} has no attribute {name}", [name])
        if by_api and not (attribute.creatable if creating else attribute.updatable):
            raise Refusal("READ_ONLY", f"{name} cannot be written", [name])
        if value is None or value == "" or value == []:
            return None
        if not _fits_type(attribute, value):
            raise Refusal("WRONG_TYPE", f"{name} takes a {attribute.type}", [name])
        bent = self.bend[name](value) if name in self.bend else value
        if attribute.length and isinstance(bent, str) and len(bent) > attribute.length:
            raise Refusal("TOO_LONG", f"{name} holds at most {attribute.length} characters", [name])
        chosen = bent if isinstance(bent, list) else [bent]
        if attribute.restricted and not set(chosen) <= set(attribute.options):
            raise Refusal("NOT_AN_OPTION", f"{name} has no such option", [name])
        return None if bent == "" or bent == [] else bent

    def takes(self, name: str, before: Any, after: Any) -> bool:
        """Whether a write that is answered as done really changes the attribute."""
        if name in self.ignored:
            return False
        steps = self.forward.get(name)
        if steps and before in steps and after in steps:
            return steps.index(after) >= steps.index(before)
        return True


def describe_attribute(name: str, line: str) -> tuple[Attribute, Bend | None]:
    """Reads one attribute's description (see `Kind.of`); raises ValueError saying what is wrong with it."""
    found = DESCRIPTION.fullmatch(line)
    if not found or found["type"] not in TYPES:
        raise ValueError(f"{name}: {line!r} does not begin with one of {', '.join(TYPES)}")
    words = found["words"].split()
    lengths = [word for word in words if word.startswith("length=")]
    unknown = [word for word in words if word not in FLAGS and word not in BENDS and word not in lengths]
    if unknown:
        raise ValueError(f"{name}: {unknown[0]!r} is none of {', '.join([*FLAGS, 'length=N', *BENDS])}")
    fixed = "calculated" in words or "read-only" in words
    listed = tuple(option.strip() for option in (found["options"] or "").split(",") if option.strip())
    refers = found["type"] in ("reference", "references")
    attribute = Attribute(
        name,
        found["type"],  # type: ignore[arg-type]  # one of TYPES, checked above
        label=name.replace("_", " ").capitalize(),
        length=int(lengths[0].partition("=")[2]) if lengths else 0,
        creatable=not fixed,
        updatable=not fixed and "create-only" not in words,
        required="required" in words,
        unique="unique" in words,
        restricted="restricted" in words,
        options=() if refers else listed,
        refers=listed if refers else (),
        calculated="calculated" in words,
    )
    bends = [BENDS[word] for word in words if word in BENDS]
    if attribute.type == "references":
        bends.append(lambda value: sorted(set(value)))
    return attribute, _in_turn(bends) if bends else None


def _in_turn(bends: list[Bend]) -> Bend:
    def bend(value: Any) -> Any:
        for each in bends:
            value = each(value)
        return value

    return bend


def _fits_type(attribute: Attribute, value: Any) -> bool:
    match attribute.type:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "choices" | "references":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case "other":
            return True
        case _:
            return isinstance(value, str)
