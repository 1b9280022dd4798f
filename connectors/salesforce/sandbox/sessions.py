"""Access tokens: given, used, idle too long, revoked. Contract section 2.2.

Promise: expiry is by inactivity on the virtual clock; one refused call does not tell which of the reasons it was.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from connectors.salesforce.sandbox.errors import Refusal
from connectors.salesforce.sandbox.ids import id15
from connectors.salesforce.sandbox.org import Org

EXPIRED = "Session expired or invalid"
NOT_FOR_REST = "This session is not valid for use with the REST API"


@dataclass
class Session:
    """What a token stands for."""

    user: str
    family: str
    used_ms: int
    rest: bool = True


class Sessions:
    """All tokens of the org that are alive, and the refresh tokens."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._alive: dict[str, Session] = {}
        self._count = 0
        self.refresh_tokens: set[str] = {"sandbox-refresh"}

    def new(self, user: str, family: str, rest: bool = True) -> str:
        """A new access token for a user; `family`: tokens of one client and user may share a session."""
        self._count += 1
        seed = f"{self._org.chance.random()}-{self._count}"
        body = hashlib.sha256(seed.encode()).hexdigest()
        token = f"{id15(self._org.org_id)}!AQ{body[:2]}A{body[2:]}.{body[8:24]}_{self._count}"
        self._alive[token] = Session(user, family, self._org.clock.now_ms(), rest)
        return token

    def new_refresh(self, old: str) -> str:
        """Rotation: a new refresh token; the old one is dead."""
        self.refresh_tokens.discard(old)
        self._count += 1
        fresh = f"5Aep{hashlib.sha256(f'{old}-{self._count}'.encode()).hexdigest()[:40]}"
        self.refresh_tokens.add(fresh)
        return fresh

    def user_of(self, token: str) -> str:
        """The user of a live token. Refused: 401 INVALID_SESSION_ID."""
        session = self._alive.get(token)
        now_ms = self._org.clock.now_ms()
        if session is None or now_ms - session.used_ms > self._org.switches.session_life_s * 1000:
            self._alive.pop(token, None)
            raise unauthorised(EXPIRED)
        if not session.rest:
            raise unauthorised(NOT_FOR_REST)
        session.used_ms = now_ms
        return session.user

    def end(self, token: str) -> bool:
        """Ends a token (and, where sessions are shared, its family). False when it is not alive."""
        session = self._alive.pop(token, None)
        if session is None:
            return False
        if self._org.switches.shared_sessions:
            self._alive = {key: one for key, one in self._alive.items() if one.family != session.family}
        return True

    def end_all(self) -> int:
        """Ends every session; how many there were."""
        count = len(self._alive)
        self._alive.clear()
        return count


def unauthorised(message: str) -> Refusal:
    """401, with the code that says the same for passing and for lasting trouble."""
    refusal = Refusal.one("INVALID_SESSION_ID", message, 401)
    refusal.headers["WWW-Authenticate"] = "Token"
    return refusal
