"""TOML with places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydantic

from syncd.core.problem import Problem


@dataclass(frozen=True)
class Document:
    """A parsed TOML file that knows where everything stands."""

    file: str
    data: dict[str, Any]

    def where(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        raise NotImplementedError


def parse(text: str, file: str) -> tuple[Document | None, list[Problem]]:
    raise NotImplementedError


def problems(error: pydantic.ValidationError, document: Document, file: str) -> list[Problem]:
    raise NotImplementedError
