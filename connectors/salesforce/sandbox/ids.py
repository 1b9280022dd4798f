"""Record ids: 15 characters that mean case, 18 that survive its loss, and a mint for new ones.

Promise: every id made here has the right prefix and checksum. Contract section 13.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_BLOCK = 500


def id18(short: str) -> str:
    """The 18-character form of 15 characters."""
    return short + _check(short[:5]) + _check(short[5:10]) + _check(short[10:])


@lru_cache(maxsize=32_768)
def _check(block: str) -> str:
    return _CHECK[sum(1 << at for at, char in enumerate(block) if "A" <= char <= "Z")]


def id15(long: str) -> str:
    """What messages print."""
    return long[:15]


def normalise(text: object) -> str | None:
    """The 18-character form of a well-formed id of either length; None for anything else."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return None
    full = id18(text[:15])
    return full if len(text) == 15 or full == text else None


class Mint:
    """Makes ids. Several servers of the org hand them out in blocks, so their order is only roughly that of time."""

    def __init__(self, chance: random.Random, servers: int = 3) -> None:
        self._chance = chance
        self._servers = servers
        self._next: dict[str, list[int]] = {}
        self._blocks: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """A new 18-character id with that key prefix."""
        blocks = self._next.setdefault(prefix, [self._take_block(prefix) for _ in range(self._servers)])
        server = self._chance.randrange(self._servers)
        number = blocks[server]
        blocks[server] = number + 1 if (number + 1) % _BLOCK else self._take_block(prefix)
        return id18(f"{prefix}5g{_base62(number):0>10}")

    def _take_block(self, prefix: str) -> int:
        block = self._blocks.get(prefix, 2000)
        self._blocks[prefix] = block + 1
        return block * _BLOCK


def _base62(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text
