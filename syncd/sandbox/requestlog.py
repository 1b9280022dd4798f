"""The request log of a sandbox: what was asked and what it was told, in order.

Promise: bounded in entries and in bytes, and holds no Authorization value and no secret form field. The oldest bodies
are forgotten before the entries are.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

MAX_ENTRIES = 100_000
MAX_BYTES = 256 * 1024 * 1024

_SECRET_FORM = re.compile(
    rb"(?<![^&])(client_secret|refresh_token|access_token|code|code_verifier|assertion|client_assertion|password|token)=[^&]*"
)
_SECRET_PATH = re.compile(r"((?:access|refresh)-tokens/)[^/]+")
_SECRET_XML = re.compile(rb"<((?:\w+:)?(?:sessionId|password))>[^<]*<")
_SECRET_JSON = re.compile(rb'"(access_token|refresh_token|id_token|client_secret|token)"\s*:\s*"[^"]*"')


@dataclass
class Entry:
    """One request. `status` 0: no answer was given."""

    n: int
    at_ms: int
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes | None
    status: int
    fault: str | None
    actor: str
    answer: bytes | None

    def to_json(self, answers: bool) -> dict[str, Any]:
        """The entry; bodies as JSON where they are JSON, else as text, null when empty or forgotten."""
        entry = {
            "n": self.n,
            "at_ms": self.at_ms,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": _readable(self.body),
            "status": self.status,
            "fault": self.fault,
            "actor": self.actor,
        }
        return {**entry, "answer": _readable(self.answer)} if answers else entry


class RequestLog:
    """Entries by number, from 1. `n` of the newest entry is `RequestLog.count`."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self.count = 0
        self._entries: deque[Entry] = deque(maxlen=max_entries)
        self._weighty: deque[Entry] = deque()
        self._bytes = 0
        self._max_bytes = max_bytes

    def add(self, *, path: str, body: bytes, answer: bytes, secretive: bool, **fields: Any) -> Entry:
        """Adds an entry; `secretive`: path and bodies may hold secrets, which are taken out."""
        if secretive:
            path = _SECRET_PATH.sub(r"\1***", path)
            body = _SECRET_JSON.sub(rb'"\1":"***"', _SECRET_FORM.sub(rb"\1=***", body))
            body = _SECRET_XML.sub(rb"<\1>***<", body)
            answer = _SECRET_JSON.sub(rb'"\1":"***"', answer)
        self.count += 1
        entry = Entry(n=self.count, path=path, body=body or None, answer=answer or None, **fields)
        self._entries.append(entry)
        self._weighty.append(entry)
        self._bytes += len(body) + len(answer)
        while self._bytes > self._max_bytes and self._weighty:
            old = self._weighty.popleft()
            self._bytes -= len(old.body or b"") + len(old.answer or b"")
            old.body = old.answer = None
        return entry

    def since(self, n: int, answers: bool = False) -> list[dict[str, Any]]:
        """Entries with a number greater than `n`."""
        oldest = self._entries[0].n if self._entries else 1
        skip = max(0, n + 1 - oldest)
        return [entry.to_json(answers) for at, entry in enumerate(self._entries) if at >= skip]


def _readable(body: bytes | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
