"""Secrets, taken by reference only: the environment, a systemd credential, or a file nobody else can read.

Promise: a secret's value stands in no repr, message or log, and a secret written into syncd.toml itself is refused.
It keeps nothing: every `resolve` reads again, so a rotated secret is seen at the next connection.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.core.problem import Problem
from syncd.errors import ConfigError

KINDS = ("env", "credential", "file")
MOST_BYTES = 64 * 1024
"""A private key has a few kilobytes; anything larger is a mistake."""

_NOT_SECRET = frozenset({"client_id", "username", "user", "subject", "issuer", "portal_id", "account_id"})
_SECRET_NAME = re.compile(r"(^|_)(token|secret|password|passphrase|private_key|api_key)$")
_REMEDY = 'write { env = "NAME" }, { credential = "name" } or { file = "path" } instead, and change the exposed secret'


class Secret:
    """A value that shows itself to nobody but the caller of `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: only for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never pickled")


def is_reference(value: Any) -> bool:
    """Whether a value of syncd.toml has the shape of a secret reference."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in KINDS


def names_a_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret (`token`, `client_secret`), so that plain text there is refused."""
    return bool(_SECRET_NAME.search(name))


def plain_text_problem(name: str, file: str, place: tuple[int, int]) -> Problem:
    """What to say about a secret written into the file. The value is not repeated."""
    return Problem(file, *place, f"'{name}' holds a secret as plain text", _REMEDY)


@dataclass(frozen=True)
class Secrets:
    """Resolves the secret references of one system's table.

    `places` maps a setting's name to its (line, column) in `file`, so that a missing secret can be found there.
    """

    file: Path
    environ: Mapping[str, str] = field(repr=False)
    table: str = ""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)

    def resolve(self, ref: Any, name: str) -> Secret:
        """The secret that `ref` (a value from syncd.toml, set for `name`) points to.

        Raises ConfigError naming the setting, its place, and the variable, credential or file that is missing or
        unsafe. Plain text is taken only for what is no secret (`client_id`).
        """
        if hasattr(ref, "model_dump"):
            ref = ref.model_dump(exclude_none=True)
        if isinstance(ref, str):
            if name.rsplit(".", 1)[-1] in _NOT_SECRET:
                return Secret(ref)
            raise ConfigError(plain_text_problem(self._called(name), str(self.file), self._place(name)))
        if not is_reference(ref):
            raise self._error(name, "is not a reference to a secret", _REMEDY.split(" instead", maxsplit=1)[0])
        ((kind, where),) = ref.items()
        if not isinstance(where, str) or not where or "\0" in where:
            raise self._error(name, f"'{kind}' must name where the secret is", "")
        value = {"env": self._env, "credential": self._credential, "file": self._file}[kind](where, name)
        if not value:
            raise self._error(name, f"the {_NOUN[kind]} {where} is empty", "put the secret there")
        return Secret(value)

    def reveal(self, ref: Any, name: str) -> str:
        """`resolve`, and the value itself: what `Context.secret` hands to a connector."""
        return self.resolve(ref, name).reveal()

    def _env(self, variable: str, name: str) -> str:
        value = self.environ.get(variable)
        if value is None:
            raise self._error(
                name, f"the environment variable {variable} is not set", f"set {variable} and start again"
            )
        return value.strip("\r\n")

    def _credential(self, credential: str, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", credential) or credential in (".", ".."):
            raise self._error(name, "a credential's name has letters, digits, `_`, `.` and `-` only", "")
        directory = self.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise self._error(
                name,
                f"the credential {credential} cannot be read: $CREDENTIALS_DIRECTORY is not set",
                f"start syncd by its systemd unit with LoadCredential={credential}:PATH, or use env or file",
            )
        # systemd itself guards that directory, so only the content is read here.
        return self._read(Path(directory) / credential, name, "add LoadCredential= for it to the unit", guard=False)

    def _file(self, path: str, name: str) -> str:
        where = self.file.parent / Path(path).expanduser()
        return self._read(where, name, f"create it: install -m 0600 /dev/stdin {path}", guard=True)

    def _read(self, path: Path, name: str, remedy: str, *, guard: bool) -> str:
        try:
            # Opened before it is judged, so that what is judged is what is read; never waits on a pipe.
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise self._error(name, f"the secret file {path} cannot be read: {error.strerror}", remedy) from None
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise self._error(name, f"the secret file {path} is not a plain file", remedy)
            if guard and facts.st_mode & 0o077:
                mode = stat.S_IMODE(facts.st_mode)
                what = f"the secret file {path} is open to others (mode {mode:04o})"
                raise self._error(name, what, f"chmod 600 {path}")
            if guard and facts.st_uid not in (0, os.geteuid()):
                raise self._error(name, f"the secret file {path} belongs to another user", f"chown it: {path}")
            content = os.read(handle, MOST_BYTES + 1)
        finally:
            os.close(handle)
        if len(content) > MOST_BYTES:
            raise self._error(name, f"the secret file {path} is larger than {MOST_BYTES} bytes", remedy)
        try:
            return content.decode().strip("\r\n")
        except UnicodeDecodeError:
            raise self._error(name, f"the secret file {path} is not text", remedy) from None

    def _called(self, name: str) -> str:
        return f"{self.table}.{name}" if self.table else name

    def _place(self, name: str) -> tuple[int, int]:
        return self.places.get(name, (0, 0))

    def _error(self, name: str, what: str, mend: str) -> ConfigError:
        return ConfigError(Problem(str(self.file), *self._place(name), f"'{self._called(name)}': {what}", mend))


_NOUN = {"env": "environment variable", "credential": "credential", "file": "secret file"}
