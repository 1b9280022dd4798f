"""What becomes of a request, and where requests may go: the words that the client and every connector share.

Promise: what happened to a request is told exactly: `Unsent` (no byte of it left), `Lost` (something may have left, and
no whole answer came), or an `Answer` read to its end. It opens no connection, and costs nothing to import: that is
`syncd.wire`, which is loaded when the first client is made.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from syncd.errors import ConfigError, Transient

MAX_BODY_BYTES = 64 * 1024 * 1024
"""The largest answer that is read, after decompression."""

MOST_PARTS = 4_000_000
"""The most values that an answer may be made of: small ones take up to thirty times their length when decoded."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Whatever decoding a body that a server made up may raise. The messages may quote the body."""

_TYPES = re.compile(r"(Expected `[a-z| ]+`, got `[a-z]+`|Object missing required field `\w+`)( - at `[$.\w\[\]]+`)?")
"""What a decoder may be quoted with: types and our own names of fields; anything else may quote the body."""

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class Unsent(Exception):
    """Surely no byte of the request left: refused, no such host, no trust."""


class Lost(Exception):
    """The request or a part of it may have arrived, and no whole answer came back."""


class BadAnswer(Transient):
    """An answer that is not what the vendor promises: no JSON, cut off, too large, or pointing to another place."""


class Answer:
    """What came back. `headers` may be asked in any case. Its repr shows no value of anybody."""

    __slots__ = ("body", "headers", "status", "what")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, what: str = "") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.what = what
        """Method and path template, for messages."""

    def json(self, decoder: msgspec.json.Decoder[Any] = _ANY) -> Any:
        """The body, decoded (by a typed decoder where speed or shape matters). Raises BadAnswer."""
        where = ""
        try:
            if not too_many_parts(self.body):
                return decoder.decode(self.body)
        except UNREADABLE as error:
            where = f": {error}" if _TYPES.fullmatch(str(error)) else ""
        raise BadAnswer(f"{self.what}: status {self.status} with a body that is not the JSON it should be{where}")

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


def too_many_parts(body: bytes | msgspec.Raw) -> bool:
    """Whether a JSON text is made of more values than `MOST_PARTS`: cheap, and wrong only where texts are full of
    commas and brackets."""
    text = bytes(body)
    return len(text) > MOST_PARTS and sum(map(text.count, (b",", b"[", b"{"))) > MOST_PARTS


def checked_base(base_url: str) -> tuple[str, str]:
    """(origin, path prefix) of a base_url: https, or http to this very machine; no user, query or fragment in it."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigError("base_url must look like https://host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("base_url must hold no user, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"base_url must be https: plain http would show the token to the network on the way to {host}"
        )
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def origin_of(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, (parts.hostname or "").lower(), port


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def segment(text: str) -> str:
    """One segment of a path, percent-encoded, so that a key can never name another endpoint."""
    if text in ("", ".", ".."):
        raise ValueError("not a path segment")
    return quote(text, safe="")


_ID = re.compile(r"(?<=/)(?:[^/?]*(?:@|%40)[^/?]*|\d+|(?=[A-Za-z]*\d)[A-Za-z0-9]{15,}|[0-9a-f-]{36})(?=[/?.:]|$)")


def without_ids(path: str) -> str:
    """A path without query and without anybody's id, for counters and messages."""
    return _ID.sub("{id}", path.partition("?")[0])
