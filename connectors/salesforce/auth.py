"""How we log in: tokens from the OAuth endpoint, by three flows. SOAP login is not among them (it ends in 2027).

Promise: a token is only ever sent to the login host, to the org's own domain or to a listed one; a refused login is
not tried again and again (that locks the user); no secret stands in a repr, message or log. Salesforce tells no life
time, so a token is used until it is refused. Source: contract sections 2.1, 2.2.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.places import is_loopback, trusted_origin
from connectors.salesforce.settings import Settings
from syncd.connector import Context
from syncd.errors import AccessError, ConfigError, Transient
from syncd.http import Answer, NoAuth, Verdict, by_status

TOKEN_PATH = "/services/oauth2/token"
ASSERTION_S = 180
"""How long a JWT assertion is good for; Salesforce takes three to five minutes at most."""
REFUSED_REST_S = 900.0
"""How long a refused login is not tried again: several failures in a row lock the user, an administrator needs time."""

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_IDENTITY = re.compile(r"/id/([0-9A-Za-z]{15,18})/([0-9A-Za-z]{15,18})$")


class _Token(msgspec.Struct):
    """What the token endpoint answers. There is no `expires_in`."""

    access_token: str
    instance_url: str
    id: str = ""
    refresh_token: str | None = None


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


_TOKEN = msgspec.json.Decoder(_Token)
_REFUSAL = msgspec.json.Decoder(_Refusal)


@dataclass(frozen=True, slots=True)
class Session:
    """A login that worked. `origin`: where the org's API is; ids of 18 characters, "" where the answer names none."""

    token: str = field(repr=False)
    origin: str
    org: str
    user: str


