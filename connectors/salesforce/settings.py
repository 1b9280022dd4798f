"""What the connector's table in syncd.toml may hold.

    [systems.salesforce]
    connector     = "connectors.salesforce"
    login_url     = "https://YOURDOMAIN.my.salesforce.com"
    flow          = "client_credentials"
    client_id     = { env = "SF_CLIENT_ID" }
    client_secret = { env = "SF_CLIENT_SECRET" }

It promises that a flow has what it needs and that no token is ever asked for at a host that cannot give it; it reads
no secret.
"""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.salesforce.places import is_loopback

SecretRef = str | dict[str, str]
"""`{ env = "NAME" }`, `{ credential = "name" }` or `{ file = "path" }`; resolved by `Context.secret`."""

_SHARED_LOGINS = ("login.salesforce.com", "test.salesforce.com")
_NEEDS = {
    "client_credentials": ("client_secret",),
    "jwt_bearer": ("username", "private_key"),
    "refresh_token": ("refresh_token",),
}


class Settings(BaseModel):
    """The keys of the table. Source of the flows: contract section 2.1."""

    model_config = ConfigDict(extra="forbid")

    login_url: str
    """Where tokens come from: https, or plain http on this machine."""
    flow: Literal["client_credentials", "jwt_bearer", "refresh_token"] = "client_credentials"
    client_id: SecretRef = Field(repr=False)
    client_secret: SecretRef | None = Field(None, repr=False)
    refresh_token: SecretRef | None = Field(None, repr=False)
    username: SecretRef | None = Field(None, repr=False)
    private_key: SecretRef | None = Field(None, repr=False)
    """jwt_bearer: the RSA key in PEM."""
    audience: str = ""
    """jwt_bearer: `aud` of the assertion; by default that of production or of sandboxes, by the host of login_url."""
    key: str = Field("Syncd_Key__c", pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")
    """The unique external-id field that holds syncd's own key."""
    pipeline: str = Field("Pipeline__c", pattern=r"^([A-Za-z][A-Za-z0-9_]{0,79})?$")
    """The field of opportunities that names the pipeline: with it, `Pipeline__c.StageName` is both in one. Empty: none."""
    version: str = Field("67.0", pattern=r"^[1-9][0-9]\.0$")
    """The API version. Pinned: answers change with it."""
    assignment_rules: list[str] = Field(default_factory=list)
    """Objects whose assignment rules run when syncd creates a record, such as "Lead"; on updates they never run."""
    duplicate_alerts: Literal["refuse", "pass"] = "refuse"
    """What becomes of a write that meets a duplicate rule which only alerts; one that blocks refuses it in any case."""
    instance_suffixes: list[str] = Field(default_factory=list)
    """Further domains that a token answer may send us to, besides the login host and my.salesforce.com."""

    @field_validator("login_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("https", "http"):
            raise ValueError('must be a whole address, such as "https://YOURDOMAIN.my.salesforce.com"')
        if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
            raise ValueError("must be scheme and host only")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https: plain http is for this machine only")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("instance_suffixes")
    @classmethod
    def _domains(cls, suffixes: list[str]) -> list[str]:
        cleaned = [suffix.strip().lower().lstrip("*").strip(".") for suffix in suffixes]
        if any(suffix.count(".") < 1 or "/" in suffix or ":" in suffix for suffix in cleaned):
            raise ValueError('each must be a domain, such as "my.salesforce.mil"')
        return cleaned

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDS[self.flow] if not getattr(self, name)]
        if missing:
            raise ValueError(f"flow {self.flow} also needs {' and '.join(missing)}")
        if self.flow == "client_credentials" and urlsplit(self.login_url).hostname in _SHARED_LOGINS:
            raise ValueError(
                "flow client_credentials needs the org's own host in login_url, such as "
                '"https://YOURDOMAIN.my.salesforce.com" (Setup, My Domain), not the shared login host'
            )
        return self
