"""Roll-ups: what a record's children come to, as if it were an attribute of the record itself.

A mapping declares a roll-up over one of its references (`[rollups.outcome] over = "contacts"`); another mapping uses it
in the place of an attribute (`crm = "deals.outcome"`). Promise: pure arithmetic over the children it is given; what
cannot be known (two currencies in one sum, an amount that cannot be read) is `UNASKED`, never a guess and never blank.
It gathers nothing, and writes nothing: a roll-up only flows away from the side that it is made on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from syncd.core.expr import Gate
from syncd.core.mapping import Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.merge import UNASKED
from syncd.core.model import Bad, Side, Unmapped
from syncd.core.problem import Problem
from syncd.core.together import at_place
from syncd.core.toml import Document, did_you_mean

if TYPE_CHECKING:
    from syncd.core.mappingfile import RollupPart

Take = Literal["latest", "first", "sum", "count"]
_TIMES: Final = ("date", "datetime")
_POINTS: Final = ("reference",)
_WORDS: Final = frozenset({"text", "choice"})
"""Types that can be used in each other's place."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """What a mapping's records come to for the records that they point to."""

    name: str
    over: str
    """The reference field whose targets are the parents."""
    take: Take
    of: str | None
    by: str | None
    currency: str | None
    when: Gate | None
    place: str


class Child(msgspec.Struct, frozen=True, gc=False):
    """A record that points to the parent."""

    form: str
    key: str
    attributes: Mapping[str, Any]


def field_of(mapping: Compiled, name: str | None) -> Field | None:
    """A mapping's field of that name."""
    return next((field for field in mapping.fields if field.name == name), None)


def needed(mapping: Compiled, rollup: Rollup, side: Side, form: str) -> frozenset[str]:
    """The attributes of a child that this roll-up is made of: another one that cannot be read does not concern it."""
    fields = {rollup.over, rollup.of, rollup.by, rollup.currency} | (rollup.when.names if rollup.when else frozenset())
    names = (field.attribute(side, form) for field in mapping.fields if field.name in fields)
    return frozenset(name for name in names if name is not None)


def roll(mapping: Compiled, rollup: Rollup, side: Side, children: Iterable[Child]) -> Any:
    """What these children come to, as a raw value of `side`; None where none counts, UNASKED where it cannot be
    known. A child counts if it meets the rule: unknown does not."""
    counted = [
        child
        for child in children
        if rollup.when is None
        or rollup.when.holds(mapping.context(side, child.form, child.attributes, rollup.when.names)) is True
    ]
    if not counted:
        return None
    if rollup.take == "count":
        return len(counted)
    if rollup.take == "sum":
        return _sum(mapping, rollup, side, counted)
    chosen = (max if rollup.take == "latest" else min)(counted, key=_order(mapping, rollup, side))
    return _raw(mapping, rollup.of, side, chosen)


def _raw(mapping: Compiled, name: str | None, side: Side, child: Child) -> Any:
    field = field_of(mapping, name)
    attribute = None if field is None else field.attribute(side, child.form)
    return UNASKED if attribute is None else child.attributes.get(attribute, UNASKED)


def _canonical(mapping: Compiled, name: str | None, side: Side, child: Child) -> Any:
    field, raw = field_of(mapping, name), _raw(mapping, name, side, child)
    return UNASKED if field is None or raw is UNASKED else field.canonical(side, raw)


def _order(mapping: Compiled, rollup: Rollup, side: Side) -> Callable[[Child], tuple[bool, Any, str]]:
    """By time; a child without one is never taken before a child that has one; of a tie always the same is taken."""
    last = rollup.take == "latest"

    def order(child: Child) -> tuple[bool, Any, str]:
        at = _canonical(mapping, rollup.by, side, child)
        known = at is not None and at is not UNASKED and not isinstance(at, (Bad, Unmapped))
        return (known is last, at if known else 0, child.key)

    return order


def _sum(mapping: Compiled, rollup: Rollup, side: Side, children: Sequence[Child]) -> Any:
    total = Decimal(0)
    currencies = set()
    for child in children:
        amount = _canonical(mapping, rollup.of, side, child)
        if amount is UNASKED or isinstance(amount, (Bad, Unmapped)):
            return UNASKED
        if amount is None:
            continue
        total += amount
        if rollup.currency is not None:
            currency = _canonical(mapping, rollup.currency, side, child)
            currencies.add(None if currency is UNASKED or isinstance(currency, (Bad, Unmapped)) else currency)
    field = field_of(mapping, rollup.of)
    if len(currencies) > 1 or field is None:
        return UNASKED
    said = field.render(side, str(total), None)
    return UNASKED if isinstance(said, (Bad, Unmapped)) else said


