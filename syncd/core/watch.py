"""A watch, compiled: which records of one side are events, when they happened, and to whom.

Promise: frozen and total: whatever a record holds, `sight` gives an event or None, never an exception. It pairs
nothing, decides nothing and writes nothing: what it sees is for reports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pydantic

from syncd.core import expr, values
from syncd.core.expr import Gate
from syncd.core.live import SchemaLike
from syncd.core.mapping import End
from syncd.core.mapping import Mapping as Compiled
from syncd.core.model import UNSEEN, Bad, Canonical
from syncd.core.problem import Problem
from syncd.core.together import at_place
from syncd.core.toml import Document, did_you_mean, problems
from syncd.core.values import Kind
from syncd.core.watchfile import MOST_MAPPINGS, WatchFile

ITSELF: Final = "itself"
"""In `on`: the watched record itself is what the event happened to."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that is kept of an event."""

    name: str
    attribute: str
    type: str
    place: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sight:
    """What a watch makes of a record."""

    at_ms: int
    """When it happened, UTC epoch milliseconds."""
    refs: tuple[tuple[str, str], ...]
    """(mapping, key): to which records, of the same side."""
    values: dict[str, Any]
    """By field name; blank and unreadable values are left out."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch's file, compiled."""

    name: str
    digest: str
    """SHA-256 of the text, hexadecimal."""
    file: str
    text: str
    end: End
    means: str
    each: Literal["record", "change"]
    at: str
    on: Mapping[str, tuple[str, ...]]
    """Reference field, or `itself` -> mappings."""
    when: Gate | None
    fields: tuple[Seen, ...]
    places: Mapping[str, str]
    """Where each entry of `on` stands."""
    kind: Literal["watch"] = "watch"

    @property
    def ends(self) -> tuple[End, ...]:
        """The one side that it looks at."""
        return (self.end,)

    def attributes(self) -> tuple[str, ...]:
        """What has to be read, sorted."""
        return tuple(sorted({field.attribute for field in self.fields}))

    def sight(self, key: str, attributes: Mapping[str, Any]) -> Sight | None:
        """The event that this record is, or None: its time is blank, or the rule is not met (unknown is not met)."""
        kept: dict[str, Any] = {}
        context: dict[str, Any] = {}
        at_ms = None
        for field in self.fields:
            raw = attributes.get(field.attribute)
            value = field.kind.read(raw)
            if value is None or isinstance(value, Bad):
                if value is None and field.kind.blank_seen is not UNSEEN:
                    context[field.name] = field.kind.blank_seen
                continue
            kept[field.name] = field.kind.write(value, raw)
            if self.when is not None:
                context[field.name] = field.kind.see(value)
            if field.name == self.at:
                at_ms = _ms(value)
        if at_ms is None or (self.when is not None and self.when.holds(context) is not True):
            return None
        refs = dict.fromkeys(
            (mapping, target)
            for name, mappings in self.on.items()
            for target in ([key] if name == ITSELF else _keys(kept.get(name)))
            for mapping in mappings
        )
        return Sight(at_ms, tuple(refs), kept)


def _keys(said: Any) -> list[str]:
    return [] if said is None else said if isinstance(said, list) else [said]


def _ms(value: Canonical) -> int:
    """A date counts from its midnight, UTC."""
    if isinstance(value, str):
        return round(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000)
    return int(value)


# ---------------------------------------------------------------- kinds of values


def _several() -> Kind:
    """Keys of records: a set, in a stable order."""

    def read(raw: Any) -> Canonical:
        parts = [raw] if isinstance(raw, str) else raw
        if parts is None or not isinstance(parts, list | tuple):
            return None if parts is None else Bad("it is no list of keys")
        found = [values.plain_text(part) for part in parts]
        if any(isinstance(part, Bad) for part in found):
            return Bad("it is no list of keys")
        return tuple(sorted({part for part in found if isinstance(part, str)})) or None

    return Kind("references", "texts", read, lambda value, raw: list(value), list, ())


