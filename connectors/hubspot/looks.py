"""What a batch's answer did not say, found out by reading: was it merged away, who is in the way.

Promise: it only reads, only where an answer left something open, and trouble on the way leaves the outcome as careful
as it was. A record is called gone on evidence, not because an answer left it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.hubspot.kinds import Kind
from connectors.hubspot.reads import Reader
from connectors.hubspot.wire import to_wire
from syncd.connector import Effect, Neutral, Outcome
from syncd.errors import AccessError, Transient

DROPPED = "DROPPED"
"""The code of an update that the answer left out without an error: so HubSpot treats merged-away ids."""

TAKEN = frozenset({"CONFLICT", "CONFLICTING_UNIQUE_VALUE"})
"""Codes of refusals because of a value that another record holds."""


@dataclass(frozen=True, slots=True)
class Look:
    """Looks up what is open, for one account."""

    reader: Reader

    def close(self, kind: Kind, effects: Sequence[Effect], outcomes: list[Outcome], key: str | None) -> list[Outcome]:
        """The same outcomes, with what could be found out."""
        dropped = [one.key for one in outcomes if one.code == DROPPED and one.key]
        taken = [one for one in outcomes if one.code in TAKEN and (one.existing is None or not one.culprits)]
        if not dropped and not taken:
            return outcomes
        by_ref = {effect.ref: effect for effect in effects}
        try:
            fates = {one.key: one for one in self.reader.by_id(kind, (), dropped[:100])} if dropped else {}
            holders = {one.ref: self._holder(kind, by_ref[one.ref], one, key) for one in taken}
        except (AccessError, Transient):
            fates, holders = {}, {}
        closed = []
        for one in outcomes:
            fate = fates.get(one.key or "")
            if one.code == DROPPED and fate is not None and fate.state in ("gone", "merged"):
                said = "merged into another record" if fate.state == "merged" else "archived"
                one = replace(one, kind="gone", message=f"left out of the answer: it is {said}")
            elif held := holders.get(one.ref):
                holder, name = held
                named = (name,) if name in by_ref[one.ref].attributes else ()
                one = replace(one, existing=one.existing or holder, culprits=one.culprits or named)
            closed.append(one)
        return closed

    def _holder(self, kind: Kind, effect: Effect, outcome: Outcome, key: str | None) -> tuple[str, str] | None:
        """The record that holds a unique value of an effect, and the attribute whose value that is."""
        asked: dict[str, Neutral] = dict(effect.attributes)
        if key and effect.unique is not None:
            asked[key] = effect.unique
        names = outcome.culprits or (("email",) if kind.has_emails else ())
        for name in names:
            if value := to_wire(asked.get(name)):
                for found in self.reader.find(kind, (), name, [value], unique=True):
                    if found.record.key != effect.key:
                        return found.record.key, name
        return None
