"""Attributes that are no property of their own: references, which are associations, and pipeline and stage in one.

Promise: of whatever is asked, HubSpot is asked only for what it has; and what is made of it is absent wherever a part
of it is. It knows no calls but those that read associations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from connectors.hubspot.associations import READ_BATCH, Associations
from connectors.hubspot.kinds import Kind
from syncd.connector import Entry, Found, Key, Neutral, Page, Record


class Asked:
    """The attributes of one question, and how its answers are completed."""

    def __init__(self, associations: Associations, kind: Kind, attributes: Sequence[str]) -> None:
        self._associations = associations
        self._kind = kind
        self._names = frozenset(attributes)
        self.references = [one for one in kind.references if one.name in self._names]
        self.stage = bool(kind.stage) and kind.stage in self._names
        others = {one.name for one in self.references} | ({kind.stage} if self.stage else set())
        parts = kind.staged if self.stage and kind.staged else ()
        self.properties = list(dict.fromkeys([*(name for name in attributes if name not in others), *parts]))

    @property
    def only_references(self) -> bool:
        """Whether associations alone answer it."""
        return bool(self.references) and not self.properties

    def alone(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Records with their references and nothing else, at a call for a thousand. What is not known from that, the
        stamp and whether it lives, is not told: the stamp is 0."""
        asked = [key for key in dict.fromkeys(keys) if key.isdigit()]
        for key, values in self._associations.values(self._kind, self.references, asked).items():
            yield Record(key, 0, values)

    def pages(self, pages: Iterable[Page]) -> Iterator[Page]:
        """The feed's pages, completed; with references in batches, so that they cost a call for a thousand records."""
        if not self.references:
            for page in pages:
                yield Page(self.records(page.records), page.cursor, page.done)
            return
        waiting: list[Record] = []
        for page in pages:
            waiting += page.records
            if page.done or len(waiting) >= READ_BATCH:
                yield Page(self.records(waiting), page.cursor, page.done)
                waiting = []

    def batches(self, records: Iterable[Record]) -> Iterator[Record]:
        """Records that were read by key, completed."""
        if not self.references:
            yield from self.records(records) if self.stage else records
            return
        waiting: list[Record] = []
        for record in records:
            waiting.append(record)
            if len(waiting) >= READ_BATCH:
                yield from self.records(waiting)
                waiting = []
        yield from self.records(waiting)

    def found(self, found: Iterable[Found]) -> Iterator[Found]:
        """What was found, completed."""
        hits = list(found) if self.references or self.stage else found
        if isinstance(hits, list):
            whole = {record.key: record for record in self.records([hit.record for hit in hits])}
            hits = [Found(hit.value, whole[hit.record.key]) for hit in hits]
        yield from hits

    def records(self, records: Iterable[Record]) -> list[Record]:
        """The records, completed."""
        made = [self._staged(record) for record in records] if self.stage else list(records)
        return self._associations.fill(self._kind, self.references, made) if self.references else made

    def _staged(self, record: Record) -> Record:
        assert self._kind.staged is not None
        pipeline, stage = self._kind.staged
        values = record.attributes
        told = {name: value for name, value in values.items() if name in self._names}
        if pipeline in values and stage in values:
            told[self._kind.stage] = joined(values[pipeline], values[stage])
        history = record.history
        if history is not None and pipeline in history and stage in history:
            lines = _together(history[pipeline], history[stage])
            history = {name: entries for name, entries in history.items() if name in self._names}
            history[self._kind.stage] = lines
        return msgspec.structs.replace(record, attributes=told, history=history)


def joined(pipeline: Any, stage: Any) -> str | None:
    """`default/closedwon`; None for no stage."""
    return f"{pipeline or ''}/{stage}" if stage else None


def split(kind: Kind, attributes: Mapping[str, Neutral]) -> dict[str, Neutral]:
    """The same values with pipeline and stage apart. Raises ValueError for a stage without its pipeline."""
    if not kind.staged or kind.stage not in attributes:
        return dict(attributes)
    apart = {name: value for name, value in attributes.items() if name != kind.stage}
    value = attributes[kind.stage]
    if value is None:
        return apart | {kind.staged[1]: None}
    pipeline, slash, stage = str(value).partition("/")
    if not (pipeline and slash and stage):
        raise ValueError("a stage is written as PIPELINE/STAGE")
    return apart | {kind.staged[0]: pipeline, kind.staged[1]: stage}


def _together(pipelines: Sequence[Entry], stages: Sequence[Entry]) -> list[Entry]:
    """Both histories in one, newest first: at each moment, the pipeline and the stage that held then."""
    lines = []
    for at_ms in sorted({entry.at_ms for entry in (*pipelines, *stages)}, reverse=True):
        held = [next((entry for entry in each if entry.at_ms <= at_ms), None) for each in (pipelines, stages)]
        wrote = [entry for entry in (*pipelines, *stages) if entry.at_ms == at_ms]
        value = joined(*(entry.value if entry else None for entry in held))
        lines.append(Entry(value, at_ms, all(entry.ours for entry in wrote)))
    return lines
