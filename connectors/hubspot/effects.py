"""Effects in their parts: properties and associations travel apart, and come back as one outcome.

Promise: every effect gets exactly one outcome; a record is associated only after HubSpot showed that it lives; and
where properties were written and an association was not, that is said. A create carries its associations with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.hubspot.asked import joined, split
from connectors.hubspot.associating import Associating, inline, wanted_of
from connectors.hubspot.errors import ASSOCIATION
from connectors.hubspot.kinds import LISTED, Kind
from connectors.hubspot.listing import Listing, listed_in
from connectors.hubspot.reads import READ_BATCH, Reader
from connectors.hubspot.writes import Writer
from syncd.connector import Effect, Outcome
from syncd.errors import AccessError, Transient


@dataclass(frozen=True, slots=True)
class Effects:
    """Carries out the effects on one account."""

    writer: Writer
    associating: Associating
    reader: Reader
    listing: Listing

    def write(self, kind: Kind, effects: Sequence[Effect]) -> list[Outcome]:
        """See `Connector.write`. Raises only where nothing at all was carried out."""
        only = [effect for effect in effects if _only_listed(effect)]
        if only:
            written = self.write(kind, [one for one in effects if one not in only]) if len(only) < len(effects) else []
            return [*written, *self._list(only, bool(written)).values()]
        by_ref = {effect.ref: effect for effect in effects}
        plain: list[Effect] = []
        outcomes: list[Outcome] = []
        for effect in effects:
            try:
                plain.append(_properties(kind, effect))
            except ValueError as wrong:
                said = str(wrong)
                outcomes.append(
                    Outcome(effect.ref, "refused", effect.key, code="UNSENDABLE", message=said, culprits=(kind.stage,))
                )
        carried = {effect.ref: inline(kind, by_ref[effect.ref]) for effect in plain if effect.op == "create"}
        later = [one for one in plain if one.op == "update" and wanted_of(kind, by_ref[one.ref])]
        bare = {one.ref for one in later if not one.attributes and one.unique is None and not one.clear_first}
        written = self.writer.write(kind, [one for one in plain if one.ref not in bare], carried)
        written = [_whole(kind, by_ref[one.ref], one) for one in written]
        if later:
            begun = any(one.kind in ("sent", "doubtful") for one in written)
            alive = self._alive(kind, [one for one in later if one.ref in bare], begun) if bare else []
            ready = [by_ref[one.ref] for one in (*written, *alive) if one.kind == "sent"]
            ready = [effect for effect in ready if wanted_of(kind, effect)]
            about = self._associate(kind, ready, begun) if ready else {}
            written = [_both(one, about[one.ref]) if one.ref in about else one for one in (*written, *alive)]
        listed = [by_ref[one.ref] for one in written if one.kind == "sent" and listed_in(by_ref[one.ref])]
        if listed:
            put = self._list(listed, begun=True)
            written = [_both(one, put[one.ref]) if one.ref in put else one for one in written]
        return outcomes + written

    def _list(self, effects: Sequence[Effect], begun: bool) -> dict[str, Outcome]:
        """What became of the lists, by ref."""
        try:
            return self.listing.write(effects)
        except (AccessError, Transient) as trouble:
            if not begun:
                raise
            return {effect.ref: _not_yet(effect, trouble.message) for effect in effects}

    def _alive(self, kind: Kind, effects: Sequence[Effect], begun: bool) -> list[Outcome]:
        """Looks whether records live that are only to be associated: HubSpot would associate whatever a merged-away one
        became, without a word. Those that do are `sent` so far."""
        keys = [effect.key or "" for effect in effects]
        try:
            found = {
                record.key: record
                for start in range(0, len(keys), READ_BATCH)
                for record in self.reader.by_id(kind, (), keys[start : start + READ_BATCH])
            }
        except (AccessError, Transient) as trouble:
            if not begun:
                raise
            return [_not_yet(effect, trouble.message) for effect in effects]
        outcomes = []
        for effect in effects:
            record = found.get(effect.key or "")
            if record is not None and record.state == "live":
                outcomes.append(Outcome(effect.ref, "sent", effect.key))
            else:
                state = record.state if record is not None else "not known"
                outcomes.append(
                    Outcome(effect.ref, "gone", effect.key, code="OBJECT_NOT_FOUND", message=f"the record is {state}")
                )
        return outcomes

    def _associate(self, kind: Kind, effects: Sequence[Effect], begun: bool) -> dict[str, Outcome]:
        """What became of the associations, by ref."""
        try:
            return {one.ref: one for one in self.associating.write(kind, effects)}
        except (AccessError, Transient) as trouble:
            if not begun:
                raise
            return {effect.ref: _not_yet(effect, trouble.message) for effect in effects}


def _properties(kind: Kind, effect: Effect) -> Effect:
    """The effect without its references, and with pipeline and stage apart. Raises ValueError."""
    names = {one.name for one in kind.references}
    rest = {n: value for n, value in effect.attributes.items() if n not in names and not n.startswith(LISTED)}
    return replace(effect, attributes=split(kind, rest))


def _only_listed(effect: Effect) -> bool:
    """Whether an update is about lists and nothing else: its record need not be touched."""
    listed = len(listed_in(effect))
    return effect.op == "update" and 0 < listed == len(effect.attributes) and effect.unique is None


def _whole(kind: Kind, effect: Effect, outcome: Outcome) -> Outcome:
    """The outcome in the names that the effect used."""
    culprits = list(outcome.culprits)
    if outcome.code == ASSOCIATION:
        culprits += [one.name for one in wanted_of(kind, effect)]
    values = outcome.attributes
    if kind.staged and kind.stage in effect.attributes:
        ours = {name for name in kind.staged if name not in effect.attributes}
        culprits = list(dict.fromkeys(kind.stage if name in ours else name for name in culprits))
        if values is not None:
            told = {name: value for name, value in values.items() if name not in ours}
            if all(name in values for name in kind.staged):
                told[kind.stage] = joined(*(values[name] for name in kind.staged))
            values = told
    return replace(outcome, culprits=tuple(culprits), attributes=values)


def _both(properties: Outcome, about: Outcome) -> Outcome:
    if about.kind == "sent":
        return replace(properties, attributes={**(properties.attributes or {}), **(about.attributes or {})})
    return about


def _not_yet(effect: Effect, message: str) -> Outcome:
    return Outcome(effect.ref, "refused", effect.key, code="NOT_SENT", message=message, again=True)
