"""Pipeline and stage as one attribute: `Pipeline__c.StageName` is `Renewals/Closed Won`.

Stages of several pipelines bear the same names, so a stage alone does not say where a deal stands. Which field names the
pipeline is the setting `pipeline`; an org that has none needs nothing of this.
Promise: what is asked, told and written as one is two fields of the record on the wire; blank where there is no stage,
absent where one of the two cannot be seen. It asks nothing of the org.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connectors.salesforce.shapes import shape_of
from syncd.connector import Attribute, Effect, Found, Neutral, Outcome, Page, Record


@dataclass(frozen=True, slots=True)
class Staged:
    """The joined attribute of one object, where it has one. `name` is empty where it has none."""

    pipeline: str
    stage: str

    @classmethod
    def of(cls, object: str, pipeline: str) -> Staged:
        """`pipeline`: the field that names the pipeline."""
        return cls(pipeline, shape_of(object).stage)

    @property
    def name(self) -> str:
        return f"{self.pipeline}.{self.stage}" if self.pipeline and self.stage else ""

    # ------------------------------------------------------------ reading

    def fields(self, attributes: Sequence[str]) -> Sequence[str]:
        """What to ask for instead."""
        if not self.name or self.name not in attributes:
            return attributes
        rest = [name for name in attributes if name != self.name]
        return tuple(dict.fromkeys((*rest, self.pipeline, self.stage)))

    def record(self, attributes: Sequence[str], record: Record) -> Record:
        """The record with the two as one, and nothing that was not asked for."""
        values = record.attributes
        told = {name: values[name] for name in attributes if name in values}
        if self.pipeline in values and self.stage in values:
            told[self.name] = joined(values[self.pipeline], values[self.stage])
        return msgspec.structs.replace(record, attributes=told)

    def records(self, attributes: Sequence[str], records: Iterable[Record]) -> Iterable[Record]:
        """All of them; untouched where the joined attribute is not asked for."""
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

    def looks(self, where: str, values: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
        """By which fields to look for these values: by the asked one."""
        return [(where, values)]

    def _asked(self, attributes: Sequence[str]) -> bool:
        return bool(self.name) and self.name in attributes

    def described(self, known: dict[str, Attribute]) -> dict[str, Attribute]:
        """The attributes as a description tells of them; none where one of the two cannot be seen. A create may name
        the stage either way."""
        if not self.name or self.pipeline not in known or self.stage not in known:
            return {}
        pipeline, stage = known[self.pipeline], known[self.stage]
        options = tuple(f"{one}/{other}" for one in pipeline.options for other in stage.options)
        both = replace(stage, name=self.name, type="choice", label=f"{pipeline.label} / {stage.label}", length=0)
        return {
            self.stage: replace(stage, instead=(self.name,)),
            self.name: replace(
                both,
                options=options,
                restricted=pipeline.restricted and stage.restricted,
                creatable=pipeline.creatable and stage.creatable,
                updatable=pipeline.updatable and stage.updatable,
                required=False,
            ),
        }

    # ------------------------------------------------------------ writing

    def apart(self, effects: Iterable[Effect]) -> Iterator[Effect | Outcome]:
        """The effects with pipeline and stage as two; a refusal for what is no `PIPELINE/STAGE`."""
        for effect in effects:
            if not self.name or self.name not in effect.attributes:
                yield effect
                continue
            two = split(effect.attributes[self.name])
            if two is None:
                said = "a stage is written as PIPELINE/STAGE"
                yield Outcome(
                    effect.ref, "refused", effect.key, code="UNFIT_VALUE", message=said, culprits=(self.name,)
                )
                continue
            rest = {name: value for name, value in effect.attributes.items() if name != self.name}
            yield replace(effect, attributes={**rest, self.pipeline: two[0], self.stage: two[1]})

    def outcome(self, outcome: Outcome, effect: Effect) -> Outcome:
        """What is said of one of the two is said of both, where the effect names them as one."""
        both = {self.pipeline, self.stage}
        if not self.name or self.name not in effect.attributes or both.isdisjoint(outcome.culprits):
            return outcome
        named = tuple(dict.fromkeys(self.name if name in both else name for name in outcome.culprits))
        return replace(outcome, culprits=named)


def joined(pipeline: Any, stage: Any) -> str | None:
    """`Renewals/Closed Won`; None for no stage."""
    return f"{pipeline or ''}/{stage}" if stage else None


def split(value: Neutral) -> tuple[str, str] | None:
    """(pipeline, stage), or None: it is not both."""
    pipeline, slash, stage = str(value or "").partition("/")
    return (pipeline, stage) if pipeline and slash and stage else None
