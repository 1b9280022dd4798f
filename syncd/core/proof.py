"""Proof on load: that a field's values settle, shown on values that are known to be nasty.

Promise: a field that would rewrite a value for ever, or bring it back poorer than it left, is refused with the value
that shows it. What a system may do to a value (trim it, re-order it, print it otherwise) is tried as well. It proves by
trying, over every entry of a value map and a fixed list per type: no difference found is strong evidence, not logic.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from syncd.core.mapping import Field
from syncd.core.model import SIDES, Bad, Side, Unmapped, other
from syncd.core.values import plain_text

ROUNDS: Final = 4
"""How often a value is sent to and fro."""

_NAMES: Final = {"marketing": "marketing", "crm": "the CRM"}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A value that does not settle."""

    what: str
    mend: str


def prove(field: Field) -> Counterexample | None:
    """The first value found that would not settle, or would be lost on the way back; None if all settle."""
    for source in SIDES:
        if not field.writable(other(source)):
            continue
        for sample in samples(field, source):
            if (found := _cross(field, source, sample)) is not None:
                return found
    return None


def _cross(field: Field, source: Side, sample: Any) -> Counterexample | None:
    """One value from `source`, written across, bent there, and sent back."""
    target = other(source)
    meant = field.canonical(source, sample)
    written = field.render(target, sample, None)
    if _is_nothing(written):
        return (
            None
            if meant is None or isinstance(meant, (Unmapped, Bad)) or isinstance(written, (Unmapped, Bad))
            else (
                Counterexample(
                    f"{show(sample)} of {_NAMES[source]} is written as a blank", "give it a value that is not blank"
                )
            )
        )
    for seen in _bent(field.type, written):
        if field.canonical(target, seen) != meant:
            return Counterexample(
                f"{show(sample)} becomes {show(written)}, which {_NAMES[target]} may keep as {show(seen)}: that compares as "
                "another value, so it would be written again in every cycle and never settle",
                "change the value, or let the field flow one way",
            )
    return _return(field, source, sample, written) if field.writable(source) else None


def _return(field: Field, source: Side, sample: Any, written: Any) -> Counterexample | None:
    """A two-way value on its way back: to where it came from, and to a record that holds nothing yet."""
    target, path = other(source), [show(sample)]
    here, there = sample, written
    for _ in range(ROUNDS):
        path.append(show(there))
        back = field.render(source, there, here)
        if _is_nothing(back):
            break
        again = field.render(target, back, there)
        path.append(show(back))
        if not _is_nothing(again) and field.canonical(target, again) != field.canonical(target, there):
            return Counterexample(
                f"{', which becomes '.join(path)}, which becomes {show(again)}: the field never settles", _ONE_WAY
            )
        if _poorer(field, source, sample, back):
            return Counterexample(f"{show(sample)} comes back as {show(back)}: it is lost on the way", _ONE_WAY)
        here, there = back, there if _is_nothing(again) else again
    fresh = field.render(source, written, None)
    if not _is_nothing(fresh) and _poorer(field, source, sample, fresh):
        return Counterexample(
            f"{show(sample)} becomes {show(written)}; the next edit there would bring {show(fresh)} back over it",
            _ONE_WAY,
        )
    return None


_ONE_WAY: Final = 'make the field one-way: flow = "to_crm" or "to_marketing"'


def _poorer(field: Field, side: Side, before: Any, after: Any) -> bool:
    """Did it come back as something else? A coarser word of a value map is agreed, a shorter text is a loss."""
    if field.canonical(side, before) != field.canonical(side, after):
        return True
    return field.type == "text" and plain_text(before) != plain_text(after)


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or isinstance(value, (Unmapped, Bad))


# ---------------------------------------------------------------- what is tried


