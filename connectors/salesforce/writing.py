"""Carrying out effects: creates and deletes by collections of 200, conditional updates by composites of 25.

Promise: each effect is answered by its ref, once; a call whose fate is unknown is never repeated and makes doubtful
whatever it did not positively answer; nothing is written to a record that changed since `expect_ms`, by the server's
own check where the account honours it, else by a look just before. Source: contract sections 6, 7, 8; hazards H008-H015.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.org import Org, Part
from connectors.salesforce.precondition import Precondition
from connectors.salesforce.reading import Reader
from connectors.salesforce.refusals import clean, judge
from connectors.salesforce.replies import Reply, troubles_of
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.shapes import COLLECTION, COMPOSITE
from connectors.salesforce.soql import identifier
from connectors.salesforce.unsaid import Unsaid
from connectors.salesforce.values import Unfit, http_date, to_wire
from syncd.connector import Effect, Key, Outcome, Scalar
from syncd.errors import AccessError, Doubt, Fault, Transient
from syncd.http import BadAnswer

Body = dict[str, Scalar]
"""What is written to one record."""
Ready = tuple[Effect, Body]
"""An effect that can be sent."""

_RESULTS: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, Any]])
_LOOKED = "the account does not honour conditions; looked just before writing instead"


class Writer:
    """Writes to one org. Safe in several threads."""

    def __init__(self, org: Org, reader: Reader, schemas: Schemas, precondition: Precondition) -> None:
        self._org = org
        self._reader = reader
        self._schemas = schemas
        self._precondition = precondition
        self._unsaid = Unsaid(org, reader, schemas)

    def write(self, object: str, effects: Sequence[Effect]) -> Iterator[Outcome]:
        """See `Connector.write`. Raises, before anything was sent, AccessError, Transient and its kinds."""
        ops = {effect.op for effect in effects}
        if not ops:
            return
        if len(ops) > 1:
            raise Fault(f"effects of several kinds in one write: {', '.join(sorted(ops))}")
        identifier(object)
        key_name = self._schemas.key_of(object) if any(effect.unique for effect in effects) else None
        ready: list[Ready] = []
        for each in self._prepare(effects, key_name):
            if isinstance(each, Outcome):
                yield each
            else:
                ready.append(each)
        by_ref = {effect.ref: effect for effect, _ in ready}
        for step in self._steps(object, ops.pop(), ready):
            yield from self._unsaid.told(object, by_ref, step)

    def _prepare(self, effects: Sequence[Effect], key_name: str | None) -> Iterator[Outcome | Ready]:
        """Turns effects into bodies; refuses here what would be stored wrongly or poison the whole call."""
        taken: set[Key] = set()
        for effect in effects:
            key = ""
            if effect.op != "create":
                if not effect.key or not is_id(effect.key):
                    yield _refused(effect, "MALFORMED_ID", "the key is no Salesforce id")
                    continue
                key = id18(effect.key)
                if key in taken:
                    yield _refused(effect, "SAME_RECORD_TWICE", "another effect of this call is on the record", True)
                    continue
                taken.add(key)
            body: Body = {}
            unfit = ""
            for name, value in effect.attributes.items():
                try:
                    body[name] = to_wire(value)
                except Unfit as reason:
                    unfit = name
                    yield replace(_refused(effect, "UNFIT_VALUE", f"{name}: {reason}"), culprits=(name,))
                    break
            if unfit:
                continue
            if key_name and effect.unique is not None and effect.op != "archive":
                body[key_name] = effect.unique
            yield (replace(effect, key=key) if key else effect), body

    def _steps(self, object: str, op: str, ready: list[Ready]) -> Iterator[list[Outcome]]:
        """The calls of a write, one after the other. The first that fails before it is sent raises; a later one
        refuses its effects for now, since the earlier ones are done."""
        started = False
        for send, batch in self._calls(object, op, ready):
            try:
                outcomes = send(batch)
            except Doubt as doubt:
                outcomes = [_doubtful(effect, doubt.message) for effect, _ in batch]
            except (AccessError, Transient) as trouble:
                if not started:
                    raise
                outcomes = [_refused(effect, "NOT_SENT", trouble.message, True) for effect, _ in batch]
            started = True
            yield outcomes

    def _calls(
        self, object: str, op: str, ready: list[Ready]
    ) -> Iterator[tuple[Callable[[list[Ready]], list[Outcome]], list[Ready]]]:
        """Which call carries which effects, each effect once."""
        if op == "create":
            for batch in _batches(ready, COLLECTION):
                yield lambda batch: self._collect(object, "POST", batch), batch
            return
        if op == "archive":
            for batch in _batches(ready, COLLECTION):
                yield lambda batch: self._archive(object, batch), batch
            return
        stepped = [each for each in ready if each[0].clear_first]
        rest = [each for each in ready if not each[0].clear_first]
        guarded = [each for each in rest if each[0].expect_ms is not None and not _refers(each[1])]
        looked = [each for each in rest if each[0].expect_ms is not None and _refers(each[1])]
        plain = [each for each in rest if each[0].expect_ms is None]
        for batch in _batches(stepped, COMPOSITE):
            yield lambda batch: self._clear_then_set(object, batch), batch
        for batch in _batches(guarded, COMPOSITE):
            yield lambda batch: self._guarded(object, batch), batch
        for batch in _batches(looked, COLLECTION):
            yield lambda batch: self._look_and_collect(object, batch), batch
        for batch in _batches(plain, COLLECTION):
            yield lambda batch: self._collect(object, "PATCH", batch), batch

    # ------------------------------------------------------------ collections

    def _collect(self, object: str, method: str, batch: list[Ready]) -> list[Outcome]:
        """Creates or updates in one call; in several only where one record made the call itself unreadable."""
        rows: list[Mapping[str, Any]] = [
            {"attributes": {"type": object}, **({"id": effect.key} if effect.key else {}), **body}
            for effect, body in batch
        ]
        reply = self._org.collection_write(method, rows)
        if reply.ok:
            return _in_order(object, batch, reply)
        if reply.code != "JSON_PARSER_ERROR" or len(batch) == 1:
            return [judge(effect, object, reply.troubles, reply.status) for effect, _ in batch]
        half = len(batch) // 2  # not one was carried out, and the guilty one is not named: look for it
        return [each for part in (batch[:half], batch[half:]) for each in self._half(object, method, part)]

    def _half(self, object: str, method: str, batch: list[Ready]) -> list[Outcome]:
        try:
            return self._collect(object, method, batch)
        except Doubt as doubt:
            return [_doubtful(effect, doubt.message) for effect, _ in batch]
        except (AccessError, Transient) as trouble:
            return [_refused(effect, "NOT_SENT", trouble.message, True) for effect, _ in batch]

    def _archive(self, object: str, batch: list[Ready]) -> list[Outcome]:
        """Deletes. There is no condition for that, so those with `expect_ms` are looked at just before."""
        moved, batch = self._looked(object, batch)
        if not batch:
            return moved
        try:
            reply = self._org.collection_delete([effect.key or "" for effect, _ in batch])
        except Doubt as doubt:
            return moved + [_doubtful(effect, doubt.message) for effect, _ in batch]
        if reply.ok:
            return moved + _in_order(object, batch, reply)
        return moved + [judge(effect, object, reply.troubles, reply.status) for effect, _ in batch]

    # ------------------------------------------------------------ with a condition

    def _guarded(self, object: str, batch: list[Ready]) -> list[Outcome]:
        if self._precondition.honoured(object, [effect.key or "" for effect, _ in batch]):
            return self._composite(object, batch)
        return [replace(each, message=each.message or _LOOKED) for each in self._look_and_collect(object, batch)]

    def _look_and_collect(self, object: str, batch: list[Ready]) -> list[Outcome]:
        """Updates in one call, those left out that a look just before shows to have moved."""
        moved, batch = self._looked(object, batch)
        if not batch:
            return moved
        try:
            return moved + self._collect(object, "PATCH", batch)
        except Doubt as doubt:
            return moved + [_doubtful(effect, doubt.message) for effect, _ in batch]

    def _composite(self, object: str, batch: list[Ready]) -> list[Outcome]:
        """Updates as parts of one call, each with its own If-Unmodified-Since where the effect has `expect_ms`."""
        parts = []
        for at, (effect, body) in enumerate(batch):
            headers = self._org.write_headers()
            if effect.expect_ms is not None:
                headers["If-Unmodified-Since"] = http_date(effect.expect_ms)
            parts.append(Part(f"e{at}", "PATCH", f"/sobjects/{identifier(object)}/{effect.key}", headers, body))
        try:
            whole, replies = self._org.composite_write(parts)
        except BadAnswer as bad:
            return [_doubtful(effect, bad.message) for effect, _ in batch]
        if not whole.ok:
            return [judge(effect, object, whole.troubles, whole.status) for effect, _ in batch]
        return [
            _of_part(object, effect, replies.get(part.reference))
            for (effect, _), part in zip(batch, parts, strict=True)
        ]

    def _looked(self, object: str, batch: list[Ready]) -> tuple[list[Outcome], list[Ready]]:
        """(those that changed since `expect_ms`, those that may be written), by a look now."""
        keys = [effect.key or "" for effect, _ in batch if effect.expect_ms is not None]
        stamps = self._reader.stamps(object, keys) if keys else {}
        moved: list[Outcome] = []
        free: list[Ready] = []
        for effect, body in batch:
            stamp_ms = stamps.get(effect.key or "")
            if effect.expect_ms is not None and stamp_ms is not None and stamp_ms // 1000 > effect.expect_ms // 1000:
                moved.append(Outcome(effect.ref, "moved", effect.key, stamp_ms, code="LOOKED"))
            else:
                free.append((effect, body))
        return moved, free

    # ------------------------------------------------------------ in two steps

    def _clear_then_set(self, object: str, batch: list[Ready]) -> list[Outcome]:
        """Clears in a call of its own (which carries the condition), then sets. What stops between the two is
        doubtful: a look shows the cleared record."""
        clears: list[Ready] = [(effect, dict.fromkeys(effect.clear_first)) for effect, _ in batch]
        if any(effect.expect_ms is not None for effect, _ in batch):
            first = self._guarded(object, clears)
        else:
            first = self._collect(object, "PATCH", clears)
        cleared = {each.ref: each for each in first}
        outcomes = [each for each in cleared.values() if each.kind != "sent"]
        rest = [each for each in batch if cleared[each[0].ref].kind == "sent"]
        if not rest:
            return outcomes
        try:
            second = self._collect(object, "PATCH", rest)
        except (AccessError, Transient) as trouble:
            second = [_doubtful(effect, trouble.message) for effect, _ in rest]
        return outcomes + [
            each if each.kind == "sent" else replace(each, kind="doubtful", message=f"cleared; then: {each.message}")
            for each in second
        ]


# ---------------------------------------------------------------- answers to outcomes


def _in_order(object: str, batch: Sequence[Ready], reply: Reply) -> list[Outcome]:
    """The outcomes of a collections call: its results stand in the order of the records, and echo an id to check by."""
    try:
        results = reply.decode(_RESULTS)
    except BadAnswer as bad:
        return [_doubtful(effect, bad.message) for effect, _ in batch]
    if len(results) > len(batch):
        return [_doubtful(effect, "an answer with more results than records") for effect, _ in batch]
    padded: list[dict[str, Any] | None] = [*results, *[None] * (len(batch) - len(results))]
    return [_of_result(object, effect, result) for (effect, _), result in zip(batch, padded, strict=True)]


def _of_result(object: str, effect: Effect, result: dict[str, Any] | None) -> Outcome:
    if result is None:
        return _doubtful(effect, "the answer leaves this record out")
    said = result.get("id")
    key = id18(said) if isinstance(said, str) and is_id(said) else None
    if effect.key and key and key != effect.key:
        return _doubtful(effect, "the answer is about another record")
    if result.get("success") is True:
        return Outcome(effect.ref, "sent", key or effect.key) if key or effect.key else _doubtful(effect, "no id came")
    if result.get("success") is False:
        return judge(effect, object, troubles_of(result))
    return _doubtful(effect, "the answer does not say whether it was done")


def _of_part(object: str, effect: Effect, reply: Reply | None) -> Outcome:
    if reply is None:
        return _doubtful(effect, "the answer leaves this record out")
    if reply.ok:
        return Outcome(effect.ref, "sent", effect.key)
    return judge(effect, object, reply.troubles, reply.status)


def _doubtful(effect: Effect, why: str) -> Outcome:
    return Outcome(effect.ref, "doubtful", effect.key or None, code="NO_ANSWER", message=clean([why], effect))


def _refused(effect: Effect, code: str, why: str, again: bool = False) -> Outcome:
    return Outcome(effect.ref, "refused", effect.key, code=code, message=why, again=again)


def _refers(body: Body) -> bool:
    """Whether a value looks like a reference of a composite call (`@{name.field}`), which would be replaced there."""
    return any(isinstance(value, str) and "@{" in value for value in body.values())


def _batches(ready: Sequence[Ready], size: int) -> Iterable[list[Ready]]:
    return (list(ready[start : start + size]) for start in range(0, len(ready), size))
