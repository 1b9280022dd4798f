"""A mapping against what its objects look like now, and what they looked like before: what it can still do.

Promise: as little as possible is held. A field whose attribute is gone or holds something else now is left out, under
its own finding, and the others go on; only where records could not be told apart without it (it matches, or the scope
asks for it) the whole mapping rests. It asks no system, and remembers nothing: it is given both schemas.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from syncd.core.live import AttributeLike, Finding, SchemaLike, findings
from syncd.core.mapping import Field
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import SIDES, Side
from syncd.core.problem import Problem
from syncd.core.together import at_place

MOST_NAMED = 5
"""Choices that one message names."""


@dataclass(frozen=True, slots=True)
class Looks:
    """One object: what it looks like now, and what it looked like when somebody last agreed with that."""

    now: SchemaLike
    was: SchemaLike


@dataclass(frozen=True, slots=True)
class Standing:
    """What a mapping can do under the schemas that are known."""

    mapping: Compiled
    """Without what is held."""
    found: tuple[tuple[Side, str, Finding], ...]
    """(side, form, finding)"""
    stuck: str = ""
    """Why none of it can go on; empty: it can."""


def stand(
    mapping: Compiled, looks: Mapping[tuple[Side, str], Looks], parents: Mapping[str, Compiled] | None = None
) -> Standing:
    """Holds the mapping against the schemas of its forms; forms without a known schema are taken as they are.
    `parents`: the mappings by name, for what references may lead to."""
    found = [
        (side, form, finding)
        for side in SIDES
        for form in mapping.end(side).forms
        if (look := looks.get((side, form))) is not None
        for finding in (*told(mapping, side, form, look, parents), *changes(mapping, side, form, look))
    ]
    lost = {(f.field, side, form) for side, form, f in found if f.holds == "field" and f.field is not None}
    closed = {side for side, _, f in found if f.holds == "creates"}
    stuck = sorted({name for name, side, _ in lost if name in _needed(mapping, side)})
    why = f"without {' and '.join(stuck)} its records cannot be told apart" if stuck else ""
    return Standing(_narrowed(mapping, lost, closed), tuple(found), why)


def _needed(mapping: Compiled, side: Side) -> frozenset[str]:
    """The fields without which nothing can be said of a record: unknown is not blank, and no reason to leave."""
    rule = mapping.scope[side]
    matching = frozenset(name for each in mapping.match for name in each.fields)
    return matching | (rule.names if rule is not None else frozenset())


def _narrowed(mapping: Compiled, lost: set[tuple[str, Side, str]], closed: set[Side]) -> Compiled:
    if not lost and not closed:
        return mapping

    def narrowed(field: Field) -> Field:
        names = {
            side: {form: name for form, name in forms.items() if (field.name, side, form) not in lost}
            for side, forms in field.names.items()
        }
        return dataclasses.replace(field, names=names) if names != field.names else field

    create = {side: None if side in closed else mapping.create[side] for side in SIDES}
    return dataclasses.replace(mapping, fields=tuple(map(narrowed, mapping.fields)), create=create)


# ---------------------------------------------------------------- in words


def told(
    mapping: Compiled, side: Side, form: str, look: Looks, parents: Mapping[str, Compiled] | None = None
) -> Iterator[Finding]:
    """What would be refused, and where it is news, what it was before."""
    for finding in findings(mapping, side, form, look.now, parents):
        name = finding.attribute or ""
        was, now = look.was.attributes.get(name), look.now.attributes.get(name)
        what, mend = finding.problem.what, finding.problem.mend
        if was is not None and now is None:
            what = f"{form}.{name} is gone, or hidden from the sync user (it held {_kind(was)})"
            mend = _renamed(was, look) or "bring it back, give the sync user access to it, or take it out of the file"
        elif was is not None and now is not None and was.type != now.type and finding.holds == "field":
            what = f"{what}; it held {_kind(was)} before"
        elif was is not None and now is not None and was.updatable and not now.updatable:
            what = f"{what} now"
            mend = f"give the sync user the right to edit it, or {mend}"
        elif now is not None and now.required and (was is None or not was.required):
            what = f"{what}; that is new"
        yield dataclasses.replace(finding, problem=dataclasses.replace(finding.problem, what=what, mend=mend))


def _renamed(was: AttributeLike, look: Looks) -> str:
    """What it may be called now: an attribute that is new, of the same kind, best with the same label."""
    fresh = [each for name, each in look.now.attributes.items() if name not in look.was.attributes]
    alike = [each for each in fresh if each.type == was.type]
    same = [each for each in alike if each.label and each.label == was.label] or (alike if len(alike) == 1 else [])
    return f"was it renamed? Then write '{same[0].name}' here" if len(same) == 1 else ""


def _kind(attribute: AttributeLike) -> str:
    called = {"bool": "true or false", "choice": "one of a list", "choices": "several of a list"}
    length = f" of {attribute.length} characters" if attribute.length else ""
    return called.get(attribute.type, f"a {attribute.type}") + length


# ---------------------------------------------------------------- what is only news


def changes(mapping: Compiled, side: Side, form: str, look: Looks) -> Iterator[Finding]:
    """What changed without being wrong by itself: choices that a value map does not know, room that became less."""
    for field in mapping.fields:
        name = field.attribute(side, form) or ""
        was, now = look.was.attributes.get(name), look.now.attributes.get(name)
        if was is not None and now is not None:
            yield from _choices(field, side, form, was, now)
            yield from _room(field, side, form, was, now)


def _choices(field: Field, side: Side, form: str, was: AttributeLike, now: AttributeLike) -> Iterator[Finding]:
    if not field.values:
        return
    known = set(field.values) if side == "marketing" else set(field.values.values())
    fresh = [word for word in now.options if word not in was.options and word not in known]
    if fresh:
        one, it = (len(fresh) == 1, "it" if len(fresh) == 1 else "them")
        what = f"{form}.{now.name} has the new {'choice' if one else 'choices'} {_listed(fresh)}, and 'values' of"
        rule = "is asked about" if field.other == "hold" else "is left as it is on the other side"
        said = f"{what} '{field.name}' does not list {it}: who has {it} {rule}"
        problem = at_place(field.place, said, f"add {it} to 'values'; if {it if one else 'they'} shall not cross")
        yield Finding(_or_retry(problem), field.name, now.name)


def _room(field: Field, side: Side, form: str, was: AttributeLike, now: AttributeLike) -> Iterator[Finding]:
    shorter = now.length and (not was.length or now.length < was.length)
    if shorter and field.writable(side) and not (field.truncate is not None and field.truncate <= now.length):
        before = f"; it held {was.length}" if was.length else ""
        what = f"{form}.{now.name} holds {now.length} characters now{before}: longer values of '{field.name}' will be"
        what = f"{what} refused"
        mend = (
            f"lengthen it again, or cut them: truncate = {now.length}" if field.flow != "both" else "lengthen it again"
        )
        yield Finding(_or_retry(at_place(field.place, what, f"{mend}; if none is longer")), field.name, now.name)


def _or_retry(problem: Problem) -> Problem:
    """Or nothing has to be mended: a person says that they know."""
    return dataclasses.replace(problem, mend=f"{problem.mend}, say that you know: `syncd issues retry ID`")


def _listed(words: Iterable[str]) -> str:
    words = list(words)
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return ", ".join(f"'{word}'" for word in words[:MOST_NAMED]) + more
