"""Writing in batches, and telling for each input what became of it (contract sections 4.3 to 4.6, 14 and 17).

Promise: every effect gets exactly one outcome; nothing is matched by position; a batch whose fate is unknown is
doubtful as a whole and not sent again; and one bad input does not keep the others from being written.

A batch may be refused as a whole for one input (updates of 2026-09, and anything without trace ids): then nothing of
it was carried out, so what is not to blame is sent again, in halves where HubSpot does not say who is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from connectors.hubspot.errors import PASSING, UNKNOWN, Refusal, Trouble, refusal, trouble_of
from connectors.hubspot.kinds import Kind
from connectors.hubspot.looks import DROPPED, Look
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST, Reader
from connectors.hubspot.wire import Id, decoded, properties_of, shown, stamp_ms
from syncd.connector import Effect, Key, Outcome
from syncd.errors import AccessError, Doubt, Transient
from syncd.http import Answer, BadAnswer, Http

DIVISIBLE = (400, 409, 413, 414)
"""Statuses of a whole batch that one input may have caused."""

_OF_NAMES = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
"""Refusals that hold for every input with that property, whatever its value."""


class WrittenRow(msgspec.Struct):
    """One result of a batch: not the whole record."""

    id: Id
    properties: dict[str, Any] = {}
    updatedAt: str = ""
    objectWriteTraceId: str | None = None


class Written(msgspec.Struct):
    """A batch's answer, whole or partial: what decides is the body, not the status (1.4)."""

    results: list[WrittenRow] = []
    errors: list[Trouble] = []
    numErrors: int | None = None
    status: str | None = None


_NOTHING: Mapping[str, Sequence[Mapping[str, Any]]] = {}
_WRITTEN: msgspec.json.Decoder[Written] = msgspec.json.Decoder(Written)


