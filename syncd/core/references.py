"""References: a record that points to another one, compared by the link that both sides know it by.

Promise: a key crosses only as the key of the record that it is linked to; one whose record has no link yet is `Waits`,
and is never written, emptied or taken for an edit. In a list, keys without a link are left where they stand: what syncd
does not know it does not remove. It asks no ledger: it is given what a batch refers to (`Lookup`).
"""

from __future__ import annotations

from typing import Any

from syncd.core.mapping import Codec, keys_of
from syncd.core.model import SIDES, UNSEEN, Bad, Canonical, Lookup, Neutral, Side, Unmapped, Waits
from syncd.core.model import other as across
from syncd.core.values import plain_text


def codecs(lookup: Lookup | None, *, many: bool) -> tuple[Codec, Codec]:
    """The codecs of a reference field: marketing's, the CRM's. Without a look-up, values compare by their keys, which
    is enough for one side alone, and every key waits where it should cross."""
    if lookup is None:
        unbound = [_unbound_list() if many else _unbound(side) for side in SIDES]
        return unbound[0], unbound[1]
    bound = [_list(side, lookup) if many else _single(side, lookup) for side in SIDES]
    return bound[0], bound[1]


def _unseen(raw: Any) -> Any:
    return UNSEEN


# ---------------------------------------------------------------- one key


def _unbound(side: Side) -> Codec:
    def read(raw: Any) -> Canonical:
        key = plain_text(raw)
        return Waits(side, key) if isinstance(key, str) else key

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad | Waits:
        key = plain_text(source)
        return Waits(across(side), key) if isinstance(key, str) else key

    return Codec(read, render, _unseen)


def _single(side: Side, lookup: Lookup) -> Codec:
    here, there = _reader(side, lookup), _reader(across(side), lookup)
    key_by_link = lookup.key_by_link[side]

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad | Waits:
        wanted = there(source)
        if not isinstance(wanted, int):
            return wanted  # type: ignore[no-any-return]
        if current is not None and here(current) == wanted:
            return current  # type: ignore[no-any-return]
        return key_by_link[wanted]

    return Codec(here, render, _unseen)


def _reader(side: Side, lookup: Lookup) -> Any:
    link_by_key = lookup.link_by_key[side]

    def read(raw: Any) -> Canonical:
        key = plain_text(raw)
        if not isinstance(key, str):
            return key
        link = link_by_key.get(key)
        return Waits(side, key) if link is None else link

    return read


# ---------------------------------------------------------------- a list of keys


def _unbound_list() -> Codec:
    def read(raw: Any) -> Canonical:
        return tuple(sorted(set(keys_of(raw)))) or None

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad | Waits:
        return keys_of(current) or None

    return Codec(read, render, _unseen)


def _list(side: Side, lookup: Lookup) -> Codec:
    here, there = _list_reader(side, lookup), _list_reader(across(side), lookup)
    link_by_key, key_by_link = lookup.link_by_key[side], lookup.key_by_link[side]

    def render(source: Any, current: Any) -> Neutral | Unmapped | Bad | Waits:
        wanted = set(there(source) or ())
        kept = [key for key in keys_of(current) if link_by_key.get(key, None) in wanted or key not in link_by_key]
        missing = wanted - {link_by_key[key] for key in kept if key in link_by_key}
        return sorted({*kept, *(key_by_link[link] for link in missing)}) or None

    return Codec(here, render, _unseen)


def _list_reader(side: Side, lookup: Lookup) -> Any:
    link_by_key = lookup.link_by_key[side]

    def read(raw: Any) -> Canonical:
        return tuple(sorted({link_by_key[key] for key in keys_of(raw) if key in link_by_key})) or None

    return read
