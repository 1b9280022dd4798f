"""What every table of syncd.toml has in common.

Promise: a key that is not known is refused, nothing is converted on the quiet, and what was read stays as it is.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from syncd.units import seconds


class Table(BaseModel):
    """A table whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def wait(text: str, description: str, alias: str | None = None) -> Any:
    """A duration's field; its default is written the way a person would."""
    return Field(default=seconds(text), description=description, json_schema_extra={"default": text}, alias=alias)
