"""The decision on one linked pair, field by field: what both sides say now, against what each said when they settled.

Pure and total: every combination of *moved* and *equal* has one verdict (the table in the design, and in the README).
It decides nothing about whether a record may be written at all (gates: `plan`) nor how much (guards: `guard`).

A base belongs to a field *and* an attribute (`base_key`): two fields may share an attribute, each settles for itself,
and a field that changes its attribute has an unknown base, which is *meet*, not an edit.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any, Literal

import msgspec

from syncd.core.mapping import FUNNEL_SAYS, Field, Mapping
from syncd.core.match import further
from syncd.core.model import Bad, Side, Unmapped, Waits, other

Kind = Literal["agree", "marketing", "crm", "clash", "meet", "stand"]


class _Unasked:
    __slots__ = ()


UNASKED = _Unasked()
"""Not asked for, or not readable: never the same thing as blank."""


class Pair(msgspec.Struct, frozen=True):
    """A field under its two names, for one combination of forms."""

    field: Field
    marketing: str
    crm: str
    marketing_base: str
    crm_base: str

    def attribute(self, side: Side) -> str:
        return self.marketing if side == "marketing" else self.crm

    def base(self, side: Side) -> str:
        return self.marketing_base if side == "marketing" else self.crm_base


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a field's situation is, and what follows.

    `to` set: write `after` on that side; the base moves when that was seen. `to` None and `settles`: both bases move
    now. Neither: it waits for a person, and stays as it is.
    """

    pair: Pair
    kind: Kind
    why: str
    to: Side | None = None
    before: Any = None
    after: Any = None
    decided: Any = None
    """The raw value on the side it came from."""
    settles: bool = True
    lost: Side | None = None
    """The side whose own edit is overridden (always `to`); its value is kept as a loser."""
    issue: str | None = None
    """Kind of issue to raise, if a person should know."""
    source: Side | None = None
    """With an issue about a value: the side whose value it is."""
    waits: tuple[Waits, ...] = ()
    """References of this field that have no link yet: the record is to be decided again when one of them has."""


VALUE_ISSUES = ("unreadable_value", "unwritable_value", "unmapped_value", "unknown_owner")
"""Issues about a value that does not cross: the difference stands until it moves, or a person says retry."""


def base_key(field: str, attribute: str) -> str:
    """Under which name a field's value on one side stands in a base."""
    return f"{field}:{attribute}"


def pairs(mapping: Mapping, marketing_object: str, crm_object: str) -> tuple[Pair, ...]:
    """The fields that both forms have, and that flow."""
    found = []
    for field in mapping.fields:
        if field.flow == "none":
            continue
        marketing = field.attribute("marketing", marketing_object)
        crm = field.attribute("crm", crm_object)
        if marketing is not None and crm is not None:
            found.append(Pair(field, marketing, crm, base_key(field.name, marketing), base_key(field.name, crm)))
    return tuple(found)


def merge(
    paired: tuple[Pair, ...],
    marketing: Map[str, Any],
    crm: Map[str, Any],
    marketing_base: Map[str, Any],
    crm_base: Map[str, Any],
) -> list[Verdict]:
    """Verdicts for the fields that moved or have no base yet; a field at rest has none."""
    verdicts: list[Verdict] = []
    for pair in paired:
        m = marketing.get(pair.marketing, UNASKED)
        c = crm.get(pair.crm, UNASKED)
        if m is UNASKED or c is UNASKED:
            continue
        base_m = marketing_base.get(pair.marketing_base, UNASKED)
        base_c = crm_base.get(pair.crm_base, UNASKED)
        if m == base_m and c == base_c:
            continue
        if base_m is UNASKED or base_c is UNASKED:
            verdict = _known_otherwise(pair, marketing, crm, m, c) or _meet(pair, m, c)
        else:
            verdict = _moved(pair, m, c, base_m, base_c)
        verdicts.append(verdict if pair.field.reference is None else _awaiting(verdict, m, c))
    return verdicts


def _awaiting(verdict: Verdict, m: Any, c: Any) -> Verdict:
    """A reference whose record has no link yet is neither settled nor a clash: it waits, unless the other side's value
    is to be written over it. A list goes on with the records that have one."""
    pair, field = verdict.pair, verdict.pair.field
    waits = (*field.waiting("marketing", m), *field.waiting("crm", c))
    if not waits:
        return verdict
    if verdict.to is None and field.reference is not None and not field.reference.many:
        return Verdict(pair, "stand", f"waits for its {field.name}", settles=False, waits=waits)
    return msgspec.structs.replace(verdict, waits=waits)


