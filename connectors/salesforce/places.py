"""Which hosts a token may be sent to.

Promise: an address that came over the wire is used only if it lies where Salesforce, or the settings, say that an org
lies (hazard X03). It asks no resolver.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

ORG_DOMAIN = "my.salesforce.com"
"""Every org's own host, production and sandbox, ends in it."""


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trusted_origin(instance_url: str, login_url: str, suffixes: Sequence[str]) -> str | None:
    """The origin of `instance_url`, if a token may go there; else None.

    Accepted: the host of login_url; this machine, when login_url is this machine too; below my.salesforce.com or one
    of `suffixes`. Always https, except on this machine; never a port, user or path that login_url does not have.
    """
    try:
        parts, login = urlsplit(instance_url), urlsplit(login_url)
        host, port, login_host = parts.hostname or "", parts.port, login.hostname or ""
    except ValueError:
        return None
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        return None
    if is_loopback(host):
        return f"{parts.scheme}://{parts.netloc}" if is_loopback(login_host) and parts.scheme in _SCHEMES else None
    if parts.scheme != "https" or not host.isascii():
        return None
    if host == login_host and port == login.port:
        return f"https://{parts.netloc}"
    listed = any(host == suffix or host.endswith(f".{suffix}") for suffix in (ORG_DOMAIN, *suffixes))
    return f"https://{host}" if listed and port in (None, 443) else None


_SCHEMES = ("https", "http")
