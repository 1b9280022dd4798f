"""Writing associations: setting the primary, making a list so, keeping every label (contract section 8).

Promise: labels that others gave stay, and so does every association that was not to go. HubSpot replaces a pair's set
of labels with what is sent, so a pair is sent with all that it has; who is the primary moves by HubSpot's own rule.
A call whose fate is unknown is doubtful and not repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.hubspot.associations import ASSOCIATION, Associations, Label, Ties, value_of
from connectors.hubspot.errors import PASSING, UNKNOWN, Trouble, refusal, trouble_of
from connectors.hubspot.kinds import Kind, Reference
from connectors.hubspot.paths import Paths
from syncd.connector import Effect, Key, Neutral, Outcome
from syncd.errors import AccessError, Doubt, Transient
from syncd.http import BadAnswer, Http

CALL_PAIRS = 1000
"""Pairs in one call: HubSpot takes 2,000 to make, and does not say how many to remove."""

DEFINED = "HUBSPOT_DEFINED"

Json = dict[str, Any]
Failed = dict[str, Outcome]
"""What went wrong, by the effect's ref."""


class _Made(msgspec.Struct, gc=False):
    fromObjectId: int | str


class _Answer(msgspec.Struct):
    results: list[_Made] = []
    errors: list[Trouble] = []


_ANSWER: msgspec.json.Decoder[_Answer] = msgspec.json.Decoder(_Answer)


@dataclass(slots=True)
class Change:
    """What one effect does to one record's associations with one object."""

    effect: Effect
    references: list[Reference]
    after: Ties
    made: dict[Key, frozenset[Label]] = field(default_factory=dict)
    """Pairs to be written, each with every type that it will have."""
    bared: dict[Key, Label] = field(default_factory=dict)
    """Pairs that lose a label and stay."""
    removed: list[Key] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.effect.key or ""


@dataclass(frozen=True, slots=True)
class Associating:
    """Writes the references of one account's records."""

    http: Http
    paths: Paths
    associations: Associations

    def write(self, kind: Kind, effects: Sequence[Effect]) -> list[Outcome]:
        """One outcome for each effect, about its references only: sent with their values, refused, or doubtful.
        Raises AccessError, Transient: nothing of it was carried out."""
        failed: Failed = {}
        values: dict[str, dict[str, Neutral]] = {effect.ref: {} for effect in effects}
        begun = False
        for end in dict.fromkeys(one.to for effect in effects for one in wanted_of(kind, effect)):
            asked = [e for e in effects if e.ref not in failed and any(r.to == end for r in wanted_of(kind, e))]
            try:
                ties = self.associations.read(kind.name, end, [effect.key or "" for effect in asked])
                changes = [change_of(kind, end, e, ties[e.key or ""]) for e in asked if (e.key or "") in ties]
                failed |= {e.ref: _later(e, "its associations were not told") for e in asked if e.key not in ties}
                failed |= self._carry_out(kind.name, end, changes)
            except (AccessError, Transient) as trouble:
                if not begun:
                    raise
                failed |= {effect.ref: _later(effect, trouble.message) for effect in asked}
                continue
            begun = True
            for change in changes:
                values[change.effect.ref] |= {one.name: value_of(one, change.after) for one in change.references}
        return [failed.get(e.ref) or Outcome(e.ref, "sent", e.key, attributes=values[e.ref]) for e in effects]

    def _carry_out(self, start: str, end: str, changes: Sequence[Change]) -> Failed:
        """New ones first, so that nobody is without while others go. Raises only if nothing was carried out."""
        failed: Failed = {}
        sent = False
        steps: tuple[tuple[tuple[str, ...], Callable[[Change], list[Json]]], ...] = (
            (("batch", "create"), _made),
            (("batch", "labels", "archive"), _bared),
            (("batch", "archive"), _removed),
        )
        for rest, inputs_of in steps:
            path = self.paths.associations(start, end, *rest)
            todo = [(change, inputs_of(change)) for change in changes if change.effect.ref not in failed]
            for batch in _batches([(change, inputs) for change, inputs in todo if inputs]):
                try:
                    failed |= self._send(path, batch)
                except (AccessError, Transient) as trouble:
                    if not sent:
                        raise
                    failed |= {change.effect.ref: _later(change.effect, trouble.message) for change, _ in batch}
                sent = True
        return failed

    def _send(self, path: str, batch: Sequence[tuple[Change, list[Json]]]) -> Failed:
        """One call. One that is refused as a whole is made again for each record alone."""
        body = {"inputs": [each for _, inputs in batch for each in inputs]}
        changes = [change for change, _ in batch]
        try:
            answer = self.http.send("POST", path, json=body, meters=ASSOCIATION)
        except Doubt as doubt:
            return _doubtful(changes, doubt.message)
        if answer.status >= 300:
            if len(batch) > 1:
                return {ref: failure for one in batch for ref, failure in self._send(path, [one]).items()}
            return {changes[0].effect.ref: _refused(changes[0], trouble_of(answer))}
        if not answer.body and not path.endswith("/create"):
            return {}
        try:
            said: _Answer = answer.json(_ANSWER)
        except BadAnswer as bad:
            return _doubtful(changes, bad.message)
        failed = _blamed(changes, said.errors)
        if path.endswith("/create"):
            # Told by record alone: whom a merged-away one leads to has another id than the one that was sent.
            made = Counter(str(row.fromObjectId) for row in said.results)
            silent = [change for change in changes if made[change.key] < len(change.made)]
            failed = _doubtful(silent, "the answer does not show the association") | failed
        return failed


