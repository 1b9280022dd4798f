"""The shipped mapping of people without the other objects: what people alone cost, and how they alone behave.

Promise: it is `mappings/people.toml` less the fields that lead to another mapping, so it can be compiled by itself; and,
where only the moving of records is counted, less what the funnel tells of people.
"""

from __future__ import annotations

import re
from pathlib import Path

MAPPINGS = Path(__file__).parent.parent / "mappings"
_ELSEWHERE = re.compile(r'^(link\s*=|(marketing|crm)\s*=.*"deals\.)', re.MULTILINE)


_TOLD = re.compile(r'^(marketing|crm)\s*=.*"(funnel|clock)\.', re.MULTILINE)


def people_alone(folder: Path, *, told: bool = True) -> Path:
    """Writes people.toml and funnel.toml into the folder, which is made, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping, funnel = (MAPPINGS / "people.toml").read_text(), (MAPPINGS / "funnel.toml").read_text()
    (folder / "people.toml").write_text(_without(_ELSEWHERE, mapping if told else untold(mapping)))
    (folder / "funnel.toml").write_text(funnel if told else re.sub(r"(?m)^\[nurture\]\n(?:.+\n)*", "", funnel))
    return folder


def untold(mapping: str) -> str:
    """A mapping less the fields by which the funnel tells where people stand: each is a write more for everybody."""
    return _without(_TOLD, mapping)


def _without(fields: re.Pattern[str], mapping: str) -> str:
    blocks = re.split(r"(?m)^(?=\[fields\.[a-z_]+\]$)", mapping)
    return "".join(block for block in blocks if not fields.search(block))
