"""Value maps: marketing's choices -> the CRM's, where several of either side may mean one of the other's.

Promise: both sides compare in the CRM's words, so a coarser word never looks like a change and never travels back over
a finer one. Where several of the CRM's mean the same, the first listed stands for all. On the way back the value that stands there is kept if it means the same; else the first listed is taken.
A word without counterpart is `Unmapped`; of several choices, one such word makes the whole value so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Bad, Canonical, Neutral, Unmapped
from syncd.core.values import Kind


@dataclass(frozen=True, slots=True)
class ChoiceMap:
    """A field's `values`, and its `other` where that names a value. All words are clean text."""

    forward: Mapping[str, str]
    """marketing's word -> the CRM's, as listed"""
    spare_crm: str | None = None
    """the CRM's word for every word of marketing's that is not listed"""
    spare_marketing: str | None = None
    """marketing's word (a listed one) for every word of the CRM's that is not listed"""
    alike: Mapping[str, str] = field(default_factory=dict)
    """the CRM's further words -> the one in `forward` that means the same"""

    def meanings(self) -> tuple[Callable[[str], str | None], Callable[[str], str | None]]:
        """What a word of marketing's, and of the CRM's, compares by: one of the CRM's words, or None."""
        forward, spare, alike = dict(self.forward), self.spare_crm, dict(self.alike)
        image = {*forward.values(), *([spare] if spare else [])}
        unlisted = forward.get(self.spare_marketing) if self.spare_marketing else None
        return (lambda word: forward.get(word, spare)), (
            lambda word: word if word in image else alike.get(word, unlisted)
        )

    def inverse(self) -> Callable[[str], str | None]:
        """Marketing's word to write for one of the CRM's: the first listed, or the spare."""
        first: dict[str, str] = {}
        for word, means in self.forward.items():
            first.setdefault(means, word)
        first |= {word: first[means] for word, means in self.alike.items()}
        spare = self.spare_marketing
        if self.spare_crm is not None and self.spare_crm not in first:
            # It stands for words that nobody listed: which of them is not known.
            return lambda word: first.get(word, None if word == self.spare_crm else spare)
        return lambda word: first.get(word, spare)


def codecs(kind: Kind, chosen: ChoiceMap) -> tuple[Codec, Codec]:
    """The codecs of a `choice` or `choices` field with a value map: marketing's, the CRM's."""
    means_marketing, means_crm = chosen.meanings()
    inverse = chosen.inverse()
    marketing, crm = _reader(kind, means_marketing), _reader(kind, means_crm)

    def render_crm(source: Any, current: Any) -> Neutral | Unmapped | Bad:
        wanted = marketing(source)
        if wanted is None or isinstance(wanted, (Unmapped, Bad)):
            return wanted
        if current is not None and crm(current) == wanted:
            return current  # type: ignore[no-any-return]
        return kind.write(wanted, source)

    def render_marketing(source: Any, current: Any) -> Neutral | Unmapped | Bad:
        wanted = crm(source)
        if wanted is None or isinstance(wanted, (Unmapped, Bad)):
            return wanted
        if current is not None and marketing(current) == wanted:
            return current  # type: ignore[no-any-return]
        standing = _words(kind.read(current))
        found: list[str] = []
        for word in _words(kind.read(source)):
            meaning = means_crm(word)
            same = [one for one in standing if means_marketing(one) == meaning]
            back = inverse(word)
            if not same and back is None:
                return Unmapped(kind.read(source))
            found += same or [str(back)]
        return kind.write(_value(kind, found), source)

    def see_crm(raw: Any) -> Any:
        value = kind.read(raw)
        words = [inverse(word) for word in _words(value)]
        if isinstance(value, Bad) or None in words:
            return UNSEEN
        return kind.blank_seen if value is None else kind.see(_value(kind, [str(word) for word in words]))

    return Codec(marketing, render_marketing, _viewer(kind)), Codec(crm, render_crm, see_crm)


def _reader(kind: Kind, meaning: Callable[[str], str | None]) -> Callable[[Any], Canonical]:
    def read(raw: Any) -> Canonical:
        value = kind.read(raw)
        if value is None or isinstance(value, Bad):
            return value
        found = [meaning(word) for word in _words(value)]
        return Unmapped(value) if None in found else _value(kind, [str(word) for word in found])

    return read


def _viewer(kind: Kind) -> Callable[[Any], Any]:
    def see(raw: Any) -> Any:
        value = kind.read(raw)
        if value is None:
            return kind.blank_seen
        return UNSEEN if isinstance(value, Bad) else kind.see(value)

    return see


def _words(value: Canonical) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) else ()


def _value(kind: Kind, words: list[str]) -> Canonical:
    return tuple(sorted(set(words))) if kind.name == "choices" else words[0]
