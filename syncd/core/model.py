"""The values that decisions are made of: sides, and what a raw value turns out to be.

Promise: everything here is frozen, comparable and hashable, and shows no person's value when printed.
It does not know mappings (`mapping`), nor how a value is read (`values`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Side = Literal["marketing", "crm"]
SIDES: Final[tuple[Side, Side]] = ("marketing", "crm")

Scalar = str | int | float | bool | None
Neutral = Scalar | list[str]
"""What a connector is asked to write (the same type as `syncd.connector.Neutral`)."""


def other(side: Side) -> Side:
    """The side across."""
    return "crm" if side == "marketing" else "marketing"


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A value that reads well, but that the field's value map or the directory of owners does not know.

    Nothing is wrong with it; it just has no counterpart. The field's `other` rule says what happens then.
    """

    raw: Any

    def __repr__(self) -> str:
        return "Unmapped(…)"


@dataclass(frozen=True, slots=True)
class Waits:
    """A reference to a record that has no live link yet: nothing is wrong, and nobody can say what it is across.

    It decides nothing and settles nothing; whoever refers to it is decided again once the link is there.
    """

    side: Side
    key: str

    def __repr__(self) -> str:
        return "Waits(…)"


@dataclass(frozen=True, slots=True)
class Bad:
    """A value that cannot be read as the field's type. `why` says what is wrong with it, without showing it."""

    why: str


Canonical = Any
"""A hashable value to compare by, None (blank), `Unmapped` or `Bad`."""


class Unseen:
    """The type of `UNSEEN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSEEN"


UNSEEN: Final = Unseen()
"""What `Field.context` gives when an expression must not see the value: blank where blank is not a value, or bad."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a reference field needs to know of the records that a batch refers to: their links, by side."""

    link_by_key: Mapping[Side, Mapping[str, int]]
    """Key of a record on that side -> its live link in the referenced mapping."""
    key_by_link: Mapping[Side, Mapping[int, str]]
    """That link -> the key of its record on that side."""

    def __repr__(self) -> str:
        return f"Lookup({len(self.key_by_link.get('crm', ()))} links)"


@dataclass(frozen=True, slots=True)
class Owners:
    """The people who can own records on one side, by the e-mail that both systems know them by (lower case).

    `email_by_key` holds everybody, `key_by_email` only those who may be given records now.
    """

    email_by_key: Mapping[str, str]
    key_by_email: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Owners({len(self.email_by_key)} known, {len(self.key_by_email)} active)"
