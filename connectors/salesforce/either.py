"""One reference that stands in one of several fields: a campaign member's lead or contact is `LeadOrContactId`.

Promise: what is asked, told, looked up by and written as one reference is on the wire the field for that kind of record;
the key itself tells which. A member who was converted has both fields: the later form counts. Blank where both are blank,
absent where one of them cannot be seen. It asks nothing of the org.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from connectors.salesforce.shapes import OneOf, shape_of
from syncd.connector import Attribute, Effect, Found, Key, Outcome, Page, Record


@dataclass(frozen=True, slots=True)
class Either:
    """The joined references of one object, by their name; most objects have none."""

    names: Mapping[str, OneOf] = field(default_factory=dict)

    @classmethod
    def of(cls, object: str) -> Either:
        """Those of this object."""
        return cls(shape_of(object).either)

    # ------------------------------------------------------------ reading

    def fields(self, attributes: Sequence[str]) -> Sequence[str]:
        """What to ask for instead."""
        if not self._asked(attributes):
            return attributes
        asked = [each for name in attributes for each in (self.names[name].fields if name in self.names else (name,))]
        return tuple(dict.fromkeys(asked))

    def record(self, attributes: Sequence[str], record: Record) -> Record:
        """The record with one reference for several, and nothing that was not asked for."""
        values = record.attributes
        told = {name: values[name] for name in attributes if name in values}
        for name, one in self.names.items():
            if name in attributes and all(each in values for each in one.fields):
                told[name] = next((values[each] for each in reversed(one.fields) if values[each] is not None), None)
        return msgspec.structs.replace(record, attributes=told)

    def records(self, attributes: Sequence[str], records: Iterable[Record]) -> Iterable[Record]:
        """All of them; untouched where no joined reference is asked for."""
        return (self.record(attributes, one) for one in records) if self._asked(attributes) else records

    def pages(self, attributes: Sequence[str], pages: Iterator[Page]) -> Iterator[Page]:
        """The pages of a feed."""
        if not self._asked(attributes):
            return pages
        told = self.records
        return (msgspec.structs.replace(page, records=list(told(attributes, page.records))) for page in pages)

    def found(self, attributes: Sequence[str], hits: Iterator[Found]) -> Iterator[Found]:
        """What a look-up met."""
        if not self._asked(attributes):
            return hits
        return (Found(hit.value, self.record(attributes, hit.record)) for hit in hits)

    def looks(self, where: str, values: Sequence[str]) -> list[tuple[str, list[str]]]:
        """By which fields to look for these values, each by the one for its kind of record."""
        one = self.names.get(where)
        if one is None:
            return [(where, [*values])]
        parted = [(name, [value for value in values if one.field_for(value) == name]) for name in one.fields]
        return [(name, mine) for name, mine in parted if mine]

    def _asked(self, attributes: Sequence[str]) -> bool:
        return bool(self.names) and not self.names.keys().isdisjoint(attributes)

    def described(self, known: Mapping[str, Attribute]) -> dict[str, Attribute]:
        """The attributes as a description tells of them; none where one of their fields cannot be seen."""
        return {
            name: Attribute(
                name,
                "reference",
                label=one.label,
                creatable=all(known[each].creatable for each in one.fields),
                updatable=all(known[each].updatable for each in one.fields),
                refers=one.refers,
            )
            for name, one in self.names.items()
            if all(each in known for each in one.fields)
        }

    # ------------------------------------------------------------ writing

    def apart(self, effects: Iterable[Effect]) -> Iterator[Effect | Outcome]:
        """The effects with each reference in its own field; a refusal for a key of another kind of record."""
        for effect in effects:
            wanted: dict[str, Key] = {}
            wrong = []
            for name in self.names.keys() & effect.attributes.keys():
                key = effect.attributes[name]
                place = None if key is None else self.names[name].field_for(str(key))
                if place is not None:
                    wanted[place] = str(key)
                elif key is not None or effect.op != "create":
                    wrong.append(name)
            if wrong:
                said = "this reference takes the id of one of the objects it is for"
                yield Outcome(
                    effect.ref, "refused", effect.key, code="UNFIT_VALUE", message=said, culprits=tuple(wrong)
                )
            elif self.names:
                rest = {name: value for name, value in effect.attributes.items() if name not in self.names}
                yield replace(effect, attributes={**rest, **wanted})
            else:
                yield effect

    def outcome(self, outcome: Outcome, effect: Effect) -> Outcome:
        """What is said of a field is said of the reference that was to be written there."""
        joined = {
            each: name for name in self.names.keys() & effect.attributes.keys() for each in self.names[name].fields
        }
        if not joined or not outcome.culprits:
            return outcome
        return replace(outcome, culprits=tuple(dict.fromkeys(joined.get(name, name) for name in outcome.culprits)))
