"""The shape of a watch's file: every key, with the sentence that an editor shows for it.

Promise: what this refuses is refused with a place; what it accepts has the right shape, and nothing more is checked
here: names, types and the rule are `watch`'s. `schemas/watch.json` is generated from it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from syncd.core.mappingfile import MAX_FIELDS, Attribute, Expression, FieldName, Name, Part

MOST_MAPPINGS: Final = 10
"""Most mappings that one reference may lead to."""

WatchTypes = Literal[
    "text",
    "email",
    "number",
    "bool",
    "date",
    "datetime",
    "choice",
    "choices",
    "owner",
    "reference",
    "references",
]
Means = Literal["activity", "touch", "stage", "role", "response"]


class WatchedPart(Part):
    """One thing that is kept of each event."""

    attribute: Attribute = Field(description="What the system calls it.")
    type: WatchTypes = Field("text", description="How values are read. reference: a record's key; references: several.")


class WatchFile(Part):
    """A watch: one side's object, observed for reports. It writes nothing."""

    model_config = ConfigDict(
        title="A syncd watch", json_schema_extra={"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )

    name: Name = Field(description="The watch's name.")
    kind: Literal["watch"] = Field(description="This file is a watch.")
    side: Literal["marketing", "crm"] = Field(description="Whose system it looks at.")
    system: Name = Field(description="The system's name in syncd.toml: [systems.NAME].")
    object: Attribute = Field(description="The object as the system calls it: Task, OpportunityHistory.")
    means: Means = Field(
        description="What an event is to reports: activity (sales did something), touch (marketing reached somebody),"
        " stage (a step), role (who takes part in a deal), response (somebody answered)."
    )
    each: Literal["record", "change"] = Field(
        "record",
        description="record: each record is one event, kept up to date. change: each move of the `at` field is one,"
        " and what was seen before stays.",
    )
    at: FieldName = Field(description="The field that tells when it happened: of type datetime or date.")
    on: dict[FieldName, Name | list[Name]] = Field(
        min_length=1,
        description="What it happened to: a reference field = the mapping (or mappings) whose records it points to."
        " `itself` = the mapping that the watched record itself belongs to.",
    )
    when: Expression | None = Field(None, description="Which records count: a rule over the fields. Left out: all.")
    fields: dict[FieldName, WatchedPart] = Field(min_length=1, max_length=MAX_FIELDS, description="What is kept.")


def schema() -> dict[str, Any]:
    """The JSON Schema of a watch's file, for editors."""
    return WatchFile.model_json_schema()
