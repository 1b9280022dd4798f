"""Refresh tokens that a system has replaced: kept in a file of our own beside the ledger, mode 0600.

Promise: a new token is on disk before it is used, and a secret that a person changes at its source wins over ours. It
is no vault: it keeps only what a system gave us in exchange for a secret that stands elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from syncd.errors import LedgerError


class Tokens:
    """The replaced tokens of one system."""

    def __init__(self, file: Path, system: str, reveal: Callable[[Any, str], str]) -> None:
        self._file = file
        self._system = system
        self._reveal = reveal
        self._origins: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Tokens({self._system})"

    def secret(self, ref: Any, name: str) -> str:
        """The secret of a reference, or the token that its system has replaced it by."""
        original = self._reveal(ref, name)
        self._origins[name] = sha256(original.encode()).hexdigest()
        kept = self._read().get(self._system, {}).get(name, {})
        return str(kept["token"]) if kept.get("replaces") == self._origins[name] else original

    def save(self, name: str, token: str) -> None:
        """Keeps a replaced token, durably, before anybody uses it."""
        kept = self._read()
        kept.setdefault(self._system, {})[name] = {"replaces": self._origins.get(name, ""), "token": token}
        beside = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._file)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise LedgerError(
                f"The kept tokens in {self._file} cannot be read: {type(error).__name__}.",
                remedy="Remove the file; the tokens named in syncd.toml are used again.",
            ) from None