@dataclass(frozen=True, slots=True)
class Input:
    """One effect on its way: what is sent of it."""

    effect: Effect
    properties: Mapping[str, str]
    associations: Sequence[Mapping[str, Any]] = ()
    """What a create is associated with from the start."""

    @property
    def ref(self) -> str:
        return self.effect.ref

    @property
    def key(self) -> Key:
        return self.effect.key or ""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What one request led to, and which inputs have to be sent again, in which batches."""

    outcomes: list[Outcome]
    again: tuple[list[Input], ...] = ()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one account. `key_of`: the attribute of syncd's key; `choices_of`: attributes of several choices."""

    http: Http
    paths: Paths
    reader: Reader
    key_of: Callable[[str], str | None]
    choices_of: Callable[[str], frozenset[str]]
    learn_app: Callable[[str], None]
    """Told our app's id in histories, which HubSpot writes on what we create."""

    def write(
        self, kind: Kind, effects: Sequence[Effect], inline: Mapping[str, Sequence[Mapping[str, Any]]] = _NOTHING
    ) -> list[Outcome]:
        """See `Connector.write`; properties only. `inline`: by ref, the associations that creates carry with them.
        Raises only where nothing at all was carried out."""
        if not effects:
            return []
        outcomes = self._write(kind, effects, inline)
        return Look(self.reader).close(kind, effects, outcomes, self.key_of(kind.name))

    def _write(
        self, kind: Kind, effects: Sequence[Effect], inline: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> list[Outcome]:
        op = effects[0].op
        outcomes: list[Outcome] = []
        inputs: list[Input] = []
        for effect in effects:
            try:
                inputs.append(replace(self._input(kind, effect), associations=inline.get(effect.ref, ())))
            except ValueError:
                outcomes.append(Outcome(effect.ref, "refused", code="UNSENDABLE", message="a value that is no number"))
        clears = [
            Input(one.effect, dict.fromkeys(one.effect.clear_first, "")) for one in inputs if one.effect.clear_first
        ]
        if op == "update" and clears:
            return outcomes + self._clear_then_set(kind, inputs, clears)
        return outcomes + self._run(kind, op, inputs)

    def _input(self, kind: Kind, effect: Effect) -> Input:
        if effect.op == "archive":
            return Input(effect, {})
        starts_odd = any(isinstance(value, str) and value.startswith(";") for value in effect.attributes.values())
        properties = properties_of(effect.attributes, self.choices_of(kind.name) if starts_odd else frozenset())
        if effect.unique is not None and (key := self.key_of(kind.name)):
            properties[key] = effect.unique
        return Input(effect, properties)

    def _clear_then_set(self, kind: Kind, inputs: list[Input], clears: list[Input]) -> list[Outcome]:
        """A stage that only moves forward is cleared in a request of its own first (14)."""
        cleared = {outcome.ref: outcome for outcome in self._run(kind, "update", clears)}
        stopped = {ref: outcome for ref, outcome in cleared.items() if outcome.kind != "sent"}
        rest = [one for one in inputs if one.ref not in stopped]
        try:
            written = self._run(kind, "update", rest)
        except (AccessError, Transient) as trouble:
            written = [_not_sent(one, trouble) for one in rest]
        return [*stopped.values(), *(_after_clear(one) if one.ref in cleared else one for one in written)]

    def _run(self, kind: Kind, op: Literal["create", "update", "archive"], inputs: Sequence[Input]) -> list[Outcome]:
        """Sends until every input has its outcome."""
        outcomes: list[Outcome] = []
        waiting = list(reversed(_waves(inputs) if op != "create" else [list(inputs)]))
        while waiting:
            batch = waiting.pop()
            if not batch:
                continue
            try:
                done = self._send(kind, op, batch)
            except (AccessError, Transient) as trouble:
                if not outcomes:
                    raise
                left = [one for each in (batch, *waiting) for one in each]
                return outcomes + [_not_sent(one, trouble) for one in left]
            outcomes += done.outcomes
            waiting += reversed(done.again)
        return outcomes

    def _send(self, kind: Kind, op: Literal["create", "update", "archive"], batch: list[Input]) -> Sorted:
        """One request. Raises AccessError, Transient: nothing of it was carried out."""
        body = {"inputs": [_wire(op, one) for one in batch]}
        try:
            answer = self.http.send("POST", self.paths.objects(kind.name, "batch", op), json=body, meters=BURST)
        except Doubt as doubt:
            return Sorted(
                [Outcome(one.ref, "doubtful", one.effect.key, code="NO_ANSWER", message=doubt.message) for one in batch]
            )
        if answer.status >= 300:
            return _refused_whole(answer, batch)
        if op == "archive" and not answer.body:
            return Sorted([Outcome(one.ref, "sent", one.key) for one in batch])
        try:
            written = decoded(answer, _WRITTEN)
        except BadAnswer as bad:
            return Sorted(
                [Outcome(one.ref, "doubtful", one.effect.key, code="NO_ANSWER", message=bad.message) for one in batch]
            )
        if op == "archive" and not written.errors:
            return Sorted([Outcome(one.ref, "sent", one.key) for one in batch])
        for row in written.results:
            if op == "create" and row.properties.get("hs_object_source") == "INTEGRATION":
                self.learn_app(str(row.properties.get("hs_object_source_id") or ""))
        return _sorted(kind, op, batch, written, self.key_of(kind.name))


# ---------------------------------------------------------------- the request


def _wire(op: str, one: Input) -> dict[str, Any]:
    if op == "archive":
        return {"id": one.key}
    sent: dict[str, Any] = {"properties": one.properties, "objectWriteTraceId": one.ref}
    if one.associations:
        sent["associations"] = list(one.associations)
    return {"id": one.key, **sent} if op == "update" else sent


def _waves(inputs: Sequence[Input]) -> list[list[Input]]:
    """Batches in which no record stands twice: HubSpot refuses a batch with the same id in it twice."""
    waves: list[list[Input]] = []
    depth: dict[Key, int] = {}
    for one in inputs:
        wave = depth.get(one.key, 0)
        depth[one.key] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(one)
    return waves


# ---------------------------------------------------------------- the answer


def _sorted(kind: Kind, op: str, batch: Sequence[Input], written: Written, key: str | None) -> Sorted:
    """One outcome an input, from the results and errors of a batch that was at least partly carried out. Several that
    were refused without saying which refusal is whose are sent again one by one: then there is no question."""
    rows = _matched(op, batch, written.results, key)
    faults, unnamed = _blamed(batch, written.errors)
    missing = [one for one in batch if one.ref not in rows and one.ref not in faults]
    if len(missing) == 1 and len(unnamed) == 1:
        faults[missing.pop().ref] = unnamed.pop()
    complete = written.status in (None, "COMPLETE") and (written.numErrors or 0) <= len(written.errors)
    alone = missing if complete and unnamed and len(missing) == len(unnamed) else []
    whole = op == "update" and not unnamed and complete
    outcomes = []
    for one in batch:
        if one in alone:
            continue
        if row := rows.get(one.ref):
            stamp = _stamp(row, kind)
            values = shown(row.properties, list(one.effect.attributes))
            outcomes.append(Outcome(one.ref, "sent", row.id, stamp, values))
        elif trouble := faults.get(one.ref):
            outcomes.append(_refused(one, refusal(trouble)))
        elif whole:  # what HubSpot does with ids that were merged away; `Look` finds out
            said = "left out of the answer without an error, as merged-away records are"
            outcomes.append(Outcome(one.ref, "doubtful", one.effect.key, code=DROPPED, message=said))
        else:
            said = "the answer does not say what became of it"
            outcomes.append(Outcome(one.ref, "doubtful", one.effect.key, code="MISSING", message=said))
    return Sorted(outcomes, tuple([one] for one in alone))


def _matched(op: str, batch: Sequence[Input], rows: Sequence[WrittenRow], key: str | None) -> dict[str, WrittenRow]:
    """Which result is whose, by trace id; where none came back, by id, and for creates by syncd's key or e-mail."""
    refs = {one.ref for one in batch}
    found = {row.objectWriteTraceId: row for row in rows if row.objectWriteTraceId in refs}
    matched: dict[str, WrittenRow] = {ref: row for ref, row in found.items() if ref is not None}
    loose = [row for row in rows if row.objectWriteTraceId not in refs]
    if op != "create":
        by_id = {row.id: row for row in loose}
        matched.update((one.ref, by_id[one.key]) for one in batch if one.ref not in matched and one.key in by_id)
        return matched
    for name in filter(None, (key, "email")):
        by_value = _only((str(row.properties.get(name) or ""), row) for row in loose)
        by_input = _only((one.properties.get(name, ""), one) for one in batch if one.ref not in matched)
        matched.update((one.ref, by_value[value]) for value, one in by_input.items() if value in by_value)
    return matched


def _only(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Items by a value that no other one of them has."""
    seen: dict[str, list[Any]] = {}
    for text, item in pairs:
        if value := text.strip().lower():
            seen.setdefault(value, []).append(item)
    return {value: held[0] for value, held in seen.items() if len(held) == 1}


def _blamed(batch: Sequence[Input], errors: Sequence[Trouble]) -> tuple[dict[str, Trouble], list[Trouble]]:
    """Errors by the input they name (by trace id, or by record id), and those that name none."""
    refs = {one.ref for one in batch}
    by_key = {one.key: one.ref for one in batch if one.key}
    faults: dict[str, Trouble] = {}
    unnamed: list[Trouble] = []
    for trouble in errors:
        named = [ref for ref in trouble.values("objectWriteTraceId") if ref in refs]
        named += [by_key[key] for key in _ids(trouble) if key in by_key]
        faults.update(dict.fromkeys(named, trouble))
        if not named:
            unnamed.append(trouble)
    return faults, unnamed


def _ids(trouble: Trouble) -> Iterator[str]:
    for name in ("ids", "id"):
        yield from trouble.values(name)


def _refused_whole(answer: Answer, batch: list[Input]) -> Sorted:
    """A batch of which nothing was carried out: who is to blame, and who goes again."""
    trouble = trouble_of(answer)
    told = refusal(trouble)
    faults, _ = _blamed(batch, [trouble])
    guilty = [one for one in batch if one.ref in faults]
    if not guilty and told.code in _OF_NAMES:
        guilty = [one for one in batch if any(name in one.properties for name in told.culprits)]
    if not guilty and (len(batch) == 1 or answer.status not in DIVISIBLE):
        guilty = batch
    if guilty:
        blamed = {one.ref for one in guilty}
        return Sorted([_refused(one, told) for one in guilty], ([one for one in batch if one.ref not in blamed],))
    middle = len(batch) // 2
    return Sorted([], (batch[:middle], batch[middle:]))


def _refused(one: Input, told: Refusal) -> Outcome:
    key = one.effect.key
    if told.code in UNKNOWN:
        return Outcome(one.ref, "doubtful", key, code=told.code, message=told.message)
    if told.code == "OBJECT_NOT_FOUND" and key:
        return Outcome(one.ref, "gone", key, code=told.code, message=told.message)
    return Outcome(
        one.ref,
        "refused",
        key,
        code=told.code,
        message=told.message,
        culprits=told.culprits,
        existing=told.existing,
        again=told.code in PASSING,
    )


def _not_sent(one: Input, trouble: AccessError | Transient) -> Outcome:
    return Outcome(one.ref, "refused", one.effect.key, code="NOT_SENT", message=trouble.message, again=True)


def _after_clear(outcome: Outcome) -> Outcome:
    """The second half did not happen, the first did: only a look can tell where the record stands."""
    if outcome.kind != "refused":
        return outcome
    message = f"cleared first, and then refused: {outcome.message}"
    return replace(outcome, kind="doubtful" if outcome.again else "refused", again=False, message=message)


def _stamp(row: WrittenRow, kind: Kind) -> int | None:
    try:
        return stamp_ms(str(row.properties.get(kind.modified) or row.updatedAt))
    except BadAnswer:
        return None