class Login:
    """The login of one account; an `Auth` for `Http`. Safe in several threads."""

    def __init__(self, settings: Settings, context: Context, wall: Callable[[], float] = time.time) -> None:
        """`wall`: the time of day in seconds, for JWT assertions only. Raises ConfigError where a secret is missing."""
        self._settings = settings
        self._context = context
        self._wall = wall
        names = ("client_id", "client_secret", "refresh_token", "username", "private_key")
        given = ((name, getattr(settings, name)) for name in names)
        self._secrets = {name: context.secret(ref, name) for name, ref in given if ref is not None}
        self._http = context.open_http(base_url=settings.login_url, auth=NoAuth(), meters=(), classify=classify_login)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._refused: AccessError | None = None
        self._refused_at = 0.0

    def __repr__(self) -> str:
        return f"Login({self._settings.login_url}, {self._settings.flow})"

    def session(self) -> Session:
        """The session in use; logs in if there is none. Raises AccessError, Transient, ConfigError."""
        with self._lock:
            if self._session is None:
                self._session = self._log_in()
            return self._session

    def header(self) -> str:
        """The Authorization header, or "" when there is no token yet."""
        session = self._session
        return f"Bearer {session.token}" if session else ""

    def refresh(self, stale: str) -> None:
        """Gets a new token, unless somebody already did. Raises AccessError, Transient, ConfigError."""
        with self._lock:
            if self._session is None or self.header() == stale:
                self._session = self._log_in()

    def close(self) -> None:
        """Ends the connection to the login host."""
        self._http.close()

    # ------------------------------------------------------------ one login

    def _log_in(self) -> Session:
        if self._refused is not None and 0 <= self._context.now() - self._refused_at < REFUSED_REST_S:
            raise self._refused
        self._refused = None
        with self._http.lane(None):
            answer = self._http.read("POST", TOKEN_PATH, form=self._form(), authorized=False, counted=False)
        if answer.status != 200:
            raise self._refuse(answer)
        token: _Token = answer.json(_TOKEN)
        origin = trusted_origin(token.instance_url, self._settings.login_url, self._settings.instance_suffixes)
        if origin is None:
            raise AccessError(
                "the login answer sends us to a host that is neither the login host nor a Salesforce org; not followed",
                remedy="If that host is yours, add its domain to `instance_suffixes`.",
            )
        if token.refresh_token and token.refresh_token != self._secrets.get("refresh_token"):
            self._context.save_secret("refresh_token", token.refresh_token)  # kept before it is used: the old one dies
            self._secrets["refresh_token"] = token.refresh_token
        named = _IDENTITY.search(urlsplit(token.id).path)
        if named:
            org, user = id18(named[1]), id18(named[2])
        else:
            short = token.access_token.partition("!")[0]
            org, user = id18(short) if is_id(short) else "", ""
        return Session(token.access_token, origin, org, user)

    def _form(self) -> dict[str, str]:
        secrets, flow = self._secrets, self._settings.flow
        if flow == "jwt_bearer":
            return {"grant_type": _JWT_GRANT, "assertion": self._assertion()}
        form = {"grant_type": flow, "client_id": secrets["client_id"]}
        if "client_secret" in secrets:
            form["client_secret"] = secrets["client_secret"]
        if flow == "refresh_token":
            form["refresh_token"] = secrets["refresh_token"]
        return form

    def _assertion(self) -> str:
        import jwt  # with its cryptography, a tenth of a second of start-up that other flows need not pay

        claims = {
            "iss": self._secrets["client_id"],
            "sub": self._secrets["username"],
            "aud": self._settings.audience or _audience(self._settings.login_url),
            "exp": int(self._wall()) + ASSERTION_S,
        }
        try:
            return jwt.encode(claims, self._secrets["private_key"], algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            pass  # the message may quote the key
        raise ConfigError(
            "`private_key` is not an RSA private key in PEM form",
            remedy="Write the key that belongs to the certificate uploaded to the external client app.",
        )

    def _refuse(self, answer: Answer) -> AccessError | Transient:
        try:
            refusal: _Refusal = answer.json(_REFUSAL)
        except Transient:
            refusal = _Refusal()
        code = refusal.error or f"status {answer.status}"
        if code in _PASSING:
            return Transient(f"Salesforce refuses logins for now ({code})", after_s=60.0)
        description = refusal.error_description.lower()
        remedy = next((mend for part, mend in _REMEDIES if part in code or part in description), _REMEDY)
        known = next((part for part, _ in _REMEDIES if part in description), "")
        self._refused = AccessError(
            f"Salesforce refuses the login: {code}" + (f", {known}" if known else ""), remedy=remedy
        )
        self._refused_at = self._context.now()
        return self._refused


def classify_login(answer: Answer) -> Verdict:
    """The verdict on an answer of the login host: a refusal is read by `Login`, never repeated by the client."""
    return Verdict("error") if answer.status in (400, 401, 403, 404) else by_status(answer)


def _audience(login_url: str) -> str:
    host = urlsplit(login_url).hostname or ""
    if host == "test.salesforce.com" or ".sandbox." in host:
        return "https://test.salesforce.com"
    return login_url if is_loopback(host) else "https://login.salesforce.com"


_PASSING = ("login_rate_exceeded", "server_error", "temporarily_unavailable")
_REMEDY = "Check client_id and its secret or key, and that the external client app allows this flow."
_REMEDIES = (
    ("expired access/refresh token", "Authorise the app again and store the new refresh token."),
    ("hasn't approved this consumer", "Let an administrator pre-authorise the integration user for the app."),
    ("audience validation failed", "Set `audience`: https://login.salesforce.com, or https://test.salesforce.com."),
    ("no client credentials user enabled", "Choose a run-as user in the client-credentials part of the app."),
    ("client identifier invalid", "Check client_id; an app made just now needs some minutes."),
    ("invalid client credentials", "Check client_secret."),
    ("not admin approved", "Give the integration user a permission set that allows the app."),
    ("grant type not supported", "Enable this flow in the external client app, and check login_url."),
    ("invalid_client_id", "Check client_id; an app made just now needs some minutes."),
    ("invalid_client", "Check client_secret."),
    ("invalid_app_access", "Give the integration user a permission set that allows the app."),
    ("unsupported_grant_type", "Enable this flow in the external client app, and check login_url."),
    ("inactive", "Activate the integration user."),
)
