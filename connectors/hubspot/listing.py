"""Putting contacts into static lists, and taking them out (contract section 12).

Promise: a list is named, and made if it is not there; only one that people fill by hand is written to. To put somebody in
who is in changes nothing, so a call whose fate is unknown may be made again. It does not read who is in a list: `lists`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from connectors.hubspot.errors import PASSING, UNKNOWN, refusal, refuse_read, trouble_of
from connectors.hubspot.kinds import LISTED
from connectors.hubspot.lists import OF_CONTACTS
from connectors.hubspot.paths import Paths
from connectors.hubspot.reads import BURST
from connectors.hubspot.wire import Id
from syncd.connector import Effect, Outcome
from syncd.errors import AccessError, Doubt, Transient
from syncd.http import Answer, Http


class _Row(msgspec.Struct):
    listId: Id


class _Shown(msgspec.Struct):
    list: _Row


class _Moved(msgspec.Struct):
    recordIdsMissing: list[int | str] = []


_SHOWN: msgspec.json.Decoder[_Shown] = msgspec.json.Decoder(_Shown)
_MOVED: msgspec.json.Decoder[_Moved] = msgspec.json.Decoder(_Moved)


def listed_in(effect: Effect) -> list[str]:
    """The attributes of an effect that stand for lists."""
    return [name for name in effect.attributes if name.startswith(LISTED)]


@dataclass(frozen=True, slots=True)
class Listing:
    """Writes who is in the lists of one account."""

    http: Http
    paths: Paths

    def write(self, effects: Sequence[Effect]) -> dict[str, Outcome]:
        """One outcome for each effect, by its ref, about its lists only. Raises AccessError, Transient: nothing of it
        was carried out."""
        outcomes: dict[str, Outcome] = {}
        begun = False
        for attribute in dict.fromkeys(name for effect in effects for name in listed_in(effect)):
            asked = [one for one in effects if attribute in one.attributes and one.ref not in outcomes]
            try:
                outcomes |= {one.ref: one for one in self._one(attribute, asked) if one.kind != "sent"}
            except (AccessError, Transient) as trouble:
                if not begun:
                    raise
                outcomes |= {
                    one.ref: Outcome(one.ref, "refused", one.key, code="NOT_SENT", message=trouble.message, again=True)
                    for one in asked
                }
                continue
            begun = True
        return {
            one.ref: outcomes.get(one.ref)
            or Outcome(one.ref, "sent", one.key, attributes={name: one.attributes[name] for name in listed_in(one)})
            for one in effects
        }

    def _one(self, attribute: str, effects: Sequence[Effect]) -> Iterator[Outcome]:
        """One list: who comes and who goes, in one call."""
        comes = [one.key for one in effects if one.attributes[attribute] is True]
        goes = [one.key for one in effects if one.attributes[attribute] is not True]
        try:
            list_id = self._id(attribute.removeprefix(LISTED), make=bool(comes))
        except AccessError as trouble:
            # A right that only lists need: everything else of the account goes on.
            for one in effects:
                yield Outcome(
                    one.ref, "refused", one.key, code="NO_ACCESS", message=trouble.message, culprits=(attribute,)
                )
            return
        if isinstance(list_id, Answer):
            yield from (_refused(one, attribute, list_id) for one in effects)
            return
        if list_id is None:
            return  # there is nothing to take anybody out of
        body = {"recordIdsToAdd": comes, "recordIdsToRemove": goes}
        try:
            answer = self.http.send(
                "PUT", self.paths.lists(list_id, "memberships", "add-and-remove"), json=body, meters=BURST
            )
        except Doubt as doubt:
            for one in effects:
                yield Outcome(one.ref, "doubtful", one.key, code="NO_ANSWER", message=doubt.message)
            return
        if answer.status >= 300:
            yield from (_refused(one, attribute, answer) for one in effects)
            return
        moved: _Moved = answer.json(_MOVED)
        missing = {str(each) for each in moved.recordIdsMissing}
        for one in effects:
            if one.key in missing:
                said = "the list does not know the record"
                yield Outcome(one.ref, "gone", one.key, code="OBJECT_NOT_FOUND", message=said)

    def _id(self, name: str, *, make: bool) -> str | Answer | None:
        """The list's id; None: there is none, and none is needed; an answer: why it cannot be made."""
        answer = self.http.read("GET", self.paths.lists("object-type-id", OF_CONTACTS, "name", name), meters=BURST)
        if answer.status == 404:
            if not make:
                return None
            body = {"name": name, "objectTypeId": OF_CONTACTS, "processingType": "MANUAL"}
            answer = self.http.send("POST", self.paths.lists(), json=body, meters=BURST)
            if answer.status >= 300:
                return answer
        elif answer.status >= 300:
            raise refuse_read(answer)
        shown: _Shown = answer.json(_SHOWN)
        return shown.list.listId


def _refused(effect: Effect, attribute: str, answer: Answer) -> Outcome:
    told = refusal(trouble_of(answer))
    kind = "doubtful" if told.code in UNKNOWN else "refused"
    return Outcome(
        effect.ref,
        kind,  # type: ignore[arg-type]
        effect.key,
        code=told.code,
        message=f"the list was refused: {told.message}",
        culprits=(attribute,) if kind == "refused" else (),
        again=told.code in PASSING,
    )