def _moved(pair: Pair, m: Any, c: Any, base_m: Any, base_c: Any) -> Verdict:
    field = pair.field
    canonical_m, canonical_c = field.canonical("marketing", m), field.canonical("crm", c)
    if canonical_m == canonical_c and not isinstance(canonical_m, (Unmapped, Bad)):
        return Verdict(pair, "agree", "both sides say the same")
    # A change of form only (spaces, case, a reformatted phone) is not an edit.
    m_moved = m != base_m and canonical_m != field.canonical("marketing", base_m)
    c_moved = c != base_c and canonical_c != field.canonical("crm", base_c)
    if not m_moved and not c_moved:
        return Verdict(pair, "stand", "only the form changed; the known difference stands")
    if m_moved and c_moved and field.flow == "both":
        return _clash(pair, m, c)
    source: Side = (
        ("marketing" if field.flow == "to_crm" else "crm")
        if field.flow != "both"
        else ("marketing" if m_moved else "crm")
    )
    source_moved = m_moved if source == "marketing" else c_moved
    moved_side: Side = "marketing" if m_moved else "crm"
    if not source_moved:
        return Verdict(pair, "stand", f"{field.flow.replace('_', ' ')} only: the edit on {moved_side} stays there")
    theirs, was = (canonical_c, base_m) if source == "marketing" else (canonical_m, base_c)
    # What stands over there never crossed (it was refused, say): it stands nowhere else.
    alone = field.flow == "both" and theirs is not None and theirs != field.canonical(source, was)
    lost = other(source) if alone or (m_moved and c_moved) else None
    return _write(pair, source, source, m, c, f"{source} moved", lost)


def _clash(pair: Pair, m: Any, c: Any) -> Verdict:
    policy = pair.field.clash
    if policy == "stricter":
        return _stricter(pair, "clash", m, c)
    if policy in ("marketing", "crm"):
        winner: Side = "marketing" if policy == "marketing" else "crm"
        # A winner that cannot be written (blank kept, no counterpart) leaves both as they are, and nothing is lost.
        return _write(pair, "clash", winner, m, c, f"both moved; {winner} wins by the field's rule", other(winner))
    why = "both sides were edited to different values"
    if policy == "newer":
        why = f"{why}, and which edit is newer is not known"
    return _hold(pair, "clash", why)


def _meet(pair: Pair, m: Any, c: Any) -> Verdict:
    """The first meeting of two values, with no base to tell who moved."""
    field = pair.field
    canonical_m, canonical_c = field.canonical("marketing", m), field.canonical("crm", c)
    if canonical_m == canonical_c and not isinstance(canonical_m, (Unmapped, Bad)):
        return Verdict(pair, "agree", "both sides already say the same")
    if field.clash == "stricter":
        return _stricter(pair, "meet", m, c)
    if None not in (canonical_m, canonical_c) and (field.stands_in("marketing", m) or field.stands_in("crm", c)):
        return Verdict(pair, "meet", "a value has no counterpart of its own; both sides keep what they have")
    if field.other == "keep" and None not in (canonical_m, canonical_c):
        for side, value in (("marketing", canonical_m), ("crm", canonical_c)):
            if isinstance(value, Unmapped):
                return Verdict(pair, "meet", f"{side}'s value has no counterpart; both sides keep what they have")
    if field.flow != "both":
        source: Side = "marketing" if field.flow == "to_crm" else "crm"
        blank = (canonical_m if source == "marketing" else canonical_c) is None
        if blank:
            return Verdict(pair, "meet", f"{source} has nothing to say yet; {other(source)} keeps its value")
        replaced = (canonical_c if source == "marketing" else canonical_m) is not None
        # What the funnel said before, of somebody without a partner, is nobody's edit.
        said_by_funnel = field.rolled.get(source, ("",))[0] in FUNNEL_SAYS
        lost = other(source) if replaced and not said_by_funnel else None
        return _write(pair, "meet", source, m, c, f"first meeting: flows {field.flow.replace('_', ' ')}", lost)
    if canonical_m is None or canonical_c is None:
        if field.meet == "hold":
            return _hold(pair, "meet", "one side is blank at the first meeting")
        giver: Side = "crm" if canonical_m is None else "marketing"
        return _write(pair, "meet", giver, m, c, f"first meeting: {giver} fills the blank", None)
    policy = field.clash if field.meet == "fill" else field.meet
    if policy in ("marketing", "crm"):
        winner: Side = "marketing" if policy == "marketing" else "crm"
        return _write(pair, "meet", winner, m, c, f"first meeting: {winner} wins by the field's rule", other(winner))
    return _hold(pair, "meet", "both sides held different values when they first met")


