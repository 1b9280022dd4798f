"""Writing lists of references: rows are made for what is missing and deleted for what is too much, the rest stays.

Promise: rows of what stays in a list keep whatever else they say (role, primary); the record's own attributes are
written first, under their condition, and nothing of its lists where that did not succeed. What was done in part is
doubtful, so that it is looked at and decided again. Source: contract sections 7, 15.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.lists import Item, Lists, lists_in
from connectors.salesforce.org import Org
from connectors.salesforce.reading import Reader
from connectors.salesforce.refusals import judge
from connectors.salesforce.replies import Reply, troubles_of
from connectors.salesforce.shapes import COLLECTION, ChildList, shape_of
from connectors.salesforce.writing import Writer
from syncd.connector import Effect, Key, Neutral, Outcome
from syncd.errors import AccessError, Doubt, Transient
from syncd.http import BadAnswer

_RESULTS: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, Any]])
_UNTOUCHED = "UNTOUCHED"
"""Inside this file: the record itself needed no write."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """One list of one record, as it shall be."""

    effect: Effect
    name: str
    made_of: ChildList
    targets: frozenset[Key]


@dataclass(frozen=True, slots=True)
class _Step:
    """One row to make or to delete: `target` for the one, `key` for the other."""

    wish: _Wish
    target: Key = ""
    key: Key = ""


class ListWriter:
    """Writes to one org, lists included. Safe in several threads."""

    def __init__(self, org: Org, reader: Reader, lists: Lists, writer: Writer) -> None:
        self._org = org
        self._reader = reader
        self._lists = lists
        self._writer = writer

    def write(self, object: str, effects: Sequence[Effect]) -> Iterator[Outcome]:
        """See `Connector.write`."""
        lists = shape_of(object).lists
        if not any(name in lists for effect in effects for name in effect.attributes):
            yield from self._writer.write(object, effects)
            return
        wishes: dict[str, list[_Wish]] = {}
        plain: list[Effect] = []
        alone: list[Effect] = []
        for effect in effects:
            try:
                wishes[effect.ref] = _wishes(object, effect)
            except ValueError as unfit:
                yield replace(
                    _refused(effect, "MALFORMED_ID", str(unfit)), culprits=tuple(lists_in(object, [*effect.attributes]))
                )
                continue
            rest = {name: value for name, value in effect.attributes.items() if name not in lists}
            idle = effect.op == "update" and not rest and effect.unique is None and wishes[effect.ref]
            (alone if idle else plain).append(replace(effect, attributes=rest))
        written = list(self._writer.write(object, plain)) if plain else []
        if alone:
            written += self._looked(object, alone, started=bool(plain))
        yield from self._settled(object, written, wishes)

    def _looked(self, object: str, effects: Sequence[Effect], started: bool) -> list[Outcome]:
        """What becomes of effects that change nothing but lists, as far as the record goes: there is no condition for
        that, so each is looked at just before. "sent" means: go on."""
        keys = [id18(effect.key) for effect in effects if effect.key and is_id(effect.key)]
        try:
            stamps = self._reader.stamps(object, keys) if keys else {}
            unseen = [key for key in keys if key not in stamps]
            states = {record.key: record.state for record in self._reader.fetch(object, (), unseen)} if unseen else {}
        except (AccessError, Transient) as trouble:
            if not started:
                raise
            return [_refused(effect, "NOT_SENT", trouble.message, again=True) for effect in effects]
        return [_fate(effect, stamps, states) for effect in effects]

    def _settled(self, object: str, written: Sequence[Outcome], wishes: Mapping[str, list[_Wish]]) -> Iterator[Outcome]:
        """The outcomes of records with those of their lists."""
        going = [each for each in written if each.kind == "sent" and each.key and wishes.get(each.ref)]
        told = {each.ref: each for each in written}
        by_list: dict[str, list[tuple[_Wish, Key]]] = defaultdict(list)
        for each in going:
            for wish in wishes[each.ref]:
                by_list[wish.name].append((wish, each.key or ""))
        for pairs in by_list.values():
            for ref, outcome in self._list(object, pairs).items():
                told[ref] = _joined(told[ref], outcome)
        yield from (replace(each, code="") if each.code == _UNTOUCHED else each for each in told.values())

    def _list(self, object: str, pairs: Sequence[tuple[_Wish, Key]]) -> dict[str, Outcome]:
        """Brings one list of several records to what is wished. Only what did not succeed is answered."""
        made_of = pairs[0][0].made_of
        try:
            items = self._lists.items(made_of, [key for _, key in pairs])
        except (AccessError, Transient, BadAnswer) as trouble:
            return {wish.effect.ref: _failed(wish, "NOT_SENT", trouble.message, again=True) for wish, _ in pairs}
        if items is None:
            why = f"{made_of.object} cannot be seen by our user"
            return {wish.effect.ref: _failed(wish, "LIST_NOT_VISIBLE", why) for wish, _ in pairs}
        held: dict[Key, list[Item]] = defaultdict(list)
        for item in items:
            held[item.parent].append(item)
        makes: list[tuple[_Step, Key]] = []
        drops: list[tuple[_Step, Key]] = []
        for wish, key in pairs:
            there = {item.target for item in held[key]}
            makes += [(_Step(wish, target=target), key) for target in sorted(wish.targets - there)]
            drops += [(_Step(wish, key=item.key), key) for item in held[key] if item.target not in wish.targets]
        answers: dict[str, list[Outcome]] = defaultdict(list)
        for steps in (makes, drops):  # first what comes, so that no list is ever empty on its way
            for start in range(0, len(steps), COLLECTION):
                for step, outcome in self._call(made_of, steps[start : start + COLLECTION]):
                    answers[step.wish.effect.ref].append(outcome)
        return {ref: worst for ref, outcomes in answers.items() if (worst := _worst(outcomes)) is not None}

    def _call(self, made_of: ChildList, steps: Sequence[tuple[_Step, Key]]) -> list[tuple[_Step, Outcome]]:
        """Makes or deletes rows in one call."""
        making = bool(steps[0][0].target)
        try:
            if making:
                kind = {"attributes": {"type": made_of.object}}
                rows = [{**kind, made_of.parent: key, made_of.item: step.target} for step, key in steps]
                reply = self._org.collection_write("POST", rows)
            else:
                reply = self._org.collection_delete([step.key for step, _ in steps])
            results = _results(reply, len(steps))
        except (Doubt, BadAnswer) as doubt:
            return [(step, _failed(step.wish, "NO_ANSWER", doubt.message, doubtful=True)) for step, _ in steps]
        except (AccessError, Transient) as trouble:
            return [(step, _failed(step.wish, "NOT_SENT", trouble.message, again=True)) for step, _ in steps]
        return [(step, _judged(step, result, reply)) for (step, _), result in zip(steps, results, strict=True)]


# ---------------------------------------------------------------- what is wished


def _wishes(object: str, effect: Effect) -> list[_Wish]:
    """The lists that an effect asks for. Raises ValueError, without a value, where an item can be no key."""
    return [
        _Wish(effect, name, made_of, frozenset(_keys(effect.attributes[name])))
        for name, made_of in lists_in(object, list(effect.attributes)).items()
        if effect.op != "create" or effect.attributes[name]
    ]


def _keys(value: Neutral) -> Iterator[Key]:
    if value is None:
        return
    if not isinstance(value, list) or not all(is_id(item) for item in value):
        raise ValueError("the list holds what is no Salesforce id")
    yield from map(id18, value)


# ---------------------------------------------------------------- outcomes


def _fate(effect: Effect, stamps: Mapping[Key, int], states: Mapping[Key, str]) -> Outcome:
    if not effect.key or not is_id(effect.key):
        return _refused(effect, "MALFORMED_ID", "the key is no Salesforce id")
    key = id18(effect.key)
    stamp_ms = stamps.get(key)
    if stamp_ms is None:
        if states.get(key, "live") != "live":
            return Outcome(effect.ref, "gone", key, code="LOOKED", message="the record is deleted, merged or converted")
        return _refused(effect, "NOT_SEEN", "the record cannot be seen by our user")
    if effect.expect_ms is not None and stamp_ms // 1000 > effect.expect_ms // 1000:
        return Outcome(effect.ref, "moved", key, stamp_ms, code="LOOKED")
    return Outcome(effect.ref, "sent", key, code=_UNTOUCHED)


def _results(reply: Reply, count: int) -> list[dict[str, Any] | None]:
    """One result for each row; the refusal of the whole call stands for each."""
    if not reply.ok:
        return [None] * count
    results = reply.decode(_RESULTS)
    if len(results) > count:
        raise BadAnswer("an answer with more results than records")
    missing: dict[str, Any] = {"missing": True}
    return [*results, *[missing] * (count - len(results))]


def _judged(step: _Step, result: dict[str, Any] | None, reply: Reply) -> Outcome:
    wish = step.wish
    if result is None:
        outcome = judge(_row_effect(step), wish.made_of.object, reply.troubles, reply.status)
    elif result.get("success") is True:
        return Outcome(wish.effect.ref, "sent")
    elif result.get("success") is False:
        outcome = judge(_row_effect(step), wish.made_of.object, troubles_of(result))
    else:
        return _failed(wish, "NO_ANSWER", "the answer leaves this record out", doubtful=True)
    if outcome.kind == "gone" and step.key:
        return Outcome(wish.effect.ref, "sent")  # the row that was to go is gone
    return replace(
        outcome, ref=wish.effect.ref, key=None, kind=_settling(outcome), culprits=(wish.name,), existing=None
    )


def _settling(outcome: Outcome) -> Any:
    return "doubtful" if outcome.kind == "doubtful" else "refused"


def _row_effect(step: _Step) -> Effect:
    """The effect on the row, as `judge` takes it."""
    if step.key:
        return Effect("", "archive", step.key, {})
    return Effect("", "create", None, {step.wish.made_of.item: step.target})


def _worst(outcomes: Sequence[Outcome]) -> Outcome | None:
    """What rows came to together; None where all went well. Some done and some not is doubtful."""
    failed = [each for each in outcomes if each.kind != "sent"]
    if not failed:
        return None
    first = next((each for each in failed if not each.again), failed[0])
    whole = len(failed) == len(outcomes) and all(each.kind == "refused" for each in failed)
    return first if whole else replace(first, kind="doubtful", message=f"done in part; then: {first.message}")


def _joined(record: Outcome, of_list: Outcome) -> Outcome:
    """The outcome of an effect whose record was written and whose list was not. Nothing was done to the record itself
    where it was only looked at. What was just made is there, whatever became of its list: the difference will show."""
    if record.kind != "sent":
        return record
    if record.code == _UNTOUCHED:
        return replace(of_list, key=record.key)
    return replace(of_list, key=record.key, kind="doubtful", message=f"the record is written; then: {of_list.message}")


def _failed(wish: _Wish, code: str, why: str, again: bool = False, doubtful: bool = False) -> Outcome:
    kind: Any = "doubtful" if doubtful else "refused"
    return Outcome(wish.effect.ref, kind, None, code=code, message=why, culprits=(wish.name,), again=again)


def _refused(effect: Effect, code: str, why: str, again: bool = False) -> Outcome:
    return Outcome(effect.ref, "refused", effect.key, code=code, message=why, again=again)