# ---------------------------------------------------------------- from the file


def compile_rollups(
    document: Document,
    parts: Mapping[str, RollupPart],
    fields: Sequence[Field],
    gate: Callable[[tuple[str, str, str], str | None], Gate | None],
) -> tuple[tuple[Rollup, ...], list[Problem]]:
    """The roll-ups that a file declares, and what is wrong with them. `gate` compiles a rule at its place."""
    known = {field.name: field for field in fields}
    found: list[Problem] = []
    made = []
    for name, part in parts.items():
        before = len(found)
        found += _check(document, name, part, known)
        when = gate(("rollups", name, "when"), part.when)
        if len(found) == before:
            line, column = document.where_key(("rollups", name))
            place = f"{document.file}:{line}:{column}"
            made.append(Rollup(name, part.over, part.take, part.of, part.by, part.currency, when, place))
    return tuple(made), found


def _check(document: Document, name: str, part: RollupPart, fields: Mapping[str, Field]) -> Iterator[Problem]:
    def say(key: str, what: str, mend: str = "") -> Problem:
        return document.problem(("rollups", name, *([key] if key else [])), what, mend)

    wants = {
        "over": _POINTS,
        "of": ("number",) if part.take == "sum" else None,
        "by": _TIMES,
        "currency": (*_WORDS,),
    }
    needs = {"latest": {"of", "by"}, "first": {"of", "by"}, "sum": {"of"}, "count": set()}[part.take]
    may = needs | {"over", *(["currency"] if part.take == "sum" else [])}
    for key in needs:
        if getattr(part, key) is None:
            yield say("", f"'{part.take}' needs '{key}'", f'add: {key} = "a field of this mapping"')
    for key, types in wants.items():
        given = getattr(part, key)
        if given is None:
            continue
        field = fields.get(given)
        if key not in may:
            yield say(key, f"'{key}' does not go with take = \"{part.take}\"", "remove it")
        elif field is None:
            yield say(key, f"there is no field '{given}'", did_you_mean(given, fields) or "declare it under [fields]")
        elif types is not None and field.type not in types:
            wanted = " or ".join(f'"{one}"' for one in sorted(types))
            yield say(key, f"'{given}' is of type \"{field.type}\", and {wanted} is needed")


# ---------------------------------------------------------------- together with the mappings that use it


def type_of(mapping: Compiled, rollup: Rollup) -> str:
    """What kind of value it gives."""
    field = field_of(mapping, rollup.of)
    return "number" if rollup.take in ("sum", "count") or field is None else field.type


def check_rollups(mappings: Mapping[str, Compiled]) -> Iterator[Problem]:
    """What is wrong with the use of roll-ups. One whose mapping is not there (its file is not valid) is not told: its
    value is unasked meanwhile."""
    for mapping in mappings.values():
        for field in mapping.fields:
            for side, (of, name) in field.rolled.items():
                child = mappings.get(of)
                if child is None:
                    continue
                rollup = next((one for one in child.rollups if one.name == name), None)
                if rollup is None:
                    known = [one.name for one in child.rollups]
                    mend = did_you_mean(name, known) or f"it has: {', '.join(known) or 'none'}"
                    yield at_place(field.place, f"'{of}' has no roll-up '{name}'", mend)
                    continue
                yield from _fits(mapping, field, side, child, rollup)


def _fits(mapping: Compiled, field: Field, side: Side, child: Compiled, rollup: Rollup) -> Iterator[Problem]:
    over = field_of(child, rollup.over)
    said = f"'{child.name}.{rollup.name}'"
    points_to = over.reference.mapping if over is not None and over.reference is not None else mapping.name
    if over is not None and points_to != mapping.name:
        yield at_place(field.place, f"{said} is over '{over.name}', which points to '{points_to}', not to this mapping")
    elif over is not None and not over.names[side]:
        yield at_place(field.place, f"{said} is over '{over.name}', which has no attribute on {side}")
    given = type_of(child, rollup)
    if given != field.type and not {given, field.type} <= _WORDS:
        mend = f'type = "{given}"'
        yield at_place(field.place, f"{said} gives {given}, and '{field.name}' is of type \"{field.type}\"", mend)
