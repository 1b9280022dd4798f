"""Owners: the person who works a record, known to both systems by an e-mail address.

Promise: an owner crosses only if the other side has an active user with the same address; everybody else (a queue, a
leaver, somebody unknown there) is `Unmapped`, so that a missing user never takes a record away from anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.core.mapping import Codec
from syncd.core.model import UNSEEN, Bad, Canonical, Neutral, Owners, Side, Unmapped
from syncd.core.model import other as across
from syncd.core.values import plain_text


def codecs(owners: Mapping[Side, Owners]) -> tuple[Codec, Codec]:
    """The codecs of an owner field: marketing's, the CRM's. A side without a directory knows nobody."""
    nobody = Owners({}, {})
    return _codec("marketing", owners, nobody), _codec("crm", owners, nobody)


def _codec(side: Side, owners: Mapping[Side, Owners], nobody: Owners) -> Codec:
    here = _reader(owners.get(side, nobody))
    there = _reader(owners.get(across(side), nobody))
    key_by_email = {email.strip().lower(): key for email, key in owners.get(side, nobody).key_by_email.items()}

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad:
        wanted = there(source)
        if wanted is None or isinstance(wanted, (Unmapped, Bad)):
            return wanted
        if current is not None and here(current) == wanted:
            return current  # type: ignore[no-any-return]
        return key_by_email.get(wanted, Unmapped(source))

    def context(raw: Any) -> Any:
        value = here(raw)
        if value is None:
            return ""
        return UNSEEN if isinstance(value, (Unmapped, Bad)) else value

    return Codec(here, render, context)


def _reader(directory: Owners) -> Any:
    email_by_key = {key: email.strip().lower() for key, email in directory.email_by_key.items()}

    def read(raw: Any) -> Canonical:
        key = plain_text(raw)
        if not isinstance(key, str):
            return key
        return email_by_key.get(key) or Unmapped(key)

    return read
