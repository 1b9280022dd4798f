"""How the vendor refuses: one error type, printed in the three shapes its APIs use. Contract sections 3, 7, 9, 12.

Promise: every code is one of the vendor's own. Messages repeat people's values, as the vendor's do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One reason. `fields` None: the key is left out of the answer, as for call-level errors."""

    code: str
    message: str
    fields: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def top(self) -> dict[str, Any]:
        """As the answer to a single request."""
        named = {} if self.fields is None else {"fields": list(self.fields)}
        return {"message": self.message, "errorCode": self.code, **named, **self.extra}

    def inside(self) -> dict[str, Any]:
        """As an element of a collections answer: the code is called statusCode there, extras are left out."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}

    def text(self) -> str:
        """As the sf__Error cell of a bulk result."""
        return f"{self.code}:{self.message}:{' '.join(self.fields or ())} --"


class Refusal(Exception):
    """A request, or one record of it, is refused for these reasons. `status` is that of a single-record call."""

    def __init__(
        self, problems: Sequence[Problem], status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("; ".join(problem.code for problem in problems))
        self.problems = tuple(problems)
        self.status = status
        self.headers = dict(headers or {})

    @classmethod
    def one(cls, code: str, message: str, status: int = 400, fields: Sequence[str] | None = None) -> Refusal:
        """A refusal with a single reason."""
        return cls([Problem(code, message, None if fields is None else tuple(fields))], status)


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """404 for a path or a record that is not there."""
    return Refusal.one("NOT_FOUND", message, 404)


def no_such_column(name: str, object_name: str) -> Refusal:
    """A write to a field that does not exist for the caller."""
    return Refusal.one("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")


def gone(key: str) -> Refusal:
    """The record is missing, or the caller may not see it."""
    return Refusal.one("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, ())


def deleted() -> Refusal:
    """The record lies in the recycle bin."""
    return Refusal.one("ENTITY_IS_DELETED", "entity is deleted", 404, ())
