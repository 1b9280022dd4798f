"""What a refusal leaves unsaid: which record is in the way, which field a label means, and whose id is the bad one.

Promise: an outcome is completed only by what a look or the description shows; where that fails it stays as it is. What
is called gone because "a cross reference" is invalid, and is seen alive, was refused for a record that it refers to.
Source: contract sections 12, 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.org import Org
from connectors.salesforce.reading import Reader
from connectors.salesforce.refusals import REFERRING, references_in
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.shapes import shape_of
from connectors.salesforce.soql import Query, every, one_of, select
from syncd.connector import Effect, Key, Outcome
from syncd.errors import SyncdError

_PAGE: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])

Together = tuple[str, ...]
"""The values by which no two records are alike."""


class Unsaid:
    """Completes refusals of one org. Safe in several threads."""

    def __init__(self, org: Org, reader: Reader, schemas: Schemas) -> None:
        self._org = org
        self._reader = reader
        self._schemas = schemas

    def told(self, object: str, effects: Mapping[str, Effect], outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
        """The outcomes, in order, with what could be found out."""
        twice = [each for each in outcomes if _is_twice(object, effects, each)]
        there = self._there(object, [effects[each.ref] for each in twice]) if twice else {}
        alive = self._alive(object, [each for each in outcomes if _may_refer(effects, each)])
        for each in outcomes:
            found = there.get(each.ref)
            if each.key in alive:
                yield replace(each, kind="refused", culprits=tuple(references_in(effects[each.ref])))
            elif found is not None:
                fields, key = found
                yield replace(each, existing=key, culprits=each.culprits or fields)
            elif each.kind == "refused" and not each.culprits:
                yield replace(each, culprits=self._named(object, effects[each.ref], each))
            else:
                yield each

    def _there(self, object: str, effects: Sequence[Effect]) -> dict[str, tuple[Together, Key]]:
        """By effect, the record that already is what was to be made, and the fields that say so; one call at most."""
        wanted: list[tuple[Together, dict[Together, list[str]]]] = []
        for fields in shape_of(object).once:
            values: dict[Together, list[str]] = {}
            for effect in effects:
                if (together := _together(effect, fields)) is not None:
                    values.setdefault(together, []).append(effect.ref)
            if values:
                wanted.append((fields, values))
        try:
            replies = self._org.queries([_query(object, fields, values) for fields, values in wanted])
            rows = [reply.decode(_PAGE).get("records", []) if reply.ok else [] for reply in replies]
        except SyncdError:
            return {}  # not finding it out is no worse than not having asked
        found: dict[str, tuple[Together, Key]] = {}
        for (fields, values), page in zip(wanted, rows, strict=True):
            for row in page:
                held = tuple(_key(row.get(name)) for name in fields)
                for ref in values.get(held, ()):
                    found.setdefault(ref, (fields, _key(row.get("Id"))))
        return found

    def _alive(self, object: str, outcomes: Sequence[Outcome]) -> frozenset[Key]:
        """Those that are said to be gone and are there; one call at most."""
        keys = [each.key for each in outcomes if each.key]
        try:
            return frozenset(self._reader.stamps(object, keys)) if keys else frozenset()
        except SyncdError:
            return frozenset()

    def _named(self, object: str, effect: Effect, outcome: Outcome) -> tuple[str, ...]:
        """The attributes whose labels begin the parts of a message ("Loss Reason: bad value for ..."); else, where it
        is about a record that is referred to, those that refer."""
        if outcome.code in REFERRING:
            return tuple(references_in(effect))
        message = outcome.message
        if ": " not in message:
            return ()
        try:
            labels = self._schemas.labels(object)
        except SyncdError:
            return ()
        said = {part.partition(":")[0].strip() for part in message.split("; ")}
        return tuple(name for name in effect.attributes if labels.get(name) in said)


def _is_twice(object: str, effects: Mapping[str, Effect], outcome: Outcome) -> bool:
    """Whether a create was refused because such a record is there, which the refusal does not name."""
    refused = outcome.kind == "refused" and outcome.code == "DUPLICATE_VALUE" and outcome.existing is None
    return refused and effects[outcome.ref].op == "create" and bool(shape_of(object).once)


def _may_refer(effects: Mapping[str, Effect], outcome: Outcome) -> bool:
    """Whether an update is said to be gone in words that may mean a record which it refers to."""
    gone = outcome.kind == "gone" and outcome.code == "INVALID_CROSS_REFERENCE_KEY"
    return gone and effects[outcome.ref].op == "update" and bool(references_in(effects[outcome.ref]))


def _together(effect: Effect, fields: Iterable[str]) -> Together | None:
    values = tuple(_key(effect.attributes.get(name)) for name in fields)
    return values if all(values) else None


def _key(value: object) -> str:
    return id18(value) if isinstance(value, str) and is_id(value) else ""


def _query(object: str, fields: Together, values: Iterable[Together]) -> Query:
    columns = list(zip(*values, strict=True))
    among = [one_of(name, sorted(set(column))) for name, column in zip(fields, columns, strict=True)]
    return select(object, ("Id", *fields), every(*among))
