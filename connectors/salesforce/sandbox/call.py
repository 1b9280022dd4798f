"""One REST call as the handlers see it, what they answer, and the faults that strike it.

Promise: plain values, so that composite sub-requests take the same way as requests of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.salesforce.sandbox.errors import Problem, Refusal
from connectors.salesforce.sandbox.ids import id15
from connectors.salesforce.sandbox.saving import Actor
from syncd.sandbox.faults import Fault


@dataclass
class Answer:
    """`body` None: none at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, refusal: Refusal) -> Answer:
        """A refusal as the answer to a single request."""
        return cls(refusal.status, [problem.top() for problem in refusal.problems] or None, refusal.headers)


@dataclass
class Strikes:
    """The vendor faults of one request. `record_refusal` is asked once for each record that the request writes."""

    faults: Sequence[Fault] = ()
    records: int = 0

    def kind(self, name: str) -> Fault | None:
        """The first fault of a kind."""
        return next((fault for fault in self.faults if fault.kind == name), None)

    def record_refusal(self, key: str | None) -> Refusal | None:
        """What happens to the next record: `lock_row` strikes the n-th, `partial_batch` those it names."""
        self.records += 1
        if (fault := self.kind("lock_row")) and self._strikes(fault, default=[1]):
            ids = id15(key) if key else ""
            message = f"unable to obtain exclusive access to this record or 1 records: {ids}"
            return Refusal.one("UNABLE_TO_LOCK_ROW", message, 400, ())
        if (fault := self.kind("partial_batch")) and self._strikes(fault, default=[2]):
            code = str(fault.options.get("code", "FIELD_CUSTOM_VALIDATION_EXCEPTION"))
            message = str(fault.options.get("message", "This record is refused by a fault."))
            return Refusal.one(code, message, 400, fault.options.get("fields", ()))
        return None

    def _strikes(self, fault: Fault, default: list[int]) -> bool:
        if every := fault.options.get("every"):
            return self.records % int(every) == 0
        return self.records in fault.options.get("records", default)


@dataclass
class Call:
    """One request below `/services/data/vNN.0/`. `path` is undecoded and has no slash at either end."""

    method: str
    version: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    actor: Actor
    strikes: Strikes
    host: str = ""
    composite: bool = False
    parsed: Any = None
    """A sub-request's body, already parsed."""
    count_calls: Callable[[int], None] = field(default=lambda calls: None)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def truth(self, name: str) -> bool:
        """A query parameter that says true."""
        return self.first(name).lower() == "true"

    def json(self) -> Any:
        """The body. Refused: JSON_PARSER_ERROR; NaN and Infinity are none of JSON."""
        if self.composite:
            return self.parsed
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            place = f"at [line:{error.lineno}, column:{error.colno}]"
            raise Refusal.one("JSON_PARSER_ERROR", f"Unexpected input {place}") from None
        except ValueError:
            raise Refusal.one("JSON_PARSER_ERROR", "Unexpected input at [line:1, column:1]") from None

    def json_object(self) -> dict[str, Any]:
        """The body, which must be an object."""
        body = self.json()
        if not isinstance(body, dict):
            raise Refusal.one(
                "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
            )
        return body

    def resource(self, rest: str) -> str:
        """The path of a resource of this version."""
        return f"/services/data/v{self.version}/{rest}"


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def refusal_of(problems: Sequence[Problem]) -> dict[str, Any]:
    """A failed element of a collections answer."""
    return {"success": False, "errors": [problem.inside() for problem in problems]}
