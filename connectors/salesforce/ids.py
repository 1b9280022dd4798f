"""Record ids: 15 characters whose case matters, or 18 whose case does not. The engine only ever sees 18.

Source: contract section 13.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_IN_TEXT = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?(?![0-9A-Za-z])")


def is_id(text: str) -> bool:
    """Whether the text has the form of an id."""
    return _SHAPE.fullmatch(text) is not None


def id18(key: str) -> str:
    """The one 18-character form of an id of either length: where a system on the way lost the case of its letters, the
    last three characters tell it. Raises ValueError for anything else."""
    if len(key) == 18 and _SHAPE.fullmatch(key):
        return _recased(key)
    if len(key) != 15 or not _SHAPE.fullmatch(key):
        raise ValueError("not a Salesforce id")
    return key + _check(key[:5]) + _check(key[5:10]) + _check(key[10:])


@lru_cache(maxsize=32_768)
def _check(block: str) -> str:
    """The character that tells which of five letters are capitals. Ids of one object share their first blocks."""
    return _CHECK[sum(1 << at for at, char in enumerate(block) if "A" <= char <= "Z")]


def _recased(key: str) -> str:
    """The 18 characters with the case that the check says, if that makes an id; else as they are (an edited sample)."""
    if id18(key[:15]) == key:
        return key
    check = key[15:].upper()
    blocks = [key[start : start + 5] for start in (0, 5, 10)]
    bits = [_CHECK.find(char) for char in check]
    letters = "".join(
        char.upper() if bit >> at & 1 else char.lower()
        for block, bit in zip(blocks, bits, strict=True)
        for at, char in enumerate(block)
    )
    return letters + check if min(bits) >= 0 and id18(letters)[15:] == check else key


def id_in(text: str) -> str | None:
    """The one id that a message names, as 18 characters; None when it names none, or several."""
    found = {id18(each) for each in _IN_TEXT.findall(text) if any(char.isdigit() for char in each)}
    return found.pop() if len(found) == 1 else None
