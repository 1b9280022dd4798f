"""What marketing and sales agreed: the stages, who owns them, and what a qualified lead is.

Promise: the agreement is data with a digest, so that a record can be judged by the version in force at that moment.
It does not count or report; later releases read the stages for that. A mapping that says `qualified` checks the rule
against the types of its own fields.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Literal

import pydantic

from syncd.core import expr
from syncd.core.expr import Gate
from syncd.core.mappingfile import Expression, FieldName, Part
from syncd.core.problem import Problem
from syncd.core.toml import parse, problems

MAX_STAGES: Final = 50
"""Most stages in one funnel."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step from stranger to customer."""

    name: str
    owner: Literal["marketing", "sales"]
    means: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel file, compiled."""

    digest: str
    """SHA-256 of the text, hexadecimal."""
    file: str
    text: str
    qualified: Gate
    stages: tuple[Stage, ...]
    """In order, from the first step to the last."""


class QualifiedPart(Part):
    """When a lead is handed to sales."""

    when: Expression = pydantic.Field(description="An expression over the mapping's field names.")


class StagePart(Part):
    """One step from stranger to customer."""

    owner: Literal["marketing", "sales"] = pydantic.Field(description="Whose job it is to move people on from here.")
    means: str = pydantic.Field("", max_length=500, description="What both departments mean by it.")


class FunnelFile(Part):
    """The funnel file: what both departments agreed."""

    model_config = pydantic.ConfigDict(
        title="A syncd funnel", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    qualified: QualifiedPart = pydantic.Field(description="When a lead is handed to sales.")
    stages: dict[FieldName, StagePart] = pydantic.Field(
        default_factory=dict, max_length=MAX_STAGES, description="The steps, in order, by the value of the stage field."
    )


def compile_funnel(text: str, file: str, field_names: frozenset[str] | None) -> tuple[Funnel | None, list[Problem]]:
    """The funnel, or every problem of the file. `field_names`: what the rule may name; None: not checked here."""
    document, found = parse(text, file)
    if document is None:
        return None, found
    try:
        shape = FunnelFile.model_validate(document.data)
    except pydantic.ValidationError as error:
        return None, problems(error, document, file, FunnelFile)
    rule = shape.qualified.when
    known = expr.names_in(rule) if field_names is None else field_names
    compiled, flaws = expr.Language(dict.fromkeys(known - expr.RESERVED, "any")).compile(rule)
    if compiled is None:
        at = ("qualified", "when")
        return None, [Problem(file, *document.inside(at, one.line, one.column), one.what, one.mend) for one in flaws]
    line, column = document.where(("qualified", "when"))
    return Funnel(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        file=file,
        text=text,
        qualified=Gate(rule, f"{file}:{line}:{column}", compiled.names, compiled),
        stages=tuple(Stage(name, part.owner, part.means) for name, part in shape.stages.items()),
    ), []


def schema() -> dict[str, Any]:
    """The JSON Schema of a funnel file, for editors."""
    return FunnelFile.model_json_schema()
