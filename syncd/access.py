"""Who may see the dashboard, and who may act from it: the `[dashboard]` table, and passwords as they are kept.

Promise: an address that others can reach is refused unless users, or a proxy that signs people in, are named. A password
is never kept: only what scrypt makes of it. It opens nothing and knows no page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, WithJsonSchema, field_validator

from syncd.table import Table, wait
from syncd.units import Period, is_loopback, listen_address, named

Role = Literal["view", "operate"]
"""`view` sees everything; `operate` may also retry, resolve, approve and restore."""

COST = 1 << 14
"""scrypt's n: some 50 ms and 16 MiB for one try."""
BLOCK, LANES = 8, 1
LEAST_CHARACTERS = 10
MOST_CHARACTERS = 1024
_KEPT = re.compile(r"^scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9+/=]{16,128}):([A-Za-z0-9+/=]{32,128})$")


def kept_form(password: str, salt: bytes) -> str:
    """What stands in syncd.toml for a password: `scrypt:N:R:P:SALT:HASH`. ValueError for one that is too short."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise ValueError(f"a password has at least {LEAST_CHARACTERS} characters")
    made = hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=1 << 27)
    return f"scrypt:{COST}:{BLOCK}:{LANES}:{base64.b64encode(salt).decode()}:{base64.b64encode(made).decode()}"


def fits(password: str, kept: str) -> bool:
    """Whether that is the password; takes as long for a wrong one."""
    parts = _KEPT.match(kept)
    if parts is None or len(password) > MOST_CHARACTERS:
        return False
    n, r, p = (int(parts[at]) for at in (1, 2, 3))
    made = hashlib.scrypt(password.encode(), salt=base64.b64decode(parts[4]), n=n, r=r, p=p, maxmem=1 << 27)
    return hmac.compare_digest(made, base64.b64decode(parts[5]))


class User(Table):
    """`[dashboard.users.NAME]`: somebody who signs in with a password."""

    password: str = Field(description="What `syncd dashboard password` prints for the password; never the password.")
    role: Role = Field("view", description="view: sees everything; operate: may also act.")

    @field_validator("password")
    @classmethod
    def _is_kept_form(cls, password: str) -> str:
        parts = _KEPT.match(password)
        if parts is None:
            raise ValueError("'password' must be what `syncd dashboard password` prints, never the password itself")
        n, r, p = (int(parts[at]) for at in (1, 2, 3))
        if n & (n - 1) or not (1 << 12) <= n <= (1 << 16) or not 1 <= r <= 16 or not 1 <= p <= 4:
            raise ValueError("'password' has other costs than `syncd dashboard password` uses")
        return password

    def __repr__(self) -> str:
        return f"User(role={self.role!r})"

    __str__ = __repr__


class Proxy(Table):
    """`[dashboard.proxy]`: a reverse proxy that signs people in and tells who they are."""

    address: list[str] = Field(min_length=1, description="The proxy's IP addresses: nobody else's header is believed.")
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] = Field(
        "X-Remote-User", description="The header that names the person. The proxy must drop it from what clients send."
    )
    operate: list[str] = Field(default_factory=list, description="The persons who may act; all others view.")


HOST = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$")]


class Dashboard(Table):
    """`[dashboard]`: pages for the people of both departments."""

    hosts: list[str] = Field(
        default_factory=list, description="Names under which browsers reach it; addresses and localhost always work."
    )
    local: Role = Field(
        default="operate", description="What a browser on this machine may do while no users and no proxy are named."
    )
    session: Period = wait("12h", "How long one stays signed in.")
    users: dict[UserName, User] = Field(default_factory=dict, description="Who signs in with a password.")
    proxy: Proxy | None = Field(default=None, description="A reverse proxy that signs people in.")

    listen: Annotated[tuple[str, int] | None, named(listen_address), WithJsonSchema({"type": "string"})] = Field(
        default=("127.0.0.1", 8642),
        description='"HOST:PORT", or "off". An address that others can reach needs users or a proxy.',
        json_schema_extra={"default": "127.0.0.1:8642"},
    )

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not HOST.match(host):
                raise ValueError(
                    "'hosts' must be names in small letters, without a port, such as \"syncd.example.com\""
                )
        return hosts

    @field_validator("listen")
    @classmethod
    def _closed_to_strangers(cls, listen: tuple[str, int] | None, info: ValidationInfo) -> tuple[str, int] | None:
        if not info.data.get("users") and info.data.get("proxy") is None:
            refuse_strangers(listen)
        return listen

    @property
    def has_doors(self) -> bool:
        """Whether people have to say who they are."""
        return bool(self.users) or self.proxy is not None

    def at(self, listen: Any) -> Dashboard:
        """The same at another address (`HOST:PORT`). ValueError where it may not be there."""
        address = listen_address(listen)
        if not self.has_doors:
            refuse_strangers(address)
        return self.model_copy(update={"listen": address})


def refuse_strangers(listen: tuple[str, int] | None) -> None:
    """ValueError for an address that others can reach, where nobody has to sign in."""
    if listen is not None and not is_loopback(listen[0]):
        raise ValueError(
            "'listen' can be reached from outside this machine: name [dashboard.users] or a [dashboard.proxy] first"
        )
