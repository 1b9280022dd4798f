"""The shipped mapping of people without the other objects: what people alone cost, and how they alone behave.

Promise: it is `mappings/people.toml` less the fields that lead to another mapping, so it can be compiled by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

MAPPINGS = Path(__file__).parent.parent / "mappings"
_ELSEWHERE = re.compile(r'^(link\s*=|(marketing|crm)\s*=.*"deals\.)', re.MULTILINE)


def people_alone(folder: Path) -> Path:
    """Writes people.toml and funnel.toml into the folder, which is made, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = re.split(r"(?m)^(?=\[fields\.[a-z_]+\]$)", (MAPPINGS / "people.toml").read_text())
    kept = [block for block in blocks if not _ELSEWHERE.search(block)]
    (folder / "people.toml").write_text("".join(kept))
    (folder / "funnel.toml").write_text((MAPPINGS / "funnel.toml").read_text())
    return folder