_KINDS: Final = {
    "text": values.text,
    "email": values.email,
    "number": values.number,
    "bool": values.truth,
    "date": values.day,
    "datetime": lambda: values.moment(1),
    "choice": values.choice,
    "choices": values.choices,
    "owner": values.text,
    "reference": values.text,
    "references": _several,
}
_POINTS: Final = ("reference", "references")
_TIMES: Final = ("datetime", "date")


# ---------------------------------------------------------------- from the file


def compile_watch(document: Document, text: str) -> tuple[Watch | None, list[Problem]]:
    """The watch, or every problem of its file."""
    try:
        shape = WatchFile.model_validate(document.data)
    except pydantic.ValidationError as error:
        return None, problems(error, document, document.file, WatchFile)
    made = _Compiler(document, shape)
    watch = made.watch(text)
    return (None, made.problems) if made.problems else (watch, [])


class _Compiler:
    def __init__(self, document: Document, shape: WatchFile) -> None:
        self.document, self.shape = document, shape
        self.problems: list[Problem] = []

    def _say(self, path: tuple[str | int, ...], what: str, mend: str = "", *, key: bool = False) -> None:
        self.problems.append(self.document.problem(path, what, mend, key=key))

    def _place(self, *path: str) -> str:
        line, column = self.document.where_key(path)
        return f"{self.document.file}:{line}:{column}"

    def watch(self, text: str) -> Watch:
        shape = self.shape
        fields = tuple(self._fields())
        self._check_at()
        on = {name: (to,) if isinstance(to, str) else tuple(to) for name, to in shape.on.items()}
        self._check_on(on)
        return Watch(
            name=shape.name,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            file=self.document.file,
            text=text,
            end=End(shape.side, shape.system, shape.object, (shape.object,)),
            means=shape.means,
            each=shape.each,
            at=shape.at,
            on=on,
            when=self._when({field.name: field.kind.cel for field in fields}),
            fields=fields,
            places={name: self._place("on", name) for name in on},
        )

    def _fields(self) -> Iterator[Seen]:
        for name, part in self.shape.fields.items():
            if name in expr.RESERVED or name == ITSELF:
                self._say(("fields", name), f"'{name}' has a meaning of its own", "rename the field", key=True)
                continue
            yield Seen(name, part.attribute, part.type, self._place("fields", name), _KINDS[part.type]())

    def _check_at(self) -> None:
        at = self.shape.fields.get(self.shape.at)
        if at is None:
            mend = did_you_mean(self.shape.at, self.shape.fields) or "declare it under [fields]"
            self._say(("at",), f"there is no field '{self.shape.at}'", mend)
        elif at.type not in _TIMES:
            self._say(("at",), f"'{self.shape.at}' is no time: its type is \"{at.type}\"", 'type = "datetime"')

    def _check_on(self, on: Mapping[str, tuple[str, ...]]) -> None:
        for name, mappings in on.items():
            if not mappings or len(set(mappings)) < len(mappings) or len(mappings) > MOST_MAPPINGS:
                self._say(("on", name), f"name from 1 to {MOST_MAPPINGS} mappings, each once")
            if name == ITSELF:
                continue
            field = self.shape.fields.get(name)
            if field is None:
                mend = did_you_mean(name, self.shape.fields) or "declare it under [fields], or write: itself"
                self._say(("on", name), f"there is no field '{name}'", mend, key=True)
            elif field.type not in _POINTS:
                said = f"'{name}' points to nobody: its type is \"{field.type}\""
                self._say(("on", name), said, 'type = "reference"', key=True)

    def _when(self, kinds: Mapping[str, expr.Kind]) -> Gate | None:
        text = self.shape.when
        if text is None:
            return None
        broken: dict[str, expr.Kind] = dict.fromkeys(self.shape.fields.keys() - kinds.keys() - expr.RESERVED, "any")
        compiled, flaws = expr.Language({**kinds, **broken}).compile(text)
        for flaw in flaws:
            line, column = self.document.inside(("when",), flaw.line, flaw.column)
            self.problems.append(Problem(self.document.file, line, column, flaw.what, flaw.mend))
        if compiled is None:
            return None
        line, column = self.document.where(("when",))
        return Gate(text, f"{self.document.file}:{line}:{column}", compiled.names, compiled)