# ---------------------------------------------------------------- what there is to do


def wanted_of(kind: Kind, effect: Effect) -> list[Reference]:
    """The references that an effect writes."""
    return [one for one in kind.references if one.name in effect.attributes]


def change_of(kind: Kind, end: str, effect: Effect, ties: Ties) -> Change:
    """What has to be done so that the record's associations with an object are as the effect wants them."""
    references = [one for one in wanted_of(kind, effect) if one.to == end]
    after = dict(ties)
    change = Change(effect, references, after)
    # A list first: who is in it, before one of them is made the primary.
    for one in sorted(references, key=lambda reference: reference.one is not None):
        value = effect.attributes[one.name]
        if one.one is None:
            _make_list(change, one, _keys(value))
        else:
            _make_one(change, one, str(value) if value else None)
    change.made = {key: types for key, types in after.items() if types - ties.get(key, frozenset())}
    change.removed = [key for key in ties if key not in after]
    return change


def inline(kind: Kind, effect: Effect) -> list[Json]:
    """The associations that a create carries with it. A company and a contact may have one id: their types say which is
    meant, so each has an entry of its own."""
    pairs: dict[tuple[str, Key], list[Label]] = {}
    for one in wanted_of(kind, effect):
        types = [Label(DEFINED, type_id) for type_id in (one.default, one.one) if type_id is not None]
        for key in _keys(effect.attributes[one.name]):
            listed = pairs.setdefault((one.to, key), [])
            listed.extend(label for label in types if label not in listed)
    return [{"to": {"id": key}, "types": [_wire(label) for label in types]} for (_, key), types in pairs.items()]


def _make_list(change: Change, one: Reference, keys: Sequence[Key]) -> None:
    for gone in change.after.keys() - set(keys):
        del change.after[gone]
    for key in keys:
        change.after.setdefault(key, frozenset((Label(DEFINED, one.default),)))


def _make_one(change: Change, one: Reference, key: Key | None) -> None:
    assert one.one is not None
    mark = Label(DEFINED, one.one)
    for other, types in change.after.items():
        if other != key and mark in types:
            change.after[other] = types - {mark}
            if key is None:
                # Where another takes its place, HubSpot takes the label away by itself.
                change.bared[other] = mark
    if key is not None:
        change.after[key] = change.after.get(key, frozenset()) | {Label(DEFINED, one.default), mark}


def _keys(value: Neutral) -> list[Key]:
    if isinstance(value, list):
        return list(dict.fromkeys(value))
    return [str(value)] if value else []


# ---------------------------------------------------------------- the requests


def _batches(todo: Sequence[tuple[Change, list[Json]]]) -> list[list[tuple[Change, list[Json]]]]:
    """Records in groups that fit into one call."""
    batches: list[list[tuple[Change, list[Json]]]] = []
    size = CALL_PAIRS
    for change, inputs in todo:
        if size + len(inputs) > CALL_PAIRS:
            batches.append([])
            size = 0
        batches[-1].append((change, inputs))
        size += len(inputs)
    return batches


def _made(change: Change) -> list[Json]:
    return [
        {"from": {"id": change.key}, "to": {"id": key}, "types": [_wire(label) for label in sorted(types)]}
        for key, types in change.made.items()
    ]


def _bared(change: Change) -> list[Json]:
    return [
        {"from": {"id": change.key}, "to": {"id": key}, "types": [_wire(label)]}
        for key, label in change.bared.items()
        if key in change.after
    ]


def _removed(change: Change) -> list[Json]:
    return [{"from": {"id": change.key}, "to": [{"id": key} for key in change.removed]}] if change.removed else []


def _wire(label: Label) -> Json:
    return {"associationCategory": label.category, "associationTypeId": label.id}


# ---------------------------------------------------------------- the answers


def _blamed(changes: Sequence[Change], errors: Sequence[Trouble]) -> Failed:
    """Errors by the record they name; where one names nobody, nobody knows whose it is."""
    failed: Failed = {}
    by_key = {change.key: change for change in changes}
    for trouble in errors:
        named = [by_key[key] for key in trouble.values("fromObjectId") if key in by_key]
        for change in named:
            failed[change.effect.ref] = _refused(change, trouble)
        if not named:
            failed = _doubtful(changes, "an error that names no record") | failed
    return failed


def _refused(change: Change, trouble: Trouble) -> Outcome:
    told = refusal(trouble)
    if told.code in UNKNOWN:
        return Outcome(change.effect.ref, "doubtful", change.effect.key, code=told.code, message=told.message)
    names = tuple(one.name for one in change.references)
    said = f"the association was refused: {told.message}"
    return Outcome(
        change.effect.ref,
        "refused",
        change.effect.key,
        code=told.code,
        message=said,
        culprits=names,
        again=told.code in PASSING,
    )


def _doubtful(changes: Sequence[Change], message: str) -> Failed:
    return {
        each.effect.ref: Outcome(each.effect.ref, "doubtful", each.effect.key, code="NO_ANSWER", message=message)
        for each in changes
    }


def _later(effect: Effect, message: str) -> Outcome:
    return Outcome(effect.ref, "refused", effect.key, code="NOT_SENT", message=message, again=True)
