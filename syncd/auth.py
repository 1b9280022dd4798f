"""Who we are to a system: where the Authorization header comes from.

Promise: no token stands in a repr. Expiry and single flight are not seen to here, but in `syncd.http`.
"""

from __future__ import annotations

from typing import Protocol

from syncd.errors import AccessError


class Auth(Protocol):
    """Gives the Authorization header. `Http` sees to it that N threads cause one refresh, so no lock is needed."""

    def header(self) -> str:
        """The header's value; "" when a new token has to be got first (none yet, or about to expire)."""

    def refresh(self, stale: str) -> None:
        """Gets a new token in place of the one in `stale`. Raises AccessError, Transient. A call that it makes
        through the same Http must be `authorized=False`."""


class NoAuth:
    """No Authorization header at all."""

    def header(self) -> str:
        return "-"

    def refresh(self, stale: str) -> None:
        raise AccessError("the system asks for credentials, and none are set")


class Bearer:
    """A token that never changes."""

    def __init__(self, token: str, *, remedy: str = "make a new token and set it in syncd.toml") -> None:
        self._token = token
        self._remedy = remedy

    def header(self) -> str:
        return f"Bearer {self._token}"

    def refresh(self, stale: str) -> None:
        raise AccessError("the system refuses the token", remedy=self._remedy)

    def __repr__(self) -> str:
        return "Bearer(***)"
