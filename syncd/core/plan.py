"""From verdicts to effects: what would be written, on which side, in which lane, and what settles without a write.

Pure: it is given everything, and returns data that can be printed, held, compared and replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from typing import Any

import msgspec

from syncd.core.mapping import Field, Mapping
from syncd.core.merge import UNASKED, Pair, Verdict, base_key, merge
from syncd.core.model import SIDES, Bad, Side, Unmapped, Waits, other

SCOPE = ":scope"
"""In a base: the scope rule that held when it was settled. While the rule is the same and none of its fields moved, it
need not be asked again."""

GIVEN_BACK = ":given_back"
"""Among the attributes of marketing's record: sales gave them back, and they may not be handed over again yet."""

Lane = str
"""`urgent` (hand-offs and opt-outs), `normal`, `backfill`."""


class Change(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One field of an effect."""

    field: str
    attribute: str
    before: Any
    after: Any
    why: str
    source: str | None = None
    """The attribute on the other side that this came from."""
    decided: Any = None
    """That attribute's value when it was decided: what the other side's base becomes."""
    lost: bool = False
    """`before` is somebody's own edit that this overrides: kept as a loser once it is sent."""
    restores: bool = False
    """`after` is somebody's edit that an earlier write of ours covered; it counts as theirs once it stands again."""


class End(msgspec.Struct, frozen=True, gc=False):
    """One record of a link as it is decided on."""

    object: int
    form: str
    key: str
    stamp_ms: int
    attributes: Map[str, Any]
    base: Map[str, Any]
    stamped: bool


class Planned(msgspec.Struct, frozen=True, gc=False):
    """An effect with its reasons."""

    side: Side
    object: int
    key: str | None
    source: tuple[int, str]
    op: str
    lane: Lane
    unique: str | None
    expect_ms: int | None
    changes: list[Change]
    decided: dict[str, Any] | None = None
    """Creates: every field value of the source that was decided on, by base key."""
    waits: tuple[Waits, ...] = ()
    """Creates: references that it goes without, because they have no link yet."""
    untold: tuple[tuple[str, str, str], ...] = ()
    """Creates: (field, kind of issue, why) of what the source says and the new record cannot."""
    along: list[Change] = []
    """Fields that are said as they stand, because the system may set them by itself with one of the changes."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What was decided on one link."""

    effects: list[Planned]
    settled: dict[Side, dict[str, Any]]
    """Whole new bases, of the sides whose base moves now."""
    verdicts: list[Verdict]
    left_scope: bool = False

    @property
    def leaves_open(self) -> bool:
        """Something neither settles nor is written: a person is asked, a gate is shut, or it left the scope."""
        open_ = sum(not verdict.settles for verdict in self.verdicts)
        return open_ > sum(len(effect.changes) for effect in self.effects)


KeyOf = Callable[[Side, int, str], str]
"""(side, object, key) of a record -> syncd's key for it."""

Moves = Map[Side, Map[str, tuple[str, ...]]]
"""By side and attribute, the others that its system may set by itself with it (a connector's trait)."""


def decide(
    mapping: Mapping,
    paired: tuple[Pair, ...],
    ends: Map[Side, End],
    key_of: KeyOf,
    lane: Lane = "normal",
    moves: Moves | None = None,
) -> Decision:
    """Decides one link. Effects carry everything that is needed to send them and to settle them later."""
    m, c = ends["marketing"], ends["crm"]
    verdicts = merge(paired, m.attributes, c.attributes, m.base, c.base)
    if not verdicts:
        return Decision([], {}, verdicts)
    if not _in_scope(mapping, ends, verdicts):
        return Decision([], {}, verdicts, left_scope=True)
    settled: dict[Side, dict[str, Any]] = {}
    changes: dict[Side, list[Change]] = {}
    urgent: set[Side] = set()
    for verdict in verdicts:
        pair, to = verdict.pair, verdict.to
        if to is None:
            if verdict.settles:
                for side in SIDES:
                    base = settled.get(side)
                    if base is None:
                        base = settled[side] = dict(ends[side].base)
                    base[pair.base(side)] = pair.field.settled(side, ends[side].attributes[pair.attribute(side)])
            continue
        if not _update_allowed(mapping, to, ends) or _not_promoted(mapping, verdict, ends["marketing"]):
            continue
        changes.setdefault(to, []).append(
            Change(
                pair.field.name,
                pair.attribute(to),
                verdict.before,
                verdict.after,
                verdict.why,
                pair.attribute(other(to)),
                verdict.decided,
                verdict.lost is not None,
            )
        )
        if pair.field.clash == "stricter":
            urgent.add(to)
    for side, base in settled.items():
        _mark_scope(mapping, side, paired, base)
    effects = [
        _update(
            to,
            ends,
            found,
            key_of,
            "urgent" if to in urgent and lane == "normal" else lane,
            said_along(paired, ends, to, found, (moves or {}).get(to, {})),
        )
        for to, found in changes.items()
    ]
    return Decision(effects, settled, verdicts)


def said_along(
    paired: tuple[Pair, ...],
    ends: Map[Side, End],
    to: Side,
    changes: Sequence[Change],
    moves: Map[str, tuple[str, ...]],
) -> list[Change]:
    """What an update says beside its changes, so that the system sets nothing by itself that would come back as
    somebody's edit: each field that moves along with one of them, as it stands there, or where it is blank, as it
    stands on the other side."""
    moved = {name: change for change in changes for name in moves.get(change.attribute, ())}
    if not moved:
        return []
    changed, found = {change.attribute for change in changes}, []
    for pair in paired:
        name = pair.attribute(to)
        said = ends[other(to)].attributes.get(pair.attribute(other(to)))
        stands = ends[to].attributes.get(name, UNASKED)
        if name not in moved or name in changed or stands is UNASKED or not pair.field.writable(to):
            continue
        after = pair.field.render(to, said, None) if stands is None and said is not None else stands
        if after is not None and not isinstance(after, (Unmapped, Bad, Waits)):
            changed.add(name)
            why = f"said as it stands: {to}'s system may set it with {moved[name].field}"
            found.append(Change(pair.field.name, name, stands, after, why))
    return found


def _update(
    to: Side, ends: Map[Side, End], changes: list[Change], key_of: KeyOf, lane: Lane, along: list[Change] | None = None
) -> Planned:
    target, source = ends[to], ends[other(to)]
    unique = None if target.stamped else key_of(other(to), source.object, source.key)
    at = (source.object, source.key)
    return Planned(
        to, target.object, target.key, at, "update", lane, unique, target.stamp_ms, changes, along=along or []
    )


def stamp_only(to: Side, ends: Map[Side, End], key_of: KeyOf) -> Planned:
    """An effect that writes nothing but syncd's key: a converted record's new form must carry it."""
    return _update(to, ends, [], key_of, "normal")


def create(
    mapping: Mapping, to: Side, form: str, object: int, source: End, source_form: str, key_of: KeyOf, lane: Lane
) -> Planned:
    """The effect that makes a partner on `to` for a record that has none (its gates were asked before)."""
    side = other(to)
    context = mapping.context(side, source_form, source.attributes)
    changes: list[Change] = []
    decided: dict[str, Any] = {}
    waits: list[Waits] = []
    untold: list[tuple[str, str, str]] = []
    for field in mapping.fields:
        attribute = field.attribute(to, form)
        own = field.attribute(side, source_form)
        said = source.attributes.get(own) if own is not None else None
        awaited = field.waiting(side, said)
        waits += awaited
        # What waits has no base: both sides meet in it once it has a link.
        if own is not None and own in source.attributes and not (awaited and field.canonical(side, said) == awaited[0]):
            decided[base_key(field.name, own)] = field.settled(side, said)
        if attribute is None or not field.writable(to):
            continue
        value = None
        if field.canonical(side, said) is not None:
            value = field.render(to, said, None)
            untold += _untold(field, side, said, value)
        if _in_marketings_hands(mapping, field, to, value):
            value = None  # who is handed over does not arrive as given back: sales' own default stands
        why = "the record has no partner yet"
        if value is None or isinstance(value, (Unmapped, Bad, Waits)):
            value = field.on_create(context, to)
            why = "required on create, and blank on the other side"
        if value is not None and not (field.clash == "stricter" and field.canonical(to, value) is not True):
            changes.append(Change(field.name, attribute, None, value, why, own, said))
    at = (source.object, source.key)
    return Planned(
        to, object, None, at, "create", lane, key_of(side, *at), None, changes, decided, tuple(waits), tuple(untold)
    )


def _untold(field: Field, side: Side, said: Any, value: Any) -> list[tuple[str, str, str]]:
    """A value that cannot be read, or not be written over there, and for which no rule says to leave it."""
    read = field.canonical(side, said)
    if isinstance(read, Bad):
        return [(field.name, "unreadable_value", f"{side}'s value cannot be read: {read.why}")]
    if isinstance(value, Bad):
        return [(field.name, "unwritable_value", f"{side}'s value cannot be written on {other(side)}: {value.why}")]
    if isinstance(value, Unmapped) and field.other == "hold":
        return [(field.name, "unmapped_value", f"{side}'s value has no counterpart on {other(side)}")]
    return []


def holds(mapping: Mapping, gates: Map[Side, Any], gate: Side, side: Side, form: str, said: Map[str, Any]) -> bool:
    """Whether a record passes a gate; no gate passes. Error, missing, unknown: it does not."""
    rule = gates.get(gate)
    return rule is None or rule.holds(mapping.context(side, form, said, rule.names)) is True


def _in_scope(mapping: Mapping, ends: Map[Side, End], verdicts: Sequence[Verdict]) -> bool:
    moved = {verdict.pair.field.name for verdict in verdicts}
    for side, end in ends.items():
        rule = mapping.scope[side]
        if rule is None or (end.base.get(SCOPE) == rule.text and rule.names.isdisjoint(moved)):
            continue
        if not holds(mapping, mapping.scope, side, side, end.form, end.attributes):
            return False
    return True


def _mark_scope(mapping: Mapping, side: Side, paired: tuple[Pair, ...], base: dict[str, Any]) -> None:
    """Only a rule whose every field is compared here can be trusted while none of them moves."""
    rule = mapping.scope[side]
    if rule is None or base.get(SCOPE) == rule.text or rule.definitions:
        return
    if rule.names <= {pair.field.name for pair in paired}:
        base[SCOPE] = rule.text


def _update_allowed(mapping: Mapping, to: Side, ends: Map[Side, End]) -> bool:
    end = ends[other(to)]
    return holds(mapping, mapping.update, to, other(to), end.form, end.attributes)


def _not_promoted(mapping: Mapping, verdict: Verdict, source: End) -> bool:
    """Whether it would move sales' record into a stage that sales owns, of somebody whom the definition does not let
    through, or not yet again."""
    rule, field = mapping.promotion, verdict.pair.field
    if rule is None or verdict.to != "crm" or field.name != rule.field:
        return False
    if field.context("crm", verdict.after) not in rule.stages or field.context("crm", verdict.before) in rule.stages:
        return False
    if source.attributes.get(GIVEN_BACK) is True:
        return True
    seen = mapping.context("marketing", source.form, source.attributes, rule.gate.names)
    return rule.gate.holds(seen) is not True


def _in_marketings_hands(mapping: Mapping, field: Field, to: Side, value: Any) -> bool:
    """Whether a stage that is to be written on sales' side is one that marketing owns, where `[promote]` keeps them apart."""
    rule = mapping.promotion
    if rule is None or to != "crm" or field.name != rule.field or value is None:
        return False
    return not isinstance(value, (Unmapped, Bad, Waits)) and field.context("crm", value) not in rule.stages


def settle(base: Map[str, Any], changes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A base with some of its values replaced: (base key, raw value)."""
    return {**base, **dict(changes)}
