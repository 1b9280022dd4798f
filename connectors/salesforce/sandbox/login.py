"""The token endpoint and what belongs to it. Contract section 2.1.

Promise: real RS256 verification of JWT assertions; no `expires_in`, ever; passwords are refused. It checks the demo
client's id and secret, nothing else about the client.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import jwt

from connectors.salesforce.sandbox.call import Answer
from connectors.salesforce.sandbox.ids import id15
from connectors.salesforce.sandbox.meters import Meters
from connectors.salesforce.sandbox.org import Org
from connectors.salesforce.sandbox.sessions import Sessions
from syncd.sandbox.wire import Request

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
USERNAME = "integration@acme.example"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class _Denied(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.answer = Answer(400, {"error": error, "error_description": description})


class Login:
    """Gives tokens."""

    def __init__(self, org: Org, sessions: Sessions, meters: Meters) -> None:
        self._org = org
        self._sessions = sessions
        self._meters = meters

    def token(self, request: Request) -> Answer:
        """POST /services/oauth2/token."""
        form = request.form()
        grants = {
            "client_credentials": self._client_credentials,
            _JWT_GRANT: self._jwt,
            "refresh_token": self._refresh,
        }
        grant = grants.get(form.get("grant_type", ""))
        try:
            if grant is None:
                raise _Denied("unsupported_grant_type", "grant type not supported")
            if not self._meters.login():
                raise _Denied("login_rate_exceeded", "Login Rate Exceeded")
            return Answer(200, grant(request, form), {"Cache-Control": "no-store", "Pragma": "no-cache"})
        except _Denied as denied:
            return denied.answer

    def revoke(self, request: Request) -> Answer:
        """POST /services/oauth2/revoke: access and refresh tokens."""
        token = request.form().get("token") or request.first("token") or ""
        if token in self._sessions.refresh_tokens:
            self._sessions.refresh_tokens.discard(token)
            self._sessions.end_all()
            return Answer(200, "")
        if self._sessions.end(token):
            return Answer(200, "")
        return Answer(400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"})

    def user_info(self, user: str, base: str) -> dict[str, Any]:
        """GET /services/oauth2/userinfo."""
        row = self._org.table("User").rows[user]
        return {
            "sub": self._identity_url(user, base),
            "user_id": user,
            "organization_id": self._org.org_id,
            "preferred_username": row["Username"],
            "nickname": row["Alias"],
            "name": row["Name"],
            "email": row["Email"],
            "email_verified": True,
            "zoneinfo": row["TimeZoneSidKey"],
            "user_type": "STANDARD",
            "active": row["IsActive"],
            "locale": "en_US",
            "language": "en_US",
        }

    def identity(self, user: str, base: str) -> dict[str, Any]:
        """GET /id/{org}/{user}."""
        row = self._org.table("User").rows[user]
        return {
            "id": self._identity_url(user, base),
            "user_id": user,
            "organization_id": self._org.org_id,
            "username": row["Username"],
            "display_name": row["Name"],
            "email": row["Email"],
            "active": row["IsActive"],
            "timezone": row["TimeZoneSidKey"],
            "urls": {
                "rest": f"{base}/services/data/v{{version}}/",
                "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
            },
        }

    def _identity_url(self, user: str, base: str) -> str:
        # The vendor names login.salesforce.com here; a sandbox must never point a token at the real thing.
        return f"{base}/id/{self._org.org_id}/{user}"

    # ------------------------------------------------------------ flows

    def _client_credentials(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        if self._is_login_host(request):
            raise _Denied("invalid_grant", "request not supported on this domain")
        client, secret = _client(request, form)
        _check_client(client, secret)
        return {**self._granted(request, "client_credentials"), "token_format": "opaque"}

    def _refresh(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        client, secret = _client(request, form)
        _check_client(client, secret)
        token = form.get("refresh_token", "")
        if token not in self._sessions.refresh_tokens:
            raise _Denied("invalid_grant", "expired access/refresh token")
        answer = self._granted(request, "refresh_token")
        if self._org.switches.rotate_refresh_token:
            answer["refresh_token"] = self._sessions.new_refresh(token)
        return answer

    def _jwt(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        claims = self._verified(form.get("assertion", ""))
        if claims.get("iss") != CLIENT_ID:
            raise _Denied("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in (*_AUDIENCES, self._base(request)):
            raise _Denied("invalid_grant", "Audience validation failed")
        now_s = self._org.clock.now_ms() / 1000
        try:
            exp = float(claims.get("exp", 0))  # a known client sends it as text
        except (TypeError, ValueError):
            exp = 0.0
        if exp <= now_s or exp > now_s + self._org.switches.jwt_life_s:
            raise _Denied("invalid_grant", "expired authorization code")
        if claims.get("sub") != USERNAME:
            raise _Denied("invalid_grant", "user hasn't approved this consumer")
        return self._granted(request, "jwt")

    def _verified(self, assertion: str) -> dict[str, Any]:
        key = self._org.switches.jwt_public_key
        # The moments are judged by the virtual clock, in `_jwt`.
        claims_only: Any = dict.fromkeys(("verify_exp", "verify_aud", "verify_iat", "verify_nbf", "verify_sub"), False)
        unsigned: Any = {"verify_signature": False, **claims_only}
        try:
            if self._org.switches.jwt_accept_any:
                claims = jwt.decode(assertion, options=unsigned)
            else:
                claims = jwt.decode(assertion, _public_key(key), algorithms=["RS256"], options=claims_only)
        except (jwt.PyJWTError, ValueError):
            raise _Denied("invalid_grant", "invalid assertion") from None
        return dict(claims)

    def _granted(self, request: Request, family: str) -> dict[str, Any]:
        user = self._org.cast.integration
        if not self._org.table("User").rows[user].get("IsActive"):
            raise _Denied("invalid_grant", "no client credentials user enabled")
        request.actor = USERNAME
        base = self._base(request)
        instance = self._org.switches.instance_url or base
        return {
            "access_token": self._sessions.new(user, family),
            "signature": base64.b64encode(id15(user).encode()).decode(),
            "scope": "api refresh_token",
            "instance_url": instance,
            "id": self._identity_url(user, base),
            "token_type": "Bearer",
            "issued_at": str(self._org.clock.now_ms()),
        }

    def _is_login_host(self, request: Request) -> bool:
        host = request.headers.get("host", "")
        return self._org.switches.login_host == "login" or host.startswith(("login.", "test."))

    def _base(self, request: Request) -> str:
        return f"http://{request.headers.get('host', 'localhost')}"


def _public_key(pem: str) -> Any:
    if "BEGIN CERTIFICATE" not in pem:
        return pem
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(pem.encode()).public_key()


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _Denied("invalid_client", "invalid client credentials") from None
        return client, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _check_client(client: str, secret: str) -> None:
    if client != CLIENT_ID:
        raise _Denied("invalid_client_id", "client identifier invalid")
    if secret != CLIENT_SECRET:
        raise _Denied("invalid_client", "invalid client credentials")
