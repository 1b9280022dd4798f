"""Any file of the mappings folder, compiled by its kind: `mapping` (also where none is written), `watch`, `membership`.

Promise: never raises for what a file may hold. It opens no file: it is given the text.
"""

from __future__ import annotations

import re
from typing import Final

from syncd.core.compile import compile_mapping
from syncd.core.funnel import Funnel
from syncd.core.mapping import Mapping
from syncd.core.membership import compile_membership
from syncd.core.problem import Problem
from syncd.core.toml import parse
from syncd.core.watch import Watch, compile_watch

KINDS: Final = ("mapping", "watch", "membership")


def compile_file(
    text: str, file: str, funnel: Funnel | None, others: frozenset[str] = frozenset()
) -> tuple[list[Mapping | Watch], list[Problem]]:
    """The mapping or watch, or the mappings of a membership, or every problem of the file: with one problem there is
    none. `others`: the names of the other files' mappings."""
    document, found = parse(text, file)
    if document is None:
        return [], found
    kind = document.data.get("kind", "mapping")
    if kind not in KINDS:
        return [], [document.problem(("kind",), f"'kind' must be one of: {', '.join(KINDS)}")]
    if kind == "watch":
        watch, found = compile_watch(document, text)
        return ([] if watch is None else [watch]), found
    if kind == "membership":
        mappings, found = compile_membership(document, text, funnel, others)
        return [*mappings], found
    mapping, found = compile_mapping(text, file, funnel, others)
    return ([] if mapping is None else [mapping]), found


_NAME: Final = re.compile(r"""^(?:mapping|name)\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


def name_in(text: str) -> str | None:
    """What a file calls itself, as far as that can be told of one that may not be valid."""
    found = _NAME.search(text)
    return found[1] if found else None
