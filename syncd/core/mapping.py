"""A mapping, compiled: which fields pair up, how their values compare, cross and gate.

Promise: frozen; every method is pure and total (trouble with a value is `Bad` or `Unmapped`, never an exception).
It does not decide anything: what a difference means is `merge`, what follows from it is `plan`.
It is made by `compile.compile_mapping`, which reads the file and proves that values settle.
"""

from __future__ import annotations

import dataclasses
from collections import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from syncd.core.expr import Gate, Unknown
from syncd.core.match import Rule
from syncd.core.model import UNSEEN, Bad, Canonical, Lookup, Neutral, Owners, Side, Unmapped, Waits

if TYPE_CHECKING:
    from syncd.core.rollup import Rollup

__all__ = ["Answers", "Codec", "Default", "End", "Field", "Gate", "Mapping", "Promotion", "Reference", "Unknown"]

Flow = Literal["both", "to_crm", "to_marketing", "none"]
Policy = Literal["marketing", "crm", "newer", "hold", "stricter"]
Meet = Literal["fill", "marketing", "crm", "hold"]

FUNNEL_SAYS = frozenset({"funnel", "clock"})
"""What the names begin with, before the dot, of what the funnel says of a person. No mapping may be called so."""


@dataclass(frozen=True, slots=True)
class End:
    """One side of a mapping. `forms` are the objects a record can be there, first the one that is created."""

    side: Side
    system: str
    object: str
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Codec:
    """How one side of a field reads and writes: closures, compiled once."""

    canonical: abc.Callable[[Any], Canonical]
    """raw -> what it compares by"""
    render: abc.Callable[[Any, Any], Neutral | Unmapped | Bad | Waits]
    """(raw of the other side, current raw here) -> what to write here"""
    context: abc.Callable[[Any], Any]
    """raw -> what an expression sees, or UNSEEN"""
    stands_in: abc.Callable[[Any], bool] = lambda raw: False
    """raw -> whether it compares as somebody else, because it has no counterpart of its own"""


@dataclass(frozen=True, slots=True)
class Default:
    """An `on_create` rule: an expression, and where it stands."""

    text: str
    place: str
    evaluate: abc.Callable[[abc.Mapping[str, Any]], Any]
    """context -> value in marketing's words, or `Unknown`"""


