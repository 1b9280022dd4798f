"""OAuth: access tokens of half an hour out of one refresh token (contract section 2.2).

Promise: the token is renewed before it expires, a changed refresh token is kept before it is used, and no secret
stands in a repr or message. One refresh at a time is seen to by the client.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from connectors.hubspot.errors import trouble_of
from connectors.hubspot.paths import Paths
from syncd.errors import AccessError, Transient
from syncd.http import Answer, Http

EARLY_S = 300.0
"""How long before its end a token is renewed: a 401 is no dependable signal."""

LIFE_S = 1800.0
"""How long a token lives if the answer does not say."""

_REMEDY = {
    "BAD_REFRESH_TOKEN": "install the app in the account again, and set the new refresh token",
    "BAD_CLIENT_ID": "check client_id: it is the app's",
    "BAD_CLIENT_SECRET": "check client_secret: it is the app's",
}


class Token(msgspec.Struct):
    """The token endpoint's answer; more fields are there and not needed."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float = LIFE_S


class Introspection(msgspec.Struct):
    app_id: int | str | None = None


_TOKEN = msgspec.json.Decoder(Token)
_INTROSPECTION = msgspec.json.Decoder(Introspection)


class OAuth:
    """The credentials of an OAuth app in one account. `http` is set once the client is made."""

    http: Http

    def __init__(
        self,
        paths: Paths,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        now: Callable[[], float],
        save: Callable[[str, str], None],
    ) -> None:
        self._paths = paths
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._refresh_token = refresh_token
        self._now = now
        self._save = save
        self._access = ""
        self._since_s = 0.0
        self._good_s = 0.0

    def header(self) -> str:
        """The current token; "" when it is due."""
        age_s = self._now() - self._since_s
        return f"Bearer {self._access}" if self._access and 0 <= age_s < self._good_s else ""

    def refresh(self, stale: str) -> None:
        """Gets another access token. Raises AccessError when a person must act, Transient."""
        since_s = self._now()
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token, **self._client}
        answer = self._ask("token", form)
        if answer.status != 200:
            raise _refused(answer)
        token: Token = answer.json(_TOKEN)
        if token.refresh_token and token.refresh_token != self._refresh_token:
            self._save("refresh_token", token.refresh_token)
            self._refresh_token = token.refresh_token
        self._access = token.access_token
        self._since_s = since_s
        self._good_s = max(token.expires_in - EARLY_S, token.expires_in / 2)

    def app_id(self) -> str:
        """The id under which our writes appear in histories; "" if HubSpot does not say."""
        answer = self._ask(
            "token/introspect", {**self._client, "token": self._access, "token_type_hint": "access_token"}
        )
        if answer.status != 200:
            return ""
        found: Introspection = answer.json(_INTROSPECTION)
        return str(found.app_id or "")

    def _ask(self, what: str, form: dict[str, str]) -> Answer:
        return self.http.read("POST", self._paths.oauth(what), form=form, authorized=False, counted=False, meters=())

    def __repr__(self) -> str:
        return "OAuth(***)"


def _refused(answer: Answer) -> AccessError | Transient:
    status = str(trouble_of(answer).status or "")
    if status in _REMEDY:
        return AccessError(f"HubSpot refuses to renew the token ({status})", remedy=_REMEDY[status])
    if 400 <= answer.status < 500:
        return AccessError(
            f"HubSpot refuses to renew the token (status {answer.status})", remedy="check the app's credentials"
        )
    return Transient(f"{answer.what}: status {answer.status}")
