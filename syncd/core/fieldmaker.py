"""From a field of a mapping file to a compiled field: its type, its codecs, its value map.

Promise: every option that does not fit the field's type is refused by name. It does not prove that values settle
(`proof`), nor look at a live system (`live`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from syncd.core import choicemap, days, expr, owners, places, references, values
from syncd.core.choicemap import ChoiceMap
from syncd.core.mapping import FUNNEL_SAYS, Codec, End, Field, Reference
from syncd.core.mappingfile import FieldPart, FormsPart, SidesPart
from syncd.core.model import SIDES, Owners, Side
from syncd.core.problem import Problem
from syncd.core.toml import Document, Path, did_you_mean
from syncd.core.values import Kind

CEL_KINDS: Final[Mapping[str, expr.Kind]] = {
    "text": "text",
    "email": "text",
    "domain": "text",
    "phone": "text",
    "country": "text",
    "number": "number",
    "bool": "truth",
    "date": "moment",
    "datetime": "moment",
    "choice": "text",
    "choices": "texts",
    "owner": "text",
}
"""What an expression sees of a field, by its type. A reference is not seen."""

_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "truncate": ("text",),
    "region": ("phone",),
    "as": ("country",),
    "scale": ("number",),
    "grain": ("datetime",),
    "zone": ("date",),
    "unset": ("bool",),
    "unknown": ("owner",),
    "values": ("choice", "choices"),
    "backward": ("choice",),
    "steps": ("choice",),
    "history": ("choice",),
    "link": ("reference",),
    "also": ("email", "domain", "text"),
    "many": ("reference",),
    "required": ("reference",),
    "refers": ("reference",),
    "on_create": tuple(type_ for type_ in CEL_KINDS if type_ != "owner"),
}
_GRAINS_MS: Final = {"1ms": 1, "1s": 1_000, "1m": 60_000}


class FieldMaker:
    """Makes the field `name` of a file, and collects what is wrong with it."""

    def __init__(
        self,
        document: Document,
        name: str,
        part: FieldPart,
        ends: Mapping[Side, End],
        others: frozenset[str] = frozenset(),
    ) -> None:
        self.document, self.name, self.part, self.ends, self.others = document, name, part, ends, others
        self.path: Path = ("fields", name)
        self.problems: list[Problem] = []
        implied = "reference" if part.link else "choice" if part.values is not None else "text"
        self.type: str = part.type or implied

    def make(self) -> Field | None:
        """The field, or None; `problems` then says why."""
        self._check_options()
        names = {side: self._names(side) for side in SIDES}
        chosen = self._choices() if self.part.values is not None else None
        if self.problems:
            return None
        line, column = self.document.where_key(self.path)
        rolled = {side: found for side in SIDES if (found := self._rolled(side, names[side])) is not None}
        also = {side: self._also(side) for side in SIDES} if self.part.also else {}
        if self.problems:
            return None
        return Field(
            name=self.name,
            type=self.type,
            flow=self.part.flow,
            clash=self.part.clash,
            meet=self.part.meet,
            blank=self.part.blank,
            other="hold" if "hold" in (self.part.other, {"issue": "hold"}.get(self.part.unknown or "")) else "keep",
            backward=self.part.backward,
            once=self.part.once,
            steps=self.part.steps or "any",
            history=self.part.history is True,
            truncate=self.part.truncate,
            place=f"{self.document.file}:{line}:{column}",
            names=names,
            rolled=rolled,
            also=also,
            codecs=self._codecs(chosen),
            values=dict(chosen.forward) if chosen else {},
            alike=dict(chosen.alike) if chosen else {},
            moments=frozenset(self._zones()),
            targets=_targets(chosen) if chosen else {},
            binder=self._owners if self.type == "owner" else None,
            reference=self._reference() if self.type == "reference" else None,
        )

    def _say(self, key: str, what: str, mend: str = "") -> None:
        self.problems.append(self.document.problem((*self.path, *([key] if key else [])), what, mend))

    # ------------------------------------------------------------ options

    def _check_options(self) -> None:
        part = self.part
        for option, types in _OPTIONS.items():
            given = getattr(part, {"as": "as_"}.get(option, option))
            if given not in (None, "ignore") and self.type not in types:
                allowed = " or ".join(f'"{one}"' for one in types)
                mend = f"type = {allowed} takes it" if len(types) < 3 else f"remove '{option}'"
                self._say(option, f"'{option}' does not go with type \"{self.type}\"", mend)
        if self.type == "reference" and part.link is None:
            self._say("", "a reference needs the mapping whose links it follows", 'add: link = "companies"')
        if part.clash == "stricter" and self.type != "bool":
            self._say(
                "clash", "'stricter' is for consent, which is true or false", 'use type = "bool", or another rule'
            )
        if part.truncate is not None and part.flow == "both":
            self._say(
                "truncate",
                f"a text of {part.truncate + 1} characters would be cut to {part.truncate}; as soon as somebody edits the "
                "short one, it would replace the full text",
                'let it flow one way: flow = "to_crm"',
            )
        if part.unset is not None and part.blank == "clear":
            self._say("blank", "with 'unset' a blank is a value, so there is nothing to clear", "remove one of the two")
        if part.region is not None and not places.is_region(part.region):
            self._say("region", f"there is no country '{part.region}'", "two capital letters: US, GB, DE")
        for side, name in self._zones().items():
            if days.zone_named(name) is None:
                self._say("zone", f"there is no time zone '{name}' ({side})", "such as Europe/Berlin, or UTC")
        if part.unknown is not None:
            if part.other != "keep":
                self._say(
                    "other", "'unknown' says already what becomes of an owner without counterpart", "remove 'other'"
                )
            if part.unknown not in ("keep", "issue") and not isinstance(values.email().read(part.unknown), str):
                self._say(
                    "unknown", "this is neither keep, issue nor an e-mail address", 'unknown = "sales@example.com"'
                )
        if part.steps in ("forward", "ask") and part.values is None:
            self._say("steps", "'steps' goes by the order of 'values', and there are none", "list the values in order")
        if part.other not in ("keep", "hold"):
            if part.values is None:
                self._say("other", "'other' can name a value only beside 'values'", "write keep or hold")
        elif part.other == "hold" and self.type not in ("choice", "choices", "owner", "country"):
            self._say("other", f'a value of type "{self.type}" always has a counterpart', "remove 'other'")

    def _names(self, side: Side) -> dict[str, str]:
        end, given = self.ends[side], self.part.marketing if side == "marketing" else self.part.crm
        if isinstance(given, str):
            return dict.fromkeys(end.forms, given)
        if not given and self.part.flow == "both":
            self._say(side, "no form is named", f"write: {{ {end.object} = … }}")
        for form in given:
            if form not in end.forms:
                mend = did_you_mean(form, end.forms) or f"known here: {', '.join(end.forms)}"
                path = (*self.path, side, form)
                said = f"'{form}' is no form of a record on this side"
                self.problems.append(self.document.problem(path, said, mend, key=True))
        return dict(given)

    def _rolled(self, side: Side, names: Mapping[str, str]) -> tuple[str, str] | None:
        """(mapping, roll-up), where this side's name is that of a mapping's roll-up, or of what the funnel tells."""
        known = self.others | FUNNEL_SAYS
        found = {name for name in names.values() if name.partition(".")[0] in known and "." in name}
        if not found:
            return None
        if len(found) > 1 or found != set(names.values()):
            self._say(side, "a roll-up is the same for all forms", "name one roll-up")
        away = "to_marketing" if side == "crm" else "to_crm"
        if self.part.flow != away:
            self._say(
                "flow" if "flow" in self.part.model_fields_set else "",
                f"a roll-up of {side} cannot be written",
                f'flow = "{away}"',
            )
        mapping, _, rollup = min(found).partition(".")
        return mapping, rollup

    def _also(self, side: Side) -> dict[str, tuple[str, ...]]:
        """The attributes with further values, by form."""
        end, also = self.ends[side], self.part.also
        given = [] if also is None else getattr(also, side)
        by_form = given if isinstance(given, dict) else dict.fromkeys(end.forms, given)
        for form in by_form:
            if form not in end.forms:
                mend = did_you_mean(form, end.forms) or f"known here: {', '.join(end.forms)}"
                path = (*self.path, "also", side, form)
                said = f"'{form}' is no form of a record on this side"
                self.problems.append(self.document.problem(path, said, mend, key=True))
        return {form: (names,) if isinstance(names, str) else tuple(names) for form, names in by_form.items() if names}

    # ------------------------------------------------------------ value maps

    def _choices(self) -> ChoiceMap:
        part = self.part
        forward: dict[str, str] = {}
        alike: dict[str, str] = {}
        for key, listed in (part.values or {}).items():
            value, *further = listed if isinstance(listed, list) else [listed]
            for word in (key, value, *further):
                self._check_word(key, word)
            self._check_alike(key, further)
            alike |= {values.clean(word): values.clean(value) for word in further}
            if values.clean(key) in forward and forward[values.clean(key)] != values.clean(value):
                said = f"'{key}' and another key are the same once trimmed, and mean different things"
                self.problems.append(self.document.problem((*self.path, "values", key), said, "keep one of them"))
            forward.setdefault(values.clean(key), values.clean(value))
        if not forward:
            self._say("values", "the value map is empty", 'write: values = { marketing_value = "CRM value" }')
        for key, value in forward.items():
            if value in alike:
                said = f"'{value}' means the same as '{alike[value]}' elsewhere, so it cannot have a meaning of its own"
                self.problems.append(self.document.problem((*self.path, "values", key), said, "list it once"))
        crm, marketing = self._spares()
        if marketing is not None and marketing not in forward:
            mend = did_you_mean(marketing, forward) or "list it in 'values'"
            self._say("other", f"'{marketing}' is written to marketing but not listed in 'values'", mend)
        return ChoiceMap(forward, crm, marketing, alike)

    def _check_alike(self, key: str, further: list[str]) -> None:
        if further and self.type == "choices":
            said = "of several choices each has one counterpart: a list says which words of one choice mean the same"
            self.problems.append(self.document.problem((*self.path, "values", key), said, "name one"))
        for other, listed in (self.part.values or {}).items():
            if other != key and isinstance(listed, list) and (twice := set(further) & set(listed[1:])):
                said = f"'{min(twice)}' would mean both '{key}' and '{other}'"
                self.problems.append(self.document.problem((*self.path, "values", key), said, "list it once"))

    def _check_word(self, key: str, word: str) -> None:
        path = (*self.path, "values", key)
        if not values.clean(word):
            said = "a blank cannot stand in a value map: it would come back as nothing"
            self.problems.append(self.document.problem(path, said, "leave it out; blanks follow the 'blank' rule"))
        elif values.clean(word) != word:
            said = f"'{word}' becomes '{values.clean(word)}' as soon as a system trims it, which is another value"
            self.problems.append(self.document.problem(path, said, "write it without the outer spaces"))
        elif self.type == "choices" and ";" in word:
            said = f"'{word}' holds a semicolon, which separates choices: it would come back as several"
            self.problems.append(self.document.problem(path, said, "rename the choice in the system"))

    def _spares(self) -> tuple[str | None, str | None]:
        """The words that `other` names: (written to the CRM, written to marketing)."""
        other = self.part.other
        if isinstance(other, SidesPart):
            return other.crm, other.marketing
        if other in ("keep", "hold"):
            return None, None
        return (None, other) if self.part.flow == "to_marketing" else (other, None)

    # ------------------------------------------------------------ codecs

    def _codecs(self, chosen: ChoiceMap | None) -> tuple[Codec, Codec]:
        if self.type == "owner":
            return owners.codecs({})
        if self.type == "reference":
            return references.codecs(None, many=bool(self.part.many))
        marketing, crm = self._kinds()
        if chosen is not None:
            return choicemap.codecs(marketing, chosen)
        return values.codec(marketing, crm), values.codec(crm, marketing)

    def _reference(self) -> Reference:
        part, many = self.part, bool(self.part.many)
        line, column = self.document.where((*self.path, "link"))
        named = {side: getattr(part.refers, side, None) for side in SIDES}
        return Reference(
            mapping=str(part.link),
            place=f"{self.document.file}:{line}:{column}",
            many=many,
            required=bool(part.required),
            refers={side: (given,) if isinstance(given, str) else tuple(given or ()) for side, given in named.items()},
            codecs=lambda lookup: references.codecs(lookup, many=many),
        )

    def _zones(self) -> dict[Side, str]:
        """The time zone of each side that keeps the date as a point in time."""
        given = self.part.zone
        named: dict[Side, str | None] = {"marketing": given.marketing, "crm": given.crm} if given else {}
        return {side: name for side, name in named.items() if name is not None}

    def _owners(self, known: Mapping[Side, Owners]) -> tuple[Codec, Codec]:
        unknown = self.part.unknown
        return owners.codecs(known, None if unknown in (None, "keep", "issue") else str(unknown).strip().lower())

    def _kinds(self) -> tuple[Kind, Kind]:
        part = self.part
        if self.type == "country":
            form = part.as_
            both = (form.marketing, form.crm) if isinstance(form, FormsPart) else (form or "name",) * 2
            kinds = [places.country(one) for one in both]
            return kinds[0], kinds[1]
        if self.type == "date" and (zones := self._zones()):
            found = {side: days.zone_named(name) for side, name in zones.items()}
            kinds = [days.day_in(zone) if (zone := found.get(side)) else values.day() for side in SIDES]
            return kinds[0], kinds[1]
        makers: dict[str, Callable[[], Any]] = {
            "text": lambda: values.text(part.truncate),
            "email": values.email,
            "domain": places.domain,
            "phone": lambda: places.phone(part.region),
            "number": lambda: values.number(part.scale),
            "bool": lambda: values.truth(part.unset),
            "date": values.day,
            "datetime": lambda: values.moment(_GRAINS_MS[part.grain or "1s"]),
            "choice": values.choice,
            "choices": values.choices,
        }
        kind = makers[self.type]()
        return kind, kind


def _targets(chosen: ChoiceMap) -> dict[Side, tuple[str, ...]]:
    """Every word that may be written, by side."""
    crm = [*chosen.forward.values(), *([chosen.spare_crm] if chosen.spare_crm else [])]
    return {"marketing": tuple(dict.fromkeys(chosen.forward)), "crm": tuple(dict.fromkeys(crm))}
