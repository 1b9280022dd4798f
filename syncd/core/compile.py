"""From a mapping file's text to a compiled mapping, or every reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Protocol

from syncd.core.funnel import Funnel
from syncd.core.mapping import Mapping
from syncd.core.model import Side
from syncd.core.problem import Problem


class AttributeLike(Protocol):
    """What `check_schema` needs to know of one attribute (`syncd.connector.Attribute` fits)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def creatable(self) -> bool: ...
    @property
    def updatable(self) -> bool: ...
    @property
    def required(self) -> bool: ...
    @property
    def unique(self) -> bool: ...
    @property
    def restricted(self) -> bool: ...
    @property
    def options(self) -> tuple[str, ...]: ...


class SchemaLike(Protocol):
    """An object's live schema (`syncd.connector.Schema` fits)."""

    @property
    def object(self) -> str: ...
    @property
    def attributes(self) -> Map[str, AttributeLike]: ...


def compile_mapping(text: str, file: str, funnel: Funnel | None) -> tuple[Mapping | None, list[Problem]]:
    raise NotImplementedError


def check_schema(
    mapping: Mapping, side: Side, object: str, schema: SchemaLike, *, key: str | None = None
) -> list[Problem]:
    raise NotImplementedError


def check_together(mappings: Iterable[Mapping]) -> list[Problem]:
    raise NotImplementedError
