"""By what records recognise each other, and who an unlinked one is on the other side.

Never the first one found: one candidate, or none, or a person decides. Of a record's forms the later one takes
precedence (a Contact over a Lead). A blank matches nothing, nor does what cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from syncd.core.domains import FREE_MAIL, spellings
from syncd.core.model import Bad, Side, Unmapped, Waits, other

if TYPE_CHECKING:
    from syncd.core.mapping import Field

MOST_VALUES = 50
"""Match values that a record may have under one rule; further ones of somebody with that many addresses count for
nothing."""

BETWEEN = "\x1f"
"""Stands between the parts of a match value whose rule has several fields."""


class Rule(msgspec.Struct, frozen=True):
    """One match rule: the fields that must all agree."""

    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rule in words, as people and the ledger know it."""
        return " and ".join(self.fields)

    def attributes(self, fields: Mapping[str, Field], side: Side, form: str) -> set[str]:
        """Everything that must be known of a record of that form to have its match values."""
        named = {fields[name].attribute(side, form) for name in self.fields}
        further = {attribute for name in self.fields for attribute in fields[name].further(side, form)}
        return further | {attribute for attribute in named if attribute is not None}

    def values(self, fields: Mapping[str, Field], side: Side, form: str, said: Mapping[str, Any]) -> list[str]:
        """The match values of a record, its own first, then further ones. None of them where a field is blank."""
        parts = [_telling(fields[name], side, form, said) for name in self.fields]
        if len(parts) == 1:
            return parts[0][:MOST_VALUES]
        return [BETWEEN.join(each) for each in product(*parts)][:MOST_VALUES]

    def refers(self, fields: Mapping[str, Field]) -> bool:
        """Are records recognised by whom they point to? Each side has its own keys for that."""
        return any(fields[name].reference is not None for name in self.fields)

    def values_across(self, fields: Mapping[str, Field], side: Side, form: str, said: Mapping[str, Any]) -> list[str]:
        """A record's match values as a record of the other side would have them. `fields` are bound to what the record
        refers to: what has no link yet has no value there."""
        parts = [_telling(fields[name], side, form, said, across=True) for name in self.fields]
        return [BETWEEN.join(each) for each in product(*parts)][:MOST_VALUES]

    def looked_up(self, fields: Mapping[str, Field], value: str) -> tuple[str, ...]:
        """How the first field's part of a match value may be written: what a system is asked for."""
        first = value.partition(BETWEEN)[0]
        if fields[self.fields[0]].reference is not None:
            return (first.partition(":")[2],)
        return spellings(first) if fields[self.fields[0]].type == "domain" else (first,)


def further(field: Field, side: Side, names: Iterable[str], said: Mapping[str, Any]) -> list[Any]:
    """The raw further values that a record holds in these attributes: a list, or a text with semicolons."""
    raws: list[Any] = []
    for name in names:
        more = said.get(name)
        raws += more if isinstance(more, list) else str(more or "").split(";")
    return raws


def _telling(field: Field, side: Side, form: str, said: Mapping[str, Any], *, across: bool = False) -> list[str]:
    """What a record is recognised by in one field: its value and its further ones. A reference is a key of its side:
    `across` gives that of the record on the other side that it is linked to."""
    attribute = field.attribute(side, form)
    if field.reference is not None:
        raw = None if attribute is None else said.get(attribute)
        key = field.render(other(side), raw, None) if across else field.canonical(side, raw)
        if across:
            return [f"{other(side)}:{key}"] if isinstance(key, str) else []
        return [f"{side}:{key.key}"] if isinstance(key, Waits) else []
    raws = [] if attribute is None else [said.get(attribute)]
    found: dict[str, None] = {}
    for raw in (*raws, *further(field, side, field.further(side, form), said)):
        value = None if raw is None else field.canonical(side, raw)
        if value is None or isinstance(value, (Unmapped, Bad)):
            continue
        # Everybody has an address at a mail provider: it tells no company from another.
        if field.type != "domain" or value not in FREE_MAIL:
            found.setdefault(str(value).casefold())
    return list(found)


class Held(msgspec.Struct, frozen=True, gc=False):
    """A candidate: a live record that holds the match value. `rank`: 0 for the first form, rising for later forms."""

    object: int
    key: str
    rank: int
    link: int | None


class Pick(msgspec.Struct, frozen=True, gc=False):
    """The decision. `one`: link them; `none`: no partner; `several`, `taken`: a person decides; `shadow`: the record
    is an earlier form of somebody who is linked already through the later form, and takes no part."""

    kind: Literal["one", "none", "several", "taken", "shadow"]
    partner: Held | None = None


def pick(own: Sequence[Held], across: Sequence[Held], record: tuple[int, str]) -> Pick:
    """Decides for `record` (object, key).

    `own`: the live records of its own side that hold the same match value, itself included; `across`: the other
    side's.
    """
    mine = next((held for held in own if (held.object, held.key) == record), None)
    rank = mine.rank if mine else 0
    later = [held for held in own if held.rank > rank]
    if later:
        return Pick("shadow")
    twins = [held for held in own if held.rank == rank and (held.object, held.key) != record]
    best = max((held.rank for held in across), default=0)
    favoured = [held for held in across if held.rank == best]
    if not favoured:
        return Pick("several") if any(twin.link is None for twin in twins) else Pick("none")
    if len(favoured) > 1:
        return Pick("several")
    partner = favoured[0]
    if partner.link is not None:
        return Pick("taken", partner)
    if twins:
        return Pick("several", partner)
    return Pick("one", partner)
