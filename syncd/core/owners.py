"""Owners: the person who works a record, known to both systems by an e-mail address.

Promise: an owner crosses only if the other side has an active user with the same address. Everybody else (a queue, a
leaver, somebody unknown there) is `Unmapped`, so that a missing user never takes a record away from anyone; or, where
the mapping names a fallback, stands for that person on both sides, and compares as them, so that nothing flaps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Bad, Canonical, Neutral, Owners, Side, Unmapped
from syncd.core.model import other as across
from syncd.core.values import plain_text

Read = Callable[[Any], Canonical]


def codecs(owners: Mapping[Side, Owners], fallback: str | None = None) -> tuple[Codec, Codec]:
    """The codecs of an owner field: marketing's, the CRM's. A side without a directory knows nobody. `fallback`: the
    address of who stands in for an owner that the other side does not know, or that is no longer active there."""
    nobody = Owners({}, {})
    return _codec("marketing", owners, nobody, fallback), _codec("crm", owners, nobody, fallback)


def _codec(side: Side, owners: Mapping[Side, Owners], nobody: Owners, fallback: str | None) -> Codec:
    mine, theirs = owners.get(side, nobody), owners.get(across(side), nobody)
    exact = _reader(mine)
    here = _standing_in(exact, theirs, fallback)
    there = _standing_in(_reader(theirs), mine, fallback)
    key_by_email = _active(mine)

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad:
        wanted = there(source)
        if wanted is None or isinstance(wanted, (Unmapped, Bad)):
            return wanted
        if current is not None and here(current) == wanted:
            return current  # type: ignore[no-any-return]
        return key_by_email.get(wanted, Unmapped(source))

    def context(raw: Any) -> Any:
        value = exact(raw)
        if value is None:
            return ""
        return UNSEEN if isinstance(value, (Unmapped, Bad)) else value

    return Codec(here, render, context, lambda raw: fallback is not None and here(raw) != exact(raw))


def _reader(directory: Owners) -> Read:
    email_by_key = {key: email.strip().lower() for key, email in directory.email_by_key.items()}

    def read(raw: Any) -> Canonical:
        key = plain_text(raw)
        if not isinstance(key, str):
            return key
        return email_by_key.get(key) or Unmapped(key)

    return read


def _standing_in(read: Read, across: Owners, fallback: str | None) -> Read:
    """As `read`, with the fallback for who may not be given records across."""
    if fallback is None:
        return read
    known = _active(across)

    def read_or_fallback(raw: Any) -> Canonical:
        email = read(raw)
        if email is None or isinstance(email, Bad) or email in known:
            return email
        return fallback

    return read_or_fallback


def _active(owners: Owners) -> dict[str, str]:
    return {email.strip().lower(): key for email, key in owners.key_by_email.items()}