_TEXTS: Final[tuple[Any, ...]] = (
    "Ada",
    "  padded\u00a0",
    "two\r\nlines\n",
    "O'Brien \\' OR 1=1",
    "=1+1",
    "Zoe\u0308 \u00c5ngstro\u0308m",
    "\U0001f469\u200d\U0001f4bb \U0001f1e9\U0001f1ea",
    "x\x00y\x1b[31m",
    "\u202eright to left",
    "0",
    "null",
    "a;b",
    "long " * 80,
    "\U0001f600" * 130,
    "",
    "   ",
    None,
    12,
    True,
)
_SAMPLES: Final[dict[str, tuple[Any, ...]]] = {
    "text": _TEXTS,
    "email": (" Ada.L@Example.COM ", "zo\u0308e@example.com", "\u200bada@example.com", "not an address", "", None),
    "domain": ("https://www.Acme.com/about?x=1", "acme.com.", "info@acme.com", "B\u00fccher.example", "n/a", "", None),
    "phone": (
        "+49 30 901820",
        "+1 (212) 555-0123 ext. 45",
        "030/901820",
        "(212) 555-0123",
        "0049 30 901820",
        "555 0100",
        "n/a",
        "\u202a+44 20 7946 0958\u202c",
        492012345678,
        "",
        None,
    ),
    "country": ("Germany", " germany ", "DE", "DEU", "USA", "UK", "Russian Federation", "Atlantis", "", None),
    "number": (0, "0", -0.0, "0.50", 12.0, 0.1, 1e17, "1e3", "-7", "1,234.50", "NaN", 2.5, "3.14159265358979", "", None),
    "bool": (True, False, "true", "FALSE", "yes", 1, 0, "", None),
    "date": ("2024-02-29", "0", 1709164800000, "1709164800000", "2024-02-29T00:00:00Z", "1969-12-31", "soon", "", None),
    "datetime": ("2024-02-29T23:59:59.999Z", "2024-02-29T00:00:00.000+0000", 1709164800123, "2024-10-27T02:30:00+01:00", "", None),
    "choice": _TEXTS,
    "choices": ("b;a", ";a;b", "a;;a", ["z", "a"], "A;a", "", None),
}  # fmt: skip


def samples(field: Field, side: Side) -> Iterator[Any]:
    """Nasty values for the field's type, and every word of its value map on that side, alone and together."""
    words = list(field.values) if side == "marketing" else list(dict.fromkeys([*field.values.values(), *field.alike]))
    words += [word for word in field.targets.get(side, ()) if word not in words]
    yield from words
    if words and field.type == "choices":
        yield ";".join(words[:50])
        yield ";".join(reversed(words[:50]))
    yield from (f" {word} " for word in words[:50])
    yield from _SAMPLES.get(field.type, ())


def _bent(type_: str, written: Any) -> Iterator[Any]:
    """What a system may make of a value that we write, without meaning anything by it."""
    yield written
    for bend in _BENDS.get(type_, ()):
        yield bend(written)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else str(value).split(";")


_TRIM: Final[tuple[Callable[[Any], Any], ...]] = (
    lambda value: value.strip() if isinstance(value, str) else value,
    lambda value: unicodedata.normalize("NFD", value) if isinstance(value, str) else value,
    lambda value: value.replace("\n", "\r\n") if isinstance(value, str) else value,
)
_BENDS: Final[dict[str, tuple[Callable[[Any], Any], ...]]] = {
    "text": _TRIM,
    "choice": _TRIM,
    "country": _TRIM,
    "email": (*_TRIM, str.lower, str.upper),
    "domain": (*_TRIM, str.upper, lambda value: f"http://{value}", lambda value: f"https://www.{value}/"),
    "phone": (*_TRIM, lambda value: re.sub(r"[\s().-]", "", value)),
    "number": (str, lambda value: f"{value}.0" if isinstance(value, int) else str(value)),
    "bool": (lambda value: str(value).lower(),),
    "date": (lambda value: str(value).replace("Z", "+0000") if "T" in value else f"{value}T00:00:00.000+0000",),
    "datetime": (lambda value: str(value).replace("Z", "+00:00"), lambda value: str(value).replace("Z", "+0000")),
    "choices": (lambda value: ";".join(_listed(value)), lambda value: list(reversed(_listed(value)))),
}


def show(value: Any) -> str:
    """A sample in a message: quoted, escaped, and short. Only ever called with samples, never with a person's value."""
    if isinstance(value, list):
        value = ";".join(value)
    said = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return said if len(said) <= 48 else f"{said[:24]}…' ({len(str(value))} characters)"