@dataclass(frozen=True, slots=True)
class Reference:
    """What makes a field a reference: its values are keys of records that another mapping links."""

    mapping: str
    """The mapping whose links it follows."""
    place: str
    """Where `link` is written: `people.toml:14:8`."""
    many: bool
    """A list of keys, compared as a set."""
    required: bool
    """A create waits until there is something to refer to."""
    refers: abc.Mapping[Side, tuple[str, ...]]
    """The objects that a key may be of on each side. Empty: every form that the other mapping has there."""
    codecs: abc.Callable[[Lookup | None], tuple[Codec, Codec]]
    """Makes the field's codecs, once it is known what a batch refers to."""
    lookup: Lookup | None = None
    """What the field's codecs are bound to."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the same thing under two names."""

    name: str
    type: str
    flow: Flow
    clash: Policy
    meet: Meet
    blank: Literal["keep", "clear"]
    other: Literal["keep", "hold"]
    """What a value without counterpart (`Unmapped`) does: leave the other side alone, or wait for a person."""
    backward: Literal["ignore", "clear_then_set"]
    once: bool
    """Written when a record is created, and never over what stands there."""
    steps: Literal["any", "forward", "ask"]
    """forward: a value is written only over one that is listed before it in the value map; ask: what is listed behind it
    is left to a person."""
    truncate: int | None
    history: bool
    """Each change is kept as an event, for reports."""
    place: str
    """Where it is declared: `people.toml:14:1`."""
    names: abc.Mapping[Side, abc.Mapping[str, str]]
    """Attribute by side and form."""
    codecs: tuple[Codec, Codec]
    """Marketing's, the CRM's."""
    rolled: abc.Mapping[Side, tuple[str, str]] = dataclasses.field(default_factory=dict)
    """On this side it is no attribute but a roll-up: (mapping, roll-up), called `mapping.rollup`; or what the funnel tells:
    `funnel.outcome`, `clock.due`."""
    also: abc.Mapping[Side, abc.Mapping[str, tuple[str, ...]]] = dataclasses.field(default_factory=dict)
    """Attributes with further values to match by, by side and form: read, never written."""
    defaults: abc.Mapping[Side, Default] = dataclasses.field(default_factory=dict)
    values: abc.Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The value map as written: marketing's value -> the CRM's. Empty: none."""
    alike: abc.Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further words of the CRM's -> the one in `values` that means the same."""
    moments: frozenset[Side] = frozenset()
    """Of a `date`: the sides that keep it as a point in time."""
    targets: abc.Mapping[Side, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """The choices that may be written on each side, where a value map names them."""
    binder: abc.Callable[[abc.Mapping[Side, Owners]], tuple[Codec, Codec]] | None = None
    """Makes the codecs of an owner field once both directories are known."""
    reference: Reference | None = None
    """Set where values are keys of other records (`link`)."""

    def attribute(self, side: Side, object: str) -> str | None:
        """Its name on that form; None: that form has no such attribute (the value is unasked, never blank)."""
        return self.names[side].get(object)

    def further(self, side: Side, object: str) -> tuple[str, ...]:
        """The attributes of that form that hold further values of this field."""
        return self.also[side].get(object, ()) if self.also else ()

    def asked(self, side: Side, object: str) -> str | None:
        """The attribute that is read from the system for it: none for a roll-up."""
        return None if side in self.rolled else self.attribute(side, object)

    def writable(self, side: Side) -> bool:
        """Does the field flow towards this side?"""
        return self.flow == "both" or self.flow == ("to_crm" if side == "crm" else "to_marketing")

    def canonical(self, side: Side, raw: Any) -> Canonical:
        """What a raw value compares by. With a value map both sides compare in the CRM's words."""
        return self.codecs[side == "crm"].canonical(raw)

    def render(self, side: Side, source: Any, current: Any) -> Neutral | Unmapped | Bad | Waits:
        """The value to write on `side`, from the other side's raw value and the raw value that stands there now.

        Where several values of marketing mean one of the CRM's, the current one is kept if it means the same, else
        the first listed is taken. Blank gives None: whether a blank may overwrite is the caller's rule (`blank`).
        """
        return self.codecs[side == "crm"].render(source, current)

    def stands_in(self, side: Side, raw: Any) -> bool:
        """Whether a raw value compares as a substitute, for want of a counterpart of its own."""
        return self.codecs[side == "crm"].stands_in(raw)

    def context(self, side: Side, raw: Any) -> Any:
        """What an expression sees: marketing's words on both sides. Blank text is ""; a blank number, date or truth,
        and anything that cannot be read, is UNSEEN and must be left out of the context."""
        return self.codecs[side == "crm"].context(raw)

    def on_create(self, context: abc.Mapping[str, Any], side: Side = "crm") -> Neutral:
        """The value to create with on `side` when the source is blank; None if the file gives none (or it cannot
        be known)."""
        default = self.defaults.get(side)
        if default is None:
            return None
        value = default.evaluate(context)
        if isinstance(value, Unknown):
            return None
        if side == "crm":
            value = self.render("crm", value, None)
        return None if isinstance(value, (Unmapped, Bad, Waits)) else value

    def waiting(self, side: Side, raw: Any) -> tuple[Waits, ...]:
        """The keys in a reference's raw value that have no live link yet. Other fields never wait."""
        reference = self.reference
        if reference is None or raw is None:
            return ()
        links = reference.lookup.link_by_key[side] if reference.lookup is not None else {}
        return tuple(Waits(side, key) for key in keys_of(raw) if key not in links)

    def settled(self, side: Side, raw: Any) -> Any:
        """What a base keeps of a raw value: all of it, but of a list of references only what has a link, so that the
        rest counts as an edit once it has one."""
        if self.reference is None or not self.reference.many or self.reference.lookup is None:
            return raw
        links = self.reference.lookup.link_by_key[side]
        return [key for key in keys_of(raw) if key in links] or None


def keys_of(raw: Any) -> list[str]:
    """The keys that a raw value of a reference names: text, a list of texts, or nothing. What is blank or cannot be read
    names none."""
    found = raw if isinstance(raw, (list, tuple)) else [raw]
    return [key for key in (str(each).strip() for each in found if isinstance(each, (str, int))) if key]


@dataclass(frozen=True, slots=True)
class Answers:
    """What makes a member of a campaign one who answered: marketing's watches see it, and no attribute tells."""

    attribute: str
    """The name that it has among the attributes of marketing's memberships: `NO` or `YES`."""
    person: str
    """The field that points to the person."""
    list: str
    """The field with the list's name."""
    watches: abc.Mapping[str, tuple[str, abc.Mapping[str, tuple[str, ...]]]]
    """By watch: its field that says which, and by list (lower case) what that field holds or ends in."""
    place: str

    NO: ClassVar[str] = "joined"
    YES: ClassVar[str] = "answered"

    def meets(self, watch: str, named: str, said: abc.Mapping[str, Any]) -> bool:
        """Whether what a watch saw answers the campaign of the list of that name."""
        if watch not in self.watches:
            return False
        field, lists = self.watches[watch]
        told, named = str(said.get(field) or "").casefold(), named.casefold()
        return any(told.endswith(one.casefold()) for one in lists.get(named, (named,)) if one)


@dataclass(frozen=True, slots=True)
class Promotion:
    """When sales' record may be moved from marketing's stages into sales'."""

    field: str
    """The field with the stage."""
    stages: frozenset[str]
    """Those that sales owns, in marketing's words."""
    gate: Gate


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, compiled."""

    name: str
    digest: str
    """SHA-256 of the text, hexadecimal."""
    file: str
    text: str
    kind: Literal["mapping"]
    marketing: End
    crm: End
    match: tuple[Rule, ...]
    """In the order they are tried."""
    several: Literal["hold"]
    scope: abc.Mapping[Side, Gate | None]
    """Which records take part. None: all."""
    left: Literal["keep", "unlink"]
    create: abc.Mapping[Side, Gate | None]
    """When to create *on* that side a record that only the other has (its context is the other side's record).
    None: never."""
    update: abc.Mapping[Side, Gate | None]
    """When to update on that side, seen from the other side's record. None: always."""
    gone: abc.Mapping[Side, Literal["unlink", "archive", "ignore"]]
    fields: tuple[Field, ...]
    promotion: Promotion | None = None
    rollups: tuple[Rollup, ...] = ()
    """What these records come to for those that they point to."""
    answers: Answers | None = None
    """Of memberships: what makes a status, beside any attribute."""

    @property
    def ends(self) -> tuple[End, ...]:
        """Both sides: marketing's, the CRM's."""
        return (self.marketing, self.crm)

    def end(self, side: Side) -> End:
        """That side's system, object and forms."""
        return self.crm if side == "crm" else self.marketing

    @property
    def references(self) -> tuple[Field, ...]:
        """The fields that point to records of other mappings."""
        return tuple(field for field in self.fields if field.reference is not None)

    def field(self, name: str) -> Field:
        """The field of that name (KeyError if there is none)."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def attributes(self, side: Side, object: str) -> tuple[str, ...]:
        """Every attribute that is needed from that form, sorted: what is mapped, matched by and gated by."""
        named = {name for field in self.fields for name in field.further(side, object)}
        named.update(name for field in self.fields if (name := field.asked(side, object)) is not None)
        return tuple(sorted(named))

    def rolled(self, side: Side, object: str) -> tuple[str, ...]:
        """The roll-ups that stand among that form's attributes, though its system knows none of them."""
        named = (field.attribute(side, object) for field in self.fields if side in field.rolled)
        return tuple(sorted({name for name in named if name is not None}))

    def bind(self, owners: abc.Mapping[Side, Owners]) -> Mapping:
        """The same mapping with owners resolved by e-mail. Until then, and for a side that is not given, every owner
        is `Unmapped`."""

        def bound(field: Field) -> Field:
            return dataclasses.replace(field, codecs=field.binder(owners)) if field.binder else field

        return dataclasses.replace(self, fields=tuple(map(bound, self.fields)))

    def knowing(self, lookups: abc.Mapping[str, Lookup]) -> Mapping:
        """The same mapping with its references bound to what one batch refers to, by field name."""

        def bound(field: Field) -> Field:
            lookup = lookups.get(field.name)
            if field.reference is None or lookup is None:
                return field
            reference = dataclasses.replace(field.reference, lookup=lookup)
            return dataclasses.replace(field, codecs=reference.codecs(lookup), reference=reference)

        return dataclasses.replace(self, fields=tuple(map(bound, self.fields)))

    def context(
        self,
        side: Side,
        object: str,
        attributes: abc.Mapping[str, Any],
        names: abc.Container[str] | None = None,
    ) -> dict[str, Any]:
        """What expressions see of a record: field name -> value. Whatever is absent, or unseen, stays absent.

        `names`: only these fields, because the expression looks at no other.
        """
        seen: dict[str, Any] = {}
        for field in self.fields:
            if names is not None and field.name not in names:
                continue
            name = field.attribute(side, object)
            if name is None or name not in attributes:
                continue
            value = field.context(side, attributes[name])
            if value is not UNSEEN:
                seen[field.name] = value
        return seen
