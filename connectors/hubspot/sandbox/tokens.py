"""Tokens: the static one, OAuth's access and refresh tokens, and what a bearer header leads to (contract section 2).

Promise: an access token lives 1800 s of virtual time. No token is ever shown except in the answer that issues it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.errors import Rejection
from connectors.hubspot.sandbox.switches import Switches
from connectors.hubspot.sandbox.values import iso

STATIC_TOKEN = "sandbox-hubspot-token"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
REFRESH_TOKEN = "sandbox-refresh"
AUTHORIZATION_CODE = "sandbox-code"
LIFETIME_S = 1800
STATIC_APP_ID, OAUTH_APP_ID = 9001, 9002

_OBJECTS = ("contacts", "companies", "deals", "tickets", "leads", "custom")
SCOPES = (
    *(
        f"crm.{family}.{name}.{right}"
        for family in ("objects", "schemas")
        for name in _OBJECTS
        for right in ("read", "write")
    ),
    "crm.objects.owners.read",
    "crm.lists.read",
    "crm.lists.write",
    "tickets",
    "forms",
    "marketing.campaigns.read",
    "oauth",
)


@dataclass
class Token:
    """What a bearer is good for. `expires_ms` None: never."""

    text: str
    app_id: int
    app_name: str
    oauth: bool
    expires_ms: int | None
    crm: bool = True
    """False: an app-level token (client_credentials), which opens no CRM data."""
    user_id: int | None = None


class Tokens:
    """All tokens of the portal."""

    def __init__(self, chance: random.Random, switches: Switches) -> None:
        self._random = chance
        self._switches = switches
        self._access = {STATIC_TOKEN: Token(STATIC_TOKEN, STATIC_APP_ID, "syncd", False, None)}
        self._refresh = {REFRESH_TOKEN}

    def bearer(self, header: str | None, now_ms: int) -> Token:
        """The token of an Authorization header. Rejection (401) for none, an unknown or an expired one."""
        scheme, _, text = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise errors.no_credentials()
        token = self._access.get(text.strip())
        if token is None:
            if self._switches.garbage_token == "invalid":
                raise errors.no_credentials()
            # The trap of section 2.3: garbage looks expired, since 1970.
            raise errors.expired_token(f"{now_ms // 86_400_000} day(s)", "1970-01-01T00:00:00Z")
        if token.expires_ms is not None and token.expires_ms <= now_ms:
            raise self.expired(token, now_ms)
        return token

    def expire(self, token: Token, now_ms: int) -> Rejection:
        """Makes an access token expire now (a static one only seems to, this once); returns the 401."""
        if token.oauth:
            token.expires_ms = now_ms
        return self.expired(token, now_ms)

    def expired(self, token: Token, now_ms: int) -> Rejection:
        """The 401 of an expired token."""
        expires_ms = now_ms if token.expires_ms is None else token.expires_ms
        return errors.expired_token(f"{max(0, now_ms - expires_ms) // 1000} second(s)", iso(expires_ms))

    def grant(self, form: dict[str, str], now_ms: int) -> tuple[Token, str | None]:
        """Answers the token endpoint: the new access token and the refresh token that goes with it."""
        if form.get("client_id") != CLIENT_ID:
            raise errors.oauth("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client")
        if form.get("client_secret") != CLIENT_SECRET:
            raise errors.oauth("BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client")
        kind = form.get("grant_type")
        if kind == "client_credentials":
            return self._issue(now_ms, crm=False), None
        if kind == "authorization_code":
            if form.get("code") != AUTHORIZATION_CODE:
                raise errors.oauth("BAD_AUTH_CODE", "missing or unknown auth code")
            if not form.get("redirect_uri"):
                raise errors.oauth("BAD_REDIRECT_URI", "missing or unknown redirect uri")
            self._refresh.add(REFRESH_TOKEN)
            return self._issue(now_ms), REFRESH_TOKEN
        if kind != "refresh_token":
            raise errors.oauth("BAD_GRANT_TYPE", "unsupported grant_type", "unsupported_grant_type")
        given = form.get("refresh_token", "")
        if given not in self._refresh:
            raise errors.oauth("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        if self._switches.refresh_token == "same":
            return self._issue(now_ms), given
        if self._switches.refresh_token == "rotate":
            self._refresh.discard(given)
        fresh = f"na1-{self._random.getrandbits(128):032x}"
        self._refresh.add(fresh)
        return self._issue(now_ms), fresh

    def known(self, text: str, now_ms: int) -> Token | None:
        """The live access token with that text."""
        token = self._access.get(text)
        alive = token is not None and (token.expires_ms is None or token.expires_ms > now_ms)
        return token if alive else None

    def knows_refresh(self, text: str) -> bool:
        """Whether a refresh token is good."""
        return text in self._refresh

    def revoke(self, text: str) -> None:
        """Revokes a token; `refresh`, `static` and `all` name kinds of them, as an uninstall does."""
        if text in ("refresh", "all"):
            self._refresh.clear()
        if text == "static":
            self._access.pop(STATIC_TOKEN, None)
        if text == "all":
            self._access.clear()
        self._refresh.discard(text)
        self._access.pop(text, None)

    def _issue(self, now_ms: int, crm: bool = True) -> Token:
        text = f"CJ{self._random.getrandbits(160):040x}"
        token = Token(text, OAUTH_APP_ID, "syncd (OAuth)", True, now_ms + LIFETIME_S * 1000, crm, 77)
        self._access[text] = token
        return token
