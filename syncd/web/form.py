"""Forms as our pages send them: small, url-encoded, and believed only with their token."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

MOST_BYTES = 64 << 10
MOST_FIELDS = 50


async def read(request: Request) -> dict[str, str] | None:
    """The form's fields; None for one that is no form, or too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError):
        return None
    return dict(pairs)


def back(text: str) -> str:
    """An address on this dashboard to go back to: nothing that leads elsewhere."""
    parts = urlsplit(text)
    plain = text.isprintable() and "\\" not in text
    if not plain or parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return "/"
    return text
