"""Edited files while the daemon runs: noticed when they rest, read whole, and never half in force.

Promise: an edit that is not valid changes nothing: the last valid version of that file stays in force, and the issue
says where the edit is wrong. It applies nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from syncd.core.problem import Problem
from syncd.errors import ConfigError
from syncd.files import Before, Files, Signature, in_force, paths, signature
from syncd.settings import load as load_settings


@dataclass
class Watched:
    """Looks whether syncd.toml or a mapping file was edited. An edit counts once two looks see the same."""

    files: Files
    _known: Signature = ()
    _digest: bytes = b""
    _pending: Signature | None = None

    def __post_init__(self) -> None:
        self.take(self.files)

    def take(self, files: Files) -> None:
        """These are in force now."""
        self.files = files
        self._known, self._digest, self._pending = signature(files.settings), self._content(), None

    def edited(self) -> bool:
        """Whether something else stands in the files than what was taken, and has come to rest."""
        seen = signature(self.files.settings)
        if seen == self._known:
            self._pending = None
            return False
        if seen != self._pending:
            self._pending = seen  # perhaps half written: look once more
            return False
        self._pending, self._known = None, seen
        return self._content() != self._digest

    def _content(self) -> bytes:
        digest = sha256()
        for path in paths(self.files.settings):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            digest.update(str(path).encode() + b"\0" + sha256(content).digest())
        return digest.digest()


def read_again(before: Files, environ: Mapping[str, str]) -> Files:
    """Reads all files anew, with the last valid version in the place of whatever is not valid. Raises nothing for what
    a file may hold."""
    settings = before.settings
    wrong: dict[str, tuple[Problem, ...]] = {}
    try:
        settings = load_settings(before.settings.file, environ)
        if settings.daemon.ledger != before.settings.daemon.ledger:
            place = settings.document.where(("daemon", "ledger"))
            what = "another ledger is taken at the next start only"
            raise ConfigError(Problem(str(settings.file), *place, what, "restart the daemon"))
    except ConfigError as error:
        settings = before.settings
        wrong[settings.file.name] = tuple(error.problems)
    if not settings.daemon.mappings.is_dir():
        lost = Problem(str(settings.daemon.mappings), 0, 0, "there is no such folder of mappings", "bring it back")
        return replace(before, settings=settings, broken={**wrong, "mappings": (lost,)})
    files = in_force(settings, Before(before.mappings))
    return replace(files, broken={**files.broken, **wrong})
