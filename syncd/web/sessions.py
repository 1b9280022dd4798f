"""Who is signed in, and who tried too often: kept in memory, bounded, gone with the process.

Promise: a session is known by a random token of which only a digest is kept; it ends when its user's password or name
is gone from syncd.toml. It knows no HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_SESSIONS = 10_000
MOST_TRIES = 5
"""Wrong passwords, by one address or for one name, within `TRIES_S`; then one waits."""
TRIES_S = 300.0
MOST_TRIED = 10_000
TOKEN_BYTES = 32


@dataclass(frozen=True)
class SignedIn:
    """A session. `password`: the kept form that opened it; another one in the file ends it."""

    user: str
    password: str = field(repr=False)
    until: float


class Sessions:
    """Tokens to sessions. Safe from several threads."""

    def __init__(self, chance: Callable[[int], bytes]) -> None:
        self._chance = chance
        self._secret = chance(TOKEN_BYTES)
        self._kept: OrderedDict[str, SignedIn] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user: str, password: str, until: float) -> str:
        """Signs somebody in; returns the token for the cookie."""
        token = self._chance(TOKEN_BYTES).hex()
        with self._lock:
            self._kept[_digest(token)] = SignedIn(user, password, until)
            while len(self._kept) > MOST_SESSIONS:
                self._kept.popitem(last=False)
        return token

    def find(self, token: str, now: float) -> SignedIn | None:
        """The session of a token; None for one that is unknown or over."""
        with self._lock:
            found = self._kept.get(_digest(token))
            if found is not None and found.until <= now:
                del self._kept[_digest(token)]
                return None
        return found

    def end(self, token: str) -> None:
        """Signs out."""
        with self._lock:
            self._kept.pop(_digest(token), None)

    def form_token(self, about: str) -> str:
        """What a form must carry to be believed: only pages of this process, for this session, know it."""
        return hmac.new(self._secret, about.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, about: str, given: str) -> bool:
        """Whether a form carried it."""
        return hmac.compare_digest(self.form_token(about).encode(), given.encode("utf-8", "replace"))


class Tries:
    """Counts wrong passwords, so that guessing takes years."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, who: tuple[str, ...], now: float) -> float:
        """How long these (an address, a name) have to wait; 0: they may try."""
        with self._lock:
            waits = [0.0]
            for one in who:
                wrong = self._wrong.get(one, deque())
                while wrong and wrong[0] <= now - TRIES_S:
                    wrong.popleft()
                if len(wrong) >= MOST_TRIES:
                    waits.append(wrong[0] + TRIES_S - now)
            return max(waits)

    def failed(self, who: tuple[str, ...], now: float) -> None:
        """A wrong password."""
        with self._lock:
            for one in who:
                self._wrong.setdefault(one, deque(maxlen=MOST_TRIES)).append(now)
                self._wrong.move_to_end(one)
            while len(self._wrong) > MOST_TRIED:
                self._wrong.popitem(last=False)

    def succeeded(self, who: tuple[str, ...]) -> None:
        """The right one: earlier mistakes are forgiven."""
        with self._lock:
            for one in who:
                self._wrong.pop(one, None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