def _known_otherwise(pair: Pair, marketing: Map[str, Any], crm: Map[str, Any], m: Any, c: Any) -> Verdict | None:
    """At a first meeting: one side knows the other's value as a further one of the same record (a second address). Then
    neither is wrong, and none is replaced."""
    field = pair.field
    if not field.also:
        return None
    sides: tuple[tuple[Side, Map[str, Any], Any], ...] = (("marketing", marketing, c), ("crm", crm, m))
    for side, said, across in sides:
        value = field.canonical(other(side), across)
        names = {name for each in field.also[side].values() for name in each}
        known = (field.canonical(side, raw) for raw in further(field, side, names, said))
        if value is not None and not isinstance(value, (Unmapped, Bad)) and value in known:
            return Verdict(
                pair, "stand", f"{side} knows {other(side)}'s value as a further one; both keep what they have"
            )
    return None


def _stricter(pair: Pair, kind: Kind, m: Any, c: Any) -> Verdict:
    """Consent: the less contactable value wins, wherever it may be written."""
    field = pair.field
    out_m = field.canonical("marketing", m) is True
    out_c = field.canonical("crm", c) is True
    if out_m == out_c:
        return Verdict(pair, kind, "neither side is less contactable than the other")
    source: Side = "marketing" if out_m else "crm"
    if not field.writable(other(source)):
        return Verdict(pair, kind, f"{source} is less contactable, and this field does not flow that way")
    return _write(pair, kind, source, m, c, f"{source} is less contactable, and that wins", None)


def _hold(pair: Pair, kind: Kind, why: str) -> Verdict:
    return Verdict(pair, kind, f"{why}; waits for a person", settles=False, issue=kind)


def _write(pair: Pair, kind: Kind, source: Side, m: Any, c: Any, why: str, lost: Side | None) -> Verdict:
    """The effect on the other side, unless a rule lets the difference stand."""
    field, to = pair.field, other(source)
    said, current = (m, c) if source == "marketing" else (c, m)
    if not field.writable(to):
        return Verdict(pair, "stand", f"{why}; the field does not flow to {to}")
    value = field.canonical(source, said)
    if isinstance(value, Waits):
        return Verdict(pair, "stand", f"{why}; waits for its {field.name}", settles=False)
    if isinstance(value, Bad):
        return Verdict(
            pair, "stand", f"{source}'s value cannot be read: {value.why}", issue="unreadable_value", source=source
        )
    if value is None and field.blank == "keep":
        return Verdict(pair, "stand", f"{source} is blank, and a blank does not overwrite")
    # A list that was emptied keeps what has no link on the other side.
    emptied = value is None and (field.reference is None or not field.reference.many)
    after = None if emptied else field.render(to, said, current)
    if isinstance(after, Bad):
        return Verdict(
            pair,
            "stand",
            f"{source}'s value cannot be written on {to}: {after.why}",
            issue="unwritable_value",
            source=source,
        )
    if isinstance(value, Unmapped) or isinstance(after, Unmapped):
        if field.other == "hold":
            return Verdict(
                pair,
                "stand",
                f"{source}'s value has no counterpart on {to}",
                issue="unknown_owner" if field.type == "owner" else "unmapped_value",
                source=source,
            )
        return Verdict(pair, "stand", f"{source}'s value has no counterpart on {to}; {to} is left alone")
    if field.clash == "stricter" and field.canonical(to, after) is not True:
        return Verdict(pair, "stand", f"{to} is never made more contactable than it is")
    if field.canonical(to, after) == field.canonical(to, current):
        return Verdict(pair, "agree", f"{why}; {to} already says so")
    if field.once:
        return Verdict(pair, "stand", f"{why}; on {to} it is written once, when the record is created")
    if field.steps == "ask" and _behind(field, field.canonical(to, after), field.canonical(to, current)):
        said = f"{why}; on {to} that would be a step back, and waits for a person"
        return Verdict(pair, "stand", said, settles=False, issue="step_back")
    if field.steps == "forward" and not _ahead(field, field.canonical(to, after), field.canonical(to, current)):
        return Verdict(pair, "stand", f"{why}; on {to} that would be a step back, and the field goes forward only")
    return Verdict(pair, kind, why, to, current, after, field.settled(source, said), False, lost)


def _behind(field: Field, after: Any, current: Any) -> bool:
    """Whether a step goes back, in the order of the value map."""
    order = [*dict.fromkeys(field.values.values())]
    return current in order and after in order and order.index(after) < order.index(current)


def _ahead(field: Field, after: Any, current: Any) -> bool:
    """Whether a step goes forward, in the order of the value map. From where nobody knows the place, none does."""
    if current is None:
        return True
    order = [*dict.fromkeys(field.values.values())]
    return current in order and after in order and order.index(after) > order.index(current)
