"""Durations, sizes and addresses as people write them in syncd.toml, as numbers a program can use.

Promise: a quantity without a unit is refused rather than guessed. It does not format numbers for people.
The ValueError of each function is the end of a sentence that begins with the setting's name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_DURATION = r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$"
_SIZE = r"^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|kB|MB|GB)$"


def seconds(text: Any) -> float:
    """`"500ms"`, `"30s"`, `"5m"`, `"6h"`, `"7d"` -> seconds. ValueError says what is accepted."""
    if not isinstance(text, str) or not (parts := re.match(_DURATION, text)):
        raise ValueError('must be a number and a unit in quotes, such as "500ms", "30s", "5m", "6h" or "7d"')
    return float(parts[1]) * _SECONDS[parts[2]]


def size(text: Any) -> int:
    """`"64MiB"`, `"1GB"` -> bytes. ValueError says what is accepted."""
    if not isinstance(text, str) or not (parts := re.match(_SIZE, text)):
        raise ValueError('must be a number and a unit in quotes, such as "512KiB", "64MiB" or "1GB"')
    return int(float(parts[1]) * _BYTES[parts[2]])


def period(text: Any) -> float:
    """`seconds`, and more than none: for what is done again and again."""
    if (value := seconds(text)) <= 0:
        raise ValueError("must be longer than nothing")
    return value


def named(read: Callable[[Any], Any]) -> BeforeValidator:
    """A reader of this module as pydantic's validator: its ValueError begins with the setting's name."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        try:
            return read(value)
        except ValueError as error:
            raise ValueError(f"'{info.field_name}' {error}") from None

    return BeforeValidator(validate)


Duration = Annotated[float, named(seconds), WithJsonSchema({"type": "string", "pattern": _DURATION})]
"""Seconds, written as text with a unit."""

Period = Annotated[float, named(period), WithJsonSchema({"type": "string", "pattern": _DURATION})]
"""Seconds, more than none, written as text with a unit."""

Size = Annotated[int, named(size), WithJsonSchema({"type": "string", "pattern": _SIZE})]
"""Bytes, written as text with a unit."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole: 0.2 is a fifth."""


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine: `localhost`, `127.0.0.0/8`, `::1`. Asks no resolver."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address, with no brackets around it. Asks no resolver."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def safe_url(url: Any) -> str:
    """A base address a secret may be sent to: https, or plain http to this machine only; no user, query or fragment."""
    if not isinstance(url, str):
        raise ValueError('must be an address in quotes, such as "https://api.example.com"')
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an address that can be read") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError('must be a whole address, such as "https://api.example.com"')
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user, password, query or fragment: credentials have settings of their own")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be https: plain http is for this machine only (127.0.0.1, ::1, localhost)")
    return url.rstrip("/")


def listen_address(text: Any) -> tuple[str, int] | None:
    """`"127.0.0.1:8642"`, `"[::1]:8642"` -> (host, port); `"off"` -> None. An address, never a name: what is
    listened on must not depend on who answers for a name."""
    if text == "off":
        return None
    if not isinstance(text, str) or not (parts := re.match(r"^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):(\d{1,5})$", text)):
        raise ValueError('must be written "HOST:PORT", such as "127.0.0.1:8642", or "off"')
    host, port = parts[1].strip("[]"), int(parts[2])
    if port > 65535:
        raise ValueError("must have a port of at most 65535")
    if host != "localhost" and not is_address(host):
        raise ValueError("must be an address of this machine, such as 127.0.0.1, [::1] or 0.0.0.0")
    return host, port