# ---------------------------------------------------------------- with the other files, and live


def check_watches(
    watches: Iterable[Watch], mappings: Mapping[str, Compiled], declared: Iterable[str] = ()
) -> Iterator[Problem]:
    """What watches may not do beside mappings: share a name, or hang on a mapping that is not there or not there on
    their side. `declared`: names of mappings whose files have problems of their own."""
    files = {name: mapping.file for name, mapping in mappings.items()}
    declared = set(declared)
    for watch in watches:
        if watch.name in files:
            said = f"{files[watch.name]} is called '{watch.name}' too"
            yield Problem(watch.file, 1, 1, said, "rename one of them")
        files.setdefault(watch.name, watch.file)
        for name, wanted in watch.on.items():
            for one in wanted:
                mapping = mappings.get(one)
                if mapping is None:
                    if one not in declared:
                        mend = did_you_mean(one, mappings) or f"there are: {', '.join(mappings) or 'none'}"
                        yield at_place(watch.places[name], f"there is no mapping '{one}'", mend)
                    continue
                end = mapping.end(watch.end.side)
                if end.system != watch.end.system:
                    said = (
                        f"'{one}' has its {end.side} side in {end.system}, and this watch looks at {watch.end.system}"
                    )
                    yield at_place(watch.places[name], said, "name a mapping of the same system")
                elif name == ITSELF and watch.end.object not in end.forms:
                    said = f"{watch.end.object} is no record of '{one}': those are {', '.join(end.forms)}"
                    yield at_place(watch.places[name], said, "name the mapping that it belongs to")


def check_answers(
    mappings: Iterable[Compiled], watches: Mapping[str, Watch], declared: Iterable[str] = ()
) -> Iterator[Problem]:
    """What is wrong with the watches that tell memberships who answered. `declared`: names of files that have problems
    of their own."""
    declared = set(declared)
    for mapping in mappings:
        answers = mapping.answers
        reference = mapping.field(answers.person).reference if answers is not None else None
        if answers is None or reference is None:
            continue
        for name, (field, _) in answers.watches.items():
            watch = watches.get(name)
            if watch is None:
                if name not in declared:
                    mend = did_you_mean(name, watches) or f"there are: {', '.join(watches) or 'none'}"
                    yield at_place(answers.place, f"there is no watch '{name}'", mend)
                continue
            if field not in {one.name for one in watch.fields}:
                mend = did_you_mean(field, [one.name for one in watch.fields])
                yield at_place(answers.place, f"the watch '{name}' has no field '{field}'", mend)
            if watch.end.side != "marketing" or not any(reference.mapping in on for on in watch.on.values()):
                said = f"the watch '{name}' does not say what marketing's records of '{reference.mapping}' did"
                yield at_place(answers.place, said, f"its 'on' has to name '{reference.mapping}'")


_READS: Final[Mapping[str, frozenset[str]]] = {
    "number": frozenset({"number", "text"}),
    "bool": frozenset({"bool", "choice"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "reference": frozenset({"reference", "text", "other"}),
    "references": frozenset({"references", "reference", "other"}),
}
"""What may stand behind a type; a type that is not listed reads anything that is text."""


def check_watch_schema(watch: Watch, schema: SchemaLike) -> Iterator[Problem]:
    """What the live schema does not offer of what the watch wants to see."""
    for field in watch.fields:
        attribute = schema.attributes.get(field.attribute)
        if attribute is None:
            mend = did_you_mean(field.attribute, schema.attributes) or "give the sync user access to it"
            said = f"{watch.end.object} has no attribute '{field.attribute}' that the sync user can see"
            yield at_place(field.place, said, mend)
        elif field.type in _READS and attribute.type not in _READS[field.type]:
            said = f"{watch.end.object}.{field.attribute} holds {attribute.type}, and '{field.name}' is of type"
            yield at_place(field.place, f'{said} "{field.type}"', f'type = "{attribute.type}" fits it')
