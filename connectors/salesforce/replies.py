"""What a call came to: its status, and its errors in one form wherever they stood.

Promise: whatever an error looks like (list, object, bare text, a web page), reading it raises nothing; and a reply
that should hold data but does not is a `BadAnswer`, never an empty result. Source: contract sections 3, 7, 8, 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from syncd.errors import AccessError, Fault, SyncdError, Transient
from syncd.http import UNREADABLE, Answer, BadAnswer, too_many_parts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One error that Salesforce names."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()
    matches: tuple[tuple[str, str], ...] = ()
    """DUPLICATES_DETECTED: (object, id) of each record that a duplicate rule met."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call, or to one part of a composite call."""

    status: int
    body: bytes | msgspec.Raw
    what: str = ""
    """For messages: the call, without ids and values."""

    @classmethod
    def of(cls, answer: Answer) -> Reply:
        """The reply of a whole call."""
        return cls(answer.status, answer.body, answer.what)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def troubles(self) -> list[Trouble]:
        """What went wrong; at least one unless `ok`."""
        return [] if self.ok else troubles_in(self.body) or [Trouble(f"HTTP_{self.status}")]

    @property
    def code(self) -> str:
        """The first error's code; "" when there is none."""
        return next((trouble.code for trouble in self.troubles), "")

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body as data. Raises BadAnswer."""
        try:
            if not too_many_parts(self.body):
                return decoder.decode(self.body)
        except UNREADABLE:
            pass  # the decoder's message may quote the body
        raise BadAnswer(f"{self.what}: status {self.status} with a body that is not what it should be")

    def refused(self) -> SyncdError:
        """The error to raise where something that only reads was refused. Quotes no message: those hold the query."""
        code, what = self.code, self.what
        if code in UNSEEN:
            return AccessError(
                f"{what}: Salesforce says {code}: a field or object of the mapping is not visible to our user",
                remedy="Grant our user read access to it, or take it out of the mapping.",
            )
        if code in _OURS:
            return Fault(f"{what}: Salesforce does not understand us: {code}")
        return Transient(f"{what}: Salesforce says {code}")


UNSEEN = frozenset({"INVALID_FIELD", "INVALID_TYPE", "INSUFFICIENT_ACCESS", "NOT_FOUND", "ENTITY_NOT_QUERYABLE"})
"""Codes that say: our user may not see this, or it is not there."""
_OURS = frozenset({"MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR", "JSON_PARSER_ERROR", "METHOD_NOT_ALLOWED"})


def troubles_in(body: bytes | msgspec.Raw) -> list[Trouble]:
    """The errors in a body, whatever its form; empty if it holds none that can be read."""
    try:
        return [] if too_many_parts(body) else troubles_of(msgspec.json.decode(body))
    except UNREADABLE:
        return []


def troubles_of(said: Any) -> list[Trouble]:
    """The errors in decoded JSON: a list of them, one, or the `errors` of a record's result."""
    if isinstance(said, dict) and isinstance(said.get("errors"), list):
        said = said["errors"]
    elements = said if isinstance(said, list) else [said]
    return [_trouble(each) for each in elements if isinstance(each, dict)]


def _trouble(said: dict[str, Any]) -> Trouble:
    code = said.get("errorCode") or said.get("statusCode")  # one at top level, the other inside collections
    fields = said.get("fields")
    return Trouble(
        code=code if isinstance(code, str) else "UNNAMED",
        message=said["message"] if isinstance(said.get("message"), str) else "",
        fields=tuple(name for name in fields if isinstance(name, str)) if isinstance(fields, list) else (),
        matches=_matches(
            said.get("duplicateResut") or said.get("duplicateResult")
        ),  # their spelling, and the right one
    )


def _matches(said: Any) -> tuple[tuple[str, str], ...]:
    results = said.get("matchResults") if isinstance(said, dict) else None
    found: dict[tuple[str, str], None] = {}
    for result in results if isinstance(results, list) else []:
        records = result.get("matchRecords") if isinstance(result, dict) else None
        for match in records if isinstance(records, list) else []:
            record = match.get("record") if isinstance(match, dict) else None
            if isinstance(record, dict) and isinstance(record.get("Id"), str):
                kind = record.get("attributes")
                name = kind.get("type") if isinstance(kind, dict) else None
                found[str(name or result.get("entityType") or ""), record["Id"]] = None
    return tuple(found)
